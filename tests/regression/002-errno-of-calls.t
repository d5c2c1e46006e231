# Calls leave $! and $@ of the script as they were, also when there was no error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use CPANBridge;
my $session;
my @steps = (
    connect => sub { $session = CPANBridge->session },
    request => sub { $session->request('test.echo', [1]) },
    large   => sub { $session->request('test.echo', ['x' x 3_000_000]) },
    waits   => sub { $session->request('test.sleep', [0.2]) },
    await   => sub { $session->await($session->post('test.echo', [1])) },
    forget  => sub { $session->forget($session->post('test.echo', [1])) },
    oneway  => sub { $session->oneway('test.echo', [1], 1) },
    usable  => sub { $session->usable },
    again   => sub { $session->request('test.echo', [1]) },
);
while (my ($name, $code) = splice @steps, 0, 2) {
    $session->close if $session && $name eq 'connect';
    for my $errno (0, 2) {
        ($!, $@) = ($errno, "at $errno");
        $code->();
        my ($now, $at) = ($! + 0, $@);
        print "$name: errno $errno is $now\n" if $now != $errno;
        print "$name: error at $errno is $at\n" if $at ne "at $errno";
    }
}
for my $errno (0, 2) {
    $! = $errno;
    eval { $session->request('test.fail', ['on purpose']); 1 } and print "no failure\n";
    print "fail: errno $errno is ", $! + 0, "\n" if $! != $errno;
}
print "done\n";
PERL
is($result->{out}, "done\n", 'nothing of a call is seen in them') or diag $result->{err};

done_testing;
