package ServerTest::Connect;

# Connecting and what can go wrong: the parts that all servers share.

use strict;
use warnings;

use FaultProxy;
use ServerTest;
use Test::More;
use Time::HiRes ();

# Nobody writes a password down: not the error, the logs, the list of processes, or "status".
sub secret_stays_secret {
    my ($f, %refused) = @_;
    my $secret = 'Sesam-' . TestServer::random_word(16);
    fails(
        sub { DBI->connect($f->dsn, $f->server->user, $secret, { RaiseError => 1, PrintError => 0 }) },
        'a wrong password', %refused
    );
    my $text = join "\n", map { defined $_ ? $_ : '' } $DBI::errstr, $@;
    is(index($text, $secret), -1, 'the error does not tell it');

    my $good = $f->connect;    # whose password is a secret too
    for my $word ($secret, $f->server->password) {
        my $what = $word eq $secret ? 'wrong' : 'right';
        is_deeply([grep { index(BridgeTest::slurp($_), $word) >= 0 } logs()], [], "no file tells the $what one");
        is_deeply(
            [grep { index(BridgeTest::slurp($_), $word) >= 0 } glob '/proc/[0-9]*/cmdline'],
            [], "no process shows the $what one"
        );
        next if !ours();
        my $status = BridgeTest::bridge(['status']);
        is($status->{status},                             0,  'the status can be had') or diag $status->{err};
        is(index($status->{out} . $status->{err}, $word), -1, "and does not tell the $what one");
        my $handles = join "\n", map { defined $_ ? $_ : '' } map { $good->{$_} } qw(Name Username);
        is(index($handles, $word), -1, 'nor do the attributes of a handle');
    }
    $good->disconnect;
    return;
}

sub logs {
    my @files;
    require File::Find;
    File::Find::find(sub { push @files, $File::Find::name if -f $_ }, $BridgeTest::WORLD);
    return @files;
}

# When every connection is taken, the error says so; afterwards connections can be had again, by others too.
sub limit_is_reached {
    my ($f, $others, %full) = @_;
    my @open;
    my $refused = 0;
    while (@open < 40 && $refused < 3) {    # what was closed before may take a moment to be gone
        my $got = outcome(sub { push @open, $f->connect; 1 });
        $refused = $got->{died} ? $refused + 1 : 0;
        Time::HiRes::sleep(0.2) if $got->{died};
    }
    is($refused, 3, 'after ' . @open . ' connections the server has no more');
    fails(sub { $f->connect }, 'the next connection', %full);
    is($_->selectrow_array('select 42'), 42, 'those that are open work') for $open[0], $open[-1];
    (shift @open)->disconnect;
    my $next;
    ok(
        BridgeTest::eventually(sub {
            $next = eval { $f->connect }
        }),
        'when one is closed there is room for another'
    ) or diag $@;
    $_->disconnect for @open, grep { $_ } $next;
    ok(
        BridgeTest::eventually(sub {
            eval { $f->connect(%$others)->selectrow_array('select 42') }
        }),
        'when all are closed there is room for other ones, too'
    ) or diag $@;
    return;
}

# A server that takes the connection and says nothing.
sub silent_server {
    my ($f, $parameters, %late) = @_;
    my $proxy = FaultProxy->new($f->server->port);
    $proxy->after(0, down => 'swallow');
    fails(sub { $f->connect(%$parameters, port => $proxy->port) }, 'a server that says nothing', %late);
    $proxy->normal;
    is($f->connect(%$parameters, port => $proxy->port)->selectrow_array('select 42'), 42, 'the next connection works');
    return;
}

1;
