package DBD::SQLite::Attributes;

# Attributes that a script reads or writes seldom. The common ones are plain entries of the inner handle.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite::db;

my %SWITCH = map { ("sqlite_$_" => 1) }
    qw(see_if_its_a_number allow_multiple_statements use_immediate_transaction prefer_numeric_type extended_result_codes);

sub _store {
    my ($dbh, $name, $value) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($SWITCH{$name}) {
        $dbh->{$name} = $value ? 1 : 0;
        _switched($dbh, $conn, $name);
        return 1;
    }
    return _store_mode($dbh, _string_mode({ $name => $value }))
        if $name =~ /^(?:sqlite_string_mode|sqlite_unicode|unicode)\z/;
    return _store_read_only($dbh, $value) if $name eq 'ReadOnly';
    if ($name eq 'sqlite_defensive') { _config($conn, defensive => $value ? 1 : 0) if defined $value }
    return 1;    # read-only or unknown: taken without a word, as the documentation of DBI allows a driver
}

sub _switched {
    my ($dbh, $conn, $name) = @_;
    if ($name eq 'sqlite_see_if_its_a_number')      { $conn->{see_number} = $dbh->{$name} }
    elsif ($name eq 'sqlite_extended_result_codes') { _config($conn, extended => $dbh->{$name}) }
    elsif ($name eq 'sqlite_use_immediate_transaction') {
        DBD::SQLite::_tell_begin($conn, _begin_kind($dbh)) if $conn->{begin}
    }
    return;
}

sub _config {
    my ($conn, %set) = @_;
    $conn->{session}->oneway('sqlite.config', [$conn->{id}, \%set]) if $conn->{active};
    return;
}

sub _store_mode {
    my ($dbh, $mode) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->{sqlite_string_mode} = $mode;
    return 1 if $conn->{mode} == $mode;
    $conn->{mode} = $mode;
    _config($conn, string_mode => $mode);
    return 1;
}

sub _store_read_only {
    my ($dbh, $value) = @_;
    my $opened = $dbh->{bridge_conn}{read_only};
    $dbh->set_err('0', "ReadOnly is set but it's only advisory") if $value && !$opened;
    $dbh->{ReadOnly} = $value ? 1 : '';
    return 1;
}

sub _fetch {
    my ($dbh, $name) = @_;
    if ($name =~ /^(?:sqlite_)?unicode\z/) { _deprecated($name); return $dbh->{sqlite_string_mode} & 4 ? 1 : 0 }
    return undef;
}

package DBD::SQLite::st;

my %COMPUTED = (
    TYPE        => \&_types,
    NULLABLE    => sub { [map { !defined $_->[3] ? 2 : $_->[4] ? 0 : 1 } @{ _details($_[0]) || return }] },
    PRECISION   => sub { [] },
    SCALE       => sub { [] },
    ParamValues => \&_param_values,
    ParamTypes  => sub { undef },
    CursorName  => sub { undef },
    RowsInCache => sub { undef },
);

sub _fetch {
    my ($sth, $name) = @_;
    return $sth->{$name} if $name =~ /^sqlite_/;
    if (!$sth->{bridge_conn}{active}) { DBD::SQLite->_inactive($sth, 'fetch'); return undef }
    my $compute = $COMPUTED{$name} or return undef;
    return $compute->($sth);
}

sub _details {
    my ($sth) = @_;
    return [] if !@{ $sth->{NAME} };
    my $reply = CPANBridge::Driver::call($sth, 'columns', $sth->{bridge_id}) or return;
    return $reply->[0] && ref $reply->[0] && ref $reply->[0][0] ? $reply->[0] : $reply;
}

# The declared types as text; as numbers of SQLite's value types (of the row at hand) when sqlite_prefer_numeric_type is on.
sub _types {
    my ($sth) = @_;
    my $dbh = $sth->{bridge_conn}{dbh};
    return _value_types($sth) if $dbh && $dbh->{sqlite_prefer_numeric_type};
    my $details = _details($sth) or return undef;
    return [map { defined $_->[0] ? $_->[0] : 'VARCHAR' } @$details];
}

sub _value_types {
    my ($sth) = @_;
    my $details = CPANBridge::Driver::call($sth, 'column_types', $sth->{bridge_id}) || [];
    return [map { $details->[$_] || 0 } 0 .. $#{ $sth->{NAME} }];
}

sub _param_values {
    my ($sth) = @_;
    my $names = $sth->{bridge_param_names} || [];
    my $binds = $sth->{bridge_binds}       || [];
    return { map { (defined $names->[$_ - 1] ? $names->[$_ - 1] : $_) => $binds->[$_ - 1] }
            1 .. $sth->{bridge_params} };
}

1;
