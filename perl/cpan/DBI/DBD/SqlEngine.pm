# The base of drivers in plain Perl that keep tables somewhere and leave SQL to an engine (DBI::SQL::Nano or SQL::Statement).
# A driver DBD::Foo derives DBD::Foo::dr, ::db, ::st, ::Statement and ::Table from the classes here; tables and their settings
# ("meta") are in DBI/DBD/SqlEngine/Tables.pm.
package DBI::DBD::SqlEngine;

use strict;
use warnings;
use DBI ();
use DBI::SQL::Nano ();
use DBI::DBD::SqlEngine::Tables ();

our $VERSION     = '0.06';
our $ATTRIBUTION = 'DBI::DBD::SqlEngine';

my %DRH;    # one driver handle a class

sub driver {
    my ($class, $attr) = @_;
    return $DRH{$class} if $DRH{$class};
    DBI->setup_driver($class);
    (my $name = $class) =~ s/\ADBD:://;
    no strict 'refs';
    my $version = ${"${class}::VERSION"};
    my %attr    = (
        Name => $name, Version => $version, Attribution => ${"${class}::ATTRIBUTION"} || "$class " . (defined $version ? $version : ''),
        $attr ? %$attr : ()
    );
    inject($class);
    return $DRH{$class} = DBI::_new_drh("${class}::dr", \%attr);
}

sub inject {    # csv_versions, csv_get_meta and so on become methods of database handles
    my ($class) = @_;
    my $prefix = DBI->driver_prefix($class) or return;
    my %method = (
        versions => 'get_versions', get_meta => 'get_sql_engine_meta', set_meta => 'set_sql_engine_meta',
        new_meta => 'new_sql_engine_meta', clear_meta => 'clear_sql_engine_meta'
    );
    no strict 'refs';
    for my $short (keys %method) {
        my $full = "${class}::db::$prefix$short";
        my $code = "${class}::db"->can($method{$short});
        *$full = sub { goto &$code }
            if !defined &$full;
        "${class}::db"->install_method("$prefix$short") if !DBI::db->can("$prefix$short");
    }
    return;
}

sub CLONE { %DRH = (); return }

package DBI::DBD::SqlEngine::dr;

our @ISA           = ('DBD::_::dr');
our $imp_data_size = 0;

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    my ($outer, $dbh) = DBI::_new_dbh($drh, { Name => defined $dsn ? $dsn : '' });
    $dbh->{Active} = 1;
    my $done = eval {
        local $SIG{__DIE__};
        $dbh->func(0, 'init_default_attributes');
        settle($dbh, defined $dsn ? $dsn : '', $attr);
        $dbh->func(1, 'init_default_attributes');
        $dbh->func('init_done');
        1;
    };
    if (!$done || $dbh->err) {
        my $error = $done ? $dbh->errstr : $@;
        my $err   = $dbh->err || $DBI::stderr;
        $dbh->{Active} = 0;
        $error =~ s/ at \S+ line \d+\.?\n?\z//;
        return $drh->set_err($err, $error);
    }
    return $outer;
}

sub settle {    # the settings of the DSN and of the attribute hash, in the order the driver wants
    my ($dbh, $dsn, $attr) = @_;
    my %rank;
    while (my ($rank, $names) = each %{ $dbh->{sql_init_order} }) { $rank{$_} = $rank for @$names }
    my @settings;
    for my $part (grep { /\S/ } split /(?<!\\);/, $dsn) {
        my ($name, $value) = split /=/, $part, 2;
        $name =~ s/\A\s+|\s+\z//g;
        $value = '' if !defined $value;
        $value =~ s/\\;/;/g;
        push @settings, [$name, $value];
    }
    for my $name (sort keys %{ $attr || {} }) {
        next if $name !~ /\A[a-z]/ && $name !~ /\A(?:ReadOnly|RaiseError|PrintError)\z/ || $name =~ /\A(?:dbi|private)_/;
        push @settings, [$name, $attr->{$name}];
    }
    my $of = sub { defined $rank{ $_[0] } ? $rank{ $_[0] } : 50 };
    for my $setting (sort { $of->($a->[0]) <=> $of->($b->[0]) } @settings) {
        my ($name, $value) = @$setting;
        $dbh->STORE($name, $value);
        delete $attr->{$name} if $attr && $name =~ /\A[a-z]/;
    }
    return;
}

