package BridgeTest;

# For end-to-end tests: a private world for each test file (home, run-time directory,
# daemon), scripts with a deadline, raw connections. Nothing outlives the test.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Temp ();
use FindBin;
use IO::Handle;
use Socket;
use Time::HiRes ();

use lib Cwd::abs_path(__FILE__ =~ m{(.*)/} ? "$1/../../perl/t/lib" : '.');
use FakeDaemon;

our @EXPORT = qw(
    $BIN $WORLD perl bridge spawn start_perl wait_for eventually daemon_pid daemons_started
    socket_path connect_raw hello raw_call json json_raw slurp spew alive binary_for_all
);

our $ROOT = Cwd::abs_path(__FILE__ =~ m{(.*)/} ? "$1/../.." : '.');
our $BIN  = $ENV{CPAN_BRIDGE_BIN} || ($ENV{CARGO_TARGET_DIR} || "$ROOT/target") . '/release/cpan-bridge';
die "no binary at $BIN: run cargo build --release, or set CPAN_BRIDGE_BIN\n" if !-x $BIN;

# The perl that runs scripts; CPAN_BRIDGE_PERL=/opt/perl-5.10.1/bin/perl tests another one.
our $PERL = $ENV{CPAN_BRIDGE_PERL} || $^X;

# Every script ends by this time, and a test file some time later.
our $SCRIPT_SECONDS = 30;
our $TEST_SECONDS   = 240;

my $owner = $$;
my %running;
our $WORLD = File::Temp::tempdir('cpan-bridge-test-XXXXXX', TMPDIR => 1);
chmod oct 700, $WORLD;
mkdir "$WORLD/$_", oct 700 for qw(run home cache state);
delete @ENV{ grep { /^(?:CPAN_BRIDGE_|PERL5|DBI_|HARNESS_PERL)/ } keys %ENV };
@ENV{qw(XDG_RUNTIME_DIR HOME XDG_CACHE_HOME XDG_STATE_HOME)} = map { "$WORLD/$_" } qw(run home cache state);
@ENV{qw(CPAN_BRIDGE_BIN PERL5LIB)}                           = ($BIN, "$ROOT/perl/cpan:$ROOT/perl/lib");
$ENV{CPAN_BRIDGE_IDLE_EXIT}                                  = 60;
$ENV{CPAN_BRIDGE_CONFIG}                                     = '/dev/null';    # not the machine's
chdir $WORLD or die "$WORLD: $!";

$SIG{ALRM} = sub { die "the test took more than $TEST_SECONDS seconds\n" };
$SIG{$_} = sub { exit 1 }
    for qw(INT TERM HUP);
alarm $TEST_SECONDS;

END {
    if ($owner && $$ == $owner) {
        local $?;
        kill KILL => $_ for keys %running;
        clean_up();
    }
}

sub clean_up {
    for my $pid (daemons()) { kill KILL => $pid }
    chdir '/';
    require File::Path;
    File::Path::remove_tree($WORLD, { safe => 0 });
    return;
}

# Process ids of the daemons of this world that live: those whose log is in it.
sub daemons {
    my %pid = map { $_ => 1 } daemons_started();
    return grep { alive($_) } sort { $a <=> $b } keys %pid;
}

# Every daemon this world has started, from the logs.
sub daemons_started {
    my %pid;
    require File::Find;
    File::Find::find(
        sub {
            return if !/\.log/ || !-f $_;
            $pid{$_}++ for slurp($_) =~ / listens on .*, pid (\d+)/g;
        },
        $WORLD
    );
    return sort { $a <=> $b } keys %pid;
}

# Whether a process runs (one that ended and was not waited for does not).
sub alive {
    my ($pid) = @_;
    open my $stat, '<', "/proc/$pid/stat" or return '';
    return readline($stat) !~ /\) [ZX] /;
}

# Runs perl with this code and these options (args, env, stdin, switches); returns a hash:
# out, err, status, signal, seconds.
sub perl {
    my ($code, %option) = @_;
    return wait_for(start_perl($code, %option));
}

sub start_perl {
    my ($code, %option) = @_;
    my $file = File::Temp->new(DIR => $WORLD, SUFFIX => '.pl', UNLINK => 0);
    print {$file} "use strict; use warnings;\n#line 1 script\n$code";
    close $file;
    chmod oct 644, "$file";
    return spawn([$PERL, @{ $option{switches} || [] }, "$file", @{ $option{args} || [] }], %option);
}

# Runs the binary.
sub bridge {
    my ($args, %option) = @_;
    return wait_for(spawn([$BIN, @{$args}], %option));
}

