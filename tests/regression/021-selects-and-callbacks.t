# What watches prepare sees the statements of do and of the select methods too.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $callbacks = perl(<<'PERL');
use DBI;
my @seen;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '',
    { RaiseError => 1, Callbacks => { prepare => sub { push @seen, $_[1]; return } } });
$dbh->do('create table t (a)');
$dbh->do('insert into t values (?)', undef, 3);
$dbh->selectrow_array('select 1');
$dbh->selectall_arrayref('select 2');
$dbh->selectcol_arrayref('select 3');
$dbh->selectall_hashref('select 4 a', 'a');
print join '|', @seen;
PERL
is($callbacks->{out}, 'insert into t values (?)|select 1|select 2|select 3|select 4 a', 'Callbacks => { prepare }');

my $subclass = perl(<<'PERL');
use DBI;
{ package My; our @ISA = 'DBI'; package My::st; our @ISA = 'DBI::st'; package My::db; our @ISA = 'DBI::db';
  sub prepare { my $dbh = shift; print "$_[0]|"; return $dbh->SUPER::prepare(@_) } }
my $dbh = My->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
$dbh->do('create table t (a)');
print $dbh->do('insert into t values (?)', undef, 3), ' row|';
print $dbh->selectrow_array('select 1');
PERL
is($subclass->{out}, 'insert into t values (?)|1 row|select 1|1', 'a subclass with its own prepare');
is($_->{err}, '', 'no warnings') for $callbacks, $subclass;

done_testing;