sub data_sources {
    my ($drh, @args) = @_;
    my $attr   = ref $args[0] ? $args[0] : @args > 1 ? {@args} : undef;
    my $source = $attr && $attr->{sql_table_source} || $drh->{ImplementorClass}->can('default_table_source')->($drh);
    return $source->data_sources($drh, $attr);
}

sub default_table_source { return 'DBI::DBD::SqlEngine::TableSource' }

sub disconnect_all { return }

package DBI::DBD::SqlEngine::db;

our @ISA           = ('DBD::_::db');
our $imp_data_size = 0;

sub ping { my ($dbh) = @_; return $dbh->FETCH('Active') ? 1 : 0 }

sub data_sources {
    my ($dbh, $attr) = @_;
    my $source = $attr && $attr->{sql_table_source} || $dbh->{sql_table_source};
    return $source->data_sources($dbh, $attr);
}

sub class_of {    # DBD::Foo::db → DBD::Foo::Table and the like
    my ($h, $kind) = @_;
    (my $class = $h->{ImplementorClass}) =~ s/::(?:db|st)\z/::$kind/;
    return $class;
}

sub prefix_of {
    my ($dbh) = @_;
    (my $driver = $dbh->{ImplementorClass}) =~ s/::db\z//;
    return DBI->driver_prefix($driver);
}

sub prepare {
    my ($dbh, $statement) = @_;
    my $class = class_of($dbh, 'Statement');
    my $stmt  = eval {
        local $SIG{__DIE__};
        $class->isa('SQL::Statement') ? $class->new($statement, $dbh->func('sql_parser_object')) : $class->new($statement);
    };
    if (!$stmt || $stmt->{errstr}) {
        my $error = $stmt ? $stmt->{errstr} : $@ || "Couldn't parse '$statement'";
        $error =~ s/ at \S+ line \d+\.?\n?\z//;
        return $dbh->set_err($DBI::stderr, $error);
    }
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $statement });
    $sth->{sql_stmt}   = $stmt;
    $sth->{sql_params} = [];
    $sth->STORE(NUM_OF_PARAMS => scalar $stmt->params);
    return $outer;
}

sub sql_parser_object {
    my ($dbh) = @_;
    return $dbh->{sql_parser_object} if $dbh->{sql_parser_object};
    my $parser = SQL::Parser->new($dbh->{sql_dialect} || 'CSV', $dbh->{sql_flags} || {});
    $parser->{RaiseError} = 1;
    $parser->{PrintError} = 0;
    return $dbh->{sql_parser_object} = $parser;
}

# --- settings -------------------------------------------------------------------------------------------------------------

my @READONLY = qw(sql_engine_version sql_nano_version sql_statement_version sql_handler sql_parser_object sql_sponge_driver
    sql_valid_attrs sql_readonly_attrs sql_quoted_identifier_case sql_meta sql_init_phase sql_engine_in_gofer);
my @OPEN = qw(sql_identifier_case sql_flags sql_dialect sql_table_source sql_data_source sql_ram_tables sql_init_order
    sql_meta_map);

sub set_versions {
    my ($dbh) = @_;
    $dbh->{sql_engine_version}    = $DBI::DBD::SqlEngine::VERSION;
    $dbh->{sql_nano_version}      = $DBI::SQL::Nano::versions->{nano_version};
    $dbh->{sql_statement_version} = $DBI::SQL::Nano::versions->{statement_version}
        if $DBI::SQL::Nano::versions->{statement_version};
    my $prefix = prefix_of($dbh);
    (my $driver = $dbh->{ImplementorClass}) =~ s/::db\z//;
    if ($prefix && (!$dbh->{"${prefix}valid_attrs"} || $dbh->{"${prefix}valid_attrs"}{"${prefix}version"})) {
        no strict 'refs';
        $dbh->{"${prefix}version"} = ${"${driver}::VERSION"} if !defined $dbh->{"${prefix}version"};
    }
    return $dbh;
}

