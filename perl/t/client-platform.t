# Systems whose numbers the client does not know by heart: from perl's own modules.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Test::More;

use CPANBridge;
use CPANBridge::Connect;
use CPANBridge::Platform;

CPANBridge::Connect::constants();
my @known = (
    @CPANBridge::Connect::NUMBERS[0 .. 3], $CPANBridge::Session::SEND_FLAGS, $CPANBridge::Session::PEEK_FLAGS,
    $CPANBridge::Session::EAGAIN
);
$CPANBridge::Session::EAGAIN = 0;
CPANBridge::Platform::constants();
my @asked = (
    @CPANBridge::Connect::NUMBERS[0 .. 3], $CPANBridge::Session::SEND_FLAGS, $CPANBridge::Session::PEEK_FLAGS,
    $CPANBridge::Session::EAGAIN
);
$known[2] = $asked[2] if !$asked[2];    # an old Socket.pm does not know SO_RCVTIMEO
is_deeply(\@asked, \@known, 'what is known by heart is what the system says');
is($CPANBridge::Connect::NUMBERS[4]->('/a/b'), Socket::pack_sockaddr_un('/a/b'), 'an address');
is_deeply(
    [Socket::unpack_sockaddr_un(CPANBridge::Connect::linux_address('/a/b'))], ['/a/b'],
    'is the same in the short way'
) if $^O eq 'linux';

# A session with those numbers, found as on a system that is not Linux.
my $daemon = FakeDaemon->start(serve => \&FakeDaemon::echo);
{
    no warnings 'redefine';
    local *CPANBridge::Connect::linux_peer    = sub { die 'not asked' };
    local *CPANBridge::Connect::linux_address = sub { die 'not asked' };
    local $^O                                 = 'another';
    $CPANBridge::Connect::STREAM = undef;
    my $session = CPANBridge::Connect::open_session({ socket => $daemon->{socket}, mode => 'daemon' });
    is_deeply($session->request('test.echo', [1])->[1], [1], 'a session');
    ok($session->usable, 'that is usable');
    is_deeply($session->request('test.echo', ['x' x 100_000])->[1], ['x' x 100_000], 'with large frames');
    $daemon->stop;
    ok(!eval { $session->request('test.echo', [1]) while 1; 1 }, 'a daemon that is gone does not end the script');
    like($@, qr/lost connection/, 'but is an error');
}

done_testing;
