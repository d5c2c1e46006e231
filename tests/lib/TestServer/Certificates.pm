package TestServer::Certificates;

# Certificates for a private server, made by the program openssl: ca.crt signs server.crt (localhost and 127.0.0.1);
# other-ca.crt signs nothing.

use strict;
use warnings;

use constant DAYS => 30;

# A day is left for the run that uses them.
sub fresh {
    my ($folder) = @_;
    return -e "$folder/server.crt" && -M "$folder/server.crt" < DAYS - 1;
}

sub make {
    my ($folder) = @_;
    mkdir $folder, oct 755 or die "$folder: $!\n";
    my $openssl = TestServer->program('openssl') or die "no program openssl\n";
    _authority($openssl, "$folder/ca",       'CPAN Bridge test authority');
    _authority($openssl, "$folder/other-ca", 'Another authority');
    my $extensions = "$folder/extensions";
    open my $out, '>', $extensions or die "$extensions: $!\n";
    print {$out} "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
        "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n";
    close $out;
    TestServer::run(
        $openssl, qw(req -newkey rsa:2048 -nodes -subj /CN=localhost),
        -keyout => "$folder/server.key",
        -out    => "$folder/server.csr"
    );
    TestServer::run(
        $openssl, qw(x509 -req -sha256 -set_serial 2),
        -days    => DAYS,
        -in      => "$folder/server.csr",
        -CA      => "$folder/ca.crt",
        -CAkey   => "$folder/ca.key",
        -extfile => $extensions,
        -out     => "$folder/server.crt"
    );
    unlink $extensions, "$folder/server.csr";
    chmod oct 600, glob "$folder/*.key";
    chmod oct 644, glob "$folder/*.crt";
    return;
}

sub _authority {
    my ($openssl, $name, $subject) = @_;
    TestServer::run(
        $openssl, qw(req -x509 -newkey rsa:2048 -nodes -sha256 -set_serial 1),
        -days   => DAYS,
        -subj   => "/CN=$subject",
        -addext => 'keyUsage=critical,keyCertSign,cRLSign',
        -keyout => "$name.key",
        -out    => "$name.crt"
    );
    return;
}

1;
