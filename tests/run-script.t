# cpan-bridge run: the script's exit status, input, signals, $0, arguments are its own.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use Test::More;

delete @ENV{qw(PERL5LIB CPAN_BRIDGE_BIN)};
my $script = spew("$WORLD/script.pl", <<'PERL');
use strict;
use warnings;
my $what = shift @ARGV;
if    ($what eq 'exit')   { exit shift @ARGV }
elsif ($what eq 'die')    { die "on purpose\n" }
elsif ($what eq 'args')   { print "$0|@ARGV|", scalar @ARGV }
elsif ($what eq 'stdin')  { print map { uc } <STDIN> }
elsif ($what eq 'signal') { kill TERM => $$; sleep 5 }
elsif ($what eq 'data')   { print <DATA> }
elsif ($what eq 'dbi')    { require DBI; print DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1 })->selectrow_array('select 6 * 7') }
elsif ($what eq 'child')  { print `$^X -e 'use DBI; print DBI->connect("dbi:SQLite:dbname=:memory:")->selectrow_array("select 43")'` }
elsif ($what eq 'wait')   { $SIG{TERM} = sub { print "caught"; exit 5 }; $| = 1; print "ready "; sleep 20 }
__DATA__
data of the script
PERL
sub run { my ($args, %option) = @_; return bridge(['run', $script, @{$args}], %option) }

is(run(['exit', $_])->{status}, $_, "exit status $_") for 0, 1, 7, 255;
my $died = run(['die']);
is($died->{status}, 255,            'a die is status 255');
is($died->{err},    "on purpose\n", 'and its text');
is(run(['args', 'a b', '', '--help', '-x'])->{out}, "$script|a b  --help -x|4",
    '$0 and the arguments, options among them');
is(run(['stdin'], stdin => spew("$WORLD/input", "one\ntwo\n"))->{out}, "ONE\nTWO\n", 'standard input');
is(run(['signal'])->{signal},                                          15,           'a script that a signal ends');
is(run(['data'])->{out},  "data of the script\n", 'DATA');
is(run(['dbi'])->{out},   '42',                   'DBI and DBD::SQLite, with nothing set in the environment');
is(run(['child'])->{out}, '43',                   'and in a perl the script starts');
isnt(bridge(['run', "$WORLD/missing.pl"])->{status}, 0, 'a script that is not there');

my $job = spawn([$BIN, 'run', $script, 'wait']);
ok(eventually(sub { slurp($job->{out}) =~ /ready/ }, 20), 'a script waits');
kill TERM => $job->{pid};
my $result = wait_for($job);
is_deeply([@{$result}{qw(out status)}], ['ready caught', 5], 'a signal to the command is one to the script');

my @lib = split /[:\n]/, bridge(['perl-lib'])->{out};
is(scalar(grep { -f "$_/CPANBridge.pm" } @lib), 1, 'perl-lib tells where the client is');
is(scalar(grep { -f "$_/DBI.pm" } @lib),        1, 'and the modules');
my $env = bridge(['env'])->{out};
spew("$WORLD/env.sh", "$env\nexec $^X $script dbi\n");
is(wait_for(spawn(['/bin/sh', "$WORLD/env.sh"]))->{out}, '42', 'env prints what any perl needs');

done_testing;
