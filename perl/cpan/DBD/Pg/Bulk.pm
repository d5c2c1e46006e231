package DBD::Pg::Bulk;

# A whole select in one round trip, for our own DBI (see the head of DBI.pm), and rows for the driver's own use.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

# All rows of a query of the driver's own, as arrays; nothing when it failed (the error is the handle's).
sub _rows {
    my ($dbh, $sql, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    return _inactive('DBD::Pg', $dbh, 'execute') if !$conn->{active};
    return _refuse($conn, $dbh)                  if $conn->{busy};
    return CPANBridge::Driver::select_rows(
        $dbh, $sql, @binds ? \@binds : undef, 'array', undef,
        @binds ? undef : { how => 's' }
    );
}

package DBD::Pg::db;

sub bridge_select {
    my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::Pg->_inactive($dbh, 'execute') if !$conn->{active};
    return ''                   if $conn->{busy} || $conn->{pipeline} || $dbh->{ChopBlanks} || $sql eq '';
    return ''                   if $attr           && grep { /^(?:pg_|bridge_|Callbacks)/ } keys %$attr;
    return ''                   if $mode eq 'hash' && ($dbh->{FetchHashKeyName} || 'NAME') ne 'NAME';
    delete $dbh->{bridge_binds} if $dbh->{bridge_binds};
    my $plan  = _known_plan($conn, "$sql");
    my @binds = @$binds;
    return '' if @binds != $plan->[1] || $mode eq 'row' && $plan->[2] ne '' && $plan->[1];
    my ($text, $values, $opts) = DBD::Pg::st::_sendable($dbh, $plan, \@binds) or return undef;
    my $rows = CPANBridge::Driver::select_rows($dbh, $text, $values, $mode, $max, $opts);
    return $rows;
}

1;
