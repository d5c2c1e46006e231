# Looking at calls: Callbacks, trace, Profile, subclasses.
use strict;
use warnings;
use Test::More;
use DBI;
use File::Temp 'tempdir';

sub sponge    { return DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0, @_ }) }
sub statement { return $_[0]->prepare('text', { rows => [[1, 'a'], [2, 'b']], NAME => [qw(id name)] }) }

{    # callbacks
    my $dbh = sponge();
    my @seen;
    $dbh->{Callbacks} = {
        ping           => sub { push @seen, [$_, scalar @_, ref $_[0]]; return },
        quote          => sub { undef $_;                               return 'answered' },
        '*'            => sub { push @seen, "* $_";                     return },
        ChildCallbacks => { fetch => sub { push @seen, "child $_"; return } },
    };
    $_ = 'mine';
    $dbh->ping;
    is_deeply \@seen, [['ping', 1, 'DBI::db']], 'a callback: $_ is the method, the arguments are the call\'s';
    is $_,               'mine',     '... the script\'s $_ is left alone';
    is $dbh->quote('x'), 'answered', 'undef $_ replaces the call';
    @seen = ();
    my $sth = statement($dbh);
    is_deeply \@seen, ['* prepare'], 'the callback for all methods';
    $sth->execute;
    @seen = ();
    $sth->fetch;
    is_deeply \@seen, ['child fetch'], 'ChildCallbacks';
    $dbh->{Callbacks} = { disconnect => sub { die "not now\n" } };
    ok !eval { $dbh->disconnect; 1 }, 'a callback may die';
    is $@, "not now\n", '... with its own words';
    $dbh->{Callbacks} = { ping => sub { return 1 } };
    ok !eval { $dbh->ping; 1 }, 'a callback that returns something though the call goes on is an error';
    $dbh->{Callbacks} = undef;
    ok eval { $dbh->disconnect; 1 }, 'no more callbacks';
}

{    # trace
    my $file = tempdir(CLEANUP => 1) . '/trace';
    my $dbh  = sponge();
    is $dbh->trace, 0, 'off at first';
    $dbh->trace(2, $file);
    my $sth = statement($dbh);
    $sth->execute;
    1 while $sth->fetch;
    $dbh->trace_msg("a message\n");
    $dbh->trace_msg("too detailed\n", 5);
    $dbh->{TraceLevel} = $sth->{TraceLevel} = 0;
    $dbh->trace(0, 'STDERR');
    open my $fh, '<', $file or die;
    my $text = do { local $/; <$fh> };
    like $text, qr/-> prepare for DBD::Sponge::db \(DBI::db=HASH\(0x[0-9a-f]+\)~0x[0-9a-f]+ 'text'/,
        'a call, its class, its arguments';
    like $text,   qr/<- prepare= \( DBI::st=HASH\(0x[0-9a-f]+\) \)/, 'what it returned';
    like $text,   qr/-> execute for DBD::Sponge::st/,                'the statement inherits the level';
    like $text,   qr/^a message$/m,                                  'trace_msg';
    unlike $text, qr/too detailed/,                                  'trace_msg of a higher level';
    is $dbh->parse_trace_flags('SQL|3'), 0x103, 'parse_trace_flags';
    is $dbh->parse_trace_flag('SQL'),    0x100, 'parse_trace_flag';
    $dbh->{TraceLevel} = 'SQL';
    is $dbh->{TraceLevel}, 0x100, 'TraceLevel by name';
}

{    # profile
    my $dbh = sponge();
    require DBI::Profile;
    no warnings 'once';
    local $DBI::Profile::ON_DESTROY_DUMP = sub { };
    $dbh->{Profile} = '!Statement:!MethodName';
    my $sth = statement($dbh);
    $sth->execute;
    1 while $sth->fetch;
    my $data = $dbh->{Profile}{Data}{text};
    is $data->{execute}[0], 1, 'execute once';
    is $data->{fetch}[0],   3, 'fetch three times';
    cmp_ok $data->{fetch}[1], '>=', 0, '... with a duration';
    undef $sth;
    undef $dbh;
}

{    # subclasses

    package My::DBI;
    our @ISA = 'DBI';

    package My::DBI::db;
    our @ISA = 'DBI::db';
    sub prepare { my ($dbh, @args) = @_; $main::prepared++; return $dbh->SUPER::prepare(@args) }
    sub own     { return 'own ' . ref $_[0] }

    package My::DBI::st;
    our @ISA = 'DBI::st';

    sub fetch {
        my ($sth) = @_;
        my $row = $sth->SUPER::fetch or return;
        return [map { "<$_>" } @$row]
    }
}
our $prepared = 0;
for my $dbh (My::DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1 }),
    DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, RootClass => 'My::DBI' }))
{
    isa_ok $dbh, 'My::DBI::db';
    my $sth = statement($dbh);
    isa_ok $sth, 'My::DBI::st';
    $sth->execute;
    is_deeply $sth->fetch, ['<1>', '<a>'], 'its fetch is called';
    is $dbh->own, 'own My::DBI::db', 'its own method';
}
is $prepared, 2, 'its prepare was called';

done_testing;
