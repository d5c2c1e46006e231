# Connecting: forms of the data source, attributes, what a failure says, what is left after disconnect.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;
no warnings q(once);

my $dir = tempdir(CLEANUP => 1);

sub attempt {
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $value = eval { $_[0]->() };
    return ($value, $@, @warned)
}

{
    my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1 });
    isa_ok $dbh, 'DBI::db';
    like $dbh->{sqlite_version}, qr/^3\.\d+\.\d+$/, 'sqlite_version';
    is $DBD::SQLite::VERSION, '1.72', 'the module calls itself 1.72';
    like $DBD::SQLite::sqlite_version,        qr{^3[.]\d+[.]\d+$}, '$sqlite_version';
    like $DBD::SQLite::sqlite_version_number, qr/^3\d{6}$/,        '$sqlite_version_number';
    is $dbh->{Name},         ':memory:', 'Name';
    is $dbh->{Driver}{Name}, 'SQLite',   'Driver';
    is $dbh->{AutoCommit},   1,          'AutoCommit is on';
    is_deeply [
        @$dbh{
            qw(sqlite_string_mode sqlite_see_if_its_a_number sqlite_use_immediate_transaction sqlite_allow_multiple_statements
                sqlite_extended_result_codes sqlite_prefer_numeric_type)
        }
        ],
        [0, 0, 1, 0, 0, 0], 'attributes as they are at first';
    is $dbh->sqlite_busy_timeout,     30_000, 'busy timeout';
    is $dbh->func(5, 'busy_timeout'), 5,      'busy timeout through func';
    is $dbh->sqlite_busy_timeout,     5,      '... was set';
    ok $dbh->ping,       'ping';
    ok $dbh->disconnect, 'disconnect';
    ok !$dbh->ping,      'no ping after it';
    ok $dbh->disconnect, 'disconnect twice does no harm';
}

for my $form ("dbname=$dir/a.db", "db=$dir/b.db", "database=$dir/c.db", "$dir/d.db", "uri=file:$dir/e.db?mode=rwc") {
    my ($file) = $form =~ m{(\Q$dir\E/\w\.db)};
    my $dbh = DBI->connect("dbi:SQLite:$form", '', '', { RaiseError => 1 });
    $dbh->do('create table t(a)');
    ok -s $file, "$form makes the file";
    is $dbh->sqlite_db_filename, $file, '... and knows its name';
    is $dbh->{Name},             $form, '... Name is the source as given';
    ok $dbh->ping, '... ping';
    $dbh->disconnect;
}

{
    my $dbh =
        DBI->connect("dbi:SQLite:dbname=$dir/f.db;AutoCommit=0;sqlite_string_mode=5", '', '', { RaiseError => 1 });
    is $dbh->{AutoCommit},         '', 'AutoCommit in the data source';
    is $dbh->{sqlite_string_mode}, 5,  'a driver attribute in the data source';
    $dbh->disconnect;
}

{
    require Cwd;
    my $here = Cwd::getcwd();
    chdir $dir;
    my $dbh = DBI->connect('dbi:SQLite:dbname=relative.db', '', '', { RaiseError => 1 });
    $dbh->do('create table t(a)');
    ok -s "$dir/relative.db", 'a relative name is looked up in the current folder';
    $dbh->disconnect;
    chdir $here;
}

{
    my ($dbh, $died, @warned) =
        attempt(sub { DBI->connect('dbi:SQLite:/nonexistent/x.db', 'u', 'p', { PrintError => 1 }) });
    ok !$dbh, 'no handle for a folder that is not there';
    like $warned[0],
        qr{^DBI connect\('/nonexistent/x.db','u',\.\.\.\) failed: unable to open database file at \Q$0\E line \d+},
        'warning';
    is $DBI::err,    14,                             'err';
    is $DBI::errstr, 'unable to open database file', 'errstr';
    is $DBI::state,  'S1000',                        'state';
    (undef, $died) =
        attempt(sub { DBI->connect('dbi:SQLite:/nonexistent/x.db', '', '', { RaiseError => 1, PrintError => 0 }) });
    like $died, qr{^DBI connect\(.*\) failed: unable to open database file at \Q$0\E line \d+}, 'RaiseError dies';
}

{
    my $dbh = DBI->connect("dbi:SQLite:dbname=$dir/a.db", '', '', { ReadOnly => 1, PrintError => 0 });
    ok $dbh->{ReadOnly},                     'ReadOnly';
    ok !$dbh->do('insert into t values(1)'), '... cannot write';
    is $dbh->errstr, 'attempt to write a readonly database', '... and says so';
    is $dbh->err,    8,                                      '... err';
    my $other = DBI->connect("dbi:SQLite:dbname=$dir/b.db", '', '', { PrintError => 0, PrintWarn => 1 });
    my (undef, undef, @warned) = attempt(sub { $other->{ReadOnly} = 1 });
    like $warned[0], qr/ReadOnly is set but it's only advisory at /, 'ReadOnly afterwards is advisory';
}

{
    my (undef, $died) = attempt(
        sub {
            DBI->connect('dbi:SQLite::memory:', '', '', { sqlite_string_mode => 7, RaiseError => 1, PrintError => 0 })
        }
    );
    like $died, qr/Invalid value \(7\) given for sqlite_string_mode/, 'a string mode that does not exist';
    my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1 });
    $dbh->{sqlite_unicode} = 1;
    is $dbh->{sqlite_string_mode}, 4, 'sqlite_unicode is string mode 4';
    my ($value, undef, @warned) = attempt(sub { $dbh->{sqlite_unicode} });
    ok $value, '... and can be read';
    like $warned[0],
        qr/^"sqlite_unicode" attribute will be deprecated. Use "sqlite_string_mode" instead. at \Q$0\E line/,
        '... with a warning';
    is eval { $dbh->{sqlite_nothing} }, undef, 'an unknown attribute is undef';
}

{
    my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0 });
    $dbh->do('create table t(a)');
    my $sth = $dbh->prepare('select 1 union select 2');
    $sth->execute;
    $sth->fetch;
    my (undef, undef, @warned) = attempt(sub { $dbh->disconnect });
    like $warned[0],
qr/^DBI::db=HASH\(0x[0-9a-f]+\)->disconnect invalidates 1 active statement handle \(either destroy statement handles or call finish on them before disconnecting\) at \Q$0\E/,
        'disconnect names active statements';
    my $text = 'attempt to %s on inactive database handle';
    ok !$sth->fetch, 'no row after disconnect';
    is $sth->errstr, sprintf($text, 'fetch'), '... error';
    is $sth->err,    -2,                      '... err';

    for my $case ([do => sub { $dbh->do('select 1') }], [prepare => sub { $dbh->prepare('select 1') }],
        [execute => sub { $sth->execute }])
    {
        my ($name, $code) = @$case;
        ok !$code->(), "no $name after disconnect";
        is $DBI::errstr, sprintf($text, $name), '... error';
        is $DBI::err,    -2,                    '... err';
    }
    ok !$dbh->ping, '... ping';
}

done_testing;
