# Columns that are not there, and attributes that are no lists of names: the errors scripts know.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL');
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 });
my $sql = 'select 1 a, 2 b';
sub try { my ($code) = @_; my $got = eval { $code->() }; print $got ? "(@{$got})" : $@ =~ /(.*) at script/, "\n" }
try(sub { $dbh->selectcol_arrayref($sql, { Columns => [5] }) });
try(sub { $dbh->selectcol_arrayref($sql, { Columns => [1, 0] }) });
try(sub { $dbh->selectcol_arrayref($sql, { Columns => [2, 1] }) });
try(sub { $dbh->selectall_arrayref($sql, { Slice => 'x' }) });
try(sub { $dbh->selectall_arrayref($sql, { Slice => \{ 9 => 'x' } }) });
try(sub { $dbh->selectall_arrayref($sql, { Slice => \"x" }) });
$dbh->{FetchHashKeyName} = 'bogus';
try(sub { $dbh->selectrow_hashref($sql) });
try(sub { $dbh->selectall_hashref($sql, 'a') });
my $sth = $dbh->prepare('create table t (a integer primary key)');
$sth->execute;
$sth = $dbh->prepare('insert into t values (7)');
$sth->execute;
print $sth->last_insert_id, $sth->last_insert_id(undef, undef, 't', 'a');
PERL
is($result->{out}, <<'TEXT' . '77', 'messages; $sth->last_insert_id');
bind_col: column 5 is not a valid column (1..2)
bind_col: column 0 is not a valid column (1..2)
(2 1)
Can't use string ("x") as an ARRAY ref while "strict refs" in use
bind_col: column 10 is not a valid column (1..2)
DBD::SQLite::db selectall_arrayref failed: fetchall_arrayref(SCALAR) invalid
DBD::SQLite::db selectrow_hashref failed: Can't use attribute 'bogus' because it doesn't contain a reference to an array (undef)
DBD::SQLite::db selectall_hashref failed: Field 'a' does not exist (not one of )
TEXT
is($result->{err}, '', 'no warnings');

SKIP: {
    require Config;
    skip 'a perl without threads', 2 if !$Config::Config{useithreads};
    my $threads = perl(<<'PERL');
use threads;
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
print threads->create(sub { DBI->connect('dbi:SQLite:dbname=:memory:', '', '', {})->selectrow_array('select 5') })->join;
PERL
    is($threads->{out}, 5,  'a thread after a driver was loaded');
    is($threads->{err}, '', 'says nothing');
}

done_testing;
