# Transactions: AutoCommit, begin_work, statements that end them, savepoints, read-only, what is undone at the end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;

my $pg = TestServer::PostgreSQL->needed;
my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };
sub warned { my @seen = @warned; @warned = (); return join '', @seen }
sub handle { return DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0, @_ }) }

my $other = handle();
$other->do('create table t(a int primary key deferrable initially deferred)');
sub seen { return join ',', @{ $other->selectcol_arrayref('select a from t order by a') } }

{
    my $dbh = handle();
    is $dbh->begin_work,   1,  'begin_work';
    is $dbh->{AutoCommit}, '', '... AutoCommit off';
    is $dbh->ping,         1,  '... the server has not begun';
    ok !$dbh->begin_work, 'again';
    is $dbh->errstr, 'Already in a transaction', '... errstr';
    $dbh->do('insert into t values (1)');
    is $dbh->ping,         3,   'the first statement began it';
    is seen(),             '',  '... nobody else sees it';
    is $dbh->commit,       1,   'commit';
    is $dbh->{AutoCommit}, 1,   '... AutoCommit on';
    is seen(),             '1', '... seen';
    ok !$dbh->commit, 'commit without a transaction';
    like warned(), qr/^commit ineffective with AutoCommit enabled at \Q$0\E line \d+/, '... warns';
    ok !$dbh->rollback, 'rollback without one';
    like warned(), qr/^rollback ineffective with AutoCommit enabled at /, '... warns';
    $dbh->begin_work;
    $dbh->do('insert into t values (2)');
    is $dbh->rollback,     1,   'rollback';
    is $dbh->{AutoCommit}, 1,   '... AutoCommit on';
    is seen(),             '1', '... undone';

    for my $end ('ROLLBACK', 'COMMIT', 'rollback') {
        $dbh->begin_work;
        $dbh->do('select 1') if $end eq 'ROLLBACK';
        $dbh->do($end);
        is $dbh->{AutoCommit}, 1, "$end as a statement ends it";
    }
    $dbh->begin_work;
    my $sth = $dbh->prepare('commit');
    $sth->execute;
    ok $dbh->begin_work, 'the same by execute';
    $dbh->rollback;
    $dbh->begin_work;
    ok !$dbh->do('select 1/0'), 'an error in a transaction';
    is $dbh->ping, 4, '... ping';
    ok !$dbh->do('select 1'), '... what follows fails';
    is $dbh->state, '25P02', '... state';
    ok $dbh->rollback, '... rollback';
    is $dbh->ping, 1, '... over';
}
{
    my $dbh = handle(AutoCommit => 0);
    $dbh->do('insert into t values (3)');
    is seen(), '1', 'AutoCommit off: not seen';
    $dbh->commit;
    is seen(),             '1,3', 'commit';
    is $dbh->{AutoCommit}, '',    'AutoCommit stays off';
    $dbh->do('insert into t values (4)');
    $dbh->{AutoCommit} = 1;
    is seen(), '1,3,4', 'switching it on commits';
    $dbh->{AutoCommit} = 0;
    $dbh->do('insert into t values (4)');
    ok !$dbh->commit, 'a commit that fails';
    is $dbh->state,                                     '23505', '... state';
    is $dbh->{AutoCommit},                              '',      '... AutoCommit still off';
    is $dbh->selectrow_array('select count(*) from t'), 3,       '... and a new transaction begins';
    $dbh->rollback;
    ok $dbh->pg_savepoint('one'), 'pg_savepoint';
    $dbh->do('insert into t values (5)');
    ok $dbh->pg_rollback_to('one'), 'pg_rollback_to';
    $dbh->do('insert into t values (6)');
    ok $dbh->pg_release('one'), 'pg_release';
    $dbh->commit;
    is seen(), '1,3,4,6', '... what was after the savepoint is gone';
    $dbh->do('select 1');
    ok !$dbh->pg_rollback_to('nonesuch'), 'a savepoint that is not there';
    is $dbh->state, '3B001', '... state';
    $dbh->rollback;
    $dbh->{ReadOnly} = 1;
    is $dbh->selectrow_array('select 7'), 7, 'ReadOnly: reading';
    ok !$dbh->do('insert into t values (8)'), '... writing';
    is $dbh->state, '25006', '... state';
    $dbh->rollback;
    $dbh->{ReadOnly} = 0;
    $dbh->do('insert into t values (9)');
    is warned(), '', 'nothing warned so far';
    undef $dbh;
    like warned(),
        qr/^Issuing rollback\(\) due to DESTROY without explicit disconnect\(\) of DBD::Pg::db handle dbname=/,
        'the handle goes away';
    is seen(), '1,3,4,6', '... undone';
}
{
    my $dbh = handle(AutoCommit => 0);
    $dbh->do('insert into t values (10)');
    $dbh->disconnect;
    my $tries = 0;
    select undef, undef, undef, 0.05
        while $other->selectrow_array(
        "select count(*) from pg_locks where relation = 't'::regclass and pid <> pg_backend_pid()")
        && $tries++ < 100;
    is seen(),   '1,3,4,6', 'disconnect undoes';
    is warned(), '',        '... in silence';
    $dbh = handle();
    ok !$dbh->pg_savepoint('x'), 'a savepoint with AutoCommit on';
    like warned(), qr/^savepoint ineffective with AutoCommit enabled at /, '... warns';
    $dbh->{ReadOnly} = 1;
    like warned(), qr/^Setting ReadOnly in AutoCommit mode has no effect at /, 'ReadOnly with AutoCommit on warns';
}
done_testing;
