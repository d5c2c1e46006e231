# The private contract between this DBI and its own drivers (head of DBI.pm): rows ready in memory, hashes, all at once, one trip.
use strict;
use warnings;
use Test::More;
use DBI;
no warnings 'once';

plan skip_all => 'another DBI' if !$DBI::BRIDGE;

our %calls;
{

    package DBD::Ready;
    $INC{'DBD/Ready.pm'} = __FILE__;
    my $drh;
    sub driver { return $drh ||= DBI::_new_drh('DBD::Ready::dr', { Name => 'Ready', Version => 1 }) }
    sub CLONE  { undef $drh }

    package DBD::Ready::dr;
    our $imp_data_size = 0;

    sub connect {
        my ($h,     $name) = @_;
        my ($outer, $dbh)  = DBI::_new_dbh($h, { Name => $name });
        $dbh->STORE(Active => 1);
        return $outer
    }

    package DBD::Ready::db;
    our $imp_data_size = 0;

    sub prepare {
        my ($dbh, $text) = @_;
        my ($outer) =
            DBI::_new_sth($dbh, { Statement => $text, NUM_OF_FIELDS => 2, NUM_OF_PARAMS => 0, NAME => ['Id', 'Name'] });
        return $outer;
    }
    sub STORE { my ($h, $k, $v) = @_; return $h->SUPER::STORE($k, $k eq 'AutoCommit' ? $v ? -901 : -900 : $v) }

    sub bridge_select {
        my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
        $main::calls{"select $mode"}++;
        return ''                                if $sql =~ /decline/;
        return $dbh->set_err(5, 'no such thing') if $sql =~ /error/;
        my @rows = DBD::Ready::st::all();
        $#rows = $max - 1 if defined $max && $max < @rows;
        return $mode eq 'hash' ? [map { { Id => $_->[0], Name => $_->[1] } } @rows] : \@rows;
    }

    package DBD::Ready::st;
    our $imp_data_size = 0;

    sub all {
        return map { [$_, "n$_"] } 1 .. 10
    }
    sub batch { my ($sth) = @_; $main::calls{batch}++; my @rows = splice @{ $sth->{ready_left} }, 0, 3; return \@rows }

    sub execute {
        my ($sth) = @_;
        $sth->{ready_left}  = [all()];
        $sth->{bridge_rows} = batch($sth);
        $sth->{Active}      = 1;
        return '0E0'
    }

    sub fetch {
        my ($sth) = @_;
        $main::calls{fetch}++;
        if ($sth->{Statement} =~ /breaks/ && @{ $sth->{ready_left} } < 5) {
            $sth->{Active} = 0;
            return $sth->set_err(6, 'broken off')
        }
        my $rows = batch($sth);
        my $row  = shift @$rows;
        $sth->{Active}      = 0 if !$row;
        $sth->{bridge_rows} = $rows;
        return $row;
    }

    sub bridge_fetch_as {
        my ($sth, $as, $case) = @_;
        $main::calls{"as $as $case"}++;
        return '' if $sth->{Statement} =~ /decline/;
        my $rows = batch($sth);
        if (!@$rows) { $sth->{Active} = 0; return undef }
        my @names  = $case eq 'NAME_lc' ? qw(id name) : qw(Id Name);
        my @hashes = map { my %row; @row{@names} = @$_; \%row } @$rows;
        my $first  = shift @hashes;
        $sth->{bridge_hash_rows} = \@hashes;
        return $first;
    }

    sub bridge_fetchall {
        my ($sth, $mode, $max) = @_;
        $main::calls{"all $mode"}++;
        return '' if $sth->{Statement} =~ /decline/;
        my @rows = splice @{ $sth->{ready_left} }, 0, defined $max ? $max : 99;
        $sth->{Active} = 0 if !@{ $sth->{ready_left} };
        return $mode eq 'hash' ? [map { { Id => $_->[0], Name => $_->[1] } } @rows] : \@rows;
    }
    sub rows { return -1 }
}

my $dbh    = DBI->connect('dbi:Ready:', '', '', { RaiseError => 1, PrintError => 0 });
my @all    = map { [$_, "n$_"] } 1 .. 10;
my @hashes = map { { Id => $_, Name => "n$_" } } 1 .. 10;
sub run { my $sth = $dbh->prepare($_[0] || 'x'); $sth->execute; %calls = (); return $sth }