sub init_valid_attributes {
    my ($dbh) = @_;
    $dbh->{sql_valid_attrs}    = { map { $_ => 1 } @READONLY, @OPEN };
    $dbh->{sql_readonly_attrs} = { map { $_ => 1 } @READONLY };
    return $dbh;
}

sub init_default_attributes {
    my ($dbh, $phase) = @_;
    return $dbh if defined $phase && $phase > 0;
    my $prefix = prefix_of($dbh);
    $dbh->func('init_valid_attributes');
    $dbh->{sql_init_phase}             = 0;
    $dbh->{sql_identifier_case}        = 2;    # lower
    $dbh->{sql_quoted_identifier_case} = 3;    # as it is written
    $dbh->{sql_dialect}                = 'CSV';
    $dbh->{sql_handler}      = class_of($dbh, 'Statement')->isa('SQL::Statement') ? 'SQL::Statement' : 'DBI::SQL::Nano';
    $dbh->{sql_data_source}  = 'DBI::DBD::SqlEngine::DataSource'  if !$dbh->{sql_data_source};
    $dbh->{sql_table_source} = 'DBI::DBD::SqlEngine::TableSource' if !$dbh->{sql_table_source};
    $dbh->{sql_meta}         = {};
    $dbh->{sql_meta_map}     = {};
    my @late = ('sql_meta');

    if ($prefix) {
        my ($valid, $fixed) = @$dbh{ "${prefix}valid_attrs", "${prefix}readonly_attrs" };
        for my $name (map { "$prefix$_" } qw(valid_attrs readonly_attrs version meta)) {
            $valid->{$name} = 1 if $valid;
            $fixed->{$name} = 1 if $fixed;
        }
        if (my $tables = $dbh->{"${prefix}meta"}) {
            $valid->{$tables} = 1 if $valid;
            tie my %tables, 'DBI::DBD::SqlEngine::TieTables', class_of($dbh, 'Table'), $dbh;
            $dbh->{$tables} = \%tables;
            push @late, $tables;
        }
        push @late, "${prefix}meta";
    }
    $dbh->{sql_init_order} = { 0 => [qw(Profile RaiseError PrintError AutoCommit)], 90 => \@late };
    $dbh->func('set_versions');
    return $dbh;
}

sub init_done { my ($dbh) = @_; delete $dbh->{sql_init_phase}; return }

sub own_name {    # 'eol' → 'csv_eol'; undef for names DBI or the script looks after
    my ($dbh, $name) = @_;
    return undef if $name !~ /\A[a-z]/ || $name =~ /\A(?:dbi|private|dbd)_/;
    if ($name !~ /_/) { my $prefix = prefix_of($dbh) || return undef; $name = "$prefix$name" }
    my ($prefix) = $name =~ /\A([^_]+_)/;
    my $valid = $dbh->{"${prefix}valid_attrs"};
    return $name if !$valid || $valid->{$name} || is_tables($dbh, $name);
    require Carp;
    Carp::croak("Invalid attribute '$name'");
}

sub is_tables {    # csv_tables and the like, and the names that stand for sql_meta
    my ($dbh, $name) = @_;
    return 1 if $name eq 'sql_meta' || $name =~ /\A[a-z]+_meta\z/;
    my $tied = ref $dbh->{$name} eq 'HASH' && tied %{ $dbh->{$name} };
    return $tied && ref $tied eq 'DBI::DBD::SqlEngine::TieTables';
}

sub validate_FETCH_attr { my ($dbh, $name) = @_; return $name }

