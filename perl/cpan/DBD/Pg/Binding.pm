package DBD::Pg::Binding;

# Values for placeholders: bind_param and its kin, types that stay with a placeholder, array references made into PostgreSQL's text for arrays.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

# A reference as a value: an array becomes text, an object that can be a string that string.
sub _flat_array {
    my ($value, $what) = @_;
    return $value                    if ref $value eq 'DBD::Pg::DefaultValue';
    return "$value"                  if _is_text($value);
    die "Cannot $what a reference\n" if ref $value ne 'ARRAY';
    return _array_text($value, _depth($value), $what);
}

sub _is_text {    # an object with an overloaded string form; overload.pm marks its class so
    my ($value) = @_;
    return UNIVERSAL::can($value, '((') || UNIVERSAL::can($value, '()') || UNIVERSAL::can($value, '(""');
}

sub _depth {
    my ($value) = @_;
    my $depth = 0;
    while (ref $value eq 'ARRAY') { $depth++; $value = $value->[0] }
    return $depth;
}

sub _array_text {
    my ($array, $depth) = @_;
    return '{}' if $depth == 1 && !@$array;
    my ($size, @parts);
    for my $element (@$array) {
        if (ref $element eq 'ARRAY' && !_is_text($element)) {
            $size = @$element if !defined $size;
            CPANBridge::Driver::croak('Invalid array - all arrays must be of equal size')
                if @$element != $size || $depth < 2;
            push @parts, !@$element && $depth == 2 ? '{""}' : _array_text($element, $depth - 1);
            next;
        }
        die "Arrays must contain only scalars and other arrays\n" if ref $element && !_is_text($element);
        CPANBridge::Driver::croak('Invalid array - all arrays must be of equal size') if $depth > 1;
        if (!defined $element) { push @parts, 'NULL'; next }
        (my $text = "$element") =~ s/(["\\])/\\$1/g;
        push @parts, qq{"$text"};
    }
    return '{' . join(',', @parts) . '}';
}

package DBD::Pg::st;

# Makes references among the values into text. True when they can travel beside the SQL; DEFAULT can not.
sub _flatten {
    my ($values) = @_;
    my $all = 1;
    for my $value (@$values) {
        next if !ref $value;
        $value = DBD::Pg::_flat_array($value, 'bind');
        $all   = 0 if ref $value;
    }
    return $all;
}

sub _unbound {
    my ($sth) = @_;
    $sth->set_err(7, 'execute called with an unbound placeholder', '00000');
    return undef;
}

sub bind_param {
    my ($sth, $param, $value, $attr) = @_;
    CPANBridge::Driver::croak("bind_param(...): attribute parameter '$attr' is not a hash ref")
        if defined $attr && !(ref $attr ? ref $attr eq 'HASH' : $attr =~ /\A-?[0-9]+\z/);
    my $index = _index($sth, $param);
    $value = DBD::Pg::_flat_array($value, 'bind') if ref $value;
    _set_type($sth, $index, $param, $attr) if defined $attr;
    delete $sth->{bridge_inout}{$index}    if $sth->{bridge_inout};
    _set_value($sth, $index, $value);
    return 1;
}

sub _set_value {
    my ($sth, $index, $value) = @_;
    my $n = $sth->{bridge_params};
    $sth->{bridge_unbound} ||= { map { $_ => 1 } 0 .. $n - 1 } if !$sth->{bridge_binds};
    $sth->{bridge_binds}   ||= [(undef) x $n];
    $sth->{bridge_binds} = [@{ $sth->{bridge_binds} }];
    $sth->{bridge_binds}[$index] = $value;
    if (my $unbound = $sth->{bridge_unbound}) {
        delete $unbound->{$index};
        delete $sth->{bridge_unbound} if !%$unbound;
    }
    return;
}

sub _index {    # of a placeholder, from 0; dies when there is none of that name
    my ($sth, $param) = @_;
    my $plan  = $sth->{bridge_plan};
    my $shown = defined $param ? "'$param'" : 'undef';
    if ($plan->[3] eq ':') {
        my $names = $plan->[4];
        CPANBridge::Driver::croak(q{Placeholders must begin with ':' when using the ":foo" style})
            if !defined $param || $param !~ /\A:/;
        for my $index (0 .. $#$names) { return $index if $names->[$index] eq $param }
        CPANBridge::Driver::croak("Cannot bind unknown placeholder $shown");
    }
    my $number = defined $param && length $param ? $param : 0;
    die qq{Placeholder should be in the format "\$1"\n} if $number !~ /\A\$?([0-9]+)\z/;
    $number = $1;
    return $number - 1 if $number >= 1 && $number <= $sth->{bridge_params};
    $shown = $param if defined $param && $param =~ /\A[0-9]+\z/;
    return CPANBridge::Driver::croak("Cannot bind unknown placeholder $number ($shown)");
}

sub _set_type {
    my ($sth, $index, $param, $attr) = @_;
    my $oid;
    if (ref $attr) {
        my ($own, $general) = @$attr{qw(pg_type TYPE)};
        CPANBridge::Driver::croak('Cannot specify both sql_type and pg_type') if defined $own  && defined $general;
        return                                                                if !defined $own && !defined $general;
        if (defined $own) {
            CPANBridge::Driver::croak("Cannot bind $param unknown pg_type $own") if !DBD::Pg::_sql_type($own);
            $oid = $own;
        }
        else { $attr = $general }
    }
    if (!defined $oid) {
        $oid = DBD::Pg::_type($attr);
        CPANBridge::Driver::croak("Cannot bind param $param: unknown sql_type $attr") if !defined $oid;
    }
    $sth->{bridge_types}[$index] = 0 + $oid;
    _tell_types($sth);
    return;
}

sub _tell_types {    # the daemon is told with the next execute
    my ($sth) = @_;
    my $types = $sth->{bridge_types};
    $sth->{bridge_opts}{types} =
        [map { $types->[$_] && $types->[$_] != 705 ? $types->[$_] : 0 } 0 .. $sth->{bridge_params} - 1];
    return;
}

sub bind_param_array {
    my ($sth, $param, $values, $attr) = @_;
    if (defined $values && ref $values && ref $values ne 'ARRAY') {
        $sth->set_err(
            1, 'Value for parameter ' . $param . ' must be a scalar or an arrayref, not a ' . ref $values,
            '00000'
        );
        return undef;
    }
    if (!defined $param || $param !~ /\A[0-9]+\z/) {
        $sth->set_err(1, 'Cannot use named placeholders in bind_param_array', '00000');
        return undef;
    }
    return $sth->DBD::_::st::bind_param_array($param, $values, defined $attr ? $attr : ());
}

# The variable gets the value of the column that stands where the placeholder does.
sub bind_param_inout {
    my ($sth, $param, $ref, $size, $attr) = @_;
    my $index = _index($sth, $param);
    CPANBridge::Driver::croak('bind_param_inout needs a reference to a scalar value')
        if ref $ref ne 'SCALAR' && ref $ref ne 'REF';
    _set_type($sth, $index, $param, $attr) if defined $attr;
    _set_value($sth, $index, $$ref);
    $sth->{bridge_inout}{$index} = $ref;
    return 1;
}

sub _bind_inout {
    my ($sth) = @_;
    my $columns = @{ $sth->{NAME} };
    for my $index (grep { $_ < $columns } keys %{ $sth->{bridge_inout} }) {
        $sth->bind_col($index + 1, $sth->{bridge_inout}{$index});
    }
    return;
}

# execute's less usual ways: values in the SQL, references, DEFAULT, variables that were bound, statements under a name of the script's.
# (SQL, values, options), or nothing when the error is set.
sub _otherwise {
    my ($sth) = @_;
    my ($plan, $values) = @$sth{qw(bridge_plan bridge_binds)};
    my ($text, $n, $how) = @$plan;
    my %opts = %{ $sth->{bridge_opts} || {} };
    $values->[$_] = ${ $sth->{bridge_inout}{$_} } for keys %{ $sth->{bridge_inout} || {} };
    _flatten($values) or $how = 'fill' if $values;
    $how = 'fill' if $how eq '' && !$sth->{pg_server_prepare};
    if ($how ne '' && !defined $opts{name}) {
        return ($how eq 'fill' && $n ? DBD::Pg::_filled($sth, $plan, $values) : $text, undef, { how => 's' });
    }
    my $switch = $sth->{pg_switch_prepared};
    $opts{how} = $switch == 1 ? 'n' : 'p' if $switch != 2 && !($switch > 2 && ++$sth->{bridge_runs} >= $switch);
    return ($sth->{bridge_sent} ? undef : $text, $values, %opts ? \%opts : undef);
}

# After prepare, when it was given attributes.
sub _prepared {
    my ($sth, $attr) = @_;
    for my $name (grep { /^(?:pg_|bridge_)/ } keys %{ $attr || {} }) {
        _store($sth, $name, $attr->{$name})
    }
    my $conn = $sth->{bridge_conn};
    if ($conn->{busy} eq 'async' && ($attr->{pg_async} || 0) > 1) {
        DBD::Pg::_make_room($conn, $sth, $attr->{pg_async}) or return;
    }
    return 1 if !$sth->{pg_prepare_now} || $sth->{bridge_plan}[2] ne '' || $conn->{busy};
    my $id    = $sth->{bridge_id} ||= CPANBridge::Driver::next_id();
    my $reply = CPANBridge::Driver::call($sth, 'prepare', $conn->{id}, $id, $sth->{bridge_plan}[0], undef) or return;
    $sth->{bridge_sent} = 1;
    return 1;
}

1;
