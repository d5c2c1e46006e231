# Taint mode: the client works under -T, its results are not tainted, and it runs nothing
# an attacker could have named.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my @lib  = map { "-I$BridgeTest::ROOT/perl/$_" } qw(cpan lib);
my $code = <<'PERL';
use CPANBridge;
use DBI;
die 'not tainting' if !${^TAINT};
my $session = CPANBridge->session;
print ${ $session->request('test.ping') }, "\n";
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
my ($name) = $dbh->selectrow_array(q(select '/dev/null'));
print eval { open my $out, '>', $name or die; 1 } ? "clean\n" : "tainted: $@";
my ($large) = $dbh->selectrow_array(q(select printf('%.20000c', 'x')));
print eval { kill 0, substr($large, 0, 0) . $$; 1 } ? "clean\n" : "tainted: $@";
my $tainted = substr $ENV{PATH}, 0, 0;
print $session->request('test.echo', [ "echo$tainted" ])->[0], "\n";
PERL
for my $mode (qw(daemon process)) {
    my $result = perl($code, switches => ['-T', @lib], env => { CPAN_BRIDGE_MODE => $mode });
    is($result->{out}, "pong\nclean\nclean\necho\n", "a session under -T, mode $mode") or diag $result->{err};
}
my $started = daemon_pid();
ok($started, 'the daemon was started from taint mode');
bridge(['stop']);

my $ping  = 'use CPANBridge; print ${ CPANBridge->session->request("test.ping") }';
my $loose = "$WORLD/loose";
system 'cp', $BIN, $loose;
chmod oct 777, $loose;
my $result = perl($ping, switches => ['-T', @lib], env => { CPAN_BRIDGE_BIN => $loose });
isnt($result->{status}, 0, 'a binary that anybody could have written is not run under -T');
like($result->{err}, qr/\Q$loose\E .*CPAN_BRIDGE_BIN/, 'and the error names it');
is(perl($ping, env => { CPAN_BRIDGE_BIN => $loose })->{out}, 'pong', 'without -T the user is believed');
bridge(['stop']);
chmod oct 755, $loose;
is(perl($ping, switches => ['-T', @lib], env => { CPAN_BRIDGE_BIN => $loose })->{out}, 'pong',
    'one that only the user can write is run');
bridge(['stop']);

my $script = spew("$WORLD/taint.pl", "#!/usr/bin/perl -T\n$code");
is(bridge(['run', $script])->{out}, "pong\nclean\nclean\necho\n",
    'cpan-bridge run of a script with -T in its first line');

done_testing;
