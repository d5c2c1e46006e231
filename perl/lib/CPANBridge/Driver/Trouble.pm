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

1;
