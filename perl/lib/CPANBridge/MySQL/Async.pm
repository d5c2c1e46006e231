package CPANBridge::MySQL::Async;

# Queries nobody waits for. The daemon sends the query and returns; `async_result` waits for the answer. While one is under way
# ($conn->{async}: the handle it belongs to), the connection takes no other call.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL;

sub _begun {    # the query has been sent
    my ($h) = @_;
    my $conn = $h->{bridge_conn};
    CPANBridge::Driver::weaken($conn->{async} = $h);
    return '0E0';
}

# Is it this handle's query? If not, the handle's error says why not.
sub _is_under_way {
    my ($h, $what) = @_;
    my $conn = $h->{bridge_conn};
    return 1 if $conn->{async} && $conn->{async} == $h;
    my $ready = $what eq 'ready';
    my $why =
          $conn->{async} && $ready ? "Calling $conn->{flavour}{prefix}async_ready on the wrong handle"
        : $conn->{async}      ? 'Gathering async_query_in_flight results for the wrong handle'
        : !$ready             ? 'Gathering asynchronous results for a synchronous handle'
        : $h->{bridge_async}  ? 'Asynchronous handle was not executed yet'
        :                       'Handle is not in asynchronous mode';
    $h->set_err(2000, $why, 'HY000');
    return;
}

sub _async_ready {
    my ($h) = @_;
    my $conn = $h->{bridge_conn};
    return 1 if !$conn->{async} && $h->{bridge_async} && exists $h->{bridge_async_rv};
    _is_under_way($h, 'ready') or return undef;
    my $reply = CPANBridge::Driver::call($h, 'async_ready', $conn->{id}) or return 1;    # there is an error to fetch
    return $reply->[0] ? 1 : 0;
}

package CPANBridge::MySQL::db;

sub _async_do {
    my ($dbh, $sql, $opts, $binds) = @_;
    my $conn = $dbh->{bridge_conn};
    CPANBridge::Driver::call($dbh, 'do', $conn->{id}, "$sql", @$binds ? [@$binds] : undef, { async => 1 }) or return undef;
    return CPANBridge::MySQL::_begun($dbh);
}

sub async_ready { return CPANBridge::MySQL::_async_ready($_[0]) }

sub async_result {
    my ($dbh) = @_;
    CPANBridge::MySQL::_is_under_way($dbh, 'result') or return undef;
    my $conn = $dbh->{bridge_conn};
    delete $conn->{async};
    my $reply = CPANBridge::Driver::call($dbh, 'async_result', $conn->{id}, undef, '0', undef) or return undef;
    my ($count, undef, undef, $extra, $insertid) = @$reply;
    @$conn{qw(warnings info)} = (0, undef);
    $conn->{insertid} = $insertid || 0 if $insertid || !$conn->{flavour}{strict};
    $conn->{driver}->_extra($conn, $extra) if $extra;
    return $count || '0E0';
}

sub fd {    # readable when there is something to read from the daemon
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return undef if !$conn->{active} || !$conn->{session}{fh};
    return fileno $conn->{session}{fh};
}

package CPANBridge::MySQL::st;

sub _async_execute {
    my ($sth, $binds) = @_;
    my $conn = $sth->{bridge_conn};
    CPANBridge::Driver::call(
        $sth, 'execute', $conn->{id}, $sth->{bridge_id}, $sth->{bridge_sql}, $binds,
        'a', $sth->{bridge_cache}, { async => 1 }
    ) or return undef;
    @$sth{qw(bridge_sent bridge_total bridge_done bridge_fields)} = ($conn->{id}, -1, undef, 0);
    $conn->{driver}->_new_columns($sth, [], undef);
    $sth->{NUM_OF_FIELDS} = undef if $DBI::BRIDGE;
    delete $sth->{bridge_async_rv};
    CPANBridge::MySQL::_begun($sth);
    _active($sth, 1);
    return '0E0';
}

sub async_ready { return CPANBridge::MySQL::_async_ready($_[0]) }

sub async_result {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    return $sth->{bridge_async_rv} if !$conn->{async} && $sth->{bridge_async} && exists $sth->{bridge_async_rv};
    CPANBridge::MySQL::_is_under_way($sth, 'result') or return undef;
    return _async_settle($sth);
}

sub _async_settle {    # waits for the answer: from here on it is a statement like any other
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    return 1 if $conn->{async} != $sth;
    delete $conn->{async};
    my $reply = CPANBridge::Driver::call($sth, 'async_result', $conn->{id}, $sth->{bridge_id}, _mode($sth),
        $sth->{bridge_cache});
    if (!$reply) { _active($sth, ''); return undef }
    return $sth->{bridge_async_rv} = _executed($sth, $conn, $reply);
}

1;
