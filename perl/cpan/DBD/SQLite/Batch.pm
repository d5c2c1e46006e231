package DBD::SQLite::Batch;

# execute_for_fetch (and so execute_array): the tuples travel to the daemon by the hundred.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite::st;

sub TUPLES_A_CALL () { 500 }

sub execute_for_fetch {
    my ($sth, $next, $status) = @_;
    my $conn = $sth->{bridge_conn};
    return DBD::SQLite::_inactive($sth, 'execute')        if !$conn->{active};
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
        _execute_batch($sth, \@batch, $status, $sum) or return;
    }
    return _batch_result($sth, $sum);
}

sub _execute_batch {
    my ($sth, $batch, $status, $sum) = @_;
    my $conn = $sth->{bridge_conn};
    my @send;
    for my $tuple (@$batch) {
        next if @$tuple != $sth->{bridge_params};
        ref and $_ = "$_" for @$tuple;
        push @send, $sth->{bridge_typed} || $conn->{see_number} ? _typed($sth, $tuple) : $tuple;
    }
    my $reply =
        @send ? DBD::SQLite::_call($sth, 'execute_many', $sth->{bridge_id}, \@send, 0) || return : [[], undef, undef];
    my ($results, $extra, $rowid) = @$reply;
    $conn->{rowid} = $rowid if defined $rowid;
    DBD::SQLite::_extra($conn, $extra) if $extra;
    for my $tuple (@$batch) {
        my $result =
            @$tuple == $sth->{bridge_params}
            ? shift @$results
            : [-1, 'called with ' . @$tuple . " bind variables when $sth->{bridge_params} are needed"];
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
        $sum->{errors}++;
        push @$status, [@$result[0, 1], 'S1000'] if $status;
        $sum->{last} = $result;
        return;
    }
    $sum->{rows} += $result;
    push @$status, $result || '0E0' if $status;
    return;
}

sub _batch_result {
    my ($sth, $sum) = @_;
    $sth->{bridge_got} = $sum->{rows};
    if ($sum->{errors}) {
        $sth->set_err(@{ $sum->{last} }[0, 1]) if $sum->{last};    # the last tuple's error is still there
        $sth->set_err($DBI::stderr, "executing $sum->{tuples} generated $sum->{errors} errors");
        return;
    }
    return wantarray ? ($sum->{tuples} || '0E0', $sum->{rows}) : $sum->{tuples} || '0E0';
}

1;
