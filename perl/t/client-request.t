# Calls and their results: request, post, await, forget, oneway, errors.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Test::More;

use CPANBridge;

# Answers echo, refuses fail, tells what it has seen of one-way calls.
my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh) = @_;
        my @oneway;
        while (my $frame = FakeDaemon::read_frame($fh)) {
            my ($seq, $name, $params) = @{$frame}{qw(seq name params)};
            if (!$seq)                   { push @oneway, [$name, $params] }
            elsif ($name eq 'test.fail') { FakeDaemon::error($fh, $seq, %{$params}) }
            elsif ($name eq 'test.seen') { FakeDaemon::reply($fh, $seq, [@oneway]) }
            elsif ($name eq 'test.size') { FakeDaemon::reply($fh, $seq, \('x' x $params->[0])) }
            else                         { FakeDaemon::reply($fh, $seq, [$name, $params]) }
        }
    }
);
$ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
$ENV{CPAN_BRIDGE_MODE}   = 'daemon';

my $session = CPANBridge->session;
ok($session->{epoch}, 'a session has an epoch');
is(CPANBridge->session,         $session, 'the session is kept');
is($session->{daemon}{version}, '0.1.0',  'the hello of the daemon is known');

is_deeply($session->request('test.echo', [1, [2, {}]]), ['test.echo', [1, [2, {}]]], 'an array of parameters');
is_deeply($session->request('test.echo', { a => 1 }),   ['test.echo', { a => 1 }],   'a hash of parameters');
is_deeply($session->request('test.echo', 'x'),          ['test.echo', ['x']],        'a scalar becomes a list of one');
is_deeply($session->request('test.echo'), ['test.echo', []], 'no parameters');

my @values = (undef, 0, -1, 2**53, 0.1, '', '007', "\x00\xff", "\x{263a}", 'x' x 300);
my $back   = $session->request('test.echo', \@values)->[1];
is_deeply($back, \@values, 'every kind of value comes back');
ok(!utf8::is_utf8($back->[7]) && utf8::is_utf8($back->[8]), 'bytes are bytes and text is text');

for my $bytes (10, 4080, 4087, 4088, 5000, 70_000, 262_140, 262_144, 4_000_000) {
    my $sent = $session->request('test.echo', ['x' x $bytes]);
    is(length $sent->[1][0],                                 $bytes, "$bytes bytes there and back");
    is(length ${ $session->request('test.size', [$bytes]) }, $bytes, "$bytes bytes back");
}

# Whether an answer is looked for or slept for makes no difference.
for my $looks (1, $CPANBridge::Session::LOOKS) {
    local $CPANBridge::Session::LOOKS = $looks;
    for (1 .. 3) {
        my @bytes = map { length ${ $session->request('test.size', [$_]) } } 0, 1, 255, 256;
        is_deeply(\@bytes, [0, 1, 255, 256], "short texts, with at most $looks looks");
        my $posted = $session->post('test.echo', ['posted']);
        is_deeply($session->request('test.echo', ['x'])->[1],     ['x'],      'an answer that comes behind another');
        is_deeply($session->await($posted)->[1],                  ['posted'], 'which is there as well');
        is_deeply($session->request('test.echo', ["\x{263a}"])->[1], ["\x{263a}"], 'text');
    }
}
is_deeply(
    $session->request('test.echo', undef, Storable::nfreeze([1, ['two']])),
    ['test.echo', [1, ['two']]], 'parameters as an image that the caller made'
);

my @seq = map { $session->post('test.echo', [$_]) } 1 .. 3;
is_deeply($session->request('test.echo', [4])->[1], [4], 'a call overtakes posted ones for the caller');
is_deeply($session->await($seq[1])->[1],            [2], 'a posted call is awaited out of order');
$session->forget($seq[0]);
is_deeply($session->await($seq[2])->[1], [3], 'and another, after one was forgotten');
ok(!eval { $session->await($seq[0]); 1 }, 'a forgotten one cannot be awaited');
like($@, qr/there is no call $seq[0] to wait for/, 'and the error says so');
@seq = map { $session->post('test.size', [$_]) } 200_000, 300_000;
is(length ${ $session->await($seq[0]) }, 200_000, 'large replies that come together: first');
is(length ${ $session->await($seq[1]) }, 300_000, 'and second');
is_deeply($session->{kept}, {}, 'nothing is kept afterwards');