sub validate_STORE_attr {
    my ($dbh, $name, $value) = @_;
    if ($name eq 'sql_identifier_case' || $name eq 'sql_quoted_identifier_case') {
        if (!defined $value || $value !~ /\A[1-4]\z/) {
            require Carp;
            Carp::croak("attribute '$name' must be between 1 and 4 (SQL_IC_UPPER to SQL_IC_MIXED)");
        }
    }
    return ($name, $value);
}

sub meta_name {    # f_meta is another name of sql_meta; csv_meta holds the name of the hash that stands in front of it
    my ($dbh, $name) = @_;
    return $name if $name !~ /\A[a-z]+_meta\z/ || $name eq 'sql_meta';
    return defined $dbh->{$name} && !ref $dbh->{$name} ? $dbh->{$name} : 'sql_meta';
}

sub FETCH {
    my ($dbh, $key) = @_;
    return 1 if $key eq 'AutoCommit';
    my $name = own_name($dbh, $key);
    return $dbh->SUPER::FETCH($key) if !defined $name;
    $name = $dbh->func($name, 'validate_FETCH_attr');
    return $dbh->func('sql_parser_object')
        if $name eq 'sql_parser_object' && !$dbh->{$name} && $dbh->{sql_handler} eq 'SQL::Statement';
    return $dbh->{$name} if is_tables($dbh, $name) && ($name = meta_name($dbh, $name)) ne 'sql_meta';
    my $value = $dbh->{$name};
    my ($prefix) = $name =~ /\A([^_]+_)/;
    my $fixed = $dbh->{"${prefix}readonly_attrs"};
    return $value if !ref $value || !$fixed || !$fixed->{$name};
    return $value if ref $value ne 'HASH' && ref $value ne 'ARRAY';
    return ref $value eq 'ARRAY' ? [@$value] : { map { $_ => ref $value->{$_} eq 'HASH' ? { %{ $value->{$_} } } : $value->{$_} } keys %$value };
}

sub STORE {
    my ($dbh, $key, $value) = @_;
    if ($key eq 'AutoCommit') {
        return 1 if $value;
        require Carp;
        Carp::croak("Can't disable AutoCommit");
    }
    my $name = own_name($dbh, $key);
    return $dbh->SUPER::STORE($key, $value) if !defined $name;
    ($name, $value) = $dbh->func($name, $value, 'validate_STORE_attr');
    if (is_tables($dbh, $name)) { return store_tables($dbh, $name, $value) }
    my ($prefix) = $name =~ /\A([^_]+_)/;
    my $fixed = $dbh->{"${prefix}readonly_attrs"};
    if ($fixed && $fixed->{$name} && defined $dbh->{$name}) {
        require Carp;
        Carp::croak("attribute '$name' is readonly and must not be modified");
    }
    $dbh->{$name} = $value;
    return 1;
}

sub store_tables {    # { table => { setting => value } }
    my ($dbh, $name, $value) = @_;
    if (ref $value ne 'HASH' || $name eq 'sql_meta' && !defined $dbh->{sql_init_phase}) {
        require Carp;
        Carp::croak("attribute '$name' is readonly and must not be modified");
    }
    for my $table (sort keys %$value) { $dbh->func($table, $value->{$table}, 'new_sql_engine_meta') }
    return 1;
}

sub disconnect {
    my ($dbh) = @_;
    $dbh->{sql_meta}     = {};
    $dbh->{sql_meta_map} = {};
    $dbh->STORE(Active => 0);
    return 1;
}

# --- asked for seldom: in a file of its own ---------------------------------------------------------------------------------

sub get_versions  { require DBI::DBD::SqlEngine::About; goto &DBI::DBD::SqlEngine::About::versions }
sub type_info_all { require DBI::DBD::SqlEngine::About; goto &DBI::DBD::SqlEngine::About::types }

