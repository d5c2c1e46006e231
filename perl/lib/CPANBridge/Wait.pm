package CPANBridge::Session;

# The methods of a session that a usual call does not need: what happens when a call is
# not answered at once, or not at all (waiting with a deadline, cancelling what is
# abandoned, large frames, lost connections), and what is called once in a while.

use strict;
use warnings;

our (@FLAGS, $CANCEL, $GOODBYE, $SEND_FLAGS, $PEEK_FLAGS, $EAGAIN, $EINTR, $READ_BYTES, $THREAD);

# An answer that is waited for in a blocking read is waited for here after this time.
our $SLICE_SECONDS = 0.05;

# Looks at the deadline at least this often. Before 5.14 perl runs handlers inside a
# statement, too; then the answer may have been read by one just before the wait begins.
our $LOOK_SECONDS = $] < 5.014 ? 1 : 60;

# Dies with an error; whatever it is, it says which function it is about.
sub _fail {
    my ($self, %error) = @_;
    _load('Error') if !$INC{'CPANBridge/Error.pm'};
    my ($module, $function) = split /[.]/, $self->{doing}, 2;
    $error{module}   = $module   if !defined $error{module};
    $error{function} = $function if !defined $error{function};
    return CPANBridge::Error->throw(%error);
}

# Dies if the session cannot be used (by this process, or at all).
sub _check {
    my ($self) = @_;
    $self->_fail(
        code    => 'other_process',
        message =>
            'this handle was opened by another process or thread (one that forked this one); open a new one here',
    ) if $self->{owner} != $$ + $THREAD;
    $self->_fail(
        code    => 'daemon_lost',
        unsent  => 1,
        message => "the bridge daemon that held this handle has ended ($self->{lost}); connect again",
    ) if $self->{lost} || !$self->{fh};
    return;
}

# The connection is over. $unknown tells what may or may not have happened.
sub _lose {
    my ($self, $why, %more) = @_;
    $self->{lost} = $why;
    $self->{busy} = $self->{ready} = 0;

    # Whoever waits in an outer call looks there first.
    $self->{early}{0} = 1;
    delete $self->{fh};
    my $what =
        $more{unsent} ? 'the call was not made' : 'the call was interrupted; whether it was executed is not known';
    $self->_fail(
        code    => 'daemon_lost',
        message => "lost connection to the bridge daemon: $why; $what",
        ($more{unsent} ? () : (unknown => 'whether the call was executed')),
        %more,
    );
}

sub _bad_frame {
    my ($self, $what) = @_;
    return $self->_lose("it sent a frame that is not understood ($what)", code => 'bad_frame');
}

sub _bad_image {
    my ($self, $why) = @_;
    die $why if _foreign($why);
    $why =~ s/ at \S+ line \d+.*//s;
    return $self->_bad_frame('a reply that cannot be read' . (length $why ? ": $why" : ''));
}

sub _unsendable {
    my ($self, $why) = @_;
    die $why if _foreign($why);
    $why =~ s/ at \S+ line \d+.*//s;
    return $self->_fail(
        code    => 'bad_params',
        message => "the parameters of $self->{doing} cannot be sent: $why; send plain data"
    );
}

# Whether a signal handler's own die was met, and not one of Storable's.
sub _foreign {
    my ($why) = @_;
    return ref $why || length $why && $why !~ m{ at \S+CPANBridge/};
}

# The daemon refuses the connection itself.
sub _refused {
    my ($self, $image) = @_;
    my $error = &_thaw($image, @FLAGS);
    $self->{lost}  = $error->{message};
    $self->{ready} = 0;
    delete $self->{fh};
    return $self->_fail(%{$error});
}

# A read gave nothing: the end, a signal, or it takes longer. Returns to read again.
sub _no_bytes {
    my ($self, $seq, $got) = @_;
    my $now = $! + 0;
    $self->_short_frame;
    if (defined $got) {
        return $self->_lose($self->_ended);
    }
    elsif ($now == $EAGAIN) {
        $self->_wait_readable($seq);
    }
    elsif ($now != $EINTR) {
        local $! = $now;
        return $self->_lose("reading failed: $!");
    }
    return;
}

