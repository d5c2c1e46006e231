package Bench::Report;

use strict;
use warnings;
use utf8;

use Bench::Stats;
use Bench::Table;
use JSON::PP ();

our $VERSION = '0.1.0';

sub new {
    my ($class, %arg) = @_;
    return bless { %arg, rows => [], notes => [] }, $class;
}

sub note {
    my ($self, $text) = @_;
    push @{ $self->{notes} }, $text;
    return;
}

# One measure: its cells name series of samples, {column => [case, side]}.
sub row {
    my ($self, $title, $unit, $factor, $cells, @goals) = @_;
    my %samples = map {
        my ($case, $side) = @{ $cells->{$_} };
        ($_ => [map { defined $_ ? $_ * $factor : undef } @{ $self->{samples}{$case}{$side} || [] }])
    } keys %$cells;
    for my $goal (@goals) {
        my $reached = $goal->{reached};
        $goal->{met} =
              !defined $reached     ? undef
            : $goal->{sign} eq '<=' ? $reached <= $goal->{limit}
            :                         $reached >= $goal->{limit};
    }
    push @{ $self->{rows} }, { title => $title, unit => $unit, samples => \%samples, goals => \@goals };
    return;
}

sub _speed {
    my ($self, $row)  = @_;
    my ($slow, $fast) = map { $row->{samples}{$_} } @{ $self->{speed} };
    return if !$slow or !$fast or $row->{unit} =~ /^(?:MB|connections)$/;
    return Bench::Stats::median(Bench::Stats::by_round(sub { $_[0] / $_[1] }, $slow, $fast));
}

# --- text

sub text {
    my ($self)  = @_;
    my @columns = @{ $self->{columns} };
    my @rows    = map { $self->_lines($_) } @{ $self->{rows} };
    my $table   = Bench::Table::format_table(
        'll' . 'r' x @columns . 'rlrl',
        ['measure', 'unit', (map { $_->[1] } @columns), 'speed', 'goal', 'reached', ''], @rows
    );
    return join '', $self->_heading, "\n", $table, "\n", (map { "$_\n" } @{ $self->{notes} }), $self->_verdict;
}

# The measures that have a native side and a speed, for the README.
sub brief {
    my ($self) = @_;
    my @rows;
    for my $row (@{ $self->{rows} }) {
        my $speed = $self->_speed($row);
        next if !defined $speed;
        my @times = map { Bench::Table::number(Bench::Stats::median(@{ $row->{samples}{$_} })) } @{ $self->{speed} };
        push @rows, ["$row->{title}, $row->{unit}", @times, sprintf '%.2f ×', $speed];
    }
    my $table = Bench::Table::format_table('lrrr', ['', 'native modules', 'cpan-bridge', 'speed'], @rows);
    return
"$table\nSpeed: how many times as fast as the native modules. What waits for an answer pays a round trip to the daemon, what moves\n"
        . "many rows at once does not. Measured with "
        . $self->_heading;
}

sub _heading {
    my ($self) = @_;
    my $machine = $self->{machine};
    return
"$machine->{cpan_bridge}, perl $machine->{perl}, $machine->{cores} cores ($machine->{processor}), $machine->{system}\n";
}

# A measure with several goals takes several lines.
sub _lines {
    my ($self, $row) = @_;
    my $speed = $self->_speed($row);
    my @cells =
        map { Bench::Table::number(Bench::Stats::median(@{ $row->{samples}{ $_->[0] } || [] })) } @{ $self->{columns} };
    my @goals = @{ $row->{goals} };
    my @lines = [
        $row->{title}, $row->{unit}, @cells, defined $speed ? sprintf('%.2f', $speed) : '-',
        _goal_cells(shift @goals)
    ];
    push @lines, map { ['', ('') x (@cells + 2), _goal_cells($_)] } @goals;
    return @lines;
}

sub _goal_cells {
    my ($goal) = @_;
    return ('',            '',  '')             if !$goal;
    return ($goal->{text}, '-', 'not measured') if !defined $goal->{reached};
    return ($goal->{text}, Bench::Table::number($goal->{reached}), $goal->{met} ? 'met' : 'MISSED');
}

sub _verdict {
    my ($self) = @_;
    my @goals = grep { defined $_->{met} } map { @{ $_->{goals} } } @{ $self->{rows} };
    return '' if !@goals;
    return sprintf "%d of %d goals met.\n", scalar(grep { $_->{met} } @goals), scalar @goals;
}

# --- JSON

sub json {
    my ($self) = @_;
    my @rows = map { $self->_data($_) } @{ $self->{rows} };
    return JSON::PP->new->canonical->pretty->utf8->encode(
        { machine => $self->{machine}, notes => $self->{notes}, measures => \@rows });
}

sub _data {
    my ($self, $row) = @_;
    my %median = map { $_ => scalar Bench::Stats::median(@{ $row->{samples}{$_} }) } keys %{ $row->{samples} };
    my @goals =
        map { {
        goal => $_->{text}, reached => $_->{reached}, met => $_->{met} ? JSON::PP::true() : JSON::PP::false() } }
        @{ $row->{goals} };
    return {
        measure => $row->{title}, unit => $row->{unit}, median => \%median, samples => $row->{samples},
        speed   => scalar $self->_speed($row), goals => \@goals
    };
}

1;

__END__

=encoding utf8

=head1 NAME

Bench::Report - measured rows as a table and as JSON

=head1 SYNOPSIS

    my $report = Bench::Report->new(columns => [['ours', 'bridge']], samples => \%samples,
        machine => $stack->machine, speed => ['real', 'ours']);
    $report->row('ping', 'us', 1e6, { ours => ['ping', 'ours'] });
    print $report->text;

Samples are in seconds (or in MB), C<$samples{CASE}{SIDE}[ROUND]>; a row's factor turns them into its unit.

=cut
