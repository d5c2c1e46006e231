package Bench::Server;

use strict;
use warnings;
use utf8;

use Bench::Dbi;
use Bench::Process;
use Bench::Progress;
use Bench::Report;
use Bench::Stack;
use Bench::Stats;
use Time::HiRes ();

our $VERSION = '0.1.0';
our @ISA     = ('Bench::Dbi');

use constant BOTH_ROWS     => 1_000_000;     # read with both sides: the native drivers keep a result in memory
use constant MEMORY_ROWS   => 10_000_000;    # read over the bridge
use constant SCRIPTS       => 200;           # at once; a quarter of them in a quick run
use constant SERVER_LIFE_S => 7_200;

# id, what the reader sees, unit, factor from seconds to the unit
my @STARTS = (
    ['connect',        'connect, from the second script on',              'ms', 1e3],
    ['connect_select', 'the same and a first select',                     'ms', 1e3],
    ['script',         'whole short script: perl, connect, select, exit', 'ms', 1e3],
);
my @CALLS = (
    ['ping',          '$dbh->ping',                                    'µs',     1e6],
    ['select_row',    'prepared single-row select',                    'µs',     1e6],
    ['insert',        'execute, row by row, in a transaction',         'µs/row', 1e6],
    ['pipeline',      'the same with bridge_pipeline',                 'µs/row', 1e6],
    ['execute_array', 'execute_array of 5,000 rows, in a transaction', 'µs/row', 1e6],
);
my @READS = (
    ['fetchrow_arrayref', 'fetchrow_arrayref loop',          'µs/row', 1e6],
    ['bind_columns',      'bind_columns + fetch loop',       'µs/row', 1e6],
    ['fetchrow_array',    'fetchrow_array loop',             'µs/row', 1e6],
    ['fetchrow_hashref',  'fetchrow_hashref loop',           'µs/row', 1e6],
    ['selectall',         'selectall_arrayref',              'µs/row', 1e6],
    ['selectall_slice',   'selectall_arrayref, Slice => {}', 'µs/row', 1e6],
);

sub run {
    my ($class, %arg) = @_;
    unshift @INC, "$arg{root}/tests/lib";
    my $self = bless { rounds => $arg{rounds} || ($arg{quick} ? 3 : 9), quick => $arg{quick}, samples => {} }, $class;
    $self->{seconds} = $arg{quick} ? 0.1         : 0.3;
    $self->{scripts} = $arg{quick} ? SCRIPTS / 4 : SCRIPTS;
    my $stack = $self->{stack} = Bench::Stack->new(root => $arg{root});
    my $ok    = eval { $self->_measure; 1 };
    my $error = $@;
    $stack->finish;
    delete $self->{server};
    die $error if !$ok;
    return $self->_report(%arg);
}

sub _measure {
    my ($self) = @_;
    my $stack = $self->{stack};
    $self->{server}    = $self->start_server(seconds => SERVER_LIFE_S);
    $self->{described} = $self->what;
    my ($dsn, $user, $password) = $self->{server}->login($self->parameters);
    $self->{login} = { BENCH_DSN => $dsn, BENCH_USER => $user, BENCH_PASSWORD => $password };
    $stack->set(%{ $self->{login} });
    $self->{installed} = { real => $stack->has_real($self->driver) };
    $self->{sides}     = ['ours', $self->{installed}{real} ? 'real' : ()];
    $self->{machine}   = $stack->machine;
    $self->{echo}      = $stack->start_echo;
    $self->{progress}  = Bench::Progress->new($self->_steps);
    $stack->worker($self->{sides}[-1], 'dbi.pl', 'make_data', '-', 0);
    $self->{server}->sql($self->settle_sql);
    $self->_start_round($_) for 1 .. $self->_starts;
    $self->_idle_round($_)  for 1 .. $self->{rounds};
    $self->_crowd_round($_) for 1 .. $self->_crowds;
    $self->_memory;
    $self->{progress}->clear;
    return;
}

sub _starts { my ($self) = @_; return ($self->{quick} ? 2 : 5) * $self->{rounds} }
sub _crowds { my ($self) = @_; return $self->{quick} ? 1 : 3 }

