package CPANBridge::Session;

# One connection to the daemon (or to a private child): the path every call takes.
#
# What a call goes through: request -> _call (freeze, frame, send) -> _reply (read, thaw).
# Whatever is not usual is elsewhere and loaded when it is needed first: other methods,
# waiting for long, large frames and lost connections in CPANBridge::Wait, functions the
# daemon calls back in CPANBridge::Callback, errors in CPANBridge::Error.
#
# A session is a hash:
#   fh      the socket                       owner   process and thread it belongs to
#   seq     number of the last call          busy    number of the call that is waited for, 0 none
#   doing   name of the last call            epoch   a number no other session here has
#   in      \bytes read, not yet consumed    spare   \an empty buffer kept for its memory
#   before  frames to write before the next  rest    [\unwritten rests of large frames]
#   kept    {seq => undef or [kind, image]}: calls that were posted
#   lost    why it cannot be used any more (empty: it can)
#   timeout seconds a call may take (undef: as long as it takes)
#   daemon  the daemon's hello
#
# A signal handler may die between any two statements here (perl looks for signals there,
# and at `and`, `or`, `?:`). So nothing is taken out of a buffer before it is complete, what
# must happen together is one statement, and a reply nobody waits for any more is skipped
# by its number.

use strict;
use warnings;

# Called with &: in old Storables they have prototypes.
use CPANBridge::Image;

our @FLAGS;

# Kinds of frames (docs/protocol.md).
our ($CALL, $REPLY, $ERROR, $ROWS, $CALLBACK, $CALLBACK_REPLY, $CANCEL, $GOODBYE) = 2 .. 9;

# Bytes asked for at once; most batches of rows come in one read.
our $READ_BYTES = 0x40000;

# Replies up to this are copied out of the buffer, larger ones take the buffer with them.
our $COPY_BYTES = 0x1000;

# An empty buffer larger than this is given back.
our $KEEP_BYTES = 0x100000;

# The last number of a call; the next is 1.
our $MAX_SEQ = 0xffffffff;

# Frames up to this reach the socket whole or not at all.
our $WHOLE_BYTES = 0x4000;

# Numbers of the operating system, set when the first session connects.
our ($SEND_FLAGS, $PEEK_FLAGS, $EAGAIN, $EINTR) = (0, 0, 0, 4);

# Added to $$, so that a thread's copy of a session is known to be a copy.
our $THREAD = 0;
my $epoch = 0;
my %head;

sub CLONE { $THREAD += 2**32; return }

sub new {
    my ($class, $fh, %more) = @_;
    my ($in, $spare) = ('', '');
    return bless {
        fh     => $fh,
        owner  => $$ + $THREAD,
        epoch  => ++$epoch,
        seq    => 0,
        busy   => 0,
        doing  => '',
        before => '',
        lost   => '',
        rest   => [],
        kept   => {},
        in     => \$in,
        spare  => \$spare,
        %more,
    }, $class;
}

# The usual call in one piece, because a sub call costs as much as all of its work: what
# _call, _reply and _result do when nothing waits, the frame is small and the answer comes
# alone. Everything else is left to them; they find the session as if they had begun.
sub request {
    my ($self, $name, $params) = @_;
    if (   $self->{busy}
        || $self->{before} ne ''
        || $self->{lost}
        || $self->{owner} != $$ + $THREAD
        || @{ $self->{rest} }
        || length ${ $self->{in} })
    {
        return $self->_reply($self->{busy} = $self->_call($name, $params));
    }
    my ($at, $errno) = ($@, $! + 0);
    $self->{doing} = $name;
    my $head  = $head{$name} || _head($name);
    my $image = eval { &_freeze(ref $params ? $params : defined $params ? [$params] : []) };
    my $why   = $@;
    $@ = $at;
    return $self->_unsendable($why) if !defined $image;
    my $seq   = $self->{seq} = $self->{seq} < $MAX_SEQ ? $self->{seq} + 1 : 1;
    my $frame = pack('NCN', 5 + length($head) + length $image, 2, $seq) . $head . $image;

    if (length $frame > $WHOLE_BYTES) {
        $self->_send_long(\$frame, $seq);
        return $self->_reply($seq);
    }

    my $sent = send($self->{fh}, $frame, $SEND_FLAGS), $self->{busy} = $seq;
    my $in   = $self->{in};
    if ($sent && sysread($self->{fh}, ${$in}, $READ_BYTES) && length ${$in} >= 9 && length ${$in} <= $COPY_BYTES) {
        my ($size, $kind, $number) = unpack 'NCN', ${$in};
        if ($kind == 3 && $number == $seq && $size + 4 == length ${$in}) {
            $image = substr ${$in}, 9;
            ${$in} = '', $self->{busy} = 0;
            my $result = eval { &_thaw($image, @FLAGS) };
            $why = $@;
            $@   = $at;
            return $self->_bad_image($why) if !defined $result;
            $! = $errno                    if $errno;             # the script's own; send clears it
            return $result;
        }
    }
    $self->_send_again(\$frame, $sent, $seq) if !$sent;
    $! = $errno;    # as above
    return $self->_reply($seq);
}