# The only frame shorter than a sequence number is a goodbye, and nothing comes after it.
sub _short_frame {
    my ($self) = @_;
    my $have = length ${ $self->{in} };
    return if $have < 5 || $have >= 9;
    my ($size, $kind) = unpack 'NC', ${ $self->{in} };
    return                                           if $kind == $GOODBYE;
    $self->_bad_frame("kind $kind with $size bytes") if $size + 4 <= $have;
    return;
}

sub _ended {
    my ($self) = @_;
    my $in = ${ $self->{in} };
    my ($size, $kind) = length $in >= 5 ? unpack 'NC', $in : (0, 0);
    return 'it is shutting down'               if $kind == $GOODBYE;
    return 'it ended in the middle of a reply' if length $in;
    return 'it ended or closed the connection';
}

# Waits for bytes. If a signal handler dies meanwhile, the call is cancelled.
sub _wait_readable {
    my ($self, $seq) = @_;
    my $deadline = $self->_deadline($seq);
    my $guard    = CPANBridge::Guard->new($self, $seq);
    vec(my $read = '', fileno $self->{fh}, 1) = 1;
    while (!$self->{early}{$seq} && !$self->{lost}) {
        my $seconds = $LOOK_SECONDS;
        if ($deadline) {
            my $left = $deadline - CPANBridge::Clock::now();
            $seconds = $left if $left < $seconds;
            if ($seconds <= 0) {
                $guard->disarm;
                $self->forget($seq);
                $self->_abandon($seq, 1);
                $self->_timed_out;
            }
        }

        # No waiting if a handler's call brought the reply since it was looked for.
        last if 0 < select my $ready = $read, undef, undef, $seconds * !$self->{early}{$seq};
    }
    $guard->disarm;
    return;
}

sub _deadline {
    my ($self, $seq) = @_;
    my $timeout = $self->{timeout} or return;
    if (!$self->{deadline} || $self->{deadline}[0] != $seq) {
        _load('Clock') if !$INC{'CPANBridge/Clock.pm'};
        $self->{deadline} = [$seq, CPANBridge::Clock::now() + $timeout - $SLICE_SECONDS];
    }
    return $self->{deadline}[1];
}

sub _timed_out {
    my ($self) = @_;
    return $self->_fail(
        code    => 'timeout',
        message => "no answer from $self->{doing} within $self->{timeout} s (timeout); the call was cancelled",
        unknown => 'whether the call was executed',
    );
}

# A small frame was not written: a signal came, the socket is full, or the daemon is gone.
sub _send_again {
    my ($self, $frame, $sent, $busy) = @_;
    my $now = $! + 0;
    $self->_lose(_broken($now), unsent => 1)
        if !defined $sent && $now != $EAGAIN && $now != $EINTR;
    $self->_send_long($frame, $busy);
    return;
}

sub _broken {
    my ($errno) = @_;
    local $! = $errno;
    return "writing failed: $!";
}

# Writes a frame of any size, after what is left of earlier ones. The daemon may be
# writing too, and would not read before that is taken from it: so both ways are served.
# $busy is the call that is waited for afterwards, if that changes.
sub _send_long {
    my ($self, $frame, $busy) = @_;
    local $!;
    $self->_lose('an earlier call was interrupted while it was being written', unsent => 1) if $self->{torn};
    my $rest = $self->{rest};
    $busy = $self->{busy} if !defined $busy;
    push(@{$rest}, $frame), $self->{before} = '', $self->{busy} = $busy;
    my $all = length ${$frame};
    my ($next, $sent);
    my $write = sub {
        no warnings 'uninitialized';    # nothing sent is nothing removed
        $self->{torn} = 1,
            substr(${$next}, 0, $sent = send($self->{fh}, ${$next}, $SEND_FLAGS), ''),
            $self->{torn} = 0;
    };
    while (@{$rest}) {
        $next = $rest->[0];

        # Before 5.14 perl runs handlers inside a statement, too.
        $] < 5.014 ? _undisturbed($write) : $write->();
        shift @{$rest}                      if !length ${$next} && @{$rest} && $rest->[0] == $next;
        $self->_wait_writable($frame, $all) if !defined $sent;
    }
    return;
}

