# The road of a method call: dispatchers for all public methods, the attribute methods, DESTROY.
package DBI;

use strict;
use warnings;

our ($WATCH, $IN, $LAST, $ENDING, %installed_drh, %DISPATCH);

# Flags of a method
sub KEEP ()    { 1 }     # leaves the error state alone on entry; reports only errors that are new
sub EXECUTE () { 2 }     # sets Executed on the handle and its parents, copies Statement up
sub ENDWORK () { 4 }     # ends what begin_work began
sub UNCACHE () { 8 }     # empties CachedKids
sub ROWS ()    { 16 }    # may leave rows in bridge_rows
sub DROP ()    { 32 }    # waiting rows are void
sub SHOW ()    { 64 }    # Statement is named in error messages of database handles (ShowErrorStatement)

my @VOID = (@DBI::Bridge::WAITING, qw(bridge_names bridge_next));

sub dispatcher {
    my ($name, $min, $max, $flags) = @_;
    $max = 1e9 if $max < 0;
    $min++;              # with the handle
    $max++;
    return sub {
        my $i = tied %{ $_[0] };
        if (!$i) {
            if ($ENDING) { DBI::Bridge::outlived($_[0], $name); goto &{ $_[0]->can($name) } if tied %{ $_[0] } }
            goto &{ ($_[0]{ImplementorClass} || DBI::Bridge::no_handle($_[0]))->can($name)
                    || DBI::Bridge::no_method($_[0], $name) };
        }
        if ($WATCH || $i->{bridge_watch}) { unshift @_, $name; goto &DBI::Bridge::watched }
        DBI::Bridge::usage_error($name, scalar @_) if @_ < $min || @_ > $max;
        my $code   = $i->{ImplementorClass}->can($name) || DBI::Bridge::no_method($i, $name);
        my $me     = $i->{bridge_me};
        my $nested = $IN && ($IN == $i || $i->{bridge_parent} && $IN == $i->{bridge_parent});
        if (!$nested) {
            $LAST = $me;
            if (defined ${ $me->[1] }) { ${ $me->[1] } = ${ $me->[2] } = ${ $me->[3] } = undef }
        }
        if ($flags) { DBI::Bridge::before($i, $flags, $_[1]) }
        my $h = shift;
        my (@rv, $rv);    # without a list in between most calls are quicker
        {
            local $IN = $i;
            if (wantarray) { @rv = $code->($i, @_) }
            else { $rv = $code->($i, @_) }
        }
        if ($flags & (ROWS | ENDWORK))         { DBI::Bridge::after($i, $flags) }
        if (defined ${ $me->[1] } && !$nested) {
            @_ = ($i, $name, wantarray, wantarray ? @rv : $rv);
            goto &DBI::Bridge::report;
        }
        return wantarray ? @rv : $rv;
    };
}

sub keeper {    # for methods that neither clear the error state nor report an old one
    my ($name, $min, $max, $flags) = @_;
    $max = 1e9 if $max < 0;
    $min++;
    $max++;
    return sub {
        my $i = tied %{ $_[0] };
        if (!$i) {
            if ($ENDING) { DBI::Bridge::outlived($_[0], $name); goto &{ $_[0]->can($name) } if tied %{ $_[0] } }
            goto &{ ($_[0]{ImplementorClass} || DBI::Bridge::no_handle($_[0]))->can($name)
                    || DBI::Bridge::no_method($_[0], $name) };
        }
        if ($WATCH || $i->{bridge_watch}) { unshift @_, $name; goto &DBI::Bridge::watched }
        DBI::Bridge::usage_error($name, scalar @_) if @_ < $min || @_ > $max;
        my $code   = $i->{ImplementorClass}->can($name) || DBI::Bridge::no_method($i, $name);
        my $me     = $i->{bridge_me};
        my $count  = $i->{ErrCount};
        my $had    = ${ $me->[1] };
        my $nested = $IN && ($IN == $i || $i->{bridge_parent} && $IN == $i->{bridge_parent});
        $LAST = $me if !$nested && $name ne 'DESTROY';
        my $h = shift;
        my @rv;
        {
            local $IN = $i;
            if (wantarray) { @rv = $code->($i, @_) }
            else { $rv[0] = $code->($i, @_) }
        }
        if (   !$nested
            && defined ${ $me->[1] }
            && ($name eq 'set_err' || !defined $had || $i->{ErrCount} > $count || $had ne ${ $me->[1] }))
        {
            @_ = ($i, $name, wantarray, @rv);
            goto &DBI::Bridge::report;
        }
        return wantarray ? @rv : $rv[0];
    };
}

