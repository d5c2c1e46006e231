package DBD::Pg::LargeObjects;

# Large objects: pg_lo_*, and blob_read.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::db;

# One call; nothing when it failed. What failed is not an error of the handle with the real driver either: its methods return undef.
sub _large {
    my ($dbh, $function, @params) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::Pg->_inactive($dbh, "pg_$function") if !$conn->{active};
    if ($conn->{busy}) { DBD::Pg::_make_room($conn, $dbh, 0) or return }
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request("pg.$function", [$conn->{id}, @params]) };
        $error = $@ if !$reply;
    }
    if ($reply) { $conn->{tx} = 2 if !$dbh->{AutoCommit}; return $reply }
    return
           if ref $error eq 'CPANBridge::Error'
        && ($error->{code} || '') eq 'database'
        && ($error->{state} || '') !~ /^08/;
    return DBD::Pg->_fail($dbh, $error);
}

sub _in_transaction {
    my ($dbh, $method) = @_;
    CPANBridge::Driver::croak("Cannot call $method when AutoCommit is on") if $dbh->{AutoCommit};
    return;
}

# A number, or undef; 0 is as good as any
sub _number { my $reply = _large(@_) or return undef; return $reply->[0] >= 0 ? $reply->[0] : undef }

# The daemon's functions that need nothing but an open transaction, and whether their answer is yes or no
my %PLAIN = (
    lo_creat => '_number', lo_open => '_number', lo_lseek => '_number', lo_tell => '_number', lo_truncate => '_number',
    lo_close => '_done',   lo_unlink => '_done',
);

sub _done { my $reply = _large(@_) or return ''; return 1 }

for my $name (keys %PLAIN) {
    my $way    = __PACKAGE__->can($PLAIN{$name});
    my $method = sub {
        my ($dbh, @params) = @_;
        _in_transaction($dbh, "pg_$name");
        return $way->($dbh, $name, @params);
    };
    no strict 'refs';
    *{"pg_$name"} = *$name = $method;
}

sub lo_write {
    my ($dbh, $fd, $data, $length) = @_;
    _in_transaction($dbh, 'pg_lo_write');
    $data = substr $data, 0, $length if defined $length && $length < length $data;
    return _number($dbh, 'lo_write', $fd, $data);
}

sub lo_read {
    my ($dbh, $fd, undef, $length) = @_;
    _in_transaction($dbh, 'pg_lo_read');
    my $reply = _large($dbh, 'lo_read', $fd, $length) or return undef;
    if (ref $_[2]) { ${ $_[2] } = $reply->[0] }
    else { $_[2] = $reply->[0] }
    return length $reply->[0];
}

sub lo_import {
    my ($dbh, $file) = @_;
    return _number($dbh, 'lo_import', _absolute($file)) || undef;
}

sub lo_import_with_oid {
    my ($dbh, $file, $oid) = @_;
    return _number($dbh, 'lo_import', _absolute($file), $oid || undef) || undef;
}

sub lo_export {
    my ($dbh, $oid, $file) = @_;
    my $path = _absolute($file);
    my $new  = !-e $path;
    my $done = _done($dbh, 'lo_export', $oid, $path);
    chmod 0666 & ~umask, $path if $done && $new;    # the daemon's own umask lets nobody else read it
    return $done;
}

# The daemon opens the file; the script may have changed its folder.
sub _absolute {
    my ($file) = @_;
    return $file if !defined $file || $file =~ m{\A/};
    my $cwd = readlink '/proc/self/cwd';
    return defined $cwd ? "$cwd/$file" : $file;
}

{
    no warnings 'once';
    *pg_lo_write           = \&lo_write;
    *pg_lo_read            = \&lo_read;
    *pg_lo_import          = \&lo_import;
    *pg_lo_import_with_oid = \&lo_import_with_oid;
    *pg_lo_export          = \&lo_export;
    *pg_lo_lseek64         = *lo_lseek64    = \&lo_lseek;
    *pg_lo_tell64          = *lo_tell64     = \&lo_tell;
    *pg_lo_truncate64      = *lo_truncate64 = \&lo_truncate;
}

package DBD::Pg::st;

sub blob_read {    # ($number of the object, offset, length: 0 for all of it)
    my ($sth, $oid, $offset, $length, $into, $at) = @_;
    my $dbh = $sth->{Database};
    my $fd  = DBD::Pg::db::_large($dbh, 'lo_open', $oid, 0x40000);
    if (!$fd) { $sth->set_err(7, "ERROR:  large object $oid does not exist", '42704'); return undef }
    DBD::Pg::db::_large($dbh, 'lo_lseek', $fd->[0], $offset, 0) or return undef if $offset;
    my $blob = '';
    while (1) {
        my $want  = $length   ? $length - length $blob : 65_536;
        my $reply = $want > 0 ? DBD::Pg::db::_large($dbh, 'lo_read', $fd->[0], $want > 65_536 ? 65_536 : $want) : undef;
        last if !$reply || $reply->[0] eq '';
        $blob .= $reply->[0];
    }
    DBD::Pg::db::_large($dbh, 'lo_close', $fd->[0]);
    return $blob if !ref $into;
    substr($$into, $at || 0) = $blob;
    return length $blob;
}

1;
