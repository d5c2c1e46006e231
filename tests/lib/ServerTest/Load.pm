package ServerTest::Load;

# Very many scripts at once, and very many rows, through the bridge.

use strict;
use warnings;

use ServerTest;
use Test::More;

use constant SCRIPTS => 200;
use constant ROWS    => 1_000_000;

sub all {
    my ($f) = @_;
    many_scripts($f);
    many_rows($f);
    return;
}

# Each connects and makes 20 selects.
sub many_scripts {
    my ($f) = @_;
    my $limit = pool_size();
    $f->server->count_connections;
    my @jobs = map {
        script($f, <<'PERL', args => [$_], seconds => 200)
my $dbh = connect_to();
my $sum = 0;
for my $n (1 .. 20) { my ($got) = $dbh->selectrow_array("select $ARGV[0] * 1000 + $n"); $sum += $got - $ARGV[0] * 1000 }
print $sum;
PERL
    } 1 .. SCRIPTS;
    my %result;
    for my $job (@jobs) {
        my $done = BridgeTest::wait_for($job);
        $result{ $done->{out} eq '210' ? 'right' : "wrong: $done->{out} $done->{err}" }++;
    }
    is_deeply(\%result, { right => SCRIPTS }, SCRIPTS . ' scripts at once, 20 selects each, all succeed');
    my $seen = $f->server->most_connections;
    cmp_ok($seen, '>',  0,      'the server was watched');
    cmp_ok($seen, '<=', $limit, "it never had more than the pool's $limit connections ($seen)");
    return;
}

# Script and daemon together stay below 100 MB, whatever the way.
sub many_rows {
    my ($f) = @_;
    for my $way (qw(fetch fetchrow_hashref)) {
        my $rows   = ROWS;
        my $script = script($f, <<'PERL', args => [$rows, $way], env => { SQL => $f->rows_sql($rows) }, seconds => 100);
my ($rows, $way) = @ARGV;
my $dbh = connect_to();
my $sth = $dbh->prepare($ENV{SQL});
$sth->execute;
my ($count, $sum) = (0, 0);
if ($way eq 'fetch') { while (my $row = $sth->fetch) { $count++; $sum += $row->[0] } }
else { my $name = $sth->{NAME}[0]; while (my $row = $sth->fetchrow_hashref) { $count++; $sum += $row->{$name} } }
sub peak { open my $in, '<', "/proc/$_[0]/status" or die; my ($kb) = map { /^VmHWM:\s*(\d+)/ } <$in>; return $kb }
print join ' ', $count, $sum, peak('self'), peak(CPANBridge->session->{daemon}{pid});
PERL
        my $done = BridgeTest::wait_for($script);
        my ($count, $sum, $mine, $daemon) = split ' ', $done->{out};
        is($count, $rows,                   "$rows rows, each once, by $way") or diag $done->{err};
        is($sum,   $rows * ($rows + 1) / 2, 'and right');
        cmp_ok($mine + $daemon, '<', 100_000, "script and daemon together stay below 100 MB ($mine + $daemon kB)");
        BridgeTest::bridge(['stop']);
    }
    return;
}

# The default of the pool's configuration (docs/limits.md).
sub pool_size { return 20 }

1;
