# What a script changes while a select is open shows in the rows to come, as SQLite reads them: row by row. Under any DBD::SQLite.
use strict;
use warnings;
use Test::More;

require DBI;
my $dbh = eval { DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 }) }
    or plan skip_all => "no DBD::SQLite: $@";
$dbh->do('create table t (id integer primary key, name text, x integer)');
my $rows;     # in the table
my $bound;    # fetch into bound columns

sub fill {
    $dbh->do('delete from t');
    my $sth = $dbh->prepare('insert into t values (?, ?, 0)');
    $dbh->begin_work;
    $sth->execute($_, 'n' . $_ % 3) for 1 .. $rows;
    $dbh->commit;
    return;
}

sub each_row {    # calls $work for each row of the table; what was seen, as id/x
    my ($work) = @_;
    my $sth = $dbh->prepare('select id, name, x from t order by id');
    $sth->execute;
    my @seen;
    $sth->bind_columns(\my ($id, $name, $x)) if $bound;
    while (my $row = $sth->fetch) {
        push @seen, "$row->[0]/$row->[2]";
        $work->(@$row);
    }
    return join ' ', @seen;
}

sub numbered { my ($x) = @_; return join ' ', map { "$_/" . $x->($_) } 1 .. $rows }

my $later = $dbh->prepare('update t set x = x + 1 where id > ?');
my $set   = $dbh->prepare('update t set x = ? where id = ?');
for my $case ([5, 0], [5, 1], [300, 0], [300, 1]) {
    ($rows, $bound) = @$case;
    my $what = "$rows rows" . ($bound ? ', bound' : '');

    # The row after the one at hand has been read already.
    fill();
    is each_row(sub { $later->execute($_[0]) }), numbered(sub { $_[0] < 3 ? 0 : $_[0] - 2 }), "$what: rows to come change";
    fill();
    is each_row(sub { $dbh->do('update t set x = x + 10 where id = ?', undef, $_[0]) }), numbered(sub { 0 }),
        '... the row at hand changes';
    is $dbh->selectrow_array('select sum(x) from t'), 10 * $rows, '... once each';
    fill();
    is each_row(sub { $dbh->do('update t set x = x + ? where id = ?', undef, $_, $_[0] + 1) for 10, 100 }),
        numbered(sub { 0 }), '... two changes a row';
    fill();
    each_row(sub { $dbh->do('delete from t where name = ? and id <> ?', undef, @_[1, 0]) });
    cmp_ok $dbh->selectrow_array('select count(*) from t'), '>=', 2, '... no name is deleted altogether'
        if $rows == 300;
    is $dbh->selectrow_array('select count(*) from t'), 3, '... duplicates are deleted' if $rows == 5;
    fill();
    is each_row(sub { $dbh->do("insert into t values (?, 'new', 7)", undef, $_[0] + 1000) if $_[0] < 1000 }),
        join(' ', numbered(sub { 0 }), map { ($_ + 1000) . '/7' } 1 .. $rows), '... rows are added';
    fill();
    is each_row(sub { $set->execute_array({}, [5, 6], [$_[0], $_[0] + 1]) }), numbered(sub { 0 }), '... by execute_array';
    for my $how ('method', 'text') {
        fill();
        $how eq 'text' ? $dbh->do('BEGIN') : $dbh->begin_work;
        $dbh->do('update t set x = 7');
        my $seen = each_row(sub { $_[0] == 2 or return; $how eq 'text' ? $dbh->do('ROLLBACK') : $dbh->rollback });
        is $seen, numbered(sub { $_[0] < 4 ? 7 : 0 }), "... rollback, as $how";
    }
}

$rows = 5;
fill();
my $sth = $dbh->prepare('select id, x from t order by id');
$sth->execute;
my @seen = "@{ $sth->fetch }";
$dbh->do('update t set x = 1');
push @seen, map { "@$_" } @{ $sth->fetchall_arrayref };
is "@seen", '1 0 2 0 3 1 4 1 5 1', 'the rest by fetchall_arrayref';
is $sth->rows, 5, '... all rows are counted, once';

fill();
$sth->execute;
@seen = join ' ', @{ $sth->fetchrow_hashref }{qw(id x)};
while (my $row = $sth->fetchrow_hashref) {
    $dbh->do('update t set x = x + 1');
    push @seen, "$row->{id} $row->{x}";
}
is "@seen", '1 0 2 0 3 0 4 1 5 2', 'by fetchrow_hashref';

fill();
my $inner = $dbh->prepare('select x from t where id = ?');
my @pairs;
$sth->execute;
while (my ($id) = $sth->fetchrow_array) {
    $set->execute($id * 2, $id);
    $inner->execute($id);
    push @pairs, $id . '=' . $inner->fetchrow_array;
    $inner->finish;
}
is "@pairs", '1=2 2=4 3=6 4=8 5=10', 'selects inside the loop';

done_testing();
