#!/usr/bin/perl
# bridge.pl CASE SECONDS: the bridge itself, without DBI.
#   ping   round trips of test.ping            -> seconds
#   big    4 MB there and 4 MB back, test.echo -> seconds (both ways together)
use strict;
use warnings;

use CPANBridge;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant BIG_BYTES => 4 * 1024 * 1024;

my ($case, $seconds) = @ARGV;
my $session = CPANBridge->session;
my %case    = (ping => [100, \&ping], big => [1, big()]);
my ($batch, $code) = @{ $case{$case} };

sub ping {
    $session->request('test.ping', []);
    return;
}

sub big {
    my $text = 'a line of text, as long as a line is.' . "\n";
    $text = substr $text x (1 + BIG_BYTES / length $text), 0, BIG_BYTES;
    return sub {
        my $answer = $session->request('test.echo', [$text]);
        $answer = $answer->[0] if ref $answer eq 'ARRAY';
        $answer = ${$answer}   if ref $answer;
        length $answer == BIG_BYTES or die 'test.echo answered ', length $answer, " bytes\n";
    };
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
