# Functions of the script that the daemon calls in mid-call.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Storable ();
use Test::More;

use CPANBridge;

# call.back [id, flags, args...]: calls back, serves nested calls meanwhile, replies with
# [ok, result] of the callback and the kinds of frames that came before it.
sub serve_call {
    my ($fh, $call) = @_;
    my ($id, $flags, @args) = @{ $call->{params} };
    FakeDaemon::write_frame($fh, 6, pack('NNC', $call->{seq}, $id, $flags) . Storable::nfreeze(\@args));
    my @kinds;
    while (!($flags & 1)) {
        my $frame = FakeDaemon::read_frame($fh) or return;
        if ($frame->{kind} == 7 && $frame->{seq} == $call->{seq}) {
            my $ok = unpack 'x4 C', $frame->{rest};
            return FakeDaemon::reply($fh, $call->{seq}, [$ok, Storable::thaw(substr $frame->{rest}, 5), @kinds]);
        }
        push @kinds, $frame->{kind};
        serve($fh, $frame);
    }
    return FakeDaemon::reply($fh, $call->{seq}, ['sent']);
}

sub serve {
    my ($fh, $frame) = @_;
    return                         if $frame->{kind} != 2 || !$frame->{seq};
    return serve_call($fh, $frame) if $frame->{name} eq 'call.back';
    return FakeDaemon::reply($fh, $frame->{seq}, [$frame->{name}, $frame->{params}]);
}

my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh) = @_;
        while (my $frame = FakeDaemon::read_frame($fh)) { serve($fh, $frame) }
    }
);
$ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
local $SIG{ALRM} = sub { die "hanging\n" };
alarm 30;

my $session = CPANBridge->session;
my $id      = $session->callback(sub { return join '+', @_ });
is_deeply($session->request('call.back', [$id, 0, 1, 2, 'x']), [1, \'1+2+x'], 'arguments in, a scalar out');

my $undef = $session->callback(sub { return });
is_deeply($session->request('call.back', [$undef, 0]), [1, \undef], 'nothing is undef');
my $list = $session->callback(sub { return (@_, 'end') }, 1);
is_deeply($session->request('call.back', [$list, 0, 1]), [1, [1, 'end']], 'a list where one is wanted');
my $context;
my $wants = $session->callback(sub { $context = wantarray; return 1 });
$session->request('call.back', [$wants, 0]);
is($context, '', 'the function is called in scalar context');

my $die = $session->callback(sub { die "no such thing\n" });
is_deeply(
    $session->request('call.back', [$die, 0]), [0, { message => "no such thing\n" }],
    'what it dies with is told'
);
my $code = $session->callback(sub {
    return sub { }
});
my $got = $session->request('call.back', [$code, 0]);
is($got->[0], 0, 'a result that cannot be sent is an error');
like($got->[1]{message}, qr/return plain data/, 'that says so');
$session->drop_callback($code);
$got = $session->request('call.back', [$code, 0]);
like($got->[1]{message}, qr/there is no callback $code/, 'a dropped function is not called');

my @inner;
my $nested = $session->callback(sub {
    push @inner, $session->request('a.b', [$_])->[1][0] for 1, 2;
    push @inner, $session->request('call.back', [$id, 0, 'deep', 'er'])->[1];
    return scalar @inner;
});
is_deeply(
    $session->request('call.back', [$nested, 0]), [1, \3, 2, 2, 2],
    'it can make calls, and no cancel is among them'
);
is_deeply(\@inner, [1, 2, \'deep+er'], 'which get their own results');

my $catch = $session->callback(sub {
    eval { $session->request('call.back', [$die, 0]) };
    return "caught: $session->{doing}"
});
is_deeply(
    $session->request('call.back', [$catch, 0]), [1, \'caught: call.back', 2],
    'and a function that is called back in one of them may die'
);

my $seq = $session->post('call.back', [$id, 0, 'p']);
is_deeply($session->request('a.b', [7])->[1], [7], 'a callback of a posted call is served while another is waited for');
is_deeply($session->await($seq),              [1, \'p', 2], 'and the posted call gets its result');

my @heard;
$session->on_notice(sub { push @heard, [notice => @_] });
my $progress = $session->callback(sub { push @heard, [progress => @_] });
is_deeply($session->request('call.back', [0, 1, 'careful']), ['sent'], 'a notice wants no answer');
is_deeply($session->request('call.back', [$progress, 1, 50]), ['sent'], 'nor does progress');
is_deeply(\@heard, [[notice => 'careful'], [progress => 50]], 'both are heard');
$session->on_notice(undef);
is_deeply($session->request('call.back', [0, 1, 'careful']), ['sent'], 'nobody needs to listen');

{
    local $@ = 'mine';
    $! = 5;
    my $clobber = $session->callback(sub {
        eval { die 'x' };
        $! = 9;
        return 1
    });
    $session->request('call.back', [$clobber, 0]);
    is_deeply([$@, $! + 0], ['mine', 5], 'a function does not disturb the variables of the caller');
}

# A function that is left by `last`: the call it belongs to is given up.
my $last = $session->callback(sub { no warnings 'exiting'; last LEAVE });
LEAVE: {
    $session->request('call.back', [$last, 0]);
    fail('last leaves the call');
}
is_deeply($session->request('a.b',       [8]), ['a.b', [8]], 'after a function was left by `last` the session goes on');
is_deeply($session->request('call.back', [$id, 0, 'again']), [1, \'again'], 'with callbacks');

# The same one level down: the outer call is still being waited for.
my $outer = $session->callback(sub {
LEAVE: { $session->request('call.back', [$last, 0]) }
    return 'out:' . $session->request('a.b', [9])->[1][0];
});
my $result = $session->request('call.back', [$outer, 0]);
is_deeply([@{$result}[0, 1]],             [1,     \'out:9'], 'inside another function, too');
is_deeply($session->request('a.b', [10]), ['a.b', [10]],     'and everything is in step afterwards');
ok(!$session->{open}, 'nothing is open');

done_testing;
