# One statement, many tuples of values: bind_param_array, execute_array, execute_for_fetch.
package DBD::_::st;

use strict;
use warnings;
no warnings 'redefine';

sub bind_param_array {
    my ($sth, $at, $values, $attr) = @_;
    return $sth->set_err($DBI::stderr, "Value for parameter $at must be a scalar or an arrayref, not a " . ref $values)
        if defined $values && ref $values && ref $values ne 'ARRAY';
    return $sth->set_err($DBI::stderr, "Can't use named placeholder '$at' for non-driver supported bind_param_array")
        if !DBI::looks_like_number($at);
    return $sth->set_err($DBI::stderr, "Placeholder '$at' is out of range") if $at <= 0;
    my $arrays = $sth->FETCH('ParamArrays');
    $sth->{ParamArrays} = $arrays = {} if !$arrays;
    $arrays->{$at} = $values;
    return $sth->bind_param($at, ref $values ? $values->[0] : $values, $attr) if $attr;
    return 1;
}

sub bind_param_inout_array {
    my ($sth, $at, $values, $maxlen, $attr) = @_;
    return $sth->set_err($DBI::stderr, 'bind_param_inout_array not supported');
}

sub execute_array {
    my ($sth, $attr, @values) = @_;
    my $status = $attr->{ArrayTupleStatus};
    if ($status && ref $status ne 'ARRAY') { return $sth->set_err(1, 'ArrayTupleStatus attribute must be an arrayref') }
    my $next = $attr->{ArrayTupleFetch};
    if ($next) {
        return $sth->set_err($DBI::stderr, "Can't use both ArrayTupleFetch and explicit bind values") if @values;
        if (UNIVERSAL::isa($next, 'CODE')) { }
        elsif (ref $next && eval { $next->isa('DBI::st') }) {
            my $from = $next;
            $next = sub { $from->fetchrow_arrayref }
        }
        else { return $sth->set_err($DBI::stderr, "ArrayTupleFetch '$next' is not a code ref or statement handle") }
    }
    else {
        my $n = $sth->FETCH('NUM_OF_PARAMS');
        if (@values) {
            return $sth->set_err($DBI::stderr, @values . " bind values supplied but $n expected")
                if defined $n && $n >= 0 && @values != $n;
            for my $at (1 .. @values) { $sth->bind_param_array($at, $values[$at - 1]) or return }
        }
        my $arrays = $sth->FETCH('ParamArrays') || {};
        return $sth->set_err($DBI::stderr, keys(%$arrays) . " bind values supplied but $n expected")
            if $n && keys %$arrays != $n;
        $next = tuples($sth, $arrays);
    }
    return $sth->execute_for_fetch($next, $status);
}

sub tuples {    # columns of values → a sub that gives one tuple after the other
    my ($sth, $arrays) = @_;
    my ($longest, @columns);
    for my $at (keys %$arrays) {
        my $values = $arrays->{$at};
        $columns[$at - 1] = $values;
        next                if ref $values ne 'ARRAY';
        $longest = @$values if !defined $longest || @$values > $longest;
    }
    $longest = 1 if !defined $longest;    # scalars only: once
    my $row = 0;
    return sub {
        return if $row >= $longest;
        my $n = $row++;
        return [map { ref $_ eq 'ARRAY' ? $_->[$n] : $_ } @columns];
    };
}

sub execute_for_fetch {
    my ($sth, $next, $status)   = @_;
    my ($count, $errors, $rows) = (0, 0, 0);
    @$status = () if $status;
    my ($err, $errstr, $state) = @$sth{qw(Err Errstr State)};
    while (my $tuple = $next->()) {
        $$err = $$errstr = $$state = undef if defined $$err;    # each tuple has its own error
        my $rv = eval { $sth->execute(@$tuple) };
        if ($rv) {
            push @$status, $rv if $status;
            $rows = $rv >= 0 && $rows >= 0 ? $rows + $rv : -1;
        }
        else {
            $errors++;
            push @$status, [$$err, defined $$errstr ? $$errstr : $@, $sth->state] if $status;
        }
        $count++;
    }
    return $sth->set_err($DBI::stderr, "executing $count generated $errors errors") if $errors;
    $count ||= '0E0';
    return wantarray ? ($count, $rows) : $count;
}

1;
