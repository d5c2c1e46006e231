# A client that is killed: what it had open is closed, a transaction rolled back, a running
# call ended.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;
use Time::HiRes ();

my $db    = "$WORLD/t.db";
my $setup = perl(<<'PERL', args => [$db]);
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
$dbh->do('create table t (a)');
$dbh->do('insert into t values (1)');
print 'ready';
PERL
is($setup->{out}, 'ready', 'a table with a row') or diag $setup->{err};

my $writer = start_perl(<<'PERL', args => [$db, "$WORLD/in"]);
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
$dbh->begin_work;
$dbh->do('insert into t values (2)');
open my $sign, '>', $ARGV[1];
close $sign;
sleep 60;
PERL
ok(eventually(sub { -e "$WORLD/in" }, 20), 'a script is inside its transaction');

my $reader = <<'PERL';
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
$dbh->sqlite_busy_timeout(10);
my $wait = eval { $dbh->begin_work; $dbh->do('insert into t values (3)'); $dbh->rollback; 'free' } || do { $dbh->rollback; 'locked' };
print join ',', $wait, map { $_->[0] } @{ $dbh->selectall_arrayref('select a from t order by a') };
PERL
my $locked = perl($reader, args => [$db]);
is($locked->{out}, 'locked,1', 'while it lives, nobody else can write') or diag $locked->{err};

kill KILL => $writer->{pid};
my $begin = Time::HiRes::time();
my $seen;
eventually(sub { $seen = perl($reader, args => [$db])->{out}; $seen ne 'locked,1' }, 10);
is($seen, 'free,1', 'after kill -9 the transaction is rolled back');
note sprintf 'seen after %.0f ms', 1000 * (Time::HiRes::time() - $begin);
is(wait_for($writer)->{signal}, 9, 'the script was killed');

# A call that runs when its client vanishes is cancelled.
my $sleeper = start_perl(<<'PERL', args => ["$WORLD/asleep"]);
use CPANBridge;
my $session = CPANBridge->session;
my $seq = $session->post('test.sleep', [600]);
open my $sign, '>', $ARGV[0];
close $sign;
$session->await($seq);
PERL
ok(eventually(sub { -e "$WORLD/asleep" }, 20), 'a script is in a call that takes ten minutes');
sub sessions { return scalar @{ json(system => sessions => [])->{result} || [] } }
ok(eventually(sub { json(system => sessions => [])->{success} }), 'the daemon tells its sessions');
my $before = sessions();
kill KILL => $sleeper->{pid};
wait_for($sleeper);
ok(eventually(sub { sessions() < $before }, 10), 'after kill -9 its session is gone') or diag sessions(), " of $before";

done_testing;