sub _steps {
    my ($self) = @_;
    my $sides = @{ $self->{sides} };
    return $self->_starts + $self->{rounds} * (1 + (@CALLS + @READS) * $sides) + $self->_crowds * $sides + 3;
}

# --- one round of each kind

sub _start_round {
    my ($self, $round) = @_;
    my $stack = $self->{stack};
    $self->{progress}->step("start $round");
    $stack->worker('ours', 'dbi.pl', 'connect', '-', 0) if $round == 1;    # the first script: not what is measured
    for my $side ($self->_sides($round)) {
        for my $case (qw(connect connect_select)) {
            $self->_add($case, $side, $round, $stack->worker($side, 'dbi.pl', $case, '-', 0)->{seconds});
        }
        $self->_start('script', $side, $round, "$stack->{root}/bench/worker/script.pl");
    }
    return;
}

sub _idle_round {
    my ($self, $round) = @_;
    my $seconds = $self->{seconds};
    $self->_worker('echo', 'echo', $round, 'echo.pl', $self->{echo}, $seconds);
    for my $case (map { $_->[0] } @CALLS, @READS) {
        next if $case eq 'pipeline' and !$self->has_pipeline;
        for my $side ($self->_sides($round)) {
            next if $case eq 'pipeline' and $side ne 'ours';
            $self->_worker($case, $side, $round, 'dbi.pl', $case, '-', $seconds);
        }
    }
    return;
}

# Many scripts at once.
sub _crowd_round {
    my ($self, $round) = @_;
    for my $side ($self->_sides($round)) {
        $self->{progress}->step("round $round: $self->{scripts} scripts at once, $side");
        my ($seconds, $most) = $self->_crowd($side);
        $self->_add('crowd',             $side, $round, $seconds);
        $self->_add('crowd_connections', $side, $round, $most);
    }
    return;
}

sub _crowd {
    my ($self, $side) = @_;
    my $stack = $self->{stack};
    my $how   = $stack->side($side);
    $self->{server}->count_connections;
    my $start = Time::HiRes::time();
    my @pids  = map {
        Bench::Process::start(
            command => [@{ $how->{perl} }, "$stack->{root}/bench/worker/crowd.pl", 20],
            env     => $how->{env}, errors => $stack->dir . '/errors'
        )
    } 1 .. $self->{scripts};
    my $failed = 0;
    for my $pid (@pids) {
        while (!waitpid $pid, POSIX::WNOHANG()) {
            die "$self->{scripts} scripts on the side '$side': not over\n" if Time::HiRes::time() > $start + 240;
            Time::HiRes::sleep(0.005);
        }
        $failed++ if $?;
    }
    my $seconds = Time::HiRes::time() - $start;
    die "$failed of $self->{scripts} scripts failed on the side '$side':\n" . $stack->last_errors if $failed;
    return ($seconds, $self->{server}->most_connections);
}

sub _memory {
    my ($self) = @_;
    my $stack  = $self->{stack};
    my $part   = $self->{quick} ? 10 : 1;
    my @reads = (['both_memory', BOTH_ROWS / $part, @{ $self->{sides} }], ['read_memory', MEMORY_ROWS / $part, 'ours']);
    for my $read (@reads) {
        my ($case, $rows, @sides) = @$read;
        $self->{memory_rows}{$case} = $rows;
        $stack->set(%{ $self->{login} }, BENCH_ROWS_SQL => $self->rows_sql($rows));
        for my $side (@sides) {
            $stack->stop_daemon if $side eq 'ours';
            $self->{progress}->step("memory: $rows rows, $side");
            my $script = $stack->worker($side, 'memory.pl', $rows)->{peak_kb};
            my $daemon = $side eq 'ours' ? Bench::Process::memory_kb($stack->daemon_pid, 'VmHWM') : 0;
            $self->_add($case, $side, 1, ($script + $daemon) / 1024);
            $self->{parts} = { script => $script / 1024, daemon => $daemon / 1024 } if $case eq 'read_memory';
        }
    }
    $stack->set(%{ $self->{login} });
    return;
}

