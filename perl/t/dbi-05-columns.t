# Bound columns and the row buffer.
use strict;
use warnings;
use Test::More;
use DBI;

my $dbh  = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
my @ROWS = ([1, 'a', undef], [2, 'b', 'x'], [3, 'c', 'y']);

sub statement {
    my $sth = $dbh->prepare('text', { rows => [map { [@$_] } @ROWS], NAME => [qw(id name val)] });
    $sth->execute;
    return $sth;
}

{
    my $sth = statement();
    ok $sth->bind_columns(\my ($id, $name, $val)), 'bind_columns';
    my $row = $sth->fetch;
    is_deeply [$id, $name, $val], $ROWS[0], 'the variables are set';
    is_deeply $row,               $ROWS[0], '... and the row is returned';
    $sth->fetch;
    is_deeply [$id, $name, $val], $ROWS[1], '... again';
    my @row = $sth->fetchrow_array;
    is_deeply [$id, @row], [3, @{ $ROWS[2] }], '... by fetchrow_array too';
    is $sth->fetch, undef, 'the end';
    is $id,         3,     '... leaves the last values';
}
{
    my $sth = statement();
    my $name;
    ok $sth->bind_col(2, \$name), 'bind_col';
    is_deeply $sth->fetchrow_hashref, { id => 1, name => 'a', val => undef }, 'one column bound, fetchrow_hashref';
    is $name, 'a', '... sets it';
    is_deeply $sth->fetchall_arrayref, [@ROWS[1, 2]], 'fetchall_arrayref of the rest';
    is $name, 'c', '... sets it to the last';
}
{
    my %row;
    my $sth = statement();
    $sth->bind_columns(\@row{qw(x y z)});
    $sth->fetch;
    is_deeply \%row, { x => 1, y => 'a', z => undef }, 'elements of a hash';
    my @array;
    $sth->bind_col($_ + 1, \$array[$_]) for 0 .. 2;
    $sth->fetch;
    is_deeply \@array, $ROWS[1], 'bound again, elements of an array';
    is $row{x}, 1, '... the old ones stay';
    my ($a, $b, $c);
    ok $sth->bind_columns(undef, \$a, \$b, \$c), 'a leading undef is let pass';
    ok $sth->bind_columns({},    \$a, \$b, \$c), '... and attributes';
    $sth->fetch;
    is $b, 'c', '... it is bound';
}
{
    my $sth = statement();
    for my $case ([0, qr/^bind_col: column 0 is not a valid column \(1\.\.3\) at /],
        [4, qr/^bind_col: column 4 is not a valid column \(1\.\.3\) at /])
    {
        ok !eval { $sth->bind_col($case->[0], \my $x); 1 }, "column $case->[0]";
        like $@, $case->[1], '... says what is wrong';
    }
    ok !eval { $sth->bind_columns(\my $x, \my $y); 1 }, 'too few variables';
    like $@, qr/^DBD::Sponge::st bind_columns failed: bind_columns called with 2 values but 3 are needed at /,
        '... says so';
    ok !eval { $sth->bind_col(1, 'text'); 1 }, 'no reference';
    like $@, qr/^Can't DBI::st=HASH\(0x[0-9a-f]+\)->bind_col\(1, 'text',\.\.\.\), need a reference to a scalar at /,
        '... says so';
}
{    # what drivers do with the row buffer
    my $sth = statement();
    is scalar @{ $sth->_get_fbav }, 3, '_get_fbav';
    is_deeply $sth->_set_fbav([7, 8, 9]), [7, 8, 9], '_set_fbav';
    $sth->{NUM_OF_FIELDS} = 2;
    is scalar @{ $sth->_get_fbav }, 2, '... follows NUM_OF_FIELDS';
}

done_testing;
