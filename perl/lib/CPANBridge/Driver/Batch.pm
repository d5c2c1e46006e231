package CPANBridge::Driver::Batch;

# execute_for_fetch (and so execute_array): the tuples travel to the daemon by the hundred.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::Driver;

sub _send_batch {
    my ($driver, $sth, $tuples) = @_;
    my $conn = $sth->{bridge_conn};
    my $id   = $sth->{bridge_id} ||= next_id();
    return call($sth, 'execute_many', $conn->{id}, $id, $sth->{Statement}, $tuples, 0);
}

sub _batch { my ($driver, @batch) = @_; return CPANBridge::Driver::st::_execute_batch(@batch) }

package CPANBridge::Driver::st;

sub TUPLES_A_CALL () { 500 }

sub execute_for_fetch {
    my ($sth, $next, $status) = @_;
    my $conn = $sth->{bridge_conn};
    return $conn->{driver}->_inactive($sth, 'execute')    if !$conn->{active};
    return $sth->SUPER::execute_for_fetch($next, $status) if @{ $sth->{NAME} };
    @$status = () if $status;
    my $sum  = { tuples => 0, rows => 0, errors => 0 };
    my $more = 1;
    while ($more) {
        my @batch;
        while (@batch < TUPLES_A_CALL) {
            my $tuple = $next->();
            if (!$tuple) { $more = 0; last }
            push @batch, [@$tuple];
        }
        last if !@batch;
        $conn->{driver}->_batch($sth, \@batch, $status, $sum) or return;
    }
    return _batch_result($sth, $sum);
}

sub _execute_batch {
    my ($sth, $batch, $status, $sum) = @_;
    my ($conn, $params) = @$sth{qw(bridge_conn bridge_params)};
    my @send;
    for my $tuple (@$batch) {
        next if @$tuple != $params;
        ref and $_ = "$_" for @$tuple;
        push @send, $tuple;
    }
    my ($results, $extra, $rowid) = @send ? @{ $conn->{driver}->_send_batch($sth, \@send) || return } : [];
    $conn->{rowid} = $rowid                if defined $rowid;
    $conn->{driver}->_extra($conn, $extra) if $extra;
    for my $tuple (@$batch) {
        my $result =
            @$tuple == $params
            ? shift @$results
            : [-1, 'called with ' . @$tuple . " bind variables when $params are needed"];
        _count($result, $status, $sum);
    }
    $sth->{bridge_binds} = $batch->[-1];
    return 1;
}

sub _count {
    my ($result, $status, $sum) = @_;
    $sum->{tuples}++;
    delete $sum->{last};
    if (ref $result) {
        my ($err, $errstr, $state) = @$result;
        $sum->{errors}++;
        push @$status, [$err, $errstr, defined $state ? $state : 'S1000'] if $status;
        $sum->{last} = $result;
        return;
    }
    $sum->{rows} = $result < 0 || $sum->{rows} < 0 ? -1 : $sum->{rows} + $result;    # -1: not known
    push @$status, $result || '0E0' if $status;
    return;
}

sub _batch_result {
    my ($sth, $sum) = @_;
    $sth->{bridge_got} = $sum->{rows};
    if ($sum->{errors}) {
        $sth->set_err(@{ $sum->{last} }) if $sum->{last};    # the last tuple's error is still there
        $sth->set_err($DBI::stderr, "executing $sum->{tuples} generated $sum->{errors} errors");
        return;
    }
    return wantarray ? ($sum->{tuples} || '0E0', $sum->{rows}) : $sum->{tuples} || '0E0';
}

1;