sub DBI::Bridge::before {
    my ($i, $flags, $statement) = @_;
    if ($flags & SHOW) { $i->{Statement} = $statement if !ref $statement }
    if ($flags & DROP) { delete @$i{@VOID} }
    if ($flags & EXECUTE) {
        $i->{Executed} = 1;
        if (my $parent = $i->{bridge_parent}) {
            $parent->{Executed} = 1;
            if ($i->{Type} eq 'st') {
                $parent->{Statement} = $i->{Statement};
                $parent->{bridge_parent}{Executed} = 1;
            }
        }
    }
    if ($flags & UNCACHE) {
        my $kids = $i->{CachedKids};
        %$kids = () if $kids;
    }
    return;
}

sub DBI::Bridge::after {
    my ($i, $flags) = @_;
    if ($flags & ENDWORK) {
        if ($i->{BegunWork}) {
            $i->{BegunWork} = '';
            local $IN = $i;
            $i->STORE(AutoCommit => 1);
        }
    }
    elsif ($i->{bridge_rows}) { DBI::Bridge::settle($i) }
    return;
}

# The methods: whose they are, fewest and most arguments (-1 = any), flags; how each is to be called stands in Watch.pm
BEGIN {
    my %FLAG    = (K => KEEP, X => EXECUTE, W => ENDWORK, U => UNCACHE, R => ROWS, D => DROP, S => SHOW);
    my @METHODS = (
        common => '0 0 K'   => 'private_data',
        common => '0 0'     => 'private_attribute_info',
        common => '1 -1 K'  => 'func',
        common => '1 5 K'   => 'set_err',
        common => '0 2 K'   => 'trace dump_handle',
        common => '0 1 K'   => 'debug',
        common => '1 2 K'   => 'trace_msg visit_child_handles',
        common => '1 1 K'   => 'parse_trace_flags parse_trace_flag',
        common => '1 2'     => 'swap_inner_handle',
        common => '0 -1 K'  => 'FETCH_many',
        dr     => '0 4'     => 'connect connect_cached',
        dr     => '0 1'     => 'data_sources',
        dr     => '2 3'     => 'default_user',
        dr     => '0 0 K'   => 'dbixs_revision',
        db     => '0 1'     => 'data_sources clone begin_work type_info',
        db     => '0 0'     => 'take_imp_data type_info_all',
        db     => '0 -1'    => 'connected',
        db     => '0 0 W'   => 'commit rollback',
        db     => '1 -1 XS' =>
'do selectrow_array selectrow_arrayref selectrow_hashref selectall_arrayref selectall_array selectcol_arrayref',
        db => '2 -1 XS'  => 'selectall_hashref',
        db => '0 5'      => 'last_insert_id tables table_info',
        db => '3 3'      => 'preparse',
        db => '1 2 S'    => 'prepare',
        db => '1 3 S'    => 'prepare_cached',
        db => '0 0 K'    => 'ping rows',
        db => '0 0 U'    => 'disconnect',
        db => '1 2 K'    => 'quote',
        db => '1 -1 K'   => 'quote_identifier',
        db => '4 5'      => 'column_info',
        db => '3 4'      => 'primary_key_info primary_key',
        db => '6 7'      => 'foreign_key_info',
        db => '5 6'      => 'statistics_info',
        db => '1 1'      => 'get_info',
        st => '2 3'      => 'bind_col bind_param bind_param_array',
        st => '0 -1'     => 'bind_columns',
        st => '3 4'      => 'bind_param_inout bind_param_inout_array',
        st => '0 -1 XRD' => 'execute',
        st => '1 -1 XD'  => 'execute_array',
        st => '1 2 XD'   => 'execute_for_fetch',
        st => '0 5'      => 'last_insert_id',
        st => '0 2 R'    => 'fetchall_arrayref',
        st => '1 1 R'    => 'fetchall_hashref',
        st => '3 5'      => 'blob_read',
        st => '3 3'      => 'blob_copy_to_file',
        st => '0 5'      => 'dump_results',
        st => '0 0 D'    => 'more_results finish',
        st => '0 0'      => 'cancel',
        st => '0 0 K'    => 'rows',
        st => '0 -1 K'   => '_get_fbav',
        st => '1 1 K'    => '_set_fbav',
    );
    no strict 'refs';
    for my $type (qw(dr db st)) {
        @{"DBI::${type}::ISA"}    = ('DBI::common');
        @{"DBD::_::${type}::ISA"} = ('DBD::_::common');
    }
    while (my ($owner, $signature, $names) = splice @METHODS, 0, 3) {
        my ($min, $max, $letters) = split / /, $signature;
        my $flags = 0;
        $flags |= $FLAG{$_} for split //, $letters || '';
        for my $name (split / /, $names) {
            my $code = $flags & KEEP ? keeper($name, $min, $max, $flags) : dispatcher($name, $min, $max, $flags);
            $DISPATCH{"$owner/$name"} = $DISPATCH{$name} = [$name, $min, $max, $flags];
            *{"DBI::${owner}::$name"} = $code;
        }
    }
}

