# A signal handler that dies while rows are fetched does not end the rows: the next fetch goes on with them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
use Time::HiRes 'ualarm';
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 });
my $sth = $dbh->prepare('with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select i from n');
local $SIG{ALRM} = sub { die "enough\n" };
$sth->execute;
my ($rows, $last, $dies) = (0, 0, 0);
while ($dies < 1000) {
    my $done = eval {
        ualarm 9_000;
        while (my $row = $sth->fetch) { $rows++; $last = $row->[0] }
        ualarm 0;
        1;
    };
    my $error = $@;
    ualarm 0;
    last if $done;
    die $error if $error ne "enough\n";
    $dies++;
}
# A row may have been on its way to the script when the handler died.
print "last $last, ", $rows + $dies >= 100_000 ? 'all' : "only $rows", ', ', $dies ? 'interrupted' : 'not interrupted', "\n";
PERL
is $result->{out}, "last 100000, all, interrupted\n", 'all rows come';
is $result->{err}, '',                                '... and no complaint';
done_testing;
