# Backup, status, limits, configuration, and the functions that need no connection.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;
use DBD::SQLite::Constants
    qw(:run_time_limit_categories :database_connection_configuration_options :result_codes SQLITE_TXN_NONE SQLITE_TXN_WRITE SQLITE_OPEN_READONLY);

my $dir = tempdir(CLEANUP => 1);
my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0 });
$dbh->do('create table t(a)');
$dbh->do('insert into t values(1),(2)');

is SQLITE_BUSY,                                                    5,  'a constant';
is SQLITE_LIMIT_VARIABLE_NUMBER,                                   9,  'another';
is DBD::SQLite::Constants::SQLITE_DENY(),                          1,  '... by its full name';
is scalar @{ $DBD::SQLite::Constants::EXPORT_TAGS{result_codes} }, 31, 'a tag';

ok $dbh->sqlite_backup_to_file("$dir/copy.db"), 'backup_to_file';
my $copy = DBI->connect("dbi:SQLite:$dir/copy.db", '', '', { PrintError => 0 });
is_deeply $copy->selectcol_arrayref('select a from t'), [1, 2], '... the copy';
$copy->do('insert into t values(3)');
ok $dbh->sqlite_backup_from_file("$dir/copy.db"), 'backup_from_file';
is_deeply $dbh->selectcol_arrayref('select a from t'), [1, 2, 3], '... is there';
$copy->do('insert into t values(4)');
ok $dbh->sqlite_backup_from_dbh($copy), 'backup_from_dbh';
is_deeply $dbh->selectcol_arrayref('select a from t'), [1, 2, 3, 4], '... is there';
$dbh->do('delete from t where a > 1');
ok $dbh->sqlite_backup_to_dbh($copy), 'backup_to_dbh';
is_deeply $copy->selectcol_arrayref('select a from t'), [1], '... is there';
ok !$dbh->sqlite_backup_to_file('/nonexistent/x.db'), 'a file that cannot be made';
is $dbh->errstr, 'unable to open database file', '... error';

my $status = $dbh->sqlite_db_status;
is_deeply [sort keys %{ $status->{cache_used} }], [qw(current highwater)], 'db_status';
ok $status->{schema_used}{current} > 0, '... a number';
my $sth = $dbh->prepare('select * from t order by a');
$sth->execute;
$sth->fetchall_arrayref;
is $sth->sqlite_st_status->{sort}, 1, 'st_status';
ok DBD::SQLite::sqlite_status()->{memory_used}{current} > 0, 'sqlite_status';
ok scalar(grep { /FTS/ } DBD::SQLite::compile_options()),    'compile_options';
is DBD::SQLite::strlike('a%', 'ABC', ''),   0, 'strlike: matches';
isnt DBD::SQLite::strlike('b%', 'ABC', ''), 0, '... does not';
is DBD::SQLite::strglob('a*', 'abc'),       0, 'strglob: matches';
isnt DBD::SQLite::strglob('a*', 'xbc'),     0, '... does not';

my $limit = $dbh->sqlite_limit(SQLITE_LIMIT_VARIABLE_NUMBER);
ok $limit > 900, 'limit';
is $dbh->sqlite_limit(SQLITE_LIMIT_VARIABLE_NUMBER, 5), $limit, '... the old one';
is $dbh->sqlite_limit(SQLITE_LIMIT_VARIABLE_NUMBER),    5,      '... the new one';
ok !$dbh->prepare('select ?6'), '... holds';
is $dbh->sqlite_db_config(SQLITE_DBCONFIG_ENABLE_FKEY, -1), 0, 'db_config';
is $dbh->sqlite_db_config(SQLITE_DBCONFIG_ENABLE_FKEY, 1),  1, '... set';
is $dbh->selectrow_array('pragma foreign_keys'), 1, '... holds';
ok !$dbh->sqlite_db_config(SQLITE_DBCONFIG_LOOKASIDE, 1), 'an option that is no number';
is $dbh->errstr, 'SQLITE_DBCONFIG_LOOKASIDE is not supported', '... error';

is $dbh->sqlite_txn_state, SQLITE_TXN_NONE, 'txn_state';
$dbh->begin_work;
$dbh->do('insert into t values(5)');
is $dbh->sqlite_txn_state('main'), SQLITE_TXN_WRITE, '... in a transaction';
$dbh->rollback;
is $dbh->sqlite_txn_state('nosuch'), -1, '... of nothing';
ok !$dbh->sqlite_db_filename, 'no file';
is $copy->sqlite_db_filename, "$dir/copy.db", 'a file';
$copy->disconnect;
is $copy->sqlite_db_filename, undef, '... after disconnect';

my $reader =
    DBI->connect("dbi:SQLite:$dir/copy.db", '', '', { PrintError => 0, sqlite_open_flags => SQLITE_OPEN_READONLY });
ok $reader->{ReadOnly},           'sqlite_open_flags';
ok !$reader->do('delete from t'), '... read only';
ok !DBI->connect("dbi:SQLite:$dir/missing.db", '', '', { PrintError => 0, sqlite_open_flags => SQLITE_OPEN_READONLY }),
    '... makes no file';

done_testing;
