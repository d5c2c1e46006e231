package CPANBridge::Driver::Canned;

# Statement handles that hold rows made on this side, as table_info and its kin return them.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::Driver;

# A handle that has been executed. It can be executed again, and then has all its rows again.
sub canned {
    my ($dbh, $statement, $names, $rows, %attr) = @_;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $statement });
    @$sth{qw(bridge_conn bridge_params bridge_canned)} = ($dbh->{bridge_conn}, 0, $rows);
    if ($DBI::BRIDGE) { $sth->{NUM_OF_PARAMS} = 0 }
    else              { $sth->STORE(NUM_OF_PARAMS => 0) }
    CPANBridge::Driver::st::_columns($sth, [@$names]);
    @$sth{ keys %attr } = values %attr;
    CPANBridge::Driver::st::_again($sth);
    return $outer;
}

package CPANBridge::Driver::st;

sub _again {
    my ($sth) = @_;
    my $rows = $sth->{bridge_canned};
    @$sth{qw(bridge_done bridge_got bridge_rows)} = (1, scalar @$rows, [map { [@$_] } @$rows]);    # the script may change its rows
    $sth->STORE(Active => 1);
    return '0E0';
}

1;
