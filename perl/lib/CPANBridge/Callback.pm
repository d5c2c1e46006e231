package CPANBridge::Callback;

# Functions the daemon calls in mid-call: SQL functions, collations, progress, notices.

use strict;
use warnings;

my $KIND  = $CPANBridge::Session::CALLBACK;
my $REPLY = $CPANBridge::Session::CALLBACK_REPLY;

# Flag of a callback that wants no answer, and the id of messages that are for nobody's function.
my $NO_ANSWER = 1;
my $NOTICE    = 0;

# A frame that is no reply and no error.
sub frame {
    my ($session, $seq, $kind, $number, $bytes) = @_;
    return rows($session, $seq, $number, $bytes) if $kind == $CPANBridge::Session::ROWS;
    return $session->{leaving} = 1               if $kind == $CPANBridge::Session::GOODBYE;
    $session->_bad_frame("kind $kind")           if $kind != $KIND || length $bytes < 5;
    my ($id, $flags) = unpack 'NC', $bytes;
    substr $bytes, 0, 5, '';
    my $args = arguments($session, $bytes);
    return inform($session, $id, $args) if $flags & $NO_ANSWER;

    # Calls the function makes are not the one that is waited for.
    my ($ok, $result);
    {
        push @{ $session->{open} }, $number;
        local $session->{busy}  = 0;
        local $session->{doing} = $session->{doing};
        local $session->{inner} = @{ $session->{open} };
        ($ok, $result) = run($session->{callbacks}{$id}, $id, $args);
    }
    return if $session->{lost};
    pop @{ $session->{open} };
    delete $session->{open} if !@{ $session->{open} };
    answer($session, $number, $ok, $result);
    return;
}

sub arguments {
    my ($session, $bytes) = @_;
    my ($args) = CPANBridge::Session::_plain(\$bytes);
    $session->_bad_frame('a callback whose arguments cannot be read') if ref $args ne 'ARRAY';
    return $args;
}

# Runs a function: (1, \result) or (0, {message}).
sub run {
    my ($callback, $id, $args) = @_;
    return (0, { message => "there is no callback $id (any more)" }) if !$callback;
    my ($code, $wants_list) = @{$callback};
    local ($@, $!);
    my $result;
    my $ok = eval {
        $result = $wants_list ? [$code->(@{$args})] : \scalar $code->(@{$args});
        1;
    };
    return (1, $result) if $ok;
    return (0, { message => "$@" });
}

sub answer {
    my ($session, $number, $ok, $result) = @_;
    my ($image) = CPANBridge::Session::_image($result);
    if (!defined $image) {
        ($image) =
            CPANBridge::Session::_image({ message => 'the result of a callback cannot be sent; return plain data' });
        $ok = 0;
    }
    my $frame = $session->{before} . pack('NCNC', 6 + length $image, $REPLY, $number, $ok) . $image;
    $session->_send_long(\$frame);
    return;
}

# Failures for callbacks that were left by `last` or `goto`, deepest first.
sub unanswered {
    my ($session) = @_;
    my $open      = $session->{open};
    my $keep      = $session->{inner} || 0;
    my $bytes     = '';
    my ($image)   = CPANBridge::Session::_image({ message => 'the callback was left without a result' });
    while (@{$open} > $keep) {
        $bytes .= pack('NCNC', 6 + length $image, $REPLY, pop @{$open}, 0) . $image;
    }
    delete $session->{open} if !@{$open};
    return $bytes;
}

# A message that wants no answer: progress for a function, or a notice.
sub inform {
    my ($session, $id, $args) = @_;
    my $code = $id == $NOTICE ? $session->{on_notice} : ($session->{callbacks}{$id} || [])->[0];
    return if !$code;
    local ($@, $!);
    eval { $code->(@{$args}); 1 } or warn $@;
    return;
}

# A part of a result that comes in several frames.
sub rows {
    my ($session, $seq, $number, $bytes) = @_;
    return if !$session->{waiting}{$number};
    my $code = $session->{on_rows} or $session->_bad_frame('rows nobody asked for');
    my ($rows) = CPANBridge::Session::_plain(\$bytes);
    $session->_bad_frame('rows that cannot be read') if !ref $rows;
    $code->($rows);
    return;
}

1;
