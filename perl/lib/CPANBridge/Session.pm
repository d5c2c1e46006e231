package CPANBridge::Session;

# One connection to the daemon (or to a private child): the path every call takes.
#
# What a call goes through: request -> _call (freeze, frame, send) -> _reply (read) ->
# _arrived (thaw). Whatever is not usual is elsewhere and loaded when it is needed first: other methods,
# waiting for long, large frames and lost connections in CPANBridge::Wait, functions the
# daemon calls back in CPANBridge::Callback, errors in CPANBridge::Error.
#
# A session is a hash:
#   fh      the socket                       owner   process and thread it belongs to
#   seq     number of the last call          busy    the last call that is not answered, 0 none
#   ready   owner: the last call left nothing behind that the next would have to care for
#   doing   name of the last call            epoch   a number no other session here has
#   in      \bytes read, not yet consumed    spare   \an empty buffer kept for its memory
#   before  frames to write before the next  rest    [\unwritten rests of large frames]
#   waiting {seq => 1}: calls somebody waits for; entries are `local`, so a die removes them
#   outer   {seq => 1}: unanswered calls that were made before busy (by whom a signal
#           handler interrupted)
#   kept    {seq => 1}: calls that were posted; 2 if an await of it was left by a die
#   early   {seq => [kind, \frame]}: replies that are here and not yet taken
#   turn    counts the frames that were taken out of the buffer
#   lost    why it cannot be used any more (empty: it can)
#   timeout seconds a call may take (undef: as long as it takes)
#   daemon  the daemon's hello
#
# A signal handler may run between any two statements here (perl looks for signals there,
# and at `and`, `or`, `?:`). It may die: so nothing is taken out of a buffer before it is
# complete, what must happen together is one statement, and a reply nobody waits for any
# more is skipped by its number. And it may make calls on this session while one is waited
# for: whoever reads keeps the replies others wait for, and after every point where a
# handler may have run, whether the buffer is still as it was is asked in the statement
# that takes from it. Such statements compute with comparisons, because `if` is such a point.

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

# The image of an empty list, and the kind of an image that is a text of up to 255 bytes.
my $NOTHING    = pack 'C3N', 5, 11, 2, 0;
my $SHORT_TEXT = 10;

# How often to look for an answer before sleeping, how much to take at once, and for how many calls at most
# not to look after looking in vain.
our $LOOKS      = 120;
our $LOOK_BYTES = 0x4000;
our $MAX_SKIP   = 256;
my ($skip, $penalty) = (0, 0);

# An empty buffer larger than this is given back.
our $KEEP_BYTES = 0x100000;

# The last number of a call; the next is 1.
our $MAX_SEQ = 0xffffffff;

# Frames up to this reach the socket whole or not at all; and what of one follows its number.
our $WHOLE_BYTES = 0x4000;
our $TAIL_BYTES  = $WHOLE_BYTES - 9;

# Numbers of the operating system, set when the first session connects.
our ($SEND_FLAGS, $PEEK_FLAGS, $LOOK_FLAGS, $EAGAIN, $EINTR) = (0, 0, 0, 0, 4);

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
        ready  => 0,
        busy   => 0,
        doing  => '',
        before => '',
        lost   => '',
        rest   => [],
        kept   => {},
        early  => {},
        outer  => {},
        turn   => 0,
        in     => \$in,
        spare  => \$spare,
        %more,
    }, $class;
}

