package DBD::Pg::Async;

# Statements that are not waited for: asynchronous queries (one at a time: `busy` of the connection is 'async' meanwhile), and the queue of
# bridge_pipeline. And what the rest of the driver does while one of them, or a COPY, is under way.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

my %IN_COPY = (
    in  => 'Must call pg_putcopyend before issuing more commands',
    out => 'Must call pg_getcopydata until no more rows before issuing more commands',
);

# True when a statement may be sent now; else the error is set.
sub _make_room {
    my ($conn, $h, $flags) = @_;
    my $busy = $conn->{busy};
    CPANBridge::Driver::croak($IN_COPY{$busy}) if $IN_COPY{$busy};
    if ($busy eq 'async') {
        if ($flags & PG_OLDQUERY_CANCEL()) {
            my $reply = _stop_async($conn, $h, 'cancel') or return;
            if ($reply->[0] && $conn->{begin}) {    # cancelled, and rolled back
                CPANBridge::Driver::call($h, 'rollback', $conn->{id}) or return;
                $conn->{tx} = 0;
            }
        }
        elsif ($flags & PG_OLDQUERY_WAIT()) { _stop_async($conn, $h, 'result') or return }
        else {
            $h->set_err(7, 'Cannot execute until previous async query has finished', '00000');
            return;
        }
    }
    @$conn{qw(busy async_status)} = ('', 0);
    return 1;
}

sub _refuse { my ($conn, $h) = @_; return _make_room($conn, $h, 0) ? [] : undef }

# Waits for the result of the query under way, or cancels it; either way nobody wants to see it.
sub _stop_async {
    my ($conn, $h, $how) = @_;
    @$conn{qw(busy async_status)} = ('', $how eq 'cancel' ? -1 : 0);
    delete $conn->{async};
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request("pg.$how", [$conn->{id}, $how eq 'result' ? '0' : ()]) };
        $error = $@ if !$reply;
    }
    return $reply if $reply;
    return $reply = [0]
        if $how eq 'result' && ref $error eq 'CPANBridge::Error' && ($error->{code} || '') eq 'database';
    return DBD::Pg->_fail($h, $error);
}

sub _end_async { my ($conn) = @_; return _stop_async($conn, $conn->{dbh}, 'result') }    # before a commit or rollback

sub _send {
    my ($conn, $h, $id, $text, $values, $opts) = @_;
    CPANBridge::Driver::call($h, 'send', $conn->{id}, $id, $text, $values, undef, undef, $opts) or return;
    @$conn{qw(busy async_status)} = ('async', 1);
    return '0E0';
}

# --- the queue ------------------------------------------------------------------------------------------------------------------------

sub _pipeline {
    my ($conn, $on) = @_;
    return $conn->{pipeline} = 1 if $on;
    return if !delete $conn->{pipeline} || !$conn->{active};
    CPANBridge::Driver::call($conn->{dbh}, 'sync', $conn->{id});
    return;
}

# Statements that bring nothing back. What they do wrong, the next call that waits tells.
sub _queue {
    my ($conn, $id, $text, $values, $opts) = @_;
    $conn->{session}->oneway('pg.queue', [$conn->{id}, $id, $text, $values, $opts]);
    $conn->{queued} = 1;
    return -1;
}

# What comes back with nothing, and is one statement: a COMMIT behind it would end the transaction unnoticed by those queued next.
sub _queueable { return $_[0] =~ /\A\s*(?:INSERT|UPDATE|DELETE)\b/i && $_[0] !~ /\bRETURNING\b|;\s*\S/i }

# The end of the connection is near: waits for what was queued. True, or the handle's error is set. In a transaction it is all undone.
sub _sync {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 1 if !delete $conn->{queued} || !$conn->{active} || !$dbh->{AutoCommit};
    return CPANBridge::Driver::call($dbh, 'sync', $conn->{id}) ? 1 : '';
}

sub _sync_or_warn {
    my ($dbh) = @_;
    _sync($dbh) or CPANBridge::Driver::warning('DBD::Pg: ' . $dbh->errstr);
    return;
}

package DBD::Pg::db;

