# DBD::Pg: bridge_pipeline.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Pipeline;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
ServerTest::Pipeline::all(flavour('Pg'));

done_testing;
