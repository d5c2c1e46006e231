package CPANBridge::MySQL::Results;

# Further results of a statement, row counts the server still owes, numbers given by AUTO_INCREMENT.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL::db;

sub last_insert_id {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async} && !$conn->{flavour}{strict}) { return CPANBridge::MySQL::_ready($dbh, 'last_insert_id') }
    return $conn->{insertid} || 0;
}

package CPANBridge::MySQL::st;

sub last_insert_id {
    my ($sth) = @_;
    if ($sth->{bridge_async} && $sth->{bridge_conn}{async}) { _async_settle($sth) }
    return $sth->{bridge_insertid} || 0;
}

sub more_results {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    my $no   = $conn->{flavour}{strict} ? '' : 0;
    if ($conn->{async}) { CPANBridge::MySQL::_ready($sth, 'more_results') or return $no }
    if ($conn->{flavour}{strict} && $sth->{bridge_opts} && $sth->{bridge_opts}{server_prepare}) {
        $sth->set_err(2054, 'Processing of multiple result set is not possible with server side prepare', 'HY000');
        return '';
    }
    if (!$sth->{bridge_more} || !$conn->{active}) {
        $sth->finish if $conn->{flavour}{strict} && _is_active($sth);
        return $no;
    }
    _drop_reply($sth, $conn->{session});
    delete @$sth{ @CPANBridge::Driver::WAITING, 'bridge_later' };
    $sth->{bridge_more} = 0;
    my $reply = CPANBridge::Driver::call($sth, 'more_results', $sth->{bridge_id}, _mode($sth), $sth->{bridge_cache});
    if (!$reply || !$reply->[0]) {
        $conn->{driver}->_new_columns($sth, [], undef);
        @$sth{qw(bridge_total bridge_done bridge_got)} = (-1, undef, 0);
        _active($sth, '');
        return $reply ? $no : undef;
    }
    my (undef, $count, $done, $rows, $extra, $insertid) = @$reply;
    $extra ||= {};
    $extra->{columns} = [] if !defined $extra->{columns};
    _executed($sth, $conn, [$count, $done, $rows, $extra, $insertid]);
    return 1;
}

# How many rows the result has, when the reply to execute could not tell: waits until the server has sent them all.
sub _count_rows {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    return 0 if $sth->{bridge_opts} && $sth->{bridge_opts}{use_result};
    my $reply = CPANBridge::Driver::call($sth, 'rows', $sth->{bridge_id}) or return -1;
    return $sth->{bridge_total} = $reply->[0];
}

# finish, when something may be left in the daemon.
sub _finish {
    my ($sth) = @_;
    my $done = $sth->{bridge_done};
    my $conn = $sth->{bridge_conn};
    if ($sth->{bridge_async} && $conn->{async}) { _async_settle($sth); $done = $sth->{bridge_done} }
    if ($sth->{bridge_more} && $conn->{active}) {
        $sth->{bridge_more} = 0;
        my $reply = CPANBridge::Driver::call($sth, 'reset', $sth->{bridge_id}) || [];
        $conn->{insertid} = $reply->[1] if $reply->[1];
        $sth->{bridge_done} = 1 if defined $sth->{bridge_done};
    }
    delete $sth->{bridge_later};
    CPANBridge::Driver::st::finish($sth);
    $sth->{bridge_done} = undef if !defined $done;    # there was no result
    return 1;
}

1;
