package CPANBridge::Platform;

# The numbers CPANBridge::Connect knows by heart for Linux, from perl's own modules for
# every other system.

use strict;
use warnings;

use Errno ();
use Socket ();

# Flags of send that the Socket.pm of an old perl does not know.
my %FLAG = (
    linux   => { MSG_DONTWAIT => 0x40, MSG_NOSIGNAL => 0x4000 },
    freebsd => { MSG_DONTWAIT => 0x80, MSG_NOSIGNAL => 0x20000 },
    map({ $_ => { MSG_DONTWAIT => 0x80, MSG_NOSIGNAL => 0x400 } } qw(openbsd netbsd dragonfly)),
    darwin => { MSG_DONTWAIT => 0x80 },
);

# macOS has no flag but an option of the socket: SO_NOSIGPIPE.
my %NO_SIGPIPE = (darwin => 0x1022);

sub constants {
    my $dont_wait = value('MSG_DONTWAIT');
    $CPANBridge::Session::SEND_FLAGS = $dont_wait | value('MSG_NOSIGNAL');
    $CPANBridge::Session::PEEK_FLAGS = $dont_wait | Socket::MSG_PEEK();
    $CPANBridge::Session::LOOK_FLAGS = $dont_wait;
    $CPANBridge::Session::EAGAIN     = Errno::EAGAIN();
    $CPANBridge::Session::EINTR      = Errno::EINTR();
    @CPANBridge::Connect::NUMBERS    = (
        Socket::SOCK_STREAM(),      Socket::SOL_SOCKET(), value('SO_RCVTIMEO'), Errno::ECONNREFUSED(),
        \&Socket::pack_sockaddr_un, \&peer_uid,
    );
    return;
}

# A constant of Socket.pm, 0 where neither system nor perl has it.
sub value {
    my ($name) = @_;
    my $code   = Socket->can($name);
    my $value  = $code && eval { $code->() };
    return $value || ($FLAG{$^O} || {})->{$name} || 0;
}

# Linux has SO_PEERCRED, the BSDs and macOS LOCAL_PEERCRED (struct xucred). Elsewhere the
# directory, which only this user can write to, has to do.
sub peer_uid {
    my ($fh) = @_;
    setsockopt $fh, Socket::SOL_SOCKET(), $NO_SIGPIPE{$^O}, 1 if $NO_SIGPIPE{$^O};
    if (my $option = value('SO_PEERCRED')) {
        my $bytes = getsockopt $fh, Socket::SOL_SOCKET(), $option;
        return (unpack 'lLL', $bytes || '')[1];
    }
    return $> if $^O !~ /\A(?:darwin|freebsd|dragonfly)\z/;
    my $bytes = getsockopt $fh, 0, 1;
    return (unpack 'LL', $bytes || '')[1];
}

1;
