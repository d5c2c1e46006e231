# DBD::Pg: 200 scripts at once, a million rows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Load;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
ServerTest::Load::all(flavour('Pg'));

done_testing;
