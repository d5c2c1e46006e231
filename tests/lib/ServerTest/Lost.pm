package ServerTest::Lost;

# Connections that are lost: a server that restarts, a session that is killed, a line that is cut. Nothing may be executed
# twice, no result may end early without an error, and the next connection is good at once.

use strict;
use warnings;

use FaultProxy;
use ServerTest;
use Test::More;

sub all {
    my ($f) = @_;
    $f->connect->do($f->table_sql('kept'));
    restarts($f);
    killed_sessions($f);
    my $proxy = FaultProxy->new($f->server->port);
    cut_results($f, $proxy);
    cut_writes($f, $proxy);
    idle_lines($f, $proxy);
    silent_lines($f, $proxy);
    return;
}

sub rows  { my ($f)   = @_; return scalar $f->server->sql($f->count_sql('kept')) }
sub works { my ($dbh) = @_; return scalar $dbh->selectrow_array('select 42') }

sub fails_as_lost {
    my ($f, $name, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return fails($code, $name, $f->lost);
}

# --- the server restarts

sub restarts {
    my ($f) = @_;
    my $dbh = $f->connect;
    my $sth = $dbh->prepare('select 1');
    $sth->execute;
    $sth->fetchall_arrayref;
    $f->server->restart;
    fails_as_lost($f, 'a statement after the restart', sub { $dbh->do('select 1') });
    fails(sub { $dbh->do('select 1') }, 'the next one', $f->gone);
    fails(sub { $sth->execute }, 'a prepared one',);
    ok(!$dbh->ping,                  'no ping');
    ok(eval { $dbh->disconnect; 1 }, 'it can be disconnected') or diag $@;
    is(works($f->connect), 42, 'a new connection works');

    my $in_transaction = $f->connect;
    $in_transaction->begin_work;
    $in_transaction->do(q(insert into kept values (1, 'never')));
    $f->server->restart;
    fails_as_lost(
        $f, 'a statement in a transaction, after the restart',
        sub { $in_transaction->do(q(insert into kept values (2, 'never'))) }
    );
    ok(!eval { $in_transaction->commit; 1 }, 'the commit fails');
    is(works($f->connect), 42, 'a new connection works');
    is(rows($f),           0,  'of the transaction nothing is there');

    my $commits = $f->connect;
    $commits->begin_work;
    $commits->do(q(insert into kept values (1, 'never')));
    $f->server->restart;
    ok(!eval { $commits->commit; 1 }, 'a commit after the restart fails');
    is(rows($f), 0, 'of that transaction nothing is there');

    my @idle = map { $f->connect } 1 .. 3;
    is(works($_), 42, 'a connection') for @idle;
    $_->disconnect for @idle;
    $f->server->restart;
    is(eval { works($f->connect) }, 42, 'after the restart the first try gives a good connection')
        or diag $@
        for 1 .. 3;

    my $first = $f->connect;
    $f->server->stop;
    fails(sub { works($first) },      'a statement while the server is down');
    fails(sub { works($f->connect) }, 'a connection while the server is down');
    $f->server->start;
    is(eval { works($f->connect) }, 42, 'when it is up again a connection works at once') or diag $@;
    return;
}

# --- one session is killed

sub killed_sessions {
    my ($f) = @_;
    my $dbh = $f->connect;
    $f->kill_session($f->session_id($dbh));
    fails_as_lost($f, 'a statement of a killed session', sub { $dbh->do('select 1') });
    fails(sub { $dbh->do('select 1') }, 'the next one', $f->gone);
    ok(
        BridgeTest::eventually(sub {
            eval { works($f->connect) }
        }),
        'soon a new connection works'
    );

    $dbh = $f->connect;
    my $id     = $f->session_id($dbh);
    my $killer = in_background(sub {
        BridgeTest::eventually(sub {
            eval { $f->running('sleep(') }
        });
        $f->kill_session($id);
    });
    fails_as_lost($f, 'a statement whose session is killed meanwhile', sub { works_slowly($f, $dbh) });
    stop_background($killer);
    ok(
        BridgeTest::eventually(sub {
            eval { works($f->connect) }
        }),
        'soon a new connection works'
    );
    return;
}

sub works_slowly { my ($f, $dbh) = @_; return $dbh->selectrow_array($f->sleep_sql(20)) }

# --- the line is cut in the middle of a result

sub cut_results {
    my ($f, $proxy) = @_;
    my $rows = 100_000;
    for my $how (qw(cut reset)) {
        my $dbh = $f->connect($f->plain, port => $proxy->port);
        $proxy->after(300_000, down => $how);
        my ($count, $wrong) = (0, 0);
        fails_as_lost(
            $f, "$how in mid-result",
            sub {
                my $sth = $dbh->prepare($f->rows_sql($rows));
                $sth->execute;
                while (my $row = $sth->fetch) {
                    $count++;
                    $wrong++ if $row->[0] != $count || $row->[1] ne 'x' x 20;
                }
            }
        );
        is($wrong, 0, "the rows before are right ($count)");
        ok(!$dbh->ping, 'no ping afterwards');

        $dbh = $f->connect($f->plain, port => $proxy->port, attr => { RaiseError => 0 });
        $proxy->after(300_000, down => $how);
        my $sth = $dbh->prepare($f->rows_sql($rows));
        $sth->execute;
        $count = 0;
        while ($sth->{Active} and my $row = $sth->fetch) { $count++ }
        ok($DBI::err, "without RaiseError, too, the end is an error ($how after $count rows)");

        $dbh = $f->connect($f->plain, port => $proxy->port);
        $proxy->after(300_000, down => $how);
        fails_as_lost($f, "$how in selectall_arrayref", sub { $dbh->selectall_arrayref($f->rows_sql($rows)) });
    }
    my $dbh = $f->connect(port => $proxy->port);
    $proxy->after(300_000, down => 'cut');
    fails_as_lost(
        $f, 'cut in mid-result as the driver connects by default',
        sub { $dbh->selectall_arrayref($f->rows_sql($rows)) }
    );
    $proxy->normal;
    $dbh = $f->connect(port => $proxy->port);
    $proxy->delay(0.05);
    is(scalar @{ $dbh->selectall_arrayref($f->rows_sql(5_000)) }, 5_000, 'a slow line gives every row');
    $proxy->normal;
    return;
}

# --- the line is cut while something is written: it happens once or not at all, and never without an error

sub cut_writes {
    my ($f, $proxy) = @_;
    my $next = 100;
    for my $how (qw(cut reset)) {
        for my $case (['before', 0], ['after', 1]) {
            my ($when, $done) = @$case;
            my $before = rows($f);
            my $dbh    = $f->connect($f->plain, port => $proxy->port);
            $next++;
            $proxy->on_text('insert into kept', $when => $how);
            fails_as_lost($f, "$how $when an insert", sub { $dbh->do("insert into kept values ($next, 'written')") });
            is(rows($f) - $before, $done, "it was executed $done times");

            $dbh = $f->connect($f->plain, port => $proxy->port);
            $next++;
            $dbh->begin_work;
            $dbh->do("insert into kept values ($next, 'written')");
            $before = rows($f);
            $proxy->on_text('commit', $when => $how);
            ok(!eval { $dbh->commit; 1 },                                   "$how $when a commit is an error");
            ok(BridgeTest::eventually(sub { rows($f) == $before + $done }), "and it was executed $done times")
                or diag rows($f) - $before;
        }
    }
    my $dbh    = $f->connect($f->plain, port => $proxy->port);
    my $before = rows($f);
    $dbh->begin_work;
    my $sth = $dbh->prepare('insert into kept values (?, ?)');
    $proxy->after(20_000, up => 'cut');
    my @status;
    my $result =
        eval { $sth->execute_array({ ArrayTupleStatus => \@status }, [1_000 .. 5_999], [('x' x 100) x 5_000]) };
    ok(!$result,                  'execute_array on a line that is cut is an error');
    ok(!eval { $dbh->commit; 1 }, 'and the commit, too');
    is(rows($f), $before, 'nothing of it was written');
    $proxy->normal;
    return;
}

# --- lines that break while nobody uses them

sub idle_lines {
    my ($f, $proxy) = @_;
    for my $how (qw(cut reset)) {
        my $dbh = $f->connect(port => $proxy->port);
        is(works($dbh), 42, 'a connection');
        $dbh->disconnect;
        $proxy->now($how);
        is(
            eval { works($f->connect(port => $proxy->port)) }, 42,
            "$how while it was not used: the next connection works"
        ) or diag $@;
    }
    return;
}

# --- lines that say nothing any more

sub silent_lines {
    my ($f, $proxy) = @_;
    plan_of_silence($f, $proxy) if ours();  # the native drivers wait for the end of the call before perl sees the alarm
    return;
}

sub plan_of_silence {
    my ($f, $proxy) = @_;
    my $dbh = $f->connect(port => $proxy->port);
    $proxy->after(0, down => 'swallow');
    is(with_alarm(2, sub { works($dbh) }), "alarm\n", 'an alarm ends the wait for a silent server');
    my $died = with_alarm(
        20,
        sub {
            eval { works($dbh) };
            1
        }
    );
    is($died,                                    '', 'the handle does not wait for ever afterwards');
    is(with_alarm(20, sub { $dbh->disconnect }), '', 'and can be disconnected');
    $proxy->normal;
    is(works($f->connect(port => $proxy->port)), 42, 'a new connection works');
    return;
}

1;
