package CPANBridge::Platform;

# The numbers CPANBridge::Connect knows by heart for Linux, from perl's own modules for
# every other system.

use strict;
use warnings;

use Errno  ();
use Socket ();

sub constants {
    my $send = value('MSG_DONTWAIT') | value('MSG_NOSIGNAL');
    $CPANBridge::Session::SEND_FLAGS = $send;
    $CPANBridge::Session::PEEK_FLAGS = Socket::MSG_PEEK() | value('MSG_DONTWAIT');
    $CPANBridge::Session::EAGAIN     = Errno::EAGAIN();
    $CPANBridge::Session::EINTR      = Errno::EINTR();

    # Without MSG_NOSIGNAL, writing to a daemon that has ended would end the script.
    if (!value('MSG_NOSIGNAL')) {
        require CPANBridge::Wait;
        CPANBridge::Wait::guard_sigpipe();
    }
    package CPANBridge::Connect;
    our ($STREAM, $SOL_SOCKET, $SO_RCVTIMEO, $ECONNREFUSED, $ADDRESS, $PEER_UID) = (
        Socket::SOCK_STREAM(), Socket::SOL_SOCKET(), CPANBridge::Platform::value('SO_RCVTIMEO'), Errno::ECONNREFUSED(),
        \&Socket::pack_sockaddr_un, \&CPANBridge::Platform::peer_uid,
    );
    return;
}

# A constant of Socket.pm, 0 where the system or the perl has none.
sub value {
    my ($name) = @_;
    my $code = Socket->can($name) or return 0;
    my $value = eval { $code->() };
    return $value || 0;
}

# Linux has SO_PEERCRED, the BSDs and macOS LOCAL_PEERCRED (struct xucred). Elsewhere the
# directory, which only this user can write to, has to do.
sub peer_uid {
    my ($fh) = @_;
    if (my $option = value('SO_PEERCRED')) {
        my $bytes = getsockopt $fh, Socket::SOL_SOCKET(), $option;
        return (unpack 'lLL', $bytes || '')[1];
    }
    return $> if $^O !~ /\A(?:darwin|freebsd|dragonfly)\z/;
    my $bytes = getsockopt $fh, 0, 1;
    return (unpack 'LL', $bytes || '')[1];
}

1;
