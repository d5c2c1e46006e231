package DBD::NullP;

# A driver that accepts everything and does nothing; "select a, b" gives back one row with the words of the list.

use strict;
use warnings;
use DBI ();

our $VERSION = '12.014715';

my $drh;

sub driver {
    my ($class) = @_;
    return $drh ||= DBI::_new_drh("${class}::dr",
        { Name => 'NullP', Version => $VERSION, Attribution => 'DBD Example Null Perl stub' });
}

sub CLONE { undef $drh; return }

package DBD::NullP::dr;

our $imp_data_size = 0;

sub connect {
    my $drh = shift;
    my $dbh = $drh->SUPER::connect(@_) or return;
    $dbh->STORE(Active => 1);
    return $dbh;
}

package DBD::NullP::db;

our $imp_data_size = 0;

sub prepare {
    my ($dbh,   $statement) = @_;
    my ($outer, $sth)       = DBI::_new_sth($dbh, { Statement => $statement });
    $sth->STORE(NUM_OF_PARAMS => 0);
    return $outer;
}

sub FETCH {
    my ($dbh, $key) = @_;
    return 1 if $key eq 'AutoCommit';
    return $dbh->SUPER::FETCH($key);
}

sub STORE {
    my ($dbh, $key, $value) = @_;
    if ($key eq 'AutoCommit') {
        return 1 if $value;
        require Carp;
        Carp::croak("Can't disable AutoCommit");
    }
    return $dbh->{$key} = $value if $key =~ /^nullp_/;
    return $dbh->SUPER::STORE($key, $value);
}

sub ping { return 1 }

sub disconnect { my ($dbh) = @_; $dbh->STORE(Active => 0); return 1 }

sub get_info { my ($dbh, $type) = @_; return $type == 29 ? '"' : undef }

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type) = @_;
    my @rows =
          (defined $type    && $type eq '%')    ? map { [undef, undef, undef, $_, undef] } qw(TABLE VIEW ALIAS)
        : (defined $catalog && $catalog eq '%') ? map { [$_, undef, undef, undef, undef] } qw(catalog1 catalog2)
        :                                         ();
    my @names  = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS);
    my $helper = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
    return $helper->prepare('TABLE_INFO', { rows => \@rows, NUM_OF_FIELDS => 5, NAME => \@names });
}

sub DESTROY { return }

package DBD::NullP::st;

our $imp_data_size = 0;

sub bind_param {
    my ($sth, $at, $value) = @_;
    $sth->{nullp_params}{$at} = $value;
    return 1;
}

sub execute {
    my ($sth, @values) = @_;
    $sth->{nullp_params}{ $_ + 1 } = $values[$_] for 0 .. $#values;
    if ($sth->{Statement} =~ /^\s*select\s+(\S.*?)\s*\z/is) {
        my @words = split /\s*,\s*/, $1;
        $sth->STORE(NUM_OF_FIELDS => scalar @words);
        $sth->{NAME}       = [@words];
        $sth->{nullp_rows} = [[@words]];
        $sth->STORE(Active => 1);
    }
    return 1;
}

sub fetch {
    my ($sth) = @_;
    my $row = shift @{ $sth->{nullp_rows} || [] };
    if (!$row) { $sth->STORE(Active => 0); return undef }
    return $sth->_set_fbav($row);
}
*fetchrow_arrayref = \&fetch;

sub FETCH {
    my ($sth, $key) = @_;
    return $sth->{nullp_params} if $key eq 'ParamValues';
    return $sth->SUPER::FETCH($key);
}

sub STORE { my ($sth, $key, $value) = @_; return $sth->SUPER::STORE($key, $value) }

sub DESTROY { return }

1;
