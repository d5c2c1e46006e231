package DBD::ExampleP;

# A small driver for trying DBI out: a directory is a table, its files are the rows, the fields of stat and the name are the columns.
#   my $sth = $dbh->prepare('select mode, size, name from ?');  $sth->execute('/etc');
# The tables long_list_N have N made-up files. "set X=Y" is accepted and does nothing.

use strict;
use warnings;
use DBI ();

our $VERSION = '12.014311';

my @STAT = qw(dev ino mode nlink uid gid rdev size atime mtime ctime blksize blocks);
our %FIELD = map { $STAT[$_] => [$_, DBI::SQL_INTEGER(), 10] } 0 .. $#STAT;
$FIELD{name} = [13, DBI::SQL_VARCHAR(), 1024];

my $drh;

sub driver {
    my ($class) = @_;
    return $drh if $drh;
    $drh = DBI::_new_drh("${class}::dr",
        { Name => 'ExampleP', Version => $VERSION, Attribution => 'DBD Example Perl stub by Tim Bunce' });
    return $drh;
}

sub CLONE { undef $drh; return }

package DBD::ExampleP::dr;

our $imp_data_size = 0;

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    my ($outer, $dbh) = DBI::_new_dbh(
        $drh,
        {
            Name                        => defined $dsn ? $dsn : '',
            examplep_private_dbh_attrib => 42,
            examplep_get_info           => { 29 => '"', 41 => '.', 114 => 1 },
        }
    );
    $dbh->STORE(Active => 1);
    return $outer;
}

sub data_sources { return 'dbi:ExampleP:dir=.' }

package DBD::ExampleP::db;

our $imp_data_size = 0;

sub prepare {
    my ($dbh, $statement, $attr) = @_;
    my ($wanted, $dir) = $statement =~ /^\s*select\s+(.*?)\s+from\s+(\S*)/is;
    my @names;
    if (defined $wanted) {
        @names = $wanted eq '*' ? sort keys %DBD::ExampleP::FIELD : split /\s*,\s*/, lc $wanted;
    }
    elsif ($statement !~ /^\s*set\s+/i) {
        return $dbh->set_err($DBI::stderr, qq{Syntax error in select statement ("$statement")});
    }
    my @unknown = grep { !$DBD::ExampleP::FIELD{$_} } @names;
    return $dbh->set_err($DBI::stderr, "Unknown field names: @unknown") if @unknown;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $statement, examplep_private_sth_attrib => 24 });
    $sth->STORE(NUM_OF_PARAMS => defined $dir ? $dir =~ tr/?// : 0);
    $sth->STORE(NUM_OF_FIELDS => scalar @names);
    if (@names) {
        $sth->{NAME}         = \@names;
        $sth->{NULLABLE}     = [(0) x @names];
        $sth->{SCALE}        = [(0) x @names];
        $sth->{examplep_dir} = $dir if $dir ne '?' && $dir !~ /\?/;
    }
    return $outer;
}

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type) = @_;
    my @rows;
    if (defined $type && $type =~ /\bVIEW\b/) {
        @rows = map { [undef, @$_, 'VIEW', undef] } ['schema', 'table'], ['sch-ema', 'table'], ['schema', 'ta-ble'],
            ['sch ema', 'table'], ['schema', 'ta ble'];
    }
    else {
        my $dir = defined $catalog && length $catalog ? $catalog : '.';
        opendir my $dh, $dir or return $dbh->set_err(int($!), "Failed to open directory $dir: $!");
        @rows = map { [$dir, undef, $_, 'TABLE', undef] } grep { -d "$dir/$_" } sort readdir $dh;
        closedir $dh;
    }
    return sponge($dbh, 'TABLE_INFO', [qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS)], \@rows);
}

sub sponge {
    my ($dbh, $what, $names, $rows) = @_;
    my $helper = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1, PrintError => 0 });
    return $helper->prepare($what, { rows => $rows, NUM_OF_FIELDS => scalar @$names, NAME => $names });
}

sub column_info {
    my ($dbh, $catalog, $schema, $table, $column) = @_;
    my $like = like($column);
    my (@rows, $at);
    for my $name (grep { $_ =~ $like } sort keys %DBD::ExampleP::FIELD) {
        my (undef, $type, $size) = @{ $DBD::ExampleP::FIELD{$name} };
        push @rows, [
            undef, undef, $table, $name, $type, $type == DBI::SQL_INTEGER() ? 'INTEGER' : 'VARCHAR', $size, undef, 0,
            10,    0,     undef,  undef,
            undef, undef, undef,  ++$at, 'NO'
        ];
    }
    return sponge(
        $dbh,
        'COLUMN_INFO',
        [
            qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE BUFFER_LENGTH DECIMAL_DIGITS
                NUM_PREC_RADIX NULLABLE REMARKS COLUMN_DEF SQL_DATA_TYPE SQL_DATETIME_SUB CHAR_OCTET_LENGTH ORDINAL_POSITION IS_NULLABLE)
        ],
        \@rows
    );
}

sub like {    # an SQL LIKE pattern as a regular expression
    my ($pattern) = @_;
    return qr/^/ if !defined $pattern;
    (my $re = quotemeta $pattern) =~ s/\\%/.*/g;
    $re =~ s/_/./g;
    return qr/\A$re\z/i;
}

