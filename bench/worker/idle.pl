#!/usr/bin/perl
# idle.pl: a client that has asked something and then keeps still; prints what the daemon takes.
use strict;
use warnings;

use DBI;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use Bench::Process;
use CPANBridge;

my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my ($one) = $dbh->selectrow_array('SELECT 1');
$one == 1 or die "the database answered $one\n";
my $info = CPANBridge->session->request('system.info', {});
my $pid  = $info->{pid} or die "system.info names no process id\n";
sleep 1;
printf "resident_kb %d\n", Bench::Process::memory_kb($pid, 'VmRSS');
