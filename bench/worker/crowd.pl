#!/usr/bin/perl
# crowd.pl SELECTS: one of many scripts: connects to the server that BENCH_DSN, BENCH_USER and BENCH_PASSWORD name and selects so often.
use strict;
use warnings;

use DBI;

my ($selects) = @ARGV;
my $dbh = DBI->connect(@ENV{qw(BENCH_DSN BENCH_USER BENCH_PASSWORD)}, { RaiseError => 1 });
for my $id (1 .. $selects) {
    my ($got) = $dbh->selectrow_array('SELECT id FROM item WHERE id = ?', undef, $id);
    $got == $id or die "asked for row $id, got $got\n";
}
$dbh->disconnect;
