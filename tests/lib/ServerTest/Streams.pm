package ServerTest::Streams;

# Results that are still being read while the same handle is used for something else, results that are left, back-pressure.

use strict;
use warnings;

use ServerTest;
use Test::More;

use constant ROWS => 60_000;

sub all {
    my ($f) = @_;
    my $dbh = $f->connect($f->streaming);
    nested($f, $dbh);
    nested_many($f, $dbh);
    left_early($f, $dbh);
    writes_between($f, $dbh);
    transactions($f, $dbh);
    if (ours()) {
        spilled($f);
        not_read_on($f);
    }
    return;
}

# A loop that asks in its body: both see all their rows.
sub nested {
    my ($f, $dbh) = @_;
    my $outer = $dbh->prepare($f->rows_sql(ROWS));
    $outer->execute;
    my ($rows, $inner, $wrong) = (0, 0, 0);
    my $lookup = $dbh->prepare($f->echo_sql);
    while (my ($id, $text) = $outer->fetchrow_array) {
        $rows++;
        $wrong++ if $id != $rows || $text ne 'x' x 20;
        next     if $rows % 500;
        my ($same) = $dbh->selectrow_array($lookup, undef, $id);
        $inner++ if $same == $id;
    }
    is("$rows $inner $wrong", ROWS . ' ' . ROWS / 500 . ' 0', 'a loop and the lookups in it see every row, in order');
    return;
}

# Several at once, read in turns.
sub nested_many {
    my ($f, $dbh) = @_;
    my @sth = map {
        my $sth = $dbh->prepare($f->rows_sql(20_000 + $_));
        $sth->execute;
        $sth
    } 1 .. 5;
    my @count = (0) x @sth;
    my @open  = 0 .. $#sth;
    my $wrong = 0;
    while (@open) {
        for my $n (splice @open) {
            my $row = $sth[$n]->fetch or next;
            $count[$n]++;
            $wrong++ if $row->[0] != $count[$n];
            push @open, $n;
        }
    }
    is("@count $wrong", '20001 20002 20003 20004 20005 0', 'five results read in turns are each complete');
    return;
}

sub left_early {
    my ($f, $dbh) = @_;
    for my $way (qw(finish undef execute)) {
        my $sth = $dbh->prepare($f->rows_sql(ROWS));
        $sth->execute;
        $sth->fetch for 1 .. 10;
        if ($way eq 'finish')   { $sth->finish }
        elsif ($way eq 'undef') { undef $sth }
        else {
            $sth->execute;
            my ($first) = $sth->fetchrow_array;
            is($first, 1, 'executed again it begins anew');
            $sth->finish;
        }
        is($dbh->selectrow_array('select 42'), 42, "a result is left by $way");
    }
    my $few = $dbh->selectall_arrayref($f->rows_sql(ROWS), { MaxRows => 7 });
    is(scalar @$few, 7, 'MaxRows');
    return;
}

# What is written while a result is read: the result is that of its beginning.
sub writes_between {
    my ($f, $dbh) = @_;
    $dbh->do($f->table_sql('grows'));
    my $insert = $dbh->prepare('insert into grows values (?, ?)');
    $dbh->begin_work;
    $insert->execute($_, 'old') for 1 .. 5_000;
    $dbh->commit;
    my $sth = $dbh->prepare('select id, name from grows');
    $sth->execute;
    my %seen;

    while (my ($id, $name) = $sth->fetchrow_array) {
        $seen{$name}++;
        $insert->execute($id + 10_000, 'new') if $id % 100 == 0;
    }
    is_deeply(\%seen, { old => 5_000 }, 'a result does not see what is written while it is read');
    is($dbh->selectrow_array($f->count_sql('grows')), 5_050, 'which is written, once');
    return;
}

# A transaction ends while a result is read.
sub transactions {
    my ($f, $dbh) = @_;
    $dbh->do($f->table_sql('streamed'));
    $dbh->begin_work;
    my $sth = $dbh->prepare($f->rows_sql(ROWS));
    $sth->execute;
    my $insert = $dbh->prepare('insert into streamed values (?, ?)');
    my $rows   = 0;
    while (my $row = $sth->fetch) {
        $rows++;
        $insert->execute($row->[0], $row->[1]) if $rows % 1_000 == 0;
    }
    is($rows, ROWS, 'a result is complete while its transaction writes');
    ok(!$dbh->{AutoCommit}, 'and the transaction is still one');
    my $other = $f->connect;
    is($other->selectrow_array($f->count_sql('streamed')), 0, 'others do not see it yet');
    ok($dbh->commit, 'it is committed');
    is($other->selectrow_array($f->count_sql('streamed')), ROWS / 1_000, 'and what was written is there');
    return;
}

# More than memory is meant for: it goes to a file without a name, and every row comes back.
sub spilled {
    my ($f) = @_;
    my $script =
        script($f, <<'PERL', dsn => { $f->streaming }, env => { SQL => $f->rows_sql(2_000_000) }, seconds => 100);
use CPANBridge;
my $dbh = connect_to();
my $outer = $dbh->prepare($ENV{SQL});
$outer->execute;
$outer->fetch for 1 .. 3;
my ($answer) = $dbh->selectrow_array('select 42');
my ($count, $sum, $wrong) = (3, 6, 0);
while (my $row = $outer->fetch) { $count++; $sum += $row->[0]; $wrong++ if $row->[0] != $count }
sub peak { open my $in, '<', "/proc/$_[0]/status" or die; my ($kb) = map { /^VmHWM:\s*(\d+)/ } <$in>; return $kb }
print join ' ', $answer, $count, $sum, $wrong, peak(CPANBridge->session->{daemon}{pid});
PERL
    my $done = BridgeTest::wait_for($script);
    my ($answer, $count, $sum, $wrong, $peak) = split ' ', $done->{out};
    is(
        "$answer $count $sum $wrong",
        join(' ', 42, 2_000_000, 2_000_000 * 2_000_001 / 2, 0),
        'two million rows put aside come back, in order'
    ) or diag $done->{err};
    cmp_ok($peak, '<', 80_000, "the daemon did not keep them in memory ($peak kB)");
    return;
}

# A script that stops reading does not make the daemon read on.
sub not_read_on {
    my ($f) = @_;
    my $script = script($f, <<'PERL', dsn => { $f->streaming }, env => { SQL => $f->rows_sql(20_000_000) }, seconds => 100);
use CPANBridge;
my $dbh = connect_to();
my $sth = $dbh->prepare($ENV{SQL});
$sth->execute;
my @first = map { $sth->fetch->[0] } 1 .. 100;
sleep 1;
open my $in, '<', '/proc/' . CPANBridge->session->{daemon}{pid} . '/status' or die;
my ($kb) = map { /^VmHWM:\s*(\d+)/ } <$in>;
$sth->finish;
print join ' ', $first[-1], $kb, $dbh->selectrow_array('select 42');
PERL
    my $done = BridgeTest::wait_for($script);
    my ($last, $kb, $answer) = split ' ', $done->{out};
    is("$last $answer", '100 42', 'a result of 20 million rows can be left after a hundred') or diag $done->{err};
    cmp_ok($kb, '<', 60_000, "and was not read meanwhile ($kb kB)");
    return;
}

1;
