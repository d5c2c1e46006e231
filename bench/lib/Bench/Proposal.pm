package Bench::Proposal;

use strict;
use warnings;
use utf8;

use Bench::Process;
use Bench::Progress;
use Bench::Stack;
use Bench::Stats;
use Bench::Table;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

our $VERSION = '0.1.0';

use constant CLIENTS => 4;

my @WAYS = (
    ['files',   'one Python process per call, state in files'],
    ['process', 'one bridge process per call'],
    ['daemon',  'the daemon'],
);
my @HOPE = ('what the proposal hoped for', '2-10', '', '100-500', '', '');

sub run {
    my ($class, %arg) = @_;
    my $stack = Bench::Stack->new(root => $arg{root});
    my $self  = bless {
        stack   => $stack,                rounds  => $arg{rounds} || ($arg{quick} ? 2 : 7),
        seconds => $arg{quick} ? 0.5 : 2, figures => {}
    }, $class;
    my $ok    = eval { $self->_measure; 1 };
    my $error = $@;
    $stack->finish;
    die $error if !$ok;
    return $self;
}

sub _measure {
    my ($self) = @_;
    my $stack = $self->{stack};
    $self->{machine}  = $stack->machine;
    $self->{python}   = _python();
    $self->{database} = $stack->dir . '/data.db';
    $self->{progress} = Bench::Progress->new(2 * @WAYS * $self->{rounds} + @WAYS);
    mkdir $stack->dir . '/state';
    $stack->worker('ours', 'dbi.pl', 'make_data', $self->{database}, 0);

    for my $round (1 .. $self->{rounds}) {
        $self->_one_client($round, $_->[0])   for @WAYS;
        $self->_some_clients($round, $_->[0]) for @WAYS;
    }
    $self->_memory($_->[0]) for @WAYS;
    $self->{progress}->clear;
    return;
}

# The interpreter itself: what is called python3 may be a script that looks for one, at every call.
sub _python {
    my $done = Bench::Process::run(command => ['python3', '-c', 'import sys; print(sys.executable)']);
    my ($python) = $done->{out} =~ /^(.+)$/m;
    return $python || die "this needs python3\n";
}

sub _command {
    my ($self, $way) = @_;
    my $root = $self->{stack}{root};
    my $side = $self->{stack}->side('ours');
    return (
        command => [
            @{ $side->{perl} }, "$root/bench/worker/proposal.pl", $way, $self->{database}, $self->{seconds},
            "$root/bench/proposal/one_process_per_call.py"
        ],
        env => { %{ $side->{env} }, BRIDGE_STATE => $self->{stack}->dir . '/state', BENCH_PYTHON => $self->{python} },
        errors => $self->{stack}->dir . '/errors',
    );
}

# The calls a second of a worker that is over, and the seconds of each call.
sub _calls {
    my ($self, $done) = @_;
    die "a worker failed:\n" . $self->{stack}->last_errors if $done->{status};
    my @calls = $done->{out} =~ /^call (\S+)$/mg;
    my ($elapsed) = $done->{out} =~ /^elapsed (\S+)$/m;
    return (@calls / $elapsed, @calls);
}

sub _one_client {
    my ($self, $round, $way) = @_;
    $self->{progress}->step("round $round: $way, one client");
    my ($rate, @calls) = $self->_calls(Bench::Process::run($self->_command($way)));
    my $figures = $self->{figures}{$way} ||= {};
    push @{ $figures->{latency} }, Bench::Stats::median(@calls);
    push @{ $figures->{slow} },    Bench::Stats::percentile(95, @calls);
    push @{ $figures->{one} },     $rate;
    return;
}

# CLIENTS at once, each in a child of ours that hands its rate back.
sub _some_clients {
    my ($self, $round, $way) = @_;
    $self->{progress}->step("round $round: $way, " . CLIENTS . ' clients');
    my @pipes = map { $self->_client_rate($way) } 1 .. CLIENTS;
    my $total = 0;
    for my $pipe (@pipes) {
        my $rate = readline $pipe;
        die "a worker failed:\n" . $self->{stack}->last_errors if !$rate;
        $total += $rate;
        close $pipe;
    }
    push @{ $self->{figures}{$way}{many} }, $total;
    return;
}

