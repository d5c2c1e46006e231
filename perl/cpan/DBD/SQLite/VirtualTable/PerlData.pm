package DBD::SQLite::VirtualTable::PerlData;

# A table on top of a Perl array: rows as array refs (arrayrefs), as hash refs (hashrefs), or one column of scalars (colref).

use strict;
use warnings;
use DBD::SQLite::VirtualTable ();

our $VERSION = '1.72';
our @ISA     = ('DBD::SQLite::VirtualTable');

my @KINDS = qw(arrayrefs hashrefs colref);

sub NEW {
    my $class = shift;
    my $self  = bless $class->_PREPARE_SELF(@_), $class;
    my @given = grep { exists $self->{options}{$_} } @KINDS;
    die "PerlData: exactly one of arrayrefs=, hashrefs= or colref= is needed\n"
        if @given != 1 || keys %{ $self->{options} } != 1;
    die "PerlData: colref= is for tables of one column\n" if $given[0] eq 'colref' && @{ $self->{columns} } != 1;
    $self->{kind} = $given[0];
    (my $name = $self->{options}{ $given[0] }) =~ s/\A\$//;
    no strict 'refs';
    $self->{rows_ref} = \${$name};
    die "PerlData: \$$name does not hold an array reference\n" if ref ${ $self->{rows_ref} } ne 'ARRAY';
    $self->{names} = [map { /\A\s*["'`\[]?(\w+)/ ? $1 : $_ } @{ $self->{columns} }];
    return $self;
}

sub rows { return ${ $_[0]{rows_ref} } }

# MATCH is a regular expression, and only we can say what matches; SQLite checks all other conditions itself. A pattern that is no
# regular expression matches nothing.
sub matches {
    my ($have, $pattern) = @_;
    no warnings 'regexp';
    return eval { $have =~ /$pattern/ };
}

sub BEST_INDEX {
    my ($self, $constraints, $order_by) = @_;
    my @tests;
    for my $constraint (@$constraints) {
        next if !$constraint->{usable} || $constraint->{op} ne 'MATCH' || $constraint->{col} < 0;
        $constraint->{argvIndex} = @tests;
        $constraint->{omit}      = 1;
        push @tests, $constraint->{col};
    }
    return { idxNum => 1, idxStr => join(',', @tests), orderByConsumed => 0, estimatedCost => 1.0,
        estimatedRows => undef };
}

sub value {
    my ($self, $row, $column) = @_;
    return $row if $self->{kind} eq 'colref';
    return $self->{kind} eq 'arrayrefs' ? $row->[$column] : $row->{ $self->{names}[$column] };
}

sub make_row {
    my ($self, @values) = @_;
    return $values[0] if $self->{kind} eq 'colref';
    return [@values]  if $self->{kind} eq 'arrayrefs';
    my %row;
    @row{ @{ $self->{names} } } = @values;
    return \%row;
}

sub INSERT {
    my ($self, $rowid, @values) = @_;
    my $rows = $self->rows;
    my $at   = defined $rowid ? $rowid - 1 : @$rows;
    die "PerlData: row $rowid exists\n" if defined $rows->[$at];
    $rows->[$at] = $self->make_row(@values);
    return defined $rowid ? $rowid : $at;    # the module's way: what last_insert_id tells is the array's index
}

sub DELETE {
    my ($self, $rowid) = @_;
    splice @{ $self->rows }, $rowid - 1, 1;
    return;
}

sub UPDATE {
    my ($self, $old, $new, @values) = @_;
    my $row = $self->make_row(@values);
    $self->rows->[$old - 1] = undef if $old != $new;
    $self->rows->[$new - 1] = $row;
    return $new;
}

# ================================================================================================================================
package DBD::SQLite::VirtualTable::PerlData::Cursor;

use strict;
use warnings;

our @ISA = ('DBD::SQLite::VirtualTable::Cursor');

sub FILTER {
    my ($self, $index, $text, @values) = @_;
    my $table = $self->{vtable};
    $self->{tests} = [map { [$_, shift @values] } split /,/, defined $text ? $text : ''];
    $self->{at}    = -1;
    return $self->NEXT;
}

sub NEXT {
    my ($self) = @_;
    my $rows = $self->{vtable}->rows;
    1 while ++$self->{at} < @$rows && !$self->fits($rows->[$self->{at}]);
    return;
}

sub fits {
    my ($self, $row) = @_;
    for my $test (@{ $self->{tests} }) {
        my ($column, $value) = @$test;
        my $have = $self->{vtable}->value($row, $column);
        return 0 if !defined $have || !defined $value || !DBD::SQLite::VirtualTable::PerlData::matches($have, $value);
    }
    return 1;
}

sub EOF    { my ($self) = @_; return $self->{at} >= @{ $self->{vtable}->rows } }
sub COLUMN { my ($self, $column) = @_; return $self->{vtable}->value($self->{vtable}->rows->[$self->{at}], $column) }
sub ROWID  { return $_[0]{at} + 1 }    # the first row is row 1

1;

__END__

=encoding utf8

=head1 NAME

DBD::SQLite::VirtualTable::PerlData - a Perl array as a table

=head1 SYNOPSIS

    $dbh->sqlite_create_module(perl => 'DBD::SQLite::VirtualTable::PerlData');

    our $rows = [ [ 1, 'one' ], [ 2, 'two' ] ];
    $dbh->do('CREATE VIRTUAL TABLE temp.number USING perl(id INT, name TEXT, arrayrefs="main::rows")');
    print $dbh->selectrow_array('SELECT name FROM number WHERE id = 2');

=head1 DESCRIPTION

The table shows, and changes, the array that a global variable refers to. Exactly one of these options names the variable:

    arrayrefs="main::rows"      each element is an array of the row's values
    hashrefs="main::rows"       each element is a hash with the columns' names as keys
    colref="main::values"       each element is the value of the only column

C<column MATCH 'pattern'> matches a Perl regular expression. C<x IN (SELECT x FROM table)> is a way to hand in a list of values.

=cut
