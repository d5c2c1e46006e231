package Bench::Dbi;

use strict;
use warnings;
use utf8;

use Bench::Process;
use Bench::Progress;
use Bench::Report;
use Bench::Stack;
use Bench::Stats;

our $VERSION = '0.1.0';

use constant MEMORY_ROWS => 5_000_000;

# id, what the reader sees, unit, factor from seconds to the unit
my @CALLS = (
    ['ping',          '$dbh->ping',                     'µs',     1e6],
    ['select_row',    'prepared single-row select',     'µs',     1e6],
    ['insert',        'insert in a transaction',        'µs/row', 1e6],
    ['execute_array', 'execute_array in a transaction', 'µs/row', 1e6],
);
my @READS = (
    ['fetchrow_arrayref', 'fetchrow_arrayref loop',          'µs/row', 1e6],
    ['bind_columns',      'bind_columns + fetch loop',       'µs/row', 1e6],
    ['fetchrow_array',    'fetchrow_array loop',             'µs/row', 1e6],
    ['fetchrow_hashref',  'fetchrow_hashref loop',           'µs/row', 1e6],
    ['selectall',         'selectall_arrayref',              'µs/row', 1e6],
    ['selectall_slice',   'selectall_arrayref, Slice => {}', 'µs/row', 1e6],
);
my @STARTS = (
    ['load',     'use DBI + driver, less an empty perl', 'ms', 1e3],
    ['load_all', 'use DBI + driver, whole process',      'ms', 1e3],
    ['script',   'whole short script',                   'ms', 1e3],
);
my %SPEED_GOAL = (
    fetchrow_arrayref => 0.85, bind_columns => 0.85, fetchrow_hashref => 2.0, selectall => 1.0, selectall_slice => 1.7,
);

sub run {
    my ($class, %arg) = @_;
    my $self = bless { rounds => $arg{rounds} || ($arg{quick} ? 3 : 9), quick => $arg{quick}, samples => {} }, $class;
    $self->{seconds} = $arg{quick} ? 0.1 : 0.3;
    my $stack = $self->{stack} = Bench::Stack->new(root => $arg{root});
    my $ok    = eval { $self->_measure; 1 };
    my $error = $@;
    $stack->finish;
    die $error if !$ok;
    return $self->_report(%arg);
}

sub _measure {
    my ($self)    = @_;
    my $stack     = $self->{stack};
    my @installed = (($stack->has_real ? 'real' : ()), ($stack->has_gofer ? 'gofer' : ()));
    $self->{machine}   = $stack->machine;
    $self->{installed} = { map { $_ => 1 } @installed };
    $self->{sides}     = ['ours', @installed];
    $self->{database}  = $stack->dir . '/data.db';
    $self->{echo}      = $stack->start_echo;
    $self->{progress}  = Bench::Progress->new($self->_steps);
    $stack->worker($installed[0] || 'ours', 'dbi.pl', 'make_data', $self->{database}, 0);
    $self->_idle_round($_)   for 1 .. $self->{rounds};
    $self->_placed_round($_) for 1 .. $self->{rounds};
    $self->_busy_round($_)   for 1 .. $self->{rounds};
    $self->_start_round($_)  for 1 .. $self->_starts;
    $self->_memory;
    $self->{progress}->clear;
    return;
}

sub _starts { my ($self) = @_; return 10 * $self->{rounds} }

sub _steps {
    my ($self) = @_;
    my $sides  = @{ $self->{sides} };
    my $idle   = 4 + (@CALLS + @READS) * $sides - ($self->{installed}{gofer} ? 2 : 0);
    return $self->{rounds} * ($idle + 4 + 3) + $self->_starts + 4;
}

# --- one round of each kind; which side comes first changes from round to round

sub _sides {
    my ($self, $round) = @_;
    my @sides = @{ $self->{sides} };
    push @sides, shift @sides for 1 .. $round % @sides;
    return @sides;
}

sub _add {
    my ($self, $case, $side, $round, $value) = @_;
    $self->{samples}{$case}{$side}[$round - 1] = $value;
    return;
}

