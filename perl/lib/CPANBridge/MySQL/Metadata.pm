package CPANBridge::MySQL::Metadata;

# The catalogue: schemas, tables, columns and keys. type_info_all and get_info are in Info.pm.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

my @TABLE   = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS);
my @PRIMARY = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME);
my @COLUMN  = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE BUFFER_LENGTH DECIMAL_DIGITS
    NUM_PREC_RADIX NULLABLE REMARKS COLUMN_DEF SQL_DATA_TYPE SQL_DATETIME_SUB CHAR_OCTET_LENGTH ORDINAL_POSITION IS_NULLABLE
    CHAR_SET_CAT CHAR_SET_SCHEM CHAR_SET_NAME COLLATION_CAT COLLATION_SCHEM COLLATION_NAME UDT_CAT UDT_SCHEM UDT_NAME
    DOMAIN_CAT DOMAIN_SCHEM DOMAIN_NAME SCOPE_CAT SCOPE_SCHEM SCOPE_NAME MAX_CARDINALITY DTD_IDENTIFIER IS_SELF_REF);

# A statement handle that has been executed and holds these rows.
sub handle {
    my ($dbh, $method, $names, $rows) = @_;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $method });
    my $count = @$rows;
    @$sth{qw(bridge_conn bridge_params bridge_got bridge_done bridge_canned bridge_total NAME)} =
        ($dbh->{bridge_conn}, 0, $count, 1, 1, $count, []);
    $sth->{NUM_OF_PARAMS} = 0;
    CPANBridge::MySQL->_new_columns($sth, [@$names], {});
    $sth->{bridge_rows} = $rows;
    $sth->STORE(Active => 1);
    return $outer;
}

# The rows of a statement of the driver's own, or nothing with the error set.
sub rows {
    my ($dbh, $sql, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    if (!$conn->{active} || $conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'do') or return }
    my $reply = CPANBridge::Driver::call($dbh, 'select', $conn->{id}, my $id = CPANBridge::Driver::next_id(),
        $sql, @binds ? [@binds] : undef, 'a', undef) or return;
    my @rows = @{ $reply->[2] || [] };
    my $done = $reply->[1];
    while (!$done) {
        my $more = CPANBridge::Driver::call($dbh, 'fetch', $id, undef, 'a') or return;
        $done = $more->[0];
        push @rows, @{ $more->[1] };
    }
    $conn->{session}->oneway('mysql.finalize', [$id]) if !$reply->[1];
    return \@rows;
}

sub _any { return !defined $_[0] || $_[0] eq '' }

