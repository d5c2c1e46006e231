# Attributes: defaults, inheritance, the tied interface, computed ones, children.
use strict;
use warnings;
use Test::More;
use DBI;

my $dbh  = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
my @rows = ([1, 'a', undef], [2, 'b', 'x']);

sub statement {
    return $dbh->prepare('some text', { rows => [map { [@$_] } @rows], NAME => [qw(Id Name val)], @_ })
}

{
    my $sth = statement();
    is_deeply [map { $dbh->{$_} } qw(Type FetchHashKeyName LongReadLen ErrCount)], ['db', 'NAME', 80, 0],
        'values of a database handle';
    for my $name (
        qw(ChopBlanks LongTruncOk CompatMode InactiveDestroy AutoInactiveDestroy TaintIn TaintOut Taint ShowErrorStatement)
        )
    {
        is $dbh->{$name}, '', "$name is off";
    }
    ok $dbh->{Warn}, 'Warn is on';
    is_deeply [map { $sth->{$_} } qw(Type NUM_OF_FIELDS NUM_OF_PARAMS Statement)], ['st', 3, 0, 'some text'],
        'values of a statement handle';
    is_deeply $sth->{NAME},    [qw(Id Name val)], 'NAME';
    is_deeply $sth->{NAME_lc}, [qw(id name val)], 'NAME_lc';
    is_deeply $sth->{NAME_uc}, [qw(ID NAME VAL)], 'NAME_uc';
    is_deeply $sth->{NAME_hash},    { Id => 0, Name => 1, val => 2 }, 'NAME_hash';
    is_deeply $sth->{NAME_lc_hash}, { id => 0, name => 1, val => 2 }, 'NAME_lc_hash';
    is_deeply $sth->{NAME_uc_hash}, { ID => 0, NAME => 1, VAL => 2 }, 'NAME_uc_hash';
    is $sth->{Database},   $dbh,                          'Database is the handle the script has';
    is $dbh->{Driver},     DBI->install_driver('Sponge'), 'Driver too';
    is $sth->{CursorName}, undef,                         'CursorName';
    is_deeply [$dbh->FETCH_many(qw(Type LongReadLen))], ['db', 80], 'FETCH_many';
}

{
    my %set =
        (LongReadLen => 99, ChopBlanks => 1, FetchHashKeyName => 'NAME_lc', ShowErrorStatement => 1, LongTruncOk => 1);
    my $other = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, %set });
    my $sth   = $other->prepare('x', { rows => [], NAME => ['A'] });
    is $sth->{$_}, $set{$_}, "$_ is inherited" for sort keys %set;
    $other->{LongReadLen} = 5;
    is $sth->{LongReadLen}, 99, 'at birth only';
}

{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $value = $dbh->{NoSuchThing};
    like "@warned", qr/^Can't get DBI::db=HASH\(0x[0-9a-f]+\)->\{NoSuchThing\}: unrecognised attribute name at /,
        'an unknown attribute read';
    @warned = ();
    $dbh->{NoSuchThing} = 1;
    like "@warned",
        qr/^Can't set DBI::db=HASH\(0x[0-9a-f]+\)->\{NoSuchThing\}: unrecognised attribute name or invalid value at /,
        '... written';
    @warned         = ();
    $value          = $dbh->{foo_bar};
    $dbh->{foo_bar} = 1;
    is "@warned", '', 'names of other drivers are let pass';
    $dbh->{private_mine} = [1, 2];
    is_deeply $dbh->{private_mine}, [1, 2], 'private_ attributes are kept';
    ok exists $dbh->{private_mine}, '... exist';
    is_deeply delete $dbh->{private_mine}, [1, 2], '... can be deleted';
    is $dbh->{private_mine}, undef, '... and are gone';
    ok exists $dbh->{AutoCommit}, 'a known one exists';
    is_deeply [keys %$dbh], [], 'keys are not listed';
    is eval { $dbh->{HandleError} = 'text'; 1 }, undef, 'HandleError wants a reference';
    like $@, qr/^Can't set HandleError to ''text''/, '... and says so';
    local $dbh->{RaiseError} = 0;
    is $dbh->{RaiseError}, '', 'local works';
}
ok $dbh->{RaiseError}, '... and ends';

