package CPANBridge;

use strict;
use warnings;

use CPANBridge::Build;
use CPANBridge::Session;

our $VERSION = '0.1.0';

# Options given to `use CPANBridge` or configure; the environment answers for the rest.
my %option;
my $session;

sub import {
    my ($class, @options) = @_;
    $class->configure(@options) if @options;
    return;
}

sub configure {
    my ($class, %set) = @_;
    %option  = (%option, %{ _checked(\%set) });
    $session = undef;
    return;
}

# This process's session, started on first use, replaced when it cannot be used any more.
sub session {
    my ($class) = @_;
    return $session if $session && $session->usable;
    $session = undef;
    CPANBridge::Session::_load('Connect') if !$INC{'CPANBridge/Connect.pm'};
    return $session = CPANBridge::Connect::open_session(\%option);
}

sub new {
    my ($class, %set) = @_;
    return bless { option => { %option, %{ _checked(\%set) } }, own => scalar %set }, $class;
}

# A call in the form of the first generation: a hash of success and result or error.
sub call {
    my ($self, $module, $function, $params) = @_;
    require CPANBridge::Call;
    return CPANBridge::Call::call($self, $module, $function, $params);
}

sub call_python { goto &call }    # the name the first generation calls

sub _checked {
    my ($set) = @_;
    my %known = map { $_ => 1 } qw(mode socket bin debug use_daemon timeout);
    for my $name (keys %{$set}) {
        next if $known{$name};
        require CPANBridge::Refuse;
        CPANBridge::Refuse::option($name, sort keys %known);
    }
    return $set;
}

1;

__END__

=head1 NAME

CPANBridge - what the modules of cpan-bridge talk to the daemon with

=head1 SYNOPSIS

    use CPANBridge;

    # Scripts that only use DBI and its like need none of this: the modules do it.
    my $session = CPANBridge->session;
    my $echo    = $session->request('test.echo', [ 1, 'two', undef ]);
    print scalar @{$echo}, " values came back\n";

    # The form of the first generation: no exceptions, a hash of success and result or error.
    my $bridge = CPANBridge->new;
    my $reply  = $bridge->call('test', 'ping');
    print $reply->{success} ? $reply->{result} : $reply->{error}, "\n";

=head1 DESCRIPTION

The client of cpan-bridge: core modules only, perl 5.10.1 or newer. A B<session> is one
connection to the daemon, which is started when the first session is wanted. Handles that a
module opens (databases, statements, documents) live in the session and are closed with it,
however the script ends.

Nothing of a call is seen in C<$@>, C<$!>, C<$?>, C<$_> or the handlers in C<%SIG>. A handler
may C<die> in the middle of a call: the call is cancelled and the session goes on. It may
make calls itself: they are made after the one it interrupted, which then goes on.

=head1 CLASS METHODS

=head2 session

    my $session = CPANBridge->session;

The session of this process and thread. It is opened on first use, and replaced when it was
lost, and in a child after C<fork>. Dies with a L</ERRORS> object if none can be had.

=head2 new, call

    my $bridge = CPANBridge->new(mode => 'daemon', timeout => 30);
    my $reply  = $bridge->call($module, $function, $params);

C<call> returns C<< { success => 1, result => ... } >> or C<< { success => 0, error => '...' } >>,
the latter with the fields of L</ERRORS> that are known; both name C<module> and C<function>.
It may be called on the class, too. An object that was made with L</OPTIONS> has a session of
its own. C<call_python> is the same method under its first name.

=head2 configure

    CPANBridge->configure(mode => 'process');
    use CPANBridge mode => 'process';

Sets L</OPTIONS> for the sessions that are opened from now on. The two lines do the same.

=head1 METHODS OF A SESSION

=head2 request

    my $result = $session->request('test.echo', [ 1, 2 ]);
    my $pong   = ${ $session->request('test.ping') };