{
    my $sth = run();
    my @got;
    while (my $row = $sth->fetchrow_arrayref) { push @got, $row }
    is_deeply \@got, \@all, 'fetchrow_arrayref: each row its own array';
    is $calls{fetch}, 4, '... the driver is called once a batch';
    $sth = run();
    @got = ();
    while (my $row = $sth->fetch) { push @got, $row }
    is_deeply \@got, \@all, 'fetch';
    $sth = run();
    @got = ();
    while (my @row = $sth->fetchrow_array) { push @got, \@row }
    is_deeply \@got, \@all, 'fetchrow_array';
}
{
    my $sth = run();
    $sth->bind_columns(\my ($id, $name));
    my @got;
    while ($sth->fetch) { push @got, [$id, $name] }
    is_deeply \@got, \@all, 'bound columns';
    is $calls{fetch}, 4, '... the driver is called once a batch';
    $sth = run();
    $sth->fetch;
    $sth->bind_col(2, \$name);
    $sth->fetch;
    is $name, 'n2', 'bound in the middle of a batch';
    is_deeply $sth->fetchrow_arrayref, [3, 'n3'], '... the whole row all the same';
    is_deeply [$sth->fetchrow_array],  [4, 'n4'], '... in the next batch';
    is $name, 'n4', '... too';
    is_deeply $sth->fetchrow_hashref, { Id => 5, Name => 'n5' }, '... as a hash';
    is $name, 'n5', '... too';
    is_deeply $sth->fetchall_arrayref, [@all[5 .. 9]], '... the rest';
    is $name, 'n10', '... up to the last';
}
{
    my $sth = run();
    my @got;
    while (my $row = $sth->fetchrow_hashref) { push @got, $row }
    is_deeply \@got, \@hashes, 'fetchrow_hashref';
    is $calls{'as hash NAME'}, 4,     '... asked for as hashes after the first batch';
    is $calls{fetch},          undef, '... the driver\'s fetch is not called';
    $sth = run('decline');
    @got = ();
    while (my $row = $sth->fetchrow_hashref) { push @got, $row }
    is_deeply \@got, \@hashes, 'a driver may decline';
    $sth = run();
    $sth->fetchrow_hashref for 1 .. 4;
    is_deeply $sth->fetchrow_arrayref, $all[4],    'rows waiting as hashes, fetched as an array';
    is_deeply $sth->fetchrow_hashref,  $hashes[5], '... and as a hash again';
    is_deeply [$sth->fetchrow_array],  $all[6],    '... and as a list';
    is_deeply $sth->fetchrow_hashref('NAME_uc'), { ID => 8, NAME => 'n8' }, '... in another case';
    local $dbh->{FetchHashKeyName} = 'NAME_lc';
    $sth = run();
    $sth->fetchrow_hashref for 1 .. 3;
    is_deeply $sth->fetchrow_hashref, { id => 4, name => 'n4' }, 'FetchHashKeyName reaches the driver';
    ok $calls{'as hash NAME_lc'}, '... by name';
}
for my $text ('x', 'decline') {
    is_deeply run($text)->fetchall_arrayref, \@all, "fetchall_arrayref ($text)";
    ok $calls{'all array'}, '... asked the driver';
    is_deeply run($text)->fetchall_arrayref({}),  \@hashes,                 '... {}';
    is_deeply run($text)->fetchall_arrayref([1]), [map { [$_->[1]] } @all], '... [1]';
    my $sth = run($text);
    is_deeply $sth->fetchall_arrayref(undef, 4), [@all[0 .. 3]],  '... four';
    is_deeply $sth->fetchall_arrayref(undef, 4), [@all[4 .. 7]],  '... four more';
    is_deeply $sth->fetchall_arrayref({},    4), [@hashes[8, 9]], '... the last as hashes';
    is_deeply run($text)->fetchall_hashref('Name'), { map { $_->{Name} => $_ } @hashes }, 'fetchall_hashref';
    is_deeply $dbh->selectall_arrayref($text),                        \@all,                    'selectall_arrayref';
    is_deeply $dbh->selectall_arrayref($text, { Slice => {} }),       \@hashes,                 '... Slice => {}';
    is_deeply $dbh->selectall_arrayref($text, { MaxRows => 2 }),      [@all[0, 1]],             '... MaxRows';
    is_deeply [$dbh->selectrow_array($text)],                         $all[0],                  'selectrow_array';
    is_deeply $dbh->selectrow_hashref($text),                         $hashes[0],               'selectrow_hashref';
    is_deeply $dbh->selectcol_arrayref($text, { Columns => [2, 1] }), [map { @$_[1, 0] } @all], 'selectcol_arrayref';
    is $dbh->{Statement}, $text, 'Statement is noted';
}
{
    %calls = ();
    $dbh->selectall_arrayref('x');
    is_deeply \%calls, { 'select array' => 1 }, 'one trip';
    ok !eval { $dbh->selectall_arrayref('error'); 1 }, 'an error on the way';
    like $@, qr/^DBD::Ready::db selectall_arrayref failed: no such thing at /, '... is reported as ever';
    local $dbh->{Callbacks} = { ChildCallbacks => { execute => sub { $calls{callback}++; return } } };
    %calls = ();
    is_deeply $dbh->selectall_arrayref('x'), \@all, 'with callbacks';
    is $calls{callback}, 1, '... the statement is executed the long way';
}
{    # errors in the middle of rows
    my $sth = run('breaks');
    my @got;
    ok !eval {
        while (my $row = $sth->fetchrow_arrayref) { push @got, $row }
        1
    }, 'an error after some rows';
    like $@, qr/^DBD::Ready::st fetchrow_arrayref failed: broken off at /, '... is raised';
    is scalar @got, 6, '... after the rows before it';
    $sth = run();
    $sth->fetch;
    eval { $dbh->set_err(9, 'elsewhere') };
    is $DBI::err, 9, 'an error elsewhere while rows are waiting';
    is_deeply $sth->fetch, $all[1], '... the next fetch';
    is $DBI::err, undef, '... clears it, as each good call does';
    is_deeply $sth->fetch, $all[2], '... and the rows go on';
}
{    # trace sees each fetch
    my $sth = run();
    $sth->fetch;
    my $text = '';
    open my $fh, '>', \$text or die;
    $sth->trace(2, $fh);
    $sth->fetch for 1 .. 3;
    $sth->trace(0, 'STDERR');
    is scalar(() = $text =~ /-> fetch /g), 3, 'trace shows each fetch';
    is_deeply $sth->fetch, $all[4], '... none is lost';
}
{
    my $sth = run();
    $sth->fetch;
    $sth->execute;
    is_deeply $sth->fetch, $all[0], 'execute drops what was waiting';
    $sth->finish;
    ok !$sth->{bridge_rows} || !@{ $sth->{bridge_rows} }, 'finish too';
}

done_testing;
