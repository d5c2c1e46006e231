# Frames that are malformed, too long or cut off: an error to whoever sent them, and not a
# word to any other session.
use strict;
use warnings;
use open qw(:std :utf8);

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Storable ();
use Test::More;

is(bridge(['start'])->{status}, 0, 'the daemon runs');
my $bystander = connect_raw();
my $hello     = hello($bystander);
is($hello->{protocol}, 1, 'a bystander has a session');
my $daemon = $hello->{pid};
my $seq    = 0;

sub bystander_works {
    my ($after) = @_;
    my ($kind, $result) = raw_call($bystander, ++$seq, 'test.echo', [$after, $seq]);
    return is_deeply([$kind, $result], [3, [$after, $seq]], "after $after another session works");
}

# What comes back for these bytes, until the daemon closes (or for a second).
sub answer {
    my ($bytes, %option) = @_;
    my $fh = connect_raw();
    hello($fh) if !$option{raw};
    local $SIG{PIPE} = 'IGNORE';
    FakeDaemon::write_bytes($fh, $bytes);
    shutdown $fh, 1 if $option{cut};
    my $frame = FakeDaemon::read_frame($fh) or return;
    my $image = substr $frame->{rest}, $frame->{kind} == 1 ? 0 : 4;
    return { %{$frame}, error => eval { Storable::thaw($image) } };
}

sub call { my ($number, $name, $image) = @_; return FakeDaemon::frame(2, pack('N n/a*', $number, $name) . $image) }
my $params = Storable::nfreeze([]);

my %bad = (
    'a frame longer than the limit' => [pack('NC', 0x40000001, 2),   qr/MAX_FRAME_BYTES/, 'limit|bad_frame'],
    'a frame of no kind'            => [pack('NC', 5, 200) . 'abcd', qr/kind/,            'bad_frame'],
    'an empty frame'                => [pack('N', 0) . 'x' x 20,     qr/./,               'bad_frame'],
    'a call without a number'       => [FakeDaemon::frame(2, 'ab'),  qr/./,               'bad_frame'],
    'a call with half a name'       => [FakeDaemon::frame(2, pack('N n a*', 1, 100, 'test.ping')),  qr/./, 'bad_frame'],
    'a second hello'                => [FakeDaemon::frame(1, Storable::nfreeze({ protocol => 1 })), qr/./, 'bad_frame'],
    'a reply from a client'         => [FakeDaemon::frame(3, pack('N', 1) . $params),               qr/./, 'bad_frame'],
);
for my $name (sort keys %bad) {
    my ($bytes, $text, $code) = @{ $bad{$name} };
    my $frame = answer($bytes);
    ok($frame, "$name is answered") or next;
    is($frame->{kind}, 4, 'by an error');
    like($frame->{error}{code},    qr/^(?:$code)$/, "of the code $code");
    like($frame->{error}{message}, $text,           'that says what is wrong');
    bystander_works($name);
}

my %image = (
    'parameters that are no image'      => 'garbage',
    'an image that is cut off'          => substr(Storable::nfreeze([1, 2, 3]), 0, -2),
    'a blessed value'                   => Storable::nfreeze([bless {}, 'Trap']),
    'an array of four thousand million' => "\x05\x0b\x02" . pack('N', 0xfffffff0),
    'arrays inside each other, deep'    => "\x05\x0b" . ("\x04\x02\x00\x00\x00\x01" x 100_000),
    'a string that claims a gigabyte'   => "\x05\x0b\x02\x00\x00\x00\x01\x01\x3f\xff\xff\xff" . 'x',
);
for my $name (sort keys %image) {
    my $frame = answer(call(7, 'test.echo', $image{$name}));
    is($frame && $frame->{kind}, 4, "$name: an error");
    is($frame->{seq},            7, 'of that call');
    like($frame->{error}{code}, qr/^(?:bad_params|limit)$/,
        "with its code ($frame->{error}{code}: $frame->{error}{message})");
    bystander_works($name);
}

my %unknown =
    ('nope.ping' => 'unknown_module', 'test.nope' => 'unknown_function', 'nope' => 'unknown_module|unknown_function',
    "t\xffst.x" => 'bad_frame');
for my $name (sort keys %unknown) {
    my $frame = answer(call(3, $name, $params));
    like($frame->{error}{code}, qr/^(?:$unknown{$name})$/, "calling $name: $frame->{error}{code}");
}
bystander_works('unknown names');

ok(!answer(pack('NC', 100, 2) . 'abc', cut => 1) || 1, 'a frame that is cut off');
bystander_works('a frame that is cut off');
ok(!answer('ab', cut => 1) || 1, 'half a header');
bystander_works('half a header');
for my $first (FakeDaemon::frame(1, 'garbage'), FakeDaemon::frame(1, Storable::nfreeze({ protocol => 99 })),
    call(1, 'test.ping', $params), "GET / HTTP/1.0\r\n\r\n")
{
    my $frame = answer($first, raw => 1);
    is($frame && $frame->{kind}, 4, 'no proper hello: an error');
    like($frame->{error}{message}, qr/./, "that says why: $frame->{error}{message}") if $frame;
}
bystander_works('no hello');

# A client that never finishes its frame, or never begins, holds nobody up.
my @slow = map { connect_raw() } 1 .. 20;
for my $n (0 .. $#slow) {
    hello($slow[$n])                                                 if $n % 2;
    FakeDaemon::write_bytes($slow[$n], pack('NC', 1000, 2) . 'slow') if $n % 4 > 1;
}
bystander_works('twenty clients that say nothing more');
@slow = ();

# Noise of every length.
srand 1;
for my $round (1 .. 200) {
    my $fh = connect_raw() or last;
    hello($fh) if $round % 2;
    local $SIG{PIPE} = 'IGNORE';
    FakeDaemon::write_bytes($fh, pack('N', int rand 60) . join '', map { chr int rand 256 } 1 .. rand 80);
}
bystander_works('two hundred clients that send noise');
ok(alive($daemon), 'the daemon is the same');
is(daemon_pid(), $daemon, 'all along');
ok(bridge(['ping'])->{status} == 0, 'and well');

done_testing;