# The usual call in one piece, because a sub call costs as much as all of its work: what
# _call, _reply and _arrived do when nothing waits, the frame is small and the answer comes
# alone. Everything else is left to them; they find the session as if they had begun.
# $image is that of the parameters, if the caller has made it itself.
sub request {
    my ($self, $name, $params, $image) = @_;
    return &_request if ($self->{busy} || $self->{ready} != $$ + $THREAD) && !$self->_ready;
    my $errno = $! + 0;
    $image = ref $params eq 'ARRAY' && !@{$params} ? $NOTHING : $self->_image_of($params, $name) if !defined $image;
    my $tail = ($head{$name} || _head($name)) . $image;
    my $seq  = ++$self->{seq};
    return $self->_long_request($name, \$tail) if length $tail > $TAIL_BYTES || $seq > $MAX_SEQ;
    local $self->{waiting}{$seq} = 1;
    my ($sent, $reply, $mine);

    # No handler runs inside this. What was read and is not the whole answer, and nothing else, is left for
    # others. If nothing was sent, the socket's time-out ends the wait.
    $skip
        ? (
        $skip--, $self->{busy} = $seq,
        $sent = send($self->{fh}, pack('NCN', 5 + length $tail, 2, $seq) . $tail, $SEND_FLAGS),
        sysread($self->{fh}, $reply, $READ_BYTES),
        $mine = !index($reply, pack 'NCN', length($reply) - 4, 3, $seq),
        ${ $self->{in} } .= $reply x !$mine, $self->{busy} = $seq * !$mine
        )
        : ($mine = $self->_look($seq, \$tail, \$sent, \$reply));
    if ($mine) {
        $! = $errno;    # the script's own; send clears it
        if (ord(substr $reply, 11, 1) == $SHORT_TEXT && length $reply == 13 + ord substr $reply, 12, 1) {
            my $text = substr $reply, 13;
            return \$text;
        }
        my $at = $@;
        substr $reply, 0, 9, '';
        my $result = eval { &_thaw($reply, @FLAGS) };
        my $why    = $@;
        $@ = $at;
        return $result if defined $result;
        $self->{doing} = $name;
        return $self->_bad_image($why);
    }
    ($self->{doing}, $self->{ready}) = ($name, 0);
    if (!$sent) {
        my $frame = pack('NCN', 5 + length $tail, 2, $seq) . $tail;
        $self->_send_long(\$frame, $seq);
    }
    $! = $errno;    # as above
    return $self->_reply($seq);
}

# The same with a large frame, or when the numbers have come to their end.
sub _long_request {
    my ($self, $name, $tail) = @_;
    my $seq   = $self->{seq} = $self->{seq} < $MAX_SEQ ? $self->{seq} + 1 : 1;
    my $frame = pack('NCN', 5 + length ${$tail}, 2, $seq) . ${$tail};
    ($self->{doing}, $self->{ready}) = ($name, 0);
    local $self->{waiting}{$seq} = 1;
    $self->_send_long(\$frame, $seq);
    return $self->_reply($seq);
}

# The same when something waits or is left over.
sub _request {
    my ($self, $name, $params, $image) = @_;
    my $seq = $self->{seq} = $self->{seq} < $MAX_SEQ ? $self->{seq} + 1 : 1;
    local $self->{doing} = $name;
    local $self->{waiting}{$seq} = 1;
    $self->_call($name, $params, $seq, $seq, undef, $image);
    return $self->_reply($seq);
}

# Whether nothing waits and nothing is left over. `ready` remembers that; what changes it, and the
# roads on which something may be left over, forget it.
sub _ready {
    my ($self) = @_;
    $self->{ready} = $self->{owner} * !($self->{busy}
        || $self->{before} ne ''
        || $self->{lost}
        || $self->{owner} != $$ + $THREAD
        || @{ $self->{rest} }
        || length ${ $self->{in} }
        || %{ $self->{early} });
    return $self->{ready};
}

# Sends a call and takes its answer, if it comes while one looks for it.
sub _look {
    my ($self, $seq, $tail, $sent, $reply) = @_;
    $self->{busy} = $seq,
        ${$sent} = send($self->{fh}, pack('NCN', 5 + length ${$tail}, 2, $seq) . ${$tail}, $SEND_FLAGS);
    return '' if !${$sent};
    $self->_poll;
    my $in;
    $in = $self->{in}, ${$reply} = substr(
        ${$in}, 0,
        length(${$in}) * ($self->{busy} == $seq) * !index(${$in}, pack 'NCN', length(${$in}) - 4, 3, $seq), ''
        ),
        $self->{busy} *= ${$reply} eq '';
    return ${$reply} ne '';
}

