# Fetching, the hot paths: fetch, fetchrow_arrayref, fetchrow_array, fetchrow_hashref.
package DBI;

use strict;
use warnings;

our ($WATCH, $IN, $LAST, %installed_drh, %DISPATCH);

# fetch and fetchrow_arrayref are one method. The first looks for bound columns before it looks for plain rows, because
# loops with bound columns are written with fetch; the second looks for plain rows first.
sub DBI::st::fetch {
    &{ (tied %{ $_[0] } || $_[0])->{bridge_next} || \&DBI::Bridge::fetch_unbound };
}

sub DBI::Bridge::fetch_unbound {
    shift(@{ (tied %{ $_[0] } || $_[0])->{bridge_rows} }) || goto &DBI::Bridge::more_fetch;
}

sub DBI::st::fetchrow_arrayref {
    shift(@{ (tied %{ $_[0] } || $_[0])->{bridge_rows} })
        || &{ (tied %{ $_[0] } || $_[0])->{bridge_next} || goto &DBI::Bridge::more_fetchrow_arrayref };
}

sub DBI::st::fetchrow_array {
    my $row = shift(@{ (tied %{ $_[0] } || $_[0])->{bridge_rows} }) || goto &DBI::Bridge::fetchrow_array;
    return wantarray ? @$row : $row->[-1];
}

sub DBI::st::fetchrow_hashref {
    my $i = tied %{ $_[0] } || $_[0];
    if (@_ == 1) {
        my $row = shift @{ $i->{bridge_hash_rows} };
        return $row if $row;
        if (my $names = $i->{bridge_names}) {
            if ($row = shift @{ $i->{bridge_rows} }) {
                my %row;
                @row{@$names} = @$row;
                return \%row;
            }
        }
    }
    goto &DBI::Bridge::fetchrow_hashref;
}

# nothing waiting in bridge_rows: bound columns, held rows, or the driver's turn
for my $name (qw(fetch fetchrow_arrayref fetchrow_array)) {    # the method that an error names; all return a row
    my $more = sub {
        my $i = tied %{ $_[0] };
        goto &{ ($_[0]{ImplementorClass} || DBI::Bridge::no_handle($_[0]))->can('fetch')
                || DBI::Bridge::no_method($_[0], 'fetch') }
            if !$i;
        if ($WATCH || $i->{bridge_watch}) { unshift @_, $name; goto &DBI::Bridge::watched }
        my $me     = $i->{bridge_me};
        my $nested = $IN && ($IN == $i || $i->{bridge_parent} && $IN == $i->{bridge_parent});
        if (!$nested) {
            $LAST = $me;
            if (defined ${ $me->[1] }) { ${ $me->[1] } = ${ $me->[2] } = ${ $me->[3] } = undef }
        }
        DBI::Bridge::hold_hashes($i) if $i->{bridge_hash_rows} && @{ $i->{bridge_hash_rows} };
        my $row;
        DBI::Bridge::hold_flat($i) if $i->{bridge_flat};
        if (my $held = $i->{bridge_held}) {
            $row = shift @$held;
            if ($row && !$i->{bridge_bind}) { $i->{bridge_rows} = delete $i->{bridge_held} }
            elsif (@$held)                  { DBI::Bridge::arm($i) }
        }
        if (!$row) {
            my $code = $i->{ImplementorClass}->can('fetch') || DBI::Bridge::no_method($i, 'fetch');
            my $h    = $_[0];
            {
                local $IN = $i;
                $row = $code->($i);
            }
            DBI::Bridge::settle($i) if $i->{bridge_bind} || defined ${ $me->[1] };
            if (defined ${ $me->[1] } && !$nested) {
                @_ = ($i, $name, '', $row);
                goto &DBI::Bridge::report;
            }
        }
        return $row && $i->{bridge_bind} ? DBI::Bridge::deliver($i, $row) : $row;
    };
    no strict 'refs';
    *{"DBI::Bridge::more_$name"} = $more;
}

sub DBI::Bridge::fetchrow_array {
    my $i = tied %{ $_[0] };
    if (   $i
        && !$WATCH
        && !$i->{bridge_watch}
        && $i->{ImplementorClass}->can('fetchrow_array') == \&DBD::_::st::fetchrow_array)
    {
        my $row = &DBI::Bridge::more_fetchrow_array or return;
        return wantarray ? @$row : $row->[-1];
    }
    goto &DBI::Bridge::generic_fetchrow_array;
}

