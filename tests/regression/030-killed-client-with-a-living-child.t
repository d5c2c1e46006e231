# A child that a script has forked holds a copy of the script's session socket, so the
# socket stays open when the script is killed. Its session must end all the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use BridgeTest;
use Test::More;
use Time::HiRes ();

# The daemon outlives its sessions; the machine may be busy.
my $SOON_SECONDS = 2;
my $setup = perl(<<'PERL', args => ["$WORLD/t.db"]);
use DBI;
DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 })->do('create table t (a)');
print 'ready';
PERL
is($setup->{out}, 'ready', 'a table') or diag $setup->{err};

# In a transaction, with a child that sleeps and holds the socket; then it ends as told.
my $script = <<'PERL';
use DBI;
my ($file, $ready, $end) = @ARGV;
my $dbh = DBI->connect("dbi:SQLite:dbname=$file", '', '', { RaiseError => 1 });
$dbh->begin_work;
$dbh->do('insert into t values (1)');
my $child = fork;
if (!$child) {
    close STDOUT;
    close STDERR;
    alarm 25;
    sleep 25 while 1;
}
open my $sign, '>', "$ready.new" or die;
print {$sign} $child;
close $sign;
rename "$ready.new", $ready;
if ($end eq 'call') {
    CPANBridge->session->request('test.sleep', [600]);
}
if ($end eq 'exit') {
    select undef, undef, undef, 0.1;
    require POSIX;
    POSIX::_exit(0);    # nothing is closed by the script itself
}
sleep 25;
PERL

my $writer = <<'PERL';
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1, PrintError => 0 });
$dbh->sqlite_busy_timeout($ARGV[1]);
print eval { $dbh->begin_work; $dbh->do('insert into t values (2)'); 1 }
    ? 'free,' . $dbh->selectrow_array('select count(*) from t where a = 1')
    : "locked: $@";
PERL

for my $case (
    [daemon  => 'sleep', 'a script that is killed'],
    [daemon  => 'call',  'a script that is killed in a call'],
    [daemon  => 'exit',  'a script that ends'],
    [process => 'sleep', 'process mode, a script that is killed'],
    [process => 'call',  'process mode, a script that is killed in a call'],
    )
{
    my ($mode, $end, $name) = @{$case};
    my $ready = "$WORLD/$mode-$end";
    my $parent = start_perl($script, args => ["$WORLD/t.db", $ready, $end], env => { CPAN_BRIDGE_MODE => $mode });
    ok(eventually(sub { -e $ready }, 20), "$name: is in its transaction") or diag slurp($parent->{err});
    my $child = slurp($ready);
    if ($end ne 'exit') {
        like(perl($writer, args => ["$WORLD/t.db", 10])->{out}, qr/^locked: .*database is locked/, 'nobody else can write');
        Time::HiRes::sleep(0.2);
        kill KILL => $parent->{pid};
    }
    wait_for($parent);
    my $since = Time::HiRes::time();
    is(perl($writer, args => ["$WORLD/t.db", 1000 * $SOON_SECONDS])->{out}, 'free,0', 'its transaction is rolled back');
    note sprintf 'after less than %.0f ms', 1000 * (Time::HiRes::time() - $since);
    ok(alive($child), 'while its child lives');
    kill KILL => $child;
}

# A client that is gone before the daemon looked at its process: the child that holds the
# connection does not keep a session of it.
my $late = perl(<<'PERL', args => [socket_path()]);
use Socket;
use Storable ();
socket my $fh, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
my $middle = fork;
if (!$middle) {
    connect $fh, pack_sockaddr_un($ARGV[0]) or die "connect: $!";
    exit 0;
}
waitpid $middle, 0;
my $hello = Storable::nfreeze({ protocol => 1, client => 'test' });
my $ping  = pack('N n/a*', 1, 'test.ping') . Storable::nfreeze([]);
syswrite $fh, pack('NC', 1 + length $hello, 1) . $hello;
my ($kinds, $read) = ('', 0);
$SIG{PIPE} = 'IGNORE';
alarm 10;
while (sysread $fh, my $head, 5) {
    my ($size, $kind) = unpack 'NC', $head;
    sysread $fh, my $rest, $size - 1;
    $kinds .= "$kind ";
    syswrite $fh, pack('NC', 1 + length $ping, 2) . $ping;
}
print "${kinds}end";
PERL
like($late->{out}, qr/^(?:1 )?end$/, 'a connection whose maker has ended before its hello is not served')
    or diag $late->{err};

# What a child opens itself is its own.
my $own = perl(<<'PERL', args => ["$WORLD/t.db", "$WORLD/own"]);
use DBI;
my $dbh = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
my $child = fork;
exit 0 if $child;
select undef, undef, undef, 0.3;
my $mine = DBI->connect("dbi:SQLite:dbname=$ARGV[0]", '', '', { RaiseError => 1 });
my @row = $mine->selectrow_array("select 'served'");
open my $sign, '>', "$ARGV[1].new" or die;
print {$sign} @row;
close $sign;
rename "$ARGV[1].new", $ARGV[1];
PERL
ok(eventually(sub { -e "$WORLD/own" }, 20), 'a child that lives longer than the script ...');
is(slurp("$WORLD/own"), 'served', '... has a session of its own');

done_testing;
