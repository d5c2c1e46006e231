# $SIG{__DIE__} is for the script's own errors, not for those a module handles.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use CPANBridge;
use DBI;
my @heard;
$SIG{__DIE__} = sub { push @heard, "@_" };
my $reply = eval { CPANBridge->session->request('test.fail', ['on purpose']) };
print "failed\n" if !$reply && $@ =~ /on purpose/;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 0, PrintError => 0 });
$dbh->do('no sql');
print $dbh->err, "\n";
print "heard @heard\n" if @heard;
my $died = !eval { die "mine\n" };
print "heard $heard[0]" if $died;
PERL
is($result->{out}, "failed\n1\nheard mine\n", 'it hears only those') or diag $result->{err};

done_testing;
