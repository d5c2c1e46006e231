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

# See constants().
our ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED);
my ($address, $peer_uid);
my $ENOENT = 2;

# For systems whose numbers are not known here.
sub set_platform { ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED, $address, $peer_uid) = @_; return 1 }

# Opens a session with these options (and the environment for what they leave open).
sub open_session {
    my ($option) = @_;
    my ($session, $error);
    {
        local ($@, $!, $?);
        local $SIG{__DIE__};
        $session = eval { connect_as(settings($option)) };
        $error = $@;
    }
    die $error if !$session;
    return $session;
}

sub connect_as {
    my ($want) = @_;
    debug($want, "mode $want->{mode}");
    return private($want) if $want->{mode} eq 'process';
    my $session = eval { to_daemon($want) };
    return $session if $session;
    my $error = $@;
    die $error if $want->{mode} ne 'auto' || ref $error ne 'CPANBridge::Error' || !$error->{no_daemon};
    $session = eval { private($want) } || die $error;
    my $text = $error->{message};
    warn "cpan-bridge: no daemon can be had ($text); this process uses a private one instead\n" if !$warned++;
    return $session;
}

sub private {
    my ($want) = @_;
    require CPANBridge::Process;
    constants();
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
    constants();
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
        socket my $fh, 1, $STREAM, 0 or fail('io', "cannot make a socket: $!");
        return checked_peer($fh, $place) if connect $fh, $address->($place->{socket});
        my $error = $! + 0;
        return if $error == $ENOENT || $error == $ECONNREFUSED;
        my $busy = $error == $CPANBridge::Session::EAGAIN || $error == $CPANBridge::Session::EINTR;
        fail('io', "cannot connect to $place->{socket}: $!", no_daemon => 1) if !$busy || time > $until;
        select undef, undef, undef, 0.005;
    }
}

# Whoever listens must be this user: before anything they sent is thawed.
sub checked_peer {
    my ($fh, $place) = @_;
    my $uid = $peer_uid->($fh);
    fail('refused', "whoever listens on $place->{socket} does not tell who it is; not used") if !defined $uid;
    fail('refused', "the daemon on $place->{socket} belongs to user $uid, not to you (user $>); not used") if $uid != $>;
    return $fh;
}

# Numbers of the operating system. Socket.pm costs as much as a hundred calls, so those of
# Linux are known here, and found right by asking for the credentials of a new socket.
sub constants {
    return 1 if defined $STREAM;
    return platform() if $^O ne 'linux' || !socket my $probe, 1, 1, 0;
    my $nobody = getsockopt $probe, 1, 17;
    return platform() if !defined $nobody || length $nobody != 12;
    ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED) = (1, 1, 20, 111);
    $address  = sub { pack 'S a*', 1, "$_[0]\0" };
    $peer_uid = sub { (unpack 'lLL', getsockopt($_[0], 1, 17) || '')[1] };
    $CPANBridge::Session::SEND_FLAGS = 0x4040;    # MSG_NOSIGNAL | MSG_DONTWAIT
    $CPANBridge::Session::PEEK_FLAGS = 0x42;      # MSG_PEEK | MSG_DONTWAIT
    $CPANBridge::Session::EAGAIN     = 11;
    return 1;
}

sub platform {
    require CPANBridge::Platform;
    return CPANBridge::Platform::constants();
}

# Says hello both ways: the session, or the reason (a text) to try again.
sub handshake {
    my ($fh, $want, $where) = @_;
    $fh = beyond_standard($fh);
    my $session = CPANBridge::Session->new($fh, max_frame_bytes => $MAX_FRAME_BYTES, timeout => $want->{timeout});
    my ($hello) = CPANBridge::Session::_image(hello());
    my $frame = pack('NC', 1 + length $hello, 1) . $hello;
    local $session->{doing} = 'hello';
    eval { $session->_send_long(\$frame); 1 } or closed($where, $@);
    my ($kind, $image) = first_frame($session, $where);
    my ($theirs) = CPANBridge::Session::_plain(\$image);
    return refused($theirs, $where) if $kind == 4 && ref $theirs eq 'HASH';
    fail('bad_frame', "$where does not answer as a cpan-bridge daemon", no_daemon => 1)
        if $kind != 1 || ref $theirs ne 'HASH' || ($theirs->{protocol} || 0) != $PROTOCOL;
    if ($want->{mode} ne 'process' && newer_than($theirs)) {
        my $reason = drain($session, $theirs, $want);
        return $reason if $reason;
    }
    @{$session}{qw(daemon max_frame_bytes)} = ($theirs, $theirs->{max_frame_bytes} || $MAX_FRAME_BYTES);
    setsockopt $fh, $SOL_SOCKET, $SO_RCVTIMEO, pack 'l!2', 0, 50_000;    # CPANBridge::Wait takes over then
    debug($want, "session on $where with", map { " $_ " . (defined $theirs->{$_} ? $theirs->{$_} : '?') } qw(pid version build session));
    return $session;
}

