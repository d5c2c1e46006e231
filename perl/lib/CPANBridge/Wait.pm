package CPANBridge::Wait;

# What a session does when a call is not answered at once, or not at all: waiting with a
# deadline, cancelling what is abandoned, large frames, lost connections. Each function's
# first argument is the session.

use strict;
use warnings;

# An answer that is waited for in a blocking read is waited for here after this time.
our $SLICE_SECONDS = 0.05;

# Looks at the deadline at least this often.
our $LOOK_SECONDS = 60;

# Dies with an error; whatever it is, it says which function it is about.
sub fail {
    my ($self, %error) = @_;
    CPANBridge::Session::_load('Error') if !$INC{'CPANBridge/Error.pm'};
    my ($module, $function) = split /[.]/, $self->{doing}, 2;
    $error{module}   = $module   if !defined $error{module};
    $error{function} = $function if !defined $error{function};
    CPANBridge::Error->throw(%error);
}

# Dies if the session cannot be used (by this process, or at all).
sub check {
    my ($self) = @_;
    fail($self,
        code    => 'other_process',
        message => 'this handle was opened by another process or thread (one that forked this one); open a new one here',
    ) if $self->{owner} != $$ + $CPANBridge::Session::THREAD;
    fail($self,
        code    => 'daemon_lost',
        unsent  => 1,
        message => "the bridge daemon that held this handle has ended ($self->{lost}); connect again",
    ) if $self->{lost} || !$self->{fh};
    return;
}

# The connection is over. $unknown tells what may or may not have happened.
sub lose {
    my ($self, $why, %more) = @_;
    $self->{lost} = $why;
    $self->{busy} = 0;
    delete $self->{fh};
    my $what = $more{unsent} ? 'the call was not made' : 'the call was interrupted; whether it was executed is not known';
    fail($self,
        code    => 'daemon_lost',
        message => "lost connection to the bridge daemon: $why; $what",
        ($more{unsent} ? () : (unknown => 'whether the call was executed')),
        %more,
    );
}

# Whether the daemon still holds its end: nothing to read, or something other than the end.
sub alive {
    my ($self) = @_;
    local $!;
    my $got = recv $self->{fh}, my $byte, 1, $CPANBridge::Session::PEEK_FLAGS;
    return 1 if defined $got ? length $byte : $! == $CPANBridge::Session::EAGAIN || $! == $CPANBridge::Session::EINTR;
    $self->{lost} = 'it closed the connection';
    delete $self->{fh};
    return '';
}

sub bad_frame {
    my ($self, $what) = @_;
    return lose($self, "it sent a frame that is not understood ($what)", code => 'bad_frame');
}

sub bad_image {
    my ($self, $why) = @_;
    die $why if foreign($why);
    $why =~ s/ at \S+ line \d+.*//s;
    return bad_frame($self, 'a reply that cannot be read' . (length $why ? ": $why" : ''));
}

sub unsendable {
    my ($self, $why) = @_;
    die $why if foreign($why);
    $why =~ s/ at \S+ line \d+.*//s;
    return fail($self, code => 'bad_params', message => "the parameters of $self->{doing} cannot be sent: $why; send plain data");
}

# Whether a signal handler's own die was met, and not one of Storable's.
sub foreign {
    my ($why) = @_;
    return ref $why || length $why && $why !~ m{ at \S+CPANBridge/};
}

# The daemon refuses the connection itself.
sub refused {
    my ($self, $image) = @_;
    my $error = CPANBridge::Session::_thaw($image, @CPANBridge::Session::FLAGS);
    $self->{lost} = $error->{message};
    delete $self->{fh};
    return fail($self, %{$error});
}

# A read gave nothing: the end, a signal, or it takes longer. Returns to read again.
sub no_bytes {
    my ($self, $seq, $got, $now) = @_;
    short_frame($self);
    if (defined $got) {
        return lose($self, ended($self));
    }
    elsif ($now == $CPANBridge::Session::EAGAIN) {
        wait_readable($self, $seq);
    }
    elsif ($now != $CPANBridge::Session::EINTR) {
        local $! = $now;
        return lose($self, "reading failed: $!");
    }
    return;
}

# The only frame shorter than a sequence number is a goodbye, and nothing comes after it.
sub short_frame {
    my ($self) = @_;
    my $have = length ${ $self->{in} };
    return if $have < 5 || $have >= 9;
    my ($size, $kind) = unpack 'NC', ${ $self->{in} };
    return if $kind == $CPANBridge::Session::GOODBYE;
    bad_frame($self, "kind $kind with $size bytes") if $size + 4 <= $have;
    return;
}

sub ended {
    my ($self) = @_;
    my $in = ${ $self->{in} };
    my ($size, $kind) = length $in >= 5 ? unpack 'NC', $in : (0, 0);
    return 'it is shutting down' if $kind == $CPANBridge::Session::GOODBYE;
    return 'it ended in the middle of a reply' if length $in;
    return 'it ended or closed the connection';
}

