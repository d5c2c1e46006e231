# A statement that is called off does not take the connection's other statements with it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 });
my $sth = $dbh->prepare('with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select i from n');
$sth->execute;
$sth->fetch;
local $SIG{ALRM} = sub { die "enough\n" };
alarm 1;
eval { $dbh->do('with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000000000) select max(i) from n') };
print $@;
alarm 0;
print $dbh->selectrow_array('select 5'), "\n";
my $rows = 1;
$rows++ while $sth->fetch;
print "$rows\n";
PERL
is $result->{out}, "enough\n5\n100000\n", 'an open select goes on';
is $result->{err}, '',                    '... and no complaint';
done_testing;
