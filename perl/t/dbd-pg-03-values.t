# Values: what comes back for each type, arrays both ways, bytes, characters, booleans, blanks, quote.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use B ();
use DBI ':sql_types';
use DBD::Pg qw(:pg_types :pg_limits :async);

binmode $_, ':utf8' for map { Test::More->builder->$_ } qw(output failure_output todo_output);
my $pg  = TestServer::PostgreSQL->needed;
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0, RaiseError => 1, PrintWarn => 0 });

sub one { my ($sql, @binds) = @_; return scalar $dbh->selectrow_array($sql, undef, @binds) }

sub died {
    my ($code) = @_;
    return eval { $code->(); 1 } ? '' : $@
}

sub kind {
    my $flags = B::svref_2object(\$_[0])->FLAGS;
    return
          $flags & B::SVf_IOK  ? 'integer'
        : $flags & B::SVf_NOK  ? 'number'
        : utf8::is_utf8($_[0]) ? 'characters'
        :                        'bytes';
}

for (
    ['1::int2',                   1,                     'integer'],
    ['-7::int4',                  -7,                    'integer'],
    ['9223372036854775807::int8', '9223372036854775807', 'integer'],
    ['1.5::float8',               1.5,                   'number'],
    ["'Infinity'::float8",        9**9**9,               'number'],
    ['0.1::float4',               0.1,                   'number'],
    ['1.50::numeric',             '1.50',                'characters'],
    ["'x'::text",                 'x',                   'characters'],
    ["'é☃'::text",                'é☃',                  'characters'],
    ["'x'::char(3)",              'x  ',                 'characters'],
    ["'\\x00ff41'::bytea",        "\0\xffA",             'bytes'],
    ['true',                      1,                     'integer'],
    ['false',                     0,                     'integer'],
    ['7::oid',                    '7',                   'characters'],
    ["'2020-01-31'::date",        '2020-01-31',          'characters'],
    ["'1,2'::point",              '(1,2)',               'characters'],
    )
{
    my ($sql, $want, $kind) = @$_;
    my $value = $dbh->selectrow_arrayref("select $sql")->[0];
    is $value,       $want, $sql;
    is kind($value), $kind, "... as $kind";
}
is one('select null::int'),  undef, 'NULL';
is one("select 'a'::text",), 'a',   'text';

# arrays
is_deeply one('select array[1,2,null]'),                    [1, 2, undef],                   'an array of integers';
is_deeply one("select array[['a','b c'],['d\"e','f\\g']]"), [['a', 'b c'], ['d"e', 'f\\g']], 'two dimensions';
is_deeply one("select '{}'::int[]"),                        [],                              'an empty one';
is_deeply one("select '[2:3]={1,2}'::int[]"),               [1, 2],                          'with bounds';
is_deeply one(q{select array['NULL', null, '']}),           ['NULL', undef, ''],             'NULL the word and NULL';
is_deeply one('select array[true,false]'),                  [1, 0],                          'booleans';
is_deeply one("select array['(1,2),(3,4)'::box,'(5,6),(7,8)']"), ['(3,4),(1,2)', '(7,8),(5,6)'],
    'boxes have another separator';
is_deeply one('select array[1.10::numeric]'), [1.1], 'numeric';
is_deeply one("select array['é']"),           ['é'], 'characters';
is one('select ?::int[]::text', [1, 2]), '{1,2}', 'an array as a value';
is_deeply one('select ?::text[]', [['a"b', 'c\\d'], [undef, "é'"]]), [['a"b', 'c\\d'], [undef, "é'"]],
    '... there and back';
like died(sub { one('select ?::int[]', [[1], [2, 3]]) }), qr/^Invalid array - all arrays must be of equal size/,
    'rows of different length';
like died(sub { one('select ?::int[]', [{}]) }), qr/^Arrays must contain only scalars and other arrays/,
    'a hash in an array';
{
    local $dbh->{pg_expand_array} = 0;
    is one('select array[1,2]'), '{1,2}', 'pg_expand_array off';
}
{
    my $sth = $dbh->prepare('select array[1], 2');
    $sth->execute;
    $sth->bind_columns(\my ($array, $number));
    $sth->fetch;
    is_deeply [$array, $number], [[1], 2], 'an array in a bound column';
    $sth->execute;
    $sth->fetch;
    is_deeply [$array, $number], [[1], 2], '... again';
}

# booleans
{
    local $dbh->{pg_bool_tf} = 1;
    is one('select true'), 't', 'pg_bool_tf';
    is_deeply one('select array[false]'), ['f'], '... in arrays';
}
{
    my $sth = $dbh->prepare('select n = 1, n from generate_series(1, 2) as n order by n');
    $sth->execute;
    local $dbh->{pg_bool_tf} = 1;
    is_deeply $sth->fetch, ['t', 1], 'set while rows wait';
    is_deeply $sth->fetch, ['f', 2], '... all of them';
}

