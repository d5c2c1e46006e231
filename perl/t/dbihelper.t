# DBIHelper is DBI under another name.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../cpan", "$FindBin::Bin/../lib";

use Test::More;

use DBIHelper qw(:sql_types);

my $dbh = DBIHelper->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 0, PrintError => 0 });
isa_ok($dbh, 'DBI::db', 'a handle');
is($dbh->selectrow_array('select 6 * 7'), 42, 'that works');
is(SQL_INTEGER(),                         4,  'the types are imported');
ok(!$dbh->do('no such sql'), 'an error');
is($DBIHelper::errstr, $DBI::errstr, 'is in its variable, too');
like($DBIHelper::errstr, qr/syntax error/, 'as DBI has it');
is_deeply([DBIHelper->available_drivers(1)], [DBI->available_drivers(1)], 'class methods are those of DBI');
is(DBIHelper::neat('x'), DBI::neat('x'), 'and functions');
my $cached = DBIHelper->connect_cached('dbi:SQLite:dbname=:memory:', '', '', { PrintError => 0 });
is($cached, DBI->connect_cached('dbi:SQLite:dbname=:memory:', '', '', { PrintError => 0 }),
    'connect_cached finds the same handle');
ok(!eval { DBIHelper->frobnicate; 1 }, 'what DBI has not, it has not');
like($@, qr/Can't locate object method "frobnicate" via package "DBIHelper".* at \Q$0\E line/, 'and says so');
is(DBIHelper->can('connect') ? 1 : 0, 1, 'can');

done_testing;
