package CPANBridge::MySQL::Bulk;

# The short way that only our own DBI asks for: a whole select in one round trip. What is not plain goes the ordinary way.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL::db;

sub bridge_select {
    my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
    my $conn = $dbh->{bridge_conn};
    return '' if !$conn->{active} || $conn->{async} || $conn->{special};
    return '' if $attr && grep { !/^(?:Slice|Columns|MaxRows)\z/ } keys %$attr;
    return '' if $dbh->{ChopBlanks} || $mode eq 'hash' && ($dbh->{FetchHashKeyName} || 'NAME') ne 'NAME';
    return '' if @$binds != CPANBridge::MySQL::placeholders("$sql", $conn->{comments});
    my @binds = @$binds;
    ref and $_ = "$_" for @binds;
    @$conn{qw(errno warnings info news rowid)} = (0, 0, undef, 0, undef);
    my $rows = CPANBridge::Driver::select_rows($dbh, $sql, @binds ? \@binds : undef, $mode, $max);
    $conn->{insertid} = $conn->{rowid} if $conn->{rowid};
    return $rows;
}

1;
