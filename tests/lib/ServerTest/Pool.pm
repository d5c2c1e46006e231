package ServerTest::Pool;

# The pool: what a configuration file says about it, what becomes of connections when scripts, the daemon or time end.

use strict;
use warnings;

use ServerTest;
use Test::More;
use Time::HiRes ();

sub all {
    my ($f) = @_;
    ready_connections($f);
    several_users($f);
    size($f);
    idle_ones_leave($f);
    no_pool($f);
    daemon_ends($f);
    forked($f);
    return;
}

# A new daemon with this configuration.
sub configure {
    my ($text) = @_;
    BridgeTest::bridge(['stop']);
    my $file = "$BridgeTest::WORLD/config.toml";
    BridgeTest::spew($file, $text);
    chmod oct 600, $file;
    $ENV{CPAN_BRIDGE_CONFIG} = $file;
    my $check = BridgeTest::bridge([qw(config check)]);
    is($check->{status}, 0, 'a configuration') or diag $check->{out}, $check->{err};
    return;
}

# Runs a script that prints its session's number.
sub session_of {
    my ($f, %option) = @_;
    my $id   = $f->id_sql;
    my $done = BridgeTest::wait_for(script($f, "print connect_to()->selectrow_array(q{$id})", %option));
    diag $done->{err} if length $done->{err};
    return $done->{out};
}

sub ready_connections {
    my ($f) = @_;
    my @sessions = map { session_of($f) } 1 .. 4;
    is_deeply(\@sessions, [($sessions[0]) x 4], 'four scripts, one after the other, use the same session');
    is($f->server->connections, 1, 'which is all the server has');
    my $status = BridgeTest::bridge(['status']);
    like($status->{out}, qr/127\.0\.0\.1/, 'the status names its database') or diag $status->{err};
    return;
}

# Other parameters, other sessions.
sub several_users {
    my ($f)   = @_;
    my $one   = session_of($f);
    my $other = session_of($f, dsn => { $f->other_database });
    isnt($other, $one, 'another database is another session');
    is(session_of($f), $one, 'the first one is still there');
    return;
}

sub size {
    my ($f) = @_;
    configure("[pool]\nsize = 2\nwait_seconds = 1\npatience_seconds = 1\nwhen_full = \"error\"\n");
    my @holders = map { hold($f, $_) } 1 .. 2;
    my $done    = BridgeTest::wait_for(script($f, 'connect_to(); print "connected"'));
    is($done->{out}, '', 'with two connections allowed and taken, a third script gets none');
    like($done->{err}, qr/pool/, 'and is told of the pool');
    is($f->server->connections, 2, 'the server has two');
    release(@holders);
    ok(BridgeTest::eventually(sub { session_of($f) =~ /^\d+$/ }), 'when they are over there is one for it');

    configure("[pool]\nsize = 2\nwait_seconds = 1\npatience_seconds = 1\n");
    @holders = map { hold($f, $_) } 1 .. 2;
    like(session_of($f), qr/^\d+$/, 'by default it gets a connection beyond the size, in the end');
    ok(BridgeTest::eventually(sub { $f->server->connections == 2 }), 'which does not stay open')
        or diag $f->server->connections;
    my $waiting = script($f, 'connect_to(); print "connected"');
    release(@holders);
    is(BridgeTest::wait_for($waiting)->{out}, 'connected', 'who waits gets what is given back');
    return;
}

# A script that has a connection until it is told to end.
sub hold {
    my ($f, $n) = @_;
    my $file = "$BridgeTest::WORLD/holds-$n";
    unlink $file, "$file.end";
    my $script = script($f, <<'PERL', args => [$file]);
my $dbh = connect_to();
$dbh->selectrow_array('select 1');
say_that($ARGV[0]);
select undef, undef, undef, 0.02 while !-e "$ARGV[0].end";
PERL
    ok(BridgeTest::eventually(sub { -e $file }, 20), "script $n has a connection");
    return { script => $script, file => $file };
}

sub release {
    my @holders = @_;
    for my $holder (@holders) {
        BridgeTest::spew("$holder->{file}.end", '');
        BridgeTest::wait_for($holder->{script});
    }
    return;
}

sub idle_ones_leave {
    my ($f) = @_;
    configure("[pool]\nidle_seconds = 1\n");
    my $first = session_of($f);
    ok($first,                                                           'a session');
    ok(BridgeTest::eventually(sub { $f->server->connections == 0 }, 30), 'that nobody wants is closed after its time');
    isnt(session_of($f), $first, 'the next script gets a new one');
    return;
}

sub no_pool {
    my ($f) = @_;
    configure("[pool]\nenabled = false\n");
    isnt(session_of($f), session_of($f), 'pool.enabled = false: each script has its own session');
    ok(BridgeTest::eventually(sub { $f->server->connections == 0 }), 'and none is kept');
    $ENV{CPAN_BRIDGE_CONFIG} = '/dev/null';
    BridgeTest::bridge(['stop']);
    session_of($f);
    my $kept = $f->server->connections;
    isnt(session_of($f, dsn => { bridge_pool => 0 }), session_of($f, dsn => { bridge_pool => 0 }),
        'bridge_pool=0 does the same for one name');
    ok(BridgeTest::eventually(sub { $f->server->connections == $kept }), 'and none is kept of it');
    return;
}

# The server is not left with connections of a daemon that is gone.
sub daemon_ends {
    my ($f) = @_;
    for my $how (qw(stop kill)) {
        session_of($f);
        ok($f->server->connections > 0, 'a connection is kept');
        if ($how eq 'stop') { BridgeTest::bridge(['stop']) }
        else                { kill KILL => BridgeTest::daemon_pid() }
        ok(BridgeTest::eventually(sub { $f->server->connections == 0 }),
            "after $how of the daemon the server has none");
        ok(session_of($f), 'and the next script works');
    }
    return;
}

# A forked child has its own connection; the parent's transaction goes on.
sub forked {
    my ($f) = @_;
    $f->connect->do($f->table_sql('forked'));
    my $done = BridgeTest::wait_for(script($f, <<'PERL', env => { ID => $f->id_sql }));
my $dbh = connect_to(AutoInactiveDestroy => 1);
$dbh->begin_work;
$dbh->do(q(insert into forked values (1, 'parent')));
my $mine = $dbh->selectrow_array($ENV{ID});
my @children = map {
    my $n = $_;
    my $pid = fork;
    if (!$pid) {
        my $own = connect_to();
        $own->do("insert into forked values ($n, 'child')");
        exit($own->selectrow_array($ENV{ID}) == $mine ? 1 : 0);
    }
    $pid;
} 2 .. 6;
my $bad = 0;
for my $pid (@children) { waitpid $pid, 0; $bad++ if $? }
my $same = $dbh->selectrow_array($ENV{ID}) == $mine;
$dbh->commit;
print join ' ', $bad, $same ? 'same' : 'other', $dbh->selectrow_array('select count(*) from forked');
PERL
    is($done->{out}, '0 same 6', 'five children write over connections of their own, the parent commits')
        or diag $done->{err};
    return;
}

1;
