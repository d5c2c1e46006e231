package DBI::ProfileDumper;

# A Profile that is written to a file instead of being printed.

use strict;
use warnings;
use DBI::Profile ();
use Fcntl ();

our @ISA     = ('DBI::Profile');
our $VERSION = '2.015325';

sub new {
    my ($class, %arg) = @_;
    return $class->SUPER::new(LockFile => 1, %arg);
}

sub filename {
    my ($self, $name) = @_;
    $self->{File} = $name if @_ > 1;
    my $file = defined $self->{File} ? $self->{File} : 'dbi.prof';
    return ref $file eq 'CODE' ? $file->($self) : $file;
}

sub empty { my ($self) = @_; $self->{Data} = undef; return }

# Writes what was collected, forgets it, and returns the file's name. The first time the file is written anew.
sub flush_to_disk {
    my ($self) = @_;
    my $data = $self->{Data};
    return undef if ref $data ne 'HASH' && ref $data ne 'ARRAY' || ref $data eq 'HASH' && !%$data;
    my $file  = $self->filename;
    my $known = ($self->{_wrote_header} || '') eq $file;
    open my $fh, '+>>', $file or DBI::Bridge::croak("Unable to open '$file' for dbi profile output: $!");
    flock $fh, Fcntl::LOCK_EX() if $self->{LockFile};
    if (!$known) { truncate $fh, 0; print {$fh} $self->header }
    print {$fh} body($data, 1);
    close $fh or DBI::Bridge::croak("Error closing '$file': $!");
    $self->{_wrote_header} = $file;
    $self->empty;
    return $file;
}

sub header {
    my ($self) = @_;
    my $path   = join ', ', map { escaped("$_") } ref $self->{Path} eq 'ARRAY' ? @{ $self->{Path} } : ();
    return ref($self) . ' ' . $self->VERSION . "\nPath = [ $path ]\nProgram = $0\n\n";
}

sub escaped {
    my ($text) = @_;
    $text =~ s/\\/\\\\/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/\n/\\n/g;
    $text =~ tr/\0//d;
    return $text;
}

sub body {    # keys by level, then the numbers
    my ($node, $level) = @_;
    return '= ' . join(' ', @$node) . "\n" if ref $node eq 'ARRAY';
    return join '',
        map { "+ $level " . escaped($_) . "\n" . body($node->{$_}, $level + 1) }
        grep { ref $node->{$_} } sort keys %$node;
}

sub on_destroy { my ($self) = @_; $self->flush_to_disk; return }

1;

__END__

=head1 NAME

DBI::ProfileDumper - a DBI::Profile that is written to a file

=head1 SYNOPSIS

  DBI_PROFILE='2/DBI::ProfileDumper/File:shop.prof' script.pl

  $dbh->{Profile} = DBI::ProfileDumper->new(Path => [ '!Statement' ], File => 'shop.prof');
  $dbh->{Profile}->flush_to_disk;

=head1 METHODS

C<flush_to_disk> writes and empties the data (also done when the object goes), C<empty> forgets them, C<filename> gets or sets the name (default
F<dbi.prof>; a code reference is called with the object).

=head1 FILE FORMAT

A first line with class and version, lines C<Name = value>, an empty line; then C<+ LEVEL KEY> for each step down the tree and C<= NUMBERS> for each leaf.
In keys C<\\>, C<\n> and C<\r> stand for a backslash, a newline and a carriage return.

=cut
