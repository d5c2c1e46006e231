package DBD::Pg::Tables;

# What the database tells of its tables and columns: table_info, column_info, tables; and how catalogue methods hand over their rows.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

my @TABLE = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS);

my @COLUMN =
    qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE BUFFER_LENGTH DECIMAL_DIGITS NUM_PREC_RADIX
    NULLABLE REMARKS COLUMN_DEF SQL_DATA_TYPE SQL_DATETIME_SUB CHAR_OCTET_LENGTH ORDINAL_POSITION IS_NULLABLE pg_type pg_constraint
    pg_schema pg_table pg_column pg_enum_values);

my @TYPES = (
    'FOREIGN TABLE', 'LOCAL TEMPORARY', 'MATERIALIZED VIEW', 'SYSTEM FOREIGN TABLE', 'SYSTEM MATERIALIZED VIEW',
    'SYSTEM TABLE',
    'SYSTEM VIEW', 'TABLE', 'VIEW',
);

# The type of a relation, in SQL
my $TYPE_OF = q{CASE WHEN n.nspname ~ '^pg_(toast_)?temp' AND c.relkind IN ('r', 'p') THEN 'LOCAL TEMPORARY'
        ELSE CASE WHEN n.nspname IN ('pg_catalog', 'pg_toast') THEN 'SYSTEM ' ELSE '' END
          || CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END END};

# A statement handle that has been executed and holds these rows.
sub handle {
    my ($dbh, $method, $names, $rows) = @_;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $method });
    my $count = @$rows;
    @$sth{qw(bridge_conn bridge_params bridge_plan bridge_total bridge_canned)} =
        ($dbh->{bridge_conn}, 0, [$method, 0, 's', '', []], $count, $rows);
    $sth->{bridge_facts}  = { types => [(25) x @$names], sizes => [(-1) x @$names] };
    $sth->{NUM_OF_PARAMS} = 0;
    CPANBridge::Driver::st::_columns($sth, [@$names]);
    DBD::Pg::st::_again($sth);
    return $outer;
}

sub DBD::Pg::st::_again {    # execute of such a handle: its rows from the start
    my ($sth) = @_;
    my @rows = map { [@$_] } @{ $sth->{bridge_canned} };
    @$sth{qw(bridge_rows bridge_got bridge_done)} = (\@rows, scalar @rows, 1);
    $sth->STORE(Active => 1);
    return @rows || '0E0';
}

# A condition on a name: LIKE if it has wildcards, equality if not; nothing for undef and ''.
sub named {
    my ($binds, $column, $name) = @_;
    return '' if !defined $name || $name eq '' || $name eq '%';
    push @$binds, $name;
    return sprintf ' AND %s %s $%d', $column, $name =~ /[%_]/ ? 'LIKE' : '=', scalar @$binds;
}

sub database { my ($dbh) = @_; return $dbh->{bridge_conn}{facts}{db} }

