# A SELECT of many rows: neither the script nor the daemon keeps them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $ROWS = 1_000_000;

# Two runs, of a few rows and of very many: the difference is what rows cost to keep.
my $code = <<'PERL';
use CPANBridge;
use DBI;
my ($rows, $way) = @ARGV;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my $sth = $dbh->prepare("with recursive n(i) as (select 1 union all select i + 1 from n where i < $rows) select i, i * 2, 'text ' || i, i / 3.0, 'x' from n");
$sth->execute;
my ($count, $sum) = (0, 0);
if ($way eq 'hash') { while (my $row = $sth->fetchrow_hashref) { $count++; $sum += $row->{i} } }
else                { while (my $row = $sth->fetch)            { $count++; $sum += $row->[0] } }
sub peak { open my $in, '<', "/proc/$_[0]/status" or die; my ($kb) = map { /^VmHWM:\s*(\d+)/ } <$in>; return $kb }
print join ' ', $count, $sum, peak('self'), peak(CPANBridge->session->{daemon}{pid});
PERL

for my $way (qw(array hash)) {
    my %peak;
    for my $rows (10, $ROWS) {
        my $result = perl($code, args => [$rows, $way], seconds => 100);
        my ($count, $sum, $script, $daemon) = split ' ', $result->{out};
        is("$count $sum", join(' ', $rows, $rows * ($rows + 1) / 2), "$rows rows as $way, each once")
            or diag $result->{err};
        $peak{$rows} = { script => $script, daemon => $daemon };
        bridge(['stop']);
    }
    for my $who (qw(script daemon)) {
        my $more = $peak{$ROWS}{$who} - $peak{10}{$who};
        cmp_ok($more, '<', 20_000, "the $who needs no more memory for $ROWS rows than for 10 ($more kB; $way)");
    }
    cmp_ok($peak{$ROWS}{script} + $peak{$ROWS}{daemon}, '<', 100_000, 'and both together stay below 100 MB');
}

# A script that stops reading does not make the daemon read on.
my $stopped = perl(<<'PERL');
use CPANBridge;
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my $sth = $dbh->prepare("with recursive n(i) as (select 1 union all select i + 1 from n) select i, 'some text' from n");
$sth->execute;
my @first = map { $sth->fetchrow_array } 1 .. 100;
$sth->finish;
print scalar @first, ' ', $dbh->selectrow_array('select 42');
PERL
is($stopped->{out}, '200 42', 'an endless SELECT can be left') or diag $stopped->{err};

done_testing;
