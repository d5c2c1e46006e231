# Threads: each has a session of its own; what another thread opened is refused.
use strict;
use warnings;

use Config;
my $threads;
BEGIN { $threads = $Config{useithreads} && require threads }

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Test::More;

use CPANBridge;

# One connection in a child of its own each, so that they can be open at the same time.
my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh) = @_;
        if (!fork) { FakeDaemon::echo($fh); kill KILL => $$ }
    }
);
$ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
my $session = CPANBridge->session;
my $seq     = $session->post('test.echo', ['main']);

# What a copy of the session sees, in a thread or after CLONE.
sub elsewhere {
    my $refused = eval { $session->request('test.echo', [1]); 1 } ? 'used' : "$@";
    my $await   = eval { $session->await($seq);               1 } ? 'used' : "$@";
    $session->oneway('test.echo', ['not mine'], 1);
    my $own = CPANBridge->session;
    return [$refused, $await, $own != $session, $own->request('test.echo', ['own'])->[1][0]];
}

# A perl without threads runs the same: CLONE is all a thread does to a session.
my $seen = $threads ? threads->create({ context => 'list' }, \&elsewhere)->join : do {
    local $CPANBridge::Session::THREAD = $CPANBridge::Session::THREAD;
    CPANBridge::Session::CLONE();
    elsewhere();
};
like($seen->[0], qr/this handle was opened by another process or thread/, 'a session of another thread is refused');
like($seen->[1], qr/this handle was opened by another process or thread/, 'and so is its reply');
ok($seen->[2], 'a thread gets a session of its own');
is($seen->[3], 'own', 'that works');

is_deeply($session->await($seq), ['test.echo', ['main']], 'the first thread finds its reply where it left it');
is_deeply($session->request('test.echo', [2])->[1], [2],  'and goes on');

done_testing;
