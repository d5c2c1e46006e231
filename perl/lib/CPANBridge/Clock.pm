package CPANBridge::Clock;

# Time in fractions of a second, for deadlines.

use strict;
use warnings;

use Time::HiRes ();

sub now { return Time::HiRes::time() }

1;