# Looks for bytes without sleeping, for some ten microseconds: a core that sleeps takes longer to wake up than a
# small call takes. That is of use when the daemon has a core of its own; an answer that is there at
# the first look says nothing about that. After looking in vain once, twice, three times without any use in between,
# the next 0, 1, 2, 4 ... calls are slept for.
sub _poll {
    my ($self) = @_;
    my ($fh, $left, $got, $bytes) = ($self->{fh}, $LOOKS, undef, '');
    return $skip = -1 if !$LOOK_FLAGS;    # the system knows no such look: never
    do { $got = recv($fh, $bytes, $LOOK_BYTES, $LOOK_FLAGS), ${ $self->{in} } .= $bytes }
        until defined $got || !--$left;
    if (!$left) {
        ($skip, $penalty) = ($penalty, $penalty < 1 ? 1 : $penalty < $MAX_SKIP ? 2 * $penalty : $MAX_SKIP);
    }
    elsif ($left < $LOOKS) { $penalty = 0 }
    return;
}

# The number is stored where $slot points to by the statement that sends the call.
sub post {
    my ($self, $name, $params, $slot) = @_;
    my $seq = $self->{seq} = $self->{seq} < $MAX_SEQ ? $self->{seq} + 1 : 1;
    $self->{doing} = $name;
    $self->_call($name, $params, $seq, 0, $slot || \my $none);
    return $seq;
}

# A die leaves the call as it was: it can be waited for again.
sub await {
    my ($self, $seq) = @_;
    $self->_check if $self->{owner} != $$ + $THREAD;
    exists $self->{kept}{$seq} or $self->_fail(code => 'bad_params', message => "there is no call $seq to wait for");
    if (!$self->{early}{$seq}) {
        $self->_check if $self->{lost};
        $self->_settle if $self->{busy} || %{ $self->{outer} };
    }
    local $self->{waiting}{$seq} = 1;
    return $self->_reply($seq);
}

sub forget {
    my ($self, $seq) = @_;
    my $left = delete $self->{kept}{$seq};
    my $here = delete $self->{early}{$seq};
    $self->_abandon($seq, 1) if $left && $left > 1 && !$here && $self->{owner} == $$ + $THREAD;
    return;
}

# Never dies: handles are closed in DESTROY too, and then nobody would hear of it.
sub oneway {
    my ($self, $name, $params, $now) = @_;
    return if $self->{lost} || !$self->{fh} || $self->{owner} != $$ + $THREAD;
    my ($image) = _image($params);
    return if !defined $image;
    my $head = $head{$name} || _head($name);
    $self->{ready} = 0;
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
    $self->{ready} = 0;
    $self->{lost}  = 'it closed the connection';
    delete $self->{fh};
    return '';
}

