package DBD::SQLite::Metadata;

# What the database knows about itself: table_info, column_info, primary_key_info, foreign_key_info, statistics_info, type_info_all and
# get_info. SQLite answers through its master tables and pragmas; the rows DBI's documentation asks for are put together here and handed
# over as statement handles that hold their rows already.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

# The codes of foreign_key_info: what happens to the referring rows, and when the constraint is looked at
%DBD::SQLite::db::DBI_code_for_rule = (
    'CASCADE'             => 0,
    'RESTRICT'            => 1,
    'SET NULL'            => 2,
    'NO ACTION'           => 3,
    'SET DEFAULT'         => 4,
    'INITIALLY DEFERRED'  => 5,
    'INITIALLY IMMEDIATE' => 6,
    'NOT DEFERRABLE'      => 7,
);

my @TABLE = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS);

my @COLUMN =
    qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE BUFFER_LENGTH DECIMAL_DIGITS NUM_PREC_RADIX
    NULLABLE REMARKS COLUMN_DEF SQL_DATA_TYPE SQL_DATETIME_SUB CHAR_OCTET_LENGTH ORDINAL_POSITION IS_NULLABLE);

my @KEY = qw(TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME);

my @FOREIGN =
    qw(PKTABLE_CAT PKTABLE_SCHEM PKTABLE_NAME PKCOLUMN_NAME FKTABLE_CAT FKTABLE_SCHEM FKTABLE_NAME FKCOLUMN_NAME KEY_SEQ
    UPDATE_RULE DELETE_RULE FK_NAME PK_NAME DEFERRABILITY UNIQUE_OR_PRIMARY);

my @STATISTICS =
    qw(TABLE_CAT TABLE_SCHEM TABLE_NAME NON_UNIQUE INDEX_QUALIFIER INDEX_NAME TYPE ORDINAL_POSITION COLUMN_NAME ASC_OR_DESC
    CARDINALITY PAGES FILTER_CONDITION);

my @TYPE =
    qw(TYPE_NAME DATA_TYPE COLUMN_SIZE LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE
    UNSIGNED_ATTRIBUTE FIXED_PREC_SCALE AUTO_UNIQUE_VALUE LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE SQL_DATA_TYPE SQL_DATETIME_SUB
    NUM_PREC_RADIX INTERVAL_PRECISION);

# --- asking SQLite ---------------------------------------------------------------------------------------------------------------

sub rows {    # all rows of a statement, as arrays; nothing when it failed (the error is the handle's)
    my ($dbh, $sql, @binds) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $id    = CPANBridge::Driver::next_id();
    my $reply = CPANBridge::Driver::call($dbh, 'select', $conn->{id}, $id, $sql, @binds ? \@binds : undef, 'a') or return;
    DBD::SQLite->_extra($conn, $reply->[3]) if $reply->[3];
    my ($done, $rows) = @$reply[1, 2];
    while (!$done) {
        my $more = CPANBridge::Driver::call($dbh, 'fetch', $id, undef, 'a') or return;
        push @$rows, @{ $more->[1] };
        $done = $more->[0];
    }
    return $rows || [];
}

