package DBI::ProfileData;

# Reads the files of DBI::ProfileDumper: sort, exclude, match, report.

use strict;
use warnings;
use DBI ();
use Fcntl ();

our $VERSION        = '2.010008';
our $MAX_PATH_DEPTH = 10;

my %FIELD = (count => 0, total => 1, first => 2, shortest => 3, longest => 4, time_first => 5, time_last => 6);
my $KEYS  = 7;    # in a node the keys follow the numbers

sub new {
    my ($class, %arg) = @_;
    my $self = bless { Files => ['dbi.prof'], Filter => undef, DeleteFiles => 0, LockFile => 1, %arg, _header => {},
        _nodes => [], _at => {} }, $class;
    $self->{Files} = [$self->{File}] if defined $self->{File};
    my @delete;
    for my $file (@{ $self->{Files} }) {
        my $from = $file;
        if ($self->{DeleteFiles}) {
            $from = "$file.deleteme";
            rename $file, $from or DBI::Bridge::croak("Can't rename $file to $from: $!");
            push @delete, $from;
        }
        open my $fh, '<', $from or DBI::Bridge::croak("Unable to read profile file '$file': $!");
        flock $fh, Fcntl::LOCK_SH() if $self->{LockFile};
        $self->read_header($fh, $file);
        $self->read_body($fh, $file);
    }
    unlink @delete;
    delete $self->{_at};
    return $self;
}

sub read_header {
    my ($self, $fh, $file) = @_;
    my $first = <$fh>;
    DBI::Bridge::croak("Unable to read a profile from '$file': no header")
        if !defined $first || $first !~ /^(\S+)\s+([\d.]+)/;
    my %header = (Profiler => "$1 $2");
    while (defined(my $line = <$fh>)) {
        last                                                                 if $line =~ /^\s*$/;
        DBI::Bridge::croak("Syntax error in header in $file line $.: $line") if $line !~ /^(\w+)\s*=\s*(.*?)\s*$/;
        $header{$1} = $2;
    }
    $self->{_header} = \%header if !%{ $self->{_header} };
    return;
}

sub unescaped {
    my ($text) = @_;
    my %is = (n => "\n", r => "\r", '\\' => '\\');
    $text =~ s/\\([nr\\])/$is{$1}/g;
    return $text;
}