sub get_sql_versions {
    my ($dbh) = @_;
    return "$DBI::DBD::SqlEngine::VERSION using $dbh->{sql_handler} "
        . ($dbh->{sql_handler} eq 'SQL::Statement' ? $dbh->{sql_statement_version} : $dbh->{sql_nano_version});
}

# --- settings of tables ---------------------------------------------------------------------------------------------------

sub get_single_table_meta {
    my ($dbh, $table, $name) = @_;
    return $dbh->FETCH($name) if $table eq '.';
    my $class = class_of($dbh, 'Table');
    my (undef, $meta) = $class->get_table_meta($dbh, $table, 1);
    if (!$meta) { require Carp; Carp::croak("No such table '$table'") }
    return $class->get_table_meta_attr($meta, $name);
}

sub named_tables {    # "+": names that are plain identifiers, "*": all and the default, a pattern, a list, one name
    my ($dbh, $table) = @_;
    return @$table if ref $table eq 'ARRAY';
    my @known = sort keys %{ $dbh->{sql_meta} };
    return grep { /\A[_A-Za-z0-9]+\z/ } @known if $table eq '+';
    return ('.', @known) if $table eq '*';
    return grep { $_ =~ $table } @known if ref $table eq 'Regexp';
    return $table;
}

sub get_sql_engine_meta {
    my ($dbh, $table, $name) = @_;
    return get_single_table_meta($dbh, $table, $name)
        if !ref $table && $table ne '+' && $table ne '*' && defined $name && !ref $name;
    my @names = ref $name ? @$name : $name;
    my %all;
    for my $one (named_tables($dbh, $table)) {
        $all{$one} = { map { $_ => get_single_table_meta($dbh, $one, $_) } @names };
    }
    return \%all;
}

sub set_single_table_meta {
    my ($dbh, $table, $name, $value) = @_;
    return $dbh->STORE($name, $value) if $table eq '.';
    my $class = class_of($dbh, 'Table');
    my (undef, $meta) = $class->get_table_meta($dbh, $table, 1);
    if (!$meta) { require Carp; Carp::croak("No such table '$table'") }
    $class->set_table_meta_attr($meta, $name, $value);
    return $dbh;
}

sub set_sql_engine_meta {
    my ($dbh, $table, $name, $value) = @_;
    my %set = ref $name eq 'HASH' ? %$name : ($name => $value);
    for my $one (named_tables($dbh, $table)) {
        set_single_table_meta($dbh, $one, $_, $set{$_}) for sort keys %set;
    }
    return $dbh;
}

sub new_sql_engine_meta {    # a table known by its settings alone
    my ($dbh, $table, $values) = @_;
    my $class = class_of($dbh, 'Table');
    $dbh->{sql_meta}{$table} = $class->map_attributes($values || {});
    delete $dbh->{sql_meta_map}{$table};
    $class->get_table_meta($dbh, qq{"$table"}, 1);
    return 1;
}

sub clear_sql_engine_meta {
    my ($dbh, $table) = @_;
    my $known = DBI::DBD::SqlEngine::Table::known($dbh, $table, 0);
    if (defined $known) {
        delete $dbh->{sql_meta}{$known};
        my $map = $dbh->{sql_meta_map};
        delete $map->{$_} for grep { $map->{$_} eq $known } keys %$map;
    }
    return 1;
}
{
    no warnings 'once';
    *get_file_meta   = \&get_sql_engine_meta;
    *set_file_meta   = \&set_sql_engine_meta;
    *clear_file_meta = \&clear_sql_engine_meta;
}

# --- the catalogue --------------------------------------------------------------------------------------------------------

sub get_avail_tables {
    my ($dbh, $attr) = @_;
    my @rows   = map { [undef, undef, $_, 'TABLE', 'TEMP'] } sort keys %{ $dbh->{sql_ram_tables} || {} };
    my $source = $attr && $attr->{sql_table_source} || $dbh->{sql_table_source};
    push @rows, $source->avail_tables($dbh);
    return @rows;
}

