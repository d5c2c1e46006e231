# JSON clients: one request a connection, handles that last from one to the next.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use JSON::PP ();
use Test::More;

is(bridge(['start'])->{status}, 0, 'the daemon runs');

sub ok_call {
    my ($module, $function, $params) = @_;
    my $reply = json($module, $function, $params);
    ok($reply->{success}, "$module.$function") or diag explain $reply;
    is_deeply([@{$reply}{qw(module function)}], [$module, $function], 'the reply names it');
    return $reply->{result};
}

sub refused {
    my ($text, $like, $name) = @_;
    my $raw   = json_raw($text);
    my $reply = eval { JSON::PP->new->decode($raw) } || {};
    ok(defined $reply->{success} && !$reply->{success}, "$name: refused") or diag $raw;
    like($reply->{error}, $like, 'with a reason');
    return $reply;
}

is(ok_call(test => ping => []), 'pong', 'a call without parameters');
is_deeply(ok_call(test => echo => [1, 'x', undef, { a => [1.5] }]), [1, 'x', undef, { a => [1.5] }],
    'an array of parameters');
is_deeply(ok_call(test => echo => { a => 1 }), { a => 1 },   'an object');
is_deeply(ok_call(test => echo => "\x{263a}"), ["\x{263a}"], 'a scalar');

# connect - prepare - execute - fetch - commit, a connection for each request.
my $db        = "$WORLD/json.db";
my $connected = ok_call(database => connect =>
        { dsn => "dbi:SQLite:dbname=$db", username => '', password => '', attributes => { RaiseError => 1 } });
ok($connected->{success} && $connected->{connected}, 'connected');
my $id = $connected->{connection_id};
like($id, qr/[0-9a-f]{32}/, 'the connection has an id nobody guesses');
sub on { my ($function, %params) = @_; return ok_call(database => $function => { connection_id => $id, %params }) }

on(do_statement => sql => 'create table t (a integer, b text)');
on('begin_transaction');
is(on(do_statement => sql => 'insert into t values (?, ?)', bind_values => [$_, "row $_"])->{rows_affected}, 1,
    "row $_")
    for 1 .. 3;
my $statement = on(prepare => sql => 'insert into t values (?, ?)')->{statement_id};
is(on(execute_statement => statement_id => $statement, bind_values => [4, undef])->{rows_affected}, 1,
    'a prepared insert');
on(finish_statement => statement_id => $statement);
on('commit');
on('begin_transaction');
on(execute_immediate => sql => 'delete from t');
on('rollback');
my $select   = on(prepare_statement => sql          => 'select a, b from t where a >= ? order by a')->{statement_id};
my $executed = on(execute_statement => statement_id => $select, bind_values => [2]);
is_deeply($executed->{column_names}, [qw(a b)], 'the names of the columns');
is(scalar @{ $executed->{column_types} }, 2, 'and their types');
is_deeply(on(fetch_row => statement_id => $select, format => 'array')->{row}, [2, 'row 2'], 'a row as an array');
is_deeply(on(fetch_row => statement_id => $select, format => 'hash')->{row}, { a => 3, b => 'row 3' },
    'a row as a hash');
is_deeply(on(fetch_all => statement_id => $select, format => 'hash')->{rows}, [{ a => 4, b => undef }], 'the rest');
is(on(fetch_row => statement_id => $select)->{row}, undef, 'and then nothing');
my $failed = json(database => do_statement => { connection_id => $id, sql => 'no such sql' });
ok(!$failed->{success}, 'SQL that does not parse is refused');
like($failed->{error}, qr/syntax error/, 'with the text of the database');
is(scalar @{ on(prepare => sql => 'select 1')->{statement_id} ? [1] : [] }, 1, 'and the connection goes on');

my $cached = ok_call(database => connect_cached => { dsn => "SQLite:dbname=$db" });
is(
    ok_call(
        database => do_statement => { connection_id => $cached->{connection_id}, sql => 'delete from t where a = 4' }
    )->{rows_affected},
    1,
    'a connection of connect_cached works'
);
my $again = ok_call(database => connect_cached => { dsn => "SQLite:dbname=$db" });
is($again->{connection_id}, $cached->{connection_id}, 'and is given again to the next request');
on('disconnect');
my $gone = json(database => do_statement => { connection_id => $id, sql => 'select 1' });
ok(!$gone->{success}, 'after disconnect the id is gone');
like($gone->{error}, qr/\Q$id\E.*closed/, 'and the error says so');
my $guess = json(database => do_statement => { connection_id => '0' x 32, sql => 'select 1' });
ok(!$guess->{success}, 'an id that was guessed opens nothing');

refused('{"module":"nope","function":"x","params":[]}',                     qr/nope/, 'an unknown module');
refused('{"module":"test","function":"nope"}',                              qr/nope/, 'an unknown function');
refused('{"module":"test","function":"sleep","params":{"seconds":"soon"}}', qr/./,    'a parameter of the wrong kind');
refused('{"module":"test"}',                                                qr/function/, 'no function');
refused('{"module":"test","function":"ping"',                               qr/./,        'JSON that ends too soon');
refused('{nonsense}',                                                       qr/./,        'no JSON');
refused('{"module":"test","function":"fail","params":{"message":"on purpose"}}', qr/on purpose/, "a helper's failure");
refused('{"module":"test","function":"panic","params":["on purpose"]}',          qr/./,          'a faulty helper');
refused('{"module":"test","function":"echo","params":["' . ('x' x (65 * 1024 * 1024)) . '"]}',
    qr/MAX_JSON_REQUEST_BYTES/, 'a request that is too long');
is(ok_call(test => ping => []), 'pong', 'after all that the daemon answers');

done_testing;
