package DBD::Pg::Transactions;

# begin_work, commit, rollback, AutoCommit and savepoints. The daemon begins a transaction by itself, right before the first statement that
# needs it; it is told so once, by the setting 'begin'.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

sub DBD::Pg::_leave_work {    # what begin_work began is over
    my ($dbh) = @_;
    delete $dbh->{bridge_conn}{begun};
    $dbh->STORE(BegunWork => 0);
    $dbh->{AutoCommit} = 1;
    DBD::Pg::db::_tell_begin($dbh);
    return;
}

package DBD::Pg::db;

sub _tell_begin {
    my ($dbh) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $begin = $dbh->{AutoCommit} ? 0 : $dbh->{ReadOnly} ? 2 : 1;
    return if $conn->{begin} == $begin || !$conn->{active};
    $conn->{begin} = $begin;
    $conn->{session}->oneway('pg.config', [$conn->{id}, { begin => $begin }]);
    return;
}

sub begin_work {
    my ($dbh) = @_;
    if (!$dbh->{AutoCommit}) { $dbh->set_err($DBI::stderr, 'Already in a transaction'); return undef }
    $dbh->{AutoCommit} = '';
    $dbh->STORE(BegunWork => 1);
    $dbh->{bridge_conn}{begun} = 1;
    _tell_begin($dbh);
    return 1;
}

sub commit   { return _end($_[0], 'commit') }
sub rollback { return _end($_[0], 'rollback') }

sub _end {
    my ($dbh, $what) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($dbh->{AutoCommit}) {
        CPANBridge::Driver::warning("$what ineffective with AutoCommit enabled") if $dbh->FETCH('Warn');
        return '';
    }
    return DBD::Pg->_inactive($dbh, $what) && '' if !$conn->{active};
    DBD::Pg::_traced($dbh, end => $what)         if $DBI::WATCH || $dbh->{bridge_watch};
    DBD::Pg::_end_async($conn)                   if $conn->{busy} eq 'async';
    delete $conn->{undo};
    my $reply = CPANBridge::Driver::call($dbh, $what, $conn->{id});
    if (!$reply) {    # DBI ends now what begin_work began, by AutoCommit: that must not commit what the script was told has failed
        $conn->{undo} = 1 if $conn->{begun};
        return '';
    }
    $conn->{busy} = '' if $conn->{busy} ne 'async';
    DBD::Pg->_extra($conn, $reply->[0]) if $reply->[0];
    $conn->{tx} = 0                     if !($reply->[0] && defined $reply->[0]{tx});
    if ($DBI::BRIDGE) { $dbh->{Executed} = '' }
    else { $dbh->STORE(Executed => 0) }
    DBD::Pg::_leave_work($dbh) if $conn->{begun};
    return 1;
}

sub _store_autocommit {
    my ($dbh, $on) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($on && $conn->{active} && !$dbh->{AutoCommit}) {
        my $how   = delete $conn->{undo} ? 'rollback' : 'commit';
        my $reply = CPANBridge::Driver::call($dbh, $how, $conn->{id}) or return;
        DBD::Pg->_extra($conn, $reply->[0]) if $reply->[0];
        $conn->{busy} = '';
        delete $conn->{begun};
    }
    $dbh->{AutoCommit} = $on ? 1 : '';
    _tell_begin($dbh);
    return 1;
}

sub pg_savepoint   { return _savepoint($_[0], 'savepoint',   'SAVEPOINT',             $_[1]) }
sub pg_rollback_to { return _savepoint($_[0], 'rollback_to', 'ROLLBACK TO SAVEPOINT', $_[1]) }
sub pg_release     { return _savepoint($_[0], 'release',     'RELEASE SAVEPOINT',     $_[1]) }

sub _savepoint {
    my ($dbh, $what, $sql, $name) = @_;
    if ($dbh->{AutoCommit}) {
        CPANBridge::Driver::warning("$what ineffective with AutoCommit enabled") if $dbh->FETCH('Warn');
        return '';
    }
    return defined DBD::Pg::db::do($dbh, "$sql $name") ? 1 : '';
}

1;