sub _worker {
    my ($self, $case, $side, $round, @command) = @_;
    $self->{progress}->step("round $round: $case, $side");
    $self->_add($case, $side, $round, $self->{stack}->worker($side, @command)->{seconds});
    return;
}

sub _idle_round {
    my ($self, $round) = @_;
    my $seconds = $self->{seconds};
    $self->_worker('echo',        'echo', $round, 'echo.pl',   $self->{echo}, $seconds);
    $self->_worker('bridge_ping', 'ours', $round, 'bridge.pl', 'ping',        $seconds);
    for my $case (map { $_->[0] } @CALLS, @READS) {
        my $writes = $case =~ /insert|execute_array/;
        for my $side ($self->_sides($round)) {
            next if $writes and $side eq 'gofer';
            my $database = $writes ? $self->{stack}->dir . "/$case-$side.db" : $self->{database};
            unlink $database if $writes;
            $self->_worker($case, $side, $round, 'dbi.pl', $case, $database, $side eq 'gofer' ? 0.05 : $seconds);
        }
    }
    $self->_worker('push', 'ours', $round, 'bridge.pl', 'push', $seconds);
    $self->_worker('big',  'ours', $round, 'bridge.pl', 'echo', $seconds);
    return;
}

# Where the two ends of a conversation run decides what a round trip costs, so both cases are shown.
sub _placed_round {
    my ($self, $round) = @_;
    for my $case (['one_core', 0, 0], ['two_cores', 1, 0]) {
        my ($name, $server, $client) = @$case;
        $self->{stack}->placed(
            $server, $client,
            sub {
                $self->_worker("echo_$name", 'echo', $round, 'echo.pl',   $self->{echo}, $self->{seconds});
                $self->_worker("ping_$name", 'ours', $round, 'bridge.pl', 'ping',        $self->{seconds});
            }
        );
    }
    return;
}

sub _busy_round {
    my ($self, $round) = @_;
    my @spinners = Bench::Process::spinners(Bench::Process::DEFAULT_LIMIT_S);
    my $ok       = eval {
        $self->_worker('busy_echo',        'echo', $round, 'echo.pl',   $self->{echo}, 3 * $self->{seconds});
        $self->_worker('busy_bridge_ping', 'ours', $round, 'bridge.pl', 'ping',        3 * $self->{seconds});
        $self->_worker('busy_ping',        'ours', $round, 'dbi.pl', 'ping', $self->{database}, 3 * $self->{seconds});
        1;
    };
    my $error = $@;
    Bench::Process::end($_) for @spinners;
    die $error if !$ok;
    return;
}

sub _start_round {
    my ($self, $round) = @_;
    my $stack = $self->{stack};
    $self->{progress}->step("start $round");
    $self->_add('empty', 'echo', $round, $stack->perl('echo', '-e', '1')->{seconds});
    for my $side ($self->_sides($round)) {
        my $load = 'require DBI; DBI->import; require DBD::SQLite; DBI->install_driver("SQLite")';
        $self->_start('load_all', $side, $round, '-e', $load) if $side ne 'gofer';
        next                                                  if $side eq 'gofer' and $round > $self->{rounds};
        $self->_start('script', $side, $round, "$stack->{root}/bench/worker/script.pl", $self->{database});
    }
    for my $side (qw(ours real)) {
        my ($all, $empty) = ($self->{samples}{load_all}{$side}, $self->{samples}{empty}{echo});
        $self->{samples}{load}{$side} = [Bench::Stats::by_round(sub { $_[0] - $_[1] }, $all, $empty)] if $all;
    }
    return;
}

sub _start {
    my ($self, $case, $side, $round, @command) = @_;
    my $done = $self->{stack}->perl($side, @command);
    die "$case failed on the side '$side':\n" . $self->{stack}->last_errors if $done->{status};
    $self->_add($case, $side, $round, $done->{seconds});
    return;
}

