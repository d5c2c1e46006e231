# Transactions: AutoCommit, begin_work, commit, rollback, the end of a handle; several results; procedures.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::MariaDB;
use DBI;

my $server = TestServer::MariaDB->needed;

for my $driver (qw(mysql MariaDB)) {
    my ($p, $maria) = (lc $driver . '_', $driver eq 'MariaDB');
    my @login = $server->login(driver => $driver);
    my $dbh   = DBI->connect(@login, { PrintError => 0 }) or die DBI->errstr;
    my $other = DBI->connect(@login, { PrintError => 0 });
    note $driver;
    $dbh->do("drop table if exists tx");
    $dbh->do('create table tx (i int primary key) engine=innodb');
    my $count = sub { return scalar $other->selectrow_array('select count(*) from tx') };
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, $_[0] };

    ok $dbh->{AutoCommit}, 'AutoCommit';
    $dbh->do('insert into tx values (1)');
    is $count->(), 1, '... commits';
    ok !$dbh->commit, 'commit';
    like pop @warned, qr/^commit ineffective with AutoCommit enabled at \Q$0\E line \d+/, '... does nothing';
    ok !$dbh->rollback, 'rollback';
    like pop @warned, qr/^rollback ineffective with AutoCommit enabled at/, '... does nothing';

    ok $dbh->begin_work, 'begin_work';
    ok !$dbh->{AutoCommit}, '... AutoCommit is off';
    ok !$dbh->begin_work, 'again';
    like $dbh->errstr, qr/^Already in a transaction/, '... is an error';
    $dbh->do('insert into tx values (2)');
    is $count->(), 1, 'not seen by others';
    ok $dbh->rollback, 'rollback';
    ok $dbh->{AutoCommit}, '... AutoCommit is on again';
    is $dbh->selectrow_array('select count(*) from tx'), 1, '... and the row gone';
    $dbh->begin_work;
    $dbh->do('insert into tx values (2)');
    ok $dbh->commit, 'commit';
    is $count->(), 2, '... the row is there';
    $dbh->do('insert into tx values (3)');
    is $count->(), 3, '... and AutoCommit works again';

    $dbh->{AutoCommit} = 0;
    is $dbh->selectrow_array('select @@autocommit'), 0, 'the server knows';
    $dbh->do('insert into tx values (4)');
    ok $dbh->rollback, 'rollback';
    $dbh->do('insert into tx values (5)');
    $dbh->{AutoCommit} = 1;
    is $count->(), 4, 'switching AutoCommit on commits';

    $dbh->{AutoCommit} = 0;
    $dbh->do('insert into tx values (6)');
    $dbh->disconnect;
    is $count->(), 4, 'disconnect undoes what was not committed';
    @warned = ();
    my $lost = DBI->connect(@login, { PrintError => 0, AutoCommit => 0 });
    $lost->do('insert into tx values (7)');
    undef $lost;
    is $count->(), 4, 'so does the end of a handle';
    like $warned[0], qr/^Issuing rollback\(\) due to DESTROY without explicit disconnect\(\) of DBD::${driver}::db handle /,
        '... with a warning';

    # errors inside
    my ($one, $two) = map { DBI->connect(@login, { PrintError => 0, AutoCommit => 0 }) } 1 .. 2;
    $_->do('set innodb_lock_wait_timeout = 1') for $one, $two;
    $one->do('update tx set i = 100 where i = 1');
    is $two->do('update tx set i = 101 where i = 1'), undef, 'a lock that does not come';
    is_deeply [$two->err, $two->state], [1205, 'HY000'], '... error';
    $_->rollback, $_->disconnect for $one, $two;

    # several results
    my $multi = DBI->connect(@login, { PrintError => 0, "${p}multi_statements" => 1 });
    is $other->do('select 1; select 2'), undef, 'several statements need mysql_multi_statements';
    is $other->err, 1064, '... error';
    my $sth = $multi->prepare('select 1 as a union select 2; insert into tx values (50); select 3 as b, 4 as c');
    ok $sth->execute, 'several results';
    is_deeply $sth->{NAME}, ['a'], 'names of the first';
    is_deeply $sth->fetchall_arrayref, [[1], [2]], 'its rows';
    ok $sth->more_results, 'there is another';
    is $sth->rows, 1, '... rows affected';
    ok $sth->more_results, 'and another';
    is_deeply $sth->{NAME}, [qw(b c)], '... names';
    is_deeply $sth->fetchall_arrayref, [[3, 4]], '... rows';
    ok !$sth->more_results, 'that was all';
    ok $sth->execute || $sth->err == 1062, 'again';
    $sth->finish;
    is $multi->selectrow_array('select 5'), 5, 'results that were left do not matter';
    ok $multi->do('insert into tx values (60); insert into tx values (61)'), 'do of two statements';
    is $multi->do('insert into tx values (62); selec'), undef, 'an error of the second';
    is $multi->err, 1064, '... is seen';
    is $count->(), 8, 'rows';

    # procedures
    $multi->do('drop procedure if exists bridge_proc');
    ok $multi->do('create procedure bridge_proc(in n int, out total int) begin select n; select n + 1, n + 2;'
            . ' set total = 7; end'), 'a procedure' or diag $multi->errstr;
    my $call = $multi->prepare('call bridge_proc(?, @total)');
    ok $call->execute(4), 'called' or diag $call->errstr;
    is_deeply $call->fetchall_arrayref, [[4]], 'first result';
    ok $call->more_results, 'more';
    is_deeply $call->fetchall_arrayref, [[5, 6]], 'second result';
    is $call->{NUM_OF_FIELDS}, 2, '... of two columns';
    1 while $call->more_results;
    is $multi->selectrow_array('select @total'), 7, 'the output';
    $multi->do('drop procedure bridge_proc');
    $multi->disconnect;
    $other->do('drop table tx');
    $other->disconnect;
}

done_testing;