Calls a function and waits for its result. Parameters are an array (positional) or a hash
(named); one scalar stands for an array of it. The result is a reference; a scalar comes as
a reference to it. Dies with one of L</ERRORS>.

=head2 post, await, forget

    my $seq = $session->post('test.echo', ['later']);
    # ... something else ...
    my $result = $session->await($seq);

C<post> sends a call and does not wait; C<await> waits for its result. Calls are executed in
the order they were sent. C<forget> tells that nobody will wait. When a signal handler dies
out of C<await>, the call goes on and can be waited for again; C<forget> cancels it then.
C<< post($name, $params, \$seq) >> stores the number by the statement that sends the call, so
that such a die never loses it.

=head2 oneway, flush

    $session->oneway('sqlite.finalize', [7]);
    $session->oneway('sqlite.reset', [8], 1);

A call without an answer, for closing things. It is sent with the next call, or at once if a
third argument is true, and never dies. C<flush> sends what was held back.

=head2 callback, drop_callback, on_notice

    my $id = $session->callback(sub { my ($x) = @_; return $x * 2 });
    $session->drop_callback($id);
    $session->on_notice(sub { warn "note: $_[0]\n" });

A function the daemon may call in the middle of a call; its number is given to the function
that wants one, and is free again after C<drop_callback>. It is called in scalar context, or
in list context (C<< callback($code, 1) >>), and may make calls itself. C<on_notice> sets the
function for messages that belong to no other.

=head2 usable, close

    $session->close if $session->usable;

Whether the session can be used by this process and its daemon is there; ends it.

=head2 epoch

    my $epoch = $session->{epoch};

A number no other session of this process has. A session is never connected again: what it
held is gone with it, and C<< CPANBridge->session >> gives another.

=head1 OPTIONS

Options come before the environment.

=over 4

=item mode, CPAN_BRIDGE_MODE

C<auto> (the default) uses the daemon, and a private process if no daemon can be had, after
saying so once; C<daemon> does not fall back; C<process> uses a private process. A directory
or a daemon that is not safe to use is an error in each.

=item use_daemon, CPAN_BRIDGE_USE_DAEMON

0 is mode C<process>, 1 mode C<auto>; the mode, if given, says more.

=item socket, CPAN_BRIDGE_SOCKET

The absolute path of the daemon's socket. Its directory must belong to the user and be
closed to all others (mode 0700).

=item bin, CPAN_BRIDGE_BIN

The cpan-bridge binary, if it is not the one these files came with or on the PATH. In taint
mode it must belong to root or the user, and nobody else may be able to write it.

=item timeout

Seconds a call may take; without it, as long as it takes. It is an error of the code
C<timeout>, and the call is cancelled.

=item debug, CPAN_BRIDGE_DEBUG

1 reports on standard error how sessions are opened.

=back

A script that runs with other rights than its caller (setuid, setgid) ignores the environment.

=head1 ERRORS

    if (!eval { $session->request('test.fail', ['on purpose']); 1 }) {
        my $error = $@;
        print "$error->{code}: $error->{message}\n";
    }

Calls die with an object of the class C<CPANBridge::Error>: a hash of C<code>, C<message>,
C<err>, C<errstr> and C<state> (of a database), C<module>, C<function>, C<retryable>, and
C<unknown>: what may or may not have happened. As a string it is the message with the place
of the call. Codes of the client itself are C<daemon_lost> (the connection broke; the call
was not made again), C<timeout>, C<bad_params>, C<bad_frame>, C<other_process> (a handle of
another process or thread), C<refused> (not safe to use), C<no_daemon>, C<limit>, C<io>.

=head1 LIMITS

CONNECT_SECONDS, PRIVATE_SECONDS and READY_SECONDS are 10 each: how long to wait for a
connection, the first answer of a private process, and a daemon that starts. HELLO_SECONDS,
how long to wait for the first answer of a daemon, is 5. MAX_SOCKET_PATH_BYTES is
107. The longest frame is the daemon's MAX_FRAME_BYTES.

=cut
