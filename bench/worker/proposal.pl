#!/usr/bin/perl
# proposal.pl WAY DATABASE SECONDS PROGRAM: calls of a helper, one way of three.
#   files    one Python process per call (PROGRAM), state in files
#   process  one bridge process per call
#   daemon   the daemon
# A unit of work is execute + fetch of one row; in 'process' it is a fresh bridge, connect + execute + fetch.
# Prints "call X" for each call's seconds.
use strict;
use warnings;

use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($way, $database, $seconds, $program) = @ARGV;
my $SQL = 'SELECT id, name, price, quantity, note FROM item WHERE id = ?';
my %way = (files => \&files, process => \&process, daemon => \&daemon);
my ($calls_a_unit, $unit) = $way{$way}->();

my $end = clock_gettime(CLOCK_MONOTONIC) + $seconds;
my $id  = 0;
while (1) {
    my $start = clock_gettime(CLOCK_MONOTONIC);
    last if $start > $end and $id >= 5;
    my $row  = $unit->(++$id % 1000 + 1);
    my $took = clock_gettime(CLOCK_MONOTONIC) - $start;
    $row->[0] == $id % 1000 + 1 or die "asked for row ", $id % 1000 + 1, ", got $row->[0]\n";
    printf "call %.9f\n", $took / $calls_a_unit for 1 .. $calls_a_unit;
}

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
        my $pid = IPC::Open2::open2(my $from, my $to, 'python3', $program);
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
