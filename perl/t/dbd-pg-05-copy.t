# COPY in both directions, and what else is not possible meanwhile; large objects; notifications.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use File::Temp 'tempdir';
use TestServer::PostgreSQL;
use DBI;
use DBD::Pg;

my $pg = TestServer::PostgreSQL->needed;
my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };
sub warned { my @seen = @warned; @warned = (); return join '', @seen }
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0 });

sub died {
    my ($code) = @_;
    return eval { $code->(); 1 } ? '' : $@
}

sub rows {
    return join ' ', map {
        join ',',
            map { defined $_ ? $_ : '~' }
            @$_
    } @{ $dbh->selectall_arrayref('select * from t order by a') }
}

$dbh->do('create table t(a int, b text)');
is $dbh->do('copy t from stdin'), -1, 'COPY FROM';
like died(sub { $dbh->do('select 1') }), qr/^Must call pg_putcopyend before issuing more commands at /,
    '... other statements';
like died(sub { $dbh->pg_getcopydata(my $x) }),
    qr/^pg_getcopydata can only be called directly after issuing a COPY TO command/, '... the wrong way';
is $dbh->pg_putcopydata("1\tone\n"),            1,                              'pg_putcopydata';
is $dbh->pg_putcopydata("2\t\\N\n3\tt"),        1,                              '... a line and a half';
is $dbh->pg_putcopydata("hree\n4\t\x{2603}\n"), 1,                              '... the rest';
is $dbh->pg_putcopyend,                         1,                              'pg_putcopyend';
is rows(),                                      "1,one 2,~ 3,three 4,\x{2603}", 'arrived';
$dbh->begin_work;
$dbh->do('copy t from stdin');
is $dbh->ping, 2, 'ping in a COPY';
$dbh->rollback;
is $dbh->pg_putcopyend, 0, 'pg_putcopyend without a COPY';
like warned(), qr/^pg_putcopyend cannot be called until a COPY is issued at /, '... warns';
$dbh->do('copy t from stdin');
$dbh->pg_putcopydata("5\tfive\tV\n");
ok !$dbh->pg_putcopyend, 'data that do not fit';
is $dbh->state, '22P04', '... state';
is $dbh->ping,  1,       '... over';

is $dbh->do('copy t to stdout'), -1, 'COPY TO';
like died(sub { $dbh->do('select 1') }),
    qr/^Must call pg_getcopydata until no more rows before issuing more commands at /, '... other statements';
my @lines = ('') x 4;
{
    is $dbh->pg_getcopydata($lines[0]),  6, 'pg_getcopydata';
    is $dbh->pg_getcopydata(\$lines[1]), 5, '... into a reference';
    is $dbh->pg_getcopydata($lines[2]),  8, '... the third';
    1 until $dbh->pg_getcopydata_async($lines[3]);
    is $dbh->pg_getcopydata(my $end), -1, '... the end';
    is $end,                          '', '... of it';
    is_deeply \@lines, ["1\tone\n", "2\t\\N\n", "3\tthree\n", "4\t\x{2603}\n"], 'the lines';
    like died(sub { $dbh->pg_getcopydata(my $x) }), qr/^pg_getcopydata can only be called directly after/,
        'none after the end';
}
{
    my $n = 30_000;
    $dbh->do('create temp table big(a int, b text)');
    $dbh->do('copy big from stdin');
    $dbh->pg_putcopydata("$_\t" . 'x' x ($_ % 100) . "\n") for 1 .. $n;
    ok $dbh->pg_putcopyend, 'many rows in';
    is $dbh->selectrow_array('select count(*) from big'), $n, '... all of them';
    my ($count, $bytes) = (0, 0);
    $dbh->do('copy big to stdout');
    while ((my $size = $dbh->pg_getcopydata(my $line)) > 0) { $count++; $bytes += $size }
    is $count, $n,                                                                            'many rows out';
    is $bytes, $dbh->selectrow_array('select sum(length(a::text) + 2 + length(b)) from big'), '... to the byte';
}
{
    $dbh->do('copy t to stdout (format binary)');
    my $all = '';
    while ($dbh->pg_getcopydata(my $part) > 0) { $all .= $part }
    is substr($all, 0, 11), "PGCOPY\n\xff\r\n\0", 'binary COPY';
    $dbh->do('create temp table again(like t)');
    $dbh->do('copy again from stdin (format binary)');
    $dbh->pg_putcopydata($all);
    ok $dbh->pg_putcopyend, '... and back';
    is $dbh->selectrow_array('select count(*) from again'), 4, '... arrived';
}
{
    $dbh->begin_work;
    $dbh->do('copy t to stdout');
    $dbh->pg_getcopydata(my $one);
    ok $dbh->rollback, 'rollback ends a COPY';
    is $dbh->selectrow_array('select 5'), 5, '... and all is well';
    $dbh->do('copy t from stdin');
    is $dbh->pg_putline("9\tnine\n"), 1, 'pg_putline';
    is $dbh->pg_endcopy,              1, 'pg_endcopy';
    $dbh->do('copy (select 1) to stdout');
    is $dbh->pg_getline(my $line, 100), 1,     'pg_getline';
    is $line,                           "1\n", '... the line';
    is $dbh->pg_getline($line, 100),    '',    '... the end';
}

