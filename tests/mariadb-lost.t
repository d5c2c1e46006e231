# DBD::MariaDB: connections that are lost, by a restart, a kill, a cut.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Lost;
use Test::More;

ServerTest::Lost::all(flavour('MariaDB'));

done_testing;
