package DBD::SQLite::Admin;

# Backup, status counters, limits, configuration, extensions, and the functions of the library that need no connection.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite::db;

sub _admin {    # a call with the connection's number first; the first element of the reply
    my ($dbh, $what, $function, @params) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, $what) if !$conn->{active};
    my $reply = CPANBridge::Driver::call($dbh, $function, $conn->{id}, @params) or return;
    return wantarray ? @$reply : $reply->[0];
}

sub _path {
    my ($file) = @_;
    utf8::encode($file) if utf8::is_utf8($file);
    return $file        if $file eq '' || $file eq ':memory:' || $file =~ m{\A(?:/|file:)};
    return DBD::SQLite::dr::_cwd() . "/$file";
}

sub backup_from_file {
    my ($dbh, $file) = @_;
    return _admin($dbh, 'backup from file', 'backup', 'from', _path($file)) || 0
}
sub backup_to_file  { my ($dbh, $file) = @_; return _admin($dbh, 'backup to file', 'backup', 'to', _path($file)) || 0 }
sub backup_from_dbh { my ($dbh, $other) = @_; return _backup_dbh($dbh, 'from', $other) }
sub backup_to_dbh   { my ($dbh, $other) = @_; return _backup_dbh($dbh, 'to',   $other) }

sub _backup_dbh {
    my ($dbh, $direction, $other) = @_;
    my $inner = ref $other ? tied(%$other) || $other : {};
    my $conn  = $inner->{bridge_conn}      || DBI::_handles($other)->{bridge_conn};
    return _admin($dbh, "backup $direction dbh", 'backup_dbh', $direction, $conn->{id}) || 0;
}

sub busy_timeout {
    my ($dbh, $ms) = @_;
    return DBD::SQLite->_inactive($dbh, 'set busy timeout') if !$dbh->{bridge_conn}{active};
    my $reply = CPANBridge::Driver::call($dbh, 'busy_timeout', $dbh->{bridge_conn}{id}, defined $ms ? int $ms : undef)
        or return;
    return $reply->[0];
}

sub enable_load_extension {
    my ($dbh, $on) = @_;
    return _admin($dbh, 'enable load extension', 'enable_load_extension', $on ? 1 : 0) ? 1 : 0;
}

sub load_extension {
    my ($dbh, $file, $entry) = @_;
    DBD::SQLite::dr::_tell_where($dbh->{bridge_conn}) if $dbh->{bridge_conn}{active};
    return 1 if _admin($dbh, 'load extension', 'load_extension', $file, $entry);
    my ($err, $text) = ($dbh->err, $dbh->errstr);
    return 0 if $err == -2;
    $dbh->set_err(undef, undef);
    $dbh->set_err($err,  "sqlite_load_extension failed with error $text");
    return 0;
}

sub table_column_metadata {
    my ($dbh, $schema, $table, $column) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'fetch table column metadata') if !$conn->{active};
    for my $need ([table => $table], [column => $column]) {
        next if defined $need->[1];
        $dbh->set_err(-2, "table_column_metadata requires a $need->[0] name");
        return;
    }
    local $@;
    my $reply =
        eval { $conn->{session}->request('sqlite.table_column_metadata', [$conn->{id}, $schema, $table, $column]) }
        or return {};
    my $facts = ref $reply->[0] ? $reply->[0] : $reply;
    my %facts;
    @facts{qw(data_type collation_name not_null primary auto_increment)} = @$facts;
    $facts{data_type} = lc $facts{data_type} if defined $facts{data_type};
    return \%facts;
}

sub db_status {
    my ($dbh, $reset) = @_;
    return _admin($dbh, 'get db status', 'db_status', defined $reset && !$reset ? 1 : 0)
}

sub db_config {
    my ($dbh, $id, $value) = @_;
    if ($id == 1000 || $id == 1001) {
        $dbh->set_err(
            -2,
            ($id == 1000 ? 'SQLITE_DBCONFIG_MAINDBNAME' : 'SQLITE_DBCONFIG_LOOKASIDE') . ' is not supported'
        );
        return 0;
    }
    return _admin($dbh, 'set db config', 'db_config', $id, defined $value ? $value : -1);
}

sub limit {
    my ($dbh, $id, $value) = @_;
    return _admin($dbh, 'set limit', 'limit', $id, defined $value ? $value : -1);
}

sub get_autocommit { return _admin($_[0], 'get autocommit', 'get_autocommit') }
sub txn_state      { my ($dbh, $schema) = @_; return _admin($dbh, 'get transaction state', 'txn_state', $schema) }
sub error_offset   { return _admin($_[0], 'get error offset', 'error_offset') }

sub db_filename {
    my ($dbh) = @_;
    return if !$dbh->{bridge_conn}{active};
    return _admin($dbh, 'get database filename', 'db_filename');
}

package DBD::SQLite::st;

sub st_status {
    my ($sth, $reset) = @_;
    return DBD::SQLite->_inactive($sth, 'get status') if !$sth->{bridge_conn}{active};
    my $reply = CPANBridge::Driver::call($sth, 'st_status', $sth->{bridge_id}, defined $reset && !$reset ? 1 : 0) or return;
    return $reply->[0];
}

package DBD::SQLite;

sub _library { my ($function, @params) = @_; return CPANBridge->session->request("sqlite.$function", \@params) }

sub compile_options { return @{ _library('compile_options') } }

sub sqlite_status {
    my ($reset) = @_;
    return _library('status', defined $reset && !$reset ? 1 : 0)->[0];
}

sub strlike { my ($pattern, $text, $escape) = @_; return _library('strlike', $pattern, $text, $escape)->[0] }
sub strglob { my ($pattern, $text) = @_; return _library('strglob', $pattern, $text)->[0] }

1;