# Writes a call's frame. $busy is its number if it is waited for; if it is not, it is kept,
# and its number stored in $slot.
sub _call {
    my ($self, $name, $params, $seq, $busy, $slot, $image) = @_;
    $self->_check if $self->{owner} != $$ + $THREAD || $self->{lost};
    $self->{ready} = 0;
    my $head = $head{$name} || _head($name);
    $image = $self->_image_of($params, $name) if !defined $image;
    $self->_settle           if $self->{busy} || %{ $self->{outer} };
    my $errno = $! + 0;
    my $call  = pack('NCN', 5 + length($head) + length $image, 2, $seq) . $head . $image;
    my $frame = $self->{before} . $call;

    if (length $frame > $WHOLE_BYTES || @{ $self->{rest} }) {
        $self->{kept}{$seq} = 1, ${$slot} = $seq if $slot;
        $self->_send_long(\$frame, $busy);
    }
    else {
        my $sent;
        if ($slot) {
            $self->{kept}{$seq} = 1, ${$slot} = $seq, $sent = send($self->{fh}, $frame, $SEND_FLAGS),
                $self->{before} = '';
        }
        else {
            $self->{busy} = $busy, $sent = send($self->{fh}, $frame, $SEND_FLAGS), $self->{before} = '';
        }
        $self->_send_again(\$frame, $sent, $busy) if !$sent;
    }
    $! = $errno;    # the script's own; send clears it
    return;
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

# The same, or a die.
sub _image_of {
    my ($self, $params, $name) = @_;
    my ($image, $why) = _image($params);
    return $image if defined $image;
    $self->{doing} = $name;
    return $self->_unsendable($why);
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

# Reads until the reply to a call is there, and returns its result. Replies that others wait
# for are kept for them. Until it is returned, the reply stays in `early`.
sub _reply {
    my ($self, $seq) = @_;
    my ($errno, $looked) = ($! + 0, 0);
    while (1) {
        return $self->_arrived($seq) if $self->{early}{$seq};
        $self->_lose($self->{lost})  if $self->{lost};
        my ($turn, $have, $size, $kind, $number) =
            ($self->{turn}, length ${ $self->{in} }, unpack 'NCN', ${ $self->{in} });
        if ($have < 9 || $size + 4 > $have) {
            $self->_bad_frame("one of $size bytes") if $have >= 9 && $size > $self->{max_frame_bytes};
            if ($skip || $looked++) {
                my $got = sysread $self->{fh}, ${ $self->{in} }, $READ_BYTES, length ${ $self->{in} };
                $self->_no_bytes($seq, $got) if !$got;
                $skip -= $skip > 0;
            }
            else { $self->_poll }
            $! = $errno;    # the script's own; reading clears it
            next;
        }
        if ($kind == 3 && $have == $size + 4 && $have > $COPY_BYTES) {
            $self->_take_all($turn, $number);
        }
        elsif ($kind == 3 || $kind == 4 && $number) {
            my $image;
            $image = substr(${ $self->{in} }, 0, ($size + 4) * ($self->{turn} == $turn), ''),
                $self->{early}{ $number * ($self->{turn} == $turn) } = [$kind, \$image], $self->{turn}++;
        }
        else {
            my $frame = substr(${ $self->{in} }, 0, ($size + 4) * ($self->{turn} == $turn), ''), $self->{turn}++;
            $self->_other($seq, $kind, $number, substr $frame, $size > 4 ? 9 : 5) if $frame ne '';
            next;
        }
        $self->_skip($number) if $number != $seq;
        delete $self->{early}{0};
    }
}

# A reply that fills the buffer is not copied: the buffer is the image, and gets a successor.
sub _take_all {
    my ($self, $turn, $number) = @_;
    my $next = delete $self->{spare} || \(my $empty = '');
    ${$next} = '';
    ($self->{early}{ $number * ($self->{turn} == $turn) }, $self->{in}) =
        ([3, $self->{in}], $next, undef, $self->{in})
        [2 * ($self->{turn} != $turn), 1 + 2 * ($self->{turn} != $turn)], $self->{turn}++;
    return;
}

# A reply nobody waits for any more is dropped.
sub _skip {
    my ($self, $number) = @_;
    delete $self->{early}{$number} if !$self->{waiting}{$number} && !$self->{kept}{$number};
    return;
}

# A frame that is no reply: callbacks, rows, an error about the connection.
sub _other {
    my ($self, $seq, $kind, $number, $image) = @_;
    return $self->_refused($image) if $kind == 4;
    _load('Callback')              if !$INC{'CPANBridge/Callback.pm'};
    CPANBridge::Callback::frame($self, $seq, $kind, $number, $image);
    return;
}

# What a call ends with: the result it gives, or the error it dies with. The reply is
# forgotten by the statement that returns it.
sub _arrived {
    my ($self, $seq) = @_;
    my $reply = $self->{early}{$seq};
    my ($kind, $image) = @{$reply};
    substr(${$image}, 0, 9 * !$reply->[2], ''), $reply->[2] = 1;    # once: a die may lead here again
    my ($result, $why) = _plain($image);
    $self->_bad_image($why) if !defined $result;
    if (%{ $self->{outer} }) { $self->_step_out($seq) }
    else                     { $self->{busy} *= $self->{busy} != $seq }
    if ($kind == 4) {
        delete $self->{kept}{$seq}, delete $self->{early}{$seq};
        return $self->_fail(%{$result});
    }
    my $length = length ${$image};
    if ($length > $COPY_BYTES && $length <= $KEEP_BYTES) {
        return (delete $self->{kept}{$seq}, delete $self->{early}{$seq}, $self->{spare} = $image, $result)[3];
    }
    return (delete $self->{kept}{$seq}, delete $self->{early}{$seq}, $result)[2];
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
    my %handler;
    for my $name (keys %SIG) {    # reading one asks the system: once is enough
        my $code = $SIG{$name};
        $handler{$name} = $code if $code && (ref $code || $code !~ /\A(?:IGNORE|DEFAULT)\z/) && $name !~ /^__/;
    }
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
    kill $_ => abs $$ for @came;
    die $error if !$done;
    return;
}

1;
