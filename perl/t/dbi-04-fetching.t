# Fetching and selecting: each method, each form of its arguments.
use strict;
use warnings;
use Test::More;
use DBI;

my $dbh  = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
my @ROWS = ([1, 'a', undef], [2, 'b', 'x'], [2, 'c', 'y']);

sub statement {
    my $sth = $dbh->prepare('text', { rows => [map { [@$_] } @ROWS], NAME => [qw(Id Name val)] });
    $sth->execute;
    return $sth;
}

sub hashes {
    my @names = @_;
    return [map { my %row; @row{@names} = @$_; \%row } @ROWS]
}

{
    my $sth = statement();
    my @got;
    while (my $row = $sth->fetchrow_arrayref) { push @got, [@$row] }
    is_deeply \@got, \@ROWS, 'fetchrow_arrayref';
    is $sth->fetch, undef, 'nothing after the end';
    ok !$sth->{Active}, 'no longer active';
    is $sth->err,  undef, 'no error';
    is $sth->rows, 3,     'rows';
    $sth = statement();
    @got = ();
    while (my @row = $sth->fetchrow_array) { push @got, \@row }
    is_deeply \@got, \@ROWS, 'fetchrow_array';
    $sth = statement();
    @got = ();
    while (my $row = $sth->fetchrow_hashref) { push @got, $row }
    is_deeply \@got, hashes(qw(Id Name val)), 'fetchrow_hashref';
    isnt $got[0], $got[1], '... a new hash for each row';
    is_deeply statement()->fetchrow_hashref('NAME_uc'), { ID => 1, NAME => 'a', VAL => undef }, '... with another case';
    ok !defined eval { statement()->fetchrow_hashref('Statement') }, '... with an attribute that is no list';
    ok !eval         { $sth->{FetchHashKeyName} = 'NAME_lc'; 1 },    'FetchHashKeyName is for the parent';
    like $@, qr/^Can't set FetchHashKeyName for a statement handle, set in parent before prepare\(\) at /,
        '... and says so';
    $sth = do { local $dbh->{FetchHashKeyName} = 'NAME_lc'; statement() };
    is_deeply $sth->fetchrow_hashref, { id => 1, name => 'a', val => undef }, 'fetchrow_hashref by FetchHashKeyName';
    is_deeply $sth->fetchrow_arrayref, [2, 'b', 'x'], 'mixed with fetchrow_arrayref';
    is_deeply [$sth->fetchrow_array],  [2, 'c', 'y'], '... and with fetchrow_array';
}

is_deeply statement()->fetchall_arrayref,          \@ROWS,                      'fetchall_arrayref';
is_deeply statement()->fetchall_arrayref([]),      \@ROWS,                      '... []';
is_deeply statement()->fetchall_arrayref([0, -1]), [map { [@$_[0, 2]] } @ROWS], '... columns';
is_deeply statement()->fetchall_arrayref({}),      hashes(qw(Id Name val)),     '... {}';
is_deeply statement()->fetchall_arrayref({ ID => 1, nAME => 1 }), [map { { ID => $_->[0], nAME => $_->[1] } } @ROWS],
    '... named columns, keys as asked for';
is_deeply statement()->fetchall_arrayref(\{ 0 => 'no', 2 => 'v' }), [map { { no => $_->[0], v => $_->[2] } } @ROWS],
    '... renamed';
ok !defined eval { statement()->fetchall_arrayref({ nope => 1 }) }, '... a column that is not there';
like $@, qr/^DBD::Sponge::st fetchall_arrayref failed: Invalid column name 'nope' for slice at /, '... says so';
{
    my $sth = statement();
    is_deeply $sth->fetchall_arrayref(undef, 2), [@ROWS[0, 1]], '... at most two rows';
    is_deeply $sth->fetchall_arrayref(undef, 2), [$ROWS[2]],    '... the rest';
    is $sth->fetchall_arrayref(undef, 2), undef, '... undef at the end';
    is_deeply statement()->fetchall_arrayref({}, 1), [hashes(qw(Id Name val))->[0]], '... one hash';
    $sth = statement();
    $sth->fetch;
    is_deeply $sth->fetchall_arrayref, [@ROWS[1, 2]], '... what is left';
}