# --- the table

sub _report {
    my ($self, %arg) = @_;
    my $report = Bench::Report->new(
        columns => [['real', 'native'], ['ours', 'bridge'], ['echo', 'plain echo']],
        samples => $self->{samples}, machine => $self->{machine}, speed => ['real', 'ours'],
    );
    $report->note($_) for $self->_notes;
    $report->row('plain blocking echo, round trip', 'µs', 1e6, { echo => ['echo', 'echo'] });
    $self->_case_row($report, $_, $self->_speed_goal($_->[0])) for @STARTS;
    $self->_case_row($report, $_, $self->_call_goal($_->[0]))  for grep { $self->{samples}{ $_->[0] } } @CALLS;
    $self->_case_row($report, $_, $self->_speed_goal($_->[0])) for @READS;
    $self->_case_row($report, ['crowd', "$self->{scripts} scripts at once, each connect + 20 selects", 's', 1]);
    $self->_case_row(
        $report, ['crowd_connections', 'connections the server saw of them', 'connections', 1],
        $self->_goal('≤ 20, the size of the pool', '<= 20', [['crowd_connections', 'ours']], sub { $_[0] })
    );
    $self->_memory_rows($report);
    return $report;
}

sub _speed_goal {
    my ($self, $id) = @_;
    my $goal = $self->goals->{$id} or return;
    return $self->_goal("≥ $goal × native speed", ">= $goal", [[$id, 'real'], [$id, 'ours']], sub { $_[0] / $_[1] });
}

sub _call_goal {
    my ($self, $id) = @_;
    if ($id eq 'select_row') {
        my @three = (['select_row', 'ours'], ['select_row', 'real'], ['echo', 'echo']);
        return $self->_goal('≤ native + echo', '<= 1', \@three, sub { $_[0] / ($_[1] + $_[2]) });
    }
    return $self->_speed_goal($id) if $id ne 'pipeline';
    my $goal = $self->goals->{pipeline} or return;
    return $self->_goal(
        "≥ $goal × native row by row",              ">= $goal",
        [['insert', 'real'], ['pipeline', 'ours']], sub { $_[0] / $_[1] }
    );
}

sub _memory_rows {
    my ($self, $report) = @_;
    for my $case (qw(both_memory read_memory)) {
        (my $rows = $self->{memory_rows}{$case}) =~ s/(?<=\d)(?=(?:\d{3})+$)/,/g;
        $self->_case_row(
            $report,
            [$case, "SELECT of $rows rows, peak", 'MB', 1],
            $case eq 'read_memory'
            ? $self->_goal('≤ 100 MB', '<= 100', [['read_memory', 'ours']], sub { $_[0] })
            : ()
        );
    }
    $report->note(
        sprintf 'Peak memory of the last SELECT over the bridge: script %.0f MB, daemon %.0f MB.',
        @{ $self->{parts} }{qw(script daemon)}
    );
    return;
}

sub _notes {
    my ($self) = @_;
    my @notes = (
        "$self->{described}.",
        "$self->{rounds} interleaved rounds, a fresh process per side, case and round; medians. "
            . 'speed = time of the native modules / time of the bridge, taken in each round.'
    );
    push @notes, 'DBD::' . $self->driver . ' is not installed here: no ratios.' if !$self->{installed}{real};
    push @notes, 'A quick run: fewer rounds and shorter measurements than the figures in docs/benchmarks.md.'
        if $self->{quick};
    return @notes;
}

1;

__END__

=encoding utf8

=head1 NAME

Bench::Server - a driver for a database server: the stand-in and the native module side by side

=head1 SYNOPSIS

    my $report = Bench::Pg->run(root => '/path/to/checkout', quick => 1);
    print $report->text;

=head1 DESCRIPTION

What L<Bench::Pg> and L<Bench::Mysql> have in common. Both sides use the same private server (F<tests/lib/TestServer.pm>), in the
same way. A class brings C<driver>, C<start_server>, C<parameters> of the DSN, C<what> for the reader, C<goals>, C<rows_sql>,
C<settle_sql> and C<has_pipeline>.

=cut
