# $! and $@ of the script are the same after calls of DBI that went well, also when a call loads a part for the first time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 });
my $sth;
my @steps = (
    select  => sub { $dbh->selectrow_array('select 1') },
    again   => sub { $dbh->selectrow_array('select 1') },
    prepare => sub { $sth = $dbh->prepare('select 1') },
    execute => sub { $sth->execute },
    fetch   => sub { $sth->fetch },
    finish  => sub { $sth->finish },
    destroy => sub { undef $sth },
    quote   => sub { $dbh->quote('x', 4) },
    work    => sub { $dbh->begin_work; $dbh->commit },
);
while (my ($name, $code) = splice @steps, 0, 2) {
    ($!, $@) = (7, 'kept');
    $code->();
    print "$name: ", $! + 0, " $@\n";
}
$! = 7;
eval { $dbh->do('no sql') };
print 'failed: ', $! + 0;
PERL
is(
    $result->{out},
    join('', map { "$_: 7 kept\n" } qw(select again prepare execute fetch finish destroy quote work)) . 'failed: 7',
    'all calls'
);
is($result->{err}, '', 'no warnings');

done_testing;
