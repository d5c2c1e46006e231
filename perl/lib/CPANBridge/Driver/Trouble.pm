package CPANBridge::Driver::Trouble;

# What happens when something goes wrong: errors of the daemon become errors of the handle, warnings name the script's line. The methods are
# defaults that a driver may override (see the head of CPANBridge::Driver).

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::Driver;

sub where {    # " at FILE line N.\n" of the script
    my $depth = 1;
    my ($package, $file, $line);
    while (($package, $file, $line) = caller $depth++) { last if $package !~ /^(?:DBI|DBD|CPANBridge)(?:::|\z)/ }
    return ' at ' . (defined $file ? $file : '-') . ' line ' . (defined $line ? $line : 0) . ".\n";
}

sub croak { die $_[0] . where() }

sub warning { warn $_[0] . where(); return }

sub _inactive {
    my ($driver, $h, $what) = @_;
    $h->set_err(-2, "attempt to $what on inactive database handle");
    return undef;    # one undef in a list, too: what the methods of drivers in C return
}

sub _fail {
    my ($driver, $h, $error) = @_;
    my $conn = $h->{bridge_conn};
    $driver->_thrown($conn) if $conn && $conn->{died};
    die $error if ref $error ne 'CPANBridge::Error';    # a signal handler's, say: not ours to change
    croak($error->{errstr} || $error->{message}) if ($error->{code} || '') eq 'croak';
    $h->set_err($driver->_error($error));
    return undef;
}

sub _error {
    my ($driver, $error) = @_;
    my $text = defined $error->{errstr} && length $error->{errstr} ? $error->{errstr} : $error->{message};
    return ($error->{err} || $DBI::stderr, $text, $error->{state} || 'S1000');
}

sub _thrown {
    my ($driver, $conn) = @_;
    my $died = delete $conn->{died};
    die $died->[0];
}

sub _extra {
    my ($driver, $conn, $extra) = @_;
    if ($extra->{warn}) { warning($_) for @{ $extra->{warn} } }
    return;
}

sub _new_columns {
    my ($driver, $sth, $columns) = @_;
    delete @$sth{qw(TYPE NULLABLE NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash bridge_fbav bridge_distinct)};
    local $@;
    eval { CPANBridge::Driver::st::_columns($sth, $columns) };    # another DBI may refuse to change NUM_OF_FIELDS
    $sth->{NAME} = $columns;
    return;
}

package CPANBridge::Driver::db;

sub take_imp_data {
    my ($dbh) = @_;
    $dbh->set_err($DBI::stderr,
        'take_imp_data is not possible: the connection lives in the cpan-bridge daemon and belongs to this process; connect anew'
    );
    return undef;
}

package CPANBridge::Driver::st;

sub _wrong_count {
    my ($sth, $count) = @_;
    $sth->set_err(-1, "called with $count bind variables when $sth->{bridge_params} are needed");
    return undef;
}

sub _aborted {    # the driver knows that there are no more rows
    my ($sth, $reply) = @_;
    delete $sth->{bridge_reply};
    _end_of_rows($sth);
    $sth->set_err(@{ $reply->[3] });
    return;
}

# Fetching failed. What is no error of the bridge is the exception of a signal handler: the call is still under way, and the next fetch goes
# on with it.
sub _no_more {
    my ($sth, $error) = @_;
    my $conn = $sth->{bridge_conn};
    die $error if ref $error ne 'CPANBridge::Error' && !$conn->{died};
    delete $sth->{bridge_seq};
    if (my $after = delete $sth->{bridge_after}) { $conn->{session}->forget($after) }
    _end_of_rows($sth);
    $conn->{driver}->_fail($sth, $error);
    return;
}

sub _chop {    # all columns, or those that the driver names
    my ($sth, $rows, $key) = @_;
    my $columns = $sth->{bridge_chop};
    my $names   = $sth->{NAME};
    if (($key || '') eq 'bridge_flat') {
        my %at = map { $_ => 1 } $columns ? @$columns : 0 .. $#$names;
        for (@$rows[grep { $at{ $_ % @$names } } 0 .. $#$rows]) { s/ +\z// if defined }
        return;
    }
    for my $row (@$rows) {
        if   (ref $row eq 'HASH') { for ($columns ? @$row{ @$names[@$columns] } : values %$row) { s/ +\z// if defined } }
        else                      { for ($columns ? @$row[@$columns]            : @$row)         { s/ +\z// if defined } }
    }
    return;
}

1;