sub type_info_all {
    my %at;
    @at{
        qw(TYPE_NAME DATA_TYPE COLUMN_SIZE LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE UNSIGNED_ATTRIBUTE
            FIXED_PREC_SCALE AUTO_UNIQUE_VALUE LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE)
    } = 0 .. 14;
    return [
        \%at, ['VARCHAR', DBI::SQL_VARCHAR(), 1024, "'", "'", undef, 0, 1, 1, 0, 0, 0, undef, 0, 0],
        ['INTEGER', DBI::SQL_INTEGER(), 10, '', '', undef, 0, 0, 1, 0, 0, 0, undef, 0, 0]
    ];
}

sub get_info { my ($dbh, $type) = @_; return $dbh->{examplep_get_info}{$type} }

sub examplep_tables {    # the tables whose name matches
    my ($dbh, $pattern) = @_;
    return grep { /$pattern/ } $dbh->tables;
}

my %FLAG = (foo => 0x01000000, bar => 0x02000000, baz => 0x04000000, boo => 0x08000000, bop => 0x10000000);

sub parse_trace_flag {    # trace flags of a driver are the uppermost bits
    my ($h, $name) = @_;
    return $FLAG{$name} || $h->SUPER::parse_trace_flag($name);
}

sub ping { my ($dbh) = @_; return $dbh->FETCH("Active") ? 2 : 0 }

sub disconnect { my ($dbh) = @_; $dbh->STORE(Active => 0); return 1 }

sub commit   { return 1 }
sub rollback { return 1 }

sub FETCH {
    my ($dbh, $key) = @_;
    return $INC{'DBD/ExampleP.pm'} if $key eq 'example_driver_path';
    return $dbh->SUPER::FETCH($key);
}

sub STORE {
    my ($dbh, $key, $value) = @_;
    if ($key eq 'AutoCommit')       { $value = $value ? -901 : -900 }
    if ($key eq 'examplep_set_err') { $dbh->set_err($value, 'value from STORE'); return 1 }
    return $dbh->{$key} = $value if $key =~ /^examplep_/;
    return $dbh->SUPER::STORE($key, $value);
}

sub private_attribute_info { return { example_driver_path => undef } }

sub DESTROY { my ($dbh) = @_; $dbh->disconnect if $dbh->FETCH('Active'); return }

package DBD::ExampleP::st;

sub parse_trace_flag { return DBD::ExampleP::db::parse_trace_flag(@_) }

our $imp_data_size = 0;

sub bind_param {
    my ($sth, $at, $value, $attr) = @_;
    $sth->{examplep_params}[$at - 1] = $value;
    return 1;
}

sub execute {
    my ($sth, @values) = @_;
    $sth->finish if $sth->{Active};
    if (@values) { $sth->{examplep_params} = []; $sth->bind_param($_ + 1, $values[$_]) for 0 .. $#values }
    my $bound = $sth->{examplep_params} || [];
    my $want  = $sth->FETCH('NUM_OF_PARAMS');
    return $sth->set_err(1, @$bound . " values bound when $want expected") if @$bound != $want;
    return 1                                                               if !$sth->FETCH('NUM_OF_FIELDS');
    my $dir = defined $sth->{examplep_dir} ? $sth->{examplep_dir} : $bound->[0];
    delete @$sth{qw(examplep_dh examplep_fake)};

    if ($dir =~ /^long_list_(\d+)\z/) {
        $sth->{examplep_fake} = [map { "file$_" } reverse 1 .. $1]
    }
    else {
        opendir my $dh, $dir or return $sth->set_err(1 * $!, "opendir($dir): $!");
        $sth->{examplep_dh} = $dh;
    }
    @$sth{qw(examplep_path examplep_rows)} = ($dir, undef);
    $sth->STORE(Active => 1);
    return 1;
}

sub fetch {
    my ($sth) = @_;
    return $sth->set_err(1, 'fetch without successful execute') if !$sth->FETCH('Active');
    my $fake = $sth->{examplep_fake};
    my $name = $fake ? shift @$fake : readdir $sth->{examplep_dh};
    if (!defined $name) { $sth->finish; return }
    my @field = $fake ? ((0) x 13) : lstat "$sth->{examplep_path}/$name";
    $field[13] = $name;
    $sth->{examplep_rows}++;
    return $sth->_set_fbav([map { $field[$DBD::ExampleP::FIELD{$_}[0]] } @{ $sth->{NAME} }]);
}
*fetchrow_arrayref = \&fetch;

sub rows { my $n = $_[0]{examplep_rows}; return defined $n ? $n : -1 }

sub finish {
    my ($sth) = @_;
    closedir delete $sth->{examplep_dh} if $sth->{examplep_dh};
    delete $sth->{examplep_fake};
    $sth->STORE(Active => 0);
    return 1;
}

sub FETCH {
    my ($sth, $key) = @_;
    if ($key eq 'TYPE') {
        return [map { $DBD::ExampleP::FIELD{$_}[1] } @{ $sth->{NAME} || [] }]
    }
    if ($key eq 'PRECISION') {
        return [map { $DBD::ExampleP::FIELD{$_}[2] } @{ $sth->{NAME} || [] }]
    }
    if ($key eq 'ParamValues') {
        my $bound = $sth->{examplep_params} || [];
        return { map { $_ + 1 => $bound->[$_] } 0 .. $#$bound };
    }
    return $sth->SUPER::FETCH($key);
}

sub STORE {
    my ($sth, $key, $value) = @_;
    return $sth->{$key} = $value if $key =~ /^examplep_/;
    return $sth->SUPER::STORE($key, $value);
}

1;
