# Answers of the driver that were wrong: nothing to execute, the message of a batch, a function that redefines itself, hooks and
# collations that die, a NUL in a number.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI qw(:sql_types);
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { PrintError => 0 });
$dbh->do('create table t(a integer unique)');
$dbh->do('insert into t values (1), (2), (3)');
for my $nothing ('', '-- nothing', ';') {
    my $sth = $dbh->prepare($nothing);
    print $sth->execute, ' ', $sth->rows, "\n";
}
print $dbh->do(';'), "\n";

my $sth = $dbh->prepare('insert into t values (?)');
$sth->execute_array({}, [10, 1]);
print $sth->errstr, "\n";

$dbh->sqlite_create_function('f', 0, sub { $dbh->sqlite_create_function('f', 0, sub { 2 }); 1 });
print $dbh->selectrow_array('select f()'), ' ', $dbh->selectrow_array('select f()'), "\n";

$dbh->sqlite_commit_hook(sub { die "no\n" });
print eval { $dbh->do('insert into t values (20)') }, "\n";
$dbh->sqlite_commit_hook(undef);
print $dbh->selectrow_array('select count(*) from t where a = 20'), "\n";
$dbh->sqlite_create_collation(broken => sub { die "no order\n" });
eval { $dbh->selectall_arrayref('select a from t order by cast(a as text) collate broken') };
print "died: $@";
print $dbh->selectrow_array('select 1'), "\n";

$sth = $dbh->prepare('select ?, typeof(?)');
$sth->bind_param($_, "1\0x", SQL_INTEGER) for 1, 2;
$sth->execute;
print join(' ', $sth->fetchrow_array), "\n";
PERL
is $result->{out}, <<'OUT', 'as the module answers';
0E0 -1
0E0 -1
0E0 -1
-1
UNIQUE constraint failed: t.a [err was 19 now 2000000000]
executing 2 generated 1 errors
1 1
1
1
died: no order
1
1 integer
OUT
is $result->{err}, '', '... and no complaint';
done_testing;
