package DBI::Profile;

# Reports of the time spent in DBI calls. The samples are taken in DBI/Bridge/Profiling.pm.

use strict;
use warnings;
use DBI qw(dbi_time dbi_profile dbi_profile_merge_nodes dbi_profile_merge);
use Exporter ();

our @ISA     = ('Exporter');
our $VERSION = '2.015065';
our @EXPORT =
    qw(DBIprofile_Statement DBIprofile_MethodName DBIprofile_MethodClass dbi_profile dbi_profile_merge_nodes dbi_profile_merge dbi_time);
our @EXPORT_OK       = ('format_profile_thingy', @EXPORT);
our $ON_DESTROY_DUMP = sub { DBI->trace_msg($_[0], 0) };
our $ON_FLUSH_DUMP   = sub { DBI->trace_msg($_[0], 0) };

sub DBIprofile_Statement ()   { return '!Statement' }
sub DBIprofile_MethodName ()  { return '!MethodName' }
sub DBIprofile_MethodClass () { return '!MethodClass' }

sub new {
    my ($class, @args) = @_;
    return bless {@args}, $class;
}

sub _auto_new {    # "path/class/arguments"
    my ($class, $spec) = @_;
    my ($path, $package, $args) = split m{/}, $spec, 3;
    $package ||= $class;
    my @path;
    for my $part (split /:/, defined $path ? $path : '') {
        if ($part =~ /^-?\d+\z/) {
            my $bits = abs $part;
            my @here = (
                ($bits & 0x01 ? 'DBI' : ()), ($bits & 0x02 ? '!Statement' : ()), ($bits & 0x04 ? '!MethodName' : ()),
                ($bits & 0x08 ? '!MethodClass' : ()), ($bits & 0x10 ? '!Caller2' : ())
            );
            push @path, $part < 0 ? reverse @here : @here;
        }
        elsif ($part =~ /^&(\w+)\z/) {
            require DBI::ProfileSubs;
            my $code = DBI::ProfileSubs->can($1) or DBI::Bridge::carp("DBI::Profile: no sub '$1' in DBI::ProfileSubs");
            push @path, $code if $code;
        }
        else { push @path, $part }
    }
    (my $file = "$package.pm") =~ s{::}{/}g;
    if (!eval { require $file; 1 }) {
        DBI::Bridge::carp("Can't load $package for the Profile '$spec': $@");
        return;
    }
    return $package->new(Path => \@path, split /:/, defined $args ? $args : '', -1);
}

sub empty {
    my ($self) = @_;
    $self->{Data} = {} if !defined $self->{Data} || keys %{ ref $self->{Data} eq 'HASH' ? $self->{Data} : { 1 => 1 } };
    return
}

sub filename { return undef }

sub flush_to_disk { my ($self) = @_; return $self->dump }

sub dump {
    my ($self) = @_;
    my $text = $self->format;
    $ON_FLUSH_DUMP->($text);
    return;
}

sub as_node_path_list {
    my ($self, $node, $path) = @_;
    $node = $self->{Data} if !defined $node;
    $path ||= [];
    return if !ref $node;
    return map { $self->as_node_path_list($node->{$_}, [@$path, $_]) } grep { defined $node->{$_} } sort keys %$node
        if ref $node eq 'HASH';
    return [$node, @$path];
}

sub as_text {
    my ($self, $args) = @_;
    $args ||= {};
    my $separator = defined $args->{separator} ? $args->{separator} : ' > ';
    my $format =
        defined $args->{format}
        ? $args->{format}
        : '%1$s: %11$fs / %10$d = %2$fs avg (first %12$fs, min %13$fs, max %14$fs)' . "\n";
    my @list = $self->as_node_path_list($args->{node}, $args->{path});
    $args->{sortsub}->(\@list) if $args->{sortsub};
    my @text;
    for my $entry (@list) {
        my ($node, @path) = @$entry;
        my $name   = join $separator, map { (my $part = $_) =~ s/[\r\n]+/ /g; $part } @path;
        my @values = ($name, $node->[0] ? $node->[1] / $node->[0] : 0, (undef) x 7, @$node);
        no warnings;    # not each value is used by each format
        push @text, sprintf $format, @values;
    }
    return wantarray ? @text : join '', @text;
}

