# The first statement of a transaction fails: SQLite has begun the transaction all the same, and rollback must end it. It was not ended, and what
# the script did afterwards was lost with it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $run = perl(<<'PERL', args => ["$WORLD/t.db"]);
use DBI;
my @at = ("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
my $dbh = DBI->connect(@at);
my $other = DBI->connect(@at);
$dbh->do('create table t (a not null)');
my $sth = $dbh->prepare('insert into t values (?)');
my %fail = (
    do      => sub { $dbh->do('insert into t values (?)', undef, undef) },
    execute => sub { $sth->execute(undef) },
    array   => sub { $sth->execute_array({}, [undef, undef]) },
    select  => sub { $dbh->selectall_arrayref('select abs(-9223372036854775808)') },
);
for my $what (sort keys %fail) {
    for my $end (qw(rollback commit)) {
        $dbh->begin_work;
        print "$what $end: ", eval { $fail{$what}->(); 1 } ? 'no error' : 'failed';
        $dbh->$end;
        $dbh->do('insert into t values (1)');
        print " $dbh->{AutoCommit} ", $other->selectrow_array('select count(*) from t'), "\n";
        $other->do('delete from t');
    }
}
PERL
my @lines = split /\n/, $run->{out};
is scalar @lines, 8, 'all cases ran' or diag $run->{err};
like $_, qr/: failed 1 1\z/, $_ for @lines;
done_testing();
