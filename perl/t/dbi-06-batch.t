# bind_param_array, execute_array, execute_for_fetch.
use strict;
use warnings;
use Test::More;
use DBI;

my $dbh = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
my @rows;
my $sth = $dbh->prepare(
    'insert',
    {
        rows         => \@rows, NUM_OF_PARAMS => 2,
        execute_hook => sub {
            my ($h, @values) = @_;
            return $h->set_err(13, "no $values[1]", 'XX001') if defined $values[1] && $values[1] eq 'bad';
            return 1
        }
    }
);

my @status = ('old');
is_deeply [$sth->execute_array({ ArrayTupleStatus => \@status }, [1, 2, 3], 'x')], [3, 3],
    'arrays and a scalar: executed and affected';
is_deeply \@rows, [[1, 'x'], [2, 'x'], [3, 'x']], 'the tuples';
is_deeply \@status, [1, 1, 1], 'their status';

@rows = ();
is $sth->execute_array({}, [1, 2], ['y']), 2, 'a short array';
is_deeply \@rows, [[1, 'y'], [2, undef]], '... is filled with undef';

@rows = ();
is $sth->execute_array({}, [], []), '0E0', 'no tuples: zero but true';

@rows = ();
ok !eval { $sth->execute_array({ ArrayTupleStatus => \@status }, [1, 2, 3], ['a', 'bad', 'c']); 1 }, 'one bad tuple';
like $@, qr/^DBD::Sponge::st execute_array failed: executing 3 generated 1 errors at /, '... says so';
is_deeply \@rows, [[1, 'a'], [3, 'c']], '... the others went in';
is_deeply \@status, [1, [13, 'no bad', 'XX001'], 1], '... the status tells which';

@rows = ();
ok $sth->bind_param_array(1, [5, 6]), 'bind_param_array';
ok $sth->bind_param_array(2, 'z'),    '... with a scalar';
is $sth->execute_array({}), 2, '... executed';
is_deeply \@rows, [[5, 'z'], [6, 'z']], '... the tuples';
is_deeply $sth->{ParamArrays}, { 1 => [5, 6], 2 => 'z' }, 'ParamArrays';

@rows = ();
my @source = ([1, 'p'], [2, 'q']);
is_deeply [$sth->execute_for_fetch(sub { shift @source }, \@status)], [2, 2], 'execute_for_fetch';
is_deeply \@rows, [[1, 'p'], [2, 'q']], '... the tuples';
@rows = ();
my $from = $dbh->prepare('from', { rows => [[8, 'r'], [9, 's']], NAME => [qw(a b)] });
$from->execute;
is $sth->execute_array({ ArrayTupleFetch => $from }), 2, 'from a statement';
is_deeply \@rows, [[8, 'r'], [9, 's']], '... the tuples';

for my $case (
    [sub { $sth->execute_array({}, [1]) }, qr/1 bind values supplied but 2 expected/],
    [
        sub { $sth->execute_array({ ArrayTupleStatus => 1 }, [1], [2]) },
        qr/ArrayTupleStatus attribute must be an arrayref/
    ],
    [sub { $sth->execute_array({}, {}, [2]) }, qr/Value for parameter 1 must be a scalar or an arrayref, not a HASH/],
    [
        sub { $sth->bind_param_array(':name', [1]) },
        qr/Can't use named placeholder ':name' for non-driver supported bind_param_array/
    ],
    )
{
    ok !eval { $case->[0]->(); 1 }, 'wrong use';
    like $@, $case->[1], '... says so';
}

done_testing;
