# DBD::mysql: statements that fail, as the server or the driver says it, and the handle that goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::MyErrors;
use Test::More;

ServerTest::MyErrors::all('mysql');

done_testing;