# characters and bytes
is one('select length(?::text)', 'é☃'),   2, 'characters are counted as such';
is one('select length(?::text)', "\xe9"), 1, 'a byte string is Latin-1';
is one("select '\xe9'::text"), 'é', '... in the statement too';
{
    local $dbh->{pg_enable_utf8} = 0;
    my $bytes = one("select chr(233)");
    is $bytes, "\xc3\xa9", 'pg_enable_utf8 0';
    ok !utf8::is_utf8($bytes), '... bytes';
}
{
    my $all = join '', map { chr } 0 .. 255;
    my $sth = $dbh->prepare('select ?::bytea');
    $sth->bind_param(1, $all, { pg_type => PG_BYTEA });
    $sth->execute;
    is $sth->fetch->[0], $all, 'all bytes by bytea';
    for my $type (SQL_BLOB, SQL_BINARY, SQL_VARBINARY, SQL_LONGVARBINARY) {
        $sth->bind_param(1, $all, $type);
        $sth->execute;
        is $sth->fetch->[0], $all, "... bound with type $type";
    }
    local $dbh->{pg_server_prepare} = 0;
    $sth = $dbh->prepare('select ?::bytea');
    $sth->bind_param(1, $all, { pg_type => PG_BYTEA });
    $sth->execute;
    is $sth->fetch->[0], $all, '... in the text of the statement';
    $dbh->do('set bytea_output = escape');
    is one("select '\\x00ff41'::bytea"), "\0\xffA", 'bytea_output escape';
    $dbh->do('reset bytea_output');
}
is one('select ?::text',        '1e3'),         '1e3',         'text that looks like a number';
is one('select ?::numeric + 0', 0.1),           '0.1',         'a number';
is one('select ?::int8',        PG_MAX_BIGINT), PG_MAX_BIGINT, 'PG_MAX_BIGINT';
is one('select ?::int8',        PG_MIN_BIGINT), PG_MIN_BIGINT, 'PG_MIN_BIGINT';
{

    package Texty;
    use overload '""' => sub { "text of $_[0][0]" };
}
is one('select ?::text', bless ['it'], 'Texty'), 'text of it', 'an object that is a string';
{
    local $dbh->{ChopBlanks} = 1;
    is_deeply $dbh->selectrow_arrayref(q{select 'x'::char(3), 'y '::text}), ['x', 'y '], 'ChopBlanks is for char(n)';
}

# quote
for (
    ["it's",            undef,       q{'it''s'}],
    ['a\\b',            undef,       q{E'a\\\\b'}],
    [undef,             undef,       'NULL'],
    ['12',              SQL_INTEGER, '12'],
    ['1e5',             SQL_FLOAT,   '1e5'],
    ['t',               SQL_BOOLEAN, 'TRUE'],
    ['',                { pg_type => PG_BOOL },  'FALSE'],
    ["\0'\\a\xff",      { pg_type => PG_BYTEA }, q{E'\\\\000''\\\\\\\\a\\\\377'}],
    ['(1,2)',           { pg_type => PG_POINT }, q{'(1,2)'}],
    ['[(1,2),(3,4)]',   { pg_type => PG_PATH },  q{'[(1,2),(3,4)]'}],
    ['user',            { pg_type => PG_NAME },  '"user"'],
    ['userz',           { pg_type => PG_NAME },  'userz'],
    [[1, 'a"b', undef], undef, q{E'{"1","a\\\\"b",NULL}'}],
    ["\x{2603}",        undef, "'\x{2603}'"],
    )
{
    my ($value, $type, $want) = @$_;
    is $dbh->quote($value, defined $type ? $type : ()), $want, 'quote gives ' . $want;
}
for (
    ['1.5', SQL_INTEGER, 'integer'], ['x', SQL_FLOAT, 'float'], ['maybe', SQL_BOOLEAN, 'boolean value'],
    ['<1>', { pg_type => PG_BOX },    'input for geometric type'],
    ['{1}', { pg_type => PG_CIRCLE }, 'input for circle type']
    )
{
    my ($value, $type, $what) = @$_;
    like died(sub { $dbh->quote($value, $type) }), qr/^Invalid $what at /, "quote of $value: invalid $what";
}
is $dbh->quote_identifier('a"b'),                   '"a""b"',          'quote_identifier';
is $dbh->quote_identifier(undef, 'my schema', 't'), '"my schema"."t"', '... with a schema';
is one('select ' . $dbh->quote("x'\\\n\t%é")),      "x'\\\n\t%é",      'what is quoted arrives as it was';

is PG_JSONB,                                         3802,        'a constant';
is PG_TEXTARRAY,                                     1009,        '... of an array';
is PG_ASYNC + PG_OLDQUERY_CANCEL + PG_OLDQUERY_WAIT, 7,           '... for asynchronous queries';
is $dbh->pg_type_info(PG_INT4),                      SQL_INTEGER, 'pg_type_info';

done_testing;
