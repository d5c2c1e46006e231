package CPANBridge::Connect;

# Opens a session: where the daemon's socket is, whether that place and whoever listens
# there can be trusted, the handshake. What every script needs is here; what follows when
# something is not as usual (no daemon, an older one, an unsafe place, another system) is
# in CPANBridge::Start, Process, Refuse and Platform.

use strict;
use warnings;

our $PROTOCOL        = 1;
our $CONNECT_SECONDS = 10;
our $HELLO_SECONDS   = 5;
our $PRIVATE_SECONDS = 10;
our $MAX_FRAME_BYTES = 1 << 30;

# Longest first frame of a daemon.
our $MAX_HELLO_BYTES = 1 << 20;

# A socket's path must fit its address (sun_path), with the zero at its end.
our $MAX_SOCKET_PATH_BYTES = 107;

# Numbers of the operating system; see constants().
our @NUMBERS;
our ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED, $ADDRESS, $PEER_UID);
my $ENOENT = 2;

# Opens a session with these options (and the environment for what they leave open).
sub open_session {
    my ($option) = @_;
    my ($session, $error);
    {
        local ($@, $!, $?);
        local $SIG{__DIE__};
        local $^F = 2;    # whatever the script opens, these close on exec
        $session = eval { connect_as(settings($option)) };
        $error   = $@;
    }
    return $session if $session;
    local $SIG{__DIE__};    # as in CPANBridge::Error
    die $error;
}

sub connect_as {
    my ($want) = @_;
    debug($want, "mode $want->{mode}") if $want->{debug};
    return to_daemon($want)            if $want->{mode} eq 'daemon';
    if ($want->{mode} eq 'process') {
        part('Process');
        return CPANBridge::Process::private($want);
    }
    my $session = eval { to_daemon($want) };
    return $session if $session;
    my $error = $@;
    part('Process');
    return CPANBridge::Process::instead($want, $error);
}

# Mode, socket, binary: option, then environment, then what is usual.
sub settings {
    my ($option) = @_;
    my %want     = %{$option};
    my @names    = $< == $> && $( + 0 == $) + 0 ? qw(mode socket bin debug use_daemon) : ();
    for my $name (@names) {
        my $value = $ENV{ 'CPAN_BRIDGE_' . uc $name };
        $want{$name} = $value if !defined $want{$name} && defined $value && length $value;
    }
    my $mode = $want{mode};
    $mode = defined $want{use_daemon} && !$want{use_daemon} ? 'process' : 'auto' if !defined $mode;
    $mode =~ /\A(auto|daemon|process)\z/ or refuse('mode', $mode);
    $want{mode} = $1;
    return \%want;
}

sub to_daemon {
    my ($want) = @_;
    constants() if !defined $STREAM;
    my $until = time + $CONNECT_SECONDS;
    while (1) {
        my $place   = place($want);
        my $fh      = try_connect($place) || start($want, $place, $until);
        my $session = handshake($fh, $want, $place->{socket});
        return $session                      if ref $session;
        refuse('draining', $place, $session) if time > $until;
        select undef, undef, undef, 0.02;
    }
}

sub start {
    my ($want, $place, $until) = @_;
    part('Start');
    return CPANBridge::Start::daemon($want, $place, $until);
}

# The socket's path, its directory and lock.
sub place {
    my ($want) = @_;
    my $socket = defined $want->{socket} ? $want->{socket} : directory() . "/cpan-bridge-$PROTOCOL.sock";
    $socket =~ m{\A((/[^\0]*|)/[^/\0]+)\z} or refuse('socket', $socket);
    my %place = (socket => $1, directory => length $2 ? $2 : '/');
    refuse('long_path', $socket) if length $socket > $MAX_SOCKET_PATH_BYTES;
    ($place{lock} = $place{socket}) =~ s{(?<=[^/])\.[^./]*\z|\z}{.lock};
    return \%place;
}