# do, when the connection is busy or attributes were given. (true, result) if that was all.
sub _do_otherwise {
    my ($dbh, $attr, $sql, $values, $opts) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $flags = $attr && $attr->{pg_async} || 0;
    if ($conn->{busy}) { DBD::Pg::_make_room($conn, $dbh, $flags) or return (1, undef) }
    if ($flags & DBD::Pg::PG_ASYNC()) {
        delete $conn->{async};
        return (
            1,
            DBD::Pg::_send($conn, $dbh, CPANBridge::Driver::next_id(), $sql, $values, $values ? $opts : { how => 's' })
        );
    }
    return if !$conn->{pipeline} || !DBD::Pg::_queueable($sql);
    return (1, DBD::Pg::_queue($conn, CPANBridge::Driver::next_id(), $sql, $values, $values ? $opts : { how => 's' }));
}

sub _none_running { my ($h) = @_; $h->set_err(7, 'No asynchronous query is running', '00000'); return }

sub pg_ready { return _ready($_[0], $_[0]{bridge_conn}) }

sub _ready {
    my ($h, $conn) = @_;
    if ($conn->{busy} ne 'async') { _none_running($h); return -1 }
    my $reply = CPANBridge::Driver::call($h, 'ready', $conn->{id}) or return -1;
    return $reply->[0] ? 1 : 0;
}

sub pg_cancel { return _cancel($_[0], $_[0]{bridge_conn}) }

sub _cancel {
    my ($h, $conn) = @_;
    if ($conn->{busy} ne 'async') { _none_running($h); return '' }
    my $reply = DBD::Pg::_stop_async($conn, $h, 'cancel') or return '';
    $conn->{busy} = 'cancelled';    # until the next statement, pg_async_status tells so
    return $reply->[0] ? 1 : '';
}

sub pg_result { return _async_result($_[0], $_[0]{bridge_conn}) }

sub _async_result {
    my ($h, $conn) = @_;
    if ($conn->{busy} ne 'async') { _none_running($h); return undef }
    my $sth = delete $conn->{async};
    @$conn{qw(busy async_status)} = ('', 0);
    my $mode  = $sth ? DBD::Pg::st::_mode($sth) : '0';
    my $reply = CPANBridge::Driver::call($h, 'result', $conn->{id}, $mode) or return undef;
    return DBD::Pg::st::_result($sth, $conn, $reply) if $sth;
    my ($count, undef, undef, $extra) = @$reply;
    DBD::Pg->_extra($conn, $extra) if $extra;
    DBD::Pg::_leave_work($conn->{dbh}) if $conn->{begun} && !$conn->{tx};
    return defined $count && $count > 0 ? $count : '0E0';
}

package DBD::Pg::st;

# execute, when the connection is busy or the statement is asynchronous. (true, result) if that was all.
sub _execute_otherwise {
    my ($sth, $conn, $text, $values, $opts) = @_;
    my $flags = $sth->{pg_async} || 0;
    if ($conn->{busy}) { DBD::Pg::_make_room($conn, $sth, $flags) or return (1, undef) }
    $text = $sth->{bridge_plan}[0] if !defined $text;
    if ($flags & DBD::Pg::PG_ASYNC()) {
        delete $sth->{bridge_sent};
        @$sth{qw(bridge_got bridge_done bridge_total)} = (-1, undef, undef);
        if ($DBI::BRIDGE) { $sth->{Active} = '' }
        CPANBridge::Driver::weaken($conn->{async} = $sth);
        return (1, DBD::Pg::_send($conn, $sth, $sth->{bridge_id}, $text, $values, $opts));
    }
    return if !$conn->{pipeline} || @{ $sth->{NAME} } || !DBD::Pg::_queueable($text);
    $sth->{bridge_got} = -1;
    return (1, DBD::Pg::_queue($conn, $sth->{bridge_id}, $text, $values, $opts));
}

sub pg_ready  { return DBD::Pg::db::_ready($_[0], $_[0]{bridge_conn}) }
sub pg_cancel { return DBD::Pg::db::_cancel($_[0], $_[0]{bridge_conn}) }
sub pg_result { return DBD::Pg::db::_async_result($_[0], $_[0]{bridge_conn}) }

1;
