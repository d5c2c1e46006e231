# DBD::MariaDB: connections that cannot be had, and what is said then.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::MyConnect;
use Test::More;

ServerTest::MyConnect::all('MariaDB');

done_testing;
