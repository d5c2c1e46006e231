# Two users: the daemon serves its own user only, and the client talks to its own user's
# daemon only.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

die "this test needs two users: run it as root\n" if $> != 0;
my ($other) = grep { defined } map { scalar getpwnam $_ } qw(nobody daemon bin);
die "there is no second user here\n" if !$other;

my $ping = 'use CPANBridge; print ${ CPANBridge->session->request("test.ping") }';
is(perl($ping)->{out}, 'pong', 'the daemon of the first user runs');
my $daemon = daemon_pid();

# The other user gets at the socket (as if its directory had been left open), and speaks.
chmod oct 711, $WORLD;
chmod oct 711, "$WORLD/run";
chmod oct 711, "$WORLD/run/cpan-bridge";
chmod oct 777, socket_path();
my $raw = <<'PERL';
use Socket;
use Storable;
socket my $fh, AF_UNIX, SOCK_STREAM, 0 or die $!;
connect $fh, pack_sockaddr_un($ARGV[0]) or die "connect: $!";
my $hello = Storable::nfreeze({ protocol => 1 });
my $ping  = pack('N n/a*', 1, 'test.ping') . Storable::nfreeze([]);
syswrite $fh, pack('NC', 1 + length $hello, 1) . $hello . pack('NC', 1 + length $ping, 2) . $ping if $ARGV[1] eq 'frames';
syswrite $fh, '{"module":"test","function":"ping","params":[]}' if $ARGV[1] eq 'json';
shutdown $fh, 1;
my $text = '';
1 while sysread $fh, $text, 65536, length $text;
print $text;
PERL
my $file = spew("$WORLD/raw.pl", $raw);
for my $way (qw(frames json)) {
    my $result = wait_for(spawn([$^X, $file, socket_path(), $way], uid => $other));
    unlike($result->{out}, qr/pong/, "a second user is not served ($way)");
    like($result->{out}, qr/this daemon serves user 0 only, and you are user $other/, 'and told why')
        or diag $result->{err};
}
is(wait_for(spawn([$^X, $file, socket_path(), 'json']))->{out} =~ /pong/ ? 1 : 0, 1, 'the first user is');

# The client of the other user does not even ask.
my $client = perl($ping, uid => $other, env => { CPAN_BRIDGE_SOCKET => socket_path(), CPAN_BRIDGE_MODE => 'daemon' });
isnt($client->{status}, 0, 'the client of another user refuses');
like($client->{err}, qr/belongs to user 0, not to you \(user $other\)/, 'and says whose directory it is');

# A daemon of somebody else in a directory of one's own: nothing is read from it.
chmod oct 700, "$WORLD/run/cpan-bridge";
chmod oct 777, $WORLD;
mkdir "$WORLD/theirs", oct 700;
my $foreign = FakeDaemon->start(directory => "$WORLD/theirs", serve => \&FakeDaemon::echo);
chmod oct 777, $foreign->{socket};
chown $other, $other, "$WORLD/theirs";
$client = perl($ping, uid => $other, env => { CPAN_BRIDGE_SOCKET => $foreign->{socket}, CPAN_BRIDGE_MODE => 'daemon' });
isnt($client->{status}, 0, 'a foreign daemon on a socket in an own directory is refused');
like($client->{err}, qr/the daemon on \S+ belongs to user 0, not to you \(user $other\); not used/,
    'by its credentials');
$foreign->stop;

# Each has a daemon of their own.
mkdir "$WORLD/other",      oct 700;
mkdir "$WORLD/other/home", oct 700;
chown $other, $other, "$WORLD/other", "$WORLD/other/home";
my %env = (
    CPAN_BRIDGE_BIN => binary_for_all(),
    XDG_RUNTIME_DIR => "$WORLD/other",
    XDG_STATE_HOME  => "$WORLD/other",
    HOME            => "$WORLD/other/home",
);
my $own = perl('use CPANBridge; print CPANBridge->session->{daemon}{pid}', uid => $other,
    env => { %env, CPAN_BRIDGE_MODE => 'daemon' });
like($own->{out}, qr/^\d+$/, 'the other user gets a daemon of their own') or diag $own->{err};
isnt($own->{out}, $daemon, 'another one');
is((stat "/proc/$own->{out}")[4], $other, 'that runs as that user');
kill TERM => $own->{out} if $own->{out};

done_testing;
