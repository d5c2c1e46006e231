# JSON clients of the module `database` on a server, by the name of DBD::mysql.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Json;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
ServerTest::Json::all(flavour('mysql'));

done_testing;
