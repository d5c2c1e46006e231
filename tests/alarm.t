# alarm and die in the middle of a call: the script gets its own error, the call is
# cancelled, and the session goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $result = perl(<<'PERL', args => ["$WORLD/t.db"]);
use CPANBridge;
use DBI;
use Time::HiRes 'time';
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
my $forever = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000000000) select max(i) from n';
local $SIG{ALRM} = sub { die "enough\n" };
for my $way ('selectall_arrayref', 'do', 'selectrow_array') {
    my $begin = time;
    alarm 1;
    my $done = eval { $dbh->$way($forever); 1 };
    my $error = $@;
    alarm 0;
    print "$way: ", $done ? 'done' : $error =~ /enough/ ? 'enough' : $error, "\n";
    printf "%s late\n", $way if time - $begin > 8;
    $begin = time;
    print "$way then: ", $dbh->selectrow_array("select '$way'"), "\n";
    printf "%s then late\n", $way if time - $begin > 8;
}
$dbh->do('create table t (a)');
$dbh->begin_work;
$dbh->do('insert into t values (1)');
alarm 1;
eval { $dbh->do($forever); 1 };
alarm 0;
$dbh->do('insert into t values (2)');
$dbh->commit;
print 'rows: ', join(',', map { $_->[0] } @{ $dbh->selectall_arrayref('select a from t') }), "\n";
PERL
like($result->{out}, qr/^$_: enough\n$_ then: $_$/m, "$_ is left by a die, and the connection works on")
    for qw(selectall_arrayref do selectrow_array);
unlike($result->{out}, qr/late/, 'at once');
like($result->{out}, qr/^rows: 1,2$/m, 'a transaction around it is whole');
is($result->{err}, '', 'without a word');

# The script exits in the middle of a call: nothing keeps running.
my $exit = perl(<<'PERL');
use CPANBridge;
local $SIG{ALRM} = sub { exit 3 };
alarm 1;
CPANBridge->session->request('test.sleep', [600]);
PERL
is($exit->{status}, 3, 'exit in a handler ends the script with its status');
ok(eventually(sub { @{ json(system => sessions => [])->{result} } <= 1 }), 'and its session');

done_testing;
