# What the database tells about itself: table_info and its kin, type_info, get_info, column metadata.
use strict;
use warnings;
use Test::More;
use DBI;

my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, RaiseError => 1 });
my $t_p = 'CREATE TABLE p(id integer primary key, x text unique, y)';
my $t_c =
q{CREATE TABLE c(a int references p(id) on delete cascade, b text not null default 'z' collate nocase, c varchar(10) default 5, d decimal(10,2), primary key(a,b), foreign key(b) references p(x) deferrable initially deferred)};
$dbh->do($t_p);
$dbh->do($t_c);
$dbh->do('create index ci on c(b,c)');
$dbh->do('CREATE VIEW v as select * from p');
$dbh->do('create temp table tt(z)');
$dbh->do("attach ':memory:' as aux1");
$dbh->do('create table aux1.q(id)');

sub rows { my ($sth) = @_; return $sth->fetchall_arrayref }

sub some {
    my ($sth, @names) = @_;
    return [map { [@$_{@names}] } @{ $sth->fetchall_arrayref({}) }]
}

{
    my $all = $dbh->table_info;
    is_deeply $all->{NAME}, [qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS sqlite_sql)], 'table_info: names';
    is_deeply rows($all), [
        [undef, 'main', 'c',                  'INDEX',           undef, undef],
        [undef, 'main', 'c',                  'INDEX',           undef, 'CREATE INDEX ci on c(b,c)'],
        [undef, 'main', 'p',                  'INDEX',           undef, undef],
        [undef, 'temp', 'tt',                 'LOCAL TEMPORARY', undef, 'CREATE TABLE tt(z)'],
        [undef, 'main', 'sqlite_master',      'SYSTEM TABLE',    undef, undef],
        [undef, 'temp', 'sqlite_temp_master', 'SYSTEM TABLE',    undef, undef],
        [undef, 'aux1', 'q',                  'TABLE',           undef, 'CREATE TABLE q(id)'],
        [undef, 'main', 'c',                  'TABLE',           undef, $t_c],
        [undef, 'main', 'p',                  'TABLE',           undef, $t_p],
        [undef, 'main', 'v',                  'VIEW',            undef, 'CREATE VIEW v as select * from p'],
        ],
        '... all of them';
    my @name = qw(TABLE_SCHEM TABLE_NAME TABLE_TYPE);
    is_deeply some($dbh->table_info(undef, 'main', 'p%'), @name), [['main', 'p', 'INDEX'], ['main', 'p', 'TABLE']],
        '... by pattern';
    is_deeply some($dbh->table_info(undef, undef, undef, 'VIEW,LOCAL TEMPORARY'), @name),
        [['temp', 'tt', 'LOCAL TEMPORARY'], ['main', 'v', 'VIEW']], '... by type';
    is_deeply rows($dbh->table_info('%', '', '')), [[(undef) x 5]], '... catalogs';
    is_deeply rows($dbh->table_info('', '%', '')), [map { [undef, $_, undef, undef, undef] } qw(aux1 main temp)],
        '... schemas';
    is_deeply rows($dbh->table_info('', '', '', '%')),
        [map { [undef, undef, undef, $_, undef] } 'LOCAL TEMPORARY', 'SYSTEM TABLE', 'TABLE', 'VIEW'], '... types';
    $dbh->do('create table aux1.a_b(x)');
    $dbh->do('create table aux1.axb(x)');
    is_deeply some($dbh->table_info(undef, undef, 'a\\_b', undef, { Escape => '\\' }), 'TABLE_NAME'), [['a_b']],
        '... escape';
    is_deeply [$dbh->tables(undef, undef, 'p', 'TABLE')], ['"main"."p"'], 'tables';
}

{
    my $info = $dbh->column_info(undef, undef, 'c', '%');
    is_deeply $info->{NAME}, [
        qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE BUFFER_LENGTH DECIMAL_DIGITS
            NUM_PREC_RADIX NULLABLE REMARKS COLUMN_DEF SQL_DATA_TYPE SQL_DATETIME_SUB CHAR_OCTET_LENGTH ORDINAL_POSITION IS_NULLABLE)
        ],
        'column_info: names';
    is_deeply some($info,
        qw(TABLE_SCHEM TABLE_NAME COLUMN_NAME TYPE_NAME COLUMN_SIZE DECIMAL_DIGITS NULLABLE COLUMN_DEF ORDINAL_POSITION IS_NULLABLE)
    ), [
        ['main', 'c', 'a', 'INT',     undef, undef, 1, undef, 1, 'YES'],
        ['main', 'c', 'b', 'TEXT',    undef, undef, 0, "'z'", 2, 'NO'],
        ['main', 'c', 'c', 'varchar', 10,    undef, 1, 5,     3, 'YES'],
        ['main', 'c', 'd', 'decimal', 10,    2,     1, undef, 4, 'YES'],
        ],
        '... of a table';
    is_deeply some($dbh->column_info(undef, 'main', 'p', 'x'), 'COLUMN_NAME', 'ORDINAL_POSITION'), [['x', 2]],
        '... one column';
    is_deeply some($dbh->column_info(undef, undef, 'v', '%'), 'COLUMN_NAME'), [['id'], ['x'], ['y']], '... of a view';
    is_deeply rows($dbh->column_info(undef, undef, 'nosuch', '%')),           [],                     '... of nothing';
}

