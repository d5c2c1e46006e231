#!/usr/bin/perl
# The example batch job prints the same over the bridge and under the native modules.
use strict;
use warnings;

use Cwd ();
use File::Temp ();
use FindBin;
use Test::More;

my $ROOT       = Cwd::abs_path("$FindBin::RealBin/..");
my $BRIDGE     = $ENV{CPAN_BRIDGE_BIN} || ($ENV{CARGO_TARGET_DIR} || "$ROOT/target") . '/release/cpan-bridge';
my $SCRIPT     = "$ROOT/examples/orders/load_and_report.pl";
my $DEADLINE_S = 60;

-x $BRIDGE or die "no binary at $BRIDGE: run cargo build --release\n";
alarm 3 * $DEADLINE_S;

my $dir = File::Temp->newdir('cpan-bridge-example-XXXXXX', TMPDIR => 1);
chmod 0700, "$dir";
delete @ENV{qw(PERL5LIB PERL5OPT DBI_DSN DBI_AUTOPROXY DBI_TRACE CPAN_BRIDGE_SOCKET)};
$ENV{XDG_RUNTIME_DIR} = "$dir";

# Output and exit status of a command.
sub output {
    my @command = @_;
    my $pid     = open my $from, '-|';
    die "fork: $!\n" if !defined $pid;
    if (!$pid) {
        alarm $DEADLINE_S;
        open STDIN, '<', '/dev/null';
        exec { $command[0] } @command or die "$command[0]: $!\n";
    }
    local $/ = undef;
    my $text = readline $from;
    close $from;
    return ($text, $?);
}

sub slurp {
    my ($file) = @_;
    open my $handle, '<', $file or die "$file: $!\n";
    local $/ = undef;
    return scalar readline $handle;
}

my $expected = slurp("$ROOT/examples/orders/expected-report.txt");

my ($report, $status) = output($BRIDGE, 'run', $SCRIPT);
is $status, 0,         'the job ends well over the bridge';
is $report, $expected, 'and prints the report that is stored beside it';

($report, $status) = output($BRIDGE, 'run', $SCRIPT, '--database', "$dir/orders.db");
is $report, $expected, 'the same into a file';
ok -s "$dir/orders.db", 'which is there afterwards';
my ($again) = output($BRIDGE, 'run', $SCRIPT, '--database', "$dir/orders.db");
is $again, $expected, 'and can be loaded again';

SKIP: {
    my (undef, $missing) = output($^X, '-e', 'exit !eval { require DBI; require DBD::SQLite }');
    skip 'the native DBI and DBD::SQLite are not installed', 2 if $missing;
    ($report, $status) = output($^X, $SCRIPT);
    is $status, 0,         'the job ends well under the native modules';
    is $report, $expected, 'and prints the same';
}

my $generated = "$dir/generated";
mkdir $generated;
output($^X, "$ROOT/examples/orders/generate.pl", $generated);
is slurp("$generated/$_"), slurp("$ROOT/examples/orders/data/$_"), "$_ is what generate.pl writes"
    for qw(customers.csv products.csv orders.csv);

($report) = output($BRIDGE, 'run', "$ROOT/examples/call_python/inventory.pl");
like $report, qr/^bolt\t1200\nnut\t1150\nwasher\t30\n.*UNIQUE constraint failed/m,
    'a script that calls functions by name';

SKIP: {
    my ($status_text) = output($BRIDGE, 'status', '--json');
    my ($socket)      = $status_text =~ /"socket"\s*:\s*"([^"]+)"/;
    my (undef, $no_python) = output('python3', '-c', 'pass');
    skip 'python3 is not installed', 1 if $no_python;
    ($report) = output('python3', "$ROOT/examples/json/stock.py", $socket || '');
    is $report, "bolt      1200\nnut       1150\n", 'a JSON client holds a conversation, one request a connection';
}

output($BRIDGE, 'stop');
done_testing;
