package CPANBridge::Build;

# Which build these files belong to. A release replaces this file: build 0 is a checkout,
# and no $BIN means that the binary is looked for.

use strict;
use warnings;

our $VERSION = '0.1.0';
our $BUILD   = 0;
our $BIN;

1;