{
    my $info = $dbh->primary_key_info(undef, undef, 'c');
    is_deeply $info->{NAME}, [qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME)],
        'primary_key_info: names';
    is_deeply rows($info), [[undef, 'main', 'c', 'a', 1, 'PRIMARY KEY'], [undef, 'main', 'c', 'b', 2, 'PRIMARY KEY']],
        '... of two columns';
    is_deeply some($dbh->primary_key_info(undef, undef, '%'), 'TABLE_NAME', 'COLUMN_NAME'),
        [[qw(p id)], [qw(c a)], [qw(c b)]], '... of all tables';
    is_deeply [$dbh->primary_key(undef, undef, 'c')], [qw(a b)], 'primary_key';
    $dbh->do('create table named(n1, n2, constraint the_key primary key (n2, n1))');
    is_deeply some($dbh->primary_key_info(undef, undef, 'named'), qw(COLUMN_NAME KEY_SEQ PK_NAME)),
        [['n2', 1, 'the_key'], ['n1', 2, 'the_key']], '... with a name';
}

{
    my $info = $dbh->foreign_key_info(undef, undef, undef, undef, undef, 'c');
    is_deeply $info->{NAME}, [
        qw(PKTABLE_CAT PKTABLE_SCHEM PKTABLE_NAME PKCOLUMN_NAME FKTABLE_CAT FKTABLE_SCHEM FKTABLE_NAME FKCOLUMN_NAME KEY_SEQ
            UPDATE_RULE DELETE_RULE FK_NAME PK_NAME DEFERRABILITY UNIQUE_OR_PRIMARY)
        ],
        'foreign_key_info: names';
    my $both = [
        [undef, 'main', 'p', 'x',  undef, 'main', 'c', 'b', 1, 3, 3, undef, undef, 5, 'UNIQUE'],
        [undef, 'main', 'p', 'id', undef, 'main', 'c', 'a', 1, 3, 0, undef, undef, 7, 'PRIMARY'],
    ];
    is_deeply rows($info), $both, '... of a table';
    is_deeply rows($dbh->foreign_key_info(undef, undef,  'p',   undef, undef,  undef)), $both, '... to a table';
    is_deeply rows($dbh->foreign_key_info(undef, 'main', 'p',   undef, 'main', 'c')),   $both, '... between two';
    is_deeply rows($dbh->foreign_key_info(undef, 'aux1', undef, undef, undef,  'c')), [], '... to another schema: none';
}

{
    my $info = $dbh->statistics_info(undef, undef, 'c', 0, 0);
    is_deeply $info->{NAME}, [
        qw(TABLE_CAT TABLE_SCHEM TABLE_NAME NON_UNIQUE INDEX_QUALIFIER INDEX_NAME TYPE ORDINAL_POSITION COLUMN_NAME
            ASC_OR_DESC CARDINALITY PAGES FILTER_CONDITION)
        ],
        'statistics_info: names';
    is_deeply rows($info), [
        [undef, 'main', 'c', 1, undef, 'ci',                   'btree', 1, 'b', undef, undef, undef, undef],
        [undef, 'main', 'c', 1, undef, 'ci',                   'btree', 2, 'c', undef, undef, undef, undef],
        [undef, 'main', 'c', 0, undef, 'sqlite_autoindex_c_1', 'btree', 1, 'a', undef, undef, undef, undef],
        [undef, 'main', 'c', 0, undef, 'sqlite_autoindex_c_1', 'btree', 2, 'b', undef, undef, undef, undef],
        ],
        '... all indexes';
    is_deeply some($dbh->statistics_info(undef, undef, 'C', 1, 0), 'INDEX_NAME'), [(['sqlite_autoindex_c_1']) x 2],
        '... the unique ones';
}

{
    my ($index, @types) = @{ $dbh->type_info_all };
    is_deeply [map { [@$_[@$index{qw(TYPE_NAME DATA_TYPE LITERAL_PREFIX NULLABLE SEARCHABLE)}]] } @types],
        [[undef, 0, undef, undef, undef], ['INTEGER', 4, undef, 2, 3], ['REAL', 8, undef, 1, 3],
        ['TEXT', 12, "'", 1, 3], ['BLOB', 30, undef, 1, 3]], 'type_info_all';
    is $dbh->type_info(12)->{TYPE_NAME}, 'TEXT', 'type_info';
    my %fact = (2 => 'dbi:SQLite::memory:', 13 => ':memory:', 14 => '\\', 17 => 'SQLite', 18 => $dbh->{sqlite_version},
        25 => 'N', 29 => '"', 41 => '.', 42 => 'database', 10004 => 'UTF-8');
    is $dbh->get_info($_),     $fact{$_}, "get_info $_" for sort { $a <=> $b } keys %fact;
    is $dbh->get_info(99_999), undef,     'get_info of nothing';
    like $dbh->get_info(89), qr/\bGLOB\b/, 'keywords';
    is_deeply $dbh->sqlite_table_column_metadata(undef, 'p', 'id'),
        { data_type => 'integer', collation_name => 'BINARY', not_null => 0, primary => 1, auto_increment => 0 },
        'table_column_metadata';
    is lc $dbh->sqlite_table_column_metadata('main', 'c', 'b')->{collation_name}, 'nocase', '... collation';
    is_deeply $dbh->sqlite_table_column_metadata('main', 'nosuch', 'b'), {}, '... of nothing';
}

done_testing;
