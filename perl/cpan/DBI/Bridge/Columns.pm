# Bound columns and the row buffer.
#   bridge_bind    [ \$var or undef, ... ], one for each bound column
#   bridge_fbav    the row buffer: an array whose elements ARE the bound variables (so that _get_fbav users fill them directly)
#   bridge_bound   a sub made for this binding: takes a row, sets the variables, returns the buffer
#   bridge_flat    rows that came for bound columns: all their values in one list
#   bridge_next    the same as bridge_bound for the next row of bridge_held or bridge_flat; there only while nothing else has
#                  to be looked at
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

# Number of columns → maker of three subs: set the variables from a row; from the next of the held rows; from the next
# values of the flat list.
my %MAKER;

sub bound_setters {
    my ($held, $flat, $fbav) = @_;
    my $n = @$fbav;
    return slow_setters(@_) if !$n || $n > 100;
    return ($MAKER{$n} ||= setters_maker($n))->($held, $flat, $fbav, @$fbav);
}

# Nested loops over one element each: inside, $c0 IS the first bound variable, and the subs close over it.
sub setters_maker {
    my ($n)  = @_;
    my @v    = map { "\$c$_" } 0 .. $n - 1;
    my $list = join ',', @v;
    my $code = join ' ', 'sub { my ($held, $flat, $fbav) = (shift, shift, shift);',
        (map { "for my $v[$_] (\$_[$_]) {" } 0 .. $n - 1), "return (
            sub { ($list) = \@{\$_[0]}; \$fbav },
            sub { ($list) = \@{shift \@\$held || goto &DBI::Bridge::more_fetch}; \$fbav },
            sub { \@\$flat || goto &DBI::Bridge::more_fetch; ($list) = splice \@\$flat, 0, $n; \$fbav }
        )", '}' x $n, '}';
    return eval $code || die $@;
}

sub slow_setters {
    my ($held, $flat, $fbav) = @_;
    my $set = sub { my ($row) = @_; $fbav->[$_] = $row->[$_] for 0 .. $#$fbav; return $fbav };
    return (
        $set,
        sub { my $row = shift @$held or goto &DBI::Bridge::more_fetch; return $set->($row) },
        sub { @$flat || goto &DBI::Bridge::more_fetch; return $set->([splice @$flat, 0, scalar @$fbav]) },
    );
}

sub arm {    # rows wait and columns are bound: give fetch a sub that delivers the next one
    my ($i)  = @_;
    my $held = $i->{bridge_held} || [];
    my $flat = $i->{bridge_flat} || [];
    return if !@$held && !@$flat;
    my $fbav = row_buffer($i);
    return if (@$held ? @{ $held->[0] } : $i->{NUM_OF_FIELDS}) != @$fbav;
    my @setters = bound_setters($held, $flat, $fbav);
    @$i{qw(bridge_bound bridge_next)} = @setters[0, @$held ? 1 : 2];
    return;
}

my %ALIAS;    # number of columns → maker of an array whose elements are the given variables themselves

sub row_buffer {
    my ($i) = @_;
    return $i->{bridge_fbav} if $i->{bridge_fbav};
    my $n = $i->FETCH('NUM_OF_FIELDS') || 0;
    my @own;
    my @refs = @{ $i->{bridge_bind} || [] };
    $#refs = $n - 1;
    for my $at (0 .. $n - 1) { $refs[$at] ||= \$own[$at] }
    my $alias = $ALIAS{$n} ||=
        eval 'sub { my @r = @_; return (sub { \@_ })->(' . join(',', map { "\${\$r[$_]}" } 0 .. $n - 1) . ') }'
        || die $@;
    return $i->{bridge_fbav} = $alias->(@refs);
}

sub deliver {    # a row from the driver, into the bound variables
    my ($i, $row) = @_;
    my $fbav = row_buffer($i);
    return $row if $row == $fbav;
    if (@$row != @$fbav) { return fill($i, $fbav, $row) }
    my $set = $i->{bridge_bound} ||= (bound_setters([], [], $fbav))[0];
    return $set->($row);
}

sub fill {
    my ($i, $fbav, $row) = @_;
    my ($got, $want) = (scalar @$row, scalar @$fbav);
    if ($got != $want) {
        carp(
            "_set_fbav($row): array has $got elements, the statement handle row buffer has $want (and NUM_OF_FIELDS is "
                . ($i->{NUM_OF_FIELDS} || 0)
                . ')');
    }
    if (${^TAINT} && !$i->{TaintOut}) {
        $row = [map { defined $_ && !ref $_ && /\A(.*)\z/s ? $1 : $_ } @$row]
    }    # only TaintOut taints
    $fbav->[$_] = $row->[$_] for 0 .. $#$fbav;
    return $fbav;
}

package DBD::_::st;

sub _get_fbav { my ($sth) = @_; return DBI::Bridge::row_buffer($sth) }

sub _set_fbav {
    my ($sth, $row) = @_;
    DBI::Bridge::croak("_set_fbav(" . (defined $row ? $row : 'undef') . "): not an array ref") if ref $row ne 'ARRAY';
    my $fbav = DBI::Bridge::row_buffer($sth);
    return DBI::Bridge::fill($sth, $fbav, $row);
}

sub bind_col {
    my ($sth, $column, $ref, $attr) = @_;
    my $n = $sth->FETCH('NUM_OF_FIELDS');
    if (!$n) {
        return if $sth->err;
        DBI::Bridge::croak(
            "Statement has no result columns to bind (perhaps you need to successfully call execute first, or again)")
    }
    DBI::Bridge::croak("bind_col: column $column is not a valid column (1..$n)")
        if $column !~ /^\d+\z/ || $column < 1 || $column > $n;
    return 1 if !defined $ref;
    if (!ref $ref || ref($ref) !~ /^(?:SCALAR|REF|LVALUE|VSTRING)\z/ && !eval { my $r = \$$ref; 1 }) {
        my $h = DBI::Bridge::outer($sth);
        DBI::Bridge::croak(
            "Can't $h" . "->bind_col($column, " . DBI::neat($ref) . ",...), need a reference to a scalar");
    }
    $sth->{bridge_bind}[$column - 1] = $ref;
    DBI::Bridge::hold($sth);
    delete @$sth{qw(bridge_fbav bridge_bound bridge_next)};
    return 1;
}

sub bind_columns {
    my ($sth, @refs) = @_;
    my $attr = @refs && (!defined $refs[0] || ref $refs[0] eq 'HASH') ? shift @refs : undef;
    my $n    = $sth->FETCH('NUM_OF_FIELDS');
    if (!$n) {
        return if $sth->err;
        return $sth->set_err($DBI::stderr,
            'Statement has no result columns to bind (perhaps you need to successfully call execute first, or again)');
    }
    return $sth->set_err($DBI::stderr, "bind_columns called with ${\scalar @refs} values but $n are needed")
        if @refs != $n;
    my $column = 0;
    for my $ref (@refs) { $sth->bind_col(++$column, $ref, $attr) or return }
    return 1;
}

1;