sub _wait_writable {
    my ($self, $frame, $all) = @_;
    return if $! == $EINTR;
    my %unsent = length ${$frame} == $all ? (unsent => 1) : ();
    $self->_lose(_broken($! + 0), %unsent) if $! != $EAGAIN;
    vec(my $bits = '', fileno $self->{fh}, 1) = 1;
    return if 0 >= select my $read = $bits, my $write = $bits, undef, $LOOK_SECONDS;
    return if !vec $read, fileno $self->{fh}, 1;
    my $got = sysread $self->{fh}, ${ $self->{in} }, $READ_BYTES, length ${ $self->{in} };
    $self->_lose($self->_ended, %unsent) if defined $got && !$got;
    return;
}

# One-way calls that could not be written at once.
sub _flush_long {
    my ($self, $frames) = @_;
    my $died;
    {
        local $@;
        eval { $self->_send_long($frames); 1 } or $died = $@;
    }
    die $died if defined $died && ref $died ne 'CPANBridge::Error';
    return;
}

# Before a frame is written: calls whose waiters were left by a die are cancelled, and a
# call that somebody still waits for (a signal handler interrupted it) steps aside.
sub _settle {
    my ($self) = @_;
    my $busy = $self->{busy};
    if (!$busy)                       { }
    elsif (!$self->{waiting}{$busy}) { $self->_cancel($busy) }
    else                              { $self->{outer}{$busy} = 1, $self->{busy} *= $self->{busy} != $busy }
    $self->_cancel($_) for grep { !$self->{waiting}{$_} } keys %{ $self->{outer} };
    return;
}

# The cancel is sent with the next frame.
sub _cancel {
    my ($self, $seq) = @_;
    my $unanswered = $self->{open} ? $self->_unanswered : '';
    $self->{before} = $unanswered . $self->{before} . pack('NCN', 5, $CANCEL, $seq), delete $self->{outer}{$seq},
        $self->{busy} *= $self->{busy} != $seq;
    return;
}

# A call is answered: the one it interrupted, if any, is the last unanswered one again.
sub _step_out {
    my ($self, $seq) = @_;
    delete $self->{outer}{$seq};
    return if $self->{busy} != $seq;
    my ($next) = sort { $b <=> $a } grep { $self->{waiting}{$_} && !$self->{early}{$_} } keys %{ $self->{outer} };
    $next ||= 0;
    $self->{busy} = $next, delete $self->{outer}{$next};
    return;
}

# Nobody waits for a call any more: it is cancelled at once. Not if it was posted, then it
# can be waited for again ($really: nobody will).
sub _abandon {
    my ($self, $seq, $really) = @_;
    return if $self->{lost};
    return $self->{kept}{$seq} = 2 if $self->{kept}{$seq};
    return if !$really && $self->{busy} != $seq && !$self->{outer}{$seq};
    $self->_cancel($seq);
    $self->flush;
    return;
}

# The answer to callbacks that were left without one (by `last`, `goto`).
sub _unanswered {
    my ($self) = @_;
    _load('Callback') if !$INC{'CPANBridge/Callback.pm'};
    return CPANBridge::Callback::unanswered($self);
}

sub on_notice {
    my ($self, $code) = @_;
    $self->{on_notice} = $code;
    return;
}

sub close {    # the name is what it does
    my ($self) = @_;
    $self->flush;
    $self->{lost} ||= 'it was closed';
    $self->{ready} = 0;
    delete $self->{fh};
    return;
}

package CPANBridge::Guard;

# Cancels a call whose waiter was left by a die.

sub new {
    my ($class, $session, $seq) = @_;
    return bless [$session, $seq], $class;
}

sub disarm {
    my ($self) = @_;
    @{$self} = ();
    return;
}

sub DESTROY {
    my ($self) = @_;
    my ($session, $seq) = @{$self} or return;
    $session->_abandon($seq);
    return;
}

1;
