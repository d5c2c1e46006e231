# DBD::Pg: statements that fail, as the server or the driver says it, and the handle that goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use ServerTest;
use Test::More;

my $f   = flavour('Pg');
my $dbh = $f->connect;
$dbh->do('create table t (id int primary key, n int check (n < 100), name varchar(10))');
$dbh->do(q(insert into t values (1, 1, 'one')));

# A failure, and that the handle works afterwards.
sub refuses {
    my ($name, $code, $err, $state, $text) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    fails($code, $name, err => $err, state => $state, errstr => $text);
    my $answer = eval { $dbh->selectrow_array('select 42') };
    is($answer, 42, "after that ($name) the handle goes on") or diag $@;
    return;
}

sub sql {
    my @do = @_;
    return sub { $dbh->do($do[0], undef, @do[1 .. $#do]) }
}

refuses('a syntax error', sql('selec 1'), 7, '42601',
    qr/^ERROR:  syntax error at or near "selec"\nLINE 1: selec 1\n        \^$/);
refuses('no such table', sql('select * from nope'), 7, '42P01', qr/^ERROR:  relation "nope" does not exist\nLINE 1:/);
refuses(
    'a key twice', sql(q(insert into t values (1, 1, 'again'))), 7, '23505',
    qr/^ERROR:  duplicate key value violates unique constraint "t_pkey"\nDETAIL:  Key \(id\)=\(1\) already exists\.$/
);
refuses('a check', sql('insert into t values (2, 100, null)'), 7, '23514', qr/violates check constraint "t_n_check"/);
refuses('a text too long', sql('insert into t values (?, ?, ?)', 3, 3, 'x' x 11), 7, '22001',
    qr/value too long for type character varying\(10\)/);
refuses('a division', sql('select 1 / ?::int', 0), 7, '22012', qr/^ERROR:  division by zero/);
refuses('not a number', sql('select ?::int', 'zzz'), 7, '22P02',
    qr/^ERROR:  invalid input syntax for type integer: "zzz"/);
is($dbh->selectrow_array('select count(*) from t'), 1, 'none of them wrote anything');

# binding
my $two    = $dbh->prepare('select ?::int, ?::int');
my $counts = qr/^called with (\d) bind variables when 2 are needed$/;
refuses('one value of two',     sub { $two->execute(1) },        -1, 'S1000', $counts);
refuses('three values of two',  sub { $two->execute(1, 2, 3) },  -1, 'S1000', $counts);
refuses('one value of two, do', sql('select ?::int, ?::int', 1), -1, 'S1000', $counts);
refuses('one value of two, select', sub { $dbh->selectrow_array('select ?::int, ?::int', undef, 1) }, -1, 'S1000',
    $counts);
is(join(',', $dbh->selectrow_array($two, undef, 7, 8)), '7,8', 'with two it works');
refuses('no values', sub { $dbh->prepare('select ?::int, ?::int')->execute }, 7, '',
    qr/^execute called with an unbound placeholder$/);

# encoding
{
    local $dbh->{pg_enable_utf8} = 0;
    refuses('bytes that are not UTF-8', sql('select ?::text', "a\xff"), 7, '22021',
        qr/^ERROR:  invalid byte sequence for encoding "UTF8": 0xff/);
}
is($dbh->selectrow_array('select ?::text', undef, "\x{263a}\x{e9}"), "\x{263a}\x{e9}", 'text goes there and back');

# size
refuses('a value that is too large', sql(q(select repeat(?::text, 1100000000)), 'a'), 7, '54000',
    qr/^ERROR:  requested length too large/);
my $large = join '', map { pack 'N', $_ * 2_654_435_761 % 4_294_967_296 } 1 .. 5_000_000;
my $bytes = $dbh->prepare('select md5(?::bytea), ?::bytea');
$bytes->bind_param($_, $large, { pg_type => DBD::Pg::PG_BYTEA() }) for 1, 2;
$bytes->execute;
my ($md5, $back) = $bytes->fetchrow_array;
$bytes->finish;
is($md5, md5_hex($large), '20 MB of bytes arrive');
ok($back eq $large, 'and come back');

# time
$dbh->do('set statement_timeout = 100');
refuses('a statement that takes too long', sql('select pg_sleep(20)'), 7, '57014',
    qr/^ERROR:  canceling statement due to statement timeout/);
$dbh->do('reset statement_timeout');
my $id      = $f->session_id($dbh);
my $cancels = in_background(sub {
    BridgeTest::eventually(sub { $f->running('sleep(21') });
    $f->server->sql("select pg_cancel_backend($id)");
});
refuses('a statement that somebody cancels', sql('select pg_sleep(21)'), 7, '57014',
    qr/^ERROR:  canceling statement due to user request/);
stop_background($cancels);

# an error in the middle of a result
my $middle = outcome(sub {
    my $sth = $dbh->prepare('select 1 / (90000 - i) from generate_series(1, 100000) i');
    $sth->execute;
    my $rows = 0;
    $rows++ while $sth->fetch;
    "all $rows rows";
});
like($middle->{errstr}, qr/^ERROR:  division by zero/, 'an error in the middle of a result is no end of it');
is($middle->{state},                   '22012', 'with its state');
is($dbh->selectrow_array('select 42'), 42,      'the handle goes on');

# a transaction that has failed
$dbh->begin_work;
$dbh->do('insert into t values (10, 10, null)');
fails(sql('selec 1'), 'a syntax error in a transaction', err => 7, state => '42601');
fails(
    sql('select 1'), 'every further statement', err => 7, state => '25P02',
    errstr => qr/^ERROR:  current transaction is aborted, commands ignored until end of transaction block/
);
fails(sub { $dbh->selectrow_array('select 1') }, 'and selects', err => 7, state => '25P02');
$dbh->rollback;
is($dbh->selectrow_array('select count(*) from t'), 1, 'after rollback nothing of it is there');

# savepoints
$dbh->begin_work;
$dbh->do('insert into t values (11, 11, null)');
$dbh->pg_savepoint('here');
fails(sql('insert into t values (11, 11, null)'), 'a key twice after a savepoint', state => '23505');
$dbh->pg_rollback_to('here');
$dbh->do('insert into t values (12, 12, null)');
$dbh->commit;
is(join(',', map { $_->[0] } @{ $dbh->selectall_arrayref('select id from t order by id') }), '1,11,12',
    'what was before and after is there');

# serialization failure
my $other = $f->connect;
$_->do('set default_transaction_isolation = serializable') for $dbh, $other;
for ($dbh, $other) { $_->begin_work; $_->selectrow_array('select sum(n) from t') }
$dbh->do('insert into t values (20, 20, null)');
$other->do('insert into t values (21, 21, null)');
$dbh->commit;
fails(sub { $other->commit }, 'a transaction that cannot be serialized', err => 7, state => '40001',
    errstr => qr/^ERROR:  could not serialize access/);
is($dbh->selectrow_array('select count(*) from t where id = 21'), 0, 'it is not there');
$other->disconnect;

# a batch with bad tuples
my $insert = $dbh->prepare('insert into t values (?, ?, ?)');
my @status;
my $done = eval {
    $insert->execute_array({ ArrayTupleStatus => \@status }, [30, 1, 31, 32], [1, 2, 100, 4], ['a', 'b', 'c', 'd'])
};
ok(!$done, 'a batch with a key twice and a failed check fails');
is($status[0], 1, 'the first was inserted');
is_deeply([map { ref $_ ? $_->[2] : $_ } @status[0 .. 3]], [1, '23505', '23514', 1], 'each tuple has its state')
    or diag explain \@status;
is(join(',', map { $_->[0] } @{ $dbh->selectall_arrayref('select id from t where id >= 30 order by id') }), '30,32',
    'the good ones are there, once');

done_testing;
