package CPANBridge::MySQL::Trouble;

# Errors, and handles that cannot be used at the moment: closed ones, and those with a query under way.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL;

sub _fail {    # what a call died of becomes the handle's error
    my ($driver, $h, $error) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn && ref $error eq 'CPANBridge::Error') {
        @$conn{qw(errno error warnings info news)} = ($error->{err} || 2000, $error->{errstr}, 0, undef, 1);
        if (($error->{err} || 0) == 2006 || ($error->{err} || 0) == 2013) { _look_at_connection($conn) }
    }
    return CPANBridge::Driver::_fail($driver, $h, $error);
}

sub _look_at_connection {    # lost for good, or will the daemon connect again?
    my ($conn) = @_;
    $conn->{lost} = 1;    # until it is made again
    my $dbh = $conn->{dbh} or return;
    my $p   = $conn->{flavour}{prefix};
    $conn->{stats}{auto_reconnects_failed}++ if $dbh->{"${p}auto_reconnect"} && $dbh->{AutoCommit};
    return;
}

sub _error {
    my ($driver, $error) = @_;
    my $text = defined $error->{errstr} && length $error->{errstr} ? $error->{errstr} : $error->{message};
    return ($error->{err} || $driver->flavour->{err_unknown}, $text, $error->{state} || 'HY000');
}

sub _own_error {    # an error of the driver's own, by its name in the flavour
    my ($h, $name, @texts) = @_;
    my $conn = $h->{bridge_conn};
    my ($err, $text, $state) = @{ $conn->{flavour}{$name} };
    $h->set_err($err, @texts ? $texts[0] : $text, $state);
    return undef;
}

sub _unknown_attribute {
    my ($h, $name) = @_;
    $h->set_err(undef, undef);
    $h->set_err(2000, "Unknown attribute $name", 'HY000');
    return;
}

sub _inactive {
    my ($driver, $h) = @_;
    $h->set_err(@{ $driver->flavour->{err_gone} });
    return undef;
}

# A handle whose connection was closed, or has a query under way: true if it can be used after all.
sub _ready {
    my ($h, $what, $quiet) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn->{async}) {
        $h->set_err(2000, 'Calling a synchronous function on an asynchronous handle', 'HY000');
        return;
    }
    return 1 if $conn->{active};
    my $dbh = exists $h->{bridge_params} ? $conn->{dbh} : $h;
    my ($f, $p) = ($conn->{flavour}, $conn->{flavour}{prefix});
    my $may = $dbh && $dbh->{AutoCommit} && ($dbh->{"${p}auto_reconnect"} || !$f->{strict});
    $may = 0 if $conn->{session} && $conn->{session}{owner} != $$ + $CPANBridge::Session::THREAD;
    return 1 if $may && again($dbh);
    return if $quiet || $h->err;
    if ($what eq 'do' && !$f->{strict}) { $h->set_err('0', $f->{err_gone}[1]) }    # all DBD::mysql says is that nothing was done
    else                                { $conn->{driver}->_inactive($h) }
    return;
}

package CPANBridge::MySQL::db;

sub ping {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    if (!$conn->{active} || $conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'ping', !$conn->{async}) or return '' }
    local $@;
    my $reply = eval { $conn->{session}->request('mysql.ping', [$conn->{id}]) };
    $conn->{driver}->_extra($conn, $reply->[1]) if $reply && ref $reply->[1];
    return $reply && $reply->[0] ? 1 : '';
}

1;
