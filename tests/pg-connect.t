# DBD::Pg: connections that cannot be had, and what is said then.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use ServerTest::Connect;
use Test::More;

my $f      = flavour('Pg', settings => { max_connections => 8 });
my $server = $f->server;
my @failed = (err => 1, state => '08006');

sub refuses {
    my ($name, $text, %parameter) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return fails(sub { $f->connect(%parameter) }, $name, @failed, errstr => $text);
}

ServerTest::Connect::secret_stays_secret($f, @failed,
    errstr => qr/FATAL:  password authentication failed for user "tester"/);

refuses('nobody listens',
    qr/^connection to server at "127\.0\.0\.1", port 1 failed: Connection refused\n\tIs the server running/, port => 1);
refuses(
    'no such socket',
    qr/connection to server on socket "\/nonexistent\/\.s\.PGSQL\.5432" failed: No such file or directory/,
    host => '/nonexistent', port => 5432
);
refuses('no such database',        qr/FATAL:  database "nope" does not exist/, dbname   => 'nope');
refuses('no such word in the DSN', qr/invalid connection option "nonsense"/,   nonsense => 1);
refuses('no such sslmode',         qr/invalid sslmode value: "sometimes"/,     sslmode  => 'sometimes');

# TLS
my $plain_server = TestServer::PostgreSQL->new(tls => 0);
fails(
    sub { DBI->connect($plain_server->login, { RaiseError => 1, PrintError => 0 }) },
    'a server without TLS', @failed, errstr => qr/server does not support SSL, but SSL was required/
);
is(
    DBI->connect($plain_server->login(sslmode => 'prefer'), { RaiseError => 1 })->selectrow_array('select 42'),
    42, 'sslmode=prefer does without'
);
my $tls_server = TestServer::PostgreSQL->new(tls => 'only');
fails(
    sub { DBI->connect($tls_server->login(sslmode => 'disable'), { RaiseError => 1, PrintError => 0 }) },
    'a server that insists on TLS', @failed,
    errstr => qr/FATAL:  no pg_hba\.conf entry for host "127\.0\.0\.1", .*, no encryption/
);
is(
    $f->connect(sslmode => 'verify-full', sslrootcert => $server->ca)
        ->selectrow_array('select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
    1, 'verify-full with the right authority'
);
refuses(
    'verify-full with the wrong authority', qr/SSL error: certificate verify failed/,
    sslmode => 'verify-full',               sslrootcert => $server->wrong_ca
);
refuses(
    'verify-ca with the wrong authority', qr/SSL error: certificate verify failed/,
    sslmode => 'verify-ca',               sslrootcert => $server->wrong_ca
);
refuses(
    'verify-full with another name',
    qr/server certificate for "localhost" .*does not match host name "elsewhere\.example"/,
    sslmode => 'verify-full', sslrootcert => $server->ca, host => 'elsewhere.example', hostaddr => '127.0.0.1'
);
is(
    $f->connect(
        sslmode => 'verify-ca', sslrootcert => $server->ca, host => 'elsewhere.example', hostaddr => '127.0.0.1'
    )->selectrow_array('select 42'),
    42,
    'verify-ca does not look at the name'
);
refuses('no file of authorities', qr/root certificate file "\/nonexistent" does not exist/, sslmode => 'verify-full',
    sslrootcert => '/nonexistent');

# What one connection may, another with other parameters may not for that.
my $open = $f->connect(sslmode => 'verify-full', sslrootcert => $server->ca);
$open->disconnect;
refuses('the wrong authority again', qr/SSL error: certificate verify failed/, sslmode => 'verify-full',
    sslrootcert => $server->wrong_ca);
$f->connect->disconnect;
fails(
    sub { DBI->connect($f->dsn, 'tester', 'wrong', { RaiseError => 1, PrintError => 0 }) },
    'a wrong password while a connection with the right one is ready', @failed,
    errstr => qr/password authentication failed/
);
fails(
    sub { DBI->connect($f->dsn, 'tester', '', { RaiseError => 1, PrintError => 0 }) },
    'no password', @failed, errstr => qr/fe_sendauth: no password supplied/
);

ServerTest::Connect::limit_is_reached($f, { dbname => 'postgres' }, @failed,
    errstr => qr/FATAL:  (?:remaining connection slots are reserved|sorry, too many clients already)/);
ServerTest::Connect::silent_server($f, { connect_timeout => 2 }, @failed, errstr => qr/timeout expired/);

# A limit of the role alone.
$server->sql(q(alter role tester connection limit 0));
fails(sub { $f->connect(application_name => 'other') }, 'no connections for this role', @failed,
    errstr => qr/FATAL:  too many connections for role "tester"/);
$server->sql(q(alter role tester connection limit -1));

done_testing;
