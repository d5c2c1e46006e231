# DBD::MariaDB: what a script leaves in its session does not reach the next one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Sessions;
use Test::More;

ServerTest::Sessions::all(flavour('MariaDB'));

done_testing;
