# Queries that are not waited for: pg_async, pg_ready, pg_result, pg_cancel; cancel; an alarm.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;
use DBD::Pg ':async';

my $pg  = TestServer::PostgreSQL->needed;
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0 });

sub until_ready {
    my ($h) = @_;
    my $n = 0;
    select undef, undef, undef, 0.01 while !$h->pg_ready && $n++ < 1000;
    return $h->pg_ready
}

is $dbh->{pg_async_status},                                    0,     'pg_async_status';
is $dbh->do('select pg_sleep(0.3)', { pg_async => PG_ASYNC }), '0E0', 'do';
is $dbh->{pg_async_status},                                    1,     '... pg_async_status';
is $dbh->pg_ready,                                             0,     '... not ready';
ok !$dbh->do('select 1'), 'another one is refused';
is $dbh->errstr, 'Cannot execute until previous async query has finished', '... errstr';
ok until_ready($dbh), 'ready';
is $dbh->pg_result,         1, 'pg_result';
is $dbh->{pg_async_status}, 0, '... pg_async_status';
ok !$dbh->pg_result, 'no second result';
is $dbh->errstr, 'No asynchronous query is running', '... errstr';

my $sth = $dbh->prepare('select n, ?::text from generate_series(1, 3) as n', { pg_async => PG_ASYNC });
is $sth->execute('x'), '0E0', 'execute';
ok !$sth->fetch, '... no rows yet';
is $sth->pg_result, 3, 'pg_result of a statement';
is_deeply $sth->fetchall_arrayref, [[1, 'x'], [2, 'x'], [3, 'x']], '... rows';
$sth->execute('y');
is $dbh->pg_result, 3, 'the same by the database handle';
is_deeply $sth->fetch, [1, 'y'], '... rows';
$sth->finish;

$dbh->do('select 1/0', { pg_async => PG_ASYNC });
ok !$dbh->pg_result, 'an error';
is $dbh->state, '22012', '... state';

$dbh->do('select pg_sleep(30)', { pg_async => PG_ASYNC });
is $dbh->pg_cancel,                   1,  'pg_cancel';
is $dbh->{pg_async_status},           -1, '... pg_async_status';
is $dbh->selectrow_array('select 5'), 5,  '... the connection is free';
is $dbh->{pg_async_status},           0,  '... pg_async_status';
$dbh->do('select 1', { pg_async => PG_ASYNC });
until_ready($dbh);
is $dbh->pg_cancel, '', 'pg_cancel of what is over';

$dbh->do('select pg_sleep(30)', { pg_async => PG_ASYNC });
is $dbh->do('select 1', { pg_async => PG_OLDQUERY_CANCEL }), 1, 'PG_OLDQUERY_CANCEL';
$dbh->do('select pg_sleep(0.1)', { pg_async => PG_ASYNC });
is $dbh->do('select 1', { pg_async => PG_OLDQUERY_WAIT }), 1, 'PG_OLDQUERY_WAIT';
$dbh->do('select pg_sleep(30)', { pg_async => PG_ASYNC });
my $next = $dbh->prepare('select 8', { pg_async => PG_ASYNC + PG_OLDQUERY_CANCEL });
$next->execute;
is $next->pg_result,  1, 'both at prepare';
is $next->fetch->[0], 8, '... row';

{
    my $slow = $dbh->prepare('select pg_sleep(?)');
    require POSIX;    # at once, as a driver in C needs it
    POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new(sub { $slow->cancel }));
    alarm 1;
    ok !$slow->execute(30), 'cancel from a signal handler';
    alarm 0;
    is $slow->state,                      '57014', '... state';
    is $dbh->selectrow_array('select 6'), 6,       '... the connection works';
}

done_testing;
