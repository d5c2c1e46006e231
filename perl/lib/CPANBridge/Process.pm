package CPANBridge::Process;

# Process mode: a private child (`cpan-bridge stdio`) on a socket pair. It lives as long
# as this process does, and keeps its state in memory like the daemon.

use strict;
use warnings;

use CPANBridge::Start;

my $said;

# A session with a private child.
sub private {
    my ($want) = @_;
    CPANBridge::Connect::constants() if !defined $CPANBridge::Connect::STREAM;
    return CPANBridge::Connect::handshake(start($want), $want, 'private');
}

# Mode auto: a session with a private child where no daemon can be had.
sub instead {
    my ($want, $error) = @_;
    die $error if ref $error ne 'CPANBridge::Error'                 || !$error->{no_daemon};
    my $session = eval { private({ %{$want}, mode => 'process' }) } || die $error;
    warn "cpan-bridge: no daemon can be had ($error->{message}); this process uses a private one instead\n" if !$said++;
    return $session;
}

# Our end of the pair.
sub start {
    my ($want) = @_;
    my $binary = CPANBridge::Start::binary($want);
    CPANBridge::Connect::debug($want, "starting $binary stdio");
    socketpair my $ours, my $theirs, 1, $CPANBridge::Connect::STREAM, 0
        or CPANBridge::Start::fail("cannot make a socket pair: $!");
    $_ = CPANBridge::Connect::beyond_standard($_) for $ours, $theirs;
    my $problem = CPANBridge::Start::run($binary, ['stdio'], sub { become($theirs) });
    CPANBridge::Start::fail($problem) if length $problem;
    return $ours;
}

# In the child: the socket as standard input, nothing of the script's but standard error,
# and not in its process group (the terminal's interrupt is for the script).
sub become {
    my ($theirs) = @_;
    setpgrp 0, 0;
    untie *STDIN;
    untie *STDOUT;
    close STDIN;
    close STDOUT;
    open STDIN,  '<&', $theirs;
    open STDOUT, '>',  '/dev/null';
    return if fileno(STDIN) == 0 && fileno(STDOUT) == 1;
    require POSIX;
    POSIX::dup2(fileno $theirs, 0);
    open my $null, '>', '/dev/null';
    POSIX::dup2(fileno $null, 1);
    return;
}

1;