sub format {
    my ($self) = @_;
    my $data = $self->{Data};
    return '' if !$data || ref $data eq 'HASH' && !%$data;
    my $in_dbi  = dbi_profile_merge_nodes(my $total = [], $data);
    my $elapsed = (${^GLOBAL_PHASE} || '') eq 'DESTRUCT'
        || $DBI::exiting ? DBI::dbi_time() - $^T : ($total->[6] || 0) - ($total->[5] || 0);
    my $percent = $elapsed > 0 ? sprintf ' %.2f%%', 100 * $in_dbi / $elapsed : '';
    my @t       = localtime;
    my $when    = sprintf '%04d-%02d-%02d %02d:%02d:%02d', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
    (my $program = $0) =~ s{.*/}{};
    my $text = sprintf "%s: %.6fs%s (%d calls) %s @ %s\n", ref $self, $in_dbi, $percent, $total->[0] || 0, $program,
        $when;
    return $text
        . (ref $data eq 'HASH' ? $self->format_profile_branch($data, 0) : $self->format_profile_leaf($data, 0, ''));
}

sub format_profile_branch {
    my ($self, $node, $depth) = @_;
    my $text = '';
    for my $key (sort keys %$node) {
        my $below = $node->{$key};
        next if !ref $below;
        $text .= ('    ' x $depth) . "'$key' =>\n";
        $text .=
            ref $below eq 'HASH'
            ? $self->format_profile_branch($below, $depth + 1)
            : $self->format_profile_leaf($below, $depth + 1, $key);
    }
    return $text;
}

sub format_profile_leaf {
    my ($self, $leaf, $depth) = @_;
    my ($count, $total, $first, $min, $max) = @$leaf;
    return ('    ' x $depth) . sprintf("%.6fs\n", $total) if $count <= 1;
    return ('    ' x $depth)
        . sprintf("%.6fs / %d = %.6fs avg (first %.6fs, min %.6fs, max %.6fs)\n", $total, $count, $total / $count,
        $first, $min, $max);
}

sub on_destroy {
    my ($self) = @_;
    my $text = $self->format;
    $ON_DESTROY_DUMP->($text) if $text ne '' && $ON_DESTROY_DUMP;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $@;
    eval { $self->on_destroy; 1 } or warn $@;
    return;
}

1;

__END__

=head1 NAME

DBI::Profile - where the time in DBI goes

=head1 SYNOPSIS

  DBI_PROFILE=2 script.pl                          # time by statement, printed when the script ends

  $dbh->{Profile} = '!Statement:!MethodName';      # by statement, then by method
  print $dbh->{Profile}->format;
  print scalar $dbh->{Profile}->as_text;

=head1 DESCRIPTION

Assign to the C<Profile> attribute of a handle a number (the sum of 1 "DBI", 2 statement, 4 method, 8 class and method, 16 callers), a
string C<path/class/arguments>, a hash reference, or an object. Each call through that handle or its children is then timed and added to the
leaf of C<< $h->{Profile}{Data} >> that the C<Path> names: C<[count, total, first, shortest, longest, time of first, time of last]>.

Path elements: C<!Statement>, C<!MethodName>, C<!MethodClass>, C<!Caller>, C<!Caller2>, C<!File>, C<!File2>, C<!Time>, C<!Time~N>, C<{Attribute}>,
C<&name> (a sub of L<DBI::ProfileSubs>), a code reference, a reference to a scalar, or any text.

=head1 METHODS

C<format>, C<as_node_path_list>, C<as_text(\%args)>.

=cut
