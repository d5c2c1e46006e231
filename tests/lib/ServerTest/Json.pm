package ServerTest::Json;

# JSON clients of a server: the module `database`, one request a connection, handles that last from one to the next.

use strict;
use warnings;

use BridgeTest;
use JSON::PP ();
use ServerTest;
use Test::More;

our $id;

sub all {
    my ($f) = @_;
    is(bridge(['start'])->{status}, 0, 'the daemon runs');
    my ($dsn, $user, $password) = $f->login;
    my %login = (dsn => $dsn, username => $user, password => $password);
    refused_logins($f, %login);
    $id = result(database => connect => {%login})->{connection_id};
    like($id, qr/\A[0-9a-f]{32}\z/, 'connected');
    changes($f);
    rows($f);
    many_rows($f);
    failures($f);
    on('disconnect');
    my $gone = json(database => do_statement => { connection_id => $id, sql => 'select 1' });
    like($gone->{error}, qr/\Q$id\E.*closed/, 'after disconnect the handle is gone');
    no_autocommit($f, %login);
    cached($f, %login);
    pooled($f);
    return;
}

sub result {
    my ($module, $function, $params) = @_;
    my $reply = json($module, $function, $params);
    ok($reply->{success}, "$module.$function") or diag explain $reply;
    return $reply->{result} || {};
}
sub on { my ($function, %params) = @_; return result(database => $function => { connection_id => $id, %params }) }

sub error_of {
    my (%params) = @_;
    my $reply = json(database => do_statement => { connection_id => $id, %params });
    ok(!$reply->{success}, "$params{sql}: refused");
    return $reply->{error};
}

# The number in a query's only row.
sub number {
    my ($sql, @values) = @_;
    my $statement = on(prepare => sql => $sql)->{statement_id};
    on(execute_statement => statement_id => $statement, bind_values => \@values);
    my $row = on(fetch_row => statement_id => $statement)->{row};
    on(finish_statement => statement_id => $statement);
    return $row->[0];
}

sub refused_logins {
    my ($f, %login) = @_;
    my $reply = json(database => connect => { %login, password => 'not-the-secret' });
    ok(!$reply->{success}, 'a wrong password is refused');
    unlike(JSON::PP->new->encode($reply), qr/not-the-secret/, 'and not told');
    like(
        json(database => connect => { %login, dsn => 'dbi:Nope:x' })->{error}, qr/Nope.*Pg.*mysql.*MariaDB/,
        'an unknown driver is named, and those there are'
    );
    return;
}

sub changes {
    my ($f) = @_;
    on(do_statement => sql => $f->table_sql('things'));
    my $insert = 'insert into things values (?, ?)';
    is(on(do_statement => sql => $insert, bind_values => [$_, "row $_"])->{rows_affected}, 1, "row $_") for 1 .. 3;
    on('begin_transaction');
    is(on(execute_immediate => sql => 'delete from things')->{rows_affected}, 3, 'a delete of three');
    on('rollback');
    is(number('select count(*) from things'), 3, 'rolled back');
    on('begin_transaction');
    my $statement = on(prepare_statement => sql => $insert)->{statement_id};
    is(on(execute_statement => statement_id => $statement, bind_values => $_)->{rows_affected}, 1, 'a prepared insert')
        for [4, undef], [5, "\x{263a} '\\?"];
    is(
        on(
            execute_statement => statement_id => $statement,
            bind_params       => { 1 => { value => '6', type => 'INTEGER' }, 2 => 'six' }
        )->{rows_affected},
        1,
        'values by number'
    );
    on(finish_statement => statement_id => $statement);
    on('commit');
    is(number('select count(*) from things where id > ?', 3), 3, 'committed');
    return;
}

