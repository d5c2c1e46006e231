# Making handles: the outer and the inner one, what a child inherits; and the few things done to waiting rows from everywhere.
package DBI;

use strict;
use warnings;

our ($WATCH, $IN, $LAST, %installed_drh, %DISPATCH);

sub DBI::Bridge::state_of {
    my ($me) = @_;
    my ($err, $state) = (${ $me->[1] }, ${ $me->[3] });
    return '' if !defined $err;
    return $state eq '00000' ? '' : $state if defined $state && length $state;
    return $err ? 'S1000' : '';
}

sub DBI::Bridge::outer {    # the outer handle of an inner one; a new one when the script let go of the old
    my ($inner) = @_;
    return $inner->{bridge_outer} if $inner->{bridge_outer};
    my %outer;
    tie %outer, 'DBI::Bridge::Tie', $inner;
    my $outer = bless \%outer, ref $inner;
    no warnings;            # builtin::weaken calls itself experimental in some perls
    weaken($inner->{bridge_outer} = $outer);
    return $outer;
}

sub DBI::Bridge::Tie::TIEHASH { return $_[1] }

sub DBI::Bridge::settle {    # rows just made ready: may the script's fetch simply take them?
    my ($i) = @_;
    my $seen = $i->{bridge_watch} || $WATCH || defined ${ $i->{Err} };
    return if !$seen && !$i->{bridge_bind};
    my $rows = delete $i->{bridge_rows};
    if ($rows && @$rows) {
        my $held = $i->{bridge_held};
        if ($held && @$held) { push @$held, @$rows }
        else { $i->{bridge_held} = $rows; delete $i->{bridge_next} }
    }
    if ($i->{bridge_hash_rows} && @{ $i->{bridge_hash_rows} }) { DBI::Bridge::hold_hashes($i) }
    DBI::Bridge::hold_flat($i) if $i->{bridge_flat} && ($seen || $i->{bridge_held} && @{ $i->{bridge_held} });
    delete $i->{bridge_next} if $seen || $i->{bridge_flat};
    DBI::Bridge::arm($i)     if !$seen && !$i->{bridge_next};
    return;
}

sub DBI::Bridge::hold_flat {    # values for bound columns back into array rows
    my ($i)  = @_;
    my $flat = delete $i->{bridge_flat} or return;
    my $n    = $i->{NUM_OF_FIELDS};
    delete $i->{bridge_next};
    push @{ $i->{bridge_held} }, [splice @$flat, 0, $n] while @$flat;
    return;
}

sub DBI::Bridge::hold_hashes {    # hash rows back into array rows
    my ($i)   = @_;
    my $names = $i->{bridge_names} || return;
    my $rows  = delete $i->{bridge_hash_rows};
    push @{ $i->{bridge_held} }, map { [@$_{@$names}] } @$rows;
    return;
}

sub DBI::Bridge::unsettle_all {    # an error was set, or trace went on: nobody may take rows unseen
    for my $drh (values %installed_drh) {
        my $inner = tied %$drh or next;
        for my $dbh (grep { $_ } @{ $inner->{bridge_kids} || [] }) {
            for my $sth (grep { $_ } @{ $dbh->{bridge_kids} || [] }) {
                DBI::Bridge::hold($sth)
            }
        }
    }
    return;
}

sub DBI::Bridge::hold {
    my ($i) = @_;
    my $rows = delete $i->{bridge_rows};
    if ($rows && @$rows) { unshift @{ $i->{bridge_held} }, @$rows }
    DBI::Bridge::hold_flat($i);
    delete $i->{bridge_next};
    DBI::Bridge::hold_hashes($i) if $i->{bridge_hash_rows} && @{ $i->{bridge_hash_rows} };
    return;
}

# --- making handles -------------------------------------------------------------------------------------------------------

my @INHERITED =
    qw(Warn PrintError PrintWarn RaiseError RaiseWarn HandleError HandleSetErr ShowErrorStatement FetchHashKeyName ChopBlanks
    LongReadLen LongTruncOk TaintIn TaintOut TraceLevel CompatMode AutoInactiveDestroy ReadOnly Profile Executed);
