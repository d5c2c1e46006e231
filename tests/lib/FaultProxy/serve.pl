# serve.pl PARENT SECONDS TARGET LISTEN: forwards connections; commands on standard input, one answer each. See FaultProxy.pm.
use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use Fcntl qw(F_SETFL O_NONBLOCK);
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes ();

use constant CHUNK_BYTES  => 65_536;
use constant QUEUED_BYTES => 1_048_576;    # waiting for one reader; then nothing more is taken for it

my ($parent, $seconds, $target, $listen) = @ARGV;
my $end = time + $seconds;
my (%links, $listener);                    # link: { client, server, up => queue, down => queue, ... }
my %fault  = (kind => 'normal');
my %counts = (all  => 0, up => 0, down => 0, faults => 0);
my $next   = 0;

setpgrp 0, 0;
$|         = 1;
$SIG{PIPE} = 'IGNORE';
$SIG{$_}   = sub { POSIX::_exit(0) }
    for qw(INT TERM HUP);
listen_anew();
answer($listen =~ m{/} ? 0 : $listen);
main_loop();

sub answer { my ($text) = @_; syswrite STDOUT, "$text\n"; return }

sub listen_anew {
    if ($listen =~ m{/}) {
        unlink $listen;
        socket $listener, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
        bind $listener, pack_sockaddr_un($listen) or die "bind $listen: $!\n";
    }
    else {
        socket $listener, AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
        setsockopt $listener, SOL_SOCKET, SO_REUSEADDR, 1;
        bind $listener, sockaddr_in($listen, INADDR_LOOPBACK) or die "bind $listen: $!\n";
        $listen = (sockaddr_in(getsockname $listener))[0];
    }
    listen $listener, 256 or die "listen: $!\n";
    return;
}

# --- the loop