sub list_tables { my ($dbh) = @_; return map { $_->[2] } $dbh->func('get_avail_tables') }

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type, $attr) = @_;
    my @names = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS);
    my @rows  = $dbh->func($attr, 'get_avail_tables');
    my $sponge = $dbh->{sql_sponge_driver} ||= DBI->connect('dbi:Sponge:', '', '', { PrintError => 0, RaiseError => 1 })
        or return $dbh->set_err($DBI::stderr, $DBI::errstr);
    return $sponge->prepare('TABLE_INFO', { rows => \@rows, NUM_OF_FIELDS => scalar @names, NAME => \@names });
}

sub quote {
    my ($dbh, $text, $type) = @_;
    return 'NULL' if !defined $text;
    return $text  if defined $type && $type =~ /\A-?\d+\z/ && $type >= DBI::SQL_NUMERIC() && $type <= DBI::SQL_DOUBLE();
    $text =~ s/'/''/g;
    return "'$text'";
}

sub useless { my ($dbh, $what) = @_; DBI::Bridge::carp("$what ineffective while AutoCommit is on") if $dbh->FETCH('Warn'); return }
sub commit   { useless($_[0], 'Commit');   return 1 }
sub rollback { useless($_[0], 'Rollback'); return 0 }    # nothing was taken back

package DBI::DBD::SqlEngine::st;

our @ISA           = ('DBD::_::st');
our $imp_data_size = 0;

sub bind_param {
    my ($sth, $at, $value, $attr) = @_;
    my $type = ref $attr eq 'HASH' ? $attr->{TYPE} : $attr;
    if (defined $type && defined $value) {
        no warnings 'numeric';
        $value += 0 if $type == DBI::SQL_INTEGER() || $type == DBI::SQL_SMALLINT() || $type == DBI::SQL_TINYINT();
    }
    $sth->{sql_params}[$at - 1] = $value;
    return 1;
}

sub execute {
    my ($sth, @values) = @_;
    $sth->finish if $sth->{Active};
    my $params = $sth->{sql_params} = @values ? [@values] : $sth->{sql_params} || [];
    my $stmt   = $sth->{sql_stmt};
    my $want   = $sth->FETCH('NUM_OF_PARAMS');
    return $sth->set_err($DBI::stderr, "You passed " . @$params . " parameters where $want required") if @$params != $want;
    delete $stmt->{errstr};    # a table that may be missing leaves its error there
    my $result = eval { $stmt->execute($sth, $params) };
    if ($@ || !defined $result) { return $sth->set_err($DBI::stderr, $@ || $stmt->{errstr} || 'The statement failed without saying why') }
    $sth->{sql_rows} = $stmt->{NUM_OF_ROWS};
    my $fields = $stmt->{NUM_OF_FIELDS};
    if ($fields) {
        if (!$sth->FETCH('NUM_OF_FIELDS')) { $sth->STORE(NUM_OF_FIELDS => $fields) }
        elsif ($sth->FETCH('NUM_OF_FIELDS') != $fields) {
            $sth->{NUM_OF_FIELDS} = $fields;
        }
        $sth->{NAME} = [$stmt->column_names];
        delete @$sth{qw(NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash bridge_names)};
        $sth->STORE(Active => 1);
    }
    return $result || '0E0';
}

sub finish {
    my ($sth) = @_;
    $sth->{Active} = '';
    delete $sth->{sql_stmt}{data} if $sth->{sql_stmt};
    return 1;
}