package DBD::Pg::db;

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type) = @_;
    my ($names, $rows) = _special_list($dbh, $catalog, $schema, $table, $type);
    if (!$names) {
        $names = [@TABLE, qw(pg_tablespace_name pg_tablespace_location pg_schema pg_table)];
        my (@binds, $wanted);
        if (defined $type && $type ne '' && $type ne '%') {
            push @binds, '{' . join(',', map { s/\A'|'\z//g; s/(["\\])/\\$1/g; qq{"$_"} } split /,/, $type) . '}';
            $wanted = "WHERE table_type = ANY(\$1::text[])";
        }
        my $where = DBD::Pg::Tables::named(\@binds, 'n.nspname', $schema)
            . DBD::Pg::Tables::named(\@binds, 'c.relname', $table);
        my $sql =
              'SELECT * FROM (SELECT pg_catalog.current_database(), pg_catalog.quote_ident(n.nspname) AS schem,'
            . " pg_catalog.quote_ident(c.relname) AS name, $TYPE_OF AS table_type,"
            . q{ pg_catalog.obj_description(c.oid, 'pg_class'), pg_catalog.quote_ident(t.spcname),}
            . ' pg_catalog.quote_ident(pg_catalog.pg_tablespace_location(t.oid)), n.nspname, c.relname FROM pg_catalog.pg_class c'
            . ' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace'
            . q{ WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')}
            . " AND n.nspname !~ '^pg_toast'$where) AS found "
            . ($wanted || '')
            . ' ORDER BY table_type, schem, name';
        $rows = DBD::Pg::_rows($dbh, $sql, @binds) or return;
    }
    return DBD::Pg::Tables::handle($dbh, 'table_info', $names, $rows);
}

# DBI's three special forms: the lists of catalogs, of schemas and of types.
sub _special_list {
    my ($dbh,         $catalog,    $schema, $table, $type) = @_;
    my ($any_catalog, $any_schema, $any_type) = map { defined && $_ eq '%' } $catalog, $schema, $type;
    my ($no_catalog,  $no_schema,  $no_table, $no_type) = map { defined && $_ eq '' } $catalog, $schema, $table, $type;
    my @more = qw(pg_schema pg_table);
    if ($any_catalog && $no_schema && $no_table) {
        return ([@TABLE, @more], [[DBD::Pg::Tables::database($dbh), (undef) x 6]]);
    }
    if ($no_catalog && $any_schema && $no_table) {
        my $rows = DBD::Pg::_rows(
            $dbh,
            'SELECT NULL, pg_catalog.quote_ident(nspname), NULL, NULL,'
                . q{ CASE WHEN nspname ~ '^pg_' THEN 'system schema' ELSE 'owned by ' || pg_catalog.pg_get_userbyid(nspowner) END,}
                . ' nspname, NULL FROM pg_catalog.pg_namespace ORDER BY 2'
        ) || [];
        return ([@TABLE, @more], $rows);
    }
    if ($no_catalog && $no_schema && $no_table && $any_type) {
        return ([@TABLE], [map { [(undef) x 3, $_, undef] } @TYPES])
    }
    return;
}

sub tables {
    my ($dbh, $catalog, $schema, $table, $type, $attr) = @_;
    my $sth  = table_info($dbh, $catalog, $schema, $table, $type, $attr) or return;
    my $rows = $sth->fetchall_arrayref                                   or return;
    return map { defined $_->[2] ? $attr && $attr->{pg_noprefix} ? $_->[2] : "$_->[1].$_->[2]" : () } @$rows;
}

sub column_info {
    my ($dbh, $catalog, $schema, $table, $column) = @_;
    my @binds;
    my $where =
          DBD::Pg::Tables::named(\@binds, 'n.nspname', $schema)
        . DBD::Pg::Tables::named(\@binds, 'c.relname', $table)
        . DBD::Pg::Tables::named(\@binds, 'a.attname', $column);
    my $found = DBD::Pg::_rows(
        $dbh,
'SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname), pg_catalog.quote_ident(a.attname), a.atttypid,'
            . ' pg_catalog.format_type(a.atttypid, NULL), a.attlen, a.atttypmod, a.attnotnull::int, pg_catalog.col_description(c.oid, a.attnum),'
            . ' pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod),'
            . ' (SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k'
            . q{ WHERE k.contype = 'c' AND k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] ORDER BY k.conname LIMIT 1),}
            . ' n.nspname, c.relname, a.attname, t.typtype FROM pg_catalog.pg_attribute a'
            . ' JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_class c ON c.oid = a.attrelid'
            . ' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
            . ' LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum'
            . q{ WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')}
            . "$where ORDER BY 1, 2, a.attnum",
        @binds
    ) or return;
    my $labels = _enum_labels($dbh, map { $_->[16] eq 'e' ? $_->[3] : () } @$found);
    my @rows   = map { _column_row($dbh, $_, $labels) } @$found;
    return DBD::Pg::Tables::handle($dbh, 'column_info', \@COLUMN, \@rows);
}

sub _enum_labels {    # number of type → [values]
    my ($dbh, @oids) = @_;
    my %labels;
    return \%labels if !@oids;
    my $list = join ',', map { 0 + $_ } @oids;
    my $rows = DBD::Pg::_rows(
        $dbh,
"SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid IN ($list) ORDER BY enumtypid, enumsortorder"
    );
    push @{ $labels{ $_->[0] } }, $_->[1] for @{ $rows || [] };
    return \%labels;
}

sub _column_row {
    my ($dbh, $found, $labels) = @_;
    my ($schem, $table, $column, $oid, $type, $length, $mod, $not_null, $remarks, $default, $position, $full) = @$found;
    my ($number) = DBD::Pg::_sql_type($oid);
    my $size =
          $mod >= 4 && $oid == 1700                   ? (($mod - 4) & 0xffff) . ',' . (($mod - 4) >> 16)
        : $mod >= 4 && ($oid == 1042 || $oid == 1043) ? $mod - 4
        : $length > 0                                 ? $length
        :                                               undef;
    my %row = (
        TABLE_CAT   => DBD::Pg::Tables::database($dbh), TABLE_SCHEM => $schem, TABLE_NAME => $table,
        COLUMN_NAME => $column,
        DATA_TYPE   => defined $number ? $number : 12, TYPE_NAME => $type, COLUMN_SIZE => $size,
        NULLABLE    => $not_null       ? 0 : 1,
        REMARKS     => $remarks, COLUMN_DEF => $default, ORDINAL_POSITION => $position,
        IS_NULLABLE => $not_null ? 'NO' : 'YES',
        pg_type     => $full,        pg_constraint => $found->[12], pg_schema => $found->[13], pg_table => $found->[14],
        pg_column   => $found->[15], pg_enum_values => $labels->{$oid},
    );
    return [@row{@COLUMN}];
}

1;
