package CPANBridge::MySQL::Transactions;

# begin_work, commit, rollback and AutoCommit. With AutoCommit off the server's own autocommit is off.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL::db;

sub begin_work {
    my ($dbh) = @_;
    if ($dbh->{bridge_conn}{async}) { CPANBridge::MySQL::_ready($dbh, 'begin_work'); return undef }
    if (!$dbh->{AutoCommit}) {
        $dbh->set_err($DBI::stderr, 'Already in a transaction');
        return undef;
    }
    $dbh->STORE(AutoCommit => 0) or return undef;
    return undef if $dbh->{AutoCommit};
    $dbh->STORE(BegunWork => 1);
    return 1;
}

sub commit { return _end($_[0], 'commit') }

sub rollback { return _end($_[0], 'rollback') }

sub _end {
    my ($dbh, $what) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async}) { return CPANBridge::MySQL::_ready($dbh, $what) }
    if ($dbh->{AutoCommit}) {
        CPANBridge::Driver::warning("$what ineffective with AutoCommit enabled") if $dbh->FETCH('Warn');
        return '';
    }
    if (!$conn->{active}) { return $conn->{driver}->_inactive($dbh) }
    $dbh->STORE(BegunWork => 1) if delete $conn->{still_begun};
    my $reply = CPANBridge::Driver::call($dbh, $what, $conn->{id});
    delete $conn->{queued};
    if (!$reply) {    # what begin_work began is not over: DBI is about to say so, and is not listened to
        $conn->{not_ended} = 1 if $dbh->FETCH('BegunWork');
        return '';
    }
    $conn->{insertid} = 0 if !$conn->{flavour}{strict};
    $conn->{driver}->_extra($conn, $reply->[0]) if $reply->[0];
    $conn->{ended} = 1 if $dbh->FETCH('BegunWork');
    return 1;
}

sub _store_autocommit {
    my ($dbh, $on) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $ended = delete $conn->{ended};
    if (delete $conn->{not_ended} && $on) { $conn->{still_begun} = 1; return 1 }
    delete $conn->{still_begun};
    if ($conn->{active} && !$dbh->{"$conn->{flavour}{prefix}no_autocommit_cmd"}) {
        if ($conn->{async}) { return CPANBridge::MySQL::_ready($dbh, 'STORE') }
        if ($on && $ended) { $conn->{session}->oneway('mysql.autocommit', [$conn->{id}, 1]) }    # with the next call
        else {
            my $reply = CPANBridge::Driver::call($dbh, 'autocommit', $conn->{id}, $on ? 1 : 0) or return;
            $conn->{driver}->_extra($conn, $reply->[0]) if $reply->[0];
        }
    }
    elsif ($conn->{active} && $on && !$ended) { CPANBridge::Driver::call($dbh, 'commit', $conn->{id}) or return }
    $dbh->{AutoCommit} = $on ? 1 : '';
    return 1;
}

1;
