# postgresql.library: the machine's libpq in place of the one built in.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use BridgeTest;
use ServerTest;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
my ($library) = grep { -e $_ } map { "$_/libpq.so.5" } glob('/usr/lib/*-linux-gnu'), qw(/usr/lib64 /usr/lib);
plan(skip_all => 'no libpq on this machine') if !$library;
my $f = flavour('Pg');

sub configure {
    my ($path) = @_;
    bridge(['stop']);
    $ENV{CPAN_BRIDGE_CONFIG} = "$WORLD/config.toml";
    spew($ENV{CPAN_BRIDGE_CONFIG}, qq{[postgresql]\nlibrary = "$path"\n});
    chmod oct 600, $ENV{CPAN_BRIDGE_CONFIG};
    return;
}

# What a script prints.
sub printed {
    my ($code, %option) = @_;
    my $done = wait_for(script($f, $code, %option));
    diag $done->{err} if length $done->{err};
    return $done->{out};
}

my $VERSION  = 'print connect_to()->{pg_lib_version}';
my $built_in = printed($VERSION);
cmp_ok($built_in, '>=', 170_000, 'the one built in is new');

configure($library);
isnt(printed($VERSION), '', 'the one of the machine has a version');
is(printed(<<'PERL'), "42 5000 12502500\n", 'rows come over its TLS');
my $dbh = connect_to();
my $all = $dbh->selectall_arrayref(q{select n, repeat('x', 200) from generate_series(1, 5000) n});
my $sum = 0;
$sum += $_->[0] for @$all;
print join(' ', $dbh->selectrow_array('select 42'), scalar @$all, $sum), "\n";
PERL
like(
    printed(q{print connect_to()->selectrow_array('select ssl from pg_stat_ssl where pid = pg_backend_pid()')}),
    qr/^1$/, 'which the server sees'
);
is(printed(<<'PERL'), 'alarm, 42', 'a cancelled statement ends, and the connection goes on');
my $dbh = connect_to();
local $SIG{ALRM} = sub { die "alarm\n" };
alarm 1;
eval { $dbh->do('select pg_sleep(60)'); 1 };
my $died = $@;
alarm 0;
chomp $died;
print join ', ', $died, $dbh->selectrow_array('select 42');
PERL
open my $maps, '<', '/proc/' . daemon_pid() . '/maps' or die "maps: $!";
ok((grep { /libpq\.so/ } <$maps>), 'the daemon has it loaded');
close $maps;
my ($dsn, undef, $password) = $f->login;
my $done = wait_for(script($f, 'DBI->connect($DSN, $USER, "not-the-password", { RaiseError => 1, PrintError => 0 })'));
like($done->{err}, qr/password authentication failed/, 'its errors are told');

for my $bad ("$WORLD/no-such-libpq.so", '/etc/passwd') {
    configure($bad);
    my $failed = wait_for(script($f, 'connect_to()'));
    like($failed->{err}, qr/postgresql\.library.*\Q$bad\E/, "$bad: the error names the setting and the file");
}
bridge(['stop']);

done_testing;
