# guard.pl PARENT SECONDS SIGNAL FOLDER: starts one server at a time as its child, on command (standard input), and ends it, and
# removes the folder, when the input ends, the parent is gone, or the time is over.
use strict;
use warnings;

use File::Path ();
use POSIX ();
use Time::HiRes ();

my ($parent, $seconds, $signal, $folder) = @ARGV;
my $end = time + $seconds;
my ($server, $status);

setpgrp 0, 0;
chdir '/';
$| = 1;
$SIG{$_} = sub { finish() }
    for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

my $input = '';
while (1) {
    finish() if getppid != $parent || time > $end;
    my $bits = '';
    vec($bits, 0, 1) = 1;
    next if select($bits, undef, undef, 0.25) < 1;
    sysread STDIN, $input, 65_536, length $input or finish();
    while ($input =~ s/^([^\n]*)\n//) {
        my ($verb, @words) = split /\t/, $1;
        my $answer = $verb eq 'start' ? start(@words) : wait_for($words[0]);
        syswrite STDOUT, "$answer\n";
    }
}

sub start {
    my @command = @_;
    undef $status;
    $server = fork;
    if (!defined $server) { return "no: fork: $!" }
    if (!$server) {
        setpgrp 0, 0;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>&', \*STDERR;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        exec { $command[0] } @command or print {*STDERR} "$command[0]: $!\n";
        POSIX::_exit(127);
    }
    return "started $server";
}

# Whether the server ended within so many seconds.
sub wait_for {
    my ($limit) = @_;
    return 'ended ' . (defined $status ? $status : '') if !$server;
    my $until = Time::HiRes::time() + $limit;
    while (1) {
        if (waitpid($server, POSIX::WNOHANG()) == $server) {
            ($server, $status) = (undef, $?);
            return "ended $status";
        }
        return 'alive' if Time::HiRes::time() >= $until;
        Time::HiRes::sleep(0.01);
    }
}

sub finish {
    if ($server) {
        kill $signal => $server;
        if (wait_for(5) eq 'alive') {
            kill KILL => -$server;
            wait_for(5);
        }
    }
    open STDERR, '>', '/dev/null';
    if (!$ENV{TEST_SERVER_KEEP}) {
        for (1 .. 20) {    # a server's last child may still be writing
            File::Path::remove_tree($folder, { safe => 0, error => \my $errors });
            last if !-e $folder;
            Time::HiRes::sleep(0.1);
        }
    }
    POSIX::_exit(0);
}
