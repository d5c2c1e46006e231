#!/usr/bin/perl
# bridge.pl CASE SECONDS: the bridge itself, without DBI.
#   ping   round trips of test.ping            -> seconds
#   push   a request of 4 MB, a short reply    -> seconds
#   echo   4 MB there and 4 MB back, test.echo -> seconds (both ways together)
use strict;
use warnings;

use CPANBridge;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant BIG_BYTES => 4 * 1024 * 1024;

my ($case, $seconds) = @ARGV;
my $session = CPANBridge->session;
my %case    = (ping => [100, \&ping], push => [1, \&push_text], echo => [1, \&echo]);
my ($batch, $code) = @{ $case{$case} };
my $line = "a line of text, as long as a line is\n";
my $text = substr $line x (1 + BIG_BYTES / length $line), 0, BIG_BYTES;

sub ping {
    $session->request('test.ping', []);
    return;
}

sub push_text {
    $session->request('test.ping', [$text]);
    return;
}

sub echo {
    my $answer = $session->request('test.echo', [$text]);
    $answer = $answer->[0] if ref $answer eq 'ARRAY';
    length $answer == BIG_BYTES or die 'test.echo answered ', length $answer, " bytes\n";
    return;
}

$code->() for 1 .. $batch;
my ($total, @runs) = (0);
while ($total < $seconds or @runs < 5) {
    my $start = clock_gettime(CLOCK_MONOTONIC);
    $code->() for 1 .. $batch;
    push @runs, clock_gettime(CLOCK_MONOTONIC) - $start;
    $total += $runs[-1];
}
@runs = sort { $a <=> $b } @runs;
printf "seconds %.9f\n", $runs[$#runs / 2] / $batch;
