# The daemon keeps nothing of the script that happened to start it.
use strict;
use warnings;

use Fcntl qw(:flock);
use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $ping = 'use CPANBridge; print ${ CPANBridge->session->request("test.ping") }';
my $file = spew("$WORLD/ping.pl", $ping);

# $(...) reads until the last holder of the pipe has closed it.
my $begin = time;
my $pid   = open my $from, '-|', $^X, $file or die "fork: $!";
my $out   = do { local $/; readline $from };
close $from;
is($out, 'pong', 'the first script started the daemon and got its answer');
cmp_ok(time - $begin, '<', 20, 'its output ends with it');
ok(alive(daemon_pid()), 'while the daemon lives');

sub leftovers {
    my ($daemon) = @_;
    return grep { !m{^(?:/dev/null|/proc/loadavg|socket:.*|anon_inode:.*|/.*\.log|pipe:.*)$} }
        map { readlink || '' } glob "/proc/$daemon/fd/*";
}
my $daemon = daemon_pid();
is_deeply([leftovers($daemon)], [], 'no file of the script is open in it');
is_deeply(
    [map { readlink "/proc/$daemon/fd/$_" } 0 .. 2], [('/dev/null') x 3],
    'its standard descriptors lead nowhere'
);
is(readlink "/proc/$daemon/cwd", '/', 'it holds no directory');
my ($ppid, $group, $session) = (split ' ', (split /\) /, slurp("/proc/$daemon/stat"))[1])[1, 2, 3];
isnt($session, (split ' ', (split /\) /, slurp("/proc/$$/stat"))[1])[3], 'it has a session of its own');
bridge(['stop']);

# A lock the script inherited and passes on by accident (opened without close-on-exec).
my $locked = spew("$WORLD/locked", '');
my $code   = <<'PERL';
use CPANBridge;
$^F = 100;
open my $lock, '+<', $ARGV[0] or die;
flock $lock, 2 or die;
print ${ CPANBridge->session->request('test.ping') };
PERL
is(perl($code, args => [$locked])->{out}, 'pong', 'a script that holds a lock starts the daemon');
ok(alive(daemon_pid()), 'which lives on');
open my $lock, '+<', $locked or die;
ok(flock($lock, LOCK_EX | LOCK_NB), 'and the lock is free');
bridge(['stop']);

# Standard descriptors that the script has closed do not become the daemon's or the session's.
my $closed = perl(<<'PERL');
use CPANBridge;
open my $keep, '>&', \*STDOUT or die;
close STDIN;
close STDOUT;
my $session = CPANBridge->session;
print {$keep} ${ $session->request('test.ping') }, ' ', fileno $session->{fh};
system "$^X -e 'exit 7'";
print {$keep} ' ', $? >> 8, ' ', ${ $session->request('test.ping') };
PERL
like($closed->{out}, qr/^pong (?:[3-9]|\d\d+) 7 pong$/, 'a script without standard input and output');

# Nor does a program the script starts keep the session open.
my $child = perl(<<'PERL');
use CPANBridge;
$^F = 100;    # everything the script opens is inherited
my $session = CPANBridge->session;
print fileno $session->{fh}, "\n";
print `ls -l /proc/self/fd`;
PERL
my ($fd) = $child->{out} =~ /^(\d+)/;
ok($fd, 'a script whose files are inherited by the programs it starts');
unlike($child->{out}, qr/ \Q$fd\E -> socket/, 'a program the script starts does not inherit the session');

# The script's own children and its handler for them know nothing of the start.
for my $mode (qw(daemon process)) {
    bridge(['stop']);
    my $waits = perl(<<'PERL', env => { CPAN_BRIDGE_MODE => $mode });
use CPANBridge;
my $handled = 0;
local $SIG{CHLD} = sub { $handled++ };
my $answer = ${ CPANBridge->session->request('test.ping') };
print "$answer $handled ", wait, "\n";
my $pid = fork;
exit 3 if defined $pid && !$pid;
my $waited = wait;
print $waited == $pid ? 'mine ' : 'another ', $? >> 8, " $handled\n";
PERL
    is($waits->{out}, "pong 0 -1\nmine 3 1\n", "wait and SIGCHLD are the script's own, mode $mode")
        or diag $waits->{err};
}

done_testing;