{
    is $dbh->{Kids}, 0, 'no children';
    my $one = statement();
    my $two = statement();
    is $dbh->{Kids},       2, 'two children';
    is $dbh->{ActiveKids}, 0, 'none active';
    $two->execute;
    is $dbh->{ActiveKids}, 1, 'one active';
    is_deeply [sort map { "$_" } grep { defined } @{ $dbh->{ChildHandles} }], [sort "$one", "$two"], 'ChildHandles';
    $two->finish;
    is $dbh->{ActiveKids}, 0, 'none active after finish';
    undef $one;
    is $dbh->{Kids}, 1, 'one is gone';
}
is $dbh->{Kids}, 0, 'both are gone';

{    # a statement keeps its database alive
    my $sth = do {
        DBI->connect('dbi:Sponge:kept', '', '', { RaiseError => 1 })->prepare('x', { rows => [[1]], NAME => ['a'] })
    };
    $sth->execute;
    is_deeply $sth->fetch, [1], 'the statement works on';
    is $sth->{Database}{Name}, 'kept', 'and knows its database';
}

{
    my ($one, $two) = map { $dbh->prepare("s$_", { rows => [], NAME => ['a'] }) } 1, 2;
    ok $one->swap_inner_handle($two), 'swap_inner_handle';
    is_deeply [$one->{Statement}, $two->{Statement}], ['s2', 's1'], '... swaps';
}

{
    my %seen;
    my $sth = statement();
    DBI->visit_handles(sub { my ($h) = @_; $seen{ $h->{Type} }++; 1 });
    ok $seen{dr} && $seen{db} && $seen{st}, 'visit_handles';
}

{    # prepare_cached
    my $other = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1 });
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $one = $other->prepare_cached('select name from ?');
    is $other->prepare_cached('select name from ?'),                       $one, 'the same statement';
    isnt $other->prepare_cached('select name from ?', { private_a => 1 }), $one, 'other attributes, another one';
    $one->execute('/');
    is $other->prepare_cached('select name from ?'), $one, 'while active';
    like "@warned",
        qr/^prepare_cached\(select name from \?\) statement handle DBI::st=HASH\(0x[0-9a-f]+\) still Active at /,
        '... with a warning';
    ok !$one->{Active}, '... and finished';
    @warned = ();
    $one->execute('/');
    $other->prepare_cached('select name from ?', undef, 1);
    ok !$one->{Active}, 'if_active 1 finishes in silence';
    $one->execute('/');
    $other->prepare_cached('select name from ?', undef, 2);
    ok $one->{Active}, 'if_active 2 leaves it';
    isnt $other->prepare_cached('select name from ?', undef, 3), $one, 'if_active 3 makes a new one';
    is "@warned",                                                '',   'no warnings';
    is keys %{ $other->{CachedKids} },                           2,    'CachedKids';
    $one->finish;
}

{    # the exit status of a script is its own, whatever handles it leaves open
    (my $lib = $INC{'DBI.pm'}) =~ s{/DBI\.pm\z}{};
    system $^X, "-I$lib", '-MDBI', '-e',
q{my $d = DBI->connect('dbi:ExampleP:'); my $s = $d->prepare('select name from ?'); $s->execute('/'); $s->fetch; exit 7};
    is $? >> 8, 7, 'exit with an open statement';
}

{
    my $sponge = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1 });
    my $sth    = $sponge->prepare('some text', { rows => [[1, 2, 3]], NAME => [qw(a A a)] });
    is_deeply $sth->{NAME_hash},    { a => 0, A => 1 }, 'of equal names NAME_hash has the first';
    is_deeply $sth->{NAME_lc_hash}, { a => 0 },         '... also of names made equal';
}

if ($^O ne 'MSWin32') {    # a child process must not end its parent's handles
    my $other = DBI->connect('dbi:ExampleP:', '', '', { AutoInactiveDestroy => 1 });
    my $pid   = fork;
    if (!$pid) { require POSIX; my $active = $other->{Active}; undef $other; POSIX::_exit($active ? 0 : 1) }
    waitpid $pid, 0;
    is $?, 0, 'the child saw it active';
    ok $other->{Active}, 'and so does the parent afterwards';
}

done_testing;
