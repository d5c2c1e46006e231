# The error model: what a method leaves behind, what is printed, raised, handled, and in which words.
use strict;
use warnings;
use Test::More;
use DBI;

my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };

sub sponge {
    my (%attr) = @_;
    return DBI->connect('dbi:Sponge:', '', '', { RaiseError => 0, PrintError => 0, PrintWarn => 0, %attr })
}
sub clean { my ($h) = @_; @warned = (); $h->set_err(undef, undef) }

{
    my $dbh = sponge();
    is $dbh->err,                undef,   'nothing at first';
    is $dbh->set_err(5, 'five'), undef,   'set_err gives undef';
    is $dbh->err,                5,       'err';
    is $dbh->errstr,             'five',  'errstr';
    is $dbh->state,              'S1000', 'the general state';
    is $DBI::err,                5,       '$DBI::err';
    is $DBI::errstr,             'five',  '$DBI::errstr';
    is $DBI::state,              'S1000', '$DBI::state';
    is(DBI->err, 5, 'DBI->err');
    is ref $DBI::lasth,  'DBI::db', '$DBI::lasth';
    is $dbh->{ErrCount}, 1,         'ErrCount';
    $dbh->set_err(6, 'six', '42000');
    is $dbh->errstr, "five [err was 5 now 6]\nsix", 'errors add up';
    is $dbh->state,  '42000',                       'the newer state';
    $dbh->set_err(6, 'again', '43000');
    like $dbh->errstr, qr/^six \[state was 42000 now 43000\]\nagain\z/m, '... and its change is told';
    ok $dbh->prepare('x', { rows => [], NAME => ['a'] }), 'a good call';
    is $dbh->err,   undef, '... clears them';
    is $dbh->state, '',    '... and the state';
    is_deeply [$dbh->set_err(7, 'seven', undef, 'method', 42)], [42], 'the value set_err is to return';
    clean($dbh);
    $dbh->set_err('', 'told');
    is $dbh->err, '', 'information';
    $dbh->set_err(0, 'warned');
    is $dbh->err, 0, 'a warning outranks information';
    $dbh->set_err('', 'told more');
    is $dbh->err,    0,                         'not the other way round';
    is $dbh->errstr, "told\nwarned\ntold more", 'all texts';
    is $dbh->state,  '',                        'no state';
}

{
    my $dbh = sponge(RaiseError => 1);
    ok !eval { $dbh->prepare('no rows'); 1 }, 'RaiseError';
    my $line = __LINE__ - 1;
    is $@, "DBD::Sponge::db prepare failed: No rows attribute supplied to prepare at $0 line $line.\n", 'the message';
    my $sth = $dbh->prepare('x', { rows => [[1]], NAME => ['a'] });
    ok $sth->{RaiseError}, 'a statement handle inherits it';
    is $sth->err, undef, 'and shares the error state';
    ok !eval { $sth->set_err(1, 'on the statement'); 1 }, 'an error there';
    is $dbh->err, 1, '... shows on both';
    like $@, qr/^DBD::Sponge::st set_err failed: on the statement at /, '... with its class';
    eval { $sth->set_err(1, 'text', undef, 'other_method') };
    like $@, qr/^DBD::Sponge::st other_method failed: /, 'the method a driver names';
}

{
    my $dbh = sponge(PrintError => 1, PrintWarn => 1);
    clean($dbh);
    $dbh->set_err(3, 'printed');
    like "@warned", qr/^DBD::Sponge::db set_err failed: printed at \Q$0\E line \d+\.$/, 'PrintError';
    clean($dbh);
    $dbh->set_err(0, 'careful');
    like "@warned", qr/^DBD::Sponge::db set_err warning: careful at /, 'PrintWarn';
    clean($dbh);
    $dbh->set_err('', 'by the way');
    is "@warned", '', 'information is silent';
    $dbh->{PrintWarn} = 0;
    $dbh->{RaiseWarn} = 1;
    clean($dbh);
    ok !eval { $dbh->set_err(0, 'raised'); 1 }, 'RaiseWarn';
    like $@, qr/^DBD::Sponge::db set_err warning: raised at /, '... the message';
}

