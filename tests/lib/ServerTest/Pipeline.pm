package ServerTest::Pipeline;

# bridge_pipeline: execute of statements without results does not wait; errors surface, in order, at the next synchronising call.

use strict;
use warnings;

use FaultProxy;
use ServerTest;
use Test::More;

sub all {
    my ($f) = @_;
    my $dbh = $f->connect;
    $dbh->do($f->table_sql('piped'));
    everything_arrives($f, $dbh);
    errors_surface($f, $dbh);
    transactions($f, $dbh);
    taken_back($f, $dbh);
    told_at_last($f);
    order_of_statements($f, $dbh);
    lost_lines($f);
    off($f, $dbh);
    return;
}

sub rows { my ($f) = @_; return scalar $f->connect->selectrow_array($f->count_sql('piped')) }

sub everything_arrives {
    my ($f, $dbh) = @_;
    $dbh->{bridge_pipeline} = 1;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    my $failed = grep { !$insert->execute($_, "name $_") } 1 .. 3_000;
    is($failed, 0, 'every execute is true');
    my ($count) = $dbh->selectrow_array($f->count_sql('piped'));
    is($count, 3_000, 'a select on the handle sees all of them');
    my $wrong = grep { $_->[1] ne "name $_->[0]" } @{ $dbh->selectall_arrayref('select id, name from piped') };
    is($wrong, 0, 'each row as it was given');
    $dbh->do('delete from piped');
    $insert->execute($_, 'again') for 1 .. 10;
    $dbh->{bridge_pipeline} = 0;
    is(rows($f), 10, 'switching it off waits for all of them');
    $dbh->do('delete from piped');
    return;
}

sub errors_surface {
    my ($f, $dbh) = @_;
    $dbh->{bridge_pipeline} = 1;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    my $died =
        eval { $insert->execute($_ == 4 ? 3 : $_, 'x') for 1 .. 6; $dbh->selectrow_array('select 42'); 1 } ? '' : $@;
    like($died, $f->duplicate, 'a key twice is said at a later call');
    my $answer = eval { $dbh->selectrow_array('select 42') };
    is($answer, 42, 'once: the handle goes on') or diag $@;
    $dbh->{bridge_pipeline} = 0;
    my @there = map { $_->[0] } @{ $dbh->selectall_arrayref('select id from piped order by id') };
    is("@there[0 .. 2]", '1 2 3', 'what came before the error is there');
    my %once;
    $once{$_}++ for @there;
    is_deeply([grep { $_ > 1 } values %once], [], 'nothing is there twice');
    $dbh->do('delete from piped');
    return;
}

# A commit never succeeds when something before it failed and was not heard of.
sub transactions {
    my ($f, $dbh) = @_;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    $dbh->{bridge_pipeline} = 1;
    $dbh->begin_work;
    $insert->execute($_, 'x') for 1 .. 100;
    ok(eval { $dbh->commit; 1 }, 'a transaction is committed') or diag $@;
    is(rows($f), 100, 'with all it wrote');

    $dbh->begin_work;
    my $heard = eval { $insert->execute($_, 'x') for 101 .. 120, 1, 121 .. 140; $dbh->commit; 1 } ? '' : $@;
    like($heard, $f->duplicate, 'a commit after an error says the error');
    eval { $dbh->rollback };
    is(rows($f), 100, 'and nothing of the transaction is there');
    $dbh->begin_work;
    $insert->execute($_, 'x') for 200 .. 210;
    $dbh->rollback;
    is(rows($f), 100, 'a rollback takes back what was on its way');
    $dbh->{bridge_pipeline} = 0;
    $dbh->do('delete from piped');
    return;
}

# A rollback is one although something before it has failed, and does not leave the good part for the next commit.
sub taken_back {
    my ($f, $dbh) = @_;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    $dbh->{bridge_pipeline} = 1;
    $dbh->begin_work;
    $insert->execute($_, 'x') for 1, 2, 2;
    ok(eval { $dbh->rollback }, 'a rollback after an error nobody has heard of') or diag $@;
    $dbh->begin_work;
    $insert->execute(7, 'x');
    ok(eval { $dbh->commit }, 'the next transaction is committed') or diag $@;
    $dbh->{bridge_pipeline} = 0;
    is("@{ $dbh->selectcol_arrayref('select id from piped') }", '7', 'with nothing of the one before it');
    $dbh->do('delete from piped');
    return;
}

# Errors are not lost with the handle, nor by asking whether the server is there.
sub told_at_last {
    my ($f) = @_;
    my $queue = sub {
        my $dbh = $f->connect;
        $dbh->{bridge_pipeline} = 1;
        my $insert = $dbh->prepare('insert into piped values (?, ?)');
        $insert->execute(1, 'x') for 1 .. 3;
        return $dbh;
    };
    my $dbh = $queue->();
    ok($dbh->ping, 'ping is about the server');
    my $died = eval { $dbh->disconnect; 1 } ? '' : $@;
    like($died, $f->duplicate, 'disconnect says what has failed, also after a ping');
    my $warned = '';
    {
        local $SIG{__WARN__} = sub { $warned .= $_[0] };
        $dbh = $queue->();
        undef $dbh;
    }
    like($warned, $f->duplicate, 'a handle that goes away warns of it');
    $f->connect->do('delete from piped');
    return;
}

sub order_of_statements {
    my ($f, $dbh) = @_;
    $dbh->{bridge_pipeline} = 1;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    my $update = $dbh->prepare('update piped set name = ? where id = ?');
    my $delete = $dbh->prepare('delete from piped where id = ?');
    for my $id (1 .. 300) {
        $insert->execute($id,          'first');
        $update->execute("second $id", $id);
        $delete->execute($id) if $id % 3 == 0;
    }
    $dbh->{bridge_pipeline} = 0;
    my $rows = $dbh->selectall_arrayref('select id, name from piped order by id');
    is_deeply(
        $rows, [map { [$_, "second $_"] } grep { $_ % 3 } 1 .. 300],
        'statements run in the order they were given'
    );
    $dbh->do('delete from piped');
    return;
}

# A line that is cut: an error, and nothing twice.
sub lost_lines {
    my ($f) = @_;
    my $proxy = FaultProxy->new($f->server->port);
    for my $how (qw(cut reset)) {
        my $dbh = $f->connect($f->plain, port => $proxy->port);
        $dbh->{bridge_pipeline} = 1;
        my $insert = $dbh->prepare('insert into piped values (?, ?)');
        $proxy->after(20_000, up => $how);
        my $died = eval { $insert->execute($_, 'x' x 50) for 1 .. 2_000; $dbh->{bridge_pipeline} = 0; 1 } ? '' : $@;
        ok($died, "$how in the middle is an error");
        my @ids = map { $_->[0] } @{ $f->connect->selectall_arrayref('select id from piped order by id') };
        is(
            scalar(grep { $ids[$_] != $_ + 1 } 0 .. $#ids), 0,
            'those that arrived (' . @ids . ') are the first ones, each once'
        );
        ok(!$dbh->ping, 'the handle says that its connection is gone');
        $f->connect->do('delete from piped');
    }
    return;
}

sub off {
    my ($f, $dbh) = @_;
    my $insert = $dbh->prepare('insert into piped values (?, ?)');
    $insert->execute(1, 'x');
    fails(sub { $insert->execute(1, 'x') }, 'without bridge_pipeline the error is where it happens');
    return;
}

1;
