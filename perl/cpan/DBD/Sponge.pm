package DBD::Sponge;

# A driver that gives back the rows it is handed: $dbh->prepare($text, { rows => [[...], ...], NAME => [...] }).
# A statement that begins with "insert" takes rows instead: execute pushes the bound values onto the array in "rows".

use strict;
use warnings;
use DBI ();

our $VERSION = '12.010003';

my $drh;

sub driver {
    my ($class) = @_;
    return $drh if $drh;
    DBD::Sponge::db->install_method('sponge_test_installed_method');
    $drh = DBI::_new_drh("${class}::dr",
        { Name => 'Sponge', Version => $VERSION, Attribution => "DBD::Sponge $VERSION (fake cursor driver)" });
    return $drh;
}

sub CLONE { undef $drh; return }

package DBD::Sponge::dr;

our $imp_data_size = 0;

package DBD::Sponge::db;

our $imp_data_size = 0;

sub prepare {
    my ($dbh, $statement, $attr) = @_;
    my %attr = $attr ? %$attr : ();
    my $rows = delete $attr{rows} or return $dbh->set_err($DBI::stderr, 'No rows attribute supplied to prepare');
    my ($outer, $sth) =
        DBI::_new_sth($dbh, { Statement => $statement, rows => $rows, execute_hook => delete $attr{execute_hook} });
    if ($statement =~ /^\s*insert\b/i) { $sth->STORE(NUM_OF_PARAMS => $attr{NUM_OF_PARAMS} || 0) }
    else {    # as many columns as the caller says, else as the names, else as the first row
        my $names = $attr{NAME};
        my $n     = $attr{NUM_OF_FIELDS} ? $attr{NUM_OF_FIELDS} : $names ? @$names : @$rows ? @{ $rows->[0] } : 0;
        return $dbh->set_err($DBI::stderr, 'Cannot determine NUM_OF_FIELDS') if !$n && !$names;
        $sth->STORE(NUM_OF_FIELDS => $n);
        my %default = (
            NAME     => [map { "col$_" } 1 .. $n], TYPE => [(DBI::SQL_VARCHAR()) x $n], SCALE => [(0) x $n],
            NULLABLE => [(2) x $n],

        );
        $default{PRECISION} = [map { longest($rows, $_, ($names || $default{NAME})->[$_]) } 0 .. $n - 1];
        for my $key (keys %default) { $sth->{$key} = $attr{$key} || $default{$key} }
    }
    return $outer;
}

sub longest {
    my ($rows, $at, $name) = @_;
    my $longest = defined $name ? length $name : 0;
    for my $row (@$rows) {
        my $length = defined $row->[$at] ? length $row->[$at] : 0;
        $longest = $length if $length > $longest;
    }
    return $longest;
}

sub type_info_all {
    my %at;
    @at{
        qw(TYPE_NAME DATA_TYPE PRECISION LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE UNSIGNED_ATTRIBUTE MONEY
            AUTO_INCREMENT LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE)
    } = 0 .. 14;
    return [\%at, ['VARCHAR', DBI::SQL_VARCHAR(), undef, "'", "'", undef, 0, 1, 1, 0, 0, 0, undef, 0, 0]];
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
    return $dbh->SUPER::STORE($key, $value);
}

sub sponge_test_installed_method {
    my ($dbh, @args) = @_;
    return $dbh->set_err(42, 'not enough parameters') if @args < 2;
    return \@args;
}

package DBD::Sponge::st;

our $imp_data_size = 0;

sub bind_param {
    my ($sth, $at, $value, $attr) = @_;
    $sth->{sponge_bound}[$at - 1] = $value;
    return 1;
}

sub execute {
    my ($sth, @values) = @_;
    my $want = $sth->FETCH('NUM_OF_PARAMS');
    if ($want) {
        my $row = @values ? \@values : $sth->{sponge_bound} || [];
        return $sth->set_err($DBI::stderr,
            @$row . " values bound (" . join(' ', map { defined $_ ? $_ : 'undef' } @$row) . ") but $want expected")
            if @$row != $want;
        if (my $hook = $sth->{execute_hook}) { $hook->($sth, @$row) or return }
        push @{ $sth->{rows} }, [@$row];
        return 1;
    }
    $sth->STORE(Active => 1);
    return 1;
}

sub fetch {
    my ($sth) = @_;
    my $row = shift @{ $sth->{rows} };
    if (!$row) { $sth->STORE(Active => 0); return undef }
    $sth->{sponge_count}++;
    return $sth->_set_fbav($row);
}
*fetchrow_arrayref = \&fetch;

sub rows { my $n = $_[0]{sponge_count}; return defined $n ? $n : -1 }

sub STORE {
    my ($sth, $key, $value) = @_;
    if ($key =~ /^(?:TYPE|PRECISION|SCALE|NULLABLE)\z/) { $sth->{$key} = $value; return 1 }
    return $sth->SUPER::STORE($key, $value);
}

1;
