# Many rows: counts, several statements at once, all ways to fetch, batches of tuples, the pipeline.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;
use DBD::Pg;

my $pg  = TestServer::PostgreSQL->needed;
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0 });
my $n   = 40_000;
my $sql = "select n, 'row ' || n as name, n * 0.5 as half from generate_series(1, $n) as n";

{
    my $sth   = $dbh->prepare($sql);
    my $count = $sth->execute;
    is $count,     $n, 'execute tells how many rows there are';
    is $sth->rows, $n, '... so does rows';
    my ($rows, $sum) = (0, 0);
    while (my $row = $sth->fetchrow_arrayref) { $rows++; $sum += $row->[0] }
    is $rows, $n,                'fetchrow_arrayref';
    is $sum,  $n * ($n + 1) / 2, '... all of them';
    $sth->execute;
    is $sth->rows, $n, 'rows of a result that nobody has counted';
    $rows = 0;
    while (my @row = $sth->fetchrow_array) { $rows++ }
    is $rows, $n, 'fetchrow_array';
    $sth->execute;
    $rows = 0;
    while (my $row = $sth->fetchrow_hashref) { $rows++ if $row->{name} eq "row $row->{n}" }
    is $rows, $n, 'fetchrow_hashref';
    $sth->execute;
    $sth->bind_columns(\my ($number, $name, $half));
    $rows = 0;
    while ($sth->fetch) { $rows++ if $name eq "row $number" && $half == $number / 2 }
    is $rows, $n, 'bind_columns';
    $sth->execute;
    $sth->fetch for 1 .. 3;
    is $sth->finish,                      1, 'finish in the middle';
    is $dbh->selectrow_array('select 1'), 1, '... the connection goes on';
}
is scalar @{ $dbh->selectall_arrayref($sql) },                   $n,       'selectall_arrayref';
is $dbh->selectall_arrayref($sql, { Slice => {} })->[-1]{name},  "row $n", '... with Slice';
is scalar @{ $dbh->selectall_arrayref($sql, { MaxRows => 7 }) }, 7,        '... MaxRows';
is scalar keys %{ $dbh->selectall_hashref($sql, 'n') },          $n,       'selectall_hashref';
is scalar @{ $dbh->selectcol_arrayref($sql) },                   $n,       'selectcol_arrayref';

{
    my $outer = $dbh->prepare($sql);
    my $inner = $dbh->prepare('select ?::int + 1');
    $outer->execute;
    my $good = 0;
    while (my $row = $outer->fetch) {
        next if $row->[0] % 400;
        $inner->execute($row->[0]);
        $good++ if $inner->fetch->[0] == $row->[0] + 1;
        $inner->finish;
    }
    is $good, $n / 400, 'a statement inside another';
    my @many = map { my $sth = $dbh->prepare("select n from generate_series($_, $_ + 5000) as n"); $sth->execute; $sth }
        1 .. 4;
    my @sum = (0) x 4;
    for (0 .. 5000) {
        for my $i (0 .. 3) { $sum[$i] += $many[$i]->fetch->[0] }
    }
    is join(',', @sum), join(',', map { 5001 * $_ + 5000 * 5001 / 2 } 1 .. 4), 'four at a time';
}
{
    my $sth = $dbh->prepare('select 100 / (30000 - n) from generate_series(1, 40000) as n');
    my $rv  = $sth->execute;
    1 while $rv && $sth->fetch;
    is $sth->err,   7,       'an error in a late row';
    is $sth->state, '22012', '... state';
    is $dbh->ping,  1,       '... ping';
}

# tuples
$dbh->do('create table t(a int primary key, b text)');
{
    my $sth = $dbh->prepare('insert into t values (?, ?)');
    my ($tuples, $rows) =
        $sth->execute_array({ ArrayTupleStatus => \my @status }, [1 .. 1200], [map { "b$_" } 1 .. 1200]);
    is $tuples,                          1200, 'execute_array';
    is $rows,                            1200, '... rows';
    is scalar(grep { $_ == 1 } @status), 1200, '... status';
    ok !$sth->execute_array({ ArrayTupleStatus => \@status }, [2001, 5, 2002, 'x'], 'c'), 'some that fail';
    is scalar @status, 4, '... a status each';
    is_deeply [map { ref $_ ? $_->[2] : $_ } @status], [1, '23505', 1, '22P02'], '... which';
    like $status[1][1], qr/^ERROR:  duplicate key value violates unique constraint "t_pkey"/, '... why';
    is $dbh->selectrow_array('select count(*) from t where a > 2000'), 2, '... the others are there';
    $dbh->begin_work;
    ok !$sth->execute_array({ ArrayTupleStatus => \@status }, [3001, 5, 3002], 'c'), 'the same in a transaction';
    is_deeply [map { ref $_ ? $_->[2] : $_ } @status], [1, '23505', '25P02'], '... what follows a failure fails';
    $dbh->rollback;
    $dbh->do(q{create table defaults(a int, b text default 'by itself')});
    $sth = $dbh->prepare('insert into defaults values (?, ?)');
    $sth->execute_array({}, [1, 2], ['x', $DBD::Pg::DBDPG_DEFAULT]);
    is_deeply $dbh->selectcol_arrayref('select b from defaults order by a'), ['x', 'by itself'], 'a default among the tuples';
    my @left = map { [$_, [1, 2]] } 4001 .. 4003;
    $dbh->do('create table arrays(a int, b int[])');
    $sth = $dbh->prepare('insert into arrays values (?, ?)');
    is $sth->execute_for_fetch(sub { shift @left }), 3, 'execute_for_fetch, arrays among the values';
    is_deeply $dbh->selectcol_arrayref('select b from arrays'), [([1, 2]) x 3], '... stored';
}

SKIP: {
    no warnings 'once';
    skip 'bridge_pipeline is ours', 9 if !$DBI::BRIDGE;
    $dbh->do('create table p(a int primary key)');
    $dbh->{bridge_pipeline} = 1;
    is $dbh->{bridge_pipeline}, 1, 'bridge_pipeline';
    my $sth = $dbh->prepare('insert into p values (?)');
    is $sth->execute($_), -1, 'execute of an insert does not wait' for 1, 2;
    is $dbh->selectrow_array('select count(*) from p'), 2, 'what follows sees it';
    ok $sth->execute(1),                           'one that will fail';
    ok !defined $dbh->selectrow_array('select 1'), 'the next call that waits tells';
    is $dbh->state,                       '23505', '... state';
    is $dbh->selectrow_array('select 3'), 3,       '... once';
    $dbh->{bridge_pipeline} = 0;
    is $sth->execute(3), 1, 'off again';
}

done_testing;
