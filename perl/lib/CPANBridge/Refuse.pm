package CPANBridge::Refuse;

# Why no session is opened, in words: one function for each reason. An error with
# no_daemon means that a private process may be used instead; what is not safe has none.

use strict;
use warnings;

use CPANBridge::Error;

my $ADVICE = 'set CPAN_BRIDGE_SOCKET to a socket in a private directory of your own';

sub fail {
    my ($code, $message, %more) = @_;
    return CPANBridge::Error->throw(%more, code => $code, message => $message);
}

sub no_daemon {
    my ($message, $code) = @_;
    return fail($code || 'no_daemon', $message, no_daemon => 1);
}

sub mode {
    my ($mode) = @_;
    return fail('bad_params', "CPAN_BRIDGE_MODE is '$mode'; it can be auto, daemon or process");
}

sub option {
    my ($name, @known) = @_;
    return fail('bad_params', "CPANBridge has no option '$name'; it has: " . join ', ', @known);
}

sub socket {
    my ($path) = @_;
    return fail('bad_params', "CPAN_BRIDGE_SOCKET must be the absolute path of a socket, not '$path'");
}

sub long_path {
    my ($path) = @_;
    my $limit = $CPANBridge::Connect::MAX_SOCKET_PATH_BYTES;
    return fail('limit', "the path of the socket is longer than MAX_SOCKET_PATH_BYTES ($limit bytes): $path; "
            . 'set CPAN_BRIDGE_SOCKET or XDG_RUNTIME_DIR to a shorter one');
}

sub directory {
    my ($path, $mode, $uid) = @_;
    my $what = "the socket directory $path";
    fail('refused', "$what is a symbolic link; remove it, or $ADVICE")           if -l $path;
    fail('refused', "$what is not a directory; remove it, or $ADVICE")           if !-d $path;
    fail('refused', "$what belongs to user $uid, not to you (user $>); $ADVICE") if $uid != $>;
    return fail(
        'refused',     sprintf '%s is open to other users (mode %04o); close it with: chmod 700 %s', $what,
        $mode & 07777, $path
    );
}

sub connect {
    my ($place, $error) = @_;
    return no_daemon("cannot connect to $place->{socket}: $error", 'io');
}

sub peer {
    my ($place, $uid) = @_;
    fail('refused', "whoever listens on $place->{socket} does not tell who it is; not used") if !defined $uid;
    return fail('refused', "the daemon on $place->{socket} belongs to user $uid, not to you (user $>); not used");
}

sub closed {
    my ($where) = @_;
    return no_daemon("$where closed the connection instead of answering", 'io');
}

sub silence {
    my ($where) = @_;
    my ($name, $seconds) =
        $where eq 'private'
        ? ('PRIVATE_SECONDS', $CPANBridge::Connect::PRIVATE_SECONDS)
        : ('HELLO_SECONDS', $CPANBridge::Connect::HELLO_SECONDS);
    return no_daemon("$where does not answer within $name ($seconds s)", 'timeout');
}

# A first frame that is no hello: the text to try again with if the daemon is ending.
sub hello {
    my ($where, $theirs) = @_;
    my $error = ref $theirs eq 'HASH' && defined $theirs->{message} ? $theirs : undef;
    no_daemon("$where does not answer as a cpan-bridge daemon", 'bad_frame') if !$error;
    my $code = $error->{code} || 'refused';
    return 'the daemon is ending' if $code eq 'draining';
    return fail($code, "$where: $error->{message}", %{$error}, no_daemon => $code eq 'limit');
}

sub draining {
    my ($place, $reason) = @_;
    return no_daemon("$place->{socket}: $reason, and nothing takes its place", 'draining');
}

1;
