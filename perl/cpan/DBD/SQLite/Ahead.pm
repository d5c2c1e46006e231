package DBD::SQLite::Ahead;

# Changes while selects are open. SQLite reads a row when it is asked for, so that a script sees in the rows to come what it changed
# meanwhile; here rows have been read ahead. Before a statement that may change something runs, the selects that are open on the connection
# are taken back to where the script is (`rewind`: the daemon runs them anew, in the same snapshot, and steps over the rows the script has
# had), and go on row by row from there: the daemon then steps to a row when it is asked for, and not before. It refuses when it could not
# find the same rows; then they stay as they came.
# A loop that changes something for each row still has one round trip for it: the change's answer brings the next row, which SQLite too
# would have stepped to before the change.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite;

# Statements that change no rows.
my $HARMLESS = qr/\A\s*(?:SELECT|VALUES|PRAGMA|EXPLAIN|BEGIN|COMMIT|END|SAVEPOINT|RELEASE|ATTACH|DETACH|ANALYZE)\b/i;

# The table that a statement changes. A select whose text does not name it is left alone: most loops read one table and write another.
# (What a trigger, a cascade or a view adds to that is not looked for.)
my $TABLE = qr/\A\s*(?:(?:INSERT|REPLACE)(?:\s+OR\s+\w+)?\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+
    (?:["`\[]?\w+["`\]]?\s*\.\s*)?["`\[]?(\w+)/xi;

# The statements whose next row shall come with the change's answer, if there are any; `_wanted` and `_brought` are for them.
sub _before_change {
    my ($conn, $sql, $self) = @_;
    my $session = $conn->{session};
    return if $session->{inner};    # called back by SQLite: the selects may be those that wait for us
    return if $sql =~ $HARMLESS;
    my $table   = $sql =~ $TABLE ? qr/\b\Q$1\E\b/i : undef;
    my $reading = $conn->{reading};
    my @ahead;
    for my $id (keys %$reading) {
        my $sth = $reading->{$id};
        if (!$sth || _is_over($sth)) { delete $reading->{$id}; next }
        next if $self && $sth == $self || $sth->{bridge_stale} || $table && $sth->{Statement} !~ $table;
        my $is_here = $sth->{bridge_seq} || $sth->{bridge_reply} || CPANBridge::Driver::st::_waiting($sth);
        if    (!$sth->{bridge_ran_ahead}) { _rewind($sth, $session) if $is_here }
        elsif (!$is_here)                 { push @ahead, $sth }
    }
    delete $conn->{reading} if !%$reading;
    return @ahead ? \@ahead : undef;
}

sub _wanted { return [map { [$_->{bridge_id}, CPANBridge::Driver::st::_mode($_)] } @{ $_[0] }] }

sub _brought {
    my ($ahead, $replies) = @_;
    for my $sth (@$ahead) { $sth->{bridge_reply} = shift @$replies }
    return;
}

sub _is_over {
    my ($sth) = @_;
    return $sth->{bridge_done} && !$sth->{bridge_reply} && !CPANBridge::Driver::st::_waiting($sth);
}

# A signal handler that dies halfway would leave rows here that the daemon is going to send again.
sub _rewind {
    my ($sth, $session) = @_;
    $sth->{bridge_stale} = 1;
    return if $sth->{bridge_after} || $sth->{Statement} =~ /random/i;    # fetchall is at work; rows that would not be the same
    CPANBridge::Session::_undisturbed(sub { _go_back($sth, $session) });
    return;
}

sub _go_back {
    my ($sth, $session) = @_;
    local $@;
    return if $sth->{bridge_after};    # a signal handler died in mid-fetchall
    if ($sth->{bridge_seq}) {    # what comes is not lost if the daemon refuses
        my $reply = eval { $session->await($sth->{bridge_seq}) };
        my $error = $@;
        delete $sth->{bridge_seq};
        $sth->{bridge_reply} = $reply || [-1, undef, undef, [DBD::SQLite->_error($error)]];
        return if !$reply;
    }
    my $seen  = $sth->rows;
    my $reply = eval { $session->request('sqlite.rewind', [$sth->{bridge_id}, $seen]) };
    return if !$reply || !$reply->[0];
    delete @$sth{@CPANBridge::Driver::WAITING, qw(bridge_next bridge_reply)};
    @$sth{qw(bridge_got bridge_done)} = ($seen, $reply->[1]);
    delete $sth->{bridge_stale};
    @$sth{qw(bridge_ran_ahead bridge_cache)} = ([$sth->{bridge_cache}], 1);
    return;
}

1;