# Starts a program. Its output goes to files, so that nobody waits for a pipe.
sub spawn {
    my ($command, %option) = @_;
    my %job = map { $_ => File::Temp->new(DIR => $WORLD)->filename } qw(out err);
    $job{started} = Time::HiRes::time();
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        while (my ($name, $value) = each %{ $option{env} || {} }) {
            if (defined $value) { $ENV{$name} = $value }
            else { delete $ENV{$name} }
        }
        open STDIN,  '<', $option{stdin} || '/dev/null';
        open STDOUT, '>', $job{out};
        open STDERR, '>', $job{err};
        chdir $option{cwd}   if $option{cwd};
        become($option{uid}) if $option{uid};
        alarm($option{seconds} || $SCRIPT_SECONDS);
        my ($program) = @{$command};
        no warnings 'exec';
        exec {$program} @{$command};
        kill KILL => $$;
    }
    $running{$pid} = 1;
    return { %job, pid => $pid };
}

sub become {
    my ($uid) = @_;
    $( = $) = "$uid $uid";
    ($<, $>) = ($uid, $uid);
    die "cannot become user $uid: $!" if $> != $uid || $< != $uid;
    return;
}

# A copy of the binary, in the world, that other users can run too, once they may enter the
# world: the place it was built in may be closed to them.
sub binary_for_all {
    require File::Copy;
    my $copy = "$WORLD/cpan-bridge";
    if (!-e $copy) {
        File::Copy::copy($BIN, $copy) or die "cannot copy $BIN to $copy: $!\n";
        chmod oct 755, $copy;
    }
    return $copy;
}

# Waits for a program that was started.
sub wait_for {
    my ($job) = @_;
    waitpid $job->{pid}, 0;
    my $status = $?;
    delete $running{ $job->{pid} };
    my %result = (status => $status >> 8, signal => $status & 127, seconds => Time::HiRes::time() - $job->{started});
    $result{$_} = slurp($job->{$_}) for qw(out err);
    unlink @{$job}{qw(out err)};
    return \%result;
}

# Waits until the code is true, at most so long; its last value.
sub eventually {
    my ($code, $seconds) = @_;
    my $until = Time::HiRes::time() + ($seconds || 10);
    while (1) {
        my $value = $code->();
        return $value if $value || Time::HiRes::time() > $until;
        Time::HiRes::sleep(0.01);
    }
}

sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or return '';
    local $/;
    my $text = readline $in;
    return defined $text ? $text : '';
}

sub spew {
    my ($file, $text) = @_;
    open my $out, '>:raw', $file or die "$file: $!";
    print {$out} $text;
    close $out or die "$file: $!";
    return $file;
}

sub socket_path { return "$ENV{XDG_RUNTIME_DIR}/cpan-bridge/cpan-bridge-1.sock" }

# The process id of the daemon that listens now.
sub daemon_pid {
    my $fh     = connect_raw() or return;
    my $theirs = hello($fh);
    return $theirs->{pid};
}

sub connect_raw {
    socket my $fh, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
    connect $fh, pack_sockaddr_un(socket_path()) or return;
    setsockopt $fh, SOL_SOCKET, SO_RCVTIMEO, pack 'l!2', 20, 0;
    return $fh;
}

sub hello {
    my ($fh, %more) = @_;
    FakeDaemon::write_frame(
        $fh, 1,
        Storable::nfreeze({ protocol => 1, client => 'test', cwd => $WORLD, pid => $$, %more })
    );
    my $frame = FakeDaemon::read_frame($fh) or return;
    return Storable::thaw(substr $frame->{rest}, $frame->{kind} == 4 ? 4 : 0);
}

# A call on a raw connection: its kind and result.
sub raw_call {
    my ($fh, $seq, $name, $params) = @_;
    FakeDaemon::write_frame($fh, 2, pack('N n/a*', $seq, $name) . Storable::nfreeze($params));
    my $frame = FakeDaemon::read_frame($fh) or return;
    return ($frame->{kind}, Storable::thaw(substr $frame->{rest}, 4));
}

# One request of a JSON client, and what comes back.
sub json {
    my ($module, $function, $params) = @_;
    require JSON::PP;
    my $text = json_raw(
        JSON::PP->new->utf8->canonical->encode({ module => $module, function => $function, params => $params }));
    return JSON::PP->new->utf8->decode($text);
}

sub json_raw {
    my ($request) = @_;
    my $fh = connect_raw() or die "cannot connect: $!";
    local $SIG{PIPE} = 'IGNORE';
    FakeDaemon::write_bytes($fh, $request);
    shutdown $fh, 1;
    my $text = '';
    1 while sysread $fh, $text, 65_536, length $text;
    return $text;
}

1;
