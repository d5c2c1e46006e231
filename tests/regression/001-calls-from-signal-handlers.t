# A signal handler that makes calls while a call runs: both get their own replies, and the
# call that was interrupted is not cancelled.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

# Signals at every moment of short calls.
my $storm = perl(<<'PERL');
use CPANBridge;
my $session = CPANBridge->session;
my ($count, $wrong) = (0, 0);
$SIG{USR1} = sub { my $n = ++$count; $wrong++ if $session->request('test.echo', ["h$n"])->[0] ne "h$n" };
$SIG{USR2} = sub { my $n = ++$count; $wrong++ if $session->await($session->post('test.echo', ["p$n"]))->[0] ne "p$n" };
$SIG{ALRM} = sub { print "hangs after $count\n"; exit 1 };
alarm 20;
my $parent = $$;
my $child  = fork;
if (!$child) {
    for (1 .. 300) { kill $_ % 2 ? 'USR1' : 'USR2', $parent; select undef, undef, undef, 0.001 }
    kill KILL => $$;
}
my ($calls, $large) = (0, 'x' x 20_000);
while (!waitpid $child, 1) {
    my $value = $calls++ % 3 ? $calls : "$calls$large";
    $wrong++ if $session->request('test.echo', [$value])->[0] ne $value;
}
print "wrong $wrong, many ", $count > 100 ? 1 : 0, ", busy $session->{busy}\n";
PERL
is($storm->{out}, "wrong 0, many 1, busy 0\n", 'every call gets its own reply');
is($storm->{err}, '',                          'without a word');

# In the middle of a long call, with another signal's handler in the middle of the first's.
my $long = perl(<<'PERL');
use CPANBridge;
use Time::HiRes 'ualarm';
my $session = CPANBridge->session;
my @order;
$SIG{USR1} = sub { push @order, @{ $session->request('test.echo', ['inner']) } };
$SIG{ALRM} = sub {
    my $seq = $session->post('test.echo', ['handler']);
    kill USR1 => $$;
    push @order, @{ $session->await($seq) };
};
for my $after (20_000, 200_000) {
    ualarm $after;
    my $slept = $session->request('test.sleep', [0.5]);
    print ref $slept, " @order\n";
    @order = ();
}
$SIG{ALRM} = 'DEFAULT';
alarm 10;
print $session->request('test.echo', ['end'])->[0], "\n";
PERL
is($long->{out}, "SCALAR inner handler\n" x 2 . "end\n", 'a long call goes on after the calls of handlers')
    or diag $long->{err};

# The handler's own call is left by a die that the handler catches; then the outer one is left.
my $left = perl(<<'PERL');
use CPANBridge;
use Time::HiRes qw(alarm time);
my $session = CPANBridge->session;
$SIG{USR1} = sub { die "inner\n" };
$SIG{ALRM} = sub {
    my $pid = fork;
    if (!$pid) { select undef, undef, undef, 0.2; kill USR1 => getppid; kill KILL => $$ }
    eval { $session->request('test.sleep', [600]); 1 } or print $@;
    waitpid $pid, 0;
};
alarm 0.2;
print ref $session->request('test.sleep', [1]), "\n";
my $begin = time;
$SIG{USR1} = 'DEFAULT';
print $session->request('test.echo', ['next'])->[0], "\n";
print time - $begin < 5 ? "at once\n" : "late\n";
$SIG{ALRM} = sub { $session->request('test.echo', [1]); die "outer\n" };
alarm 0.2;
$begin = time;
eval { $session->request('test.sleep', [3]); 1 } or print $@;
alarm 0;
print $session->request('test.echo', ['last'])->[0], "\n";
print time - $begin < 8 ? "in time\n" : "too late\n";
PERL
is($left->{out}, "inner\nSCALAR\nnext\nat once\nouter\nlast\nin time\n", 'dies in handlers cancel what they leave, only that')
    or diag $left->{err};

# Through the database interface, on the same and on another handle.
my $dbi = perl(<<'PERL');
use DBI;
my ($dbh, $log) = map { DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 }) } 1, 2;
$log->do('create table log (x)');
$dbh->do('create table t (a)');
my $seen = 0;
$SIG{USR1} = sub { $log->do('insert into log values (?)', undef, ++$seen); $dbh->selectrow_array('select 1') };
my $parent = $$;
my $child  = fork;
if (!$child) {
    for (1 .. 40) { kill USR1 => $parent; select undef, undef, undef, 0.01 }
    kill KILL => $$;
}
$SIG{ALRM} = sub { print "hangs\n"; exit 1 };
alarm 20;
my $rows = $dbh->do('insert into t with recursive c(x) as (select 1 union all select x + 1 from c where x < 500000) select x from c');
my $n = 0;
until (waitpid $child, 1) { $dbh->do('insert into t values (?)', undef, ++$n) }
print "$rows ", $dbh->selectrow_array('select count(*) from t') - $n, "\n";
print $log->selectrow_array('select count(*) from log') == $seen ? "logged\n" : "lost\n";
PERL
is($dbi->{out}, "500000 500000\nlogged\n", 'statements of handlers are executed beside that of the script') or diag $dbi->{err};

done_testing;
