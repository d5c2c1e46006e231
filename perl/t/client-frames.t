# What a daemon must not send: each ends the session with a clear error, at once.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Storable ();
use Test::More;

use CPANBridge;

# Perl 5.10.1's Test::More has no subtests.
BEGIN {
    *subtest = sub { my ($name, $code) = @_; note $name; return $code->() }
        if !defined &subtest
}

# Sends these bytes as the answer to the first call (and ends, or stays silent).
sub answered_with {
    my ($bytes, $stay) = @_;
    my $daemon = FakeDaemon->start(
        serve => sub {
            my ($fh) = @_;
            my $frame = FakeDaemon::read_frame($fh) or return;
            FakeDaemon::write_bytes($fh, $bytes);
            FakeDaemon::read_frame($fh) if $stay;
        }
    );
    local $ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
    local $ENV{CPAN_BRIDGE_MODE}   = 'daemon';
    local $SIG{ALRM}               = sub { die "nothing happened for ten seconds\n" };
    alarm 10;
    my $session = CPANBridge->session;
    my $result  = eval { $session->request('test.echo', [1]) };
    my $error   = $@;
    alarm 0;
    is($result, undef, 'no result');
    ok(!$session->usable,                                'the session is over');
    ok(!eval { $session->request('test.echo', [1]); 1 }, 'and says so when it is used');
    like($@, qr/the bridge daemon that held this handle has ended/, 'in the words of a lost handle');
    return $error;
}

sub reply { return pack('NCN', 5 + length $_[0], 3, 1) . $_[0] }

my $good  = Storable::nfreeze([1]);
my @cases = (
    [
        'a frame that is too long', pack('NCN', 0x7fffffff, 3, 1) . 'x', 'bad_frame',
        qr/not understood \(one of 2147483647 bytes\)/, 1
    ],
    ['an HTTP server',  "HTTP/1.0 400 Bad Request\r\n", 'bad_frame', qr/not understood \(one of \d+ bytes\)/,        1],
    ['an unknown kind', pack('NCN', 5, 77, 1),          'bad_frame', qr/not understood \(kind 77\)/,                 1],
    ['a frame without a number', pack('NC', 1, 3),      'bad_frame', qr/not understood \(kind 3 with 1 bytes\)/,     1],
    ['an empty frame',           pack('NC', 0, 3),      'bad_frame', qr/not understood \(kind 3 with 0 bytes\)/,     1],
    ['an image that is none',    reply('garbage'),      'bad_frame', qr/a reply that cannot be read/,                1],
    ['an image that is cut off', reply(substr $good, 0, -1), 'bad_frame', qr/a reply that cannot be read/,           1],
    ['a large one',              reply('x' x 10_000),        'bad_frame', qr/a reply that cannot be read/,           1],
    ['a callback without an id', pack('NCN', 5, 6, 1),       'bad_frame', qr/not understood \(kind 6\)/,             1],
    ['rows nobody asked for',   pack('NCN', 5 + length $good, 5, 1) . $good, 'bad_frame', qr/rows nobody asked for/, 1],
    ['a frame that is cut off', substr(reply($good), 0, -1), 'daemon_lost', qr/it ended in the middle of a reply/],
    ['half a header',           'ab',                        'daemon_lost', qr/it ended in the middle of a reply/],
    ['nothing',                 '',                          'daemon_lost', qr/it ended or closed the connection/],
    ['a goodbye',               pack('NCC', 2, 9, 0),        'daemon_lost', qr/it is shutting down/],
);

for my $case (@cases) {
    my ($name, $bytes, $code, $text, $stay) = @{$case};
    subtest $name => sub {
        my $error = answered_with($bytes, $stay);
        is(ref $error && $error->{code}, $code, "the code is $code");
        like($error, $text,                                    'the reason is named');
        like($error, qr/whether it was executed is not known/, 'and what is not known');
        like($error, qr/ at \Q$0\E line \d+\.\n\z/,            'and where it was called');
    };
}

subtest 'an error about the connection' => sub {
    my $image = Storable::nfreeze({ code => 'limit', message => 'too many calls' });
    my $error = answered_with(pack('NCN', 5 + length $image, 4, 0) . $image, 1);
    is($error->{code}, 'limit', 'carries its code');
    like($error, qr/^too many calls at /, 'and its message');
};

subtest 'frames in single bytes' => sub {
    my $daemon = FakeDaemon->start(
        serve => sub {
            my ($fh) = @_;
            while (my $frame = FakeDaemon::read_frame($fh)) {
                my $image = Storable::nfreeze(['x' x 20]);
                for my $byte (split //, pack('NCN', 5 + length $image, 3, $frame->{seq}) . $image) {
                    FakeDaemon::write_bytes($fh, $byte);
                    select undef, undef, undef, 0.001;
                }
            }
        }
    );
    local $ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
    my $session = CPANBridge->session;
    is_deeply($session->request('test.echo'), ['x' x 20], 'are put together') for 1, 2;
};

subtest 'a reply with an object in it' => sub {
    my $daemon = FakeDaemon->start(
        serve => sub {
            my ($fh) = @_;
            my $frame = FakeDaemon::read_frame($fh);
            FakeDaemon::reply($fh, $frame->{seq}, [bless {}, 'Trap']);
            FakeDaemon::read_frame($fh);
        }
    );
    local $ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
    my $got     = CPANBridge->session->request('test.echo');
    my $blessed = @CPANBridge::Session::FLAGS ? 'HASH' : 'Trap';
    is(ref $got->[0], $blessed, 'is not blessed where Storable has a switch for it');
};

done_testing;
