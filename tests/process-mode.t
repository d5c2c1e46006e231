# Process mode: a private child instead of the daemon, with state, gone with its script;
# and `auto`, which falls back to it and says so once.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my %process = (env => { CPAN_BRIDGE_MODE => 'process' });
my $result  = perl(<<'PERL', %process, args => ["$WORLD/t.db"]);
use CPANBridge;
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
$dbh->do('create table t (a)');
my $sth = $dbh->prepare('insert into t values (?)');
$dbh->begin_work;
$sth->execute($_) for 1 .. 1000;
$dbh->rollback;
$sth->execute(7);
$dbh->do('create temp table kept as select a from t');
print join(',', $dbh->selectrow_array('select count(*), max(a) from kept')), "\n";
print CPANBridge->session->{daemon}{pid}, "\n";
print waitpid(-1, 1), "\n";    # the child is nobody the script would have to wait for
print fork ? (wait > 0 ? "child ended\n" : '') : exit 0;
PERL
like($result->{out}, qr/^1,7\n(\d+)\n-1\nchild ended\n\z/,
    'handles, statements and transactions live from call to call')
    or diag $result->{err};
my ($child) = $result->{out} =~ /^(\d+)\n-1/m;
ok(eventually(sub { !alive($child) }, 10), 'the private child ends with its script');
ok(!-e socket_path(),                      'no daemon was started');
is_deeply([daemons_started()], [], 'none at all');

my $pid = perl('use CPANBridge; print CPANBridge->session->{daemon}{pid}', env => { CPAN_BRIDGE_USE_DAEMON => 0 });
like($pid->{out}, qr/^\d+$/, 'CPAN_BRIDGE_USE_DAEMON=0 is the same');
ok(!-e socket_path(), 'no daemon either');
is(perl('use CPANBridge mode => "process"; print ${ CPANBridge->session->request("test.ping") }')->{out}, 'pong',
    'and as an option');
ok(!-e socket_path(), 'neither there');

my $killed = start_perl(
'use CPANBridge; $| = 1; print CPANBridge->session->{daemon}{pid}; CPANBridge->session->request("test.sleep", [600])',
    %process);
ok(eventually(sub { slurp($killed->{out}) =~ /^\d+$/ }, 20), 'a script waits for its private child');
($child) = slurp($killed->{out}) =~ /(\d+)/;
ok(alive($child), 'which works for it');
kill KILL => $killed->{pid};
wait_for($killed);
ok(eventually(sub { !alive($child) }, 10), 'and ends when the script is killed');

my $lost = perl(<<'PERL', %process);
use CPANBridge;
my $session = CPANBridge->session;
kill KILL => $session->{daemon}{pid};
select undef, undef, undef, 0.2;
print eval { $session->request('test.echo', [1]); 1 } ? "done\n" : $@;
print ${ CPANBridge->session->request('test.ping') }, "\n";
PERL
like($lost->{out}, qr/^lost connection to the bridge daemon: .*\npong\n\z/,
    'a private child that died is an error, and the next call gets another')
    or diag $lost->{err};

# The child holds nothing of the script's: $(...) and the terminal's interrupts.
my $output = `$^X -e 'use CPANBridge mode => "process"; print \${ CPANBridge->session->request("test.ping") }'`;
is($output, 'pong', 'the output of a script in process mode ends with it');
my $interrupt = perl(<<'PERL', %process);
use CPANBridge;
setpgrp;
my $session = CPANBridge->session;
my $seen = 0;
local $SIG{INT} = sub { $seen++ };
kill INT => -$$;
print "$seen ", ${ $session->request('test.ping') };
PERL
is($interrupt->{out}, '1 pong', 'an interrupt from the terminal is for the script') or diag $interrupt->{err};
for my $handle (qw(STDIN STDOUT STDERR)) {
    my $closed = perl(<<"PERL", %process, args => ["$WORLD/said"]);
use CPANBridge;
close $handle;
my \$answer = \${ CPANBridge->session->request('test.ping') };
open my \$out, '>', \$ARGV[0];
print {\$out} \$answer;
PERL
    is(slurp("$WORLD/said"), 'pong', "a script that has closed $handle");
    unlink "$WORLD/said";
}

# auto falls back where no daemon can be had: here the directory cannot be made.
spew("$WORLD/file", '');
my %auto = (env => { CPAN_BRIDGE_SOCKET => "$WORLD/missing/deeper/b.sock" });
my $auto = perl(<<'PERL', %auto);
use CPANBridge;
my $session = CPANBridge->session;
print ${ $session->request('test.ping') }, "\n";
$session->close;
print ${ CPANBridge->session->request('test.ping') }, "\n";
PERL
is($auto->{out},    "pong\npong\n", 'without a daemon, auto uses a private child') or diag $auto->{err};
is($auto->{status}, 0,              'and the script ends well');
like($auto->{err},
qr/\Acpan-bridge: no daemon can be had \(cannot make the socket directory .*\); this process uses a private one instead\n\z/,
    'it says so, once');
my $daemon = perl('use CPANBridge; CPANBridge->session', env => { %{ $auto{env} }, CPAN_BRIDGE_MODE => 'daemon' });
like($daemon->{err}, qr/\Acannot make the socket directory/, 'mode daemon does not fall back');

# A daemon that does not come up.
my $broken =
    spew("$WORLD/broken", qq{#!/bin/sh\n[ "\$1" = stdio ] && exec '$BIN' "\$@"\necho 'no luck today' >&2\nexit 1\n});
chmod oct 755, $broken;
my $fallback =
    perl('use CPANBridge; print ${ CPANBridge->session->request("test.ping") }', env => { CPAN_BRIDGE_BIN => $broken });
is($fallback->{out}, 'pong', 'where the daemon does not start, auto uses a private child') or diag $fallback->{err};
like($fallback->{err}, qr/no daemon can be had \(.*broken ended without a word/, 'and says why');

my $none = perl('use CPANBridge; CPANBridge->session', env => { CPAN_BRIDGE_BIN => undef, PATH => "$WORLD" });
isnt($none->{status}, 0, 'without a binary nothing can be had');
like($none->{err},
    qr/there is no cpan-bridge on the PATH; install it or set CPAN_BRIDGE_BIN to its path at script line 1/,
    'and the error says what to do');
my $wrong = perl('use CPANBridge; CPANBridge->session', env => { CPAN_BRIDGE_BIN => "$WORLD/file" });
like($wrong->{err}, qr/\Q$WORLD\E\/file is not a program that can be run here; set CPAN_BRIDGE_BIN/,
    'nor with one that is no program');

done_testing;
