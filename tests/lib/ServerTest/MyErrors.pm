package ServerTest::MyErrors;

# Statements that fail with DBD::mysql or DBD::MariaDB, with client-side and server-side prepare, and the handle that goes on.

use strict;
use warnings;

use ServerTest;
use Test::More;

my ($f, $dbh);

# A failure, and that the handle works afterwards.
sub refuses {
    my ($name, $code, $err, $state, $text) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    fails($code, $name, err => $err, state => $state, errstr => $text);
    my $answer = eval { $dbh->selectrow_array('select 42') };
    is($answer, 42, "after that ($name) the handle goes on") or diag $@;
    return;
}

sub sql {
    my @do = @_;
    return sub { $dbh->do($do[0], undef, @do[1 .. $#do]) }
}

sub all {
    my ($driver) = @_;
    $f = flavour($driver);
    my $prepare = $f->prefix . '_server_prepare';
    for my $server_side (0, 1) {
        $dbh = $f->connect($prepare => $server_side);
        note "$prepare=$server_side";
        $dbh->do('drop table if exists t');
        $dbh->do('create table t (id int primary key, n int, name varchar(10)) engine=innodb');
        $dbh->do(q(set sql_mode = 'STRICT_ALL_TABLES'));
        $dbh->do(q(insert into t values (1, 1, 'one')));
        statements($driver);
        binding($driver);
        transactions();
        batches();
        too_large();
        $dbh->disconnect;
    }
    return;
}

sub statements {
    my ($driver) = @_;
    refuses(
        'a syntax error', sql('selec 1'), 1064, '42000',
        qr/^You have an error in your SQL syntax; .* near 'selec 1' at line 1$/
    );
    refuses('no such table', sql('select * from nope'), 1146, '42S02', qr/^Table 'test\.nope' doesn't exist$/);
    refuses(
        'a key twice', sql(q(insert into t values (1, 1, 'again'))), 1062, '23000',
        qr/^Duplicate entry '1' for key 'PRIMARY'$/
    );
    refuses(
        'a text too long', sql('insert into t values (?, ?, ?)', 3, 3, 'x' x 11), 1406, '22001',
        qr/^Data too long for column 'name' at row 1$/
    );
    refuses(
        'bytes that are not UTF-8', sql('insert into t values (4, 4, 0x61ff)'), 1366, '22007',
        qr/^Incorrect string value: '\\xFF' for column/
    );
    refuses(
        'bytes that are not UTF-8, bound', sql('insert into t values (4, 4, ?)', "a\xff"), 1366, '22007',
        qr/^Incorrect string value/
    ) if $driver eq 'mysql';    # DBD::MariaDB takes them for characters
    is($dbh->selectrow_array('select count(*) from t'), 1, 'none of them wrote anything');
    $dbh->do('set max_statement_time = 0.1');
    refuses(
        'a statement that takes too long', sub { $dbh->selectrow_array('select sleep(20)') }, 1969, '70100',
        qr/^Query execution was interrupted \(max_statement_time exceeded\)$/
    );
    $dbh->do('set max_statement_time = 0');
    my $id    = $f->session_id($dbh);
    my $kills = in_background(sub {
        BridgeTest::eventually(sub { $f->running('sleep(21') });
        $f->server->sql("kill query $id");
    });
    refuses(
        'a statement that somebody ends', sub { $dbh->selectrow_array('select sleep(21)') }, 1317, '70100',
        qr/^Query execution was interrupted$/
    );
    stop_background($kills);
    return;
}

sub binding {
    my ($driver) = @_;
    my $two      = $dbh->prepare('select ?, ?');
    my $counts   = qr/^called with (\d) bind variables when 2 are needed$/;
    refuses('one value of two',         sub { $two->execute(1) },                               -1, 'S1000', $counts);
    refuses('three values of two',      sub { $two->execute(1, 2, 3) },                         -1, 'S1000', $counts);
    refuses('one value of two, select', sub { $dbh->selectrow_array('select ?, ?', undef, 1) }, -1, 'S1000', $counts);
    is(join(',', $dbh->selectrow_array($two, undef, 7, 8)), '7,8', 'with two it works');
    refuses(
        'no values, DBD::MariaDB', sub { $dbh->prepare('select ?, ?')->execute }, 1210, 'HY000',
        qr/^Wrong number of bind parameters$/
    ) if $driver eq 'MariaDB';
    return;
}

sub transactions {
    $dbh->begin_work;
    $dbh->do('insert into t values (10, 10, null)');
    fails(sql('insert into t values (10, 10, null)'), 'a key twice in a transaction', err => 1062);
    $dbh->do('insert into t values (11, 11, null)');
    $dbh->commit;
    is(
        join(',', map { $_->[0] } @{ $dbh->selectall_arrayref('select id from t order by id') }), '1,10,11',
        'what was before and after is there'
    );
    my $other = $f->connect;
    $other->begin_work;
    $other->do('update t set n = 0 where id = 1');
    $dbh->do('set innodb_lock_wait_timeout = 1');
    refuses(
        'a lock that somebody else has', sql('update t set n = 5 where id = 1'), 1205, 'HY000',
        qr/^Lock wait timeout exceeded; try restarting transaction$/
    );
    $other->rollback;
    $other->disconnect;
    return;
}

sub batches {
    my $insert = $dbh->prepare('insert into t values (?, ?, ?)');
    my @status;
    my $done = eval {
        $insert->execute_array(
            { ArrayTupleStatus => \@status }, [30, 1, 31, 32], [1, 2, 3, 4],
            ['a', 'b', 'c' x 11, 'd']
        )
    };
    ok(!$done, 'a batch with a key twice and a text too long fails');
    is_deeply([map { ref $_ ? $_->[0] : $_ } @status[0 .. 3]], [1, 1062, 1406, 1], 'each tuple has its error')
        or diag explain \@status;
    is(
        join(',', map { $_->[0] } @{ $dbh->selectall_arrayref('select id from t where id >= 30 order by id') }),
        '30,32', 'the good ones are there, once'
    );
    return;
}

# Larger than max_allowed_packet: the server ends the connection.
sub too_large {
    my ($length, $md5) = $dbh->selectrow_array('select length(?), md5(?)', undef, 'y' x 5_000_000, 'y' x 5_000_000);
    require Digest::MD5;
    is("$length $md5", '5000000 ' . Digest::MD5::md5_hex('y' x 5_000_000), '5 MB of text arrive twice');
    fails(
        sub { $dbh->selectrow_array('select ?', undef, 'x' x 20_000_000) }, 'a value that is too large',
        err => qr/^(?:1153|2006|2020)$/
    );
    my $next = $f->connect;
    is($next->selectrow_array('select 42'), 42, 'the next connection works');
    return;
}

1;
