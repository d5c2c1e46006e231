#!/usr/bin/perl
# echo.pl SOCKET SECONDS: round trips of a small frame through a plain blocking echo server.
# Prints "seconds X", the median time of one round trip.
use strict;
use warnings;

use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# The size of a ping of the bridge: length, kind, number, name, an empty list of parameters.
use constant FRAME_BYTES => 28;
use constant BATCH       => 100;

my ($path, $seconds) = @ARGV;
socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
connect $socket, pack_sockaddr_un($path) or die "connect $path: $!\n";
my $frame = 'x' x FRAME_BYTES;

sub batch {
    for (1 .. BATCH) {
        syswrite $socket, $frame;
        sysread($socket, my $answer, 65_536) == FRAME_BYTES or die "short answer\n";
    }
    return;
}

batch();
my ($total, @runs) = (0);
while ($total < $seconds) {
    my $start = clock_gettime(CLOCK_MONOTONIC);
    batch();
    push @runs, clock_gettime(CLOCK_MONOTONIC) - $start;
    $total += $runs[-1];
}
@runs = sort { $a <=> $b } @runs;
printf "seconds %.9f\n", $runs[$#runs / 2] / BATCH;
