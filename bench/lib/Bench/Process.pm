package Bench::Process;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

our $VERSION = '0.1.0';

use constant DEFAULT_LIMIT_S => 120;

# Runs a command and returns {status, out, seconds}; dies when it is not over
# within limit_s. Standard error goes to the file errors.
sub run {
    my (%arg) = @_;
    my $limit = $arg{limit_s} || DEFAULT_LIMIT_S;
    pipe my $read, my $write or die "pipe: $!\n";
    my $started = clock_gettime(CLOCK_MONOTONIC);
    my $pid     = _start($write, %arg);
    close $write;
    my $out = _read_until($read, $started + $limit);
    if (!defined $out) {
        kill KILL => -$pid;
        waitpid $pid, 0;
        die "$arg{command}[-1]: not over after $limit s (@{ $arg{command} })\n";
    }
    waitpid $pid, 0;
    return { status => $?, out => $out, seconds => clock_gettime(CLOCK_MONOTONIC) - $started };
}

# Starts a command and returns its process id; end() ends it.
sub start {
    my (%arg) = @_;
    open my $null, '>', '/dev/null' or die "/dev/null: $!\n";
    return _start($null, %arg);
}

sub end {
    my ($pid) = @_;
    return if !$pid;
    kill TERM => $pid;
    for (1 .. 100) {
        return if waitpid($pid, POSIX::WNOHANG()) != 0;
        Time::HiRes::sleep(0.02);
    }
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub _start {
    my ($stdout, %arg) = @_;
    my $pid = fork;
    die "fork: $!\n" if !defined $pid;
    return $pid      if $pid;
    setpgrp 0, 0;
    my $env = $arg{env} || {};
    for my $name (keys %$env) {
        if (defined $env->{$name}) { $ENV{$name} = $env->{$name} }
        else { delete $ENV{$name} }
    }
    open STDIN,  '<',  '/dev/null' or POSIX::_exit(126);
    open STDOUT, '>&', $stdout     or POSIX::_exit(126);
    if (defined $arg{directory}) { chdir $arg{directory}           or POSIX::_exit(126) }
    if ($arg{errors})            { open STDERR, '>>', $arg{errors} or POSIX::_exit(126) }
    exec { $arg{command}[0] } @{ $arg{command} } or POSIX::_exit(127);
}

sub _read_until {
    my ($handle, $deadline) = @_;
    my $out = '';
    while (1) {
        my $left = $deadline - clock_gettime(CLOCK_MONOTONIC);
        return if $left <= 0;
        my $bits = '';
        vec($bits, fileno $handle, 1) = 1;
        next if select($bits, undef, undef, $left) < 1;
        my $got = sysread $handle, $out, 65_536, length $out;
        return $out if !$got;
    }
}

# A figure in kB out of /proc/PID/status: VmRSS (now) or VmHWM (the peak).
sub memory_kb {
    my ($pid, $field) = @_;
    open my $handle, '<', "/proc/$pid/status" or return;
    while (my $line = <$handle>) {
        return $1 if $line =~ /^\Q$field\E:\s+(\d+) kB/;
    }
    return;
}

sub cores {
    open my $handle, '<', '/proc/cpuinfo' or return 1;
    my $count = grep { /^processor\s*:/ } <$handle>;
    return $count || 1;
}

# Processes that keep every core busy until they are ended; each ends by itself
# after limit_s.
sub spinners {
    my ($limit_s) = @_;
    my $code = "alarm $limit_s; 1 while 1";
    return map { start(command => [$^X, '-e', $code]) } 1 .. cores();
}

1;

__END__

=head1 NAME

Bench::Process - child processes with a deadline, and what memory they take

=head1 SYNOPSIS

    my $done = Bench::Process::run(command => ['perl', '-e', 'print 42'], limit_s => 5, env => { DBI_DSN => undef });
    print $done->{out}, ' after ', $done->{seconds}, " s\n";
    my $kb = Bench::Process::memory_kb($$, 'VmRSS');

A variable given as C<undef> in C<env> is taken out of the child's environment.

=cut
