# A hundred scripts start at the same moment, and there is no daemon: one is started, no
# script fails.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $SCRIPTS = 100;
my $go      = "$WORLD/go";
my $code    = <<'PERL';
use CPANBridge;
select undef, undef, undef, 0.005 until -e $ARGV[0];
my $session = CPANBridge->session;
print join ' ', $session->{daemon}{pid}, ${ $session->request('test.ping') };
PERL

my @jobs = map { start_perl($code, args => [$go], env => { CPAN_BRIDGE_MODE => 'daemon' }) } 1 .. $SCRIPTS;
spew($go, '');
my @done = map { wait_for($_) } @jobs;

is(scalar(grep { $_->{status} || $_->{signal} } @done), 0,  "none of $SCRIPTS scripts failed");
is(join('', map { $_->{err} } @done),                   '', 'none had anything to say');
my %pid = map { $_ => 1 } map { $_->{out} =~ /^(\d+) pong$/ ? $1 : "odd: $_->{out}" } @done;
is(scalar keys %pid, 1, 'all met the same daemon');
is_deeply([keys %pid], [daemons_started()], 'and it is the only one that was started');
ok(alive((keys %pid)[0]), 'it lives on');

my $mode = (stat "$ENV{XDG_RUNTIME_DIR}/cpan-bridge")[2];
is($mode & oct 7777, oct 700, 'its directory is closed to everybody else');

done_testing;
