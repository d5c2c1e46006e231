# An old daemon and a new client: the daemon makes room at once, finishes the sessions it
# has, and ends; the new client talks to a new daemon.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

my ($build) = bridge(['--version'])->{out} =~ /(\d{9,})/;
ok($build, 'the binary tells its build') or BAIL_OUT('no build');

# The Perl files of another build: these, with their own Build.pm.
sub perl_files {
    my ($number) = @_;
    mkdir "$WORLD/$number";
    mkdir "$WORLD/$number/CPANBridge";
    spew(
        "$WORLD/$number/CPANBridge/Build.pm",
        "package CPANBridge::Build; our (\$VERSION, \$BUILD, \$BIN) = ('0.1.0', $number, '$BIN'); 1;\n");
    return (PERL5LIB => "$WORLD/$number:$ENV{PERL5LIB}", CPAN_BRIDGE_BIN => undef, CPAN_BRIDGE_MODE => 'daemon');
}
my %same  = perl_files($build);
my %older = perl_files($build - 1);
my %newer = perl_files($build + 1);

my $code = <<'PERL';
use CPANBridge;
use DBI;
my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 });
$dbh->do('create table t (a)');
open my $sign, '>', "$ARGV[0].ready";
close $sign;
select undef, undef, undef, 0.01 until -e "$ARGV[0].go";
$dbh->do('insert into t values (7)');
print join ' ', $dbh->selectrow_array('select a from t'), CPANBridge->session->{daemon}{pid};
PERL

my $first = start_perl($code, args => ["$WORLD/first"], env => \%same);
ok(eventually(sub { -e "$WORLD/first.ready" }, 20), 'a script talks to a daemon');
my $old = daemon_pid();

spew("$WORLD/$_.go", '') for qw(other second many);
for my $env (\%same, \%older) {
    is(perl($code, args => ["$WORLD/other"], env => $env)->{out}, "7 $old",
        'a script of the same or an older build talks to it, too');
}

my $second = perl($code, args => ["$WORLD/second"], env => \%newer);
like($second->{out}, qr/^7 \d+$/, 'a newer script works') or diag $second->{err};
is($second->{err}, '', 'without a word');
my $new = daemon_pid();
isnt($new, $old, 'a new daemon listens');
is($second->{out}, "7 $new", 'and the newer script met that one');
ok(alive($old), 'the old one still has a session');

spew("$WORLD/first.go", '');
my $finished = wait_for($first);
is($finished->{out}, "7 $old", 'that finishes undisturbed') or diag $finished->{err};
ok(eventually(sub { !alive($old) }, 15), 'and then the old daemon ends');
ok(alive($new),                          'the new one stays');

# Twenty at once, and no daemon is ever new enough for them: each asks one, and takes the next.
my @done = map { wait_for($_) } map { start_perl($code, args => ["$WORLD/many"], env => \%newer) } 1 .. 20;
is(scalar(grep { $_->{out} =~ /^7 \d+$/ } @done), 20, 'twenty newer scripts at once all work')
    or diag map { "$_->{out} $_->{err}" } @done;
ok(
    eventually(
        sub {
            1 == grep { alive($_) } daemons_started()
        },
        15
    ),
    'and in the end there is one daemon'
);

done_testing;
