#!/usr/bin/perl
# script.pl DATABASE: a whole short script, as scripts are: connect, ask, print, leave.
use strict;
use warnings;

use DBI;

my ($database) = @ARGV;
my $dbh        = DBI->connect("dbi:SQLite:dbname=$database", '', '', { RaiseError => 1 });
my $rows       = $dbh->selectall_arrayref('SELECT name, price FROM item WHERE id <= ? ORDER BY id', undef, 10);
printf "%-20s %8.2f\n", @$_ for @$rows;
$dbh->disconnect;
