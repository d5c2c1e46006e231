# call and call_python: what the first generation of scripts calls.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use FakeDaemon;
use Test::More;

use CPANBridge;

# Answers; ends in the middle of a call that is named so.
my $daemon = FakeDaemon->start(
    serve => sub {
        my ($fh, $number) = @_;
        while (my $frame = FakeDaemon::read_frame($fh)) {
            my ($seq, $name, $params) = @{$frame}{qw(seq name params)};
            if ($name eq 'test.scalar')   { FakeDaemon::reply($fh, $seq, \'one') }
            elsif ($name eq 'test.undef') { FakeDaemon::reply($fh, $seq, \undef) }
            elsif ($name eq 'test.fail') {
                FakeDaemon::error(
                    $fh, $seq, code => 'database', message => 'no such table: x', err => 1,
                    errstr => 'no such table', state => '42S02', retryable => 0
                )
            }
            elsif ($name eq 'test.ping') { return if $number == 1; FakeDaemon::reply($fh, $seq, \"pong $number") }
            elsif ($name eq 'test.once') { return }
            else                         { FakeDaemon::reply($fh, $seq, [$name, $params]) }
        }
    }
);
local $SIG{ALRM} = sub { die "hanging\n" };
alarm 30;
my $client = CPANBridge->new(socket => $daemon->{socket}, mode => 'daemon');

is_deeply(
    $client->call(test => 'ping'), { success => 1, result => 'pong 2', module => 'test', function => 'ping' },
    'a call that may be made twice is made again when its daemon is lost'
);
is_deeply(
    $client->call('database', 'connect', { dsn => 'x' })->{result}, ['database.connect', { dsn => 'x' }],
    'a call with named parameters'
);
is_deeply(
    $client->call_python('database', 'connect', [1])->{result}, ['database.connect', [1]],
    'the same under its old name'
);
is($client->call(test => 'scalar')->{result}, 'one', 'a scalar result is a scalar');
my $undef = $client->call(test => 'undef');
ok($undef->{success} && !defined $undef->{result}, 'undef is a result, too');

my $failed = $client->call(test => 'fail');
is_deeply(
    $failed,
    {
        success   => 0, error => 'no such table: x', code => 'database', err => 1, errstr => 'no such table',
        state     => '42S02',
        retryable => 0, module => 'test', function => 'fail'
    },
    'a failure is a result, too'
);
my $once = $client->call(test => 'once');
is_deeply(
    [@{$once}{qw(success code unknown)}], [0, 'daemon_lost', 'whether the call was executed'],
    'a call that may not be made twice is not'
);
like($once->{error}, qr/^lost connection to the bridge daemon: .* not known$/, 'and says what is unknown');
is($client->call(test => 'scalar')->{result},        'one',        'the next call has a new session');
is($client->call(test => 'echo', [sub { }])->{code}, 'bad_params', 'parameters that cannot be sent are a failure');
is($client->call('no good', "\x{263a}")->{success},  1, 'names are sent as they are; the daemon judges them');

{
    my @heard;
    local $SIG{__DIE__}  = sub { push @heard, @_ };
    local $SIG{__WARN__} = sub { push @heard, @_ };
    local $@             = 'kept';
    $client->call(test => 'fail');
    is_deeply([$@, @heard], ['kept'], 'a failure disturbs nothing of the script');
}

my $nowhere =
    CPANBridge->new(socket => "$daemon->{directory}/none.sock", mode => 'daemon', bin => '/nonexistent/cpan-bridge');
my $none = $nowhere->call(test => 'ping');
is($none->{success}, 0, 'without a daemon a call fails');
like($none->{error}, qr{/nonexistent/cpan-bridge is not a program that can be run here}, 'with the reason');

$ENV{CPAN_BRIDGE_SOCKET} = $daemon->{socket};
$client = undef;
is(CPANBridge->call(test => 'scalar')->{result}, 'one', 'a call without an object uses the session of the process');
is(CPANBridge->new->call(test => 'scalar')->{result}, 'one', 'as does an object without options');

done_testing;
