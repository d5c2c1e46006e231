#!/usr/bin/perl

# Module `pg`, called as the driver calls it: what DBI's methods do not show.

use strict;
use warnings;

use FindBin;
use Test::More;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../perl/lib";
use TestServer::PostgreSQL;

my $server = TestServer::PostgreSQL->needed;
require BridgeTest;
BridgeTest->import;
require CPANBridge;

my $session = CPANBridge->session;

sub call { my ($function, @params) = @_; return $session->request("pg.$function", [@params]) }

sub fails {
    my ($function, @params) = @_;
    my $done = eval { call($function, @params); 1 };
    return $done ? 'no error' : join ' ', map { defined $_ ? $_ : '-' } @{$@}{qw(err state)};
}

my %target = (host => $server->socket_dir, port => $server->port, dbname => 'test', user => 'postgres');
my $facts  = call('connect', 1, {%target}, { pool => 0 })->[0];
call('connect', 2, {%target}, { pool => 0 });

# --- rows ----------------------------------------------------------------------------------------------------------

sub all_rows {
    my ($s, $reply) = @_;
    my @rows = @{ $reply->[2] };
    my $done = $reply->[1];
    while (!$done) {
        my $batch = call('fetch', $s, undef, 'a');
        $done = $batch->[0];
        push @rows, @{ $batch->[1] };
    }
    return \@rows;
}

