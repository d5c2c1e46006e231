# What the database tells of itself: tables, columns, keys, indexes, types, get_info, last_insert_id.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;
use DBD::Pg;

my $pg  = TestServer::PostgreSQL->needed;
my $dbh = DBI->connect($pg->socket_dsn, 'postgres', '', { PrintError => 0, PrintWarn => 0 });
my $db  = $dbh->{pg_db};
$dbh->do($_) or die $dbh->errstr for split /;\s*/, <<'SQL';
create schema s;
set search_path = s, public;
create table par(id serial primary key, code varchar(10) unique not null, n numeric(8,2) default 1.5 check (n > 0), "Mixed Case" text, arr int[]);
comment on table par is 'the parent';
comment on column par.code is 'its code';
create table kid(a int, b int, pid int references par(id) on delete cascade on update set null, primary key (b, a));
create table kid2(x int, y int, foreign key (y, x) references kid(b, a));
create unique index kid_expr on kid(lower(pid::text));
create index kid_part on kid(pid desc nulls last) where pid > 5;
create view vw as select * from par;
create materialized view mv as select 1 as one;
create type mood as enum ('sad', 'ok', 'it''s');
create table en(m mood not null, g int generated always as identity primary key);
create table par2(id2 serial primary key);
create table child(extra text) inherits (par2);
create table plain(a int);
create temp table passing(i int)
SQL

sub rows {
    my ($sth, @columns) = @_;
    return [map { [@$_{@columns}] } @{ $sth->fetchall_arrayref({}) }]
}

is_deeply rows($dbh->table_info(undef, 's', undef, undef), qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS)), [
    [$db, 's', 'mv', 'MATERIALIZED VIEW', undef],
    map({ [$db, 's', $_, 'TABLE', $_ eq 'par' ? 'the parent' : undef] } qw(child en kid kid2 par par2 plain)),
    [$db, 's', 'vw', 'VIEW', undef],
    ],
    'table_info';
is_deeply rows($dbh->table_info(undef, 's',   'k%',  'TABLE,VIEW'), 'TABLE_NAME'), [['kid'], ['kid2']], '... a pattern';
is_deeply rows($dbh->table_info('',    '',    'par', "'TABLE'"),    'pg_schema'),  [['s']], '... a type in quotes';
is_deeply rows($dbh->table_info(undef, undef, 'passing', undef),    'TABLE_TYPE'), [['LOCAL TEMPORARY']],
    '... a temporary one';
is_deeply rows($dbh->table_info(undef, 'pg_catalog', 'pg_class', undef), 'TABLE_TYPE'), [['SYSTEM TABLE']],
    '... a system table';
is_deeply rows($dbh->table_info(undef, undef, undef, 'DUMMY'), 'TABLE_NAME'), [], '... a type that is none';
is_deeply rows($dbh->table_info('%', '', ''), 'TABLE_CAT'), [[$db]], '... catalogs';
ok scalar(grep { $_->[0] eq 's' } @{ rows($dbh->table_info('', '%', ''), 'TABLE_SCHEM') }), '... schemas';
is scalar @{ rows($dbh->table_info('', '', '', '%'), 'TABLE_TYPE') }, 9, '... types';
is_deeply [$dbh->tables(undef, 's', 'kid%', 'TABLE')], ['s.kid', 's.kid2'], 'tables';
is_deeply [$dbh->tables(undef, 's', 'kid', 'TABLE', { pg_noprefix => 1 })], ['kid'], '... pg_noprefix';

is_deeply rows(
    $dbh->column_info('', 's', 'par', undef), qw(COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE NULLABLE REMARKS COLUMN_DEF
        ORDINAL_POSITION IS_NULLABLE pg_type pg_constraint pg_column)
    ),
    [
    ['id',   4,  'integer',           4, 0, undef, q{nextval('par_id_seq'::regclass)}, 1, 'NO', 'integer', undef, 'id'],
    ['code', 12, 'character varying', 10, 0, 'its code', undef, 2, 'NO', 'character varying(10)', undef, 'code'],
    ['n',    2,  'numeric', '2,8',        1, undef, '1.5', 3, 'YES', 'numeric(8,2)', 'CHECK ((n > (0)::numeric))', 'n'],
    ['"Mixed Case"', -1, 'text',      undef, 1, undef, undef, 4, 'YES', 'text',      undef, 'Mixed Case'],
    ['arr',          0,  'integer[]', undef, 1, undef, undef, 5, 'YES', 'integer[]', undef, 'arr'],
    ],
    'column_info';
is_deeply rows($dbh->column_info('', 's', 'en', 'm'), qw(DATA_TYPE pg_enum_values)), [[12, ['sad', 'ok', "it's"]]],
    '... of an enum';
is_deeply rows($dbh->column_info(undef, 's', undef, 'a'), 'TABLE_NAME'), [['kid'], ['plain']],
    '... a column of any table';

is_deeply [$dbh->primary_key(undef, undef, 'kid')], ['b', 'a'], 'primary_key';
is_deeply rows($dbh->primary_key_info(undef, 's', 'par'), qw(TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME DATA_TYPE)),
    [['par', 'id', 1, 'par_pkey', 'int4']], 'primary_key_info';
