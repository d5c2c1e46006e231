# A select that is finished, or whose handle is gone, holds no lock while the script does something else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

for my $way ('$sth->finish', 'undef $sth') {
    my $result = perl(<<"PERL", args => ["$WORLD/lock.db"]);
use DBI;
unlink \$ARGV[0];
my \@connect = ("dbi:SQLite:dbname=\$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
my \$dbh = DBI->connect(\@connect);
\$dbh->do('create table t(a)');
\$dbh->do('insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 50000) select i from n');
my \$sth = \$dbh->prepare('select a from t');
\$sth->execute;
\$sth->fetch;
$way;
my \$pid = fork;
if (!\$pid) {
    my \$other = DBI->connect(\@connect);
    \$other->sqlite_busy_timeout(1_000);
    print eval { \$other->do('insert into t values (0)') } ? "written\\n" : \$\@;
    exit;
}
waitpid \$pid, 0;
PERL
    is $result->{out}, "written\n", "another process can write after $way";
}
done_testing;
