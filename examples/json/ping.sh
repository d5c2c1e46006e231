#!/bin/sh
# From a shell: `cpan-bridge call MODULE FUNCTION [JSON]` sends one request and prints the result.
# Usage: ping.sh        (CPAN_BRIDGE_BIN names the binary, if it is not on the PATH)
set -eu

bridge=${CPAN_BRIDGE_BIN:-cpan-bridge}

"$bridge" call test ping
"$bridge" call test echo '{"text": "zażółć gęślą jaźń", "numbers": [1, 2.5, null]}'
"$bridge" call system info
