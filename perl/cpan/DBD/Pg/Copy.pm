package DBD::Pg::Copy;

# COPY, both ways. `busy` of the connection is 'in' while the server takes rows, 'out' while it gives them; `copied` holds rows that are here.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::db;

sub COPY_BYTES () { 131_072 }    # of rows asked for at a time

my %NEEDS = (in => 'FROM', out => 'TO');

sub _in_copy {    # dies unless the copy goes that way
    my ($dbh, $way, $method) = @_;
    my $conn = $dbh->{bridge_conn};
    return $conn if $conn->{active} && $conn->{busy} eq $way;
    die "$method can only be called directly after issuing a COPY $NEEDS{$way} command\n";
}

sub pg_putcopydata {
    my ($dbh, $data) = @_;
    CPANBridge::Driver::croak('Usage: DBD::Pg::db::pg_putcopydata(dbh, dataline)') if @_ < 2;
    return _put($dbh, $data, 'pg_putcopydata');
}

sub _put {    # not waited for: what is wrong with the data is told by the end of the copy
    my ($dbh, $data, $method) = @_;
    my $conn = _in_copy($dbh, 'in', $method);
    $conn->{session}->oneway('pg.copy_put', [$conn->{id}, defined $data ? "$data" : '']);
    return 1;
}

sub pg_putcopyend {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{busy} ne 'in') {
        CPANBridge::Driver::warning('pg_putcopyend cannot be called until a COPY is issued');
        return 0;
    }
    $conn->{busy} = '';
    my $reply = CPANBridge::Driver::call($dbh, 'copy_end', $conn->{id}) or return 0;
    DBD::Pg->_extra($conn, $reply->[1]) if $reply->[1];
    return 1;
}

# The next row, or nothing: the copy is over, or ($wait false) it is not here yet, or an error was set. (state, row): 1, 0, -1, -2.
sub _next_copied {
    my ($dbh, $conn, $wait) = @_;
    my $rows = $conn->{copied};
    if (!@$rows && !$conn->{copy_over}) {
        my $reply = CPANBridge::Driver::call($dbh, 'copy_get', $conn->{id}, COPY_BYTES, $wait);
        if (!$reply) { @$conn{qw(busy copy_over)} = ('', 0); return -2 }
        my ($done, $lines, $extra) = @$reply;
        DBD::Pg->_extra($conn, $extra) if $extra;
        $conn->{copy_over} = $done;
        @$rows = @$lines;
    }
    return (1, shift @$rows) if @$rows;
    return 0                 if !$conn->{copy_over};
    @$conn{qw(busy copy_over)} = ('', 0);
    return -1;
}

sub pg_getcopydata       { return _get($_[0], $_[1], 1) }
sub pg_getcopydata_async { return _get($_[0], $_[1], 0) }

sub _get {
    my ($dbh, undef, $wait) = @_;
    my $conn = _in_copy($dbh, 'out', 'pg_getcopydata');
    my ($state, $row) = _next_copied($dbh, $conn, $wait);
    return 0  if !$state;
    $row = '' if $state < 0;
    CPANBridge::Driver::croak('Modification of a read-only value attempted')
        if !ref $_[1] && Internals::SvREADONLY($_[1]);
    if (ref $_[1]) { ${ $_[1] } = $row }
    else { $_[1] = $row }
    return $state if $state < 0;
    use bytes ();
    return bytes::length($row);
}

# --- the older names ----------------------------------------------------------------------------------------------------------------

sub pg_putline { my ($dbh, $data) = @_; return _put($dbh, $data, 'pg_putline') }

sub pg_getline {
    my ($dbh) = @_;
    my $conn = _in_copy($dbh, 'out', 'pg_getline');
    my ($state, $row) = _next_copied($dbh, $conn, 1);
    if (ref $_[1]) { ${ $_[1] } = $state > 0 ? $row : '' }
    else { $_[1] = $state > 0 ? $row : '' }
    return $state > 0 ? 1 : '';
}

sub pg_endcopy {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    CPANBridge::Driver::croak('pg_endcopy cannot be called until a COPY is issued')
        if $conn->{busy} !~ /\A(?:in|out)\z/;
    return pg_putcopyend($dbh) ? 1 : 0 if $conn->{busy} eq 'in';
    while (1) {
        my ($state) = _next_copied($dbh, $conn, 1);
        return $state == -1 ? 1 : 0 if $state < 0;
    }
}

{
    no warnings 'once';
    *putline = \&pg_putline;
    *getline = \&pg_getline;
    *endcopy = \&pg_endcopy;
}

1;
