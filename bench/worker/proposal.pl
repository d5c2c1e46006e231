#!/usr/bin/perl
# proposal.pl WAY DATABASE SECONDS PROGRAM: calls of a helper, one way of three.
#   files    one Python process per call ($BENCH_PYTHON PROGRAM), state in files ($BRIDGE_STATE)
#   process  one bridge process per call
#   daemon   the daemon
# A unit of work is execute + fetch of one row; in 'process' it is a fresh bridge, connect + execute + fetch.
# Prints "call X" for each call's seconds, and "elapsed X" for all of it.
# With 'memory' as the last argument 'process' prints "peak_kb X" of its bridge process instead.
use strict;
use warnings;

use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($way, $database, $seconds, $program, $memory) = @ARGV;
my $SQL = 'SELECT id, name, price, quantity, note FROM item WHERE id = ?';
my %way = (files => \&files, process => \&process, daemon => \&daemon);
exit process_memory() if $memory;
my ($calls_a_unit, $unit) = $way{$way}->();

my $begin = clock_gettime(CLOCK_MONOTONIC);
my ($now, $id) = ($begin, 0);
while ($now < $begin + $seconds or $id < 5) {
    my $wanted = ++$id % 1000 + 1;
    my $row    = $unit->($wanted);
    $row->[0] == $wanted or die "asked for row $wanted, got $row->[0]\n";
    my $then = $now;
    $now = clock_gettime(CLOCK_MONOTONIC);
    printf "call %.9f\n", ($now - $then) / $calls_a_unit for 1 .. $calls_a_unit;
}
printf "elapsed %.9f\n", $now - $begin;

# Execute and fetch through something that takes (function, params) and returns a result.
sub conversation {
    my ($call) = @_;
    my %here = (
        connection_id => $call->(
            'connect',
            {
                dsn        => "dbi:SQLite:dbname=$database", username => '', password => '',
                attributes => {}
            }
        )->{connection_id}
    );
    $here{statement_id} = $call->('prepare', { %here, sql => $SQL })->{statement_id};
    return sub {
        my ($wanted) = @_;
        $call->('execute_statement', { %here, bind_values => [$wanted] });
        return $call->('fetch_row', { %here, format => 'array' })->{row};
    };
}

sub files {
    require JSON::PP;
    require IPC::Open2;
    my $json = JSON::PP->new;
    my $call = sub {
        my ($function, $params) = @_;
        my $pid = IPC::Open2::open2(my $from, my $to, $ENV{BENCH_PYTHON}, $program);
        print {$to} $json->encode({ module => 'database', function => $function, params => $params });
        close $to;
        local $/ = undef;
        my $reply = $json->decode(scalar readline $from);
        waitpid $pid, 0;
        $reply->{success} or die "$function: $reply->{error}\n";
        return $reply->{result};
    };
    return (2, conversation($call));
}

sub helper_call {
    my ($bridge) = @_;
    return sub {
        my ($function, $params) = @_;
        my $reply = $bridge->call('database', $function, $params);
        $reply->{success} or die "$function: $reply->{error}\n";
        return $reply->{result};
    };
}

sub daemon {
    require CPANBridge;
    return (2, conversation(helper_call(CPANBridge->new)));
}

# Perl stays, the bridge process does not: what a call costs when it is started for it.
sub process {
    require CPANBridge;
    return (1, sub { return conversation(helper_call(CPANBridge->new(mode => 'process')))->(@_) });
}

sub process_memory {
    require CPANBridge;
    require FindBin;
    require lib;
    lib->import("$FindBin::RealBin/../lib");
    require Bench::Process;
    my $bridge = CPANBridge->new(mode => 'process');
    conversation(helper_call($bridge))->(1);
    my $info = $bridge->call('system', 'info', {});
    $info->{success} or die "system.info: $info->{error}\n";
    printf "peak_kb %d\n", Bench::Process::memory_kb($info->{result}{pid}, 'VmHWM');
    return 0;
}
