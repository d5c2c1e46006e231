package DBD::SQLite::Binding;

# Values bound with a type, and what sqlite_see_if_its_a_number makes of the others. The daemon binds a plain value as text and
# a pair [value, class] as that class: 1 integer, 2 real, 3 text, 4 blob.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

# DBI's type codes -> how a value is bound
my %KIND = (
    (map { $_ => 'integer' } -6, -5, 4, 5, 16),
    (map { $_ => 'float' } 6, 7,  8),
    (map { $_ => 'blob' } -7, -4, -3, -2, 30),
);

# 1: an integer SQLite can hold, 2: a decimal number that survives the way to a double and back, 0: neither
sub number {
    my ($value) = @_;
    return 0 if $value !~ /\A([+-]?)(\d+)(?:\.(\d+))?\z/;
    my ($sign, $digits, $decimals) = ($1, $2, $3);
    if (!defined $decimals) {
        (my $bare = $digits) =~ s/\A0+(?=\d)//;
        my $limit = $sign eq '-' ? '9223372036854775808' : '9223372036854775807';
        return 1 if length $bare < 19 || length $bare == 19 && $bare le $limit;
    }
    my $places = defined $decimals ? length $decimals : 0;
    (my $plain = $value) =~ s/\A\+//;
    return sprintf("%.${places}f", $plain) eq $plain ? 2 : 0;
}

package DBD::SQLite;

sub _send_batch {    # tuples of values, for CPANBridge::Driver's execute_for_fetch
    my ($driver, $sth, $tuples) = @_;
    my $conn  = $sth->{bridge_conn};
    my $ahead = $conn->{reading} && _before_change($conn, $sth->{Statement}, $sth);
    if ($sth->{bridge_typed} || $conn->{see_number}) {
        $tuples = [map { DBD::SQLite::st::_typed($sth, $_) } @$tuples];
    }
    my @wanted = $ahead ? _wanted($ahead) : ();
    my $reply  = CPANBridge::Driver::call($sth, 'execute_many', $sth->{bridge_id}, $tuples, 0, @wanted) or return;
    _brought($ahead, $reply->[4]) if $ahead;
    return $reply;
}

package DBD::SQLite::st;

sub _typed {    # a new list of values with their classes
    my ($h, $binds) = @_;
    my $kinds = $h->{bridge_typed} || {};
    my $guess = $h->{bridge_conn}{see_number};
    my @typed;
    for my $index (0 .. $#$binds) {
        my $value = $binds->[$index];
        my $kind  = $kinds->{$index};
        push @typed,
            !defined $value ? undef : $kind ? _as($h, $index, $value, $kind) : $guess ? _guessed($value) : $value;
    }
    return \@typed;
}

sub _guessed {
    my ($value) = @_;
    my $class = DBD::SQLite::Binding::number($value);
    return $class ? ["$value", $class] : $value;
}

sub _as {
    my ($h, $index, $value, $kind) = @_;
    return $value if $kind eq 'text';
    if ($kind eq 'blob') {
        my $bytes = "$value";
        utf8::downgrade($bytes, 1) or CPANBridge::Driver::croak('Wide character in subroutine entry');
        return [$bytes, 4];
    }
    (my $text = $value) =~ s/\A +//;
    $text =~ s/\0.*//s;                  # as C reads it
    my $class = DBD::SQLite::Binding::number($text);
    return [$text, $class] if $class == 1 || $class && $kind eq 'float';
    CPANBridge::Driver::warning("datatype mismatch: bind param ($index) $value as $kind") if $h->FETCH('PrintWarn');
    return $value;
}

sub bind_param {
    my ($sth, $param, $value, $attr) = @_;
    my $conn = $sth->{bridge_conn};
    return DBD::SQLite->_inactive($sth, 'bind') if !$conn->{active};
    my $index = $param =~ /\A\d+\z/ ? $param - 1 : _named($sth, $param);
    return '' if !defined $index;
    my $type = ref $attr ? $attr->{TYPE} : $attr;
    if ($type) { $sth->{bridge_typed}{$index} = $KIND{$type} || 'text' }
    my $binds = $sth->{bridge_binds} ||= [(undef) x $sth->{bridge_params}];
    return 1 if $index < 0 || $index >= $sth->{bridge_params};
    $binds->[$index] = ref $value ? "$value" : $value;
    return 1;
}

sub _named {
    my ($sth, $name) = @_;
    my $names = $sth->{bridge_param_names} || [];
    for my $index (0 .. $#$names) { return $index if defined $names->[$index] && $names->[$index] eq $name }
    $sth->set_err(-2, "Unknown named parameter: $name");
    return;
}

sub bind_param_inout {
    my ($sth) = @_;
    $sth->set_err($DBI::stderr, 'InOut bind params not implemented');
    return '';
}

sub bind_col {    # a column bound as a blob is handed over as bytes whatever the string mode is
    my ($sth, $column, $ref, $attr) = @_;
    my $type = ref $attr ? $attr->{TYPE} : $attr;
    if ($type && ($KIND{$type} || '') eq 'blob' && $column =~ /\A\d+\z/) {
        my %columns = map { $_ => 1 } @{ $sth->{bridge_as_bytes} || [] }, $column - 1;
        $sth->{bridge_as_bytes} = [keys %columns] if $sth->{bridge_conn}{mode} & 4;
    }
    return $sth->SUPER::bind_col($column, $ref, ref $attr || !$type ? $attr : { TYPE => $type });
}

package DBD::SQLite::db;

sub quote {
    my ($dbh, $value, $type) = @_;
    return 'NULL' if !defined $value;
    if (defined $type && $type =~ /\A(?:-7|-4|-3|-2|30)\z/) {    # the binary types
        my $bytes = "$value";
        utf8::downgrade($bytes, 1) or CPANBridge::Driver::croak('Wide character in subroutine entry');
        return "X'" . unpack('H*', $bytes) . "'";
    }
    (my $text = $value) =~ s/'/''/g;
    return "'$text'";
}

1;
