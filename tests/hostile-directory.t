# A socket directory that is not private to the user: a clear error within a second, for
# scripts and for the binary, and nothing is started there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $ping   = 'use CPANBridge; print ${ CPANBridge->session->request("test.ping") }';
my $advice = qr/set CPAN_BRIDGE_SOCKET to a socket in a private directory of your own/;

mkdir "$WORLD/$_", oct 700 for qw(group world foreign target open);
chmod oct 770, "$WORLD/group";
chmod oct 777, "$WORLD/world";
chmod oct 755, "$WORLD/open";
symlink "$WORLD/target", "$WORLD/link" or die;
spew("$WORLD/file", '');
my %case = (
    group => qr/socket directory \S+group is open to other users \(mode 0770\); close it with: chmod 700 \S+group/,
    world => qr/socket directory \S+world is open to other users \(mode 0777\)/,
    open  => qr/socket directory \S+open is open to other users \(mode 0755\)/,
    link  => qr/socket directory \S+link is a symbolic link; remove it, or $advice/,
    file  => qr/socket directory \S+file is not a directory; remove it, or $advice/,
);
if ($> == 0) {
    chown 65_534, 65_534, "$WORLD/foreign";
    $case{foreign} = qr/socket directory \S+foreign belongs to user 65534, not to you \(user 0\); $advice/;
}
for my $name (sort keys %case) {
    for my $mode (qw(auto daemon)) {
        my $result = perl($ping, env => { CPAN_BRIDGE_SOCKET => "$WORLD/$name/b.sock", CPAN_BRIDGE_MODE => $mode });
        isnt($result->{status}, 0, "$name, mode $mode: the script fails");
        like($result->{err}, $case{$name},              'with the reason');
        like($result->{err}, qr/ at script line 1\.$/m, 'and its place');
        cmp_ok($result->{seconds}, '<', 30, 'at once');
    }
    my $binary = bridge(['start'], env => { CPAN_BRIDGE_SOCKET => "$WORLD/$name/b.sock" });
    isnt($binary->{status}, 0, "$name: the binary refuses, too");
    like($binary->{err}, qr/\Q$WORLD\E\/$name/, 'naming the directory');
    ok(!-e "$WORLD/$name/b.sock", 'nothing was made there');
}
is_deeply([daemons_started()], [], 'no daemon was started');

# As the default place, the same: the directory inside XDG_RUNTIME_DIR.
mkdir "$WORLD/run/cpan-bridge", oct 700;
chmod oct 770, "$WORLD/run/cpan-bridge";
my $result = perl($ping);
like($result->{err}, qr/is open to other users \(mode 0770\)/, 'the default directory is checked, too');
chmod oct 700, "$WORLD/run/cpan-bridge";
is(perl($ping)->{out}, 'pong', 'once it is closed, it works');

# Paths that cannot be a socket's.
$result = perl($ping, env => { CPAN_BRIDGE_SOCKET => 'relative.sock' });
like($result->{err}, qr/CPAN_BRIDGE_SOCKET must be the absolute path of a socket, not 'relative\.sock'/,
    'a relative path');
my $long = "$WORLD/" . 'x' x 100 . '.sock';
$result = perl($ping, env => { CPAN_BRIDGE_SOCKET => $long });
like($result->{err}, qr/longer than MAX_SOCKET_PATH_BYTES \(107 bytes\): \Q$long\E; set/,
    'a path too long for a socket names the limit');
$result = perl($ping, env => { CPAN_BRIDGE_SOCKET => "$WORLD/none/deeper/b.sock", CPAN_BRIDGE_MODE => 'daemon' });
like($result->{err}, qr/cannot make the socket directory \S+deeper: No such file/, 'a directory that cannot be made');
$result = perl($ping, env => { CPAN_BRIDGE_MODE => 'sometimes' });
like($result->{err}, qr/CPAN_BRIDGE_MODE is 'sometimes'; it can be auto, daemon or process/, 'a mode there is not');

done_testing;