# The attribute methods and the error accessors are called most: they have their own short roads.

sub DBI::common::err    { my $i = tied %{ $_[0] } || $_[0]; return ${ $i->{Err} } }
sub DBI::common::errstr { my $i = tied %{ $_[0] } || $_[0]; return ${ $i->{Errstr} } }
sub DBI::common::state  { my $i = tied %{ $_[0] } || $_[0]; return DBI::Bridge::state_of($i->{bridge_me}) }

sub DBI::common::FETCH {
    my $i = tied %{ $_[0] } || $_[0];
    if (($WATCH || $i->{bridge_watch}) && !$IN) { unshift @_, 'FETCH'; goto &DBI::Bridge::watched }
    my $code  = $i->{ImplementorClass}->can('FETCH');
    my $err   = ${ $i->{Err} };
    my $count = $i->{ErrCount};
    my $value = $code->($i, $_[1]);
    if (!$IN && defined ${ $i->{Err} } && (!defined $err || $i->{ErrCount} > $count)) {
        @_ = ($i, 'FETCH', wantarray, $value);
        goto &DBI::Bridge::report;
    }
    return $value;
}

sub DBI::common::STORE {
    my $i = tied %{ $_[0] } || $_[0];
    if (($WATCH || $i->{bridge_watch}) && !$IN) { unshift @_, 'STORE'; goto &DBI::Bridge::watched }
    my $code = $i->{ImplementorClass}->can('STORE');
    my ($err, $count) = (${ $i->{Err} }, $i->{ErrCount});
    my $value;
    {
        local $IN = $IN || $i;
        $value = $code->($i, $_[1], $_[2]);
    }
    if (   !$IN
        && defined ${ $i->{Err} }
        && (!defined $err || $i->{ErrCount} > $count || length $err < length ${ $i->{Err} }))
    {
        @_ = ($i, 'STORE', wantarray, $value);
        goto &DBI::Bridge::report;
    }
    return $value;
}

sub DBI::dr::disconnect_all {    # the one method a driver may leave out without a word
    my $i    = tied %{ $_[0] } || $_[0];
    my $code = $i->{ImplementorClass}->can('disconnect_all') or return;
    local $IN = $i;
    return $code->($i);
}

sub DBI::common::EXISTS { return defined $_[0]->FETCH($_[1]) ? 1 : '' }

sub DBI::common::DELETE {
    my ($h, $key) = @_;
    my $i = tied(%$h) || $h;
    return delete $i->{$key} if $key =~ /^private_/;
    return $h->FETCH($key);
}
sub DBI::common::FIRSTKEY { return undef }
sub DBI::common::NEXTKEY  { return undef }
sub DBI::common::CLEAR    { DBI::Bridge::carp("Can't CLEAR $_[0] (DBI)"); return }

sub DBI::common::can {
    my ($h, $name) = @_;
    return UNIVERSAL::can($h, $name) if !ref $h;
    my $own = UNIVERSAL::can($h, $name);
    return $own if !$own || !$DISPATCH{$name} && $name !~ /^(?:FETCH|STORE|disconnect_all)\z/;
    my $i = tied(%$h)    || $h;
    return $i->{ImplementorClass}->can($name) ? $own : undef;
}