$session->oneway('test.close', [$_]) for 1, 2;
is_deeply(
    $session->request('test.seen'), [['test.close', [1]], ['test.close', [2]]],
    'one-way calls ride in front of the next'
);
$session->oneway('test.close', [3], 1);
is($session->{before},                         '', 'one that is urgent does not wait');
is(scalar @{ $session->request('test.seen') }, 3,  'and arrives');
ok(
    eval {
        $session->oneway('test.close', [sub { }]);
        1
    },
    'a one-way call never dies'
);

my %error = (
    code      => 'database', message => 'no such table: x', err => 1, errstr => 'no such table: x', state => 'HY000',
    retryable => 0
);
ok(!eval { $session->request('test.fail', \%error); 1 }, 'a refused call dies');
my $line  = __LINE__ - 1;
my $error = $@;
isa_ok($error, 'CPANBridge::Error');
is($error->{$_},                          $error{$_},  "it carries $_") for sort keys %error;
is("$error->{module}.$error->{function}", 'test.fail', 'and what was called');
is("$error", "no such table: x at $0 line $line.\n",   'as text it names the place in the script');
ok(!eval { $session->await($session->post('test.fail', \%error)); 1 }, 'so does one that was posted');
is($@->{err}, 1, 'with the same fields');

ok(
    !eval {
        $session->request('test.echo', [sub { }]);
        1
    },
    'code cannot be sent'
);
is($@->{code}, 'bad_params', 'which is an error of the parameters');
like(
    $@, qr/parameters of test\.echo cannot be sent: Can't store CODE items.* at \Q$0\E line \d+/,
    'with a reason and a place'
);
is_deeply($session->request('test.echo', [1])->[1], [1], 'and the session goes on');

{
    my @calls;
    local $SIG{__DIE__}  = sub { push @calls, "die @_" };
    local $SIG{__WARN__} = sub { push @calls, "warn @_" };
    local ($,, $\, $/, $", $;) = qw(a b c d e);
    local $_ = 'kept';
    local $| = 1;
    $@ = 'before';
    $! = 7;
    $? = 9;
    $session->request('test.echo', [1]) for 1 .. 3;
    $session->await($session->post('test.size', [300_000]));
    $session->oneway('test.close', [4], 1);
    is_deeply([$! + 0, $@, $?, $_], [7, 'before', 9, 'kept'], 'the variables of the script are untouched');
    is_deeply(\@calls,              [],                       'and its handlers not called');
}

$session->{seq} = 0xfffffffe;
is_deeply(
    [map { $session->request('test.echo', [$_])->[1][0] } 1 .. 4], [1 .. 4],
    'calls go on when the numbers begin again'
);
cmp_ok($session->{seq}, '<', 10, 'as they have');

my ($got) = map { $session->request('test.echo', [$_])->[1][0] } 'tainted?';
is($got,                                                  'tainted?', 'a call inside map');
is(scalar(my @list = $session->request('test.echo', [])), 1,          'a result is one value in list context');

$session->close;
ok(!$session->usable,                           'a closed session is not usable');
ok(!eval { $session->request('test.echo'); 1 }, 'and dies');
like($@, qr/the bridge daemon that held this handle has ended \(it was closed\); connect again/, 'with a clear text');
my $next = CPANBridge->session;
isnt($next, $session, 'the next session is another');
cmp_ok($next->{epoch}, '>', $session->{epoch}, 'with an epoch of its own');
is_deeply($next->request('test.echo', [5])->[1], [5], 'and works');

done_testing;
