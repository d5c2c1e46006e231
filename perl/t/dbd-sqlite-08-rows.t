# Many rows: whatever way they are fetched, mixed, interrupted, and while others are at work on the same handle.
use strict;
use warnings;
use Test::More;
use DBI;

my $N   = 3000;
my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, RaiseError => 1 });
$dbh->do('create table t(id integer primary key, name text, value real)');
$dbh->begin_work;
my $insert = $dbh->prepare('insert into t values(?,?,?)');
$insert->execute($_, "name $_", $_ / 4) for 1 .. $N;
$dbh->commit;
my $all  = [map { [$_, "name $_", $_ / 4] } 1 .. $N];
my @hash = map { { id => $_->[0], name => $_->[1], value => $_->[2] } } @$all;
my $sql  = 'select id, name, value from t order by id';

sub ids {
    my ($sth, $how) = @_;
    my @ids;
    while (my $id = $how->($sth)) { push @ids, $id }
    return \@ids
}
my @how = (
    [fetchrow_arrayref => sub { my $row = $_[0]->fetchrow_arrayref; $row && $row->[0] }],
    [fetchrow_array    => sub { my ($id) = $_[0]->fetchrow_array; $id }],
    [fetchrow_hashref  => sub { my $row = $_[0]->fetchrow_hashref; $row && $row->{id} }],
    [fetch             => sub { my $row = $_[0]->fetch;            $row && $row->[0] }],
);
my $sth = $dbh->prepare($sql);
for my $round (1, 2) {
    for my $case (@how) {
        my ($name, $code) = @$case;
        $sth->execute;
        is_deeply ids($sth, $code), [1 .. $N], "$name, round $round";
        is $sth->rows, $N, '... rows';
        ok !$sth->{Active}, '... not active';
    }
    $sth->execute;
    my $n = 0;
    is_deeply ids($sth, sub { $how[$n++ % @how][1]->($_[0]) }), [1 .. $N], "all kinds mixed, round $round";
    $sth->execute;
    is_deeply $sth->fetchall_arrayref, $all, "fetchall_arrayref, round $round";
    $sth->execute;
    is_deeply $sth->fetchall_arrayref({}), \@hash, "fetchall_arrayref({}), round $round";
    $sth->execute;
    is_deeply $sth->fetchall_arrayref([2, 0]), [map { [@$_[2, 0]] } @$all], "fetchall_arrayref([2, 0]), round $round";
}
$sth->execute;
$sth->fetch for 1 .. 10;
is_deeply [map { $_->[0] } @{ $sth->fetchall_arrayref(undef, 500) }], [11 .. 510], 'some of the rest';
is $sth->rows, 510, '... rows';
is_deeply $sth->fetchrow_hashref, $hash[510], '... and a hash';
is scalar @{ $sth->fetchall_arrayref }, $N - 511, '... and the others';

$sth->execute;
$sth->bind_columns(\my ($id, $name, $value));
my $sum = 0;
while ($sth->fetch) { $sum += $id if $name eq "name $id" && $value == $id / 4 }
is $sum, $N * ($N + 1) / 2, 'bind_columns';
$sth->execute;
$sth->fetch;
is $id, 1, '... after execute';

is_deeply $dbh->selectall_arrayref($sql), $all, 'selectall_arrayref';
is_deeply $dbh->selectall_arrayref($sql, { Slice   => {} }), \@hash,           '... Slice';
is_deeply $dbh->selectall_arrayref($sql, { MaxRows => 70 }), [@$all[0 .. 69]], '... MaxRows';
is_deeply $dbh->selectall_arrayref('select id from t where id > ? order by id', undef, $N - 2), [[$N - 1], [$N]],
    '... with a value';
is_deeply $dbh->selectcol_arrayref($sql),                       [1 .. $N],             'selectcol_arrayref';
is_deeply [@{ $dbh->selectall_hashref($sql, q(id)) }{ 1, $N }], [$hash[0], $hash[-1]], q(selectall_hashref);
is_deeply [$dbh->selectrow_array($sql)],                        $all->[0],             'selectrow_array';
is_deeply $dbh->selectrow_hashref($sql),                        $hash[0],              'selectrow_hashref';

{
    my (@rows, $kept);
    $sth = $dbh->prepare($sql);
    $sth->execute;
    while (my $row = $sth->fetchrow_hashref) { push @rows, $row }
    is_deeply \@rows, \@hash, 'hashes can be kept';
    my $outer  = $dbh->prepare('select id from t where id <= 300 order by id');
    my $inner  = $dbh->prepare('select name from t where id = ?');
    my $update = $dbh->prepare('update t set value = -1 where id = ?');
    $outer->execute;
    my $good = 0;

    while (my ($n) = $outer->fetchrow_array) {
        $inner->execute($n);
        my ($found) = $inner->fetchrow_array;
        $good++ if $found eq "name $n";
        $update->execute($n);
    }
    is $good,                                                            300, 'statements within a loop over another';
    is $dbh->selectrow_array('select count(*) from t where value = -1'), 300, '... and changes';
    my @open = map { my $s = $dbh->prepare($sql); $s->execute; $s } 1 .. 5;
    my $same = 0;
    while ((my @found = grep { $_ } map { $_->fetch } @open) == 5) {
        $same++ if !grep { $_->[0] != $found[0][0] } @found
    }
    is $same, $N, 'five at a time';
    for my $n (1, 63, 64, 65, 200) {
        $sth->execute;
        $sth->fetch for 1 .. $n;
        $sth->finish;
        $sth->execute;
        is $sth->fetch->[0], 1, "left after $n rows and begun again";
    }
    $sth->execute;
    $sth->fetch;
    undef $sth;
    is $dbh->selectrow_array('select count(*) from t'), $N, 'a statement let go in the middle';
}
{
    my $long = 'x' x 300_000;
    $dbh->do('create table l(id integer primary key, x)');
    $dbh->do('insert into l(x) values(?)', undef, $long) for 1 .. 12;
    my $count = 0;
    my $s     = $dbh->prepare('select x, id from l order by id');
    $s->execute;
    while (my ($x, $n) = $s->fetchrow_array) { $count++ if $x eq $long && $n == $count + 1 }
    is $count,                                          12,      'long values';
    is length $dbh->selectrow_array('select x from l'), 300_000, '... one';
}
{
    my $s = $dbh->prepare('select case when id > 500 then abs(-9223372036854775808) else id end from t order by id');
    $s->execute;
    my @got;
    ok !eval {
        while (my ($n) = $s->fetchrow_array) { push @got, $n }
        1
    }, 'an error after some rows';
    like $@, qr/^DBD::SQLite::st fetchrow_array failed: integer overflow at \Q$0\E/, '... its text';
    is_deeply \@got, [1 .. 500], '... the rows before it';
}
{
    my $s = $dbh->prepare('select * from t limit 1');
    $s->execute;
    is scalar @{ $s->fetch }, 3, 'three columns';
    $s->finish;
    $dbh->do('create table changing(a)');
    my $star = $dbh->prepare('select count(*) from changing');
    $star->execute;
    is $star->fetch->[0], 0, 'a statement';
    $dbh->do('alter table changing add column b');
    $star->execute;
    is $star->fetch->[0], 0, '... after the schema has changed';
}

done_testing;
