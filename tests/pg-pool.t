# DBD::Pg: the pool, its configuration, its end.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Pool;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
ServerTest::Pool::all(flavour('Pg'));

done_testing;