is_deeply rows($dbh->primary_key_info(undef, 's', 'kid', { pg_onerow => 2 }), 'COLUMN_NAME'), [[['b', 'a']]],
    '... pg_onerow 2';
is_deeply rows($dbh->primary_key_info(undef, 's', 'kid', { pg_onerow => 1 }), 'COLUMN_NAME'), [['b, a']],
    '... pg_onerow 1';
is_deeply rows($dbh->primary_key_info(undef, 's', 'plain'), 'COLUMN_NAME'), [], '... of a table without one';

my @fk =
    qw(UK_TABLE_NAME UK_COLUMN_NAME FK_TABLE_NAME FK_COLUMN_NAME ORDINAL_POSITION UPDATE_RULE DELETE_RULE FK_NAME UK_NAME DEFERABILITY
    UNIQUE_OR_PRIMARY UK_DATA_TYPE FK_DATA_TYPE);
is_deeply rows($dbh->foreign_key_info(undef, 's', 'par', undef, undef, undef), @fk),
    [['par', 'id', 'kid', 'pid', 1, 2, 0, 'kid_pid_fkey', 'par_pkey', 7, 'PRIMARY', 'int4', 'int4']],
    'foreign_key_info';
is_deeply rows($dbh->foreign_key_info(undef, undef, undef, undef, 's', 'kid2'), @fk[0 .. 4]),
    [['kid', 'b', 'kid2', 'y', 1], ['kid', 'a', 'kid2', 'x', 2]], '... from the other side';
is_deeply rows($dbh->foreign_key_info(undef, 'x', 'par', undef, undef, undef), @fk), [],
    '... of a table that is not there';

is_deeply [map { [@$_[3, 5 .. 9, 12 .. 15]] } @{ $dbh->statistics_info(undef, 's', 'kid', 0, 0)->fetchall_arrayref }], [
    [0,     'kid_expr', 'btree', 1, undef, 'A', undef,       'lower(pid::text)', 1, 'last'],
    [0,     'kid_pkey', 'btree', 1, 'b',   'A', undef,       'b',                1, 'last'],
    [0,     'kid_pkey', 'btree', 2, 'a',   'A', undef,       'a',                1, 'last'],
    [1,     'kid_part', 'btree', 1, 'pid', 'D', '(pid > 5)', 'pid',              1, 'last'],
    [undef, undef,      'table', (undef) x 7],
    ],
    'statistics_info';
is scalar @{ $dbh->statistics_info(undef, 's', 'kid', 1, 0)->fetchall_arrayref }, 3,     '... unique ones';
is $dbh->statistics_info(undef, undef, undef, 0, 0),                              undef, '... of no table';

is_deeply [sort keys %{ $dbh->type_info(4) }], [sort keys %{ $dbh->type_info_all->[0] }], 'type_info';
is $dbh->type_info(4)->{TYPE_NAME}, 'int4',       '... of SQL_INTEGER';
is $dbh->get_info(17),              'PostgreSQL', 'get_info by number';
is $dbh->get_info('SQL_DBMS_NAME'), 'PostgreSQL', '... by name';
like $dbh->get_info(18), qr/^\d\d\.\d\d\.\d\d00\z/, '... the server\'s version';
is $dbh->get_info(7),                                 '03.16.0000', '... the driver\'s';
is $dbh->get_info(16),                                $db,          '... the database';
is $dbh->get_info(47),                                'postgres',   '... the user';
is $dbh->get_info(25),                                'N',          '... read-only';
is $dbh->get_info('nonsense'),                        undef,        '... what it does not know';
is scalar @{ $dbh->func('par', 'table_attributes') }, 5,            'table_attributes';

$dbh->do("insert into par(code) values ('a'), ('b')");
is $dbh->last_insert_id(undef, 's', 'par', undef), 2, 'last_insert_id';
is $dbh->last_insert_id(undef, undef, 'par', undef, { sequence => 'par_id_seq' }), 2, '... by sequence';
is $dbh->last_insert_id(undef, undef, undef, undef, 's.par_id_seq'),               2, '... by its name';
$dbh->do("insert into child(extra) values ('c')");
is $dbh->last_insert_id(undef, undef, 'child', undef), 1, '... of a table that inherits';
my $sth = $dbh->prepare("insert into en(m) values ('ok')");
$sth->execute;
is $sth->last_insert_id(undef, undef, 'en', undef), 1, '... of an identity column, by the statement';

for (
    [[undef, undef, undef,      undef], 'last_insert_id needs at least a sequence or table name'],
    [[undef, undef, 'nonesuch', undef], 'Could not find the table "nonesuch"'],
    [[undef, 'x',   'par',      undef], 'Could not find the table "par" in the schema "x"'],
    [[undef, undef, 'plain',    undef], qq{No suitable column found for last_insert_id of table "plain"\n}],
    [[undef, undef, 'par', undef, []], 'last_insert_id must be passed a hashref as the final argument'],
    )
{
    my ($args, $text) = @$_;
    ok !defined $dbh->last_insert_id(@$args), "fails: $text";
    is $dbh->errstr, $text, '... errstr';
}

done_testing;