my $long = "select i, repeat('x', 100) from generate_series(1, 60000) i";
{
    my $reply = call('execute', 1, 1, $long, [], 'a');
    is $reply->[0], -1, 'the number of rows of a long result is not known at once';
    is_deeply call('select', 1, 2, 'select 42', undef, 'a')->[2], [[42]], 'another statement on the same connection';
    my $rows = all_rows(1, $reply);
    is scalar @$rows, 60000, 'and the rows that were put aside for it are all there';
    is_deeply [grep { $rows->[$_][0] != $_ + 1 } 0 .. $#$rows], [], 'in their order';
    call('execute', 1, 1, undef, [], 'a');
    is call('rows', 1)->[0], 60000, 'the number of rows, when it is asked for';
    call('reset', 1);
    is call('execute', 1, 3, 'select generate_series(1, 500)', [], 'a')->[0], 500, 'that of a short one is known';
    call('reset', 3);
}
{
    my $reply = call('execute', 1, 4, "select 1 / (i - 50000), repeat('x', 100) from generate_series(1, 60000) i", [], 'a');
    my $count = @{ $reply->[2] };
    my $state;
    while (!defined $state) {
        my $batch = eval { call('fetch', 4, undef, 'a') };
        if   ($batch) { $count += @{ $batch->[1] } }
        else          { $state = $@->{state} }
    }
    is "$count $state", '49999 22012', 'an error among the rows comes after those before it';
    is fails('execute', 1, 5, 'select 1 / (i - 2) from generate_series(1, 3) i', [], 'a'), '7 22012',
        'in a short result at once';
    is call('ping', 1)->[0], 1, 'the connection goes on';
}
{
    my $first = call('execute', 1, 6, 'select $1::int as a, $2::text as b', [1, "\x{e9}"], 'h');
    is_deeply $first->[2], [{ a => 1, b => "\x{e9}" }], 'rows as hashes';
    is_deeply [@{ $first->[3] }{qw(columns types)}], [[qw(a b)], [23, 25]], 'columns are told';
    my $second = call('execute', 1, 6, undef, [2, undef], 'f');
    is_deeply $second->[2], [2, undef], 'values as one list';
    is $second->[3], undef, 'columns are told once';
}

# --- statements that the server has prepared ---------------------------------------------------------------------------

{
    call('do', 2, 'create table moved (a int)');
    call('execute', 1, 10, 'select * from moved', [], 'a') for 1 .. 3;
    my $prepared = "select count(*) from pg_prepared_statements where statement = 'select * from moved'";
    is_deeply call('select', 1, 11, $prepared, undef, 'a')->[2], [[1]], 'what runs again is prepared';
    call('do', 2, 'alter table moved add b text');
    is_deeply call('execute', 1, 10, undef, [], 'a')->[3]{columns}, [qw(a b)], 'another table changes its columns unseen';
    call('do', 1, 'deallocate all');
    is call('execute', 1, 10, undef, [], 'a')->[0], 0, 'and one that somebody took away is prepared again';
    call('execute', 1, 10, undef, [], 'a') for 1 .. 2;
    call('config', 1, { begin => 1 });
    call('do',     2, 'alter table moved add c text');
    is fails('execute', 1, 10, undef, [], 'a'), '7 0A000', 'but not in a transaction, which has failed then';
    is call('ping', 1)->[0], 4, '...';
    call('rollback', 1);
    call('config', 1, { begin => 0 });
}

# --- many runs in one trip -----------------------------------------------------------------------------------------------

call('do', 1, 'create table numbers (a int primary key, b text)');
my $insert = 'insert into numbers values ($1, $2)';
my $states = sub { [map { ref $_ ? $_->[2] : $_ } @{ $_[0][0] }] };
is_deeply $states->(call('execute_many', 1, 20, $insert, [[1, 'a'], [2, undef], [1, 'c'], [3, 'd'], ['x', 'e']], 0)),
    [1, 1, '23505', 1, '22P02'], 'each is a transaction of its own';
is_deeply $states->(call('execute_many', 1, 20, undef, [[4, 'a'], [1, 'b'], [5, 'c']], 1)), [1, '23505'],
    'or the first failure is the end';
is_deeply call('select', 1, 21, 'select a from numbers order by a', undef, 'f')->[2], [1 .. 4], 'what was run is there';
call('config', 1, { begin => 1 });
is_deeply $states->(call('execute_many', 1, 20, undef, [map { [$_, 'x'] } 10 .. 12, 11, 13, 14], 0)),
    [1, 1, 1, '23505', '25P02', '25P02'], 'in a transaction the rest fails with the first failure';
call('rollback', 1);
my $reply = call('execute_many', 1, 20, undef, [map { [$_, 'y' x 100] } 1000 .. 5999], 0);
is_deeply [scalar @{ $reply->[0] }, grep { ref $_ || $_ != 1 } @{ $reply->[0] }], [5000], '5000 at once';
call('rollback', 1);
call('config', 1, { begin => 0 });

# --- runs that are not waited for ------------------------------------------------------------------------------------------

$session->oneway('pg.queue', [1, 30, $insert, [100, 'q']]);
$session->oneway('pg.queue', [1, 30, undef, [$_, 'q']]) for 101, 100, 102, 1;
my $error = eval { call('select', 1, 31, 'insert into numbers values (200) returning a', undef, 'a'); 1 } ? undef : $@;
is $error->{state}, '23505', 'the next call that waits fails';
like $error->{errstr} || $error->{message}, qr/\(a\)=\(100\)/, 'with the first error';
is_deeply call('select', 1, 31, 'select a from numbers where a >= 100 order by a', undef, 'f')->[2], [100, 101, 102],
    'what was queued was run, the call was not';
$session->oneway('pg.queue', [1, 99, undef, [1]]);
like fails('sync', 1), qr/\A- /, 'a statement that is not there is told, too';
is fails('sync', 1), 'no error', 'once';

# --- cancelling ---------------------------------------------------------------------------------------------------------------

{
    my $died = eval {
        local $SIG{ALRM} = sub { die "alarm\n" };
        alarm 1;
        call('do', 1, 'select pg_sleep(60)');
        1;
    } ? 'no' : $@;
    alarm 200;
    is $died, "alarm\n", 'an alarm ends a call';
    is call('ping', 1)->[0], 1, 'its statement is cancelled, the connection goes on';
    call('send', 1, 40, 'select pg_sleep(60)', []);
    is call('ready',  1)->[0], 0, 'a statement beside the script';
    is call('cancel', 1)->[0], 1, 'is cancelled';
    is_deeply call('select', 1, 41, 'select 1', undef, 'a')->[2], [[1]], '...';
}

# --- COPY and large objects ------------------------------------------------------------------------------------------------------

for my $begin (0, 1) {
    call('config', 1, { begin => $begin });
    is call('do', 1, 'copy numbers from stdin')->[2]{copy}, 'in', "COPY, begin $begin";
    $session->oneway('pg.copy_put', [1, "500\t\x{e9}\n501\tb\n"]);
    is call('copy_end', 1)->[0], 2, 'two rows';
    is call('do', 1, 'copy (select b from numbers where a = 500) to stdout')->[2]{copy}, 'out', 'and back';
    my @lines;
    while (1) {
        my ($done, $lines) = @{ call('copy_get', 1) };
        push @lines, @$lines;
        last if $done;
    }
    is_deeply \@lines, ["\x{e9}\n"], '...';
    call('do',     1, 'delete from numbers where a >= 500');
    call('commit', 1);
    call('do',     1, 'copy numbers from stdin');
    my $count = 'select count(*) from numbers where a >= 500';
    if ($begin) { is fails('select', 1, 50, $count, undef, 'f'), '7 25P02', 'a COPY that is not ended has failed' }
    else { is_deeply call('select', 1, 50, $count, undef, 'f')->[2], [0], 'a COPY that is not ended is given up' }
    call('rollback', 1);
}
my ($oid) = @{ call('lo_creat', 1, 0x60000) };
my ($fd) = @{ call('lo_open', 1, $oid, 0x60000) };
is call('lo_write', 1, $fd, "a\0\xff" x 1000)->[0], 3000, 'a large object';
is call('lo_lseek', 1, $fd, 1, 0)->[0], 1, '...';
is call('lo_read',  1, $fd, 2)->[0], "\0\xff", '...';
call('rollback', 1);
call('config', 1, { begin => 0 });

# --- the pool ---------------------------------------------------------------------------------------------------------------------

{
    my $pid = call('connect', 3, {%target})->[0]{pid};
    call('do', 3, $_) for 'set search_path = elsewhere', 'create temporary table mine (a int)', 'listen l', 'begin',
        'select pg_advisory_lock(5)';
    call('execute', 3, 60, 'select * from public.numbers where false', [], 'a') for 1 .. 2;
    call('close', 3);
    my $again = eventually(sub { my $facts = call('connect', 3, {%target})->[0]; $facts->{pooled} ? $facts : undef });
    is $again->{pid}, $pid, 'a connection is used again';
    is_deeply call(
        'select', 3, 61,
        q{select current_setting('search_path'), (select count(*) from pg_locks where locktype = 'advisory'),
          (select count(*) from pg_class where relname = 'mine'), (select count(*) from pg_listening_channels())},
        undef, 'f'
    )->[2], ['"$user", public', 0, 0, 0], 'and nothing is left in it';
    call('close', 3);
    call('do', 1, "select pg_terminate_backend($pid)");
    my $other = eventually(sub { my $facts = call('connect', 3, {%target})->[0]; $facts->{pid} != $pid ? $facts : undef });
    ok $other, 'one that the server has closed is not';
    is call('ping', 3)->[0], 1, '...';
}

# --- the end of a connection ----------------------------------------------------------------------------------------------------------

call('do', 2, "select pg_terminate_backend($facts->{pid})");
is fails('do', 1, 'select 1'), '7 08000', 'a connection that is lost';
is fails('do', 1, 'select 1'), '7 08000', '...';
is call('ping', 1)->[0], -2, 'ping';
is call('status', 1)->[0]{tx}, 4, 'status';

done_testing();
