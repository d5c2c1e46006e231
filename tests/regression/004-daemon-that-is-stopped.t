# A daemon that accepts and does not answer (stopped, say): the script goes on with a
# private process after HELLO_SECONDS, not after a multiple of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

perl('use CPANBridge; CPANBridge->session');
my $daemon = daemon_pid();
ok($daemon, 'a daemon runs');
kill STOP => $daemon;
my $result = perl(<<'PERL');
use CPANBridge;
print CPANBridge->session->request('test.echo', ['served'])->[0], "\n";
PERL
kill CONT => $daemon;
is($result->{out}, "served\n", 'the script is served');
like($result->{err}, qr/does not answer within HELLO_SECONDS \(5 s\).*private one instead/, 'and told how');

done_testing;
