# Connecting to PostgreSQL: data sources, what the handle then tells, failures, the end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::PostgreSQL;
use DBI;

my $pg = TestServer::PostgreSQL->needed;
my ($source) = $pg->socket_dsn;
my ($host, $port) = $source =~ /host=([^;]+).*port=(\d+)/;
delete @ENV{ grep { /^PG|^DBI_/ } keys %ENV };

my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };
sub warned { my @seen = @warned; @warned = (); return @seen }

sub handle {
    return DBI->connect("dbi:Pg:dbname=postgres;host=$host;port=$port", 'postgres', '', { PrintError => 0, @_ })
}

for my $name (qw(dbname db database)) {
    my $dbh = DBI->connect("dbi:Pg:$name=postgres;host=$host;port=$port", 'postgres', '', { PrintError => 0 });
    is $dbh && $dbh->{pg_db}, 'postgres',                              "$name=";
    is $dbh && $dbh->{Name},  "dbname=postgres;host=$host;port=$port", '... Name has libpq\'s word';
}
is(handle()->{pg_user}, 'postgres', 'pg_user');
is(
    (DBI->connect("dbi:Pg:dbname='postgres' host=$host port=$port", 'postgres', '')->{pg_db}), 'postgres',
    'quotes and blanks'
);
is((DBI->connect("dbi:Pg:postgresql://postgres\@/postgres?host=$host&port=$port")->{pg_db}), 'postgres', 'a URI');
{
    local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($host, $port, 'postgres', 'template1');
    is((DBI->connect('dbi:Pg:', undef, undef, { PrintError => 0 })->{pg_db}), 'template1', 'the environment alone');
}

{
    my $dbh = handle(pg_server_prepare => 0, AutoCommit => 0);
    is $dbh->{AutoCommit},        '',         'AutoCommit off from connect';
    is $dbh->{pg_server_prepare}, 0,          'an attribute from connect';
    is $dbh->{pg_host},           $host,      'pg_host';
    is $dbh->{pg_port},           $port,      'pg_port';
    is $dbh->{Username},          'postgres', 'Username';
    is $dbh->{pg_protocol},       3,          'pg_protocol';
    like $dbh->{pg_server_version}, qr/^\d{5,6}\z/, 'pg_server_version';
    like $dbh->{pg_lib_version},    qr/^\d{5,6}\z/, 'pg_lib_version';
    is $dbh->{pg_pid},                         $dbh->selectrow_array('select pg_backend_pid()'), 'pg_pid';
    is $dbh->{pg_standard_conforming_strings}, 'on',     'pg_standard_conforming_strings';
    is $dbh->{pg_INV_READ},                    0x40000,  'pg_INV_READ';
    is $dbh->{Driver}{Name},                   'Pg',     'the driver\'s name';
    is $dbh->{Driver}{Version},                '3.16.0', '... and version';
    is $dbh->{pg_nonsense},                    undef,    'an unknown attribute';
    ok exists $dbh->private_attribute_info->{pg_bool_tf}, 'private_attribute_info';
    is $dbh->ping,       3,  'ping in a transaction';
    is $dbh->disconnect, 1,  'disconnect';
    is $dbh->{Active},   '', '... not active';
    is $dbh->disconnect, 1,  '... again';
    is $dbh->ping,       0,  '... ping';
    is $dbh->pg_ping,    -1, '... pg_ping';
    ok !defined $dbh->do('select 1'), '... do fails';
    is $dbh->err,      7,                                       '... err';
    is $dbh->errstr,   'Database handle has been disconnected', '... errstr';
    is $dbh->{pg_pid}, 0,                                       '... no server process';
    is_deeply [warned()], [], 'nothing warned';
}

{
    my $dbh = handle();
    my $sth = $dbh->prepare('select generate_series(1, 3)');
    $sth->execute;
    $dbh->disconnect;
    like + (warned())[0], qr/^\QDBI::db=HASH\E\S+->disconnect invalidates 1 active statement handle /,
        'disconnect with rows left';
    ok !defined $sth->execute, 'execute then fails';
    is $sth->errstr, 'Cannot call execute on a disconnected database handle', '... errstr';
}

my %failure = (
    'dbname=nonesuch'               => qr/FATAL:  database "nonesuch" does not exist\z/,
    'dbname=postgres;foo=bar'       => qr/\Ainvalid connection option "foo"\z/,
    'foobar'                        => qr/\Amissing "=" after "foobar" in connection info string\z/,
    'dbname=postgres;sslmode=bogus' => qr/\Ainvalid sslmode value: "bogus"\z/,
    'service=nonesuch'              => qr/\Adefinition of service "nonesuch" not found\z/,
);
for my $dsn (sort keys %failure) {
    my $full = $dsn eq 'foobar' ? $dsn : "$dsn;host=$host;port=$port";
    ok !DBI->connect("dbi:Pg:$full", 'postgres', '', { PrintError => 0 }), "$dsn fails";
    like $DBI::errstr, $failure{$dsn}, '... errstr';
    is $DBI::err,   1,       '... err';
    is $DBI::state, '08006', '... state';
}
ok !DBI->connect("dbi:Pg:dbname=postgres;host=$host;port=$port", 'nobody_at_all', '', { PrintError => 0 }),
    'an unknown role';
like $DBI::errstr, qr/FATAL:  role "nobody_at_all" does not exist\z/, '... errstr';
ok !DBI->connect("dbi:Pg:dbname=postgres;host=$host;port=1", 'postgres', '', { PrintError => 0 }), 'nobody listens';
like $DBI::errstr, qr/failed: No such file or directory\n\tIs the server running locally/, '... errstr';

{
    my ($dsn, $user, $password) = $pg->login;
    my $dbh = DBI->connect($dsn, $user, $password, { PrintError => 0 });
    is $dbh->{pg_pass}, $password, 'pg_pass';
    ok !DBI->connect($dsn, $user, "not $password", { PrintError => 0 }), 'a wrong password';
    like $DBI::errstr,   qr/FATAL:  password authentication failed for user "$user"/, '... errstr';
    unlike $DBI::errstr, qr/\Q$password/,                                             '... without it';
}

{
    local $ENV{DBI_DSN}  = "dbi:Pg:dbname=postgres;host=$host;port=$port";
    local $ENV{DBI_USER} = 'postgres';
    my @sources = DBI->data_sources('Pg');
    ok scalar(grep { $_ eq 'dbi:Pg:dbname=template1' } @sources), 'data_sources';
    my $dbh = handle();
    is_deeply [$dbh->data_sources],                    \@sources,                          '... of a handle';
    is_deeply [DBI->data_sources('Pg', "port=$port")], [map { "$_;port=$port" } @sources], '... with parameters';
}

{
    my $dbh = handle();
    my $pid = fork;
    if (!$pid) { $dbh->{InactiveDestroy} = 1; undef $dbh; require POSIX; POSIX::_exit(0) }
    waitpid $pid, 0;
    is $dbh->selectrow_array('select 5'), 5, 'a child that leaves the handle alone does no harm';
    my $clone = $dbh->clone;
    isnt $clone->{pg_pid}, $dbh->{pg_pid}, 'clone is a connection of its own';
}

done_testing;
