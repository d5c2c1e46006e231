package CPANBridge::Call;

# CPANBridge->new(...)->call: the first generation's way, on the same sessions.

use strict;
use warnings;

# Functions that may be executed twice, so a call that was interrupted is made again.
my %again = map { $_ => 1 } qw(test.ping test.echo system.info system.stats system.sessions);

sub call {
    my ($client, $module, $function, $params) = @_;
    my $name = join '.', map { defined $_ ? $_ : '' } $module, $function;
    local ($@, $!);
    for my $attempt (1, 2) {
        my $result = eval { session($client)->request($name, $params) };
        return { success => 1, result => plain($result), module => $module, function => $function } if defined $result;
        my $error = $@;
        next if $attempt == 1 && ref $error && is_lost($error) && ($error->{unsent} || $again{$name});
        return failure($error, $module, $function);
    }
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
    my %more;
    if (ref $error eq 'CPANBridge::Error') {
        %more = map { $_ => $error->{$_} } grep { defined $error->{$_} } qw(code err errstr state retryable unknown);
    }
    my $text = "$error";
    $text =~ s/ at \S+ line \d+\.?\n\z//;
    return { %more, success => 0, error => $text, module => $module, function => $function };
}

# The client's own session if it was made with options, else the one of the process.
sub session {
    my ($client) = @_;
    return CPANBridge->session if !ref $client || !$client->{own};
    my $session = $client->{session};
    return $session if $session && $session->usable;
    require CPANBridge::Connect;
    return $client->{session} = CPANBridge::Connect::open_session($client->{option});
}

1;
