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

sub _extra {
    my ($driver, $conn, $extra) = @_;
    $conn->{tx} = $extra->{tx} if defined $extra->{tx};
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

# The first execute told the columns, or they have changed.
sub _new_columns {
    my ($driver, $sth, $columns, $extra) = @_;
    my $types = $extra->{types} || [];
    $sth->{bridge_facts}  = { map { $_ => $extra->{$_} } qw(types mods sizes tables) };
    $sth->{bridge_chop}   = [grep { $types->[$_] == 1042 } 0 .. $#$types];
    $sth->{bridge_nested} = 1;
    delete $sth->{bridge_nested} if !grep { !_is_scalar($_) } @$types;
    return $driver->SUPER::_new_columns($sth, $columns, $extra);
}

# Types whose values are never array references. (Types of the user's own may be arrays.)
my %SCALAR = map { $_ => 1 } 16 .. 30, 114, 142, 600 .. 604, 628, 650, 700, 701, 705, 718, 774, 790, 829, 869, 1042,
    1043, 1082, 1083,
    1114, 1184, 1186, 1266, 1560, 1562, 1700, 2205, 2950, 3802;

sub _is_scalar { return $SCALAR{ $_[0] } }

1;