sub post {
    my ($self, $name, $params) = @_;
    my $seq = $self->_call($name, $params);
    $self->{kept}{$seq} = undef;
    return $seq;
}

sub await {
    my ($self, $seq) = @_;
    $self->_check if $self->{owner} != $$ + $THREAD;
    exists $self->{kept}{$seq} or $self->_fail(code => 'bad_params', message => "there is no call $seq to wait for");
    my $have = delete $self->{kept}{$seq};
    return $self->_result(@{$have}) if $have;
    $self->_check                   if $self->{lost};
    $self->{before} = $self->_before, $self->{busy} = $seq;
    return $self->_reply($seq);
}

sub forget {
    my ($self, $seq) = @_;
    delete $self->{kept}{$seq};
    return;
}

# Never dies: handles are closed in DESTROY too, and then nobody would hear of it.
sub oneway {
    my ($self, $name, $params, $now) = @_;
    return if $self->{lost} || !$self->{fh} || $self->{owner} != $$ + $THREAD;
    my ($image) = _image($params);
    return if !defined $image;
    my $head = $head{$name} || _head($name);
    $self->{before} .= pack('NCN', 5 + length($head) + length $image, 2, 0) . $head . $image;
    $self->flush if $now || length $self->{before} > $WHOLE_BYTES;
    return;
}

# Writes what was held back. It dies of nothing but the script's own signal handlers; that
# the daemon is gone is found by the next call.
sub flush {
    my ($self) = @_;
    return if $self->{before} eq '' || $self->{lost} || $self->{owner} != $$ + $THREAD;
    my $frames = $self->{before};
    my $errno  = $! + 0;
    my $small  = length $frames <= $WHOLE_BYTES && !@{ $self->{rest} };
    my $sent   = $small ? send($self->{fh}, $frames, $SEND_FLAGS) : 0, $self->{before} = '';
    $self->_flush_long(\$frames) if !$sent;
    $! = $errno;    # the script's own
    return;
}

sub callback {
    my ($self, $code, $wants_list) = @_;
    my $id = ++$self->{callback_id};
    $self->{callbacks}{$id} = [$code, $wants_list];
    return $id;
}

sub drop_callback {
    my ($self, $id) = @_;
    delete $self->{callbacks}{$id} if defined $id;
    return;
}

# Whether it can be used: it is this process's, and the daemon has not closed it.
sub usable {
    my ($self) = @_;
    return '' if $self->{lost} || $self->{owner} != $$ + $THREAD || !$self->{fh};
    return $self->_alive;
}

# Whether the daemon still holds its end: nothing to read, or something other than the end.
sub _alive {
    my ($self) = @_;
    local $!;
    my $got = recv $self->{fh}, my $byte, 1, $PEEK_FLAGS;
    return 1 if defined $got ? length $byte : $! == $EAGAIN || $! == $EINTR;
    $self->{lost} = 'it closed the connection';
    delete $self->{fh};
    return '';
}

# Writes a call's frame and returns its number.
sub _call {
    my ($self, $name, $params) = @_;
    $self->_check if $self->{owner} != $$ + $THREAD || $self->{lost};
    $self->{doing} = $name;
    my $seq  = $self->{seq} = $self->{seq} < $MAX_SEQ ? $self->{seq} + 1 : 1;
    my $head = $head{$name} || _head($name);
    my ($image, $why) = _image($params);
    $self->_unsendable($why) if !defined $image;
    my $frame = pack('NCN', 5 + length($head) + length $image, 2, $seq) . $head . $image;
    $frame = $self->_before . $frame if $self->{busy} || length $self->{before};

    if (length $frame > $WHOLE_BYTES || @{ $self->{rest} }) {
        $self->_send_long(\$frame, 0);
    }
    else {
        my $errno = $! + 0;
        my $sent  = send($self->{fh}, $frame, $SEND_FLAGS), $self->{before} = '', $self->{busy} = 0;
        $self->_send_again(\$frame, $sent, 0) if !$sent;
        $! = $errno                           if $errno;    # the script's own; send clears it
    }
    return $seq;
}

# The image of a call's parameters, or undef; and the reason.
sub _image {
    my ($params) = @_;
    my $at       = $@;
    my $image    = eval { &_freeze(ref $params ? $params : defined $params ? [$params] : []) };
    my $why      = $@;
    $@ = $at;
    return ($image, $why);
}

# What an image holds, or undef; and the reason.
sub _plain {
    my ($in)   = @_;
    my $at     = $@;
    my $result = eval { &_thaw(${$in}, @FLAGS) };
    my $why    = $@;
    $@ = $at;
    return ($result, $why);
}

# The function's name as it stands in a frame.
sub _head {
    my ($name) = @_;
    my $bytes = $name;
    utf8::encode($bytes) if utf8::is_utf8($bytes);
    return $head{$name} = pack 'n/a*', $bytes;
}

