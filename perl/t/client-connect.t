# Connecting: what is checked, what a daemon that is none gets, modes, options.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Storable ();
use Test::More;

use CPANBridge;

delete @ENV{ grep { /^CPAN_BRIDGE_/ } keys %ENV };
$ENV{CPAN_BRIDGE_MODE} = 'daemon';
local $SIG{ALRM} = sub { die "hanging\n" };
alarm 60;

sub connected {
    my ($daemon) = @_;
    local $ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
    my $session = eval { CPANBridge::Connect::open_session({}) };
    return $session || $@;
}
require CPANBridge::Connect;
require CPANBridge::Start;

# What the client says of itself.
my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh, $number, $self) = @_;
        my $frame = FakeDaemon::read_frame($fh) or return;
        FakeDaemon::reply($fh, $frame->{seq}, $self->{client});
    }
);
my $directory = File::Temp::tempdir(CLEANUP => 1);
{
    local $ENV{PGHOST}      = 'db.example';
    local $ENV{SECRET}      = 'not for the daemon';
    local $ENV{https_proxy} = 'http://proxy.example';
    local $ENV{LC_ALL}      = 'C';
    local $0                = 'report.pl';
    my $umask = umask oct 27;
    chdir $directory;
    my $hello = connected($daemon)->request('test.hello');
    chdir '/';
    umask $umask;
    is($hello->{protocol},      1,                    'hello: the protocol');
    is($hello->{client},        'perl',               'hello: what it is');
    is($hello->{pid},           $$,                   'hello: who');
    is($hello->{uid},           $>,                   'hello: for whom');
    is((stat $hello->{cwd})[1], (stat $directory)[1], 'hello: where');
    is($hello->{umask},         oct 27,               'hello: the umask');
    is($hello->{script},        'report.pl',          'hello: the script');
    is_deeply(
        [map { $hello->{env}{$_} } qw(PGHOST https_proxy LC_ALL)], ['db.example', 'http://proxy.example', 'C'],
        'hello: the variables drivers read'
    );
    ok(!exists $hello->{env}{SECRET}, 'and no others');
}

# Daemons that are none, or not ours.
sub odd {
    my %daemon = @_;
    my $fake   = FakeDaemon->start(serve => sub { }, %daemon);
    return "" . connected($fake)
}
like(odd(raw => 1), qr/closed the connection instead of answering at /, 'a server that closes at once');
like(
    odd(
        raw   => 1,
        serve =>
            sub { FakeDaemon::write_bytes($_[0], "SSH-2.0-OpenSSH_9.2\r\n"); FakeDaemon::read_bytes($_[0], 1 << 20) }
    ),
    qr/does not answer as a cpan-bridge daemon/,
    'a server of another kind'
);
like(
    odd(
        raw   => 1,
        serve => sub {
            FakeDaemon::read_frame($_[0]);
            FakeDaemon::write_frame($_[0], 3, 'abcd');
            FakeDaemon::read_frame($_[0])
        }
    ),
    qr/does not answer as a cpan-bridge daemon/,
    'an answer that is no hello'
);
like(
    odd(
        raw   => 1,
        serve => sub {
            FakeDaemon::read_frame($_[0]);
            FakeDaemon::write_frame($_[0], 1, 'garbage');
            FakeDaemon::read_frame($_[0])
        }
    ),
    qr/does not answer as a cpan-bridge daemon/,
    'a hello that cannot be read'
);
like(odd(hello => { protocol => 2 }), qr/does not answer as a cpan-bridge daemon/, 'another protocol');
my $limit = odd(
    raw   => 1,
    serve => sub {
        FakeDaemon::read_frame($_[0]);
        FakeDaemon::error($_[0], 0, code => 'limit', message => 'too many sessions (MAX_SESSIONS)');
    }
);
like($limit, qr/too many sessions \(MAX_SESSIONS\) at /, 'a daemon that is full says so');
{
    no warnings 'once';
    local $CPANBridge::Connect::HELLO_SECONDS = 1;
    like(
        odd(raw => 1, serve => sub { FakeDaemon::read_bytes($_[0], 1 << 20) }),
        qr/does not answer within HELLO_SECONDS \(1 s\)/, 'one that never answers'
    );
}

# A daemon that ends is asked again.
my $draining = FakeDaemon->start(
    raw   => 1,
    serve => sub {
        my ($fh, $number) = @_;
        FakeDaemon::read_frame($fh);
        return FakeDaemon::error($fh, 0, code => 'draining', message => 'ending') if $number < 4;
        FakeDaemon::write_frame($fh, 1, Storable::nfreeze({ protocol => 1, session => $number }));
    }
);
is(connected($draining)->{daemon}{session}, 4, 'a daemon that is ending is tried again until another takes its place');

