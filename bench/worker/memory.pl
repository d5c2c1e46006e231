#!/usr/bin/perl
# memory.pl ROWS: reads a result of so many rows one by one; prints what this process took. From SQLite, or from the server that
# BENCH_DSN, BENCH_USER and BENCH_PASSWORD name, with the statement BENCH_ROWS_SQL.
use strict;
use warnings;

use DBI;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use Bench::Process;

my ($rows) = @ARGV;
my @login  = $ENV{BENCH_DSN} ? @ENV{qw(BENCH_DSN BENCH_USER BENCH_PASSWORD)} : ('dbi:SQLite:dbname=:memory:', '', '');
my $dbh    = DBI->connect(@login, { RaiseError => 1 });
my $sth    = $dbh->prepare($ENV{BENCH_ROWS_SQL} || <<'SQL');
WITH RECURSIVE counter (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM counter WHERE id < CAST(? AS INTEGER))
SELECT id, 'item number ' || id, id * 1.25, id % 97, 'a note about item ' || id FROM counter
SQL
$ENV{BENCH_ROWS_SQL} ? $sth->execute : $sth->execute($rows);
my $count = 0;
while (my $row = $sth->fetchrow_arrayref) { $count++ }
$count == $rows or die "read $count of $rows rows\n";
printf "peak_kb %d\nrows %d\n", Bench::Process::memory_kb($$, 'VmHWM'), $count;