sub DBI::common::DESTROY {
    my ($h) = @_;
    if (my $i = tied %$h) {    # the outer handle: the inner one follows when nobody needs it
        %{ delete $i->{CachedKids} } = () if $i->{CachedKids};    # cached statements hold on to their database handle
        return;
    }
    my $ending = defined ${^GLOBAL_PHASE} ? ${^GLOBAL_PHASE} eq 'DESTRUCT' : $ENDING;
    return if ($ending || !defined ${^GLOBAL_PHASE}) && DBI::Bridge::hollow($h);
    my $type = $h->{Type} || return;
    $h->{Active} = '' if $h->{InactiveDestroy} || $h->{AutoInactiveDestroy} && $h->{bridge_pid} != $$;
    my $code    = $h->{ImplementorClass}->can('DESTROY');
    my $watched = ($WATCH || $h->{bridge_watch}) && !$ending;
    if ($watched || $code && ($code != \&DBD::_::st::DESTROY || $h->{Active})) {
        DBI::Bridge::destroy($h, $code, $watched, $ending)
    }
    my ($me, $parent) = @$h{qw(bridge_me bridge_parent)};
    return if !$parent;
    my $up = $parent->{bridge_me} or return;
    if ($type eq 'db' && $me && defined ${ $me->[1] }) { ${ $up->[$_] } = ${ $me->[$_] } for 1 .. 3 }
    $LAST = $up if $me && $LAST && $LAST == $me;
    return;
}

# --- the end of the program -----------------------------------------------------------------------------------------------
# In global destruction perl clears references to objects in any order, so that an outer handle may have lost its inner one while a
# destructor of the script still uses it. END puts all inner handles into the hash slots of globs, which are cleared last (a perl before
# 5.14 cannot do that safely: there such calls end with a clear message).

my %LATE;    # address of an outer handle → [ those of its inner one, of that one's parent, of the driver's session ]

sub DBI::Bridge::keep_for_destructors {
    return if !defined ${^GLOBAL_PHASE};
    my @handles = map { tied %$_ || () } values %installed_drh;
    while (my $i = shift @handles) {
        push @handles, grep { $_ } @{ $i->{bridge_kids} || [] };
        my $session = $i->{bridge_conn} && $i->{bridge_conn}{session};
        for my $object (grep { $_ } $i, $session) {
            no strict 'refs';
            *{ 'DBI::Bridge::Late::' . (0 + $object) } = $object;
        }
        $i->{bridge_watch}              = 1;    # so that calls come through `watched`, which calls `revive`
        $LATE{ 0 + $i->{bridge_outer} } = [map { $_ ? 0 + $_ : 0 } $i, $i->{bridge_parent}, $session]
            if $i->{bridge_outer};
    }
    return;
}

sub DBI::Bridge::late {
    my ($address) = @_;
    no strict 'refs';
    return \%{"DBI::Bridge::Late::$address"};
}

sub DBI::Bridge::revive {    # gives an outer handle, and what it needs, their references back
    my ($outer) = @_;
    my $late = $LATE{ 0 + $outer } or return;
    my ($own, $above, $session) = @$late;
    my $i = DBI::Bridge::late($own);
    return if !$i->{ImplementorClass};
    if (!tied %$outer) { no warnings; untie %$outer; tie %$outer, 'DBI::Bridge::Tie', $i }
    $i->{bridge_me}[0] ||= $i;
    if ($above) {
        my $parent = $i->{ $i->{Type} eq 'st' ? 'Database' : 'Driver' } = $i->{bridge_parent} =
            DBI::Bridge::late($above);
        $parent->{bridge_me}[0] ||= $parent;
    }
    $i->{bridge_conn}{session} ||= DBI::Bridge::late($session) if $session;
    return $i;
}

sub DBI::Bridge::hollow {
    my ($h) = @_;
    local ($@, $SIG{__DIE__});
    return !eval { my $type = $h->{Type}; 1 };
}

sub DBI::Bridge::outlived {    # a call that late: $_[0] can be read afterwards, or the call ends here
    my ($h, $name) = @_;
    return if !DBI::Bridge::hollow($h) || DBI::Bridge::revive($h);
    DBI::Bridge::croak("Can't call $name on $h: the handle has ended before its user, during global destruction");
}

sub DBI::Bridge::destroy {    # the driver's DESTROY: what it does to $@ and the like is its own affair
    my ($h, $code, $watched, $ending) = @_;
    my ($status, $errno) =
        ($?, $! + 0);         # not local: perl would lose the script's exit status when exit unwinds a lexical handle
    {
        local ($@, $SIG{__DIE__});
        if ($watched) { DBI::Bridge::watched('DESTROY', $h) }
        else {
            local $IN = $h;
            eval { $code->($h); 1 } or do { warn "\t(in cleanup) $@" if $@ && !$ending };
        }
    }
    $? = $status if $? != $status;
    $! = $errno;
    return;
}

1;