sub fetch {
    my ($sth) = @_;
    my $data = $sth->{sql_stmt}{data};
    if (!$data || ref $data ne 'ARRAY') {
        return $sth->set_err($DBI::stderr, 'Attempt to fetch row without a preceding execute () call or from a non-SELECT statement');
    }
    my $row = shift @$data;
    if (!$row) { $sth->finish; return undef }
    if ($sth->FETCH('ChopBlanks')) { defined $_ and s/ +\z// for @$row }
    return $sth->_set_fbav($row);
}
{ no warnings 'once'; *fetchrow_arrayref = \&fetch; }

sub rows { my ($sth) = @_; return $sth->{sql_rows} }

sub sql_get_colnames {
    my ($sth) = @_;
    return $sth->{NAME} || [$sth->{sql_stmt}->column_names];
}

sub FETCH {
    my ($sth, $key) = @_;
    if ($key eq 'NAME') { return $sth->{NAME} || [$sth->{sql_stmt}->column_names] }
    if ($key =~ /\A(?:TYPE|PRECISION|NULLABLE|SCALE)\z/ && ref $sth->{NAME}) {
        my $value = $key eq 'TYPE' ? DBI::SQL_VARCHAR() : $key eq 'NULLABLE' ? 1 : 0;
        return [($value) x @{ $sth->{NAME} }];
    }
    if ($key eq 'TYPE_NAME' && ref $sth->{NAME}) {
        my %name = (DBI::SQL_INTEGER() => 'INTEGER', DBI::SQL_REAL() => 'REAL', DBI::SQL_CHAR() => 'CHAR');
        return [map { $name{$_} || 'VARCHAR' } @{ $sth->FETCH('TYPE') }];
    }
    if ($key eq 'ParamValues') {
        my $bound = $sth->{sql_params} || [];
        return { map { $_ => $bound->[$_ - 1] } 1 .. $sth->FETCH('NUM_OF_PARAMS') };
    }
    return $sth->{$key} if $key =~ /\A[a-z]/ && exists $sth->{$key};
    return $sth->SUPER::FETCH($key);
}

sub STORE {
    my ($sth, $key, $value) = @_;
    if ($key =~ /\A[a-z]/ && $key !~ /\A(?:private|dbi)_/) { $sth->{$key} = $value; return 1 }
    return $sth->SUPER::STORE($key, $value);
}

package DBI::DBD::SqlEngine::Statement;

our @ISA = ('DBI::SQL::Nano::Statement');

sub open_table {
    my ($self, $data, $table, $create, $lock) = @_;
    (my $class = ref $self) =~ s/::Statement\z/::Table/;
    my %flags = (createMode => $create, lockMode => $lock);
    $flags{dropMode} = 1 if $self->{command} eq 'DROP';
    my (undef, $meta) = $class->get_table_meta($data->{Database}, $table, 1);
    $class = $meta->{sql_table_class} if $meta && $meta->{sql_table_class};
    return $class->new($data, { table => $table }, \%flags);
}

1;

__END__

=head1 NAME

DBI::DBD::SqlEngine - base of drivers in plain Perl that bring no SQL engine of their own

=head1 SYNOPSIS

    package DBD::Foo;            our @ISA = ('DBI::DBD::SqlEngine');
    package DBD::Foo::dr;        our @ISA = ('DBI::DBD::SqlEngine::dr');
    package DBD::Foo::db;        our @ISA = ('DBI::DBD::SqlEngine::db');
    package DBD::Foo::st;        our @ISA = ('DBI::DBD::SqlEngine::st');
    package DBD::Foo::Statement; our @ISA = ('DBI::DBD::SqlEngine::Statement');
    package DBD::Foo::Table;     our @ISA = ('DBI::DBD::SqlEngine::Table');
    sub fetch_row  { my ($self, $sth) = @_; ...; return $self->{row} = \@values }
    sub push_row   { my ($self, $sth, $row) = @_; ... }
    sub push_names { my ($self, $sth, $names) = @_; ... }

=head1 DESCRIPTION

Statements are parsed and executed by SQL::Statement where it is installed, else by L<DBI::SQL::Nano>. Settings of the driver
begin with its registered prefix; settings of tables are read and set with C<PREFIX_get_meta>, C<PREFIX_set_meta>,
C<PREFIX_new_meta> and C<PREFIX_clear_meta>, or through the tied hash whose name the driver puts into C<PREFIX_meta>.

=cut
