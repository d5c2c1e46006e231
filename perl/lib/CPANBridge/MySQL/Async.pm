package CPANBridge::MySQL::Async;

# Queries nobody waits for. The daemon sends the query and returns; `async_result` waits for the answer. While one is under way
# ($conn->{async}: the handle it belongs to), the connection takes no other call.
#
# A session does one thing at a time, so the daemon is not asked for the answer before the script wants it - unless the connection has a
# session of its own ($conn->{own}, Connect.pm): then it is asked at once, and the session's socket becomes readable with the answer.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL;

sub _begun {    # the query has been sent
    my ($h) = @_;
    my $conn = $h->{bridge_conn};
    CPANBridge::Driver::weaken($conn->{async} = $h);
    if ($conn->{own}) {
        my $session = $conn->{session};
        $session->post('mysql.async_result', [$conn->{id}, $h->{bridge_id}, $h->{bridge_id} ? 'a' : '0', undef],
            \$conn->{async_seq});
    }
    return '0E0';
}

sub _outcome {    # waits for the answer: the reply, or nothing with the handle's error set
    my ($h, $mode) = @_;
    my $conn = $h->{bridge_conn};
    delete $conn->{async};
    my $seq = delete $conn->{async_seq};
    return CPANBridge::Driver::call($h, 'async_result', $conn->{id}, $h->{bridge_id}, $mode, $h->{bridge_cache}) if !$seq;
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->await($seq) };
        $error = $@ if !$reply;
    }
    return $reply || scalar $conn->{driver}->_fail($h, $error);
}

sub _is_here {    # has the answer come?
    my ($conn) = @_;
    my $session = $conn->{session};
    return 1 if $session->{early}{ $conn->{async_seq} } || length ${ $session->{in} };
    vec(my $readable = '', fileno $session->{fh}, 1) = 1;
    return select($readable, undef, undef, 0) > 0 ? 1 : 0;
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
    return _is_here($conn) if $conn->{async_seq};
    my $reply = CPANBridge::Driver::call($h, 'async_ready', $conn->{id}) or return 1;    # there is an error to fetch
    return $reply->[0] ? 1 : 0;
}

# --- bridge_pipeline ----------------------------------------------------------------------------------------------------------

# Statements that bring nothing back are sent and not waited for. What they did wrong, the next call that waits tells.
sub _queueable { return $_[0] =~ /\A\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b/i && $_[0] !~ /\bRETURNING\b/i }

sub _queue {
    my ($conn, @what) = @_;
    $conn->{session}->oneway('mysql.queue', [$conn->{id}, @what]);
    $conn->{queued} = 1;
    return -1;
}

sub _sync {    # waits for all that was queued: true, or the handle's error is set
    my ($h) = @_;
    my $conn = $h->{bridge_conn};
    return 1 if !delete $conn->{queued} || !$conn->{active};
    my $reply = CPANBridge::Driver::call($h, 'sync', $conn->{id}) or return;
    my ($failures, $extra, $insertid) = @$reply;
    $conn->{insertid} = $insertid if $insertid;
    $conn->{driver}->_extra($conn, $extra) if $extra;
    return 1 if !$failures || !@$failures;
    $h->set_err(@{$_}[1 .. 3]) for @$failures;
    return;
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
    my $reply = CPANBridge::MySQL::_outcome($dbh, '0') or return undef;
    my ($count, undef, undef, $extra, $insertid) = @$reply;
    @$conn{qw(errno warnings info news)} = (0, 0, undef, 0);
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
    my $reply = CPANBridge::MySQL::_outcome($sth, _mode($sth));
    if (!$reply) { _active($sth, ''); return undef }
    return $sth->{bridge_async_rv} = _executed($sth, $conn, $reply);
}

1;