sub quoted { my ($name) = @_; (my $text = $name) =~ s/"/""/g; return qq{"$text"} }

sub pragma {
    my ($dbh, $schema, $pragma, $of) = @_;
    return rows($dbh, 'PRAGMA ' . quoted($schema) . ".$pragma(" . quoted($of) . ')')
}

sub schemas {    # main, temp and what is attached
    my ($dbh) = @_;
    my $list  = rows($dbh, 'PRAGMA database_list') or return;
    my @names = map { $_->[1] } @$list;
    push @names, 'temp' if !grep { $_ eq 'temp' } @names;
    return \@names;
}

sub master { my ($schema) = @_; return $schema eq 'temp' ? 'sqlite_temp_master' : quoted($schema) . '.sqlite_master' }

sub matcher {    # a LIKE pattern, or undef for anything, as a test
    my ($pattern, $escape) = @_;
    return sub { 1 }
        if !defined $pattern;
    my $regex = '';
    while ($pattern =~ /\G(.)/gs) {
        my $char = $1;
        if (defined $escape && length $escape && $char eq $escape && $pattern =~ /\G(.)/gs) { $regex .= quotemeta $1 }
        else { $regex .= $char eq '%' ? '.*' : $char eq '_' ? '.' : quotemeta $char }
    }
    return sub { $_[0] =~ /\A$regex\z/is };
}

# --- tables --------------------------------------------------------------------------------------------------------------------------

# [schema, name, type, sql] of every object that matches
sub objects {
    my ($dbh, $schema, $table, $escape) = @_;
    my $names = schemas($dbh) or return;
    my ($in_schema, $named) = (matcher($schema, $escape), matcher($table, $escape));
    my @found;
    for my $name (sort grep { $in_schema->($_) } @$names) {
        if ($name eq 'main' || $name eq 'temp') {
            my $master = $name eq 'temp' ? 'sqlite_temp_master' : 'sqlite_master';
            push @found, [$name, $master, 'SYSTEM TABLE', undef] if $named->($master);
        }
        my $rows = rows($dbh, 'SELECT tbl_name, upper(type), sql, name FROM ' . master($name) . ' ORDER BY rowid')
            or return;
        for my $row (grep { $named->($_->[0]) } @$rows) {
            my $type = $name eq 'temp' && $row->[1] eq 'TABLE' ? 'LOCAL TEMPORARY' : $row->[1];
            push @found, [$name, $row->[0], $type, $row->[2]];
        }
    }
    return \@found;
}

sub tables_only {
    my ($found) = @_;
    return [grep { $_->[2] =~ /^(?:TABLE|LOCAL TEMPORARY)\z/ } @$found]
}

sub in_creation_order {    # main first, then temp, then what was attached, tables as they were made
    my ($dbh, $found) = @_;
    my $n     = 0;
    my %place = map  { $_ => $n++ } @{ schemas($dbh) || [] };
    my @order = sort { $place{ $found->[$a][0] } <=> $place{ $found->[$b][0] } || $a <=> $b } 0 .. $#$found;
    return [@$found[@order]];
}

package DBD::SQLite::db;

sub table_info {
    my ($dbh, $catalog, $schema, $table, $type, $attr) = @_;
    return DBD::SQLite->_inactive($dbh, 'get table info') if !$dbh->{bridge_conn}{active};
    my $special = _special_list($dbh, $catalog, $schema, $table, $type) or return;
    return CPANBridge::Driver::canned($dbh, 'table_info', \@TABLE, $special) if ref $special;
    my $found = DBD::SQLite::Metadata::objects($dbh, $schema, $table, $attr && ($attr->{Escape} || $attr->{escape}))
        or return;
    if (defined $type && length $type && $type ne '%') {
        my %wanted = map { s/\A\s*'?|'?\s*\z//g; (uc, 1) } split /,/, $type;
        $found = [grep { $wanted{ $_->[2] } } @$found];
    }
    my @rows = map { [undef, @$_[0 .. 2], undef, $_->[3]] }
        sort { $a->[2] cmp $b->[2] || $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] } @$found;
    return CPANBridge::Driver::canned($dbh, 'table_info', [@TABLE, 'sqlite_sql'], \@rows);
}

# DBI's three special forms: the lists of catalogs, of schemas and of types. 'no' when it is none of them.
sub _special_list {
    my ($dbh, $catalog, $schema, $table, $type) = @_;
    my ($no_catalog, $no_schema, $no_table) = map { !defined || !length } $catalog, $schema, $table;
    my $any_type = defined $type && $type eq '%';
    if (defined $catalog && $catalog eq '%' && defined $schema && $no_schema && defined $table && $no_table) {
        return [[(undef) x 5]]
    }
    if (defined $schema && $schema eq '%' && defined $catalog && $no_catalog && defined $table && $no_table) {
        my $names = DBD::SQLite::Metadata::schemas($dbh) or return;
        return [map { [undef, $_, undef, undef, undef] } sort @$names];
    }
    if ($any_type && defined $catalog && $no_catalog && defined $schema && $no_schema && defined $table && $no_table) {
        return [map { [undef, undef, undef, $_, undef] } 'LOCAL TEMPORARY', 'SYSTEM TABLE', 'TABLE', 'VIEW'];
    }
    return 'no';
}

sub column_info {
    my ($dbh, $catalog, $schema, $table, $column) = @_;
    return DBD::SQLite->_inactive($dbh, 'get column info') if !$dbh->{bridge_conn}{active};
    my $found  = DBD::SQLite::Metadata::objects($dbh, $schema, $table) or return;
    my $wanted = DBD::SQLite::Metadata::matcher(defined $column && $column eq '' ? undef : $column);
    my @rows;
    for my $object (
        sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] }
        grep { $_->[2] =~ /^(?:TABLE|VIEW|LOCAL TEMPORARY|SYSTEM TABLE)\z/ } @$found
        )
    {
        my $columns = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'table_info', $object->[1]) or return;
        push @rows, map { _column_row($object, $_) } grep { $wanted->($_->[1]) } @$columns;
    }
    return CPANBridge::Driver::canned($dbh, 'column_info', \@COLUMN, \@rows);
}

