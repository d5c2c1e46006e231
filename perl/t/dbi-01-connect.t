# Connecting: forms of the data source, environment, attributes in the source, failures, cached connections, clones.
use strict;
use warnings;
use Test::More;
use DBI;

delete @ENV{qw(DBI_DSN DBI_DRIVER DBI_USER DBI_PASS DBI_AUTOPROXY)};

sub attempt {
    my ($code) = @_;
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $value = eval { $code->() };
    return ($value, $@, @warned)
}

{
    my $dbh = DBI->connect('dbi:ExampleP:some place', 'me', 'secret', { RaiseError => 1, PrintError => 0 });
    isa_ok $dbh, 'DBI::db';
    is $dbh->{Name},         'some place', 'Name is what follows the driver';
    is $dbh->{Username},     'me',         'Username';
    is $dbh->{Driver}{Name}, 'ExampleP',   'the driver';
    ok $dbh->{RaiseError},  'an attribute of the call';
    ok !$dbh->{PrintError}, 'another';
    ok $dbh->{AutoCommit},  'AutoCommit is on by default';
    ok $dbh->disconnect,    'disconnect';
    ok !$dbh->{Active},     'no longer active';
}

{
    my $dbh =
        DBI->connect('DBI:ExampleP(RaiseError=>1, PrintError => 0):x', '', '', { RaiseError => 0, PrintError => 1 });
    ok $dbh->{RaiseError},  'attributes in the source win over those of the call';
    ok !$dbh->{PrintError}, 'also with blanks';
}

{
    local @ENV{qw(DBI_DSN DBI_USER DBI_PASS)} = ('dbi:ExampleP:from env', 'envuser', 'envpass');
    my $dbh = DBI->connect;
    is $dbh->{Name},     'from env', 'DBI_DSN';
    is $dbh->{Username}, 'envuser',  'DBI_USER';
    local $ENV{DBI_DRIVER} = 'ExampleP';
    is(DBI->connect('dbi::there')->{Driver}{Name}, 'ExampleP', 'DBI_DRIVER');
}

