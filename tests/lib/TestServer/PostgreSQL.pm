package TestServer::PostgreSQL;

# A private PostgreSQL: superuser "postgres" over the socket without a password; "tester" with its password (SCRAM)
# over TCP, with or without TLS. See TestServer.

use strict;
use warnings;

use TestServer;

our @ISA = ('TestServer');

sub name         { return 'pg' }
sub title        { return 'PostgreSQL' }
sub system_user  { return 'postgres' }
sub programs     { return qw(initdb postgres psql openssl) }
sub stop_signal  { return 'INT' }
sub stop_at_once { return 'QUIT' }

# The newest version where Debian has its programs.
sub folders {
    my @bin = sort { ($b =~ m{/(\d+)/})[0] <=> ($a =~ m{/(\d+)/})[0] } glob '/usr/lib/postgresql/*/bin';
    return grep { -x "$_/postgres" } @bin;
}

sub version {
    my ($self) = @_;
    return TestServer::run($self->program('postgres'), '--version') =~ /(\d[\w.]*)/ ? $1 : 'unknown';
}

sub make_data {
    my ($self, $data, $password) = @_;
    $self->own_folder($data);
    TestServer::run($self->as_user(
        $self->program('initdb'),
        qw(-U postgres --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 -D), $data
    ));
    my $sql = <<"SQL";
CREATE ROLE tester LOGIN PASSWORD '$password'
CREATE DATABASE test OWNER tester
SQL
    TestServer::run(
        \$sql,
        $self->as_user(
            $self->program('postgres'), '--single', '-D', $data, '-c', 'password_encryption=scram-sha-256', 'postgres'
        )
    );
    return;
}

sub command {
    my ($self) = @_;
    my $dir    = $self->{dir};
    my $tls    = !defined $self->{option}{tls} || $self->{option}{tls};
    $self->_write_access($tls);
    my %setting = (
        listen_addresses        => '127.0.0.1',
        port                    => $self->{port},
        unix_socket_directories => "$dir/socket",
        fsync                   => 'off',
        synchronous_commit      => 'off',
        full_page_writes        => 'off',
        autovacuum              => 'off',
        max_connections         => 100,
        shared_buffers          => '128MB',
        password_encryption     => 'scram-sha-256',
        log_checkpoints         => 'off',
        ($tls ? (ssl => 'on', ssl_cert_file => "$dir/certs/server.crt", ssl_key_file => "$dir/certs/server.key") : ()),
        %{ $self->{option}{settings} || {} },
    );
    return $self->as_user(
        $self->program('postgres'),
        '-D', "$dir/data", map { ('-c', "$_=$setting{$_}") } sort keys %setting
    );
}

# tls: 0 none, 1 (default) as the client likes, "only".
sub _write_access {
    my ($self, $tls) = @_;
    my $file = "$self->{dir}/data/pg_hba.conf";
    my $kind = $tls eq 'only' ? 'hostssl' : 'host';
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} "local all all trust\n", "$kind all all 127.0.0.1/32 scram-sha-256\n";
    close $out;
    return;
}

# The last line of postmaster.pid tells the state.
sub is_ready {
    my ($self) = @_;
    open my $in, '<', "$self->{dir}/data/postmaster.pid" or return;
    my @lines = readline $in;
    return @lines > 7 && $lines[0] == $self->{pid} && $lines[7] =~ /^ready/;
}

sub socket_dir  { return "$_[0]{dir}/socket" }
sub socket_file { return "$_[0]{dir}/socket/.s.PGSQL.$_[0]{port}" }

sub dsn {
    my ($self, %parameter) = @_;
    %parameter =
        (dbname => $self->database, host => $self->host, port => $self->port, sslmode => 'require', %parameter);
    return _dsn(%parameter);
}

sub socket_dsn {
    my ($self, %parameter) = @_;
    return _dsn(dbname => $self->database, host => $self->socket_dir, port => $self->port, %parameter);
}

sub _dsn {
    my (%parameter) = @_;
    return 'dbi:Pg:' . join ';', map { "$_=$parameter{$_}" } grep { defined $parameter{$_} } sort keys %parameter;
}

# Runs SQL as superuser with psql; the result's lines, columns separated by tabs.
sub sql {
    my ($self, $sql, $database) = @_;
    local %ENV = %ENV;
    delete @ENV{ grep { /^PG/ } keys %ENV };
    my $text = TestServer::run(
        \"$sql\n", $self->program('psql'), qw(-X -q -A -t -v ON_ERROR_STOP=1 -F), "\t",
        '-h' => $self->socket_dir,
        '-p' => $self->port,
        qw(-U postgres -d), $database || $self->database
    );
    my @lines = split /\n/, $text;
    return wantarray ? @lines : $lines[0];
}

# How many connections of clients the server has, or those whose column matches: connections("application_name like 'x%'").
sub connections {
    my ($self, $where) = @_;
    $where = defined $where ? "and $where" : '';
    return $self->sql(
"select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() $where",
        'postgres'
    );
}

# From here on the server writes down who comes and goes; most_connections: how many clients but superusers it had at once since.
sub count_connections {
    my ($self) = @_;
    $self->sql("alter system set $_ = on", 'postgres') for qw(log_connections log_disconnections);
    $self->sql('select pg_reload_conf()',  'postgres');
    select undef, undef, undef, 0.2;    # the server reads it when it comes to it
    $self->{counted_from} = -s $self->log_file;
    return $self->connections;
}

sub most_connections {
    my ($self) = @_;
    my ($now, $most, %open) = (0, 0);
    for my $line (split /\n/, substr $self->log_text, $self->{counted_from}) {
        my ($pid, $what) = $line =~ /\[(\d+)\] LOG:  (connection authorized: user=tester|disconnection:)/ or next;
        if ($what =~ /^conn/)      { $open{$pid} = 1; $now++ }
        elsif (delete $open{$pid}) { $now-- }
        $most = $now if $now > $most;
    }
    return $most;
}

1;

__END__

=head1 NAME

TestServer::PostgreSQL - a private PostgreSQL for tests

=head1 SYNOPSIS

    my $server = TestServer::PostgreSQL->needed;
    my $dbh    = DBI->connect($server->login(sslmode => 'verify-full', sslrootcert => $server->ca), { RaiseError => 1 });
    my ($pid)  = $server->sql('select pid from pg_stat_activity where query like ...');

=cut