# large objects
like died(sub { $dbh->pg_lo_creat(0x60000) }), qr/^Cannot call pg_lo_creat when AutoCommit is on at /,
    'large objects need a transaction';
$dbh->begin_work;
{
    my $oid = $dbh->pg_lo_creat($dbh->{pg_INV_WRITE});
    like $oid, qr/^[1-9]\d*\z/, 'pg_lo_creat';
    my $fd = $dbh->pg_lo_open($oid, $dbh->{pg_INV_WRITE});
    is $fd, 0, 'pg_lo_open';
    my $data = join '', map { chr } 0 .. 255;
    is $dbh->pg_lo_write($fd, $data, 256),  256,       'pg_lo_write';
    is $dbh->pg_lo_write($fd, 'abcdef', 3), 3,         '... a part';
    is $dbh->pg_lo_tell($fd),               259,       'pg_lo_tell';
    is $dbh->pg_lo_lseek($fd, 255, 0),      255,       'pg_lo_lseek';
    is $dbh->pg_lo_read($fd, my $got, 10),  4,         'pg_lo_read';
    is $got,                                "\xffabc", '... bytes';
    is $dbh->pg_lo_truncate($fd, 5),        0,         'pg_lo_truncate';
    is $dbh->pg_lo_lseek($fd, 0, 2),        5,         '... shorter';
    ok $dbh->pg_lo_close($fd), 'pg_lo_close';
    my $sth = $dbh->prepare('select 1');
    is $sth->blob_read($oid, 1, 2), "\1\2", 'blob_read';
    my $file = tempdir(CLEANUP => 1) . '/object';
    ok $dbh->pg_lo_export($oid, $file), 'pg_lo_export';
    is -s $file, 5, '... the file';
    my $copy = $dbh->pg_lo_import($file);
    isnt $copy,                      $oid,         'pg_lo_import';
    is $sth->blob_read($copy, 0, 0), "\0\1\2\3\4", '... the same bytes';
    is $dbh->pg_lo_unlink($_),       1,            'pg_lo_unlink' for $oid, $copy;
}
ok !defined $dbh->pg_lo_open(1, $dbh->{pg_INV_READ}), 'one that is not there';
$dbh->rollback;
ok !$dbh->pg_lo_import('/nonexistent/file'), 'a file that is not there';

# notifications
is $dbh->pg_notifies, undef, 'no notification';
$dbh->do('listen here');
my $other = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0 });
$other->do("notify here, 'payload $_'") for 1, 2;
$other->do('notify elsewhere');
my (@got, $tries);
while (@got < 2 && $tries++ < 200) {
    my $one = $dbh->pg_notifies;
    push @got, $one if $one;
    select undef, undef, undef, 0.01 if !$one
}
is_deeply \@got, [map { ['here', $other->{pg_pid}, "payload $_"] } 1, 2], 'pg_notifies';
is $dbh->pg_notifies, undef, '... no more';

done_testing;
