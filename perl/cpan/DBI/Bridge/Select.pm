# The select* methods of database handles. Our own drivers may answer in one go: bridge_select (see the head of DBI.pm).
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

sub check_columns {    # numbers from 1
    my ($n, @columns) = @_;
    for my $column (@columns) {
        next if $column =~ /^\d+\z/ && $column >= 1 && $column <= $n;
        no warnings 'numeric';
        croak('bind_col: column ' . (0 + $column) . " is not a valid column (1..$n)");
    }
    return;
}

# the array of rows that an $attr of selectall_* asks for
sub slice_of {
    my ($attr) = @_;
    my $slice = $attr->{Slice};
    if (!defined $slice && ($slice = $attr->{Columns}) && ref $slice eq 'ARRAY') {
        $slice = [map { $_ - 1 } @$slice]
    }
    return $slice;
}

sub statement {    # an SQL text or a statement handle → a statement handle
    my ($dbh, $sql, $attr) = @_;
    return $sql if ref $sql && UNIVERSAL::isa($sql, 'DBI::st');
    return ($dbh->{Callbacks} ? outer($dbh) : $dbh)->prepare($sql, $attr);
}

# The driver's one-trip select, when nobody can tell the difference; returns () when it is not to be used
sub one_trip {
    my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
    return
           if ref $sql
        || !defined $sql
        || $attr && %$attr && !only_ours($attr)
        || $dbh->{RootClass}
        || ref $dbh ne 'DBI::db'
        || $dbh->{Callbacks};
    my $code = bulk($dbh, 'bridge_select') or return;
    $dbh->{Statement} = $sql;
    my $rows = $code->($dbh, $sql, $attr, $binds, $mode, $max);
    return if defined $rows && !ref $rows;
    return ($rows);
}

sub only_ours {
    my ($attr) = @_;
    return !grep { !/^(?:Slice|Columns|MaxRows)\z/ } keys %$attr
}

package DBD::_::db;

sub selectall_arrayref {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $slice = $attr && (exists $attr->{Slice} || exists $attr->{Columns}) ? DBI::Bridge::slice_of($attr) : undef;
    my $max   = $attr                                                       ? $attr->{MaxRows}             : undef;
    if (!$slice || ref $slice eq 'HASH' && !%$slice) {
        my ($rows) = DBI::Bridge::one_trip($dbh, $sql, $attr, \@binds, $slice ? 'hash' : 'array', $max);
        return $rows if $rows;
        return       if $dbh->err;
    }
    my $sth = DBI::Bridge::statement($dbh, $sql, $attr) or return;
    $sth->execute(@binds)                               or return;
    my $rows = $sth->fetchall_arrayref($slice, $max);
    $sth->finish if defined $max && $sth->FETCH('Active');
    return $rows;
}

sub selectall_array {
    my $rows = selectall_arrayref(@_) or return;
    return @$rows;
}

sub selectall_hashref {
    my ($dbh, $sql, $key, $attr, @binds) = @_;
    my $sth = DBI::Bridge::statement($dbh, $sql, $attr) or return;
    $sth->execute(@binds) or return;
    return $sth->fetchall_hashref($key);
}

sub selectcol_arrayref {
    my ($dbh, $sql, $attr, @binds) = @_;
    my @columns = $attr && $attr->{Columns} ? @{ $attr->{Columns} } : (1);
    my $max     = $attr                     ? $attr->{MaxRows}      : undef;
    my ($rows)  = DBI::Bridge::one_trip($dbh, $sql, $attr, \@binds, 'array', $max);
    if (!$rows) {
        return if $dbh->err;
        my $sth = DBI::Bridge::statement($dbh, $sql, $attr) or return;
        $sth->execute(@binds)                               or return;
        DBI::Bridge::check_columns($sth->FETCH('NUM_OF_FIELDS') || 0, @columns);
        $rows = $sth->fetchall_arrayref(undef, $max);
        $sth->finish if defined $max && $sth->FETCH('Active');
        return       if !$rows       && $sth->err;
        $rows ||= [];
    }
    elsif ($attr && $attr->{Columns}) {
        my $fields = @$rows ? @{ $rows->[0] } : ($dbh->prepare($sql) || return)->FETCH('NUM_OF_FIELDS');
        DBI::Bridge::check_columns($fields || 0, @columns);
    }
    return [map { $_->[$columns[0] - 1] } @$rows] if @columns == 1;
    my @at = map { $_ - 1 } @columns;
    return [map { @$_[@at] } @$rows];
}

sub first_row {    # (sth, row) of a select's first row
    my ($dbh, $sql, $attr, @binds) = @_;
    my $sth = DBI::Bridge::statement($dbh, $sql, $attr) or return;
    $sth->execute(@binds)             or return;
    my $row = $sth->fetchrow_arrayref or return;
    return ($sth, $row);
}

sub selectrow_arrayref {
    my ($dbh, $sql, $attr, @binds) = @_;
    my ($rows) = DBI::Bridge::one_trip($dbh, $sql, $attr, \@binds, 'row', 1);
    return $rows->[0] if $rows;
    return            if $dbh->err;
    my ($sth, $row) = first_row(@_) or return;
    my @copy = @$row;
    $sth->finish;
    return \@copy;
}

sub selectrow_array {
    my $row = selectrow_arrayref(@_) or return;
    return wantarray ? @$row : $row->[0];
}

sub selectrow_hashref {
    my ($dbh, $sql, $attr, @binds) = @_;
    my ($rows) = DBI::Bridge::one_trip($dbh, $sql, $attr, \@binds, 'hash', 1);
    return $rows->[0] if $rows;
    return            if $dbh->err;
    my $sth = DBI::Bridge::statement($dbh, $sql, $attr) or return;
    $sth->execute(@binds)                               or return;
    my $row = $sth->fetchrow_hashref                    or return;
    $sth->finish;
    return $row;
}

1;
