# Names of files in SQL are looked up in the script's folder of now, and new files get its umask of now.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

mkdir "$WORLD/$_" for qw(first second);
my $result = perl(<<'PERL', args => [$WORLD]);
use DBI;
my ($world) = @ARGV;
chdir "$world/first";
umask oct 77;
my $dbh = DBI->connect('dbi:SQLite:dbname=a.db', '', '', { RaiseError => 1 });
$dbh->do('create table t(a)');
my $sth = $dbh->prepare(q{attach 'c.db' as c});
chdir "$world/second";
umask oct 22;
$dbh->do(q{attach 'b.db' as b});
$dbh->do('create table b.t(a)');
$dbh->do(q{vacuum into 'v.db'});
$sth->execute;
$dbh->do('create table c.t(a)');
DBI->connect("dbi:SQLite:dbname=$world/d.db", '', '', { RaiseError => 1 })->do('create table t(a)');
printf "%s %s\n", $_, -e "$world/$_" ? sprintf '%04o', (stat _)[2] & oct 777 : 'missing'
    for qw(first/a.db second/b.db second/v.db second/c.db d.db);
PERL
is $result->{out}, "first/a.db 0600\nsecond/b.db 0644\nsecond/v.db 0644\nsecond/c.db 0644\nd.db 0644\n",
    'files are where they belong';
is $result->{err}, '', '... and no complaint';
done_testing;
