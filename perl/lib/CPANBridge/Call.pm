package CPANBridge::Call;

# CPANBridge->new(...)->call: the first generation's way, on the same sessions.

use strict;
use warnings;

# Functions that may be executed twice, so a call that was interrupted is made again.
my %again = map { $_ => 1 } qw(test.ping test.echo system.info system.stats system.sessions);

sub call {
    my ($client, $module, $function, $params) = @_;
    my $name = join '.', map { defined $_ ? $_ : '' } $module, $function;
    my ($result, $error) = attempt($client, $name, $params);
    if (!defined $result && is_lost($error) && ($error->{unsent} || $again{$name})) {
        ($result, $error) = attempt($client, $name, $params);
    }
    return { success => 1, result => plain($result), module => $module, function => $function } if defined $result;
    die $error if ref $error ne 'CPANBridge::Error';    # a signal handler's, not ours
    return failure($error, $module, $function);
}

# The result, or undef and the error; the script's variables and handlers know nothing of it.
sub attempt {
    my ($client, $name, $params) = @_;
    local ($@, $!);
    local $SIG{__DIE__};
    my $result = eval { session($client)->request($name, $params) };
    return ($result, $@);
}

sub is_lost {
    my ($error) = @_;
    return ref $error eq 'CPANBridge::Error' && $error->{code} eq 'daemon_lost';
}

# An image's root is a reference; a scalar comes as a reference to it.
sub plain {
    my ($result) = @_;
    return ref $result eq 'SCALAR' || ref $result eq 'REF' ? ${$result} : $result;
}

sub failure {
    my ($error, $module, $function) = @_;
    my %more = map { $_ => $error->{$_} } grep { defined $error->{$_} } qw(code err errstr state retryable unknown);
    return { %more, success => 0, error => $error->{message}, module => $module, function => $function };
}

# The client's own session if it was made with options, else the one of the process.
sub session {
    my ($client) = @_;
    return CPANBridge->session if !ref $client || !$client->{own};
    my $session = $client->{session};
    return $session                       if $session && $session->usable;
    CPANBridge::Session::_load('Connect') if !$INC{'CPANBridge/Connect.pm'};
    return $client->{session} = CPANBridge::Connect::open_session($client->{option});
}

1;
