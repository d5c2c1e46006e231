package TestServer::MariaDB;

# A private MariaDB: "root" over the socket without a password, "tester" with its password over TCP (with or without TLS)
# and over the socket. See TestServer.

use strict;
use warnings;

use Socket;

use TestServer;

our @ISA = ('TestServer');

sub name         { return 'my' }
sub title        { return 'MariaDB' }
sub system_user  { return 'mysql' }
sub programs     { return qw(mariadbd mariadb-install-db mariadb openssl) }
sub stop_signal  { return 'TERM' }
sub stop_at_once { return 'KILL' }
sub folders      { return '/usr/sbin' }

sub version {
    my ($self) = @_;
    return TestServer::run($self->program('mariadbd'), '--no-defaults', '--version') =~ /Ver (\d[\d.]*)/
        ? $1
        : 'unknown';
}

# Small files: a template is copied for each test.
my @SMALL = ('--innodb-log-file-size=16M', '--innodb-data-file-path=ibdata1:12M:autoextend');

sub make_data {
    my ($self, $data, $password) = @_;
    $self->own_folder($data);
    my @temp = ('--tmpdir=' . $data);
    TestServer::run($self->as_user(
        $self->program('mariadb-install-db'),
        '--no-defaults', "--datadir=$data", '--auth-root-authentication-method=normal', '--skip-test-db', @SMALL,
        @temp
    ));
    my $sql = <<"SQL";
FLUSH PRIVILEGES;
CREATE DATABASE test CHARACTER SET utf8mb4;
DELETE FROM mysql.global_priv WHERE User = '';
FLUSH PRIVILEGES;
CREATE USER 'tester'\@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'tester'\@'%';
SQL
    TestServer::run(
        \$sql,
        $self->as_user($self->program('mariadbd'), '--no-defaults', '--bootstrap', "--datadir=$data", @SMALL, @temp)
    );
    return;
}

sub command {
    my ($self)  = @_;
    my $dir     = $self->{dir};
    my $tls     = !defined $self->{option}{tls} || $self->{option}{tls};
    my %setting = (
        datadir                          => "$dir/data",
        tmpdir                           => "$dir/data",
        socket                           => $self->socket_file,
        'pid-file'                       => "$dir/data/server.pid",
        port                             => $self->{port},
        'bind-address'                   => '127.0.0.1',
        'innodb-flush-log-at-trx-commit' => 0,
        'innodb-buffer-pool-size'        => '128M',
        'sync-binlog'                    => 0,
        'performance-schema'             => 0,
        'max-connect-errors'             => 1_000_000,
        'character-set-server'           => 'utf8mb4',
        'secure-file-priv'               => "$dir/data",
        (
            $tls
            ? (
                'ssl-ca'  => "$dir/certs/ca.crt", 'ssl-cert' => "$dir/certs/server.crt",
                'ssl-key' => "$dir/certs/server.key"
                )
            : ()
        ),
        ($tls eq 'only' ? ('require-secure-transport' => 1) : ()),
        %{ $self->{option}{settings} || {} },
    );
    return $self->as_user(
        $self->program('mariadbd'),
        '--no-defaults', '--skip-name-resolve', '--skip-log-bin', @SMALL,
        map { "--$_=$setting{$_}" } sort keys %setting
    );
}

# It is ready when it greets.
sub is_ready {
    my ($self) = @_;
    socket my $socket, AF_UNIX, SOCK_STREAM, 0 or return;
    connect $socket, pack_sockaddr_un($self->socket_file) or return;
    my $bits = '';
    vec($bits, fileno $socket, 1) = 1;
    return select($bits, undef, undef, 5) > 0 && sysread $socket, my $greeting, 1;
}

sub socket_file { return "$_[0]{dir}/socket/mysql.sock" }

# driver => 'MariaDB' or (default) 'mysql'; the rest goes into the DSN.
sub dsn {
    my ($self, %parameter) = @_;
    return _dsn(database => $self->database, host => $self->host, port => $self->port, %parameter);
}

sub socket_dsn {
    my ($self, %parameter) = @_;
    my $driver = $parameter{driver} || 'mysql';
    return _dsn(database => $self->database, lc($driver) . '_socket' => $self->socket_file, %parameter);
}

sub _dsn {
    my (%parameter) = @_;
    my $driver = delete $parameter{driver} || 'mysql';
    return "dbi:$driver:" . join ';', map { "$_=$parameter{$_}" } grep { defined $parameter{$_} } sort keys %parameter;
}

# Runs SQL as root with the client program; the result's lines, columns separated by tabs.
sub sql {
    my ($self, $sql, $database) = @_;
    my $text = TestServer::run(
        \"$sql\n",          $self->program('mariadb'), '--no-defaults', qw(-N -B -u root -S),
        $self->socket_file, $database || $self->database
    );
    my @lines = split /\n/, $text;
    return wantarray ? @lines : $lines[0];
}

# How many connections of clients the server has.
sub connections {
    my ($self, $where) = @_;
    $where = defined $where ? "and $where" : '';
    return $self->sql(
        "select count(*) from information_schema.processlist where user <> 'root' and command <> 'Daemon' $where");
}

# The server counts itself; most_connections: how many clients it had at once since.
sub count_connections {
    my ($self) = @_;
    $self->sql('flush status');
    return $self->connections;
}

sub most_connections {
    my ($self) = @_;
    my ($most, $now) = $self->sql(<<'SQL');
select variable_value from information_schema.global_status where variable_name = 'Max_used_connections';
select count(*) from information_schema.processlist where user <> 'root' and command <> 'Daemon';
SQL
    return $most == $now + 1 ? $now : $most;    # the one that asks is counted too, if it is one too many
}

1;

__END__

=head1 NAME

TestServer::MariaDB - a private MariaDB for tests

=head1 SYNOPSIS

    my $server = TestServer::MariaDB->needed;
    my $dbh    = DBI->connect($server->login, { RaiseError => 1 });                         # DBD::mysql
    my $other  = DBI->connect($server->login(driver => 'MariaDB'), { RaiseError => 1 });    # DBD::MariaDB

=cut
