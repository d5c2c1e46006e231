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
    %option = (%option, %{ _checked(\%set) });
    $session = undef;
    return;
}

# This process's session, started on first use, replaced when it cannot be used any more.
sub session {
    my ($class) = @_;
    return $session if $session && $session->usable;
    $session = undef;
    require CPANBridge::Connect;
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

sub call_python { goto &call }    ## no critic (the name the first generation calls)

sub _checked {
    my ($set) = @_;
    my %known = map { $_ => 1 } qw(mode socket bin debug use_daemon timeout);
    for my $name (keys %{$set}) {
        next if $known{$name};
        require CPANBridge::Error;
        CPANBridge::Error->throw(
            code    => 'bad_params',
            message => "CPANBridge has no option '$name'; it has: " . join ', ', sort keys %known,
        );
    }
    return $set;
}

1;
