package DBD::Pg::Batch;

# execute_for_fetch (and so execute_array): the tuples travel by the hundred, and the daemon sends them one behind the other without waiting
# for each answer.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

sub _send_batch {
    my ($driver, $sth, $tuples) = @_;
    my $conn  = $sth->{bridge_conn};
    my $id    = $sth->{bridge_id} ||= CPANBridge::Driver::next_id();
    my $text  = $sth->{bridge_sent} ? undef : $sth->{bridge_plan}[0];
    my $reply = CPANBridge::Driver::call($sth, 'execute_many', $conn->{id}, $id, $text, $tuples, 0, $sth->{bridge_opts})
        or return;
    $sth->{bridge_sent} = 1;
    return $reply;
}

# DEFAULT is a word of the SQL, not a value: a tuple that has it is executed by itself, in its place.
sub _batch {
    my ($driver, $sth, $batch, $status, $sum) = @_;
    my @run;
    for my $tuple (@$batch) {
        if (!grep { ref eq 'DBD::Pg::DefaultValue' } @$tuple) { push @run, $tuple; next }
        if (@run) { $driver->SUPER::_batch($sth, [splice @run], $status, $sum) or return }
        my $result = $sth->execute(@$tuple);
        $result = [map { $sth->$_ } qw(err errstr state)] if !defined $result;
        $sth->set_err(undef, undef) if ref $result;
        CPANBridge::Driver::st::_count($result, $status, $sum);
    }
    return !@run || $driver->SUPER::_batch($sth, \@run, $status, $sum);
}

package DBD::Pg::st;

sub execute_for_fetch {
    my ($sth, $next, $status) = @_;
    my $conn = $sth->{bridge_conn};
    return $sth->DBD::_::st::execute_for_fetch($next, $status)
        if $sth->{bridge_plan}[2] ne ''
        || !$sth->{pg_server_prepare}
        || $sth->{bridge_inout}
        || $conn->{busy}
        || $sth->{pg_async};
    my $flat = sub {
        my $tuple = $next->() or return;
        return $tuple if !grep { ref } @$tuple;
        my @values = @$tuple;
        _flatten(\@values);
        return \@values;
    };
    return $sth->CPANBridge::Driver::st::execute_for_fetch($flat, $status);
}

1;
