# alarm and die in mid-call, signals that only interrupt, deadlines.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Storable ();
use Test::More;
use Time::HiRes qw(ualarm);

use CPANBridge;

# wait [seconds, value]: answers after that time; half: sends half a frame, then waits;
# cancels: the numbers of the calls it was told to cancel.
my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh) = @_;
        my @cancelled;
        while (my $frame = FakeDaemon::read_frame($fh)) {
            push @cancelled, $frame->{seq} if $frame->{kind} == 8;
            next if $frame->{kind} != 2;
            my ($seq, $name, $params) = @{$frame}{qw(seq name params)};
            my ($seconds, $value) = @{$params};
            if ($name eq 'test.cancels') { FakeDaemon::reply($fh, $seq, [@cancelled]); next }
            my $image = Storable::nfreeze([$value]);
            my $bytes = pack('NCN', 5 + length $image, 3, $seq) . $image;
            FakeDaemon::write_bytes($fh, substr $bytes, 0, 11, '') if $name eq 'test.half';
            select undef, undef, undef, $seconds || 0;
            FakeDaemon::write_bytes($fh, $bytes);
        }
    }
);
$ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
my $session = CPANBridge->session;

# The error of a call that a signal handler dies out of after so long.
sub interrupted {
    my ($after, $name, @params) = @_;
    local $SIG{ALRM} = sub { die "alarm\n" };
    ualarm($after * 1e6);
    my $done  = eval { $session->request($name, \@params); 1 };
    my $error = $@;
    ualarm(0);
    return $done ? 'done' : $error;
}

for my $name (qw(test.wait test.half)) {
    is(interrupted(0.02, $name, 0.2, 'late'), "alarm\n", "$name: the handler's die arrives");
    my $number = $session->{seq};
    is_deeply($session->request('test.wait', [0, 'mine']), ['mine'], 'the late reply is not taken for the next one');
    is_deeply(
        [grep { $_ == $number } @{ $session->request('test.cancels') }], [$number],
        'the abandoned call was cancelled'
    );

    is(interrupted(0.15, $name, 0.4, 'late'), "alarm\n", "$name: after a longer wait, too");
    $number = $session->{seq};
    is($session->{busy}, 0, 'there the cancel is sent at once');
    is_deeply($session->request('test.wait', [0, 'mine']), ['mine'], 'the next call gets its own reply');
    is_deeply(
        [grep { $_ == $number } @{ $session->request('test.cancels') }], [$number],
        'and the abandoned one was cancelled'
    );
}

my $large = 'x' x 3_000_000;
is(interrupted(0.02, 'test.wait', 0.2, $large), "alarm\n", 'a call with a large frame and a large reply');
is_deeply($session->request('test.wait', [0, 'mine']), ['mine'], 'is skipped just as well');

# The daemon does not read while it waits, so this die leaves a frame half written.
my $seq = $session->post('test.wait', [0.3, 'first']);
is(interrupted(0.05, 'test.wait', 0, $large), "alarm\n", 'interrupted while writing');
is_deeply($session->request('test.wait', [0, 'mine']), ['mine'],  'the rest of the frame goes first');
is_deeply($session->await($seq),                       ['first'], 'and what was posted before is there');

# A storm of signals, none of which means the end.
{
    my $count = 0;
    local $SIG{ALRM} = sub { $count++ };
    ualarm(3000, 3000);
    my $wrong = 0;
    for my $round (1 .. 40) {
        my $got = $session->request('test.wait', [0.01, "$round$large"]);
        $wrong++ if $got->[0] ne "$round$large";
    }
    ualarm(0);
    is($wrong, 0, 'calls go on through interrupts');
    cmp_ok($count, '>', 20, 'whose handlers ran');
}
{
    my $at;
    local $SIG{ALRM} = sub { $at = Time::HiRes::time() };
    my $begin = Time::HiRes::time();
    ualarm(100_000);
    $session->request('test.wait', [1.5, 'x']);
    ok($at && $at - $begin < 1.2, 'a handler runs while the call is waited for, not after it');
}

# A storm of dies at any moment: the session stays in step.
{
    my ($died, $wrong, $armed) = (0, 0, 0);
    local $SIG{ALRM} = sub { die "alarm\n" if $armed };
    for my $round (1 .. 400) {
        my $value = $round % 3 ? $round : "$round" . ('y' x (20_000 * ($round % 7)));
        eval {
            $armed = 1;
            ualarm(1 + int rand 400);
            my $got = $session->request('test.wait', [0, $value]);
            $armed = 0;
            $wrong++ if $got->[0] ne $value;
            1;
        } or do { $@ eq "alarm\n" ? $died++ : diag $@ };
        $armed = 0;
        ualarm(0);
    }
    is($wrong, 0, 'no reply was taken for another');
    cmp_ok($died, '>', 0, "with $died calls abandoned");
    is_deeply($session->request('test.wait', [0, 'end']), ['end'], 'and the session lives');
}

# A deadline.
{
    $session->close;
    my $own   = CPANBridge->new(timeout => 0.2);
    my $begin = Time::HiRes::time();
    my $reply = $own->call(test => wait => [5, 'late']);
    cmp_ok(Time::HiRes::time() - $begin, '<', 20, 'a deadline ends the wait');
    is($reply->{code}, 'timeout', 'with its own code');
    like($reply->{error}, qr/no answer from test\.wait within 0\.2 s \(timeout\); the call was cancelled/, 'and text');
}

done_testing;
