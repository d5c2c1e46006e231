package DBD::Pg::Keys;

# What the database tells of keys and indexes: primary_key_info, foreign_key_info, statistics_info.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

use DBD::Pg::Tables ();

my @PRIMARY =
    qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME DATA_TYPE pg_tablespace_name pg_tablespace_location pg_schema
    pg_table pg_column);

my @FOREIGN =
    qw(UK_TABLE_CAT UK_TABLE_SCHEM UK_TABLE_NAME UK_COLUMN_NAME FK_TABLE_CAT FK_TABLE_SCHEM FK_TABLE_NAME FK_COLUMN_NAME ORDINAL_POSITION
    UPDATE_RULE DELETE_RULE FK_NAME UK_NAME DEFERABILITY UNIQUE_OR_PRIMARY UK_DATA_TYPE FK_DATA_TYPE);

my @STATISTICS =
    qw(TABLE_CAT TABLE_SCHEM TABLE_NAME NON_UNIQUE INDEX_QUALIFIER INDEX_NAME TYPE ORDINAL_POSITION COLUMN_NAME ASC_OR_DESC CARDINALITY
    PAGES FILTER_CONDITION pg_expression pg_is_key_column pg_null_ordering);

my %RULE = (c => 0, r => 1, n => 2, a => 3, d => 4);    # DBI's numbers for what happens to the referring rows

# The number of a table: in this schema, or else the one that its bare name means.
sub table_oid {
    my ($dbh, $schema, $table) = @_;
    return if !defined $table || $table eq '';
    my @binds = ($table);
    my $where = 'pg_catalog.pg_table_is_visible(c.oid)';
    if (defined $schema && $schema ne '') { push @binds, $schema; $where = 'n.nspname = $2' }
    my $rows = DBD::Pg::_rows(
        $dbh,
        'SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
            . qq{ WHERE c.relname = \$1 AND $where AND c.relkind IN ('r', 'p', 'v', 'm', 'f') LIMIT 1}, @binds
    );
    return $rows && @$rows ? 0 + $rows->[0][0] : undef;
}

package DBD::Pg::db;

sub primary_key_info {
    my ($dbh, $catalog, $schema, $table, $attr) = @_;
    my $oid  = DBD::Pg::Keys::table_oid($dbh, $schema, $table);
    my $rows = [];
    if (defined $oid) {
        $rows = DBD::Pg::_rows(
            $dbh,
'SELECT pg_catalog.current_database(), pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname),'
                . ' pg_catalog.quote_ident(a.attname), k.place, pg_catalog.quote_ident(x.relname), t.typname,'
                . ' pg_catalog.quote_ident(s.spcname), pg_catalog.quote_ident(pg_catalog.pg_tablespace_location(s.oid)),'
                . ' n.nspname, c.relname, a.attname'
                . ' FROM (SELECT i.*, pg_catalog.generate_series(1, pg_catalog.array_length(i.indkey::int2[], 1)) AS place'
                . " FROM pg_catalog.pg_index i WHERE i.indisprimary AND i.indrelid = $oid) AS k"
                . ' JOIN pg_catalog.pg_class c ON c.oid = k.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
                . ' JOIN pg_catalog.pg_class x ON x.oid = k.indexrelid'
                . ' JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.indkey[k.place - 1]'
                . ' JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = x.reltablespace'
                . (_has_included($dbh) ? ' WHERE k.place <= k.indnkeyatts' : '')
                . ' ORDER BY k.place'
        ) or return;
    }
    my $one = $attr && $attr->{pg_onerow};
    $rows = [_one_row($one, $rows)] if $one && @$rows;
    return DBD::Pg::Tables::handle($dbh, 'primary_key_info', \@PRIMARY, $rows);
}

sub _has_included { my ($dbh) = @_; return $dbh->{bridge_conn}{facts}{server_version} >= 110_000 }

sub _one_row {
    my ($how, $rows) = @_;
    my @row = (@{ $rows->[0] }[0 .. 6], (undef) x 5);
    for my $at (3, 4, 6) {
        my @all = map { $_->[$at] } @$rows;
        $row[$at] = $how == 2 ? \@all : join ', ', @all;
    }
    return \@row;
}

sub primary_key {
    my ($dbh, $catalog, $schema, $table) = @_;
    my $sth = primary_key_info($dbh, $catalog, $schema, $table) or return;
    return map { $_->[3] } @{ $sth->fetchall_arrayref || [] };
}

