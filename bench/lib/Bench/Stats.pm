package Bench::Stats;

use strict;
use warnings;

our $VERSION = '0.1.0';

sub median {
    my @sorted = sort { $a <=> $b } grep { defined } @_;
    return unless @sorted;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

sub percentile {
    my ($percent, @values) = @_;
    my @sorted = sort { $a <=> $b } grep { defined } @values;
    return unless @sorted;
    my $index = int($percent / 100 * @sorted);
    return $sorted[$index > $#sorted ? $#sorted : $index];
}

# One value a round from several sides' values of that round; rounds in which a
# side is missing are left out.
sub by_round {
    my ($code, @series) = @_;
    my @out;
    for my $round (0 .. $#{ $series[0] || [] }) {
        my @values = map { $_ ? $_->[$round] : undef } @series;
        next if grep { !defined } @values;
        push @out, $code->(@values);
    }
    return @out;
}

1;

__END__

=head1 NAME

Bench::Stats - medians and ratios of interleaved measurements

=head1 SYNOPSIS

    my $typical = Bench::Stats::median(3, 1, 2);                 # 2
    my @speeds  = Bench::Stats::by_round(sub { $_[0] / $_[1] }, \@native, \@bridge);

=head1 DESCRIPTION

A ratio is taken inside each round, where both sides met the same machine, and the median of these ratios is
reported: a machine that grows slower during a run then moves both sides alike.

=cut