sub directory {
    for my $path ($< == $> ? $ENV{XDG_RUNTIME_DIR} : undef, "/run/user/$>") {
        next if !defined $path || $path !~ m{\A(/[^\0]*)\z};
        my $own = $1;
        return "$own/cpan-bridge" if -d $own && (stat _)[4] == $>;
    }
    return "/tmp/cpan-bridge-$>";
}

# Whoever could put a socket of their own there would be given passwords. False if there
# is no such directory.
sub check_directory {
    my ($place) = @_;
    my ($mode, $uid) = (lstat $place->{directory})[2, 4] or return 0;
    refuse('directory', $place->{directory}, $mode, $uid) if !-d _ || $uid != $> || $mode & 077;
    return 1;
}

# A connected socket; nothing if nobody listens there.
sub try_connect {
    my ($place) = @_;
    check_directory($place) or return;
    my $until = time + $CONNECT_SECONDS;
    while (1) {
        socket my $fh, 1, $STREAM, 0 or refuse('connect', $place, $!);
        return checked_peer($fh, $place) if connect $fh, $ADDRESS->($place->{socket});
        my $error = $! + 0;
        return if $error == $ENOENT                       || $error == $ECONNREFUSED;
        my $busy = $error == $CPANBridge::Session::EAGAIN || $error == $CPANBridge::Session::EINTR;
        refuse('connect', $place, $!) if !$busy           || time > $until;
        select undef, undef, undef, 0.005;
    }
}

# Whoever listens must be this user: before anything they sent is thawed.
sub checked_peer {
    my ($fh, $place) = @_;
    my $uid = $PEER_UID->($fh);
    refuse('peer', $place, $uid) if !defined $uid || $uid != $>;
    return $fh;
}

# Numbers of the operating system. Socket.pm costs as much as a hundred calls, so those of
# Linux are known here, and found right by asking for the credentials of a new socket.
sub constants {
    my $probe;
    my $nobody = $^O eq 'linux' && socket($probe, 1, 1, 0) && getsockopt $probe, 1, 17;
    if (!$nobody || length $nobody != 12) {
        part('Platform');
        CPANBridge::Platform::constants();
    }
    else {
        $CPANBridge::Session::SEND_FLAGS = 0x4040;                                         # MSG_NOSIGNAL | MSG_DONTWAIT
        $CPANBridge::Session::PEEK_FLAGS = 0x42;                                           # MSG_PEEK | MSG_DONTWAIT
        $CPANBridge::Session::LOOK_FLAGS = 0x40;                                           # MSG_DONTWAIT
        $CPANBridge::Session::EAGAIN     = 11;
        @NUMBERS                         = (1, 1, 20, 111, \&linux_address, \&linux_peer);
    }
    ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED, $ADDRESS, $PEER_UID) = @NUMBERS;
    return;
}

sub linux_address { my ($path) = @_; return pack 'S a*', 1, "$path\0" }
sub linux_peer    { my ($fh)   = @_; return (unpack 'lLL', getsockopt($fh, 1, 17) || '')[1] }

# Says hello both ways: the session, or the reason (a text) to try again.
sub handshake {
    my ($fh, $want, $where) = @_;
    $fh = beyond_standard($fh) if fileno($fh) <= 2;
    my $session = CPANBridge::Session->new($fh, timeout => $want->{timeout}, doing => 'hello');
    my ($hello) = CPANBridge::Session::_image(hello());
    my $frame   = pack('NC', 1 + length $hello, 1) . $hello;
    my $sent    = send $fh, $frame, $CPANBridge::Session::SEND_FLAGS;
    my ($kind, $image) = first_frame($session, $where, $sent && $sent == length $frame);
    my ($theirs) = CPANBridge::Session::_plain(\$image);
    return refuse('hello', $where, $theirs)
        if $kind != 1 || ref $theirs ne 'HASH' || ($theirs->{protocol} || 0) != $PROTOCOL;

    if ($CPANBridge::Build::BUILD && $want->{mode} ne 'process') {
        my $reason = older($session, $theirs, $want);
        return $reason if $reason;
    }
    $session->{daemon}          = $theirs;
    $session->{max_frame_bytes} = $theirs->{max_frame_bytes} || $MAX_FRAME_BYTES;
    setsockopt $fh, $SOL_SOCKET, $SO_RCVTIMEO, pack 'l!2', 0, 50_000;    # CPANBridge::Wait takes over then
    debug($want, "session on $where with", map { " $_ $theirs->{$_}" } sort keys %{$theirs}) if $want->{debug};
    return $session;
}

