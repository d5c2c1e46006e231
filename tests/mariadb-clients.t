# DBD::MariaDB: scripts that are killed or interrupted, or wait for each other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Clients;
use Test::More;

ServerTest::Clients::all(flavour('MariaDB'));

done_testing;
