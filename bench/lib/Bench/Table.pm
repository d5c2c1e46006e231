package Bench::Table;

use strict;
use warnings;

our $VERSION = '0.1.0';

# Rows of cells as a Markdown table whose columns also line up in a terminal.
# $align holds one letter a column: l or r.
sub format_table {
    my ($align, $head, @rows) = @_;
    my @width = map { length } @$head;
    for my $row (@rows) {
        for my $i (0 .. $#width) {
            my $length = length $row->[$i];
            $width[$i] = $length if $length > $width[$i];
        }
    }
    my @align = split //, $align;
    my @rule  = map { '-' x ($width[$_] - ($align[$_] eq 'r' ? 1 : 0)) . ($align[$_] eq 'r' ? ':' : '') } 0 .. $#width;
    return join '', map { _line(\@width, \@align, $_) } $head, \@rule, @rows;
}

sub _line {
    my ($width, $align, $cells) = @_;
    my @padded = map { sprintf $align->[$_] eq 'r' ? '%*s' : '%-*s', $width->[$_], $cells->[$_] } 0 .. $#$width;
    return '| ' . join(' | ', @padded) . " |\n";
}

# Three significant digits, without an exponent.
sub number {
    my ($value) = @_;
    return '-' if !defined $value;
    return sprintf '%.0f', $value if $value >= 100;
    return sprintf '%.1f', $value if $value >= 10;
    return sprintf '%.2f', $value if $value >= 1;
    return sprintf '%.3f', $value;
}

1;

__END__

=head1 NAME

Bench::Table - figures as a table for terminals and Markdown

=head1 SYNOPSIS

    print Bench::Table::format_table('lr', ['measure', 'time'], ['ping', Bench::Table::number(17.3)]);

=cut
