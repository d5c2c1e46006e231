# DBD::mysql: a role and a database that a script has chosen are not those of the next one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
my $f    = flavour('mysql');
my $user = $f->server->user;
$f->server->sql("create role power; grant power to '$user'; create database elsewhere; grant all on elsewhere.* to '$user'");

my $state = 'select current_role(), database()';
(my $dsn = $f->server->dsn) =~ s/database=[^;]*;//;
my $connect = sub { DBI->connect($dsn, $user, $f->server->password, { RaiseError => 1, PrintError => 0 }) };

for my $change ('set role power', 'use elsewhere') {
    my $dbh = $connect->();
    is_deeply([$dbh->selectrow_array($state)], [undef, undef], 'neither at the beginning');
    $dbh->do($change);
    $dbh->disconnect;
    is_deeply([$connect->()->selectrow_array($state)], [undef, undef], "nor after another script's `$change`");
}

my ($first, $second) = map { my $dbh = $connect->(); my ($id) = $dbh->selectrow_array('select connection_id()'); $dbh->disconnect; $id } 1, 2;
is($second, $first, 'a connection that was left as it had been is used again');

$f->server->sql("set default role power for '$user'");
$_ = $connect->() for my ($one, $two, $three);
is_deeply([$_->selectrow_array($state)], ['power', undef], 'a default role is there') for $two, $three;

done_testing;
