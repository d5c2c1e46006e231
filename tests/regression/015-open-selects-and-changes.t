# A rollback of changed tables ends open selects, also where rows had been read ahead; and rows to come show changes, read ahead or not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 });
$dbh->do('create table t(a, b)');
$dbh->do(q{insert into t values (1, 'x'), (2, 'x'), (3, 'x'), (4, 'x')});
for my $ddl (0, 1) {
    $dbh->begin_work;
    my $sth = $dbh->prepare('select a from t order by a');
    $sth->execute;
    print $sth->fetchrow_array, ' ';
    $dbh->do($ddl ? 'create table u(a)' : 'insert into t values (5, 5)');
    $dbh->rollback;
    my @rest = eval { map { @$_ } @{ $sth->fetchall_arrayref } };
    print $@ =~ /abort due to ROLLBACK/ ? 'aborted' : "@rest", "\n";
}
for my $size (1, 0) {
    my $sth = $dbh->prepare('select a, b from t order by rowid', { RowCacheSize => $size });
    $dbh->do(q{update t set b = 'x'});
    $sth->execute;
    my @seen = $sth->fetchrow_array;
    $dbh->do(q{update t set b = 'y' where a = 4});
    push @seen, @$_ for @{ $sth->fetchall_arrayref };
    print "@seen\n";
}
PERL
is $result->{out}, "1 2 3 4\n1 aborted\n1 x 2 x 3 x 4 y\n1 x 2 x 3 x 4 y\n", 'what SQLite itself does';
is $result->{err}, '',                                                       '... and no complaint';
done_testing;
