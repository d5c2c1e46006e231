package Bench::Mysql;

use strict;
use warnings;
use utf8;

use Bench::Server;

our $VERSION = '0.1.0';
our @ISA     = ('Bench::Server');

my %GOALS = (
    connect           => 3,
    fetchrow_arrayref => 0.9,
    bind_columns      => 0.9,
    fetchrow_hashref  => 2.0,
    selectall         => 1,
    selectall_slice   => 1.7,
    execute_array     => 3,
);

sub driver       { return 'mysql' }
sub goals        { return \%GOALS }
sub has_pipeline { return 1 }
sub parameters   { return () }
sub settle_sql   { return 'ANALYZE TABLE item' }

sub start_server {
    my ($self, %option) = @_;
    require TestServer::MariaDB;
    return TestServer::MariaDB->new(%option, settings => { 'max-connections' => 300 });
}

sub what {
    my ($self) = @_;
    return 'MariaDB ' . $self->{server}->version . ' over TCP without TLS, nothing synchronised to disk';
}

sub rows_sql {
    my ($self, $rows) = @_;
    return
"SELECT seq, CONCAT('item number ', seq), seq * 1.25e0, seq % 97, CONCAT('a note about item ', seq) FROM seq_1_to_$rows";
}

1;

__END__

=head1 NAME

Bench::Mysql - DBI and DBD::mysql on a private MariaDB; see Bench::Server

=cut
