# A select that fails on its way, without RaiseError: the rows before the error, and the error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $script = <<'PERL';
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { PrintError => 0 });
$dbh->do('create table t (a)');
$dbh->do('insert into t values (?)', undef, $_) for (1) x $ARGV[0], '-9223372036854775808', 5;
my $sql = 'select abs(cast(a as integer)) from t';
my $sth = $dbh->prepare($sql);
for my $way (
    sub { $dbh->selectall_arrayref($sql) },
    sub { $dbh->selectall_arrayref($sql, { Slice => {} }) },
    sub { $dbh->selectcol_arrayref($sql) },
    sub { $sth->execute; $sth->fetchall_arrayref },
    sub { $sth->execute; $sth->fetchall_arrayref({}) },
    ) {
    $dbh->{ErrCount} = 0;
    my $rows = $way->();
    print $rows ? scalar @{$rows} : 'undef', ' ', $dbh->err, "\n";
}
PERL
for my $n (3, 3000) {
    my $result = perl($script, args => [$n]);
    is($result->{out}, "$n 1\n" x 5, "$n rows before it");
    is($result->{err}, '',           'no warnings');
}

done_testing;
