#!/usr/bin/perl
# memory.pl ROWS: reads a result of so many rows one by one; prints what this process took.
use strict;
use warnings;

use DBI;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use Bench::Process;

my ($rows) = @ARGV;
my $dbh    = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my $sth    = $dbh->prepare(<<'SQL');
WITH RECURSIVE counter (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM counter WHERE id < CAST(? AS INTEGER))
SELECT id, 'item number ' || id, id * 1.25, id % 97, 'a note about item ' || id FROM counter
SQL
$sth->execute($rows);
my $count = 0;
while (my $row = $sth->fetchrow_arrayref) { $count++ }
$count == $rows or die "read $count of $rows rows\n";
printf "peak_kb %d\nrows %d\n", Bench::Process::memory_kb($$, 'VmHWM'), $count;
