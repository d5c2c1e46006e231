# What happens when a method call leaves an error, a warning or information in $h->err.
# Called once, by the outermost call; decides from PrintError, RaiseError, PrintWarn, RaiseWarn, HandleError.
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

sub at_caller {    # " at FILE line N.\n" of the script's line
    my $depth = 0;
    my ($file, $line);
    while ((undef, $file, $line) = caller $depth++) {
        last if index($file, $DBI::BASE) != 0 || $file !~ m{\A\Q$DBI::BASE\E(?:\.pm|/Bridge/)}
    }
    my $handle = '';
    if (defined $.) {    # perl adds ", <FH> line N" when a file handle was read last
        local ($@, $SIG{__DIE__});
        eval { die };
        $handle = $1 if $@ =~ /^Died at .*? line \d+(, <.*?> (?:line|chunk) \d+)?\.$/s && defined $1;
    }
    return ' at ' . (defined $file ? $file : '-') . ' line ' . (defined $line ? $line : 0) . "$handle.\n";
}

sub croak { die join('', @_) . at_caller() }
sub carp  { warn join('', @_) . at_caller() }

sub no_method {
    my ($i, $name) = @_;
    croak(qq{Can't locate DBI object method "$name" via package "$i->{ImplementorClass}"});
}

sub no_handle { croak("dbih_getcom handle $_[0] is not a DBI handle (has no magic)") }

# report($inner, $method, $wantarray, @rv): returns what the call returns to the script (or dies). It is gone to, not called: a HandleError
# that looks for its caller finds one frame of ours, and then the script's.
sub report {
    my ($i, $name, $list, @rv) = @_;
    my $err    = ${ $i->{Err} };
    my $method = delete $i->{bridge_errmethod};
    if (defined $err && length $err) {
        my ($raise, $print, $kind) =
            $err ? (@$i{qw(RaiseError PrintError)}, 'failed') : (@$i{qw(RaiseWarn PrintWarn)}, 'warning');
        my $handler = $i->{HandleError};
        if ($raise || $print || $handler && $err) {
            my $text = message($i, defined $method ? $method : $name, $kind);
            if (ref $handler && ($err || $raise || $print)) {
                my $was     = $rv[0];
                my $handled = do {
                    local $DBI::IN;
                    local (@DBI::CARP_NOT, @DBI::Bridge::CARP_NOT) if $INC{'Carp.pm'};
                    @DBI::CARP_NOT = @DBI::Bridge::CARP_NOT = home($handler) if $INC{'Carp.pm'};
                    $handler->($text, DBI::Bridge::outer($i), $rv[0]);
                };
                if ($handled) {
                    @rv = ($rv[0]) if @rv > 1 && defined $rv[0] && (!defined $was || $was ne $rv[0]);
                    return $list ? @rv : $rv[0];
                }
            }
            $text .= at_caller() if $text !~ /\n\z/;
            if ($print) { warn $text }
            if ($raise) { die $text }
        }
    }
    return $list ? @rv : $rv[0];
}

# The package a handler was written in. A handler that calls Carp::shortmess means the place that called its package: our own frames
# between the two must not count, and do not when they trust that package.
sub home {
    my ($handler) = @_;
    require B;
    my $stash = eval { B::svref_2object($handler)->STASH->NAME };
    return defined $stash ? $stash : ();
}

# DBD::X::st execute failed: TEXT [for Statement "..." with ParamValues: 1='a', 2=undef]
sub message {
    my ($i, $name, $kind) = @_;
    my $errstr = ${ $i->{Errstr} };
    $errstr = '(unknown error)' if !defined $errstr;
    my $text = "$i->{ImplementorClass} $name $kind: $errstr";
    return $text if !$i->{ShowErrorStatement};
    my $type  = $i->{Type};
    my $flags = ($DBI::DISPATCH{"$type/$name"} || [])->[3] || 0;
    return $text if $type ne 'st' && !($flags & DBI::SHOW());
    my ($statement, $values);
    {
        local $DBI::IN = $i;
        local (@$i{qw(Err Errstr State)}) = (\my $e, \my $t, \my $s);
        $statement = eval { $i->FETCH('Statement') };
        $values    = eval { $i->FETCH('ParamValues') } if $type eq 'st' || $i->{bridge_binds};    # or of a do
    }
    return $text if !defined $statement || !length $statement;
    $text .= qq{ [for Statement "$statement"};
    if (ref $values eq 'HASH' && %$values) {
        $text .= ' with ParamValues: ' . DBI::_concat_hash_sorted($values, '=', ', ', 1, undef);
    }
    return "$text]";
}

1;