my @h = @{ hashes(qw(Id Name val)) };
is_deeply statement()->fetchall_hashref('Name'),         { a => $h[0], b => $h[1], c => $h[2] }, 'fetchall_hashref';
is_deeply statement()->fetchall_hashref('Id'),           { 1 => $h[0], 2 => $h[2] }, '... the last of a key stays';
is_deeply statement()->fetchall_hashref(['Id', 'Name']), { 1 => { a => $h[0] }, 2 => { b => $h[1], c => $h[2] } },
    '... two keys';
is_deeply statement()->fetchall_hashref(2), { a => $h[0], b => $h[1], c => $h[2] }, '... by number';
ok !defined eval { statement()->fetchall_hashref('nope') }, '... a key that is not there';
like $@, qr/^DBD::Sponge::st fetchall_hashref failed: Field 'nope' does not exist \(not one of /, '... says so';

is_deeply [$dbh->selectrow_array(statement())],                    $ROWS[0],              'selectrow_array';
is_deeply $dbh->selectrow_arrayref(statement()),                   $ROWS[0],              'selectrow_arrayref';
is_deeply $dbh->selectrow_hashref(statement()),                    $h[0],                 'selectrow_hashref';
is_deeply $dbh->selectall_arrayref(statement()),                   \@ROWS,                'selectall_arrayref';
is_deeply $dbh->selectall_arrayref(statement(), { Slice => {} }),  \@h,                   '... Slice => {}';
is_deeply $dbh->selectall_arrayref(statement(), { Slice => [1] }), [['a'], ['b'], ['c']], '... Slice => [1]';
is_deeply $dbh->selectall_arrayref(statement(), { Columns => [2, 1] }), [map { [@$_[1, 0]] } @ROWS],
    '... Columns count from 1';
is_deeply $dbh->selectall_arrayref(statement(), { Columns => { name => 1 } }), [map { { name => $_->[1] } } @ROWS],
    '... Columns by name';
is_deeply $dbh->selectall_arrayref(statement(), { MaxRows => 2 }), [@ROWS[0, 1]], '... MaxRows';
is_deeply [$dbh->selectall_array(statement())],                    \@ROWS,        'selectall_array';
is_deeply $dbh->selectall_hashref(statement(), 'Name'), { a => $h[0], b => $h[1], c => $h[2] }, 'selectall_hashref';
is_deeply $dbh->selectcol_arrayref(statement()),                        [1, 2, 2],                'selectcol_arrayref';
is_deeply $dbh->selectcol_arrayref(statement(), { Columns => [1, 2] }), [1, 'a', 2, 'b', 2, 'c'], '... two columns';
is_deeply $dbh->selectcol_arrayref(statement(), { MaxRows => 1 }),      [1],                      '... MaxRows';
{
    my $empty = $dbh->prepare('e', { rows => [], NAME => ['a'] });
    is_deeply [$dbh->selectrow_array($empty)], [], 'no row: an empty list';
    is $dbh->selectrow_arrayref($empty), undef, '... undef';
    is $dbh->selectrow_hashref($empty),  undef, '... undef';
    is_deeply $dbh->selectall_arrayref($empty), [], '... an empty array';
    is_deeply $dbh->selectcol_arrayref($empty), [], '... an empty column';
}
{
    my $files = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1, PrintError => 0 });
    is_deeply $files->selectall_arrayref('select name from ?', undef, 'long_list_3'),
        [['file3'], ['file2'], ['file1']], 'SQL and values';
    is_deeply $files->selectcol_arrayref('select name from long_list_2'), ['file2', 'file1'], 'SQL alone';
    is $files->{Statement}, 'select name from long_list_2', 'Statement is the last one';
    ok $files->{Executed}, 'Executed';
}

{
    my $text = '';
    open my $fh, '>', \$text or die;
    is statement()->dump_results(5, "\n", ',', $fh), 3, 'dump_results counts';
    is $text,                                        "1,'a',undef\n2,'b','x'\n2,'c','y'\n3 rows\n", '... and prints';
}

done_testing;
