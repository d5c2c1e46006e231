package CPANBridge::Connect;

# Opens a session: where the daemon's socket is, whether that place and whoever listens
# there can be trusted, the handshake; and what to do when there is no daemon.

use strict;
use warnings;

our $PROTOCOL        = 1;
our $CONNECT_SECONDS = 10;
our $HELLO_SECONDS   = 10;
our $MAX_FRAME_BYTES = 1 << 30;

# A socket's path must fit its address (sun_path), with the zero at its end.
our $MAX_SOCKET_PATH_BYTES = 107;

# What drivers read; the daemon's own environment is nobody's script's.
my $VARIABLES = qr/\A(?:
    (?:PG|MYSQL|MARIADB|DBI_|ORACLE_|ODBC|KRB5|LC_) .*
    | .+_(?:proxy|PROXY)
    | TNS_ADMIN | NLS_LANG | SSL_CERT_(?:FILE|DIR) | HOME | USER | LOGNAME | TZ | LANG | TMPDIR | SQLITE_TMPDIR
)\z/xs;

my $warned;

# Opens a session with these options (and the environment for what they leave open).
sub open_session {
    my ($option) = @_;
    local ($@, $!, $?);
    my $want    = settings($option);
    my $session = eval { connect_as($want) };
    my $error   = $@;
    return $session if $session;
    return rethrow($error);
}

# Outside the scope of open_session's local $@: perl before 5.14 would lose the error.
sub rethrow { die $_[0] }

sub connect_as {
    my ($want) = @_;
    debug($want, "mode $want->{mode}");
    return private($want) if $want->{mode} eq 'process';
    my $session = eval { to_daemon($want) };
    return $session if $session;
    my $error = $@;
    die $error if $want->{mode} ne 'auto' || !ref $error || !$error->{no_daemon};
    $session = eval { private($want) } || die $error;
    my $text = $error->{message};
    warn "cpan-bridge: no daemon can be had ($text); this process uses a private one instead\n" if !$warned++;
    return $session;
}

sub private {
    my ($want) = @_;
    require CPANBridge::Process;
    constants() or platform();
    return handshake(CPANBridge::Process::start($want), $want, 'private');
}

# Mode, socket, binary: option, then environment, then what is usual.
sub settings {
    my ($option) = @_;
    my %want = %{$option};
    my $privileged = $< != $> || $( + 0 != $) + 0;
    for my $name (qw(mode socket bin debug use_daemon)) {
        next if defined $want{$name};
        my $value = $privileged ? undef : $ENV{ 'CPAN_BRIDGE_' . uc $name };
        $want{$name} = $value if defined $value && length $value;
    }
    ($want{debug}) = ($want{debug} || 0) =~ /(\d+)/;
    $want{mode} = mode(\%want);
    return \%want;
}

sub mode {
    my ($want) = @_;
    if (defined(my $mode = $want->{mode})) {
        return $1 if $mode =~ /\A(auto|daemon|process)\z/;
        fail('bad_params', "CPAN_BRIDGE_MODE is '$mode'; it can be auto, daemon or process");
    }
    return 'auto' if !defined $want->{use_daemon};
    return $want->{use_daemon} ? 'auto' : 'process';
}

sub to_daemon {
    my ($want) = @_;
    constants() or platform();
    my $until = time + $CONNECT_SECONDS;
    while (1) {
        my $place   = place($want);
        my $fh      = try_connect($place) || start($want, $place, $until);
        my $session = handshake($fh, $want, $place->{socket});
        return $session if ref $session;
        fail('draining', "$place->{socket}: $session, and nothing takes its place", no_daemon => 1) if time > $until;
        select undef, undef, undef, 0.02;
    }
}

sub start {
    my ($want, $place, $until) = @_;
    require CPANBridge::Start;
    return CPANBridge::Start::daemon($want, $place, $until);
}

# The socket's path, its directory and lock.
sub place {
    my ($want) = @_;
    my $socket = defined $want->{socket} ? $want->{socket} : directory() . "/cpan-bridge-$PROTOCOL.sock";
    fail('bad_params', "CPAN_BRIDGE_SOCKET must be the absolute path of a socket, not '$socket'")
        if $socket !~ m{\A((/.*|)/[^/]+)\z}s || $socket =~ /\0/;
    ($socket, my $directory) = ($1, length $2 ? $2 : '/');
    fail('limit', "the path of the socket is longer than MAX_SOCKET_PATH_BYTES ($MAX_SOCKET_PATH_BYTES bytes): "
            . "$socket; set CPAN_BRIDGE_SOCKET or XDG_RUNTIME_DIR to a shorter one") if length $socket > $MAX_SOCKET_PATH_BYTES;
    (my $lock = $socket) =~ s{(?<=[^/])\.[^./]*\z|\z}{.lock};
    return { socket => $socket, directory => $directory, lock => $lock };
}

sub directory {
    for my $path ($< == $> ? $ENV{XDG_RUNTIME_DIR} : undef, "/run/user/$>") {
        next if !defined $path || $path !~ m{\A(/.*)\z}s;
        my $own = $1;
        return "$own/cpan-bridge" if -d $own && (stat _)[4] == $>;
    }
    return "/tmp/cpan-bridge-$>";
}

# Whoever could put a socket of their own there would be given passwords.
sub check_directory {
    my ($place) = @_;
    my $path = $place->{directory};
    my ($mode, $uid) = (lstat $path)[ 2, 4 ] or return 0;
    my $advice = 'set CPAN_BRIDGE_SOCKET to a socket in a private directory of your own';
    fail('refused', "the socket directory $path is a symbolic link; remove it, or $advice") if -l _;
    fail('refused', "the socket directory $path is not a directory; remove it, or $advice") if !-d _;
    fail('refused', "the socket directory $path belongs to user $uid, not to you (user $>); $advice") if $uid != $>;
    fail('refused', sprintf 'the socket directory %s is open to other users (mode %04o); close it with: chmod 700 %s',
        $path, $mode & oct 7777, $path) if $mode & oct 77;
    return 1;
}

# A connected socket; nothing if nobody listens there.
sub try_connect {
    my ($place) = @_;
    check_directory($place) or return;
    my $until = time + $CONNECT_SECONDS;
    while (1) {
        my $fh = unix_socket();
        return checked_peer($fh, $place) if connect $fh, pack 'S a*', 1, $place->{socket} . "\0";
        return if $!{ENOENT} || $!{ECONNREFUSED};
        my $busy = $!{EAGAIN} || $!{EINTR};
        fail('io', "cannot connect to $place->{socket}: $!", no_daemon => 1) if !$busy || time > $until;
        select undef, undef, undef, 0.005;
    }
}

1;
