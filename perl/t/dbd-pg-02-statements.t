# Statements: placeholders of three kinds, what prepare, execute, do and fetch give and tell, errors.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI ':sql_types';
use DBD::Pg qw(:pg_types);

my $pg  = TestServer::PostgreSQL->needed;
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0, PrintWarn => 0 });

sub one { my ($sql, @binds) = @_; return scalar $dbh->selectrow_array($sql, undef, @binds) }

sub died {
    my ($code) = @_;
    return eval { $code->(); 1 } ? '' : $@
}

# what is a placeholder, and what only looks like one
for (
    ['select ?::int',                                                           1],
    ["select ?::int, '?', \"x?\" from (select 1 as \"x?\") as t -- ?\n/* ? */", 1],
    ["select \$\$ ? \$\$, ?::int",                                              1],
    ["select \$a\$ ? \$b\$ \$a\$, ?::int",                                      1],
    ["select E'\\'?', ?::int",                                                  1],
    ["select '\\', ?::int",                                                     1],
    ['select $2::int, $1::int, $2::int',                                        2],
    ['select :a::int, :b::int, :a::int',                                        2],
    ['select (array[1,2,3])[1:2], ?::int',                                      1],
    [q{select '{"a":1}'::jsonb \? 'a'},                                         0],
    [q{select '{"a":1}'::jsonb \? ?},                                           1],
    ["select 1::int",                                                           0],
    )
{
    my ($sql, $n) = @$_;
    my $sth = $dbh->prepare($sql);
    is $sth->{NUM_OF_PARAMS}, $n, "placeholders of: $sql";
    for my $at (1 .. $n) { $sth->bind_param($sql =~ /:a/ ? (':a', ':b')[$at - 1] : $at, $sql =~ /jsonb/ ? 'a' : $at) }
    ok $sth->execute, '... runs' or diag $sth->errstr;
}
is_deeply $dbh->selectrow_arrayref('select $2::int, $1::int', undef, 7, 8), [8, 7], '$2 before $1';
{
    my $sth = $dbh->prepare('select :b::text || :a::text || :b::text');
    $sth->bind_param(':a', 'x');
    $sth->bind_param(':b', 'y');
    $sth->execute;
    is $sth->fetch->[0], 'yxy', 'named placeholders';
    is_deeply $sth->{ParamValues}, { ':a' => 'x', ':b' => 'y' }, '... ParamValues';
    like died(sub { $sth->bind_param(':c', 1) }), qr/^Cannot bind unknown placeholder ':c' at /,
        '... one that is not there';
    like died(sub { $sth->bind_param(1, 1) }), qr/^Placeholders must begin with ':'/, '... a number';
}
like died(sub { $dbh->prepare('select $2') }),    qr/^Invalid placeholders: must start at \$1/,          'a gap';
like died(sub { $dbh->prepare('select ?, $1') }), qr/^Cannot mix placeholder styles "\?" and "\$1" at /, 'two styles';
like died(sub { $dbh->prepare('') }),             qr/^Cannot prepare empty statement at /,               'nothing';
{
    local $dbh->{pg_placeholder_dollaronly} = 1;
    is $dbh->prepare('select ? :a $1')->{NUM_OF_PARAMS}, 1, 'pg_placeholder_dollaronly';
}
is $dbh->prepare('select ? :a', { pg_placeholder_nocolons => 1 })->{NUM_OF_PARAMS}, 1, 'pg_placeholder_nocolons';
{
    local $dbh->{pg_placeholder_escaped} = 0;
    is $dbh->prepare('select a \\? b')->{NUM_OF_PARAMS}, 1, 'pg_placeholder_escaped off';
}
$dbh->do('set standard_conforming_strings = off');
is $dbh->prepare(q{select '\\'?', ?})->{NUM_OF_PARAMS}, 1, 'backslashes while standard_conforming_strings is off';
$dbh->do('set standard_conforming_strings = on');

# execute
$dbh->do('create temp table t(id int, name text, price numeric(7,2), raw bytea, at timestamp(0))');
{
    my $sth = $dbh->prepare('insert into t(id, name) values (?, ?)');
    is $sth->{NAME},            undef, 'NAME before execute';
    is $sth->rows,              -1,    'rows before execute';
    is $sth->execute(1, 'one'), 1,     'execute';
    is $sth->rows,              1,     '... rows';
    is $sth->{NUM_OF_FIELDS},   undef, '... no fields';
    is_deeply $sth->{NAME}, [], '... no names';
    like $sth->{pg_cmd_status}, qr/^INSERT 0 1/, '... pg_cmd_status';
    $sth->execute($_, "number $_") for 2 .. 5;
    ok !defined $sth->execute(1), 'too few values';
    is $sth->errstr, 'called with 1 bind variables when 2 are needed', '... errstr';
    is $sth->err,    -1,                                               '... err';
    ok !defined $sth->fetch, 'fetch of an insert';
    is $sth->errstr, 'no statement executing', '... errstr';
    $sth = $dbh->prepare('select ?::int, ?::int');
    $sth->bind_param(1, 1);
    ok !defined $sth->execute, 'a placeholder without a value';
    is $sth->errstr,        'execute called with an unbound placeholder', '... errstr';
    is $sth->{pg_numbound}, 1,                                            '... pg_numbound';
    is_deeply $sth->{pg_bound}, { 1 => 1, 2 => 0 }, '... pg_bound';
}
is $dbh->do('update t set price = id where id > ?', undef, 3),           2,     'do with a value';
is $dbh->do('update t set price = 0 where false'),                       '0E0', 'do that finds nothing';
is $dbh->do('select * from t'),                                          5,     'do of a select';
is $dbh->do('create temp table u(a int)'),                               '0E0', 'do of a command without a count';
is $dbh->do('insert into u values (1), (2); delete from u where a = 1'), 1, 'several statements: the last one counts';
ok !$dbh->do(''), 'do of nothing';
is $dbh->do('set search_path to ?', undef, 'pg_catalog'), '0E0',        'a value where the server takes none';
is one('show search_path'),                               'pg_catalog', '... arrived';
$dbh->do('reset search_path');
is $dbh->do('insert into u values (?)', undef, $DBDPG_DEFAULT), 1, '$DBDPG_DEFAULT';
is one('select count(*) from u where a is null'),               1, '... was NULL';

{
    my $sth = $dbh->prepare('select id, name, price, raw, at, id + 1 from t order by id');
    is $sth->execute,         5, 'execute of a select';
    is $sth->{NUM_OF_FIELDS}, 6, 'NUM_OF_FIELDS';
    is_deeply $sth->{NAME},      [qw(id name price raw at ?column?)],          'NAME';
    is_deeply $sth->{TYPE},      [4, -1, 2, -3, 11, 4],                        'TYPE';
    is_deeply $sth->{pg_type},   [qw(int4 text numeric bytea timestamp int4)], 'pg_type';
    is_deeply $sth->{PRECISION}, [4, undef, 7, undef, 8, 4],                   'PRECISION';
    is_deeply $sth->{SCALE},     [undef, undef, 2, undef, undef, undef],       'SCALE';
    is_deeply $sth->{NULLABLE},  [1, 1, 1, 1, 1, 2],                           'NULLABLE';
    is_deeply $sth->{pg_size},   [4, -1, -1, -1, 8, 4],                        'pg_size';
    is $sth->{pg_current_row}, 0, 'pg_current_row';
    is_deeply $sth->fetch, [1, 'one', undef, undef, undef, 2], 'the first row';
    is $sth->{pg_current_row},              1,  '... pg_current_row';
    is $sth->rows,                          5,  '... rows';
    is $sth->{Active},                      1,  '... Active';
    is scalar @{ $sth->fetchall_arrayref }, 4,  'the others';
    is $sth->{Active},                      '', '... not Active';
    is $sth->rows,                          5,  '... rows';
    is $sth->execute,                       5,  'once more';
    $sth->finish;
    ok !defined $sth->fetch, 'fetch after finish';
    is $sth->errstr, 'no statement executing', '... errstr';
    is_deeply [map { $_ ? 1 : 0 } @{ $sth->pg_canonical_ids }], [1, 1, 1, 1, 1, 0], 'pg_canonical_ids';
    like $sth->pg_canonical_names->[1], qr/^pg_temp_\d+\.t\.name\z/, 'pg_canonical_names';
}
is $dbh->prepare('select 1 where false')->execute, '0E0', 'no rows';

# the same with types
{
    my $sth = $dbh->prepare('select ?::text');
    $sth->bind_param(1, 5, SQL_INTEGER);
    is_deeply $sth->{ParamTypes}, { 1 => { TYPE => SQL_INTEGER } }, 'ParamTypes';
    $sth->bind_param(1, '(1,2)', { pg_type => PG_POINT });
    is_deeply $sth->{ParamTypes}, { 1 => { pg_type => PG_POINT } }, '... that SQL does not know';
    like died(sub { $sth->bind_param(1, 1, { pg_type => 9999 }) }), qr/^Cannot bind 1 unknown pg_type 9999 at /,
        'an unknown type';
    like died(sub { $sth->bind_param(2, 1) }), qr/^Cannot bind unknown placeholder 2 \(2\) at /,
        'an unknown placeholder';
    like died(sub { $sth->bind_param(1, {}) }), qr/^Cannot bind a reference/, 'a hash';
    $sth = $dbh->prepare('select ? + 1');
    $sth->bind_param(1, undef, SQL_INTEGER);
    $sth->execute(41);
    is $sth->fetch->[0], 42, 'a type stays with its placeholder';
    ok !defined $sth->execute('forty'), 'a value of another type';
    is $sth->state, '22P02', '... state';
    $sth = $dbh->prepare('select 1 + ?::int', { pg_server_prepare => 0 });
    $sth->bind_param(1, 1, SQL_INTEGER);
    like died(sub { $sth->execute('10foo') }), qr/^Invalid integer at /, 'checked here without pg_server_prepare';
    is $sth->execute(4), 1, '... and a good one';
    is $sth->fetch->[0], 5, '... value';
    my ($a, $b) = (10, 'x');
    $sth = $dbh->prepare('select 1 + ?::int, ?::text');
    $sth->bind_param_inout(1, \$a, 0);
    $sth->bind_param(2, 'y');
    $a = 20;
    $sth->execute;
    $sth->fetch;
    is $a, 21, 'bind_param_inout';
}
{
    $dbh->do('prepare mine(int) as select $1 * 2');
    my $sth = $dbh->prepare('select ?', { pg_switch_prepared => 1 });
    $sth->{pg_prepare_name} = 'mine';
    $sth->execute(21);
    is $sth->fetch->[0], 42, 'pg_prepare_name' if $DBI::BRIDGE;    # the other one runs the dummy the first time
    for my $switch (0, 1, 2, 3, -1) {
        my $again = $dbh->prepare('select ?::int', { pg_switch_prepared => $switch });
        is join(',', map { $again->execute($_); $again->fetch->[0] } 1 .. 4), '1,2,3,4', "pg_switch_prepared $switch";
    }
}

# errors
{
    ok !defined $dbh->do('select * from nonesuch'), 'no such table';
    is $dbh->err,   7,       'err';
    is $dbh->state, '42P01', 'state';
    is $dbh->errstr,
        qq{ERROR:  relation "nonesuch" does not exist\nLINE 1: select * from nonesuch\n                      ^},
        'errstr';
    is $dbh->pg_error_field('sqlstate'),                   '42P01', 'pg_error_field';
    is $dbh->pg_error_field('PG_DIAG_STATEMENT_POSITION'), 15,      '... by its long name';
    is $dbh->pg_error_field('hint'),                       undef,   '... that is not there';
    local $dbh->{pg_errorlevel} = 0;
    $dbh->do('select * from nonesuch');
    is $dbh->errstr, 'ERROR:  relation "nonesuch" does not exist at character 15', 'pg_errorlevel 0';
    $dbh->{pg_errorlevel} = 2;
    $dbh->do('select * from nonesuch');
    like $dbh->errstr, qr/\AERROR:  42P01: .*\nLOCATION:  /s, 'pg_errorlevel 2';
    $dbh->{pg_errorlevel} = 9;
    is $dbh->{pg_errorlevel}, 1, 'a level that is none';
    local $dbh->{RaiseError} = 1;
    like died(sub { $dbh->selectall_arrayref('select 1/0') }),
        qr/^DBD::Pg::db selectall_arrayref failed: ERROR:  division by zero at /, 'RaiseError';
    is $dbh->ping, 1, 'alive after all that';
}
{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    local $dbh->{PrintWarn} = 1;
    $dbh->do(q{do $$ begin raise notice 'hello'; raise warning 'careful'; end $$});
    is join('', @warned), "NOTICE:  hello\nWARNING:  careful\n", 'notices are warnings';
    @warned = ();
    $dbh->{PrintWarn} = 0;
    $dbh->do(q{do $$ begin raise notice 'hello'; end $$});
    is_deeply \@warned, [], '... unless PrintWarn is off';
}

done_testing;
