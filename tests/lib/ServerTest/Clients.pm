package ServerTest::Clients;

# Scripts that are killed, interrupted, many, or read very much.

use strict;
use warnings;

use ServerTest;
use Test::More;
use Time::HiRes ();

sub all {
    my ($f) = @_;
    killed_in_transaction($f);
    killed_in_query($f);
    interrupted($f);
    interrupted_often($f) if ours();
    deadlock($f);
    return;
}

# --- kill -9

sub killed_in_transaction {
    my ($f) = @_;
    $f->connect->do($f->table_sql('held'));
    $f->connect->do(q(insert into held values (1, 'before')));
    my $script = script($f, <<'PERL', args => ["$BridgeTest::WORLD/inside"]);
my $dbh = connect_to();
$dbh->begin_work;
$dbh->do(q(update held set name = 'uncommitted' where id = 1));
$dbh->do(q(insert into held values (2, 'uncommitted')));
say_that($ARGV[0]);
sleep 60;
PERL
    ok(BridgeTest::eventually(sub { -e "$BridgeTest::WORLD/inside" }, 20), 'a script is inside its transaction');
    my $other = $f->connect;
    is($other->selectrow_array('select name from held where id = 1'), 'before', 'nobody sees what it did');
    kill KILL => $script->{pid};
    BridgeTest::wait_for($script);
    my $start = Time::HiRes::time();
    is($other->do(q(update held set name = 'after' where id = 1)), 1, 'after kill -9 its lock is free');
    note sprintf 'after %.0f ms', 1000 * (Time::HiRes::time() - $start);
    is(
        join(',', map { "@$_" } @{ $other->selectall_arrayref('select id, name from held order by id') }),
        '1 after', 'and nothing of it is there'
    );
    return;
}

sub killed_in_query {
    my ($f) = @_;
    my $script = script($f, sprintf 'my $dbh = connect_to(); $dbh->selectrow_array(q{%s});', $f->sleep_sql(300));
    ok(BridgeTest::eventually(sub { $f->running('sleep(300') }, 20), 'a script is in a long query');
    kill KILL => $script->{pid};
    BridgeTest::wait_for($script);
    return if !ours();    # a server does not notice by itself
    ok(BridgeTest::eventually(sub { !$f->running('sleep(300') }, 20), 'after kill -9 the server no longer works on it');
    return;
}

# --- alarm and die in the middle of a query

sub interrupted {
    my ($f)     = @_;
    my $dbh     = $f->connect;
    my $seconds = ours() ? 300 : 2;    # a native driver lets perl see the signal after the query
    is(with_alarm(1, sub { $dbh->selectrow_array($f->sleep_sql($seconds)) }), "alarm\n", 'an alarm dies in mid-query');
    is($dbh->selectrow_array('select 42'),                                    42,        'the handle goes on');
    ok(BridgeTest::eventually(sub { !$f->running("sleep($seconds") }), 'the server no longer works on the query');

    # Inside a transaction what was done before is still there or rolled back, never half of it; the handle goes on.
    $dbh->do($f->table_sql('interrupted'));
    $dbh->begin_work;
    $dbh->do(q(insert into interrupted values (1, 'first')));
    is(with_alarm(1, sub { $dbh->selectrow_array($f->sleep_sql($seconds)) }), "alarm\n", 'and in a transaction');
    ok(eval { $dbh->rollback; 1 }, 'which can be rolled back') or diag $@;
    is($dbh->selectrow_array($f->count_sql('interrupted')), 0, 'and is');

    # In the middle of a fetch loop.
    my $sth = $dbh->prepare($f->rows_sql(50_000));
    $sth->execute;
    my $count = 0;
    my $died  = with_alarm(
        1,
        sub {
            while (my $row = $sth->fetch) { $count++; Time::HiRes::sleep(0.01) if $count > 1_000; }
        }
    );
    is($died, "alarm\n", "and in a fetch loop, after $count rows");
    my ($next) = $sth->fetchrow_array;
    is($next, $count + 1, 'which goes on where it was');
    my $rest = 0;
    $rest++ while $sth->fetch;
    is($count + 1 + $rest,                 50_000, 'to the last row');
    is($dbh->selectrow_array('select 42'), 42,     'the handle goes on');
    return;
}

# Many interrupts at any moment: every answer is the one to its own question.
sub interrupted_often {
    my ($f) = @_;
    my $dbh = $f->connect;
    my ($asked, $wrong, $died) = (0, 0, 0);
    local $SIG{ALRM} = sub { die "tick\n" };
    for my $n (1 .. 300) {
        my $answer = eval {
            Time::HiRes::ualarm(200 + 17 * ($n % 50));
            my ($value) = $dbh->selectrow_array("select $n");
            Time::HiRes::ualarm(0);
            $value;
        };
        Time::HiRes::ualarm(0);
        $asked++;
        if (!defined $answer) { $died++ }
        elsif ($answer != $n) { $wrong++ }
    }
    is($wrong,                             0,  "of $asked questions, $died interrupted, none got another's answer");
    is($dbh->selectrow_array('select 42'), 42, 'the handle goes on');
    alarm $BridgeTest::TEST_SECONDS;
    return;
}

# --- two scripts that wait for each other

sub deadlock {
    my ($f) = @_;
    my $mine = $f->connect;
    $mine->do($f->table_sql('pair'));
    $mine->do("insert into pair values ($_, 'x')") for 1, 2;
    my $script = script($f, <<'PERL', args => ["$BridgeTest::WORLD/second"]);
my $dbh = connect_to();
$dbh->begin_work;
$dbh->do(q(update pair set name = 'theirs' where id = 2));
say_that($ARGV[0]);
if (eval { $dbh->do(q(update pair set name = 'theirs' where id = 1)); 1 }) { $dbh->commit; print 'done' }
else { print join '|', $dbh->err, $dbh->state, $dbh->errstr; $dbh->rollback }
PERL
    $mine->begin_work;
    $mine->do(q(update pair set name = 'mine' where id = 1));
    ok(BridgeTest::eventually(sub { -e "$BridgeTest::WORLD/second" }, 20), 'another script has the second row');
    ok(BridgeTest::eventually(sub { $f->running('where id = 1') },    20), 'and waits for the first');
    my $got = outcome(sub { $mine->do(q(update pair set name = 'mine' where id = 2)); 'done' });
    $got->{died} ? $mine->rollback : $mine->commit;
    my $theirs = BridgeTest::wait_for($script)->{out};
    my $ours   = $got->{value} || join '|', map { defined $_ ? $_ : '' } @{$got}{qw(err state errstr)};
    my @lost   = grep { $_ ne 'done' } $ours, $theirs;
    is(scalar @lost, 1, 'one of the two is refused') or diag "$ours, $theirs";
    like($lost[0], $f->deadlock, 'as a deadlock');
    is(
        join(' ', map { $_->[0] } @{ $mine->selectall_arrayref('select distinct name from pair') }),
        $ours eq 'done' ? 'mine' : 'theirs', 'the other one has changed both rows'
    );
    is($mine->selectrow_array('select 42'), 42, 'the handle goes on');
    return;
}

1;
