# $$ is a variable, and test suites play another process by setting it: a number no process has must not keep a script from connecting.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More tests => 2;

my $run = perl(<<'PERL');
use DBI;
my $own = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1 });
{
    local $$ = -23;
    my $other = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 });
    print $other->selectrow_array('SELECT 6 * 7');
}
print ' ', $own->selectrow_array('SELECT 1');
PERL
is $run->{out}, '42 1', 'a connection is made, and the one of before is as it was';
is $run->{err}, '', 'no complaint';
