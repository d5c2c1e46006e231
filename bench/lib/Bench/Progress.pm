package Bench::Progress;

use strict;
use warnings;

our $VERSION = '0.1.0';

sub new {
    my ($class, $total) = @_;
    return bless { total => $total, done => 0, shown => -t STDERR ? 1 : 0 }, $class;
}

sub step {
    my ($self, $text) = @_;
    $self->{done}++;
    return if !$self->{shown};
    my $line = sprintf '[%*d/%d] %s', length $self->{total}, $self->{done}, $self->{total}, $text;
    printf STDERR "\r%-78s", substr $line, 0, 78;
    return;
}

sub clear {
    my ($self) = @_;
    printf STDERR "\r%78s\r", '' if $self->{shown};
    return;
}

1;

__END__

=head1 NAME

Bench::Progress - one line on a terminal that says how far a run is

=head1 SYNOPSIS

    my $progress = Bench::Progress->new(120);
    $progress->step('round 1: ping');
    $progress->clear;

Nothing is printed when standard error is not a terminal.

=cut
