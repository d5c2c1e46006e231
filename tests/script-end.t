# However a script ends, with whatever open: its own status, and not a word from the bridge.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my $open = <<'PERL';
use CPANBridge;
use DBI;
our $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
our $sth = $dbh->prepare('with recursive n(i) as (select 1 union all select i + 1 from n) select i from n');
$sth->execute;
$sth->fetch;
our $circle = { dbh => $dbh, sth => $sth };
$circle->{self} = $circle;
our $session = CPANBridge->session;
our $posted = $session->post('test.echo', ['never read']);
{ package Late; sub new { return bless {}, shift } sub DESTROY { eval { CPANBridge->session->oneway('test.echo', [1], 1) }; print 'late ' } }
our $late = Late->new;
PERL

my %end = (
    'falls off its end'   => ['',                    0,   ''],
    'exits'               => ['exit 3;',             3,   ''],
    'dies'                => ['die "on purpose\n";', 255, "on purpose\n"],
    'exits in an END'     => ['END { $? = 4 }',      4,   ''],
    'exits in a callback' =>
        ['$dbh->sqlite_create_function("leave", 0, sub { exit 5 }); $dbh->do("select leave()");', 5, ''],
);
for my $name (sort keys %end) {
    my ($code, $status, $error) = @{ $end{$name} };
    my $result = perl("$open$code");
    is($result->{status}, $status, "a script that $name: its status");
    my @words = grep { !/^(?:Issuing rollback|DBI handle .* has uncleared|\s*closing dbh with active)/ } split /^/m,
        $result->{err};
    is(join('', @words), $error, 'and no word more');
    like($result->{out}, qr/late/, 'destructors ran');
    cmp_ok($result->{seconds}, '<', 15, 'without delay');
}

my $exec =
    perl(q{use CPANBridge; CPANBridge->session->oneway('test.echo', [1]); exec $^X, '-e', 'print "another"; exit 6'});
is_deeply([@{$exec}{qw(out status err)}], ['another', 6, ''], 'a script that becomes another program');

my $posix = perl(q{use CPANBridge; use POSIX (); CPANBridge->session->post('test.sleep', [600]); POSIX::_exit(7)});
is($posix->{status}, 7, 'one that ends with _exit in the middle of a call');
ok(eventually(sub { @{ json(system => sessions => [])->{result} } <= 1 }),
    'nothing is left of any of them in the daemon');

done_testing;
