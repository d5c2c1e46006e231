# Transactions: AutoCommit, begin_work, statements that begin and end them, what is written to SQLite, what is undone at the end.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;

my (@trace, @warned);
local $SIG{__WARN__} = sub { push @warned, @_ };

sub handle {
    my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, @_ });
    $dbh->sqlite_trace(sub { push @trace, $_[0] });
    return $dbh;
}
sub traced { my @seen = @trace;  @trace  = (); return \@seen }
sub warned { my @seen = @warned; @warned = (); return @seen }

{
    my $dbh = handle(PrintError => 0);
    $dbh->do('create table u(a)');
    traced();
    is $dbh->begin_work,   1,  'begin_work';
    is $dbh->{AutoCommit}, '', '... AutoCommit off';
    ok $dbh->{BegunWork}, '... BegunWork';
    is_deeply traced(), [], '... SQLite is not told before the first statement';
    ok !$dbh->begin_work, 'begin_work again';
    is $dbh->errstr,       'Already in a transaction', '... error';
    is $dbh->commit,       1,                          'commit of nothing';
    is $dbh->{AutoCommit}, 1,                          '... AutoCommit on';
    is_deeply traced(), [], '... SQLite is not told either';
    $dbh->begin_work;
    $dbh->do('insert into u values(1)');
    is $dbh->rollback, 1, 'rollback';
    is_deeply traced(), ['BEGIN IMMEDIATE TRANSACTION', 'insert into u values(1)', 'ROLLBACK TRANSACTION'],
        'what SQLite saw';
    is $dbh->selectrow_array('select count(*) from u'), 0, 'undone';
    traced();
    ok $dbh->commit, 'commit without a transaction';
    like + (warned())[0], qr/^commit ineffective with AutoCommit enabled at \Q$0\E line \d+/, '... warns';
    ok $dbh->rollback, 'rollback without one';
    like + (warned())[0], qr/^rollback ineffective with AutoCommit enabled at \Q$0\E line \d+/, '... warns';
}

{
    my $dbh = handle(AutoCommit => 0);
    is $dbh->{AutoCommit}, '', 'AutoCommit off';
    ok $dbh->sqlite_get_autocommit, '... SQLite does not know yet';
    $dbh->do('create table u(a)');
    ok !$dbh->sqlite_get_autocommit, '... now it does';
    $dbh->commit;
    ok $dbh->sqlite_get_autocommit, 'commit';
    is $dbh->{AutoCommit}, '', '... AutoCommit stays off';
    is_deeply traced(), ['BEGIN IMMEDIATE TRANSACTION', 'create table u(a)', 'COMMIT TRANSACTION'], 'what SQLite saw';
    $dbh->selectall_arrayref('select * from u');
    my $sth = $dbh->prepare('insert into u values (?)');
    $sth->execute($_) for 1, 2;
    $dbh->rollback;
    is_deeply traced(),
        ['BEGIN IMMEDIATE TRANSACTION', 'select * from u', "insert into u values ('1')", "insert into u values ('2')",
        'ROLLBACK TRANSACTION'], 'selects begin one too';
    $dbh->{sqlite_use_immediate_transaction} = 0;
    $dbh->do('insert into u values(1)');
    $dbh->{AutoCommit} = 1;
    is_deeply traced(), ['BEGIN TRANSACTION', 'insert into u values(1)', 'COMMIT TRANSACTION'],
        'deferred; AutoCommit = 1 commits';
    is_deeply [warned()], [], 'no warning';
}

{
    my $dbh = handle();
    ok $dbh->do('BEGIN'), 'BEGIN as a statement';
    is $dbh->{AutoCommit}, '', '... AutoCommit off';
    ok !$dbh->begin_work, '... begin_work';
    is $dbh->errstr, 'Already in a transaction', '... error';
    ok $dbh->do('COMMIT'), 'COMMIT';
    is $dbh->{AutoCommit}, 1, '... AutoCommit on';
    $dbh->do('savepoint x');
    is $dbh->{AutoCommit}, '', 'an outermost savepoint';
    $dbh->do('release x');
    is $dbh->{AutoCommit}, 1, '... released';
    $dbh->begin_work;
    $dbh->do('create table u(a)');
    $dbh->do('commit');
    is_deeply [$dbh->{AutoCommit}, $dbh->{BegunWork} ? 1 : ''], [1, ''], 'begin_work ended by a statement';
    $dbh->prepare('begin')->execute;
    is $dbh->{AutoCommit}, '', 'begin, prepared';
    $dbh->rollback;
    is $dbh->{AutoCommit}, 1, '... rollback';
    ok !$dbh->do('commit'), 'commit without a transaction';
    is $dbh->errstr, 'cannot commit - no transaction is active', '... error';
    traced();

    for my $sql ('begin', "-- words\nbegin", '  savepoint x') {
        $dbh->{AutoCommit} = 0;
        $dbh->do($sql);
        is_deeply traced(), [$sql], "AutoCommit off: nothing is begun before '$sql'";
        $dbh->{AutoCommit} = 1;
        traced();
    }
}

{
    my $dbh = handle();
    $dbh->do('create table t(a unique on conflict rollback)');
    $dbh->begin_work;
    $dbh->do('insert into t values(1)');
    ok !$dbh->do('insert into t values(1)'), 'a conflict that rolls back';
    ok $dbh->sqlite_get_autocommit,          '... no transaction is left';
    is $dbh->selectrow_array('select count(*) from t'), 0, '... nor its row';
}

{
    my $dir  = tempdir(CLEANUP => 1);
    my $open = sub { DBI->connect("dbi:SQLite:$dir/t.db", '', '', { PrintError => 0, @_ }) };
    my $dbh  = $open->();
    $dbh->do('create table t(a)');
    {
        my $other = $open->(AutoCommit => 0);
        $other->do('insert into t values(1)');
        warned();
        undef $other;
        like + (warned())[0],
qr/^Issuing rollback\(\) due to DESTROY without explicit disconnect\(\) of DBD::SQLite::db handle \Q$dir\E\/t\.db at /,
            'a handle let go in a transaction';
    }
    is $dbh->selectrow_array('select count(*) from t'), 0, '... undone';
    {
        my $other = $open->(AutoCommit => 0);
        undef $other;
        my $third = $open->(AutoCommit => 0);
        $third->do('insert into t values(1)');
        $third->disconnect;
        is_deeply [warned()], [], 'disconnect, or nothing done: no warning';
    }
    is $dbh->selectrow_array('select count(*) from t'), 0, '... undone';
    my $busy = $open->();
    $busy->sqlite_busy_timeout(1);
    $dbh->begin_work;
    $dbh->do('insert into t values(2)');
    ok !$busy->do('insert into t values(3)'), 'somebody else is writing';
    is_deeply [$busy->err, $busy->errstr], [5, 'database is locked'], '... error';
    $dbh->commit;
    ok $busy->do('insert into t values(3)'), '... afterwards it goes';
    is_deeply $dbh->selectcol_arrayref('select a from t order by a'), [2, 3], 'both rows';
}

{
    my $dbh = handle();
    $dbh->do('create table t(a)');
    $dbh->do('insert into t values(1),(2),(3)');
    my $sth = $dbh->prepare('select a from t order by a');
    $dbh->begin_work;
    $sth->execute;
    $sth->fetch;
    ok $dbh->rollback, 'rollback while a select is running';
    is_deeply $sth->fetchall_arrayref, [[2], [3]], '... which goes on';
}

done_testing;
