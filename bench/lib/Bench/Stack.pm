package Bench::Stack;

use strict;
use warnings;

use Bench::Process;
use Cwd ();
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

our $VERSION = '0.1.0';

use constant BUILD_LIMIT_S => 1_200;

# Variables that would steer one side only.
my @STEERING = qw(PERL5LIB PERL5OPT DBI_DSN DBI_DRIVER DBI_USER DBI_PASS DBI_TRACE DBI_PROFILE DBI_PUREPERL
    DBI_AUTOPROXY CPAN_BRIDGE_MODE CPAN_BRIDGE_USE_DAEMON CPAN_BRIDGE_SOCKET CPAN_BRIDGE_DEBUG);

sub new {
    my ($class, %arg) = @_;
    my $root = $arg{root};
    my $self = bless { root => $root, dir => File::Temp->newdir('cpan-bridge-bench-XXXXXX', TMPDIR => 1) }, $class;
    chmod 0700, $self->dir;
    $self->_build if !$ENV{CPAN_BRIDGE_BIN};
    $self->{bin}  = Cwd::abs_path($ENV{CPAN_BRIDGE_BIN} || _target($root) . '/release/cpan-bridge');
    $self->{echo} = _target($root) . '/release/cpan-bridge-bench-echo';
    -x $self->{bin} or die "no cpan-bridge binary: run `cargo build --release` first or set CPAN_BRIDGE_BIN\n";
    return $self;
}

sub dir { my ($self) = @_; return "$self->{dir}" }
sub bin { my ($self) = @_; return $self->{bin} }

sub _target {
    my ($root) = @_;
    return $ENV{CARGO_TARGET_DIR} || "$root/target";
}

sub _build {
    my ($self) = @_;
    my $done = Bench::Process::run(
        command   => [qw(cargo build --release --quiet -p cpan-bridge -p cpan-bridge-bench-echo)],
        directory => $self->{root}, limit_s => BUILD_LIMIT_S,
    );
    die "cargo build --release failed\n" if $done->{status};
    return;
}

# The environment all sides share: nothing that steers perl, DBI or the bridge,
# and a private place for the daemon.
sub environment {
    my ($self, %more) = @_;
    my $dir = $self->dir;
    return {
        (map { $_ => undef } @STEERING),
        XDG_RUNTIME_DIR => $dir, XDG_STATE_HOME => $dir, XDG_CACHE_HOME => "$dir/cache",
        CPAN_BRIDGE_BIN => $self->bin, CPAN_BRIDGE_CONFIG => '/dev/null', %{ $self->{more_environment} || {} }, %more,
    };
}

# More variables for every side, from now on.
sub set { my ($self, %variable) = @_; $self->{more_environment} = \%variable; return }

# What a side is: the switches of its perl and its environment.
sub side {
    my ($self, $name) = @_;
    my $root      = $self->{root};
    my @stand_ins = ("-I$root/perl/lib", "-I$root/perl/cpan");
    return { perl => [$^X, @stand_ins], env => $self->environment } if $name eq 'ours';
    return { perl => [$^X], env => $self->environment } if $name eq 'real' or $name eq 'echo';
    return { perl => [$^X], env => $self->environment(DBI_AUTOPROXY => 'dbi:Gofer:transport=stream') }
        if $name eq 'gofer';
    die "no such side: $name\n";
}

# Runs a worker script under a side and returns its lines "NAME VALUE" as a hash.
sub worker {
    my ($self, $side, $script, @arguments) = @_;
    my $done  = $self->perl($side, "$self->{root}/bench/worker/$script", @arguments);
    my %value = map { /^(\S+) (\S+)$/ ? ($1, $2) : () } split /\n/, $done->{out};
    return \%value if !$done->{status} and %value;
    die "$script @arguments failed on the side '$side':\n" . $self->last_errors;
}

sub perl {
    my ($self, $side, @arguments) = @_;
    my $how = $self->side($side);
    unlink $self->_errors;
    return Bench::Process::run(
        command => [@{ $self->{pinned} || [] }, @{ $how->{perl} }, @arguments], env => $how->{env},
        errors  => $self->_errors
    );
}

sub _errors { my ($self) = @_; return $self->dir . '/errors' }

sub last_errors {
    my ($self) = @_;
    open my $handle, '<', $self->_errors or return "(it said nothing)\n";
    local $/ = undef;
    my $text = <$handle>;
    return defined $text && length $text ? $text : "(it said nothing)\n";
}