sub refused {
    my ($error, $where) = @_;
    return 'the daemon is ending' if ($error->{code} || '') eq 'draining';
    fail($error->{code}, "$where: $error->{message}", %{$error}, no_daemon => $error->{code} eq 'limit');
}

# A newer client asks an older daemon to make room.
sub newer_than {
    my ($theirs) = @_;
    my ($ours, $build) = ($CPANBridge::Build::BUILD, $theirs->{build} || 0);
    return '' if !$ours || !$build;
    my ($new, $old) = map { sprintf '%06d' x 3, (/(\d+)/g, 0, 0, 0)[ 0 .. 2 ] } $CPANBridge::Build::VERSION, $theirs->{version} || '';
    return $new gt $old || $new eq $old && $ours > $build;
}

# Only one is asked: if the binary at hand starts no newer daemon, an older one has to do.
sub drain {
    my ($session, $theirs, $want) = @_;
    return if $want->{drained} && $want->{drained} != $theirs->{pid};
    $want->{drained} = $theirs->{pid};
    my $text  = "build $CPANBridge::Build::BUILD takes over";
    my $frame = pack('NCC', 2 + length $text, 9, 1) . $text;
    $session->_send_long(\$frame);
    return "an older daemon (build $theirs->{build}) was asked to end";
}

# The descriptors of standard input and output are the script's, even when it has closed
# them: a program it starts would inherit the socket.
sub beyond_standard {
    my ($fh) = @_;
    my @held;
    while (fileno($fh) <= 2) {
        push @held, $fh;
        open my $next, '+<&', $fh or last;
        $fh = $next;
    }
    binmode $fh;
    return $fh;
}

sub first_frame {
    my ($session, $where) = @_;
    my $until = time + $HELLO_SECONDS;
    my $in    = $session->{in};
    while (1) {
        my ($size, $kind) = length ${$in} >= 5 ? unpack 'NC', ${$in} : (1);
        fail('bad_frame', "$where does not answer as a cpan-bridge daemon", no_daemon => 1) if !$size || $size > 0x100000;
        if (length ${$in} >= $size + 4) {
            my $frame = substr ${$in}, 0, $size + 4, '';
            return ($kind, substr $frame, $kind == 4 ? 9 : 5);
        }
        vec(my $read = '', fileno $session->{fh}, 1) = 1;
        my $ready = select $read, undef, undef, 1;
        fail('timeout', "$where does not answer within HELLO_SECONDS ($HELLO_SECONDS s)", no_daemon => 1) if time > $until;
        next if $ready <= 0;
        my $got = sysread $session->{fh}, ${$in}, 0x10000, length ${$in};
        closed($where) if defined $got ? !$got : $! != $CPANBridge::Session::EINTR && $! != $CPANBridge::Session::EAGAIN;
    }
}

# Whoever listens hung up; unless it was a signal handler that died.
sub closed {
    my ($where, $error) = @_;
    die $error if defined $error && ref $error ne 'CPANBridge::Error';
    return fail('io', "$where closed the connection instead of answering", no_daemon => 1);
}

sub hello {
    return {
        protocol => $PROTOCOL,
        version  => $CPANBridge::Build::VERSION,
        build    => $CPANBridge::Build::BUILD,
        client   => 'perl',
        pid      => $$ + 0,
        uid      => $> + 0,
        cwd      => cwd(),
        umask    => umask() + 0,
        script   => "$0",
        env      => { map { $_ => "$ENV{$_}" } grep { /$VARIABLES/ && defined $ENV{$_} } keys %ENV },
    };
}

# The working directory; Cwd.pm only where the system does not simply tell.
sub cwd {
    my $path = readlink '/proc/self/cwd';
    return $path if defined $path && $path =~ m{\A/} && $path !~ / \(deleted\)\z/;
    require Cwd;
    $path = Cwd::getcwd();
    return defined $path ? $path : '/';
}

sub fail {
    my ($code, $message, %more) = @_;
    require CPANBridge::Error;
    CPANBridge::Error->throw(%more, code => $code, message => $message);
}

sub debug {
    my ($want, @text) = @_;
    print {*STDERR} join('', "cpan-bridge[$$]: ", @text) . "\n" if $want->{debug};
    return;
}

1;
