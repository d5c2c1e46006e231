# Many rows at once: fetchall_arrayref, fetchall_hashref. Our own drivers may answer in one go: bridge_fetchall (see the head of DBI.pm).
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

sub waiting_arrays {    # takes the rows that wait in memory
    my ($i, $max) = @_;
    hold_hashes($i) if $i->{bridge_hash_rows} && @{ $i->{bridge_hash_rows} };
    hold_flat($i)   if $i->{bridge_flat};
    my $held  = $i->{bridge_held};
    my $ready = $i->{bridge_rows};
    if ($held && @$held && $ready && @$ready) { unshift @$ready, splice @$held }
    my $from = $held && @$held ? $held : $ready;
    return [] if !$from || !@$from;
    if (!defined $max || $max >= @$from) { my @all = splice @$from; return \@all }
    return [splice @$from, 0, $max];
}

sub all_rows {    # up to $max rows as fresh arrays
    my ($i, $max) = @_;
    $max = undef if defined $max && $max < 0;
    my @all;
    if (!$i->{bridge_bind}) {
        my $rows = waiting_arrays($i, $max);
        return $rows if defined $max && @$rows >= $max;
        if (my $code = bulk($i, 'bridge_fetchall')) {
            return $rows if !$i->{Active};
            my $more = $code->($i, 'array', defined $max ? $max - @$rows : undef);
            if (!defined $more) { return $rows }
            if (ref $more)      { return $more if !@$rows; push @$rows, @$more; return $rows }
        }
        @all = @$rows;
    }
    while (!defined $max || @all < $max) {
        my $row = next_row($i) or last;
        push @all, [@$row];
    }
    return \@all;
}

sub all_hashes {    # the same as hashes, keys in $names
    my ($i, $max, $names) = @_;
    $max = undef if defined $max && $max < 0;
    my $code;
    if (($code = bulk($i, 'bridge_fetchall')) && !@{ $i->{bridge_held} || [] } && $i->{Active}) {
        my ($arrays, $hashes) = map { $_ || [] } @$i{qw(bridge_rows bridge_hash_rows)};
        my @ready = map { my %row; @row{@$names} = @$_; \%row } splice @$arrays, 0,
            defined $max && $max < @$arrays ? $max : scalar @$arrays;
        push @ready, splice @$hashes, 0, defined $max && $max - @ready < @$hashes ? $max - @ready : scalar @$hashes;
        return \@ready if defined $max && @ready >= $max;
        my $more = $code->($i, 'hash', defined $max ? $max - @ready : undef);
        return \@ready if !defined $more;
        if (ref $more) { return $more if !@ready; return [@ready, @$more] }
        my $rest = all_rows($i, defined $max ? $max - @ready : undef);
        return [@ready, map { my %row; @row{@$names} = @$_; \%row } @$rest];
    }
    my $rows = all_rows($i, $max);
    for my $row (@$rows) {
        my %row;
        @row{@$names} = @$row;
        $row = \%row;
    }
    return $rows;
}

# { Name => 1, ... } picks columns by name, whatever their case: pairs of key wanted and column number
sub named_columns {
    my ($i, $slice) = @_;
    my $at = $i->FETCH('NAME_lc_hash');
    my @pick;
    for my $key (keys %$slice) {
        my $column = $at->{ lc $key };
        return $i->set_err($DBI::stderr, "Invalid column name '$key' for slice") if !defined $column;
        push @pick, [$key, $column];
    }
    return \@pick;
}

sub numbered_columns {    # \{ 0 => 'name', ... } renames columns by number
    my ($i, $map) = @_;
    my @pick;
    for my $key (keys %$map) {
        my $column = do { no warnings 'numeric'; 1 + $key };
        check_columns($i->FETCH('NUM_OF_FIELDS') || 0, $column);
        push @pick, [$map->{$key}, $column - 1];
    }
    return \@pick;
}

package DBD::_::st;

sub fetchall_arrayref {
    my ($sth, $slice, $max) = @_;
    my $mode = ref $slice;
    if (defined $max && !$sth->{Active} && !DBI::Bridge::any_waiting($sth)) { return undef }
    if (!$mode && $slice) {
        DBI::Bridge::croak(qq{Can't use string ("$slice") as an ARRAY ref while "strict refs" in use})
    }
    if (!$mode) { return DBI::Bridge::all_rows($sth, $max) }
    if ($mode eq 'ARRAY') {
        my $rows = DBI::Bridge::all_rows($sth, $max);
        if (@$slice) { $_ = [@$_[@$slice]] for @$rows }
        return $rows;
    }
    my $pick;
    if ($mode eq 'HASH') {
        if (!%$slice) {
            my $names = $sth->FETCH($sth->{FetchHashKeyName} || 'NAME');
            DBI::Bridge::croak("Can't use an undefined value as an ARRAY reference") if !defined $names;
            return DBI::Bridge::all_hashes($sth, $max, $names);
        }
        $pick = DBI::Bridge::named_columns($sth, $slice) or return;
    }
    elsif ($mode eq 'REF' && ref $$slice eq 'HASH') { $pick = DBI::Bridge::numbered_columns($sth, $$slice) }
    else { return $sth->set_err($DBI::stderr, "fetchall_arrayref($mode) invalid") }
    my @keys = map { $_->[0] } @$pick;
    my @at   = map { $_->[1] } @$pick;
    my $rows = DBI::Bridge::all_rows($sth, $max);
    for my $row (@$rows) {
        my %row;
        @row{@keys} = @$row[@at];
        $row = \%row;
    }
    return $rows;
}

sub DBI::Bridge::any_waiting {
    my ($i) = @_;
    return grep { $_ && @$_ } @$i{@DBI::Bridge::WAITING};
}

sub fetchall_hashref {
    my ($sth, $key_field) = @_;
    my @keys  = ref $key_field ? @$key_field : ($key_field);
    my $names = $sth->FETCH($sth->{FetchHashKeyName} || 'NAME') || [];
    my $at    = $sth->FETCH(($sth->{FetchHashKeyName} || 'NAME') . '_hash');
    my $n     = @$names;
    if (!@keys) { my $rows = DBI::Bridge::all_hashes($sth, undef, $names); return @$rows ? $rows->[-1] : {} }
    my @at;
    for my $key (@keys) {
        my $column = $at->{$key};
        $column = $key - 1 if !defined $column && defined $key && $key =~ /^\d+\z/ && $key >= 1 && $key <= $n;
        return $sth->set_err(
            $DBI::stderr,
            "Field '" . (defined $key ? $key : '') . "' does not exist (not one of @$names)"
        ) if !defined $column;
        push @at, $column;
    }
    my %all;
    my $last = pop @at;
    for my $row (@{ DBI::Bridge::all_rows($sth) }) {
        no warnings 'uninitialized';
        my $node = \%all;
        $node = $node->{ $row->[$_] } ||= {} for @at;
        my %row;
        @row{@$names} = @$row;
        $node->{ $row->[$last] } = \%row;
    }
    return \%all;
}

1;
