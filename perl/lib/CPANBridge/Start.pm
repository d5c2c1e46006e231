package CPANBridge::Start;

# Starts the daemon, once, however many scripts want it at the same moment: lock, connect
# again under the lock, start it with a pipe on which it says that it is ready, connect.

use strict;
use warnings;

our $READY_SECONDS = 10;
our $RETRY_SECONDS = 0.01;

my $LOCK_EX_NB = 2 | 4;

# A socket connected to a daemon that was started now, or by somebody else meanwhile.
sub daemon {
    my ($want, $place, $until) = @_;
    make_directory($place);
    my $lock;
    while (!$lock) {
        $lock = try_lock($place);
        my $fh = CPANBridge::Connect::try_connect($place);
        return $fh if $fh;
        last       if $lock;
        fail(     "$place->{lock} is locked by another process for more than CONNECT_SECONDS "
                . "($CPANBridge::Connect::CONNECT_SECONDS s); is a daemon hanging in its start?")
            if time > $until;
        select undef, undef, undef, $RETRY_SECONDS;
    }
    my $problem = start($want, $place);
    my $fh      = CPANBridge::Connect::try_connect($place);
    return $fh if $fh;
    return fail(length $problem ? $problem : "the daemon was started but does not listen on $place->{socket}");
}

sub make_directory {
    my ($place) = @_;
    return if CPANBridge::Connect::check_directory($place);
    mkdir $place->{directory}, oct 700;
    my $error = $!;
    return if CPANBridge::Connect::check_directory($place);
    return fail("cannot make the socket directory $place->{directory}: $error");
}

# The directory is private to this user, so nobody else can have put anything there.
sub try_lock {
    my ($place) = @_;
    my $umask   = umask oct 77;
    my $opened  = open my $lock, '+>>', $place->{lock};
    my $error   = $!;
    umask $umask;
    fail("cannot open the lock $place->{lock}: $error") if !$opened;
    return flock($lock, $LOCK_EX_NB) ? $lock : undef;
}

# Runs `cpan-bridge daemon`; empty when it is ready, else what went wrong.
sub start {
    my ($want, $place) = @_;
    my $binary = binary($want);
    local $^F = 1023;    # the daemon inherits its end of the pipe
    pipe my $read, my $write or return "cannot make a pipe: $!";
    $_ = CPANBridge::Connect::beyond_standard($_) for $read, $write;
    CPANBridge::Connect::debug($want, "starting $binary");
    my $problem = run(
        $binary, ['daemon', '--detach', '--ready-fd', fileno $write],
        sub { $ENV{CPAN_BRIDGE_SOCKET} = $place->{socket}; close $read },
    );
    close $write;
    return length $problem ? $problem : answer($read, $binary);
}

# What the daemon says on its pipe: '+' is ready, anything else the reason why not.
sub answer {
    my ($read, $binary) = @_;
    my ($text, $until)  = ('', time + $READY_SECONDS);
    while (1) {
        vec(my $bits = '', fileno $read, 1) = 1;
        my $ready = select $bits, undef, undef, 1;
        return "$binary is not ready within READY_SECONDS ($READY_SECONDS s)" if time > $until;
        next                                                                  if $ready <= 0;
        my $got = sysread $read, $text, 4096, length $text;
        next      if !defined $got;
        return '' if $text =~ /\A\+/;
        last      if !$got;
    }
    $text =~ s/\s+\z//;
    return length $text ? "the daemon did not start: $text" : "$binary ended without a word; try: $binary daemon";
}

# Runs a program as nobody's child: a script that waits for its children never meets it.
# Empty, or why it could not be run.
sub run {
    my ($binary, $arguments, $prepare) = @_;
    local $^F = 2;
    pipe my $read, my $write or return "cannot make a pipe: $!";
    $_ = CPANBridge::Connect::beyond_standard($_) for $read, $write;
    my $others = 0;
    {
        local $SIG{CHLD} = sub { $others++ };
        my $pid = fork;
        return "cannot fork: $!" if !defined $pid;
        if (!$pid) {
            eval { child($binary, $arguments, $prepare, $write) };
            kill KILL => $$;
        }
        close $write;
        1 while waitpid($pid, 0) < 0 && $! == $CPANBridge::Session::EINTR;
    }
    kill CHLD => $$ if $others > 1 && ref $SIG{CHLD};    # one was ours
    my $problem = '';
    1 while sysread $read, $problem, 4096, length $problem;
    return $problem;
}

# Becomes the program. If it cannot, it says so; it ends without the script's END blocks
# and destructors, and meanwhile runs no handler of the script.
sub child {
    my ($binary, $arguments, $prepare, $write) = @_;
    $SIG{$_} = 'DEFAULT' for grep { defined $SIG{$_} && $_ ne 'CHLD' && !/^__/ } keys %SIG;
    my $pid = fork;
    kill KILL => $$ if $pid;
    $prepare->();
    clean_environment() if ${^TAINT};
    no warnings 'exec';
    { exec {$binary} $binary, @{$arguments} }
    syswrite $write, "cannot run $binary: $!";
    return;
}

# Perl runs nothing with these tainted; the binary is named by its full path.
sub clean_environment {
    delete @ENV{qw(IFS CDPATH ENV BASH_ENV)};
    $ENV{PATH} = '/usr/bin:/bin';
    return;
}

# The binary: named, or the one these files came out of, or on the PATH.
sub binary {
    my ($want) = @_;
    my $named  = defined $want->{bin} ? $want->{bin} : $CPANBridge::Build::BIN;
    my @found  = defined $named ? $named : map { "$_/cpan-bridge" } grep { m{\A/} } split /:/, $ENV{PATH} || '';
    for my $path (@found) {
        next         if !-f $path || !-x _;
        return $path if !${^TAINT};
        return $1    if trusted($path) && $path =~ m{\A(/.+)\z}s;
    }
    fail("$named is not a program that can be run here; set CPAN_BRIDGE_BIN to the cpan-bridge binary")
        if defined $named;
    return fail('there is no cpan-bridge on the PATH; install it or set CPAN_BRIDGE_BIN to its path');
}

# In taint mode, a path from the environment is taken only if nobody else can have
# written the file.
sub trusted {
    my ($path) = @_;
    my ($mode, $uid) = (stat $path)[2, 4];
    return ($uid == 0 || $uid == $>) && !($mode & oct 22);
}

# A newer client asks an older daemon to make room, and tries again. Only one is asked: if
# the binary at hand starts no newer daemon, an older one has to do.
sub drain {
    my ($session, $theirs, $want) = @_;
    return if !newer_than($theirs) || $want->{drained} && $want->{drained} != $theirs->{pid};
    $want->{drained} = $theirs->{pid};
    my $text  = "build $CPANBridge::Build::BUILD takes over";
    my $frame = pack('NCC', 2 + length $text, 9, 1) . $text;
    $session->_send_long(\$frame);
    return "an older daemon (build $theirs->{build}) was asked to end";
}

sub newer_than {
    my ($theirs) = @_;
    my ($ours, $build) = ($CPANBridge::Build::BUILD, $theirs->{build} || 0);
    return '' if !$ours || !$build;
    my ($new, $old) = map { sprintf '%06d' x 3, (/(\d+)/g, 0, 0, 0)[0 .. 2] } $CPANBridge::Build::VERSION,
        $theirs->{version} || '';
    return $new gt $old || $new eq $old && $ours > $build;
}

sub fail {
    my ($message) = @_;
    return CPANBridge::Connect::refuse('no_daemon', $message);
}

1;
