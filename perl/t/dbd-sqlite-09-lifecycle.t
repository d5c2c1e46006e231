# Handles and what happens around them: fork, signals, handles let go, errors within callbacks, cached handles.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;
no warnings qw(once);

my $dir  = tempdir(CLEANUP => 1);
my $file = "$dir/a.db";
my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };
my $dbh = DBI->connect("dbi:SQLite:$file", '', '', { RaiseError => 1, PrintError => 0 });
$dbh->do('create table t(a)');
$dbh->do('insert into t values(1),(2),(3)');

{
    my $sth = $dbh->prepare('select a from t order by a');
    $sth->execute;
    is $sth->fetch->[0], 1, 'first row';
    $dbh->begin_work;
    $dbh->do('insert into t values(4)');
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if (!$pid) {    # a child that leaves the handles alone
        $dbh->{InactiveDestroy} = 1;
        $sth->{InactiveDestroy} = 1;
        my $own   = DBI->connect("dbi:SQLite:$file", '', '', { RaiseError => 1, PrintError => 0 });
        my $count = $own->selectrow_array('select count(*) from t');
        $own->disconnect;
        require POSIX;
        undef $_ for $sth, $dbh;
        POSIX::_exit($count == 3 ? 0 : 1);
    }
    waitpid $pid, 0;
    is $?, 0, 'a child has its own connection';
    is_deeply $sth->fetchall_arrayref, [[2], [3]], 'the rows of the parent are still there';
    $dbh->commit;
    is $dbh->selectrow_array('select count(*) from t'), 4, '... and its transaction';
}

SKIP: {
    skip 'a handle of SQLite itself must not be used after fork', 2 if !$DBI::BRIDGE;
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        my $ok = !eval { $dbh->do('insert into t values(9)'); 1 } && $@ =~ /opened by another process/;
        require POSIX;
        POSIX::_exit($ok ? 0 : 1);
    }
    waitpid $pid, 0;
    is $?,                                              0, 'a handle of the parent used in a child is an error';
    is $dbh->selectrow_array('select count(*) from t'), 4, '... that does no harm';
}

{
    my $ok = eval {
        local $SIG{ALRM} = sub { die "time is up\n" };
        alarm 1;
        $dbh->selectrow_array(
            'with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000000) select count(*) from n');
        select undef, undef, undef, 2;
        alarm 0;
        1;
    };
    ok !$ok, 'a signal handler that dies';
    is $@,                                 "time is up\n", '... with its own words';
    is $dbh->selectrow_array('select 42'), 42,             '... the handle goes on';
}

{
    my $other = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 });
    $dbh->sqlite_create_function(
        'other_error',
        0,
        sub {
            eval { $other->do('bogus') };
            return 1
        }
    );
    is $dbh->selectrow_array('select other_error()'), 1, 'an error of another handle within a function';
}

{
    my $first = $dbh->prepare_cached('select ?');
    $first->execute(1);
    $first->finish;
    is $dbh->prepare_cached('select ?'), $first, 'prepare_cached';
    my $one = DBI->connect_cached("dbi:SQLite:$file", '', '', { PrintError => 0 });
    is(DBI->connect_cached("dbi:SQLite:$file", '', '', { PrintError => 0 }), $one, 'connect_cached');
    is $dbh->clone->selectrow_array('select count(*) from t'), 4, 'clone';
}

{
    my $sth = do {
        my $gone = DBI->connect("dbi:SQLite:$file", '', '', { RaiseError => 1 });
        $gone->prepare('select a from t order by a')
    };
    $sth->execute;
    is_deeply $sth->fetchall_arrayref, [map { [$_] } 1 .. 4], 'a statement keeps its connection';
}

{
    my $big = 'x' x 5_000_000;
    is $dbh->selectrow_array('select length(?)', undef, $big),        5_000_000, 'a large value goes in';
    is length $dbh->selectrow_array('select hex(zeroblob(2500000))'), 5_000_000, '... and comes out';
    my $many = join ',', map { "($_)" } 1 .. 20_000;
    is $dbh->do("insert into t values $many"), 20_000, 'a long statement';
}
is_deeply \@warned, [], 'no warnings';
$dbh->disconnect;
done_testing;
