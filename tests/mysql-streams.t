# DBD::mysql: results that are still read while the handle does something else, results that are left.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Streams;
use Test::More;

ServerTest::Streams::all(flavour('mysql'));

done_testing;
