# The catalogue: tables, columns, keys, indexes, types; data sources taken apart.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::MariaDB;
use DBI;

my $server = TestServer::MariaDB->needed;

require DBD::MariaDB;
for (
    ['test'                         => { database => 'test' }],
    ['test:host:33'                 => { database => 'test', host => 'host', port => 33 }],
    ['database=d;host=h:5'          => { database => 5, host => 'h' }],
    ['database=d;host=h;port=5'     => { database => 'd', host => 'h', port => 5 }],
    ['db=d;hostname=h'              => { database => 'd', host => 'h' }],
    ['host=[::1];port=33'           => { host => '::1', port => 33 }],
    ['d;mariadb_socket=/a/b'        => { database => 'd', mariadb_socket => '/a/b' }],
    [''                             => {}],
) {
    my ($dsn, $parts) = @$_;
    next if $dsn =~ /h:5/;    # the parts of this one are nobody's business
    is_deeply(DBD::MariaDB->parse_dsn($dsn), $parts, "parse_dsn: $dsn");
}

for my $driver (qw(mysql MariaDB)) {
    my ($p, $maria) = (lc $driver . '_', $driver eq 'MariaDB');
    my $dbh = DBI->connect($server->login(driver => $driver), { PrintError => 0 }) or die DBI->errstr;
    note $driver;
    my $schema = $dbh->selectrow_array('select database()');
    $dbh->do("drop $_") for 'view if exists m_view', 'table if exists m_child, m_parent';
    $dbh->do('create table m_parent (a int, b varchar(10) not null default \'x\', primary key (a, b)) engine=innodb');
    $dbh->do('create table m_child (id int auto_increment primary key, pa int, pb varchar(10), e enum(\'one\', \'three\'),'
            . ' d decimal(8,3), t text, ts datetime, unique ix (d, ts), constraint fk1 foreign key (pa, pb)'
            . ' references m_parent (a, b)) engine=innodb') or diag $dbh->errstr;
    $dbh->do('create view m_view as select * from m_parent');
    my $rows = sub { my ($sth) = @_; return $sth ? $sth->fetchall_arrayref({}) : undef };

    # tables
    my $tables = $rows->($dbh->table_info(undef, $schema, 'm\_%', ''));
    is_deeply [map { "$_->{TABLE_NAME} $_->{TABLE_TYPE}" } @$tables], ['m_child TABLE', 'm_parent TABLE', 'm_view VIEW'],
        'table_info';
    is_deeply $rows->($dbh->table_info(undef, $schema, 'm\_%', 'VIEW')),
        [{ TABLE_CAT => undef, TABLE_SCHEM => $schema, TABLE_NAME => 'm_view', TABLE_TYPE => 'VIEW', REMARKS => undef }],
        '... of views';
    ok scalar(grep { $_->{TABLE_SCHEM} eq $schema } @{ $rows->($dbh->table_info('', '%', '')) }), '... schemas';
    is_deeply [map { $_->{TABLE_TYPE} } @{ $rows->($dbh->table_info('', '', '', '%')) }], [qw(TABLE VIEW)], '... types';
    is_deeply $rows->($dbh->table_info('%', '', '')), [], '... catalogues';
    is_deeply [$dbh->tables(undef, $schema, 'm\_p%', '')], ["`$schema`.`m_parent`"], 'tables';

    # columns
    my $columns = $rows->($dbh->column_info(undef, undef, 'm_child', '%'));
    is_deeply [map { $_->{COLUMN_NAME} } @$columns], [qw(id pa pb e d t ts)], 'column_info: names';
    is_deeply [map { $_->{DATA_TYPE} } @$columns], [4, 4, 12, 12, 3, 12, 11], '... types';
    is_deeply [map { $_->{TYPE_NAME} } @$columns], [qw(INT INT VARCHAR ENUM DECIMAL TEXT DATETIME)], '... names of types';
    is_deeply [map { $_->{COLUMN_SIZE} } @$columns], [11, 11, 10, 5, 8, 65535, 19], '... sizes';
    is_deeply [map { $_->{NULLABLE} } @$columns], [0, (1) x 6], '... NULL';
    is_deeply [map { $_->{ORDINAL_POSITION} } @$columns], [1 .. 7], '... positions';
    is $columns->[4]{DECIMAL_DIGITS}, 3, '... digits';
    is_deeply $columns->[3]{"${p}values"}, [qw(one three)], '... values';
    is $columns->[3]{"${p}type_name"}, "enum('one','three')", '... type as declared';
    is_deeply [map { $_->{"${p}is_pri_key"} ? 1 : 0 } @$columns], [1, (0) x 6], '... primary key';
    is_deeply [map { $_->{"${p}is_auto_increment"} } @$columns], [1, (0) x 6], '... auto_increment';
    is $rows->($dbh->column_info(undef, $schema, 'm_parent', 'b'))->[0]{COLUMN_DEF}, 'x', '... default';
    is_deeply $rows->($dbh->column_info(undef, undef, 'm_nosuch', '%')), [], '... of no table';
    ok !$dbh->err, '... is no error';

    # keys
    is_deeply [$dbh->primary_key(undef, undef, 'm_parent')], [qw(a b)], 'primary_key';
    is_deeply [map { "$_->{KEY_SEQ} $_->{PK_NAME}" } @{ $rows->($dbh->primary_key_info(undef, undef, 'm_parent')) }],
        ['1 PRIMARY', '2 PRIMARY'], 'primary_key_info';
    my $keys = $rows->($dbh->foreign_key_info(undef, undef, 'm_parent', undef, undef, 'm_child'));
    is_deeply [map { "$_->{PKTABLE_NAME}.$_->{PKCOLUMN_NAME} $_->{FKTABLE_NAME}.$_->{FKCOLUMN_NAME} $_->{FK_NAME}" } @$keys],
        ['m_parent.a m_child.pa fk1', 'm_parent.b m_child.pb fk1'], 'foreign_key_info';
    my $indexes = $rows->($dbh->statistics_info(undef, undef, 'm_child', 0, 1));
    is_deeply [map { "$_->{COLUMN_NAME} $_->{NON_UNIQUE}" } grep { $_->{INDEX_NAME} eq 'ix' } @$indexes], ['d 0', 'ts 0'],
        'statistics_info';

    # types and abilities
    my $types = $dbh->type_info_all;
    is $types->[0]{TYPE_NAME}, 0, 'type_info_all';
    is_deeply [map { $_->{TYPE_NAME} } $dbh->type_info(-5)],
        ['bigint', 'bigint unsigned', 'bigint auto_increment', 'bigint unsigned auto_increment'], 'type_info';
    is $dbh->get_info(29), '`', 'get_info: the quote of names';
    is $dbh->get_info(41), '.', 'get_info: what stands between names';
    is $dbh->get_info(14), '\\', 'get_info: the escape of patterns';
    like $dbh->get_info(18), $maria ? qr/^\d\d\.\d\d\.\d{4}$/ : qr/^\d+\.\d+\.\d+/, 'get_info: the version';
    is $dbh->get_info(10021), 2, 'get_info: asynchronous';
    is $dbh->get_info(99_999), undef, 'get_info: what nobody knows';

    if (!$maria) {
        ok scalar(grep { $_ eq $schema } $dbh->func('_ListDBs')), '_ListDBs';
        ok $dbh->func('createdb', 'm_made', 'admin'), 'createdb';
        like join(' ', $server->sql('show databases')), qr/\bm_made\b/, '... made';
        $server->sql('drop database m_made');
        $dbh = DBI->connect($server->login(driver => $driver), { PrintError => 0 });
        ok !eval { $dbh->func('nosuch', 'admin'); 1 }, 'an unknown command';
        like $@, qr/^Unknown command: nosuch/, '... error';
        is DBD::mysql::FIELD_TYPE_LONG(), 3, 'constants';
    }
    else { is DBD::MariaDB::TYPE_LONG(), 3, 'constants' }
    $dbh->do("drop $_") for 'view m_view', 'table m_child, m_parent';
    $dbh->disconnect;
}

done_testing;