sub _name { my ($name) = @_; $name =~ s/`/``/g; return "`$name`" }

sub _table { my ($schema, $table) = @_; return join '.', map { _name($_) } grep { !_any($_) } $schema, $table }

package CPANBridge::MySQL::dr;

sub data_sources {
    my ($drh, $attr) = @_;
    my ($flavour) = "$drh->{ImplementorClass}" =~ /\A(.*)::dr\z/ ? $1->flavour : die 'panic: a driver without a name';
    my %attr = %{ $attr || {} };
    my ($user, $password) = delete @attr{qw(user password)};
    my $dsn = join ';', map { "$_=" . delete $attr{$_} } grep { defined $attr{$_} } qw(host port);
    my $dbh = DBI->connect("DBI:$flavour->{name}:$dsn", $user, $password, { %attr, PrintError => 0, RaiseError => 0 });
    if (!$dbh) { $drh->set_err(DBI->err, DBI->errstr, $DBI::state) if $flavour->{strict}; return }
    return CPANBridge::MySQL::db::_sources($dbh, $flavour);
}

package CPANBridge::MySQL::db;

sub _sources {
    my ($dbh, $flavour) = @_;
    my $names = $dbh->selectcol_arrayref('SHOW DATABASES') or return;
    return map { "DBI:$flavour->{name}:$_" } @$names;
}

sub data_sources {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'data_sources'); return }
    return if !$conn->{flavour}{strict};    # DBD::mysql has none of a handle
    my $rows = CPANBridge::MySQL::Metadata::rows($dbh, 'SHOW DATABASES') or return;
    return map { "DBI:$conn->{flavour}{name}:$_->[0]" } @$rows;
}

# --- tables ---------------------------------------------------------------------------------------------------------------------

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type) = @_;
    my $none = \&CPANBridge::MySQL::Metadata::_any;
    my $rows;
    if (defined $catalog && $catalog eq '%' && $none->($schema) && $none->($table)) { $rows = [] }
    elsif (defined $schema && $schema eq '%' && $none->($catalog) && $none->($table)) {
        my $found = CPANBridge::MySQL::Metadata::rows($dbh, 'SHOW DATABASES') or return;
        $rows = [map { [undef, $_->[0], undef, undef, undef] } @$found];
    }
    elsif (defined $type && $type eq '%' && $none->($catalog) && $none->($schema) && $none->($table)) {
        $rows = [map { [undef, undef, undef, $_, undef] } qw(TABLE VIEW)];
    }
    elsif (!$none->($catalog) && $catalog ne '%') { $rows = [] }    # there are no catalogues
    else                                          { $rows = _tables($dbh, $schema, $table, $type) or return }
    return CPANBridge::MySQL::Metadata::handle($dbh, 'table_info', \@TABLE, $rows);
}

sub _tables {
    my ($dbh, $schema, $table, $type) = @_;
    my @from = defined $schema && $schema ne '' ? $schema : undef;
    if (defined $from[0] && $from[0] =~ /[%_]/) {
        my $found = CPANBridge::MySQL::Metadata::rows($dbh, 'SHOW DATABASES LIKE ?', $from[0]) or return;
        @from = map { $_->[0] } @$found;
    }
    my %wanted = map { my $one = uc; $one =~ s/\A\s*'?|'?\s*\z//g; ($one => 1) } split /,/, defined $type ? $type : '';
    delete $wanted{''};
    my @rows;
    for my $name (@from) {
        if (!defined $name) {
            my $now = CPANBridge::MySQL::Metadata::rows($dbh, 'SELECT DATABASE()') or return;
            $name = $now->[0][0];
            next if !defined $name;
        }
        my $sql = 'SHOW FULL TABLES FROM ' . CPANBridge::MySQL::Metadata::_name($name);
        my @like = defined $table && $table ne '' ? $table : ();
        my $found = CPANBridge::MySQL::Metadata::rows($dbh, $sql . (@like ? ' LIKE ?' : ''), @like);
        if (!$found) {    # a schema that does not exist has no tables
            return if ($dbh->err || 0) != 1049;
            $dbh->set_err(undef, undef);
            next;
        }
        for my $row (@$found) {
            my $kind = $row->[1] =~ /VIEW/ ? 'VIEW' : 'TABLE';
            push @rows, [undef, $name, $row->[0], $kind, undef] if !%wanted || $wanted{$kind} || $wanted{'%'};
        }
    }
    return \@rows;
}

# --- columns --------------------------------------------------------------------------------------------------------------------

my %SIZE = (tiny => 255, '' => 65_535, medium => 16_777_215, long => 4_294_967_295);

sub column_info {
    my ($dbh, $catalog, $schema, $table, $column) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $p     = $conn->{flavour}{prefix};
    my @names = (@COLUMN, map { "$p$_" } qw(is_pri_key type_name values is_auto_increment));
    if ($conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'column_info'); return }
    return CPANBridge::MySQL::Metadata::handle($dbh, 'column_info', \@names, []) if !defined $table;
    my $id = CPANBridge::MySQL::Metadata::_table($schema, $table);
    my $found = CPANBridge::MySQL::Metadata::rows($dbh, "SHOW COLUMNS FROM $id" . (defined $column ? ' LIKE ?' : ''),
        defined $column ? $column : ());
    if (!$found) {
        return if ($dbh->err || 0) != 1146;
        $dbh->set_err(undef, undef);    # a table that does not exist has no columns
        $found = [];
    }
    my ($position, @rows) = (0);
    for my $row (@$found) {
        push @rows, (_column($dbh, $conn, $row, $schema, $table, ++$position) || return);
    }
    return CPANBridge::MySQL::Metadata::handle($dbh, 'column_info', \@names, \@rows);
}

sub _column {    # one row of SHOW COLUMNS: Field, Type, Null, Key, Default, Extra
    my ($dbh, $conn, $row, $schema, $table, $position) = @_;
    my ($name, $type, $null, $key, $default, $extra) = @$row;
    my $strict = $conn->{flavour}{strict};
    my ($base, $inside) = $type =~ /\A(\w+)(?:\((.*)\))?/s ? (lc $1, $2) : ('', undef);
    my %is = (kind => 12);
    my @values;
    if    ($base =~ /\A(?:tiny|small|medium|big)?int\z|\Abit\z/) { %is = (kind => 4, size => $inside, radix => 10) }
    elsif ($base eq 'year')                      { %is = (kind => 4, size => 4, radix => 10) }
    elsif ($base eq 'decimal' || $base eq 'numeric') {
        my ($size, $digits) = split /,/, defined $inside ? $inside : '';
        %is = (kind => 3, size => $size, digits => $digits, radix => 10);
    }
    elsif ($base eq 'float')                        { %is = (kind => 6, size => 32, radix => 2) }
    elsif ($base eq 'double' || $base eq 'real')    { %is = (kind => 8, size => 64, radix => 2) }
    elsif ($base =~ /\A(?:var)?(?:char|binary)\z/)  { %is = (kind => $base =~ /^var/ ? 12 : 1, size => $inside) }
    elsif ($base =~ /\A(tiny|medium|long|)(?:text|blob)\z/) { %is = (kind => 12, size => $SIZE{$1}) }
    elsif ($base eq 'enum' || $base eq 'set') {
        @values = $inside =~ /'((?:[^']|'')*)'/g;
        s/''/'/g for @values;
        my $longest = 0;
        for (@values) { $longest = length if length > $longest }
        %is = (kind => 12, size => $base eq 'set' ? length(join ',', @values) : $longest);
    }
    elsif ($base eq 'date')                         { %is = (kind => 9,  size => 10, digits => 0) }
    elsif ($base eq 'time')                         { %is = (kind => 10, size => 8,  digits => 0) }
    elsif ($base eq 'datetime' || $base eq 'timestamp') {
        %is = (kind => 11, size => $base eq 'datetime' ? 19 : 14, digits => 0, sql => 9, sub => -79);
    }
    else {
        my $text = "column_info: unrecognized column type '$base' of " . CPANBridge::MySQL::Metadata::_name($table)
            . ".$name treated as varchar";
        if ($strict) { $dbh->set_err(2000, $text, 'HY000'); return }
        CPANBridge::Driver::warning($text);
    }
    my $may = $null eq 'YES';
    $default = undef if $base ne 'enum' && defined $default && $default eq 'NULL' && $may;
    return [
        undef, $schema, $table, $name, $is{kind}, uc $base, $is{size}, undef, $is{digits}, $is{radix}, $may ? 1 : 0,
        undef, $default, $is{sql} || $is{kind}, $is{sub}, undef, $position, $may ? 'YES' : 'NO',
        (undef) x 18,
        $key eq 'PRI' ? 1 : '', $type, @values ? \@values : undef, $extra =~ /auto_increment/ ? 1 : 0
    ];
}

# --- keys -----------------------------------------------------------------------------------------------------------------------

sub primary_key_info {
    my ($dbh, $catalog, $schema, $table) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'primary_key_info'); return }
    my $found = [];
    if (defined $table && $table ne '') {
        $found = CPANBridge::MySQL::Metadata::rows($dbh,
            'SHOW KEYS FROM ' . CPANBridge::MySQL::Metadata::_table($schema, $table)) || [];
    }
    my @rows = map { [undef, $schema, $table, $_->[4], $_->[3], $_->[2]] }
        sort { $a->[3] <=> $b->[3] } grep { $_->[2] eq 'PRIMARY' } @$found;
    return CPANBridge::MySQL::Metadata::handle($dbh, 'primary_key_info', \@PRIMARY, \@rows);
}

sub foreign_key_info {
    my ($dbh, $pk_catalog, $pk_schema, $pk_table, $fk_catalog, $fk_schema, $fk_table) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'foreign_key_info'); return }
    return if $conn->{facts}{version_number} && $conn->{facts}{version_number} < 50006;
    my @where = 'k.TABLE_SCHEMA = k.TABLE_SCHEMA';
    my @binds;
    for my $part (
        ['REFERENCED_TABLE_SCHEMA', $pk_schema], ['REFERENCED_TABLE_NAME', $pk_table],
        ['TABLE_SCHEMA',            $fk_schema], ['TABLE_NAME',            $fk_table]
        )
    {
        next if !defined $part->[1];
        push @where, "k.$part->[0] = ?";
        push @binds, $part->[1];
    }
    my $sth = $dbh->prepare(
        'SELECT NULL AS PKTABLE_CAT, k.REFERENCED_TABLE_SCHEMA AS PKTABLE_SCHEM, k.REFERENCED_TABLE_NAME AS PKTABLE_NAME,'
            . ' k.REFERENCED_COLUMN_NAME AS PKCOLUMN_NAME, k.TABLE_CATALOG AS FKTABLE_CAT, k.TABLE_SCHEMA AS FKTABLE_SCHEM,'
            . ' k.TABLE_NAME AS FKTABLE_NAME, k.COLUMN_NAME AS FKCOLUMN_NAME, k.ORDINAL_POSITION AS KEY_SEQ,'
            . ' NULL AS UPDATE_RULE, NULL AS DELETE_RULE, k.CONSTRAINT_NAME AS FK_NAME, NULL AS PK_NAME,'
            . ' NULL AS DEFERABILITY, NULL AS UNIQUE_OR_PRIMARY'
            . ' FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE k WHERE '
            . join(' AND ', @where)
            . ' ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.ORDINAL_POSITION'
    ) or return;
    $sth->execute(@binds) or return;
    return $sth;
}

sub statistics_info {
    my ($dbh, $catalog, $schema, $table, $unique, $quick) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'statistics_info'); return }
    return if $conn->{facts}{version_number} && $conn->{facts}{version_number} < 50006;
    my (@where, @binds);
    if (defined $schema) { push @where, 'TABLE_SCHEMA = ?';          push @binds, $schema }
    else                 { push @where, 'TABLE_SCHEMA = DATABASE()' }
    push @where, 'TABLE_NAME = ?';
    push @binds, $table;
    my $sth = $dbh->prepare(
        'SELECT TABLE_CATALOG AS TABLE_CAT, TABLE_SCHEMA AS TABLE_SCHEM, TABLE_NAME, NON_UNIQUE, NULL AS INDEX_QUALIFIER,'
            . ' INDEX_NAME, LCASE(INDEX_TYPE) AS TYPE, SEQ_IN_INDEX AS ORDINAL_POSITION, COLUMN_NAME,'
            . ' COLLATION AS ASC_OR_DESC, CARDINALITY, NULL AS PAGES, NULL AS FILTER_CONDITION'
            . ' FROM INFORMATION_SCHEMA.STATISTICS WHERE '
            . join(' AND ', @where)
            . ' ORDER BY TABLE_SCHEMA, TABLE_NAME, SEQ_IN_INDEX'
    ) or return;
    $sth->execute(@binds) or return;
    return $sth;
}

1;