sub rows {
    my ($f) = @_;
    my $statement = on(prepare => sql => 'select id, name from things where id >= ? order by id')->{statement_id};
    for my $run (1, 2) {
        my $executed = on(execute_statement => statement_id => $statement, bind_values => [3]);
        is_deeply($executed->{column_names}, [qw(id name)], "run $run: the names of the columns");
        like($executed->{column_types}[0], qr/^int/, 'the type of a number');
        like($executed->{column_types}[1], qr/char/, 'and of a text');
        is_deeply(on(fetch_row => statement_id => $statement)->{row}, [3, 'row 3'], 'a row');
        is_deeply(
            on(fetch_row => statement_id => $statement, format => 'hash')->{row}, { id => 4, name => undef },
            'a row by name'
        );
        is_deeply(
            on(fetch_all => statement_id => $statement, format => 'hash')->{rows},
            [{ id => 5, name => "\x{263a} '\\?" }, { id => 6, name => 'six' }],
            'the rest'
        );
        is(on(fetch_row => statement_id => $statement)->{row}, undef, 'and then nothing');
    }
    is(number("select count(*) from things where id in (?, ?) -- what?\n", 1, 2), 2, 'a ? in a comment is none');
    is(number(q{select count(*) from things where name <> 'why?' and id = ?}, 1), 1, 'nor is one in a string');
    return;
}

# More than one batch; and another statement on the connection in the middle.
sub many_rows {
    my ($f)       = @_;
    my $wanted    = 5_000;
    my $statement = on(prepare => sql => $f->rows_sql($wanted))->{statement_id};
    on(execute_statement => statement_id => $statement);
    my @first = map { on(fetch_row => statement_id => $statement)->{row} } 1 .. 2;
    is(number('select count(*) from things'), 6, 'a statement in the middle of another');
    my $rest = on(fetch_all => statement_id => $statement)->{rows};
    is(@first + @$rest, $wanted, 'all rows');
    is_deeply([map { $_->[0] } @first, @$rest], [1 .. $wanted], 'in order');
    on(finish_statement => statement_id => $statement);
    return;
}

sub failures {
    my ($f) = @_;
    like(error_of(sql => 'selekt 1'),                            qr/syntax/i,    "the server's words");
    like(error_of(sql => 'insert into things values (1, null)'), qr/duplicate/i, 'of a duplicate key');
    is(number('select count(*) from things'), 6, 'and the connection goes on');
    return;
}

sub no_autocommit {
    my ($f, %login) = @_;
    my %own = (%login, attributes => { AutoCommit => 0 });
    for my $end (qw(rollback commit)) {
        local $id = result(database => connect => {%own})->{connection_id};
        on(do_statement => sql => q{insert into things values (7, 'seven')});
        on($end);
        on('disconnect');
    }
    local $id = result(database => connect => {%login})->{connection_id};
    is(number('select count(*) from things where id = 7'), 1, 'AutoCommit off: what was committed is there, once');
    local $id = result(database => connect => {%own})->{connection_id};
    on(do_statement => sql => q{insert into things values (8, 'eight')});
    on('disconnect');
    local $id = result(database => connect => {%login})->{connection_id};
    is(number('select count(*) from things where id = 8'), 0, 'disconnect rolls back');
    on('disconnect');
    return;
}

sub cached {
    my ($f, %login) = @_;
    my @ids = map { result(database => connect_cached => {%login})->{connection_id} } 1 .. 2;
    is($ids[1], $ids[0], 'connect_cached gives the same connection again');
    my $other = json(database => connect_cached => { %login, password => 'guessed' });
    ok(!$other->{success}, 'but not for another password');
    return;
}

sub pooled {
    my ($f)   = @_;
    my $pools = result(system => 'pools');
    my ($own) = grep { $_->{user} eq $f->server->user && $_->{reused} } @$pools;
    ok($own, 'connections were used again') or diag explain $pools;
    my $password = $f->server->password;
    unlike(JSON::PP->new->encode($pools), qr/\Q$password\E/, 'no password in the status');
    like(bridge(['status'])->{out}, qr/\Q$own->{target}\E/, 'which people can read, too');
    return;
}

1;