# If these Perl files are newer than the daemon, it is asked to make room.
sub older {
    my ($session, $theirs, $want) = @_;
    my $build = $theirs->{build};
    return if !$build || $build == $CPANBridge::Build::BUILD && $theirs->{version} eq $CPANBridge::Build::VERSION;
    part('Start');
    return CPANBridge::Start::drain($session, $theirs, $want);
}

# Kind and payload of the daemon's first frame.
sub first_frame {
    my ($session, $where, $sent) = @_;
    my $in    = $session->{in};
    my $until = time + ($where eq 'private' ? $PRIVATE_SECONDS : $HELLO_SECONDS);
    while ($sent) {
        if (length ${$in} >= 5) {
            my ($size, $kind) = unpack 'NC', ${$in};
            refuse('hello', $where) if !$size || $size > $MAX_HELLO_BYTES;
            my $frame = length ${$in} >= $size + 4 ? substr ${$in}, 0, $size + 4, '' : '';
            return ($kind, substr $frame, $kind == 4 ? 9 : 5) if length $frame >= 9;
        }
        vec(my $read = '', fileno $session->{fh}, 1) = 1;
        my $ready = select $read, undef, undef, 1;
        refuse('silence', $where) if time > $until;
        next                      if $ready <= 0;
        my $got = sysread $session->{fh}, ${$in}, 0x10000, length ${$in};
        last if !$got && (defined $got || $! != $CPANBridge::Session::EINTR);
    }
    return refuse('closed', $where);
}

sub hello {
    return {
        protocol => $PROTOCOL,
        version  => $CPANBridge::Build::VERSION,
        build    => $CPANBridge::Build::BUILD,
        client   => 'perl',
        pid      => pid(),
        uid      => $> + 0,
        cwd      => cwd(),
        umask    => umask() + 0,
        script   => "$0",
        env      => { map { $_ => "$ENV{$_}" } grep { defined $ENV{$_} && for_drivers() } keys %ENV },
    };
}

# This process's number; $$ is a variable, and scripts play another process by setting it.
sub pid { return 0 + (readlink('/proc/self') || abs $$) }

# Whether drivers read this variable; the daemon's own environment is nobody's script's.
sub for_drivers {
    return
           /\A(?:PG|MYSQL|MARIADB|DBI_|ORACLE_|ODBC|KRB5|LC_)/
        || /_(?:proxy|PROXY)\z/
        || /\A(?:TNS_ADMIN|NLS_LANG|SSL_CERT_(?:FILE|DIR)|HOME|USER|LOGNAME|TZ|LANG|TMPDIR|SQLITE_TMPDIR)\z/;
}

# The working directory; Cwd.pm only where the system does not simply tell.
sub cwd {
    my $path = readlink '/proc/self/cwd';
    return $path if defined $path && $path =~ m{\A/} && $path !~ / \(deleted\)\z/;
    require Cwd;
    $path = Cwd::getcwd();
    return defined $path ? $path : '/';
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

# Loads a part, undisturbed by signals.
sub part {
    my ($name) = @_;
    CPANBridge::Session::_load($name) if !$INC{"CPANBridge/$name.pm"};
    return;
}

# Dies with what is wrong.
sub refuse {
    my ($what, @about) = @_;
    part('Refuse');
    return CPANBridge::Refuse->can($what)->(@about);
}

sub debug {
    my ($want, @text) = @_;
    print {*STDERR} join('', "cpan-bridge[$$]: ", @text) . "\n" if $want->{debug};
    return;
}

1;
