# A destructor that runs in global destruction can still use a database handle that is there, or is told why not; and nobody else
# hears a word of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;

my $keep = <<'PERL';
use DBI;
our $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
our $sth = $dbh->prepare('select 1 union select 2');
$sth->execute;
our %kept = (dbh => $dbh, sth => $sth);
my $circle = { sth => $sth };
$circle->{self} = $circle;
PERL

my $version = perl('print $]')->{out};
for my $at (0 .. 5) {    # where perl begins to clear depends on what else is there
    my $other  = "our \@other = map { { at => \$_ } } 1 .. $at * 60;";
    my $result = perl(<<"PERL");
$other
$keep
{ package Late; sub DESTROY {
    local (\$@, \$?);
    my \@row = eval { \$main::dbh ? \$main::dbh->selectrow_array('select 42') : 42 };
    print \$row[0] ? "row \$row[0]" : "error \$@";
} }
our \$late = bless {}, 'Late';
exit 7;
PERL
    is($result->{status}, 7,  "$at: the exit status");
    is($result->{err},    '', 'nothing is said');
    if ($version >= 5.014) { is($result->{out}, 'row 42', 'the destructor had its row') }
    else { like($result->{out}, qr/^(?:row 42|error Can't call selectrow_array on DBI::db)/, 'the row, or why not') }
}

my $handler = perl("\$SIG{__DIE__} = sub { print 'HANDLER' };\n$keep");
is_deeply([@{$handler}{qw(out err status)}], ['', '', 0], 'the end alone calls no die handler');

done_testing;