# Waits for bytes. If a signal handler dies meanwhile, the call is cancelled.
sub wait_readable {
    my ($self, $seq) = @_;
    my $deadline = deadline($self, $seq);
    my $guard    = CPANBridge::Wait::Guard->new($self, $seq);
    vec(my $read, fileno $self->{fh}, 1) = 1;
    while (1) {
        my $seconds = $LOOK_SECONDS;
        if ($deadline) {
            my $left = $deadline - CPANBridge::Clock::now();
            $seconds = $left if $left < $seconds;
            if ($seconds <= 0) {
                undef $guard;
                timed_out($self);
            }
        }
        last if 0 < select my $ready = $read, undef, undef, $seconds;
    }
    $guard->disarm;
    return;
}

sub deadline {
    my ($self, $seq) = @_;
    my $timeout = $self->{timeout} or return;
    if (!$self->{deadline} || $self->{deadline}[0] != $seq) {
        CPANBridge::Session::_load('Clock') if !$INC{'CPANBridge/Clock.pm'};
        $self->{deadline} = [ $seq, CPANBridge::Clock::now() + $timeout - $SLICE_SECONDS ];
    }
    return $self->{deadline}[1];
}

sub timed_out {
    my ($self) = @_;
    return fail($self,
        code    => 'timeout',
        message => "no answer from $self->{doing} within $self->{timeout} s (timeout); the call was cancelled",
        unknown => 'whether the call was executed',
    );
}

# A small frame was not written: nothing of it was, or (not on a Unix socket) a part.
sub send_again {
    my ($self, $frame, $sent, $now) = @_;
    my $code = $CPANBridge::Session::EAGAIN;
    lose($self, broken($now), unsent => 1)
        if !defined $sent && $now != $code && $now != $CPANBridge::Session::EINTR;
    substr ${$frame}, 0, $sent, '' if $sent;
    send_long($self, $frame, 0);
    return;
}

sub broken {
    my ($errno) = @_;
    local $! = $errno;
    return "writing failed: $!";
}

# Writes a frame of any size, after what is left of earlier ones. The daemon may be
# writing too, and would not read before that is taken from it: so both ways are served.
# $busy is the call that is waited for afterwards, if that changes.
sub send_long {
    my ($self, $frame, $busy) = @_;
    local $!;
    lose($self, 'an earlier call was interrupted while it was being written', unsent => 1) if $self->{torn};
    my $rest = $self->{rest};
    $busy = $self->{busy} if !defined $busy;
    push(@{$rest}, $frame), $self->{before} = '', $self->{busy} = $busy;
    my $all = length ${$frame};
    while (@{$rest}) {
        my $next = $rest->[0];
        my $sent;
        no warnings 'uninitialized';    # nothing sent is nothing removed
        $self->{torn} = 1,
            substr(${$next}, 0, $sent = send($self->{fh}, ${$next}, $CPANBridge::Session::SEND_FLAGS), ''),
            $self->{torn} = 0;
        use warnings 'uninitialized';
        shift @{$rest} if !length ${$next};
        wait_writable($self, $frame, $all) if !defined $sent;
    }
    return;
}

sub wait_writable {
    my ($self, $frame, $all) = @_;
    return if $! == $CPANBridge::Session::EINTR;
    my %unsent = length ${$frame} == $all ? (unsent => 1) : ();
    lose($self, broken($! + 0), %unsent) if $! != $CPANBridge::Session::EAGAIN;
    vec(my $bits = '', fileno $self->{fh}, 1) = 1;
    return if 0 >= select my $read = $bits, my $write = $bits, undef, $LOOK_SECONDS;
    return if !vec $read, fileno $self->{fh}, 1;
    my $in  = $self->{in};
    my $got = sysread $self->{fh}, ${$in}, $CPANBridge::Session::READ_BYTES, length ${$in};
    lose($self, ended($self), %unsent) if defined $got && !$got;
    return;
}

# The answer to callbacks that were left without one (by `last`, `goto`).
sub unanswered {
    my ($self) = @_;
    require CPANBridge::Callback;
    return CPANBridge::Callback::unanswered($self);
}

package CPANBridge::Wait::Guard;

# Cancels a call whose waiter was left by a die.

sub new {
    my ($class, $session, $seq) = @_;
    return bless [ $session, $seq ], $class;
}

sub disarm {
    my ($self) = @_;
    @{$self} = ();
    return;
}

sub DESTROY {
    my ($self) = @_;
    my ($session, $seq) = @{$self} or return;
    return if $session->{busy} != $seq || $session->{lost};
    $session->{before} = $session->_before, $session->{busy} = 0;
    $session->flush;
    return;
}

1;