sub _client_rate {
    my ($self, $way) = @_;
    my $pid = open my $from, '-|';
    die "fork: $!\n" if !defined $pid;
    return $from     if $pid;
    my ($rate) = eval { $self->_calls(Bench::Process::run($self->_command($way))) };
    syswrite STDOUT, defined $rate ? $rate : 0;
    POSIX::_exit(0);
}

# The peak of the process that serves the calls.
sub _memory {
    my ($self, $way) = @_;
    $self->{progress}->step("memory: $way");
    my $kb =
          $way eq 'daemon'  ? Bench::Process::memory_kb($self->{stack}->daemon_pid, 'VmHWM')
        : $way eq 'process' ? $self->_private_peak
        :                     $self->_watched_peak($way);
    $self->{figures}{$way}{memory} = [$kb / 1024];
    return;
}

sub _private_peak {
    my ($self) = @_;
    my %command = $self->_command('process');
    push @{ $command{command} }, 'memory';
    my $done = Bench::Process::run(%command);
    $done->{out} =~ /^peak_kb (\d+)$/m or die "a worker failed:\n" . $self->{stack}->last_errors;
    return $1;
}

# A worker's short-lived children are looked at again and again while it runs.
sub _watched_peak {
    my ($self, $way) = @_;
    my $worker = Bench::Process::start($self->_command($way));
    my ($peak, $end) = (0, Time::HiRes::time() + $self->{seconds});
    while (Time::HiRes::time() < $end) {
        for my $pid (_children($worker)) {
            my $kb = Bench::Process::memory_kb($pid, 'VmHWM') || 0;
            $peak = $kb if $kb > $peak and _name($pid) =~ /python/;
        }
        Time::HiRes::sleep(0.001);
    }
    Bench::Process::end($worker);
    return $peak;
}

sub _children {
    my ($pid) = @_;
    open my $handle, '<', "/proc/$pid/task/$pid/children" or return;
    my $line = readline $handle;
    return defined $line ? split ' ', $line : ();
}

sub _name {
    my ($pid) = @_;
    open my $handle, '<', "/proc/$pid/comm" or return '';
    my $line = readline $handle;
    return defined $line ? $line : '';
}

# --- the table

sub _figure {
    my ($self, $way, $what) = @_;
    return Bench::Stats::median(@{ $self->{figures}{$way}{$what} });
}

sub text {
    my ($self) = @_;
    my @rows = map {
        my ($way, $title) = @$_;
        [
            $title, (map { Bench::Table::number(1000 * $self->_figure($way, $_)) } qw(latency slow)),
            (map { Bench::Table::number($self->_figure($way, $_)) } qw(one many memory))
        ]
    } @WAYS;
    my $machine = $self->{machine};
    my $table   = Bench::Table::format_table(
        'lrrrrr',
        [
            'a call through', 'ms, median', 'ms, 95 %', 'calls/s',
            'calls/s, ' . CLIENTS . ' clients', 'MB a helper process'
        ],
        @rows,
        [@HOPE]
    );
    return
          "$machine->{cpan_bridge}, perl $machine->{perl}, $machine->{cores} cores ($machine->{processor})\n\n$table\n"
        . "$self->{rounds} interleaved rounds, medians. A call is half of: execute a statement on an open connection, fetch\n"
        . "its row; for a bridge process per call it is the whole of start, connect, execute, fetch.\n";
}

sub brief {
    my ($self) = @_;
    return
        sprintf
"A call by name over the daemon takes %s ms; with a bridge process per call it takes %s ms, with a Python process per\n"
        . "call that keeps its state in files %s ms (`bench/run proposal`).\n",
        map { Bench::Table::number(1000 * $self->_figure($_, 'latency')) } qw(daemon process files);
}

sub json {
    my ($self) = @_;
    return JSON::PP->new->canonical->pretty->utf8->encode({ machine => $self->{machine}, figures => $self->{figures} });
}

1;

__END__

=encoding utf8

=head1 NAME

Bench::Proposal - what a call costs: a process each, with state in files, or a daemon

=head1 SYNOPSIS

    print Bench::Proposal->run(root => '/path/to/checkout')->text;

=cut
