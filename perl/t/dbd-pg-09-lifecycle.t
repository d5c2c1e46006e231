# How handles live and end: children of fork, alarms in mid-call, what the next user of a connection finds, what is loaded.
use strict;
use warnings;
no warnings 'once';
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;
use DBD::Pg;

my $pg = TestServer::PostgreSQL->needed;
sub handle { return DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0, @_ }) }

# an alarm that dies
{
    my $dbh = handle(RaiseError => 1);
    my $sth = $dbh->prepare('select pg_sleep(?)');
    require POSIX;    # at once, as a driver in C needs it
    POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new(sub { die "time is up\n" }));
    alarm 1;
    ok !eval { $sth->execute(30); 1 }, 'an alarm in mid-execute';
    is $@, "time is up\n", '... its own words';
SKIP: {
        skip 'the driver in C is in the middle of it', 3 if !$DBI::BRIDGE;
        is $dbh->selectrow_array('select 5'), 5, '... the connection goes on';
        is $dbh->ping,                        1, '... idle';
        my $left = $pg->sql(
"select count(*) from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()"
        );
        is $left, 0, '... and the server does not work for nobody';
    }
    $SIG{ALRM} = 'DEFAULT';
}

# a child of fork
{
    my $dbh = handle(AutoInactiveDestroy => 1);
    my $sth = $dbh->prepare('select 7');
    $dbh->do('create temp table mine(a int)');
    my $pid = fork;
    if (!$pid) {
        undef $sth;
        undef $dbh;
        my $own = handle();
        POSIX::_exit($own && $own->selectrow_array('select 8') == 8 ? 0 : 1);
    }
    waitpid $pid, 0;
    is $?,                                                 0, 'a child makes a connection of its own';
    is $dbh->selectrow_array('select count(*) from mine'), 0, '... and leaves that of its parent alone';
    $sth->execute;
    is $sth->fetch->[0], 7, '... statements too';
}
SKIP: {
    skip 'the driver in C leaves that to the script', 3 if !$DBI::BRIDGE;
    my $dbh = handle();
    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork;
    if (!$pid) {
        my $rv = $dbh->do('select 1');
        syswrite $out, (defined $rv ? 'done' : 'refused') . " $DBI::err " . $dbh->ping;
        undef $dbh;
        POSIX::_exit(0);
    }
    close $out;
    is scalar(<$in>), 'refused 7 0', 'a handle of the parent is refused in the child';
    waitpid $pid, 0;
    is $dbh->selectrow_array('select 9'), 9, '... and the parent goes on, though the child has let it go';
    my $fd = $dbh->{pg_socket};
    POSIX::close($fd);
    is $dbh->pg_ping, -3, 'a script that closes pg_socket means it';
}

# a script that is killed
{
    $pg->sql('create table killed(a int)');
    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork;
    if (!$pid) {
        my $dbh = handle(AutoCommit => 0);
        $dbh->do('insert into killed values (1)');
        syswrite $out, "ready\n";
        sleep 60;
        POSIX::_exit(0);
    }
    is scalar(<$in>), "ready\n", 'a script in a transaction';
    kill KILL => $pid;
    waitpid $pid, 0;
    my $locks = "select count(*) from pg_locks where relation = 'killed'::regclass and pid <> pg_backend_pid()";
    for (1 .. 200) { last if !$pg->sql($locks); select undef, undef, undef, 0.05 }
    is $pg->sql($locks),                        0, '... is killed: its locks are gone';
    is $pg->sql('select count(*) from killed'), 0, '... and what it wrote';
}

# what the next one finds
SKIP: {
    skip 'pools are ours', 9 if !$DBI::BRIDGE;
    my ($dsn) = $pg->socket_dsn;
    $dsn =~ s/dbname=\w+/dbname=template1/;    # nobody has used that yet
    my $fresh  = sub { DBI->connect($dsn, 'postgres', '', { PrintError => 0, @_ }) };
    my $dbh    = $fresh->();
    my $server = $dbh->{pg_pid};
    $dbh->do('set search_path = pg_catalog; set application_name = one');
    $dbh->do('create temp table passing(a int)');
    $dbh->do('prepare one as select 1');
    $dbh->do('select pg_advisory_lock(5)');
    $dbh->do('listen somewhere');
    $dbh->begin_work;
    $dbh->do('create table undone(a int)');
    $dbh->disconnect;
    $dbh = $fresh->();
    is $dbh->{pg_pid},                            $server,           'the next handle has the same connection';
    is $dbh->ping,                                1,                 '... no transaction';
    is $dbh->selectrow_array('show search_path'), '"$user", public', '... settings as at first';
    is $dbh->selectrow_array(q{select count(*) from pg_class where relname in ('passing', 'undone')}), 0,
        '... no tables';
    is $dbh->selectrow_array('select count(*) from pg_prepared_statements'), 0, '... no prepared statements';
    is $dbh->selectrow_array(q{select count(*) from pg_locks where locktype = 'advisory'}), 0, '... no locks';
    is $dbh->selectrow_array('select count(*) from pg_listening_channels()'),               0, '... no channels';
    my $second = $fresh->();
    isnt $second->{pg_pid}, $dbh->{pg_pid}, 'two at a time are two';
    my $own = $fresh->(bridge_pool => 0);
    my $pid = $own->{pg_pid};
    $own->disconnect;

    for (1 .. 100) {
        last if !$pg->sql("select count(*) from pg_stat_activity where pid = $pid");
        select undef, undef, undef, 0.05
    }
    is $pg->sql("select count(*) from pg_stat_activity where pid = $pid"), 0, 'bridge_pool => 0: disconnect closes it';
}

# what a short script loads
SKIP: {
    skip 'about the stand-in, and perls that can weaken references by themselves', 1 if !$DBI::BRIDGE || !defined &builtin::weaken;
    my ($dsn) = $pg->socket_dsn;
    my $script = q{use DBI; my $dbh = DBI->connect($ARGV[0], 'postgres', '', { RaiseError => 1 });
        $dbh->selectrow_array('select 1 where 1 = ?', undef, 1); my $sth = $dbh->prepare('select 1'); $sth->execute; 1 while $sth->fetch;
        $dbh->disconnect; print join ' ', sort grep { !m{^(?:DBI|DBD|CPANBridge)\b} } keys %INC};
    open my $from, '-|', $^X, (map { "-I$_" } @INC), '-e', $script, $dsn or die "perl: $!";
    is scalar(<$from>), 'strict.pm warnings.pm', 'a short script loads nothing but this';
}

done_testing;
