# A child process opens its own connection and never disturbs its parent's; handles of
# another process or session are refused.
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
$| = 1;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0, AutoInactiveDestroy => 1 });
$dbh->do('create table t (a)');
$dbh->begin_work;
$dbh->do('insert into t values (1)');
my $sth = $dbh->prepare('select a from t');
my $session = CPANBridge->session;
my $seq = $session->post('test.echo', ['for the parent']);

for my $child (1 .. 3) {
    my $pid = fork;
    if (!$pid) {
        print eval { $dbh->do('insert into t values (99)'); 1 } ? "used\n" : "child $child: $@";
        print eval { $session->await($seq); 1 } ? "stolen\n" : "child $child await: $@";
        $session->oneway('test.echo', ['nobody reads this'], 1);
        my $own = CPANBridge->session;
        print "child $child: ", ($own != $session ? 'own' : 'same'), ' ', ${ $own->request('test.ping') }, "\n";
        my $mine = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
        print "child $child sees ", scalar @{ $mine->selectall_arrayref('select a from t') }, " rows\n";
        exit 0;    # with every destructor
    }
    waitpid $pid, 0;
}
print 'parent: ', $session->await($seq)->[0], "\n";
print 'parent: ', ${ $session->request('test.ping') }, "\n";
$dbh->do('insert into t values (2)');
$dbh->commit;
$sth->execute;
print 'parent rows: ', join(',', map { $_->[0] } @{ $sth->fetchall_arrayref }), "\n";
PERL

is($result->{status}, 0, 'the script ends well') or diag $result->{err};
for my $child (1 .. 3) {
    like($result->{out}, qr/^child $child: .*was opened by another process or thread.* at script line \d+\.$/m,
        "child $child cannot use its parent's handle");
    like($result->{out}, qr/^child $child await: this handle was opened by another process/m, 'nor take its reply');
    like($result->{out}, qr/^child $child: own pong$/m,   'has a session of its own');
    like($result->{out}, qr/^child $child sees 0 rows$/m, 'and a connection that does not see the open transaction');
}
like($result->{out}, qr/^parent: for the parent\nparent: pong\nparent rows: 1,2\n\z/m,
    'the parent goes on as if nothing had been');

# Both talk at the same time.
my $both = perl(<<'PERL');
use CPANBridge;
my $before = CPANBridge->session;
my @pids;
for my $n (1 .. 4) {
    my $pid = fork;
    if (!$pid) {
        my $wrong = 0;
        for my $i (1 .. 500) { $wrong++ if CPANBridge->session->request('test.echo', ["$n.$i"])->[0] ne "$n.$i" }
        exit($wrong ? 1 : 0);
    }
    push @pids, $pid;
}
my $wrong = 0;
for my $i (1 .. 500) { $wrong++ if CPANBridge->session->request('test.echo', ["p.$i"])->[0] ne "p.$i" }
waitpid($_, 0), $wrong += $? for @pids;
print 'same: ', ($before == CPANBridge->session ? 1 : 0), " wrong: $wrong\n";
PERL
is($both->{out}, "same: 1 wrong: 0\n", 'four children and their parent talk at the same time, each to itself')
    or diag $both->{err};

# Two sessions of one process: a handle belongs to the one that opened it.
my $two = perl(<<'PERL', args => [$db]);
use CPANBridge;
use CPANBridge::Connect;
my ($one, $two) = map { CPANBridge::Connect::open_session({}) } 1, 2;
$one->request('sqlite.open', [ 1, $ARGV[0], {} ]);
print eval { $two->request('sqlite.prepare', [ 1, 1, 'select 1' ]); 1 } ? "open to others\n" : "two: $@";
print eval { $one->request('sqlite.prepare', [ 1, 1, 'select 1' ]); 1 } ? "one: fine\n" : "one: $@";
PERL
like($two->{out}, qr/^two: .*at script line \d+\.$/m, 'a number from another session opens nothing')
    or diag $two->{err};
like($two->{out}, qr/^one: fine$/m, 'in its own it works');

my $after = perl(<<'PERL', args => [$db]);
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
my $sth = $dbh->prepare('select 1');
$dbh->disconnect;
print eval { $dbh->do('select 1'); 1 } ? "dbh works\n" : "dbh: $@";
print eval { $sth->execute; 1 } ? "sth works\n" : "sth: $@";
PERL
like($after->{out}, qr/^dbh: .+ at script line \d+\.\nsth: .+ at script line \d+\.$/m,
    'after disconnect neither handle works');

done_testing;