sub main_loop {
    my $input = '';
    while (1) {
        POSIX::_exit(0) if getppid != $parent || time > $end;
        my ($read, $write, $wait) = wanted();
        next if select(my $can_read = $read, my $can_write = $write, undef, $wait) < 1;
        if (vec $can_read, 0, 1) {
            sysread STDIN, $input, CHUNK_BYTES, length $input or POSIX::_exit(0);
            while ($input =~ s/^([^\n]*)\n//) { answer(command(split /\t/, $1)) }
        }
        take_in() if $listener && vec $can_read, fileno $listener, 1;
        for my $link (values %links) {
            for my $direction (qw(up down)) {
                next if !$links{ $link->{id} };
                receive($link, $direction)
                    if vec $can_read, fileno $link->{ $direction eq 'up' ? 'client' : 'server' }, 1;
            }
        }
        send_due($_) for values %links;
    }
    return;
}

sub wanted {
    my ($read, $write, $wait) = ('', '', 0.25);
    vec($read, 0, 1) = 1;
    vec($read, fileno $listener, 1) = 1 if $listener;
    my $now = Time::HiRes::time();
    for my $link (values %links) {
        for my $direction (qw(up down)) {
            my ($from, $to) = $direction eq 'up' ? qw(client server) : qw(server client);
            vec($read, fileno $link->{$from}, 1) = 1
                if $link->{bytes}{$direction} < QUEUED_BYTES && !$link->{eof}{$direction};
            my $first = $link->{$direction}[0] or next;
            if ($first->[0] <= $now) { vec($write, fileno $link->{$to}, 1) = 1 }
            else {
                my $until = $first->[0] - $now;
                $wait = $until if $until < $wait;
            }
        }
    }
    return ($read, $write, $wait);
}

sub take_in {
    accept my $client, $listener or return;
    my $server;
    my $unix = $target =~ m{/};
    socket $server, $unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    if (!connect $server, $unix ? pack_sockaddr_un($target) : sockaddr_in($target, INADDR_LOOPBACK)) {
        close_hard($client);
        return;
    }
    if (!$unix) {
        setsockopt $_, IPPROTO_TCP, TCP_NODELAY, 1 for $server, $listen =~ m{/} ? () : $client;
    }
    for ($client, $server) { fcntl $_, F_SETFL, O_NONBLOCK }
    my $id = ++$next;
    $counts{all}++;
    $links{$id} = {
        id => $id, client => $client, server => $server, up => [], down => [],
        bytes => { up => 0, down => 0 }, eof => { up => 0, down => 0 }
    };
    return;
}

sub receive {
    my ($link, $direction) = @_;
    my $from = $link->{ $direction eq 'up' ? 'client' : 'server' };
    my $got  = sysread $from, my $chunk, CHUNK_BYTES;
    if (!defined $got) {
        return if $! == EAGAIN || $! == EINTR;
        return drop($link, 'reset');
    }
    if (!$got) {
        $link->{eof}{$direction} = 1;
        return;
    }
    return if $link->{swallow};
    pass($link, $direction, $chunk);
    return;
}

sub queue {
    my ($link, $direction, $chunk) = @_;
    return if !length $chunk;
    my $due = $fault{kind} eq 'delay' && $direction eq 'down' ? Time::HiRes::time() + $fault{seconds} : 0;
    push @{ $link->{$direction} }, [$due, $chunk];
    $link->{bytes}{$direction} += length $chunk;
    $counts{$direction} += length $chunk;
    return;
}

sub send_due {
    my ($link) = @_;
    for my $direction (qw(up down)) {
        my ($queue, $to) = ($link->{$direction}, $link->{ $direction eq 'up' ? 'server' : 'client' });
        while (@$queue && $queue->[0][0] <= Time::HiRes::time()) {
            my $sent = syswrite $to, $queue->[0][1];
            if (!defined $sent) {
                last if $! == EAGAIN || $! == EINTR;
                return drop($link, 'reset');
            }
            $link->{bytes}{$direction} -= $sent;
            if ($sent == length $queue->[0][1]) { shift @$queue }
            else                                { substr $queue->[0][1], 0, $sent, '' }
        }
    }
    return if $link->{swallow} && !$link->{eof}{up};
    if ($link->{ending} && !@{ $link->{down} } && !@{ $link->{up} }) { return drop($link, $link->{ending}) }
    for my $direction (qw(up down)) {
        return drop($link, 'cut') if $link->{eof}{$direction} && !@{ $link->{$direction} };
    }
    return;
}

# --- harm

# What a fault lets through of a chunk, and what it does to the link.
sub pass {
    my ($link, $direction, $chunk) = @_;
    return if $link->{ending};
    if ($link->{answer_kills} && $direction eq 'down') { return harm($link, delete $link->{answer_kills}) }
    if ($fault{kind} eq 'after' && $fault{direction} eq $direction) {
        my $left = $fault{bytes} - length $chunk;
        queue($link, $direction, $left < 0 ? substr $chunk, 0, $fault{bytes} : $chunk);
        $fault{bytes} = $left;
        harm($link, $fault{how}) if $left < 0;
        return;
    }
    if ($fault{kind} eq 'on' && $direction eq 'up' && index(lc $chunk, lc $fault{text}) >= 0) {
        return harm($link, $fault{how}) if $fault{when} eq 'before';
        $link->{answer_kills} = $fault{how};
        %fault = (kind => 'normal');
    }
    queue($link, $direction, $chunk);
    return;
}

# What is on its way to the client still goes there.
sub harm {
    my ($link, $how) = @_;
    $counts{faults}++;
    %fault = (kind => 'normal');
    if ($how eq 'swallow') { $link->{swallow} = 1 }
    else                   { $link->{ending}  = $how }
    return;
}

sub drop {
    my ($link, $how) = @_;
    delete $links{ $link->{id} };
    for my $socket (@{$link}{qw(client server)}) {
        $how eq 'reset' ? close_hard($socket) : close $socket;
    }
    return;
}

sub close_hard {
    my ($socket) = @_;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $socket;
    return;
}

# --- commands

sub command {
    my ($verb, @words) = @_;
    if ($verb eq 'counts') { return join ' ', $counts{all}, scalar keys %links, @counts{qw(up down faults)} }
    if ($verb eq 'now') {
        for my $link (values %links) {
            harm($link, $words[0]);
            drop($link, $words[0]) if $words[0] ne 'swallow';
        }
        return 'ok';
    }
    if ($verb eq 'refuse') {
        if ($words[0])     { close $listener if $listener; undef $listener }
        elsif (!$listener) { listen_anew() }
        return 'ok';
    }
    %fault = (kind => $verb);
    if ($verb eq 'normal') { return 'ok' }
    if ($verb eq 'delay')  { $fault{seconds} = $words[0]; return 'ok' }
    if ($verb eq 'after')  { @fault{qw(bytes direction how)} = @words; return 'ok' }
    if ($verb eq 'on')     { @fault{qw(text when how)} = (pack('H*', $words[0]), @words[1, 2]); return 'ok' }
    %fault = (kind => 'normal');
    return "no: command $verb is not known";
}
