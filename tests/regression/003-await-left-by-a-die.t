# A signal handler that dies out of await: the posted call is neither lost nor cancelled,
# until it is forgotten.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use CPANBridge;
use Time::HiRes qw(alarm time);
my $session = CPANBridge->session;
$SIG{ALRM} = sub { die "alarm\n" };
sub left {
    my ($seq, $after) = @_;
    alarm $after;
    my $done = eval { $session->await($seq); 1 };
    alarm 0;
    return $done ? 'done' : $@;
}
for my $after (0.02, 0.3) {
    my $seq  = $session->post('test.sleep', [0.6]);
    my $next = $session->post('test.echo',  ['next']);
    print left($seq, $after);
    print $session->request('test.echo', ['between'])->[0], "\n";
    print ref $session->await($seq), ' ', $session->await($next)->[0], "\n";
}
my $begin = time;
my $slot;
$session->post('test.sleep', [600], \$slot);
print left($slot, 0.3);
$session->forget($slot);
print $session->request('test.echo', ['after'])->[0], "\n";
print time - $begin < 10 ? "cancelled\n" : "late\n";
print join(',', map { scalar keys %{ $session->{$_} } } qw(kept early outer)), "\n";

# At any moment: no reply is lost, none comes twice.
my ($wrong, $left, $armed) = (0, 0, 0);
use Time::HiRes 'ualarm';
$SIG{ALRM} = sub { die "alarm\n" if $armed };
for my $round (1 .. 1500) {
    my $value = $round % 4 ? $round : $round . 'x' x 30_000;
    my $seq = $session->post('test.echo', [$value]);
    my $got;
    for my $try (1 .. 50) {
        my $done = eval {
            $armed = 1;
            ualarm(1 + int rand 120) if $try < 50;
            $got   = $session->await($seq), $armed = 0;
            1;
        };
        $armed = 0;
        ualarm 0;
        last if $done || $got;
        $left++;
        if ($@ ne "alarm\n") { print "round $round: $@"; last }
    }
    $wrong++ if !$got || $got->[0] ne $value;
}
print "wrong $wrong", $left > 20 ? '' : ', too few', "\n";
PERL
is($result->{out}, <<'OUT', 'it can be waited for again; forgotten, it is cancelled') or diag $result->{err};
alarm
between
SCALAR next
alarm
between
SCALAR next
alarm
after
cancelled
0,0,0
wrong 0
OUT

done_testing;