sub has_real {
    my ($self, $driver) = @_;
    $driver ||= 'SQLite';
    return !$self->perl('real', '-e', "require DBI; require DBD::$driver")->{status};
}

sub has_gofer {
    my ($self) = @_;
    return !$self->perl('real', '-e', 'require DBI; require DBD::SQLite; require DBD::Gofer')->{status};
}

# --- the daemon under test

sub cli {
    my ($self, @arguments) = @_;
    return Bench::Process::run(
        command => [$self->bin, @arguments], env => $self->environment,
        errors  => $self->_errors
    );
}

sub daemon_pid {
    my ($self) = @_;
    my $done   = $self->cli(qw(status --json));
    my $status = eval { JSON::PP::decode_json($done->{out}) } || {};
    return $status->{info}{pid};
}

sub stop_daemon {
    my ($self) = @_;
    my $pid = $self->daemon_pid or return;
    $self->cli('stop');
    for (1 .. 150) {
        return if !kill 0 => $pid;
        Time::HiRes::sleep(0.02);
    }
    kill KILL => $pid;
    return;
}

# --- which core whose end of a conversation runs on

# Runs the code with both servers on one core and the workers on another (or the same one).
# Returns false where cores cannot be chosen.
sub placed {
    my ($self, $server, $client, $code) = @_;
    return if Bench::Process::cores() < 2 or !-x '/usr/bin/taskset';
    my @servers = grep { $_ } $self->{echo_pid}, $self->daemon_pid;
    _move($_, $server) for @servers;
    $self->{pinned} = [qw(/usr/bin/taskset -c), $client];
    my $ok    = eval { $code->(); 1 };
    my $error = $@;
    delete $self->{pinned};
    _move($_, '0-' . (Bench::Process::cores() - 1)) for @servers;
    die $error if !$ok;
    return 1;
}

sub _move {
    my ($pid, $cores) = @_;
    return Bench::Process::run(command => [qw(/usr/bin/taskset -a -p -c), $cores, $pid]);
}

# --- the yardstick

sub start_echo {
    my ($self) = @_;
    my $socket = $self->dir . '/echo.sock';
    -x $self->{echo} or die "no echo server at $self->{echo}: run `cargo build --release -p cpan-bridge-bench-echo`\n";
    $self->{echo_pid} = Bench::Process::start(command => [$self->{echo}, $socket]);
    for (1 .. 100) {
        return $socket if -S $socket;
        Time::HiRes::sleep(0.02);
    }
    die "the echo server does not listen on $socket\n";
}

sub finish {
    my ($self) = @_;
    return if $self->{finished}++;
    Bench::Process::end($self->{echo_pid});
    $self->stop_daemon;
    return;
}

# --- what it ran on

sub machine {
    my ($self) = @_;
    my ($system, undef, $release, undef, $hardware) = POSIX::uname();
    return {
        system => "$system $release $hardware", cores       => Bench::Process::cores(), processor => _processor(),
        perl   => sprintf('%vd', $^V),          cpan_bridge => _first_line($self->cli('--version')->{out}),
    };
}

sub _processor {
    open my $handle, '<', '/proc/cpuinfo' or return 'unknown';
    while (my $line = <$handle>) {
        return $1 if $line =~ /^model name\s*:\s*(.+)/;
    }
    return 'unknown';
}

sub _first_line {
    my ($text) = @_;
    return $text =~ /^(.*)/ ? $1 : '';
}

1;

__END__

=head1 NAME

Bench::Stack - the sides of a comparison, each in a clean environment

=head1 SYNOPSIS

    my $stack = Bench::Stack->new(root => '/path/to/checkout');
    my $figures = $stack->worker('ours', 'dbi.pl', 'ping', 'data.db');
    print $figures->{seconds};
    $stack->finish;

=head1 DESCRIPTION

Sides: C<real> (the installed DBI and DBD::SQLite, plain C<@INC>), C<ours> (the stand-ins of this checkout over a
private daemon), C<gofer> (the installed DBI through DBD::Gofer's stream transport) and C<echo> (core perl only).

The binary is C<$CPAN_BRIDGE_BIN>, else the one that C<cargo build --release> makes in C<$CARGO_TARGET_DIR> or
F<target/>.

=cut