my %FRESH_DRH = (Warn => 1, PrintWarn => 1, FetchHashKeyName => 'NAME', LongReadLen => 80, TraceLevel => 0);

sub _new_handle {
    my ($class, $parent, $attr, $imp_data, $imp_class) = @_;
    no warnings;    # builtin::weaken calls itself experimental in some perls
    my %inner;
    my $type = substr $imp_class, -2;
    if ($parent) {
        @inner{@INHERITED}                              = @$parent{@INHERITED};
        $inner{Executed}                                = '';
        $inner{ $type eq 'st' ? 'Database' : 'Driver' } = $inner{bridge_parent} = $parent;
        if (my $callbacks = $parent->{Callbacks}) {
            $inner{Callbacks} = $callbacks->{ChildCallbacks} if $callbacks->{ChildCallbacks}
        }
        $inner{bridge_watch} = 1 if $parent->{bridge_watch};
    }
    else { %inner = (%FRESH_DRH, Active => 1, AutoCommit => 1) }
    my ($err, $errstr, $state);
    if ($type eq 'st') {
        @inner{qw(Err Errstr State)} = @$parent{qw(Err Errstr State)};
        $inner{RootClass} = $parent->{RootClass} if $parent->{RootClass}
    }
    else { @inner{qw(Err Errstr State)} = (\$err, \$errstr, \$state) }
    if ($attr) {
        for (qw(Err Errstr State)) { delete $attr->{$_} if exists $attr->{$_} && !ref $attr->{$_} }
        @inner{ keys %$attr } = values %$attr;
    }
    $inner{ImplementorClass} = $imp_class;
    $inner{Type}             = $type;
    $inner{ErrCount}         = 0;
    $inner{bridge_imp_data}  = $imp_data if defined $imp_data;
    $inner{bridge_pid}       = $$;
    my $inner = bless \%inner, $class;
    weaken((my $me = [$inner, @inner{qw(Err Errstr State)}])->[0]);
    $inner{bridge_me} = $me;
    my %outer;
    tie %outer, 'DBI::Bridge::Tie', $inner;
    my $outer = bless \%outer, $class;
    weaken($inner{bridge_outer} = $outer);

    if ($parent) {
        my $kids = $parent->{bridge_kids} ||= [];
        if (@$kids >= ($parent->{bridge_kids_limit} || 120)) {
            my @live = grep { defined } @$kids;
            @$kids = ();
            for (@live) { push @$kids, $_; weaken($kids->[-1]) }
            $parent->{bridge_kids_limit} = 120 + 2 * @$kids;
        }
        push @$kids, $inner;
        weaken($kids->[-1]);
    }
    return wantarray ? ($outer, $inner) : $outer;
}

sub _new_drh {
    my ($class, $attr, $imp_data) = @_;
    DBI::Bridge::croak(
        "_new_drh: $class: unknown _mem package (the driver must be set up by DBI->install_driver or DBI->setup_driver)"
    ) if !$class->isa('DBD::_::dr');
    return _new_handle('DBI::dr', undef, $attr, $imp_data, $class);
}

sub _new_dbh {
    my ($drh, $attr, $imp_data) = @_;
    $drh = tied(%$drh) || $drh;
    my $imp_class = $drh->{ImplementorClass} or DBI::Bridge::croak("DBI _new_dbh: $drh has no ImplementorClass");
    substr $imp_class, -2, 2, 'db';
    my $class = ref $drh;
    substr $class, -2, 2, 'db';
    my %attr = $attr ? %$attr : ();
    $attr{Name} = '' if !defined $attr{Name};
    return _new_handle($class, $drh, \%attr, $imp_data, $imp_class);
}

sub _new_sth {
    my ($dbh, $attr, $imp_data) = @_;
    $dbh = tied(%$dbh) || $dbh;
    my $imp_class = $dbh->{ImplementorClass} or DBI::Bridge::croak("DBI _new_sth: $dbh has no ImplementorClass");
    substr $imp_class, -2, 2, 'st';
    my $class = ref $dbh;
    substr $class, -2, 2, 'st';
    $dbh->{Statement} = $attr->{Statement} if $attr && defined $attr->{Statement};
    return _new_handle($class, $dbh, $attr, $imp_data, $imp_class);
}

1;
