# Connecting: data sources, option files, what goes wrong, what a connection tells about itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use File::Temp ();
use Test::More;
use TestServer::MariaDB;
use DBI;
no warnings 'once';

my $server = TestServer::MariaDB->needed;
my ($socket, $port, $user, $password) =
    ($server->socket_dsn =~ /socket=([^;]+)/, $server->port, $server->user, $server->password);

sub refused {
    my ($dsn, @more) = @_;
    my $dbh = DBI->connect($dsn, @more ? @more : ($user, $password), { PrintError => 0 });
    ok !$dbh, "refused: $dsn";
    return [$DBI::err, $DBI::errstr, $DBI::state];
}

sub _tls {
    my ($one, $dsn, $p) = @_;
    my $cipher = "show status like 'Ssl_cipher'";
    # DBD::MariaDB takes TLS that has to be for TLS with the right server; the native one refuses this too.
    my $unchecked = $p eq 'mariadb_' ? qr/^no: .*certificate verify failed/ : qr/^Ssl_cipher\|./;
    like $one->($dsn, $cipher), $unchecked, 'TLS with whoever answers';
    my ($ca, $wrong) = ($server->ca, $server->wrong_ca);
    like $one->("$dsn;${p}ssl_ca_file=$ca;${p}ssl_verify_server_cert=1", $cipher), qr/^Ssl_cipher\|./, '... checked';
    like $one->("$dsn;${p}ssl_ca_file=$wrong;${p}ssl_verify_server_cert=1", $cipher), qr/^no: /, '... by another authority';
    return;
}

