package DBD::Pg::Trouble;

# Errors of the daemon become errors of the handle; notices of the server become warnings; and what else rides along with replies.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

my %DISCONNECTED = (
    do      => 'Database handle has been disconnected',
    notices => 'connection pointer is NULL',
);

sub _inactive {
    my ($driver, $h, $what) = @_;
    $h->set_err(7, $DISCONNECTED{$what} || "Cannot call $what on a disconnected database handle", '08003');
    return undef;
}

# The error number is libpq's: 1 a connection that was not made, 7 all else.
sub _error {
    my ($driver, $error) = @_;
    my $text  = defined $error->{errstr} && length $error->{errstr} ? $error->{errstr} : $error->{message};
    my $state = $error->{state} || (($error->{code} || '') eq 'daemon_lost' ? '08006' : 'S1000');
    return ($error->{err} || 7, $text, $state);
}

sub _fail {
    my ($driver, $h, $error) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn && ref $error eq 'CPANBridge::Error') {
        my $state = $error->{state} || '';
        if ($state =~ /^(?:08|57P0)/ || ($error->{code} || '') eq 'daemon_lost') { @$conn{qw(tx busy)} = (4, '') }
    }
    return $driver->SUPER::_fail($h, $error);
}

sub _rarer_extra {
    my ($conn, $extra) = @_;
    _notice($conn, $_) for @{ $extra->{warn} || [] };
    if (my $params = $extra->{params}) {
        $conn->{params}{$_} = $params->{$_} for keys %$params;
        _look_at_params($conn);
    }
    @$conn{qw(busy copied copy_over)} = ($extra->{copy}, [], 0) if $extra->{copy} && $conn->{busy} ne $extra->{copy};
    return;
}

sub _notice {
    my ($conn, $text) = @_;
    my $dbh = $conn->{dbh} or return;
    utf8::encode($text)                      if utf8::is_utf8($text);    # as bytes: warnings go to a terminal or a log
    warn $text =~ /\n\z/ ? $text : "$text\n" if $dbh->FETCH('Warn') && $dbh->FETCH('PrintWarn');
    return;
}

sub _look_at_params {    # what the reader of SQL has to know
    my ($conn)  = @_;
    my $dbh     = $conn->{dbh} or return;
    my $off     = ($conn->{params}{standard_conforming_strings} || 'on') eq 'off';
    my $escaped = $dbh->{pg_placeholder_escaped};
    $conn->{flags} = join '', $off ? 'b' : '', $dbh->{pg_placeholder_dollaronly} ? 'd' : '',
        $dbh->{pg_placeholder_nocolons} ? 'n' : '', defined $escaped && !$escaped ? 'e' : '';
    return;
}

sub _other_columns {    # than the last time, or under another DBI
    my ($sth, $columns) = @_;
    return DBD::Pg->CPANBridge::Driver::_new_columns($sth, $columns, {});
}

1;
