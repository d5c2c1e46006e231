package ServerTest::Sessions;

# What one script leaves in its session never reaches the next one, however the script ends. (Over a pool both use the same
# session; with a native driver each has its own.)

use strict;
use warnings;

use ServerTest;
use Test::More;

# How a script leaves: what else it does when its session is dirty, and its end.
my $INSERT = '$dbh->do("insert into $ENV{VISIBLE} values (1)");';
my @WAYS   = (
    ['disconnect',               '',                                  '$dbh->disconnect;'],
    ['exit',                     '',                                  ''],
    ['die',                      '',                                  'die "in the middle\n";'],
    ['kill -9',                  '',                                  'kill KILL => $$; sleep 10;'],
    ['a transaction',            '$dbh->begin_work;' . $INSERT,       ''],
    ['kill -9 in a transaction', '$dbh->begin_work;' . $INSERT,       'kill KILL => $$; sleep 10;'],
    ['AutoCommit off',           '$dbh->{AutoCommit} = 0;' . $INSERT, ''],
    [
        'a result half read',
        '$dbh->do($ENV{UNLOCK}); my $sth = $dbh->prepare($ENV{ROWS}); $sth->execute; $sth->fetch for 1 .. 3;', 'exit 0;'
    ],
);

sub all {
    my ($f) = @_;
    my $admin = $f->connect;
    $admin->do($_) for $f->dirt_setup;
    my $clean = probe($f);
    my @dirt  = $f->dirt;
    is(scalar keys %$clean, @dirt + 1, 'a clean session can be looked at') or return;
    $admin->disconnect;
    dirt_shows($f, $clean);
    my %used;

    for my $way (@WAYS) {
        my $name = $way->[0];
        my $id   = dirty($f, @$way);
        my $seen = probe($f);
        for my $dirt (@dirt) {
            is($seen->{ $dirt->[0] }, $clean->{ $dirt->[0] }, "$name: $dirt->[0]");
        }
        is(
            $f->server->sql('select count(*) from ' . $f->visible), 0,
            "$name: nothing was written that was not committed"
        );
        $used{$name} = $seen->{session} == $id;
    }
    if (ours()) {
        ok($used{$_}, "$_: the second script had the session of the first") for 'disconnect', 'exit';
        no_pool($f);
    }
    return;
}

# In the session itself each piece of dirt is seen: the looks below would notice it.
sub dirt_shows {
    my ($f, $clean) = @_;
    my $dbh = $f->connect(attr => { RaiseError => 0 });
    for my $dirt ($f->dirt) {
        my ($name, $do, $look) = @$dirt;
        $dbh->do($_) for @$do;
        my ($value) = $dbh->selectrow_array($look);
        isnt($dbh->err ? 'error ' . $dbh->state : $value, $clean->{$name}, "$name can be seen where it was made");
    }
    $dbh->disconnect;
    return;
}

# Makes a session as dirty as can be; its id.
sub dirty {
    my ($f, $name, $more, $end) = @_;
    my $do     = join "\n", map { "\$dbh->do(q{$_});" } map { @{ $_->[1] } } $f->dirt;
    my $script = script(
        $f,
        <<"PERL" . $end, env => { ROWS => $f->rows_sql(100_000), VISIBLE => $f->visible, UNLOCK => $f->unlock });
my \$dbh = connect_to();
print \$dbh->selectrow_array(q{@{[$f->id_sql]}});
$do
$more
print " dirty";
PERL
    my $done = BridgeTest::wait_for($script);
    like($done->{out}, qr/^\d+ dirty$/, "$name: a script made its session dirty") or diag $done->{err};
    return $done->{out} =~ /^(\d+)/ ? $1 : 0;
}

# What a new script sees: name => value, or the error.
sub probe {
    my ($f)  = @_;
    my $look = join "\n", map { "look(q{$_->[0]}, q{$_->[2]});" } $f->dirt;
    my $done = BridgeTest::wait_for(script($f, <<"PERL"));
my \$dbh = connect_to(RaiseError => 0);
print "session=", \$dbh->selectrow_array(q{@{[$f->id_sql]}}), "\\n";
sub look {
    my (\$name, \$sql) = \@_;
    my (\$value) = \$dbh->selectrow_array(\$sql);
    print "\$name=", \$dbh->err ? 'error ' . \$dbh->state : \$value, "\\n";
}
$look
PERL
    my %seen = map { split /=/, $_, 2 } split /\n/, $done->{out};
    diag $done->{err} if length $done->{err};
    return \%seen;
}

# Without a pool a session ends with its handle.
sub no_pool {
    my ($f) = @_;
    my @ids = map {
        my $dbh = $f->connect(bridge_pool => 0);
        my $id  = $f->session_id($dbh);
        $dbh->disconnect;
        $id
    } 1 .. 2;
    isnt($ids[0], $ids[1], 'bridge_pool=0: each connection is a new session');
    return;
}

1;