sub _memory {
    my ($self) = @_;
    my $stack  = $self->{stack};
    my $rows   = $self->{quick} ? MEMORY_ROWS / 10 : MEMORY_ROWS;
    $stack->stop_daemon;
    $self->{progress}->step('memory: an idle client');
    $self->_add('idle_memory', 'ours', 1, $stack->worker('ours', 'idle.pl')->{resident_kb} / 1024);
    $stack->stop_daemon;
    for my $side (@{ $self->{sides} }) {
        next if $side eq 'gofer';
        $self->{progress}->step("memory: $rows rows, $side");
        my $script = $stack->worker($side, 'memory.pl', $rows)->{peak_kb};
        my $daemon = $side eq 'ours' ? Bench::Process::memory_kb($stack->daemon_pid, 'VmHWM') : 0;
        $self->_add('read_memory', $side, 1, ($script + $daemon) / 1024);
        $self->{parts} = { script => $script / 1024, daemon => $daemon / 1024 } if $side eq 'ours';
    }
    $self->{memory_rows} = $rows;
    return;
}

# --- the table

sub _report {
    my ($self, %arg) = @_;
    my $report = Bench::Report->new(
        columns => [['real', 'native'], ['ours', 'bridge'], ['gofer', 'Gofer stream'], ['echo', 'plain echo']],
        samples => $self->{samples}, machine => $self->{machine}, speed => ['real', 'ours'],
    );
    $report->note($_) for $self->_notes;
    $self->_call_rows($report);
    $self->_read_rows($report);
    $self->_start_rows($report);
    $self->_memory_rows($report);
    return $report;
}

sub _notes {
    my ($self) = @_;
    my @notes = ("$self->{rounds} interleaved rounds, a fresh process per side, case and round; medians. "
            . 'speed = time of the native modules / time of the bridge, taken in each round.');
    push @notes, 'DBI and DBD::SQLite are not installed here (Debian: libdbi-perl libdbd-sqlite3-perl): no ratios.'
        if !$self->{installed}{real};
    push @notes, 'Gofer has no transactions and answers ping without a round trip.' if $self->{installed}{gofer};
    push @notes, 'A quick run: fewer rounds and shorter measurements than the figures in docs/benchmarks.md.'
        if $self->{quick};
    return @notes;
}

# A goal is a figure made in each round from the named series, and a bound on its median.
sub _goal {
    my ($self, $text, $bound, $series, $code) = @_;
    my @series = map { $self->{samples}{ $_->[0] }{ $_->[1] } } @$series;
    my ($sign, $limit) = $bound =~ /^([<>]=)\s*([\d.]+)/;
    return {
        text    => $text, sign => $sign, limit => $limit,
        reached => Bench::Stats::median(Bench::Stats::by_round($code, @series))
    };
}

sub _call_rows {
    my ($self, $report) = @_;
    my $ratio = sub { $_[0] / $_[1] };
    $report->row('plain blocking echo, round trip', 'µs', 1e6, { echo => ['echo', 'echo'] });
    $report->row(
        'bridge ping (test.ping)', 'µs', 1e6, { ours => ['bridge_ping', 'ours'] },
        $self->_goal('≤ 0.6 × echo', '<= 0.6', [['bridge_ping', 'ours'], ['echo', 'echo']], $ratio)
    );
    for my $case (@CALLS) {
        my @goals;
        @goals = $self->_goal('≤ 0.6 × echo', '<= 0.6', [['ping', 'ours'], ['echo', 'echo']], $ratio)
            if $case->[0] eq 'ping';
        @goals = $self->_select_row_goals if $case->[0] eq 'select_row';
        $self->_case_row($report, $case, @goals);
    }
    for my $where (['one_core', 'both ends on one core'], ['two_cores', 'ends on two cores']) {
        my ($case, $title) = @$where;
        next if !$self->{samples}{"echo_$case"};
        $report->row("plain echo, $title", 'µs', 1e6, { echo => ["echo_$case", 'echo'] });
        my @series = (["ping_$case", 'ours'], ["echo_$case", 'echo']);
        my @goals  = $case eq 'two_cores' ? $self->_goal('≤ 0.6 × echo', '<= 0.6', \@series, $ratio) : ();
        $report->row("bridge ping, $title", 'µs', 1e6, { ours => $series[0] }, @goals);
    }
    $report->row('plain echo, every core busy', 'µs', 1e6, { echo => ['busy_echo', 'echo'] });
    for my $case (['busy_bridge_ping', 'bridge ping, every core busy'], ['busy_ping', '$dbh->ping, every core busy']) {
        $report->row(
            $case->[1], 'µs', 1e6, { ours => [$case->[0], 'ours'] },
            $self->_goal('≤ 1.3 × echo', '<= 1.3', [[$case->[0], 'ours'], ['busy_echo', 'echo']], $ratio)
        );
    }
    return;
}

