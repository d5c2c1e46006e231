package ServerTest::MyConnect;

# Connecting with DBD::mysql or DBD::MariaDB, and what can go wrong.

use strict;
use warnings;

use ServerTest;
use ServerTest::Connect;
use Test::More;

my $f;

sub refuses {
    my ($name, $err, $state, $text, %parameter) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return fails(sub { $f->connect(%parameter) }, $name, err => $err, state => $state, errstr => $text);
}

sub all {
    my ($driver) = @_;
    $f = flavour($driver, settings => { 'max-connections' => 10 });
    my $prefix = $f->prefix;
    my @denied = (
        err    => 1045, state => '28000',
        errstr => qr/^Access denied for user 'tester'\@'127\.0\.0\.1' \(using password: YES\)$/
    );
    ServerTest::Connect::secret_stays_secret($f, @denied);
    refuses('nobody listens', 2002, 'HY000', qr/^Can't connect to server on '127\.0\.0\.1' \(\d+\)$/, port => 1);
    refuses(
        'no such socket', 2002, 'HY000', qr/^Can't connect to local server through socket '\/nonexistent\/x' \(2\)$/,
        host => undef,    port => undef, "${prefix}_socket" => '/nonexistent/x'
    );
    refuses('no such database', 1049, '42000', qr/^Unknown database 'nope'$/, database => 'nope');
    refuses(
        'no such host', 2005, 'HY000', qr/^Unknown server host 'nowhere\.invalid' \(-?\d+\)$/,
        host => 'nowhere.invalid'
    );
    $f->connect->disconnect;
    fails(
        sub { DBI->connect($f->dsn, 'tester', 'wrong', { RaiseError => 1, PrintError => 0 }) },
        'a wrong password while a connection with the right one is ready', @denied
    );
    fails(
        sub { DBI->connect($f->dsn, 'tester', '', { RaiseError => 1, PrintError => 0 }) },
        'no password', err => 1045, state => '28000',
        errstr => qr/^Access denied for user 'tester'\@'127\.0\.0\.1' \(using password: NO\)$/
    );
    tls($prefix) if $driver eq 'MariaDB';    # the native DBD::mysql cannot be built with TLS on Debian's client library
    ServerTest::Connect::limit_is_reached(
        $f, { database => 'mysql' }, err => 1040,
        errstr => qr/^Too many connections$/
    );
    ServerTest::Connect::silent_server(
        $f, { "${prefix}_connect_timeout" => 2 }, err => qr/^(?:2002|2003|2013)$/, state => 'HY000',
        errstr =>
qr/^(?:Lost connection to server at 'handshake: reading initial communication packet'|Can't connect to server)/
    );
    $f->server->sql("alter user tester\@'%' with max_user_connections 1");
    my $one = $f->connect(host => '127.0.0.1');
    fails(
        sub { $f->connect(database => 'information_schema') }, 'more connections than the user may have',
        err => 1226, state => '42000', errstr => qr/^User 'tester' has exceeded the 'max_user_connections' resource/
    );
    return;
}

sub tls {
    my ($prefix) = @_;
    my $server   = $f->server;
    my %right = ("${prefix}_ssl" => 1, "${prefix}_ssl_verify_server_cert" => 1, "${prefix}_ssl_ca_file" => $server->ca);
    my ($name, $cipher) = $f->connect(%right)->selectrow_array(q(show status like 'Ssl_cipher'));
    ok(length $cipher, "TLS with the right authority ($cipher)");
    my %wrong = (%right, "${prefix}_ssl_ca_file" => $server->wrong_ca);
    refuses('TLS with the wrong authority',            2026, 'HY000', qr/^TLS\/SSL error: /, %wrong);
    refuses('and again, with a good connection ready', 2026, 'HY000', qr/^TLS\/SSL error: /, %wrong);
    my $plain = TestServer::MariaDB->new(tls => 0);
    fails(
        sub { DBI->connect($plain->login(driver => $f->driver, %right), { RaiseError => 1, PrintError => 0 }) },
        'a server without TLS',
        err    => 2026, state => 'HY000',
        errstr => qr/^TLS\/SSL error: SSL is required, but the server does not support it$/
    );
    my $only = TestServer::MariaDB->new(tls => 'only');
    fails(
        sub { DBI->connect($only->login(driver => $f->driver), { RaiseError => 1, PrintError => 0 }) },
        'a server that insists on TLS', err => 1045, state => '28000', errstr => qr/^Access denied for user/
    );
    return;
}

1;