# Builds.
for my $case (
    ['0.1.0',  5, '0.1.0',  5, ''], ['0.1.0', 5, '0.1.0', 4, 1], ['0.1.0', 5, '0.1.0', 6, ''],
    ['0.10.0', 5, '0.9.9',  9, 1],
    ['0.9.0',  9, '0.10.0', 5, ''], ['0.1.0', 0, '0.0.1', 5, ''], ['0.1.0', 5, '0.0.1', 0, '']
    )
{
    my ($version, $build, $their_version, $their_build, $newer) = @{$case};
    local ($CPANBridge::Build::VERSION, $CPANBridge::Build::BUILD) = ($version, $build);
    is(
        CPANBridge::Start::newer_than({ version => $their_version, build => $their_build }), $newer,
        "$version build $build against $their_version build $their_build: " . ($newer ? 'newer' : 'not newer')
    );
}

# Options, and the environment for what they leave open.
sub settings { my ($option, %env) = @_; local %ENV = (%ENV, %env); return CPANBridge::Connect::settings($option) }
{
    delete local $ENV{CPAN_BRIDGE_MODE};
    is(settings({})->{mode},                                'auto',    'the mode is auto');
    is(settings({}, CPAN_BRIDGE_MODE => 'process')->{mode}, 'process', 'or what the environment says');
    is(
        settings({ mode => 'daemon' }, CPAN_BRIDGE_MODE => 'process')->{mode}, 'daemon',
        'or the option, which comes first'
    );
    is(settings({}, CPAN_BRIDGE_USE_DAEMON => 0)->{mode}, 'process', 'CPAN_BRIDGE_USE_DAEMON=0 is process');
    is(settings({}, CPAN_BRIDGE_USE_DAEMON => 1)->{mode}, 'auto',    'and 1 is auto');
    is(settings({ use_daemon => 0 })->{mode},             'process', 'the same as an option');
    is(settings({}, CPAN_BRIDGE_USE_DAEMON => 0, CPAN_BRIDGE_MODE => 'daemon')->{mode}, 'daemon', 'the mode says more');
    is(settings({ socket => '/a' }, CPAN_BRIDGE_SOCKET => '/b')->{socket}, '/a',  'a socket as an option');
    is(settings({}, CPAN_BRIDGE_BIN => '/b')->{bin},                       '/b',  'a binary from the environment');
    is(settings({}, CPAN_BRIDGE_BIN => '')->{bin},                         undef, 'an empty variable is none');
    is(settings({}, CPAN_BRIDGE_DEBUG => 1)->{debug},                      1,     'debugging');
}
ok(!eval { CPANBridge->configure(colour => 'red'); 1 }, 'an option there is not');
like(
    $@, qr/CPANBridge has no option 'colour'; it has: bin, debug, mode, socket, timeout, use_daemon at \Q$0\E line/,
    'is refused with those there are'
);

# Places.
sub place {
    my (%env) = @_;
    local %ENV = (%ENV, %env);
    my $place = eval { CPANBridge::Connect::place({ socket => $ENV{CPAN_BRIDGE_SOCKET} }) };
    return $place || $@
}
my $own = File::Temp::tempdir(CLEANUP => 1);
is(
    place(XDG_RUNTIME_DIR => $own)->{socket}, "$own/cpan-bridge/cpan-bridge-1.sock",
    'the socket is in the run-time directory'
);
is(place(XDG_RUNTIME_DIR => $own)->{lock}, "$own/cpan-bridge/cpan-bridge-1.lock", 'and its lock beside it');
unlike(place(XDG_RUNTIME_DIR => "$own/none")->{socket}, qr/none/,      'if there is one');
unlike(place(XDG_RUNTIME_DIR => 'relative')->{socket},  qr/^relative/, 'with an absolute path');
is_deeply(
    place(CPAN_BRIDGE_SOCKET => '/a/b.c/d.sock'),
    { socket => '/a/b.c/d.sock', directory => '/a/b.c', lock => '/a/b.c/d.lock' }, 'a socket of one\'s own'
);
is(place(CPAN_BRIDGE_SOCKET => '/a/b.c/d')->{lock},   '/a/b.c/d.lock',   'without an extension');
is(place(CPAN_BRIDGE_SOCKET => '/a/.hidden')->{lock}, '/a/.hidden.lock', 'whose name begins with a dot');

# The session survives what a script does to its environment afterwards.
my $kept = FakeDaemon->start(serve => \&FakeDaemon::echo);
{
    local $ENV{CPAN_BRIDGE_SOCKET} = $kept->{socket};
    local $ENV{CPAN_BRIDGE_DEBUG}  = 0;
    is_deeply(CPANBridge->session->request('test.echo', [1])->[1], [1], 'a session');
}
is_deeply(CPANBridge->session->request('test.echo', [2])->[1], [2], 'is kept when the variable is gone');
$kept->stop;
select undef, undef, undef, 0.1;
ok(!$kept->{pid}, 'the daemon ends');
my $again = FakeDaemon->start(serve => \&FakeDaemon::echo);
$ENV{CPAN_BRIDGE_SOCKET} = $again->{socket};
is_deeply(CPANBridge->session->request('test.echo', [3])->[1], [3], 'and session() notices before anything is sent');

done_testing;