sub foreign_key_info {
    my ($dbh, $pk_catalog, $pk_schema, $pk_table, $fk_catalog, $fk_schema, $fk_table) = @_;
    my @where;
    for my $side (['confrelid', $pk_schema, $pk_table], ['conrelid', $fk_schema, $fk_table]) {
        my ($column, $schema, $table) = @$side;
        next if !defined $table || $table eq '';
        my $oid = DBD::Pg::Keys::table_oid($dbh, $schema, $table);
        return DBD::Pg::Tables::handle($dbh, 'foreign_key_info', \@FOREIGN, []) if !defined $oid;
        push @where, "k.$column = $oid";
    }
    return DBD::Pg::Tables::handle($dbh, 'foreign_key_info', \@FOREIGN, []) if !@where;
    my $found = DBD::Pg::_rows(
        $dbh,
'SELECT pg_catalog.quote_ident(pn.nspname), pg_catalog.quote_ident(pc.relname), pg_catalog.quote_ident(pa.attname),'
            . ' pg_catalog.quote_ident(fn.nspname), pg_catalog.quote_ident(fc.relname), pg_catalog.quote_ident(fa.attname), k.place,'
            . ' k.confupdtype, k.confdeltype, pg_catalog.quote_ident(k.conname), pg_catalog.quote_ident(u.conname),'
            . ' k.condeferrable::int, k.condeferred::int, i.indisprimary::int,'
            . ' pg_catalog.quote_ident(pt.typname), pg_catalog.quote_ident(ft.typname)'
            . ' FROM (SELECT c.*, c.oid AS number, pg_catalog.generate_series(1, pg_catalog.array_length(c.conkey, 1)) AS place'
            . q{ FROM pg_catalog.pg_constraint c WHERE c.contype = 'f') AS k}
            . ' JOIN pg_catalog.pg_class pc ON pc.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace'
            . ' JOIN pg_catalog.pg_class fc ON fc.oid = k.conrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace'
            . ' JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = k.confkey[k.place]'
            . ' JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.conrelid AND fa.attnum = k.conkey[k.place]'
            . ' JOIN pg_catalog.pg_type pt ON pt.oid = pa.atttypid JOIN pg_catalog.pg_type ft ON ft.oid = fa.atttypid'
            . ' LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid'
            . q{ LEFT JOIN pg_catalog.pg_constraint u ON u.conindid = k.conindid AND u.contype IN ('p', 'u') AND u.conrelid = k.confrelid}
            . " WHERE @{[join ' AND ', @where]} ORDER BY fc.relname, k.conname, k.place"
    ) or return;
    my $database = DBD::Pg::Tables::database($dbh);
    my @rows     = map { [
        $database, @$_[0 .. 2], $database, @$_[3 .. 6], $RULE{ $_->[7] }, $RULE{ $_->[8] }, @$_[9, 10],
        !$_->[11] ? 7 : $_->[12] ? 5 : 6, $_->[13] ? 'PRIMARY' : 'UNIQUE', @$_[14, 15]
    ] } @$found;
    return DBD::Pg::Tables::handle($dbh, 'foreign_key_info', \@FOREIGN, \@rows);
}

sub statistics_info {
    my ($dbh, $catalog, $schema, $table, $unique_only, $quick) = @_;
    return undef if !defined $table || $table eq '';
    my $oid  = DBD::Pg::Keys::table_oid($dbh, $schema, $table);
    my @rows = defined $oid ? _statistics($dbh, $oid, $unique_only) : ();
    return DBD::Pg::Tables::handle($dbh, 'statistics_info', \@STATISTICS, \@rows);
}

sub _statistics {
    my ($dbh, $oid, $unique_only) = @_;
    my $has    = sub { "pg_catalog.pg_index_column_has_property(k.indexrelid, k.place, '$_[0]')" };
    my $is_key = _has_included($dbh) ? 'k.place <= k.indnkeyatts' : 'true';
    my $unique = $unique_only        ? ' AND i.indisunique'       : '';
    my $orders = $dbh->{bridge_conn}{facts}{server_version} >= 90_600;
    my $order  = !$orders ? 'NULL' : "CASE WHEN ${\ $has->('asc')} THEN 'A' WHEN ${\ $has->('desc')} THEN 'D' END";
    my $nulls =
        !$orders
        ? 'NULL'
        : "CASE WHEN ${\ $has->('nulls_first')} THEN 'first' WHEN ${\ $has->('nulls_last')} THEN 'last' END";
    my $indexes = DBD::Pg::_rows(
        $dbh,
        'SELECT pg_catalog.current_database(), n.nspname, c.relname, (NOT k.indisunique)::int, NULL, x.relname,'
            . q{ CASE WHEN k.indisclustered THEN 'clustered' WHEN m.amname = 'btree' THEN 'btree' WHEN m.amname = 'hash' THEN 'hashed'}
            . q{ ELSE 'other' END AS kind, k.place, a.attname,}
            . " $order,"
            . ' x.reltuples::bigint, x.relpages, pg_catalog.pg_get_expr(k.indpred, k.indrelid),'
            . " pg_catalog.pg_get_indexdef(k.indexrelid, k.place, true), ($is_key)::int, $nulls"
            . ' FROM (SELECT i.*, pg_catalog.generate_series(1, i.indnatts::int) AS place FROM pg_catalog.pg_index i'
            . " WHERE i.indrelid = $oid$unique) AS k"
            . ' JOIN pg_catalog.pg_class c ON c.oid = k.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
            . ' JOIN pg_catalog.pg_class x ON x.oid = k.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam'
            . ' LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.indkey[k.place - 1]'
            . ' ORDER BY k.indisunique DESC, kind, x.relname, k.place'
    ) or return;
    return @$indexes if $unique_only;
    my $itself = DBD::Pg::_rows(
        $dbh,
        q{SELECT pg_catalog.current_database(), n.nspname, c.relname, NULL, NULL, NULL, 'table', NULL, NULL, NULL,}
            . ' c.reltuples::bigint, c.relpages, NULL, NULL, NULL, NULL'
            . ' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
            . " WHERE c.oid = $oid"
    ) or return;
    return (@$indexes, @$itself);
}

1;
