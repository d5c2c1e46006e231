package DBD::SQLite::Trouble;

# What happens when something goes wrong: errors of the daemon become errors of the handle, warnings name the script's line.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite;

sub _caller {    # " at FILE line N.\n" of the script
    my $depth = 1;
    my ($package, $file, $line);
    while (($package, $file, $line) = caller $depth++) { last if $package !~ /^(?:DBI|DBD|CPANBridge)(?:::|\z)/ }
    return ' at ' . (defined $file ? $file : '-') . ' line ' . (defined $line ? $line : 0) . ".\n";
}

sub _croak { die $_[0] . _caller() }

sub _warn { warn $_[0] . _caller(); return }

sub _inactive {
    my ($h, $what) = @_;
    $h->set_err(-2, "attempt to $what on inactive database handle");
    return undef;    # one undef in a list, too: what the methods of the C driver return
}

sub _fail {    # what a call died of becomes the handle's error
    my ($h, $error) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn) {
        _thrown($conn)              if $conn->{died};
        _look_at_transaction($conn) if !$conn->{ac} && $conn->{active};
    }
    die $error if ref $error ne 'CPANBridge::Error';    # a signal handler's, say: not ours to change
    _croak($error->{errstr} || $error->{message}) if ($error->{code} || '') eq 'croak';
    my $err  = $error->{err} || $DBI::stderr;
    my $text = defined $error->{errstr} && length $error->{errstr} ? $error->{errstr} : $error->{message};
    $text = 'unexpected arrayref' if $text eq "unexpected arrayref\n";
    $h->set_err($err, $text, $error->{state} && $error->{state} ne 'HY000' ? $error->{state} : 'S1000');
    return undef;
}

sub _thrown {    # a hook died while SQLite ran: the script sees it now
    my ($conn) = @_;
    my $died = delete $conn->{died};
    die $died->[0];
}

sub _look_at_transaction {    # an error may have ended the transaction
    my ($conn) = @_;
    local $@;
    my $reply = eval { $conn->{session}->request('sqlite.get_autocommit', [$conn->{id}]) } or return;
    _extra($conn, { ac => $reply->[0] });
    return;
}

1;