{
    my $dbh = sponge(RaiseError => 1);
    my @seen;
    my $answer = 1;
    $dbh->{HandleError} = sub { @seen = @_; return $answer };
    my $value = eval { $dbh->set_err(9, 'handled', undef, undef, 'value') };
    is $@,       '',                                        'HandleError with a true answer: nothing is raised';
    is $value,   'value',                                   '... the call returns what it returns';
    is $seen[0], 'DBD::Sponge::db set_err failed: handled', '... it got the message';
    is $seen[1], $dbh,                                      '... the handle';
    is $seen[2], 'value',                                   '... and the value';
    $dbh->{HandleError} = sub { $_[2] = 'changed'; return 1 };
    is $dbh->set_err(9, 'handled', undef, undef, 'value'), 'changed', 'it may change the value';
    $answer = 0;
    $dbh->{HandleError} = sub { return 0 };
    ok !eval { $dbh->set_err(9, 'x'); 1 }, 'a false answer: raised';
    $dbh->{HandleError} = undef;
    my @set;
    $dbh->{HandleSetErr} = sub {
        my ($h, $err, $errstr) = @_;
        push @set, [$err, $errstr];
        $_[1] = 0
            if $err && $errstr eq 'soften';
        return
    };
    clean($dbh);
    @set = ();
    ok eval { $dbh->set_err(8, 'soften'); 1 }, 'HandleSetErr can soften an error';
    is $dbh->err, 0, '... to a warning';
    is_deeply \@set, [[8, 'soften']], '... and sees what is set';
}

{
    my $dbh = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1, PrintError => 0, ShowErrorStatement => 1 });
    my $sth = $dbh->prepare('select mode from ?');
    $sth->bind_param(1, "a'b");
    $sth->bind_param(2, undef);
    eval { $sth->execute };
    like $@,
qr/^DBD::ExampleP::st execute failed: .* \[for Statement "select mode from \?" with ParamValues: 1='a'b', 2=undef\] at /,
        'ShowErrorStatement';
    eval { $dbh->selectall_arrayref('select mode from /no/such/folder') };
    like $@, qr/^DBD::ExampleP::db selectall_arrayref failed: opendir\(/, 'the outermost method is the one named';
}

{    # wrong use
    my $dbh = sponge();
    my $line = __LINE__ + 1;
    eval { $dbh->commit(1, 2) };
    is $@, "DBI commit: invalid number of arguments: got handle + 2, expected handle + between 0 and 0\n"
        . "Usage: \$h->commit() at $0 line $line.\n", 'too many arguments';
    eval { $dbh->prepare };
    like $@,
qr/^DBI prepare: invalid number of arguments: got handle \+ 0, expected handle \+ between 1 and 2\nUsage: \$h->prepare\(\$statement \[, \\%attr\]\) at /,
        'too few';
    eval { $dbh->no_such_method };
    like $@, qr/^Can't locate object method "no_such_method" via package "DBI::db"/, 'no such method';
    eval { $dbh->func('no_such_func') };
    like $@, qr/^Can't locate DBI object method "no_such_func" via package "DBD::Sponge::db"/,
        'no such driver function';
    eval { $DBI::rows = 1 };
    like $@, qr/Can't modify/, '$DBI::rows is read only';
}

{    # perl's own ", <FH> line N" is part of the place
    my $dbh = sponge(RaiseError => 1);
    open my $fh, '<', $0 or die;
    my $first = <$fh>;
    eval { $dbh->set_err(1, 'reading') };
    like $@, qr/ at \Q$0\E line \d+, <\$fh> line 1\.$/, 'the file that was read last';
}

{    # an object may handle errors, if it is a function
    my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0 });
    my @said;
    $dbh->{HandleError} = bless sub { push @said, $_[0]; return 1 }, 'Some::Handler';
    $dbh->do('selec');
    like $said[0], qr/^DBD::SQLite::db do failed: /, 'a blessed HandleError is called';
}

done_testing;
