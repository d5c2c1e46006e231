# Queries nobody waits for, and statements that are sent without waiting (bridge_pipeline, of the stand-ins alone).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::MariaDB;
use DBI;

my $server = TestServer::MariaDB->needed;
my $BUSY   = qr/Calling a synchronous function on an asynchronous handle/;

for my $driver (qw(mysql MariaDB)) {
    my ($p, $maria) = (lc $driver . '_', $driver eq 'MariaDB');
    my @async = ($maria ? 'mariadb_async' : 'async', 1);
    my ($ready, $result, $fd) = ("${p}async_ready", "${p}async_result", $maria ? 'mariadb_sockfd' : 'mysql_fd');
    my @login = $server->login(driver => $driver);
    my $dbh = DBI->connect(@login, { PrintError => 0 }) or die DBI->errstr;
    note $driver;
    $dbh->do('create temporary table t (i int primary key)');
    like $dbh->$fd, qr/^\d+$/, 'a descriptor';

    is $dbh->$ready, undef, 'nothing is under way';
    is_deeply [$dbh->err, $dbh->errstr], [2000, 'Handle is not in asynchronous mode'], '... error';
    is $dbh->$result, undef, 'no result';
    is $dbh->errstr, 'Gathering asynchronous results for a synchronous handle', '... error';

    # do
    is $dbh->do('insert into t values (sleep(0.2) + 1)', {@async}), '0E0', 'do does not wait';
    my $now = $dbh->$ready;
    ok defined $now, 'it is under way';
    is $dbh->do('select 1'), undef, 'the connection is busy';
    like $dbh->errstr, $BUSY, '... error';
    is $dbh->prepare('select 1'), undef, 'for prepare, too';
    select undef, undef, undef, 0.02 until $dbh->$ready;
    is $dbh->$result, 1, 'the rows affected';
    is $dbh->$ready, undef, 'nothing is under way';
    is $dbh->selectrow_array('select count(*) from t'), 1, 'the connection is free again';
    $dbh->do('insert into t values (1)', {@async});
    is $dbh->$result, undef, 'an error shows in the result';
    is $dbh->err, 1062, '... error';
    is $dbh->do('select 5'), 1, '... and the connection goes on';

    # a statement
    my $sth = $dbh->prepare('select i, ? from t', {@async});
    is $sth->execute('x'), '0E0', 'execute does not wait';
    ok !@{ $sth->{NAME} || [] }, 'no columns yet';
    ok !$sth->bind_param(1, 'y'), 'the statement is busy';
    like $sth->errstr, $BUSY, '... error';
    ok $sth->$result, 'its result';
    is_deeply $sth->{NAME}, ['i', 'x'], 'columns';
    is_deeply $sth->fetchall_arrayref, [[1, 'x']], 'rows';
    $sth->execute('z');
    is_deeply $sth->fetchrow_arrayref, [1, 'z'], 'fetching waits';
    $sth->finish;
    $sth->execute('w');
    undef $sth;
    is $dbh->do('select 6'), 1, 'letting a busy statement go frees the connection';

    # a descriptor that tells
    my @own = $INC{'CPANBridge/MySQL.pm'} ? (bridge_own_session => 1) : ();
    my $loop = DBI->connect(@login, { PrintError => 0, @own });
    $loop->do('select sleep(0.2)', {@async});
    my $readable = sub { vec(my $bits = '', $loop->$fd, 1) = 1; return scalar select $bits, undef, undef, $_[0] };
    is $readable->(0), 0, 'not readable yet';
    ok !$loop->$ready, '... not ready';
    is $readable->(20), 1, 'readable';
    ok $loop->$ready, '... ready';
    is $loop->$result, 1, '... the result';
    $sth = $loop->prepare('select 8', {@async});
    $sth->execute;
    is_deeply $sth->fetchall_arrayref, [[8]], 'a statement';
    undef $sth;
    $loop->disconnect;

    # several at a time
    my @many = map { DBI->connect(@login, { PrintError => 0, @own }) } 1 .. 3;
    $_->do('select sleep(0.05)', {@async}) for @many;
    is_deeply [map { $_->$result } @many], [1, 1, 1], 'three connections at a time';
    $_->disconnect for @many;

    _pipeline(@login) if $INC{'CPANBridge/MySQL.pm'};
    $dbh->disconnect;
}

sub _pipeline {
    my $dbh = DBI->connect(@_, { PrintError => 0, bridge_pipeline => 1 });
    $dbh->do('create temporary table q (i int primary key, v varchar(10))');
    my $sth = $dbh->prepare('insert into q values (?, ?)');
    is $sth->execute($_, "v$_"), -1, 'sent, not waited for' for 1 .. 3;
    is $dbh->selectrow_array('select count(*) from q'), 3, 'the next that waits comes after them';
    $sth->execute(1, 'again');
    $sth->execute(4, 'next');
    is $dbh->selectrow_array('select count(*) from q'), undef, 'an error shows in the next call that waits';
    is_deeply [$dbh->err, $dbh->state], [1062, '23000'], '... error';
    is $dbh->selectrow_array('select count(*) from q'), 4, '... which did not happen; the others did';
    $dbh->do('insert into q values (2, 0)');
    $dbh->{bridge_pipeline} = 0;
    is $dbh->err, 1062, 'switching it off waits';
    is $dbh->do('insert into q values (5, 0)'), 1, 'and statements are waited for again';
    $dbh->{bridge_pipeline} = 1;
    $dbh->do('insert into q values (5, 0)');
    ok !$dbh->disconnect, 'disconnect waits, too';
    is $dbh->err, 1062, '... error';
    return;
}

done_testing;
