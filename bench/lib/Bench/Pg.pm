package Bench::Pg;

use strict;
use warnings;
use utf8;

use Bench::Server;

our $VERSION = '0.1.0';
our @ISA     = ('Bench::Server');

my %GOALS = (
    connect           => 50,
    script            => 2.5,
    fetchrow_arrayref => 1,
    bind_columns      => 1,
    fetchrow_hashref  => 2.0,
    selectall         => 1,
    selectall_slice   => 1.7,
    execute_array     => 8,
    pipeline          => 5,
);

sub driver       { return 'Pg' }
sub goals        { return \%GOALS }
sub has_pipeline { return 1 }
sub parameters   { return (sslmode => 'require') }
sub settle_sql   { return 'VACUUM ANALYZE item; CHECKPOINT' }

sub start_server {
    my ($self, %option) = @_;
    require TestServer::PostgreSQL;
    return TestServer::PostgreSQL->new(%option, settings => { max_connections => 300 });
}

sub what {
    my ($self) = @_;
    return 'PostgreSQL ' . $self->{server}->version . ' over TCP with TLS and SCRAM, fsync off';
}

sub rows_sql {
    my ($self, $rows) = @_;
    return
"SELECT i, 'item number ' || i, i * 1.25::float8, i % 97, 'a note about item ' || i FROM generate_series(1, $rows) i";
}

1;

__END__

=head1 NAME

Bench::Pg - DBI and DBD::Pg on a private PostgreSQL; see Bench::Server

=cut