sub _column_row {
    my ($object, $column)                                 = @_;
    my ($position, $name, $declared, $not_null, $default) = @$column;
    my ($type, $size, $digits)                            = ($declared, undef, undef);
    if (defined $type && $type =~ /\A(.*?)\s*\(\s*(\d+)(?:\s*,\s*(\d+))?\s*\)/s) {
        ($type, $size, $digits) = ($1, $2, $3)
    }
    my %row = (
        TABLE_SCHEM      => $object->[0], TABLE_NAME => $object->[1], COLUMN_NAME => $name, TYPE_NAME => $type,
        COLUMN_SIZE      => $size,
        DECIMAL_DIGITS   => $digits, NULLABLE => $not_null ? 0 : 1, COLUMN_DEF => $default,
        ORDINAL_POSITION => $position + 1,
        IS_NULLABLE      => $not_null ? 'NO' : 'YES',
    );
    return [@row{@COLUMN}];
}

# --- keys ----------------------------------------------------------------------------------------------------------------------------------

sub primary_key_info {
    my ($dbh, $catalog, $schema, $table) = @_;
    return DBD::SQLite->_inactive($dbh, 'get primary key info') if !$dbh->{bridge_conn}{active};
    my $found  = DBD::SQLite::Metadata::objects($dbh, $schema, $table) or return;
    my $tables = DBD::SQLite::Metadata::in_creation_order($dbh, DBD::SQLite::Metadata::tables_only($found));
    my @rows;
    for my $object (@$tables) {
        my $key = _primary_key($dbh, $object) or return;
        my $name =
            defined $object->[3]
            && $object->[3] =~ /\bconstraint\s+("(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`|'[^']+'|\w+)\s+primary\s+key\b/i
            ? _unquoted($1)
            : 'PRIMARY KEY';
        my $sequence = 0;
        push @rows, map { [undef, @$object[0, 1], $_, ++$sequence, $name] } @$key;
    }
    return CPANBridge::Driver::canned($dbh, 'primary_key_info', \@KEY, \@rows);
}

sub _primary_key {    # its columns, in the order of the key
    my ($dbh, $object) = @_;
    my $columns = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'table_info', $object->[1]) or return;
    return [map { $_->[1] } sort { $a->[5] <=> $b->[5] } grep { $_->[5] } @$columns];
}

sub _unquoted {
    my ($name) = @_;
    return $name if $name !~ /\A(["'`\[])(.*)["'`\]]\z/s;
    my ($quote, $text) = ($1, $2);
    $text =~ s/$quote$quote/$quote/g if $quote ne '[';
    return $text;
}

sub foreign_key_info {
    my ($dbh, $pk_catalog, $pk_schema, $pk_table, $fk_catalog, $fk_schema, $fk_table) = @_;
    return DBD::SQLite->_inactive($dbh, 'get foreign key info') if !$dbh->{bridge_conn}{active};
    my $all    = DBD::SQLite::Metadata::objects($dbh, undef, undef) or return;
    my $tables = DBD::SQLite::Metadata::in_creation_order($dbh, DBD::SQLite::Metadata::tables_only($all));
    my @rows;
    for my $object (@$tables) {
        next
            if defined $fk_schema && lc $fk_schema ne lc $object->[0]
            || defined $fk_table  && lc $fk_table ne lc $object->[1];
        push @rows, @{ _foreign_keys($dbh, $object, $tables, $pk_schema, $pk_table) || return };
    }
    return CPANBridge::Driver::canned($dbh, 'foreign_key_info', \@FOREIGN, \@rows);
}

sub _foreign_keys {
    my ($dbh, $object, $tables, $pk_schema, $pk_table) = @_;
    my $list = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'foreign_key_list', $object->[1]) or return;
    my (%parent, @rows);
    for my $part (@$list) {
        my ($number, $sequence, $name, $from, $to, $on_update, $on_delete) = @$part;
        next if defined $pk_table && lc $pk_table ne lc $name;
        my $parent = $parent{$number} ||= _parent($dbh, $object, $name, $tables, [grep { $_->[0] == $number } @$list]);
        next if defined $pk_schema && (!defined $parent->{schema} || lc $pk_schema ne lc $parent->{schema});
        push @rows, [
            undef, $parent->{schema}, defined $parent->{name} ? $parent->{name} : $name,
            defined $to ? $to : $parent->{key}[$sequence],
            undef, @$object[0, 1], $from, $sequence + 1,
            $DBD::SQLite::db::DBI_code_for_rule{$on_update}, $DBD::SQLite::db::DBI_code_for_rule{$on_delete}, undef,
            undef,
            _deferrability($object->[3], $from, $name), $parent->{kind},
        ];
    }
    return \@rows;
}

sub _parent {    # the table that is referred to: where it is, its primary key, and what the columns referred to are
    my ($dbh, $child, $name, $tables, $parts) = @_;
    my ($object) =
        sort { ($b->[0] eq $child->[0]) <=> ($a->[0] eq $child->[0]) } grep { lc $_->[1] eq lc $name } @$tables;
    return { key => [] } if !$object;
    my $key    = _primary_key($dbh, $object) || [];
    my $wanted = join "\0", sort map { lc } map { defined $_->[4] ? $_->[4] : $key->[$_->[1]] || '' } @$parts;
    my $kind;
    if ($wanted eq join "\0", sort map { lc } @$key) {
        $kind = 'PRIMARY'
    }
    else {
        for my $index (@{ DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'index_list', $object->[1]) || [] }) {
            next if !$index->[2];
            my $columns = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'index_info', $index->[1]) || [];
            $kind = 'UNIQUE' if $wanted eq join "\0", sort map { lc(defined $_->[2] ? $_->[2] : '') } @$columns;
        }
    }
    return { schema => $object->[0], name => $object->[1], key => $key, kind => $kind };
}

