# INSERT ... RETURNING by one of the select methods sets last_insert_id.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
$dbh->do('create table t(a integer primary key, b)');
for my $way (qw(selectrow_array selectall_arrayref selectcol_arrayref selectrow_hashref)) {
    $dbh->$way('insert into t(b) values (1), (2) returning a');
    print $dbh->last_insert_id('', '', '', ''), ' ', $dbh->sqlite_last_insert_rowid, "\n";
}
PERL
is $result->{out}, "2 2\n4 4\n6 6\n8 8\n", 'the rowid of the last row';
done_testing;
