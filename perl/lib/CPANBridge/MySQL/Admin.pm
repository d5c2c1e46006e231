package CPANBridge::MySQL::Admin;

# Functions of DBD::mysql from its first years: $drh->func(..., 'admin'), $dbh->func(..., 'admin'), _ListDBs, _ListTables.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL;

my %COMMAND = (
    createdb => sub { 'CREATE DATABASE ' . _quoted($_[0]) },
    dropdb   => sub { 'DROP DATABASE ' . _quoted($_[0]) },
    reload   => sub { 'FLUSH PRIVILEGES' },
    shutdown => sub { 'SHUTDOWN' },
);

sub _quoted {
    my ($name) = @_;
    CPANBridge::Driver::croak('The name of a database is missing') if !defined $name || $name eq '';
    $name =~ s/`/``/g;
    return "`$name`";
}

sub dbh_admin {    # ($dbh, command, database)
    my ($dbh, $command, @arguments) = @_;
    my $sql = $COMMAND{ defined $command ? $command : '' }
        || CPANBridge::Driver::croak('Unknown command: ' . (defined $command ? $command : ''));
    return $dbh->do($sql->(@arguments)) ? 1 : '';
}

sub drh_admin {    # ($drh, command, database if the command has one, host, user, password)
    my ($drh, $command, @arguments) = @_;
    my $database = $command =~ /\A(?:create|drop)db\z/ ? shift @arguments : undef;
    my ($host, $user, $password) = @arguments;
    my $dbh = _visit($drh, $host, undef, $user, $password) or return '';
    my $done = dbh_admin($dbh, $command, $database);
    $drh->set_err($dbh->err, $dbh->errstr, $dbh->state) if !$done;
    $dbh->disconnect;
    return $done;
}

sub _visit {    # a connection for one question; an error becomes the driver handle's
    my ($drh, $host, $port, $user, $password) = @_;
    my $dsn = join ';', defined $host && length $host ? "host=$host" : (), defined $port && length $port ? "port=$port" : ();
    my $dbh = DBI->connect("DBI:mysql:$dsn", $user, $password, { PrintError => 0, RaiseError => 0 });
    $drh->set_err(DBI->err, DBI->errstr, $DBI::state) if !$dbh;
    return $dbh;
}

sub drh_list {    # ($drh, "host:port") or ($drh, host, port, user, password)
    my ($drh, $host, $port, $user, $password) = @_;
    my $dbh = _visit($drh, $host, $port, $user, $password) or return;
    return @{ $dbh->selectcol_arrayref('SHOW DATABASES') || [] };
}

sub dbh_list_dbs {
    my ($dbh) = @_;
    my $names = $dbh->selectcol_arrayref('SHOW DATABASES') or return;
    return @$names;
}

sub dbh_list_tables {
    my ($dbh) = @_;
    CPANBridge::Driver::warning('_ListTables is deprecated, use $dbh->tables()');
    my $names = $dbh->selectcol_arrayref('SHOW TABLES') or return;
    return @$names;
}

1;
