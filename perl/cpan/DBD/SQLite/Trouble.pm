package DBD::SQLite::Trouble;

# Errors of the daemon become errors of the handle: what SQLite needs beyond CPANBridge::Driver's own.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite;

sub _fail {
    my ($driver, $h, $error) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn) {
        $driver->_thrown($conn)     if $conn->{died};
        _look_at_transaction($conn) if $conn->{active} && (!$conn->{ac} || $conn->{begin});
    }
    return $driver->SUPER::_fail($h, $error);
}

sub _error {
    my ($driver, $error) = @_;
    my ($err, $text, $state) = $driver->SUPER::_error($error);
    $text = 'unexpected arrayref' if $text eq "unexpected arrayref\n";
    return ($err, $text, $state eq 'HY000' ? 'S1000' : $state);
}

sub _look_at_transaction {    # an error may have ended the transaction, and a statement that failed may have begun one
    my ($conn) = @_;
    local $@;
    my $reply = eval { $conn->{session}->request('sqlite.get_autocommit', [$conn->{id}]) } or return;
    DBD::SQLite->_extra($conn, { ac => $reply->[0] });
    return;
}

1;
