# fetchrow_hashref of a statement with bound columns: the hash and the variables have the same row, whatever method fetched the one before,
# and it takes no more than a few times as long as fetch.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
use Time::HiRes 'time';
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my $sth = $dbh->prepare('with recursive n (i) as (select 1 union all select i + 1 from n where i < 30000) select i a, i * 2 b from n');
$sth->execute;
$sth->bind_columns(\my ($first, $second));
my ($row, $wrong, $at) = (undef, 0, 0);
my %seconds = (hash => 0, array => 0);
while (1) {
    my $kind  = int($at / 700) % 2 ? 'hash' : 'array';
    my $start = time;
    $row = $kind eq 'hash' ? $sth->fetchrow_hashref : $sth->fetch;
    $seconds{$kind} += time - $start;
    last if !$row;
    $at++;
    my ($one, $two) = $kind eq 'hash' ? @{$row}{qw(a b)} : @{$row};
    $wrong++ if $one != $at || $two != 2 * $at || $first != $at || $second != 2 * $at;
}
print "$at rows, $wrong wrong";
print STDERR "slow: $seconds{hash} against $seconds{array} s" if $seconds{hash} > 8 * $seconds{array};
PERL
is($result->{out}, '30000 rows, 0 wrong', 'all rows, each in the hash and in the variables');
is($result->{err}, '',                    'in good time');

done_testing;