{
    my ($dbh, $error) = attempt(sub { DBI->connect('nonsense') });
    like $error,
qr/^Can't connect to data source 'nonsense' because I can't work out what driver to use \(it doesn't seem to contain a 'dbi:driver:' prefix and the DBI_DRIVER env var is not set\) at \Q$0\E/,
        'a source without a driver';
    ($dbh, $error) = attempt(sub { DBI->connect('dbi:NoSuchDriver:x', '', '', { PrintError => 0 }) });
    like $error, qr/^install_driver\(NoSuchDriver\) failed: Can't locate DBD\/NoSuchDriver\.pm in \@INC/,
        'no such driver';
    like $error,
qr/^Perhaps the DBD::NoSuchDriver perl module hasn't been fully installed,\nor perhaps the capitalisation of 'NoSuchDriver' isn't right\.\nAvailable drivers: .*ExampleP.*\.\n at \Q$0\E line/m,
        '... with advice';
    ($dbh, $error) = attempt(sub { DBI->connect('dbi:ExampleP:', '', {}) });
    like $error, qr/^Usage: \$class->connect\(\[\$dsn \[,\$user \[,\$passwd \[,\\%attr\]\]\]\]\)/,
        'a password that is a reference';
}

{    # a driver whose connect fails

    package DBD::Refuse;
    $INC{'DBD/Refuse.pm'} = __FILE__;
    my $drh;
    sub driver { return $drh ||= DBI::_new_drh('DBD::Refuse::dr', { Name => 'Refuse', Version => 1 }) }
    sub CLONE  { undef $drh }

    package DBD::Refuse::dr;
    our $imp_data_size = 0;
    sub connect { my ($h, $name) = @_; return $h->set_err(77, "$name is shut", '08001') }
}
{
    my ($dbh, $error, @warned) =
        attempt(sub { DBI->connect('dbi:Refuse:shop', 'u', 'p', { RaiseError => 1, PrintError => 0 }) });
    like $error, qr/^DBI connect\('shop','u',\.\.\.\) failed: shop is shut at \Q$0\E line \d+\.?\n/,
        'RaiseError on a failed connect';
    ($dbh, $error, @warned) =
        attempt(sub { DBI->connect('dbi:Refuse:shop', 'u', 'p', { RaiseError => 0, PrintError => 1 }) });
    is $dbh,   undef, 'no handle';
    is $error, '',    'no exception';
    like "@warned", qr/^DBI connect\('shop','u',\.\.\.\) failed: shop is shut at /, 'PrintError warns';
    is $DBI::err,    77,             '$DBI::err';
    is $DBI::errstr, 'shop is shut', '$DBI::errstr';
    is $DBI::state,  '08001',        '$DBI::state';
    my $seen;
    ($dbh, $error) = attempt(
        sub {
            DBI->connect('dbi:Refuse:shop', 'u', 'p',
                { RaiseError => 1, PrintError => 0, HandleError => sub { $seen = $_[0]; 1 } })
        }
    );
    is $error, '', 'HandleError can take a failed connect';
    like $seen, qr/connect\('shop','u',\.\.\.\) failed: shop is shut/, '... and sees the message';
}

{
    my @args = ('dbi:ExampleP:cache', 'u', 'p', { PrintError => 0 });
    my $one  = DBI->connect_cached(@args);
    my $two  = DBI->connect_cached(@args);
    is $one, $two, 'connect_cached gives the same handle';
    isnt(DBI->connect_cached('dbi:ExampleP:other', 'u', 'p', { PrintError => 0 }), $one,
        'another source, another handle');
    isnt(DBI->connect_cached('dbi:ExampleP:cache', 'u', 'p', { PrintError => 1 }), $one,
        'other attributes, another handle');
    $one->disconnect;
    isnt(DBI->connect_cached(@args), $two, 'a disconnected one is not given out again');
    is ref $one->{Driver}{CachedKids}, 'HASH', 'the cache';
    %{ $one->{Driver}{CachedKids} } = ();
}

{
    my $dbh = DBI->connect('dbi:ExampleP:orig', 'u', 'p', { PrintError => 0, RaiseError => 1 });
    $dbh->{RaiseError} = 0;
    my $clone = $dbh->clone;
    isa_ok $clone, 'DBI::db';
    isnt $clone,       $dbh,   'a clone is another handle';
    is $clone->{Name}, 'orig', '... to the same source';
    ok !$clone->{RaiseError},                          '... as the handle is now';
    ok $dbh->clone({})->{RaiseError},                  'clone({}): as it was connected';
    ok $dbh->clone({ PrintError => 1 })->{PrintError}, 'clone with changes';
}

is_deeply [(DBI->parse_dsn('dbi:Foo(a=1,b=>2):x=y;z'))[0, 1, 2, 4]], ['dbi', 'Foo', 'a=1,b=>2', 'x=y;z'], 'parse_dsn';
is_deeply + (DBI->parse_dsn('DBI:Foo(a=1,b=>2):x'))[3], { a => 1, b => 2 }, '... the attributes';
is_deeply [DBI->parse_dsn('nothing')],                                      [], '... of something else';

my @drivers = DBI->available_drivers(1);
ok scalar(grep { $_ eq 'ExampleP' } @drivers), 'available_drivers';
is_deeply [DBI->data_sources('ExampleP')], ['dbi:ExampleP:dir=.'], 'data_sources';
ok exists { DBI->installed_drivers }->{ExampleP}, 'installed_drivers';

if ($DBI::BRIDGE) {    # the native DBI goes through the driver that it names
    local $ENV{DBI_AUTOPROXY} = 'dbi:Gofer:transport=stream';
    my $connect = sub { DBI->connect('dbi:ExampleP:here') };
    my ($dbh, $died, @warned) = attempt($connect);
    is $dbh->{Driver}{Name}, 'ExampleP', 'DBI_AUTOPROXY changes nothing';
    like "@warned", qr/^DBI_AUTOPROXY \(dbi:Gofer:transport=stream\) is ignored/, '... and that is said';
    (undef, $died, @warned) = attempt($connect);
    is "@warned", '', '... once';
}

done_testing;