sub DBI::Bridge::fetchrow_hashref {
    my ($h, $case) = @_;
    my $i = tied %$h;
    if (  !$i
        || $WATCH
        || $i->{bridge_watch}
        || $i->{ImplementorClass}->can('fetchrow_hashref') != \&DBD::_::st::fetchrow_hashref)
    {
        goto &DBI::Bridge::generic_fetchrow_hashref;
    }
    if (   !defined $case
        && $i->{bridge_bind}
        && !defined ${ $i->{Err} }
        && (@{ $i->{bridge_held} || [] } || @{ $i->{bridge_flat} || [] }))
    {
        DBI::Bridge::arm($i) if !$i->{bridge_next};
        my $next  = $i->{bridge_next};
        my $names = $i->{bridge_names} || DBI::Bridge::hash_names($i);
        if ($next && $names) {
            my $values = $next->($h);
            my %row;
            @row{@$names} = @$values;
            return \%row;
        }
    }
    if (!defined $case && !$i->{bridge_bind} && !($i->{bridge_held} && @{ $i->{bridge_held} })) {
        my $imp   = $i->{ImplementorClass};
        my $names = $i->{bridge_names} || DBI::Bridge::hash_names($i);
        if ($names && $imp->can('bridge_fetch_as') && !defined ${ $i->{Err} } && !@{ $i->{bridge_rows} || [] }) {
            $LAST = $i->{bridge_me};
            my $row;
            { local $IN = $i; $row = $imp->can('bridge_fetch_as')->($i, 'hash', $i->{FetchHashKeyName}) }
            if (ref $row) { DBI::Bridge::settle($i) if defined ${ $i->{Err} }; return $row if !defined ${ $i->{Err} } }
            if (defined ${ $i->{Err} }) {
                @_ = ($i, 'fetchrow_hashref', '', $row);
                goto &DBI::Bridge::report;
            }
            return undef if !defined $row;
        }
        elsif ($names && (my $ready = shift @{ $i->{bridge_rows} })) {
            my %row;
            @row{@$names} = @$ready;
            return \%row;
        }
    }
    goto &DBI::Bridge::generic_fetchrow_hashref;
}

sub DBI::Bridge::hash_names {    # the keys of fetchrow_hashref's rows; kept for the run of this execute
    my ($i) = @_;
    my $names;
    { local $IN = $i; $names = $i->FETCH($i->{FetchHashKeyName} || 'NAME') }
    return if ref $names ne 'ARRAY' || !@$names;
    return $i->{bridge_names} = $names;
}

BEGIN {
    no strict 'refs';
    *DBI::Bridge::generic_fetchrow_array   = dispatcher('fetchrow_array',   0, 0, ROWS);
    *DBI::Bridge::generic_fetchrow_hashref = dispatcher('fetchrow_hashref', 0, 1, ROWS);
    $DISPATCH{"st/$_->[0]"} = $DISPATCH{ $_->[0] } = $_ for [fetch => 0, -1, ROWS], [fetchrow_arrayref => 0, -1, ROWS],
        [fetchrow_array => 0, 0, ROWS], [fetchrow_hashref => 0, 1, ROWS];
}

sub DBI::Bridge::next_row {    # from inside: a waiting row or the driver's next, bound columns served
    my ($i) = @_;
    my $row = shift @{ $i->{bridge_rows} };
    DBI::Bridge::hold_flat($i) if $i->{bridge_flat};
    if (!$row && $i->{bridge_held}) { $row = shift @{ $i->{bridge_held} } }
    if (!$row) {
        if ($i->{bridge_hash_rows} && @{ $i->{bridge_hash_rows} }) {
            DBI::Bridge::hold_hashes($i);
            $row = shift @{ $i->{bridge_held} }
        }
        else {
            my $code = $i->{ImplementorClass}->can('fetch') || DBI::Bridge::no_method($i, 'fetch');
            $row = $code->($i) or return;
        }
    }
    return $i->{bridge_bind} ? DBI::Bridge::deliver($i, $row) : $row;
}

# May rows travel in bulk, unseen by trace, callbacks, bound columns and subclasses?
sub DBI::Bridge::bulk {
    my ($i, $method) = @_;
    return if $DBI::WATCH || $i->{bridge_watch} || $i->{bridge_bind} || $i->{TaintOut};
    return $i->{ImplementorClass}->can($method);
}

1;
