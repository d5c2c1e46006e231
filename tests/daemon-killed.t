# The daemon is killed in mid-call: a clear error, nothing is executed twice, the next
# call starts a new daemon.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $db     = "$WORLD/t.db";
my $result = perl(<<'PERL', args => [$db]);
use CPANBridge;
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
$dbh->do('create table t (a)');
$dbh->do('insert into t values (1)');
my $sth = $dbh->prepare('select a from t');
my $session = CPANBridge->session;
my $first   = $session->{daemon}{pid};

# One row is in, then the daemon dies while the statement that added it is still running.
my $killer = fork;
if (!$killer) { select undef, undef, undef, 0.3; kill KILL => $first; kill KILL => $$ }
my $sql = 'insert into t select 2 union all select 3 from (with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) select max(i) from n)';
print eval { $dbh->do($sql); 1 } ? "done\n" : "do: $@";
waitpid $killer, 0;

print eval { $sth->execute; 1 } ? "done\n" : "sth: $@";
print eval { $dbh->do('select 1'); 1 } ? "done\n" : "dbh: $@";
print 'ping: ', $dbh->ping ? 1 : 0, "\n";

my $again = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
print 'rows: ', join(',', map { $_->[0] } @{ $again->selectall_arrayref('select a from t order by a') }), "\n";
my $second = CPANBridge->session->{daemon}{pid};
print 'other: ', ($first != $second ? 1 : 0), "\n";
undef $sth;
undef $dbh;
print "end\n";
PERL

like($result->{out},
    qr/^do: .*lost connection to the bridge daemon: .*whether it was executed is not known.* at script line \d+/m,
    'the call dies with a clear error')
    or diag $result->{err};
like($result->{out}, qr/^sth: .*the bridge daemon that held this handle has ended.* at script line \d+/m,
    'a statement of the lost session, too');
like($result->{out}, qr/^dbh: .*the bridge daemon that held this handle has ended.* at script line \d+/m,
    'and the connection');
like($result->{out}, qr/^ping: 0$/m,  'which no longer answers a ping');
like($result->{out}, qr/^rows: 1$/m,  'a new connection sees what was committed, once');
like($result->{out}, qr/^other: 1$/m, 'in a new daemon');
like($result->{out}, qr/^end$/m,      'and the old handles go quietly');
is($result->{err},                          '', 'with no noise');
is(scalar(my @started = daemons_started()), 2,  'two daemons were started in all');

# A function that may run twice is called again by itself, any other is not.
my $calls = perl(<<'PERL');
use CPANBridge;
my $client = CPANBridge->new;
$client->call(test => 'ping');
kill KILL => CPANBridge->session->{daemon}{pid};
select undef, undef, undef, 0.2;
print $client->call(test => 'ping')->{result}, "\n";
my $session = CPANBridge->session;
my $pid = $session->{daemon}{pid};
if (!fork) { select undef, undef, undef, 0.3; kill KILL => $pid; kill KILL => $$ }
my $reply = $client->call(test => sleep => [20]);
print "$reply->{success} $reply->{code}: $reply->{error}; $reply->{unknown}\n";
print $client->call(test => 'ping')->{result}, "\n";
PERL
like($calls->{out},
    qr/\Apong\n0 daemon_lost: lost connection to the bridge daemon.*; whether the call was executed\npong\n\z/,
    'call() reports a lost daemon, and finds a new one');

done_testing;