for my $driver (qw(mysql MariaDB)) {
    my $p     = lc $driver . '_';
    my $maria = $driver eq 'MariaDB';
    my $one   = sub {
        my ($dsn, $sql, @attr) = @_;
        my $dbh = DBI->connect("dbi:$driver:$dsn", $user, $password, { PrintError => 0, @attr }) or return "no: $DBI::errstr";
        return join '|', map { defined $_ ? $_ : 'undef' } $dbh->selectrow_array($sql);
    };
    my $local = "${p}socket=$socket";
    my $tcp   = "host=127.0.0.1;port=$port";

    # where to, and which database
    for my $dsn ("database=test;$tcp", "test;$tcp", "db=test;$tcp", "dbname=test;$tcp", "test:127.0.0.1:$port",
        "database=test;host=127.0.0.1:$port", "test;$local", "database=test;host=localhost;$local")
    {
        is $one->($dsn, 'select database()'), 'test', "$driver: $dsn";
    }
    is $one->($tcp, 'select database()'), 'undef', "$driver: no database";

    # what cannot be
    my $wrong = refused("dbi:$driver:test;$tcp", $user, 'wrong');
    is_deeply [@$wrong[0, 2]], [1045, '28000'], 'wrong password';
    like $wrong->[1], qr/^Access denied for user '$user'\@'.*' \(using password: YES\)$/, '... text';
    unlike $wrong->[1], qr/wrong/, '... without the password';
    is_deeply refused("dbi:$driver:nosuch;$tcp"), [1049, "Unknown database 'nosuch'", '42000'], 'unknown database';
    my $missing = refused("dbi:$driver:test;${p}socket=/nonexistent/socket");
    is_deeply [@$missing[0, 2]], [2002, 'HY000'], 'no socket';
    like $missing->[1], qr{^Can't connect to .*'/nonexistent/socket' \(2\)$}, '... text';
    is refused("dbi:$driver:test;host=127.0.0.1;port=1")->[0], 2002, 'nobody listens';
    is refused("dbi:$driver:test;host=nosuch.invalid;port=1")->[0], 2005, 'no such host';
    is refused("dbi:$driver:test;$tcp;${p}init_command=selec")->[0], 1064, 'a bad first statement';
    if ($maria) {
        is refused("dbi:$driver:test;$tcp;${p}nosuch=1")->[1], "Unknown attribute ${p}nosuch", 'unknown attribute';
        is refused("dbi:$driver:test;$tcp;$local")->[1],
            "Connection error: host or port cannot be specified together with ${p}socket", 'host and socket';
        is refused("dbi:$driver:test;host=127.0.0.1;port=x")->[1], 'Connection error: port is not valid number', 'port';
    }

    # settings
    is $one->("test;$tcp;${p}init_command=set sql_mode='ANSI_QUOTES'", 'select @@sql_mode'), 'ANSI_QUOTES', 'init_command';
    is $one->("test;$tcp", 'select @@autocommit'), 1, 'autocommit is on';
    is $one->("test;$tcp", 'select @@autocommit', AutoCommit => 0), 0, 'autocommit is off';
    is $one->("test;$tcp", 'select @@character_set_client'), 'utf8mb4', 'character set';
    _tls($one, "test;$tcp;${p}ssl=1", $p) if $INC{'CPANBridge/MySQL.pm'};    # not every build of the C library can

    # option files
    my $dir = File::Temp::tempdir(CLEANUP => 1);
    open my $cnf, '>', "$dir/my.cnf" or die $!;
    print {$cnf} "[client]\nuser = $user\npassword=$password\nhost=127.0.0.1\nport=$port\n[other]\nuser=somebody\n";
    close $cnf;
    my $file = "${p}read_default_file=$dir/my.cnf";
    my $dbh  = DBI->connect("dbi:$driver:test;$file", undef, undef, { PrintError => 0 });
    ok $dbh, 'from an option file' or diag $DBI::errstr;
    like $dbh->selectrow_array('select user()'), qr/^$user\@/, '... its user';
    like refused("dbi:$driver:test;$file;${p}read_default_group=other", undef, undef)->[1], qr/'somebody'/, '... its group';

    # what it tells
    $dbh = DBI->connect("dbi:$driver:database=test;$tcp", $user, $password, { PrintError => 0, RaiseError => 1 });
    is $dbh->{Name}, "database=test;$tcp", 'Name';
    is $dbh->{Username}, $user, 'Username';
    like $dbh->{"${p}serverinfo"}, qr/^\d+\.\d+\.\d+-MariaDB/, 'serverinfo';
    like $dbh->{"${p}serverversion"}, qr/^\d{5,6}$/, 'serverversion';
    is $dbh->{"${p}hostinfo"},  '127.0.0.1 via TCP/IP', 'hostinfo';
    is $dbh->{"${p}protoinfo"}, 10, 'protoinfo';
    is $dbh->{"${p}thread_id"}, $dbh->selectrow_array('select connection_id()'), 'thread_id';
    like $dbh->{"${p}stat"}, qr/^Uptime: \d+  Threads: \d+/, 'stat';
    is_deeply $dbh->{"${p}dbd_stats"}, { auto_reconnects_ok => 0, auto_reconnects_failed => 0 }, 'dbd_stats';
    is $dbh->get_info(17), $maria ? 'MariaDB' : 'MySQL', 'get_info';
    ok $dbh->ping, 'ping';

    # lost, and found again
    my $other  = DBI->connect("dbi:$driver:test;$tcp", $user, $password, { PrintError => 0 });
    my $killed = $dbh->{"${p}thread_id"};
    $other->do("kill $killed");
    ok !eval { $dbh->do('select 1'); 1 }, 'a killed connection is an error';
    ok $dbh->err == 2006 || $dbh->err == 2013, '... number' or diag $dbh->err;
    $dbh = DBI->connect("dbi:$driver:test;$tcp", $user, $password,
        { PrintError => 0, RaiseError => 1, "${p}auto_reconnect" => 1 });
    $killed = $dbh->{"${p}thread_id"};
    $other->do("kill $killed");
    is $dbh->do('select 1'), 1, 'with auto_reconnect it is made again';
    isnt $dbh->{"${p}thread_id"}, $killed, '... it is another';
    is $dbh->{"${p}dbd_stats"}{auto_reconnects_ok}, 1, '... and counted';
    $dbh->{AutoCommit} = 0;
    $other->do('kill ' . $dbh->{"${p}thread_id"});
    ok !eval { $dbh->do('select 1'); 1 }, '... but never without AutoCommit';

    # the end
    $dbh = DBI->connect("dbi:$driver:test;$tcp", $user, $password, { PrintError => 0 });
    ok $dbh->{Active}, 'active';
    ok $dbh->disconnect, 'disconnect';
    ok !$dbh->{Active}, 'not active';
    ok $dbh->disconnect, 'again';
    if ($maria) {
        is $dbh->do('select 1'), undef, 'nothing goes after that';
        is_deeply [$dbh->err, $dbh->errstr], [2006, 'MySQL server has gone away'], '... error';
    }
    my @sources = DBI->data_sources($driver, { host => '127.0.0.1', port => $port, user => $user, password => $password });
    ok scalar(grep { $_ eq "DBI:$driver:test" } @sources), 'data_sources';
}

done_testing;
