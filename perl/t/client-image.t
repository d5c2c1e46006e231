# Storable's C part is loaded out of sight: a script that uses Storable itself, before or
# after, notices nothing.
use strict;
use warnings;

use FindBin;
use Test::More;

my $lib = "$FindBin::Bin/../lib";

# What perl -w says and prints for this code.
sub run {
    my ($code) = @_;
    my $pid    = open my $from, '-|';
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        alarm 60;
        exec $^X, '-w', "-I$lib", '-e', $code;
    }
    local $/;
    my $text = readline $from;
    close $from;
    return $text;
}

my $ours =
'sub ours { my $i = &CPANBridge::Session::_freeze([@_]); return join "", @{ &CPANBridge::Session::_thaw($i, @CPANBridge::Session::FLAGS) } }';
my $theirs = 'sub theirs { return join "", @{ Storable::thaw(Storable::nfreeze([@_])) }, @{ Storable::dclone([@_]) } }';

is(
    run("use CPANBridge; $ours print ours(1, 2), exists \$INC{'Storable.pm'} ? 'loaded' : ''"), '12',
    'Storable.pm is not loaded'
);
is(
    run("use CPANBridge; print join ',', grep { defined &{\"Storable::\$_\"} } keys %Storable::"), '',
    'nothing of Storable is to be seen'
);
is(
    run("use CPANBridge; use Storable; $ours $theirs print ours(1), theirs(2), ours(3)"), '1223',
    'use Storable afterwards, without a warning'
);
is(run("use Storable; use CPANBridge; $ours $theirs print ours(1), theirs(2), ours(3)"), '1223', 'and before');
is(
    run(
"use CPANBridge; $ours print ours(1); require Storable; Storable->import('freeze'); $theirs print theirs(2), ours(3)"
    ),
    '1223',
    'and at run time'
);
is(
    run("sub late { Storable::thaw(Storable::freeze([5]))->[0] } use CPANBridge; require Storable; print late()"), '5',
    'code that was compiled before finds the functions'
);
is(
    run(
'use CPANBridge; require Storable; no warnings; my $limit = $Storable::recursion_limit; print defined $limit ? $limit : "none"'
    ),
    run(
        'require Storable; no warnings; my $limit = $Storable::recursion_limit; print defined $limit ? $limit : "none"'
    ),
    'the recursion limit is the one Storable sets'
);
is(
    run('use CPANBridge; require Storable; print "$Storable::VERSION $Storable::flags"'),
    run('require Storable; print "$Storable::VERSION $Storable::flags"'), 'so are its other variables'
);
is(
    run(
q{use CPANBridge; use Storable; package P; sub STORABLE_freeze { &CPANBridge::Session::_freeze([1]); return 'x' } sub STORABLE_thaw { $_[0]{y} = 1 }
    package main; print ref Storable::thaw(Storable::freeze(bless {}, 'P'))}
    ),
    'P',
    'it can be used inside a hook of Storable'
);
is(
    run("use CPANBridge; $ours BEGIN { \$SIG{__DIE__} = sub { print 'handler' } } print ours(6)"), '6',
    'handlers of the script are not called'
);
is(
    run("BEGIN { \$SIG{__DIE__} = sub { print 'handler' }; \$@ = 'kept' } use CPANBridge; print 'x'"), 'x',
    'not even while it is loaded'
);

# Where the C part is not where it usually is, Storable.pm is used.
is(
    run(
"BEGIN { require CPANBridge::Image; no warnings; *CPANBridge::Image::_find = sub { return } } use CPANBridge; $ours print ours(7), \$INC{'Storable.pm'} ? 'loaded' : ''"
    ),
    '7loaded',
    'without the short way the long one is taken'
);
is(
    run(
"BEGIN { require CPANBridge::Image; no warnings; *CPANBridge::Image::_find = sub { return ['/nowhere.so'] } } use CPANBridge; $ours print ours(7), \$INC{'Storable.pm'} ? 'loaded' : ''"
    ),
    '7loaded',
    'and where it fails'
);

SKIP: {
    require Config;

    # Without threads in this perl there is nothing that could go wrong.
    if (!$Config::Config{useithreads}) { pass('a perl without threads'); last SKIP }
    is(
        run(
"use threads; use CPANBridge; $ours print ours(8), threads->create(sub { ours(9) . ours('a') })->join, ours('b')"
        ),
        '89ab',
        'each thread has its own'
    );
    is(
        run(
"use threads; use CPANBridge; use Storable; $ours $theirs print threads->create(sub { theirs(9) . ours('a') })->join, theirs('b')"
        ),
        '99abb',
        'Storable in threads, too'
    );
}

done_testing;