# SQLite keeps the clause only in the text of CREATE TABLE: after REFERENCES parent, up to the next comma outside of parentheses.
sub _deferrability {
    my ($sql, $column, $parent) = @_;
    my $code   = \%DBD::SQLite::db::DBI_code_for_rule;
    my $clause = _column_clause($sql, $column, $parent);
    if (!defined $clause) {
        ($clause) = ($sql || '') =~ /\breferences\s+["'`\[]?\Q$parent\E["'`\]]?\s*(?:\([^)]*\))?([^,)]*)/i
    }
    return $code->{'NOT DEFERRABLE'}
        if !defined $clause || $clause !~ /\bdeferrable\b/i || $clause =~ /\bnot\s+deferrable\b/i;
    return $clause =~ /\binitially\s+deferred\b/i ? $code->{'INITIALLY DEFERRED'} : $code->{'INITIALLY IMMEDIATE'};
}

sub _column_clause {    # for a column's own REFERENCES, or FOREIGN KEY (column, ...)
    my ($sql, $column, $parent) = @_;
    my $name = qr/["'`\[]?\Q$column\E["'`\]]?/i;
    my $to   = qr/references\s+["'`\[]?\Q$parent\E["'`\]]?\s*(?:\([^)]*\))?/i;
    for my $regex (
        qr/[(,]\s*$name\b(?:[^,()]|\([^)]*\))*?\b$to([^,)]*)/i,
        qr/foreign\s+key\s*\([^)]*$name[^)]*\)\s*$to([^,)]*)/i
        )
    {
        return $1 if defined $sql && $sql =~ $regex;
    }
    return;
}

sub statistics_info {
    my ($dbh, $catalog, $schema, $table, $unique_only, $quick) = @_;
    return DBD::SQLite->_inactive($dbh, 'get statistics info') if !$dbh->{bridge_conn}{active};
    my $all = DBD::SQLite::Metadata::objects($dbh, $schema, undef) or return;
    my @rows;
    for my $object (@{ DBD::SQLite::Metadata::in_creation_order($dbh, DBD::SQLite::Metadata::tables_only($all)) }) {
        next if defined $table && lc $table ne lc $object->[1];
        my $indexes = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'index_list', $object->[1]) or return;
        for my $index (grep { $_->[2] || !$unique_only } @$indexes) {
            my $columns  = DBD::SQLite::Metadata::pragma($dbh, $object->[0], 'index_info', $index->[1]) or return;
            my $position = 0;
            push @rows,
                map { [
                undef, @$object[0, 1], $index->[2] ? 0 : 1, undef, $index->[1], 'btree', ++$position, $_->[2],
                (undef) x 4
                ] } @$columns;
        }
    }
    return CPANBridge::Driver::canned($dbh, 'statistics_info', \@STATISTICS, \@rows);
}

# --- types and facts -----------------------------------------------------------------------------------------------------------------------

sub type_info_all {
    my $position = 0;
    my %index    = map { $_ => $position++ } @TYPE;
    my @known    = ([undef, 0], ['INTEGER', 4, 2], ['REAL', 8, 1], ['TEXT', 12, 1, q{'}], ['BLOB', 30, 1]);
    my @rows;
    for (@known) {
        my ($name, $code, $nullable, $quote) = @$_;
        my %row = (
            TYPE_NAME      => $name, DATA_TYPE => $code, NULLABLE => $nullable, LITERAL_PREFIX => $quote,
            LITERAL_SUFFIX => $quote,
            SEARCHABLE     => defined $name ? 3 : undef
        );
        push @rows, [@row{@TYPE}];
    }
    return [\%index, @rows];
}

sub get_info {
    my ($dbh, $number) = @_;
    require DBD::SQLite::GetInfo;
    return DBD::SQLite::GetInfo::value($dbh, $number);
}

1;