# What must be written before the next call: one-way calls, and the cancel of a call that
# was abandoned (whoever waited for it was left by a die). It is forgotten by the statement
# that writes it.
sub _before {
    my ($self) = @_;
    return $self->{before} if !$self->{busy};
    my $unanswered = $self->{open} ? $self->_unanswered : '';
    return $unanswered . $self->{before} . pack 'NCN', 5, $CANCEL, $self->{busy};
}

# Reads until the reply to a call is there, and returns its result.
sub _reply {
    my ($self, $seq) = @_;
    my $errno = $! + 0;
    while (1) {
        my $in   = $self->{in};
        my $have = length ${$in};
        if ($have < 9) {
            my $got = sysread $self->{fh}, ${$in}, $READ_BYTES, $have;
            $self->_no_bytes($seq, $got) if !$got;
            $!    = $errno if $errno;    # the script's own; reading clears it
            $have = length ${$in};
            next if $have < 9;
        }
        my ($size, $kind, $number) = unpack 'NCN', ${$in};
        if ($size + 4 > $have) {
            $self->_bad_frame("one of $size bytes") if $size > $self->{max_frame_bytes};
            my $got = sysread $self->{fh}, ${$in}, $size + 4 - $have, $have;
            $self->_no_bytes($seq, $got) if !$got;
            $! = $errno                  if $errno;    # as above
            next;
        }
        if ($kind == 3 && $number == $seq && $size + 4 == $have) {
            $self->{busy} = 0;
            return $self->_large_result if $have > $COPY_BYTES;
            my $image = substr ${$in}, 9;
            ${$in} = '';
            return $self->_result(3, $image);
        }
        my $frame = substr ${$in}, 0, $size + 4, '';
        substr $frame, 0, $size > 4 ? 9 : 5, '';
        my @result = $self->_other($seq, $kind, $number, $frame) or next;
        return $result[0];
    }
}

# A frame that is not the awaited reply alone: replies that came together, errors, rows,
# callbacks. Returns the result if that was it.
sub _other {
    my ($self, $seq, $kind, $number, $image) = @_;
    if ($kind == 3 || $kind == 4) {
        if ($number == $seq) {
            $self->{busy} = 0;
            return $self->_result($kind, $image);
        }
        return $self->_refused($image)           if $kind == 4 && $number == 0;
        $self->{kept}{$number} = [$kind, $image] if exists $self->{kept}{$number};
        return;
    }
    _load('Callback') if !$INC{'CPANBridge/Callback.pm'};
    CPANBridge::Callback::frame($self, $seq, $kind, $number, $image);
    return;
}

# The result of a reply that fills the buffer: thawed where it is.
sub _large_result {
    my ($self) = @_;
    my $in = $self->{in};
    $self->{in} = delete $self->{spare} || \(my $empty = '');
    substr ${$in}, 0, 9, '';
    my ($result, $why) = _plain($in);
    if (length ${$in} > $KEEP_BYTES) { undef $in }
    else                             { ${$in} = '' }
    $self->{spare} = $in if $in;
    return defined $result ? $result : $self->_bad_image($why);
}

# What a call ends with: the result it gives, or the error it dies with.
sub _result {
    my ($self, $kind, $image) = @_;
    my ($result, $why) = _plain(\$image);
    $self->_bad_image($why) if !defined $result;
    return $result          if $kind == 3;
    return $self->_fail(%{$result});
}

# Methods that are rarely needed are in CPANBridge::Wait; once it is loaded they are as quick
# as these.
sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    _load('Wait') if !$INC{'CPANBridge/Wait.pm'};
    my $code = __PACKAGE__->can($name) or die qq{Can't locate object method "$name" via package "CPANBridge::Session"};
    goto &{$code};
}

sub DESTROY { return }

# Loads a part in mid-call. A signal handler that dies would leave it half loaded for good.
sub _load {
    my ($part) = @_;
    my $errno = $! + 0;
    _undisturbed(sub { require "CPANBridge/$part.pm" });
    $! = $errno;
    return;
}

# Runs the code; handlers of signals that come meanwhile run afterwards.
sub _undisturbed {
    my ($code)  = @_;
    my $errno   = $! + 0;
    my %handler = map { ref $SIG{$_} || ($SIG{$_} || 'IGNORE') !~ /\A(?:IGNORE|DEFAULT)\z/ ? ($_ => $SIG{$_}) : () }
        grep { !/^__/ } keys %SIG;
    my @came;
    $SIG{$_} = sub { push @came, $_[0] }
        for keys %handler;
    my ($done, $error);
    {
        local $@;
        $!     = $errno;
        $done  = eval { $code->(); 1 };
        $errno = $! + 0 if $done;
        $error = $@;
    }
    $SIG{$_} = $handler{$_} for keys %handler;
    $! = $errno;
    kill $_ => $$ for @came;
    die $error if !$done;
    return;
}

1;
