package DBD::SQLite::Transactions;

# begin_work, commit, rollback and AutoCommit. The daemon begins a transaction by itself, right before the first statement that needs it;
# it is told so once, by the setting 'begin' (DBD::SQLite::_tell_begin).

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

sub DBD::SQLite::_leave_work {    # a COMMIT or ROLLBACK given as a statement has ended what begin_work began
    my ($dbh) = @_;
    $dbh->STORE(BegunWork => 0);
    $dbh->{AutoCommit} = 1;
    DBD::SQLite::_tell_begin($dbh->{bridge_conn}, 0);
    return;
}

package DBD::SQLite::db;

sub begin_work {
    my ($dbh) = @_;
    if (!$dbh->{AutoCommit}) { $dbh->set_err($DBI::stderr, 'Already in a transaction'); return undef }
    $dbh->{AutoCommit} = '';
    $dbh->STORE(BegunWork => 1);
    delete $dbh->{bridge_conn}{ddl};
    DBD::SQLite::_tell_begin($dbh->{bridge_conn}, _begin_kind($dbh)) if $dbh->{bridge_conn}{active};
    return 1;
}

sub _begin_kind { return $_[0]{sqlite_use_immediate_transaction} ? 2 : 1 }

sub commit { return _end($_[0], 'commit', 'COMMIT TRANSACTION') }

sub rollback { return _end($_[0], 'rollback', 'ROLLBACK TRANSACTION') }

sub _end {
    my ($dbh, $what, $sql) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, $what) if !$conn->{active};
    if ($dbh->{AutoCommit}) {
        CPANBridge::Driver::warning("$what ineffective with AutoCommit enabled") if $dbh->FETCH('Warn');
        return 1;
    }
    if (!$conn->{ac})             { _run($dbh, $sql) or return '' }
    if (delete $conn->{ddl})      { _abort_selects($dbh) if $what eq 'rollback' }
    if ($dbh->FETCH('BegunWork')) { DBD::SQLite::_leave_work($dbh) }
    return 1;
}

# After a rollback of tables that were made or changed, SQLite ends open selects with an error: rows read ahead do not count.
sub _abort_selects {
    my ($dbh) = @_;
    for my $sth (grep { $_ && $_->{Active} && $_->{bridge_id} } @{ $dbh->{bridge_kids} || [] }) {
        my $got = $sth->rows;
        next if $sth->{bridge_done} && $got == $sth->{bridge_got};
        CPANBridge::Driver::st::_drop_reply($sth, $sth->{bridge_conn}{session});
        CPANBridge::Driver::st::_forget_rows($sth);
        @$sth{qw(bridge_done bridge_reply)} = (0, [-1, undef, undef, [4, 'abort due to ROLLBACK', 'S1000']]);
    }
    return;
}

sub _run {    # a statement of the driver's own
    my ($dbh, $sql) = @_;
    my $conn = $dbh->{bridge_conn};
    my $ahead  = $conn->{reading} && DBD::SQLite::_before_change($conn, $sql);
    my @wanted = $ahead ? (undef, undef, DBD::SQLite::_wanted($ahead)) : ();
    my $reply  = CPANBridge::Driver::call($dbh, 'do', $conn->{id}, $sql, @wanted) or return;
    DBD::SQLite::_brought($ahead, $reply->[5]) if $ahead;
    if (my $extra = $reply->[2]) {
        $conn->{ac} = $extra->{ac} if defined $extra->{ac};
        if ($extra->{warn}) { CPANBridge::Driver::warning($_) for @{ $extra->{warn} } }
    }
    return $reply;
}

sub _store_autocommit {
    my ($dbh, $on) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($on) {
        if (!$dbh->{AutoCommit}) {
            if ($conn->{active} && !$conn->{ac}) { _run($dbh, 'COMMIT TRANSACTION') or return }
            DBD::SQLite::_tell_begin($conn, 0) if $conn->{active};
        }
    }
    else {
        delete $conn->{ddl};
        DBD::SQLite::_tell_begin($conn, _begin_kind($dbh)) if $conn->{active};
    }
    $dbh->{AutoCommit} = $on ? 1 : '';
    return 1;
}

1;