sub read_body {
    my ($self, $fh, $file) = @_;
    my @path;
    while (defined(my $line = <$fh>)) {
        chomp $line;
        if ($line =~ /^\+\s+(\d+)\s?(.*)/s) {
            DBI::Bridge::croak("Path of level $1 in $file line $. is deeper than \$DBI::ProfileData::MAX_PATH_DEPTH")
                if $1 > $MAX_PATH_DEPTH;
            $#path = $1 - 2;
            push @path, unescaped($2);
        }
        elsif ($line =~ s/^=\s+//) { $self->add([@path], [split / /, $line]) }
        elsif ($line =~ /\S/)      { DBI::Bridge::croak("Invalid line in $file line $.: $line") }
    }
    return;
}

sub add {
    my ($self, $path, $data) = @_;
    if (my $filter = $self->{Filter}) { $filter->($path, $data) }
    my $id = join "\0", @$path;
    if (my $node = $self->{_at}{$id}) {
        my @sum = @$node[0 .. $KEYS - 1];
        DBI::dbi_profile_merge_nodes(\@sum, $data);
        @$node[0 .. $KEYS - 1] = @sum;
        return;
    }
    push @{ $self->{_nodes} }, $self->{_at}{$id} = [@$data[0 .. $KEYS - 1], @$path];
    return;
}

sub header { return $_[0]{_header} }
sub nodes  { return $_[0]{_nodes} }
sub count  { return scalar @{ $_[0]{_nodes} } }

sub clone {
    my ($self) = @_;
    return bless { %$self, _header => { %{ $self->{_header} } }, _nodes => [map { [@$_] } @{ $self->{_nodes} }] },
        ref $self;
}

sub sort {
    my ($self, %arg) = @_;
    my $field = defined $arg{field} ? $arg{field} : '';
    my $at    = $FIELD{$field};
    DBI::Bridge::croak("sort: unknown field '$field' (one of " . join(', ', sort keys %FIELD) . ')') if !defined $at;
    my $nodes = $self->{_nodes};
    @$nodes = $arg{reverse} ? sort { $a->[$at] <=> $b->[$at] } @$nodes : sort { $b->[$at] <=> $a->[$at] } @$nodes;
    return;
}

sub matcher {    # (key2 => 'text' or qr/.../): a sub that tells whether a node has it
    my (%arg)  = @_;
    my ($name) = grep { /^key\d+\z/ } keys %arg;
    DBI::Bridge::croak('which key? say key1 => ..., key2 => ...') if !$name;
    my $want = $arg{$name};
    my $at   = $KEYS - 1 + substr $name, 3;
    return sub { defined $_[0][$at] && $_[0][$at] =~ $want }
        if ref $want;
    return sub { defined $_[0][$at] && $_[0][$at] eq $want }

        if $arg{case_sensitive};
    return sub { defined $_[0][$at] && lc $_[0][$at] eq lc $want };
}

sub exclude {
    my ($self, @arg) = @_;
    my $has = matcher(@arg);
    @{ $self->{_nodes} } = grep { !$has->($_) } @{ $self->{_nodes} };
    return $self->count;
}

sub match {
    my ($self, @arg) = @_;
    my $has = matcher(@arg);
    @{ $self->{_nodes} } = grep { $has->($_) } @{ $self->{_nodes} };
    return $self->count;
}

sub Data {
    my ($self) = @_;
    my $data;
    for my $node (@{ $self->{_nodes} }) {
        my $slot = \$data;
        $slot  = \$$slot->{$_} for @$node[$KEYS .. $#$node];
        $$slot = [@$node[0 .. $KEYS - 1]];
    }
    return $data;
}

sub format {
    my ($self, $node) = @_;
    my ($count, $total, $first, $shortest, $longest) = @$node;
    my $text =
        $count > 1
        ? sprintf
"  Count         : %d\n  Total Time    : %3.6f seconds\n  Longest Time  : %3.6f seconds\n  Shortest Time : %3.6f seconds\n"
        . "  Average Time  : %3.6f seconds\n", $count, $total, $longest, $shortest, $total / $count
        : sprintf "  Count         : 1\n  Time          : %3.6f seconds\n", $total;
    my $n = 0;
    for my $key (@$node[$KEYS .. $#$node]) {
        $text .= '  Key ' . ++$n . ($key =~ /\n/ ? "         :\n$key\n" : "         : $key\n")
    }
    return $text;
}

sub report {
    my ($self, %arg) = @_;
    my $nodes = $self->{_nodes};
    my $last  = defined $arg{number} && $arg{number} < @$nodes ? $arg{number} - 1 : $#$nodes;
    my ($runs, $time) = (0, 0);
    for my $node (@$nodes) { $runs += $node->[0]; $time += $node->[1] }
    my $text =
          "DBI Profile Data ($self->{_header}{Profiler})\n\n"
        . sprintf "  Program          : %s\n  Total Records    : %d (showing %d)\n"
        . "  Executed Count   : %d\n  Total Runtime    : %3.6f seconds\n\n", $self->{_header}{Program} || '',
        scalar @$nodes, $last + 1, $runs, $time;
    for my $at (0 .. $last) {
        $text .= '#' x 5 . '[ ' . ($at + 1) . ' ]' . '#' x 59 . "\n" . $self->format($nodes->[$at]) . "\n"
    }
    return $text;
}

1;

__END__

=head1 NAME

DBI::ProfileData - reads what DBI::ProfileDumper wrote

=head1 SYNOPSIS

  my $profile = DBI::ProfileData->new(File => 'dbi.prof');
  $profile->sort(field => 'longest');
  $profile->exclude(key2 => 'disconnect');
  $profile->match(key1 => qr/^select/i);
  print $profile->report(number => 10);

=head1 METHODS

C<new(File, Files, Filter, DeleteFiles)>, C<header>, C<nodes>, C<count>, C<clone>, C<sort(field, reverse)>, C<exclude>, C<match>, C<Data>,
C<format($node)>, C<report(number)>. A node is an array: count, total, first, shortest and longest duration, time of the first and of the last
call, then the keys.

=cut
