#!/usr/bin/perl
# script.pl DATABASE: a whole short script, as scripts are: connect, ask, print, leave. With BENCH_DSN, BENCH_USER and
# BENCH_PASSWORD in the environment it asks that server.
use strict;
use warnings;

use DBI;

my ($database) = @ARGV;
my @login = $ENV{BENCH_DSN} ? @ENV{qw(BENCH_DSN BENCH_USER BENCH_PASSWORD)} : ("dbi:SQLite:dbname=$database", '', '');
my $dbh   = DBI->connect(@login, { RaiseError => 1 });
my $rows  = $dbh->selectall_arrayref('SELECT name, price FROM item WHERE id <= ? ORDER BY id', undef, 10);
printf "%-20s %8.2f\n", @$_ for @$rows;
$dbh->disconnect;