sub _select_row_goals {
    my ($self) = @_;
    my @three = (['select_row', 'ours'], ['select_row', 'real'], ['echo', 'echo']);
    return (
        $self->_goal('≤ native + echo', '<= 1', \@three, sub { $_[0] / ($_[1] + $_[2]) }),
        $self->_goal('≥ 10 × Gofer', '>= 10', [['select_row', 'gofer'], ['select_row', 'ours']], sub { $_[0] / $_[1] }),
    );
}

sub _case_row {
    my ($self, $report, $case, @goals)  = @_;
    my ($id,   $title,  $unit, $factor) = @$case;
    my %cells = map { $_ => [$id, $_] } grep { $self->{samples}{$id}{$_} } @{ $self->{sides} };
    return $report->row($title, $unit, $factor, \%cells, @goals);
}

sub _read_rows {
    my ($self, $report) = @_;
    for my $case (@READS) {
        my $id   = $case->[0];
        my $goal = $SPEED_GOAL{$id};
        my @goals;
        @goals = $self->_goal(
            "≥ $goal × native speed", ">= $goal", [[$id, 'real'], [$id, 'ours']],
            sub { $_[0] / $_[1] }
        ) if $goal;
        $self->_case_row($report, $case, @goals);
    }
    return;
}

sub _start_rows {
    my ($self, $report) = @_;
    $report->row('an empty perl', 'ms', 1e3, { echo => ['empty', 'echo'] });
    for my $case (@STARTS) {
        my $id = $case->[0];
        my @goals;
        @goals = $self->_goal('≤ 0.75 × native time', '<= 0.75', [[$id, 'ours'], [$id, 'real']], sub { $_[0] / $_[1] })
            if $id ne 'script';
        $self->_case_row($report, $case, @goals);
    }
    $report->row(
        '4 MB request', 'ms', 1e3, { ours => ['push', 'ours'] },
        $self->_goal('≤ 15 ms', '<= 15', [['push', 'ours']], sub { 1000 * $_[0] })
    );
    $report->row(
        '4 MB request and 4 MB reply', 'ms', 1e3, { ours => ['big', 'ours'] },
        $self->_goal('≤ 15 ms each way', '<= 15', [['big', 'ours']], sub { 1000 * $_[0] / 2 })
    );
    return;
}

sub _memory_rows {
    my ($self, $report) = @_;
    $report->row(
        'daemon, idle, one client', 'MB', 1, { ours => ['idle_memory', 'ours'] },
        $self->_goal('≤ 10 MB', '<= 10', [['idle_memory', 'ours']], sub { $_[0] })
    );
    (my $rows = $self->{memory_rows}) =~ s/(?<=\d)(?=(?:\d{3})+$)/,/g;
    $self->_case_row(
        $report, ['read_memory', "SELECT of $rows rows, peak", 'MB', 1],
        $self->_goal('≤ 100 MB', '<= 100', [['read_memory', 'ours']], sub { $_[0] })
    );
    $report->note(
        sprintf 'Peak memory of that SELECT over the bridge: script %.0f MB, daemon %.0f MB.',
        @{ $self->{parts} }{qw(script daemon)}
    );
    return;
}

1;

__END__

=encoding utf8

=head1 NAME

Bench::Dbi - DBI and DBD::SQLite: the stand-ins, the native modules and Gofer side by side

=head1 SYNOPSIS

    my $report = Bench::Dbi->run(root => '/path/to/checkout', quick => 1);
    print $report->text;

=head1 DESCRIPTION

A round measures every case once on every side, each in a process of its own, so that no side profits from a
quiet minute. To add a case: a sub in F<bench/worker/dbi.pl>, a line in C<@CALLS> or C<@READS>, and, where it has
a goal, a line in C<%SPEED_GOAL>.

=cut
