# Tables in memory; they live as long as the database handle.
package DBD::Mem;

use strict;
use warnings;
use DBI::DBD::SqlEngine ();

our @ISA         = ('DBI::DBD::SqlEngine');
our $VERSION     = '0.001';
our $ATTRIBUTION = 'DBD::Mem';

sub driver { my ($class, $attr) = @_; return $class->SUPER::driver($attr) }

sub CLONE { return }

package DBD::Mem::dr;

our @ISA           = ('DBI::DBD::SqlEngine::dr');
our $imp_data_size = 0;

package DBD::Mem::db;

our @ISA           = ('DBI::DBD::SqlEngine::db');
our $imp_data_size = 0;

sub set_versions {
    my ($dbh) = @_;
    $dbh->{mem_version} = $DBD::Mem::VERSION;
    return $dbh->SUPER::set_versions;
}

sub init_valid_attributes {
    my ($dbh) = @_;
    $dbh->SUPER::init_valid_attributes;
    my @fixed = qw(mem_version mem_valid_attrs mem_readonly_attrs mem_meta);
    $dbh->{mem_valid_attrs}    = { map { $_ => 1 } @fixed, 'mem_tables' };
    $dbh->{mem_readonly_attrs} = { map { $_ => 1 } @fixed };
    $dbh->{mem_meta}           = 'mem_tables';
    return $dbh;
}

sub init_default_attributes {
    my ($dbh, $phase) = @_;
    $dbh->{sql_data_source} ||= 'DBD::Mem::DataSource' if !$phase;
    return $dbh->SUPER::init_default_attributes($phase);
}

sub get_mem_versions { return $DBD::Mem::VERSION }

package DBD::Mem::st;

our @ISA           = ('DBI::DBD::SqlEngine::st');
our $imp_data_size = 0;

package DBD::Mem::Statement;

our @ISA = ('DBI::DBD::SqlEngine::Statement');

package DBD::Mem::DataSource;

our @ISA = ('DBI::DBD::SqlEngine::DataSource');

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    require Carp;
    if ($flags->{createMode}) {
        Carp::croak("Cannot create table '$attrs->{table}': it exists already") if $meta->{records};
        @$meta{qw(records col_names)} = ([], []);
    }
    Carp::croak("Cannot open table '$attrs->{table}': no such table") if !$meta->{records};
    return;
}

package DBD::Mem::Table;

our @ISA = ('DBI::DBD::SqlEngine::Table');

sub new {
    my ($class, @args) = @_;
    my $self = $class->SUPER::new(@args);
    $self->{at} = 0;
    return $self;
}

sub push_names {
    my ($self, $data, $names) = @_;
    $self->{meta}{col_names} = $self->{col_names} = [@$names];
    delete $self->{col_nums};
    return 1;
}

sub fetch_row {
    my ($self) = @_;
    my $rows = $self->{meta}{records};
    return $self->{row} = $self->{at} < @$rows ? [@{ $rows->[$self->{at}++] }] : undef;
}

sub push_row {
    my ($self, $data, $row) = @_;
    $self->{meta}{records}[$self->{at}++] = [@$row];
    return 1;
}

sub seek {
    my ($self, $data, $at, $whence) = @_;
    $self->{at} = $whence == 2 || $at == 2 ? scalar @{ $self->{meta}{records} } : 0;
    return 1;
}

sub truncate {
    my ($self) = @_;
    $#{ $self->{meta}{records} } = $self->{at} - 1;
    return 1;
}

sub drop {
    my ($self, $data) = @_;
    delete @{ $self->{meta} }{qw(records col_names)};
    $data->{Database}->func($self->{table}, 'clear_sql_engine_meta');
    return 1;
}

1;

__END__

=head1 NAME

DBD::Mem - tables in memory

=head1 SYNOPSIS

    my $dbh = DBI->connect('dbi:Mem:', undef, undef, { RaiseError => 1 });
    $dbh->do('CREATE TABLE foo (id INT, name TEXT)');

=head1 DESCRIPTION

The tables live as long as the database handle and are seen through it alone.

=cut
