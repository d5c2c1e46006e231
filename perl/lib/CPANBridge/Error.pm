package CPANBridge::Error;

# What a call dies with: a hash of code, message, err, errstr, state, module, function,
# retryable and unknown. As a string it is the message and where the script made the call.

use strict;
use warnings;

use overload
    q{""}    => sub { $_[0]->text },
    bool     => sub { 1 },
    fallback => 1;

sub new {
    my ($class, %error) = @_;
    $error{message} = 'unknown error' if !defined $error{message};
    return bless { code => 'internal', retryable => 0, %error, at => _caller() }, $class;
}

# A module that handles the error must not wake the script's $SIG{__DIE__}: what the script
# sees of it, its DBI handle raises.
sub throw {
    my ($class, %error) = @_;
    my $error = $class->new(%error);
    local $SIG{__DIE__};
    die $error;
}

sub code      { return $_[0]{code} }
sub message   { return $_[0]{message} }
sub err       { return $_[0]{err} }
sub errstr    { return defined $_[0]{errstr} ? $_[0]{errstr} : $_[0]{message} }
sub state     { return $_[0]{state} }
sub module    { return $_[0]{module} }
sub function  { return $_[0]{function} }
sub retryable { return $_[0]{retryable} }
sub unknown   { return $_[0]{unknown} }

sub text {
    my ($self) = @_;
    return $self->{message} if $self->{message} =~ /\n\z/;
    return $self->{message} . $self->{at};
}

# Where the script called: the first place outside the bridge.
sub _caller {
    my $depth = 0;
    my ($package, $file, $line);
    do { ($package, $file, $line) = caller $depth++ }
        while defined $package && $package =~ /^(?:CPANBridge|DBIHelper)(?:::|\z)/;
    return defined $file ? " at $file line $line.\n" : ".\n";
}

1;
