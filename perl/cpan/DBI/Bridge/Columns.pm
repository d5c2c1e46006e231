# Bound columns and the row buffer.
#   bridge_bind    [ \$var or undef, ... ], one for each bound column
#   bridge_fbav    the row buffer: an array whose elements ARE the bound variables (so that _get_fbav users fill them directly)
#   bridge_bound   a sub made for this binding: takes a row, sets the variables, returns the buffer
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

my %MAKER;    # number of columns → maker of bridge_bound subs

sub bound_setter {
    my ($fbav) = @_;
    my $n = @$fbav;
    my $make = $MAKER{$n} ||= do {
        my @v = map { "\$c$_" } 0 .. $n - 1;
        my $code = join(' ', 'sub { my $fbav = shift;', (map { "for my $v[$_] (\$_[$_]) {" } 0 .. $n - 1),
            'return sub { (' . join(',', @v) . ') = @{$_[0]}; $fbav }', '}' x $n, '}');
        $n && $n <= 200 ? eval $code || die $@ : sub { my $f = shift; sub { my $r = shift; $f->[$_] = $r->[$_] for 0 .. $#$f; $f } };
    };
    return $make->($fbav, @$fbav);
}

sub row_buffer {
    my ($i) = @_;
    return $i->{bridge_fbav} if $i->{bridge_fbav};
    my $n = $i->FETCH('NUM_OF_FIELDS') || 0;
    my @own;
    my @refs = @{ $i->{bridge_bind} || [] };
    $#refs = $n - 1;
    for my $at (0 .. $n - 1) { $refs[$at] ||= \$own[$at] }
    my $fbav = (sub { \@_ })->(map { $$_ } @refs);
    return $i->{bridge_fbav} = $fbav;
}

sub deliver {    # a row from the driver, into the bound variables
    my ($i, $row) = @_;
    my $fbav = row_buffer($i);
    return $row if $row == $fbav;
    if (@$row != @$fbav) { return fill($i, $fbav, $row) }
    my $code = $i->{bridge_bound} ||= bound_setter($fbav);
    return $code->($row);
}

sub fill {
    my ($i, $fbav, $row) = @_;
    my ($got, $want) = (scalar @$row, scalar @$fbav);
    if ($got != $want) {
        carp("_set_fbav($row): not enough values, got $got, expected $want") if $got < $want;
        carp("_set_fbav($row): too many values, got $got, expected $want")   if $got > $want;
    }
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
        DBI::Bridge::croak("Statement has no result columns to bind (perhaps you need to successfully call execute first, or again)")
    }
    DBI::Bridge::croak("bind_col: column $column is not a valid column (1..$n)") if $column !~ /^\d+\z/ || $column < 1 || $column > $n;
    return 1 if !defined $ref;
    if (!ref $ref || ref($ref) !~ /^(?:SCALAR|REF|LVALUE|VSTRING)\z/ && !eval { my $r = \$$ref; 1 }) {
        my $h = DBI::Bridge::outer($sth);
        DBI::Bridge::croak("Can't $h" . "->bind_col($column, $ref,...), need a reference to a scalar");
    }
    $sth->{bridge_bind}[ $column - 1 ] = $ref;
    DBI::Bridge::hold($sth);
    my $fbav = delete $sth->{bridge_fbav};
    delete $sth->{bridge_bound};
    return 1;
}

sub bind_columns {
    my ($sth, @refs) = @_;
    my $attr = @refs && (!defined $refs[0] || ref $refs[0] eq 'HASH') ? shift @refs : undef;
    my $n = $sth->FETCH('NUM_OF_FIELDS');
    if (!$n) {
        return if $sth->err;
        DBI::Bridge::croak("Statement has no result columns to bind (perhaps you need to successfully call execute first)") if @refs;
        return 1;
    }
    return $sth->set_err($DBI::stderr, "bind_columns called with ${\scalar @refs} values but $n are needed") if @refs != $n;
    my $column = 0;
    for my $ref (@refs) { $sth->bind_col(++$column, $ref, $attr) or return }
    if ($sth->{bridge_bind} && @{ $sth->{bridge_bind} } == $n) {
        DBI::Bridge::row_buffer($sth);
        $sth->{bridge_bound} = DBI::Bridge::bound_setter($sth->{bridge_fbav});
    }
    return 1;
}

1;
