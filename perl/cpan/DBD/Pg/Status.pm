package DBD::Pg::Status;

# How the connection is, what went wrong last, notifications, sequences, and where columns come from.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::db;

# --- is it alive -------------------------------------------------------------------------------------------------------------------

sub ping { my ($dbh) = @_; my $state = pg_ping($dbh); return $state > 0 ? $state : 0 }

sub pg_ping {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return -1 if !$conn->{active};
    return -2 if !CPANBridge::Driver::mine($conn) && !$conn->{session}{lost};
    return -3 if defined $conn->{fd} && !-e "/proc/self/fd/$conn->{fd}";    # pg_socket was closed by the script
    local $@;
    my $reply = eval { $conn->{session}->request('pg.ping', [$conn->{id}]) };
    return defined $reply && defined $reply->[0] ? $reply->[0] : -3;
}

# --- the last error -----------------------------------------------------------------------------------------------------------------

my %FIELD = (
    severity_nonlocalized => 'severity_nonlocal', severity_nonlocal => 'severity_nonlocal', sqlstate => 'state',
    message_primary       => 'primary', message_detail => 'detail', message_hint => 'hint', schema_name => 'schema',
    table_name            => 'table',
    column_name           => 'column', datatype_name => 'type', datatype => 'type', constraint_name => 'constraint',
    map { $_ => $_ } qw(
        severity state primary detail hint statement_position internal_position internal_query context schema table column type
        constraint source_file source_line source_function)
);

sub pg_error_field {
    my ($dbh, $name) = @_;
    CPANBridge::Driver::croak('Usage: DBD::Pg::db::pg_error_field(dbh, fieldname)') if @_ < 2;
    (my $field = lc(defined $name ? $name : '')) =~ s/\Apg_diag_//;
    if (!$FIELD{$field}) { $dbh->set_err(7, 'Invalid error field', '00000'); return undef }
    my $conn = $dbh->{bridge_conn};
    return undef if !$conn->{active};
    my $reply = CPANBridge::Driver::call($dbh, 'error_fields', $conn->{id}) or return undef;
    return $reply->[0] ? $reply->[0]{ $FIELD{$field} } : undef;
}

# --- notifications ------------------------------------------------------------------------------------------------------------------

sub pg_notifies {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::Pg->_inactive($dbh, 'notices') if !$conn->{active};
    my $waiting = $conn->{notifies} ||= [];
    if (!@$waiting) { @$waiting = @{ CPANBridge::Driver::call($dbh, 'notifies', $conn->{id}) || return undef } }
    return shift @$waiting;
}

sub getfd { my ($dbh) = @_; return $dbh->FETCH('pg_socket') }

sub pg_server_trace {
    my ($dbh, $handle) = @_;
    CPANBridge::Driver::croak("Bad filehandle: $handle") if !defined eval { fileno $handle };
    $dbh->set_err(7, 'pg_server_trace is not available: the connection belongs to the daemon', '0A000');
    return undef;
}

sub pg_server_untrace { return }

# --- sequences ----------------------------------------------------------------------------------------------------------------------

sub last_insert_id {
    my ($dbh, $catalog, $schema, $table, $column, $attr) = @_;
    my $sequence = defined $attr && !ref $attr && $attr ne '' ? $attr : undef;
    if (ref $attr) {
        return _lii_error($dbh, 'last_insert_id must be passed a hashref as the final argument') if ref $attr ne 'HASH';
        $sequence = $attr->{sequence} if defined $attr->{sequence} && $attr->{sequence} ne '';
    }
    if (!defined $sequence) {
        return _lii_error($dbh, 'last_insert_id needs at least a sequence or table name')
            if !defined $table || $table eq '';
        my $cache = $dbh->{bridge_conn}{sequences} ||= {};
        my $key   = join '.', defined $schema ? $schema : '', $table;
        my $keep  = !ref $attr || !exists $attr->{pg_cache} || $attr->{pg_cache};
        $sequence = $keep && $cache->{$key} || _sequence_of($dbh, $schema, $table);
        return undef if !defined $sequence;
        $cache->{$key} = $sequence;
    }
    my $rows = DBD::Pg::_rows($dbh, 'SELECT pg_catalog.currval($1)', $sequence) or return undef;
    return $rows->[0][0];
}

sub _lii_error { my ($dbh, $text) = @_; $dbh->set_err(1, $text); return undef }

# The sequence behind a table's key: of a primary key rather than another unique column, of the table itself rather than one it inherits from.
sub _sequence_of {
    my ($dbh, $schema, $table) = @_;
    require DBD::Pg::Keys;
    my $oid = DBD::Pg::Keys::table_oid($dbh, $schema, $table);
    if (!defined $oid) {
        return undef if $dbh->err;
        return _lii_error(
            $dbh,
            qq{Could not find the table "$table"}
                . (defined $schema && $schema ne '' ? qq{ in the schema "$schema"} : '')
        );
    }
    my $rows = DBD::Pg::_rows(
        $dbh,
"WITH RECURSIVE up(rel, path) AS (SELECT $oid\::oid, ARRAY[0] UNION ALL SELECT h.inhparent, up.path || h.inhseqno"
            . ' FROM pg_catalog.pg_inherits h JOIN up ON h.inhrelid = up.rel),'
            . ' uses(seq, rel, num) AS (SELECT d.refobjid, f.adrelid, f.adnum FROM pg_catalog.pg_depend d'
            . q{ JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass}
            . q{ AND d.refclassid = 'pg_catalog.pg_class'::regclass UNION SELECT d.objid, d.refobjid, d.refobjsubid}
            . q{ FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass}
            . q{ AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i' AND d.refobjsubid > 0)}
            . q{ SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.relname) FROM up}
            . ' JOIN pg_catalog.pg_index i ON i.indrelid = up.rel AND i.indisunique'
            . ' JOIN uses ON uses.rel = up.rel AND uses.num = ANY (i.indkey::int2[])'
            . q{ JOIN pg_catalog.pg_class s ON s.oid = uses.seq AND s.relkind = 'S'}
            . ' JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace'
            . ' ORDER BY pg_catalog.array_length(up.path, 1), up.path, i.indisprimary DESC, uses.num LIMIT 1'
    ) or return undef;
    return $rows->[0][0] if @$rows;
    return _lii_error($dbh, qq{No suitable column found for last_insert_id of table "$table"\n});
}

# --- older ways ---------------------------------------------------------------------------------------------------------------------

sub table_attributes {
    my ($dbh, $table) = @_;
    my $sth = $dbh->column_info('', '', $table, '') or return;
    my %key = map { $_ => 1 } $dbh->primary_key('', '', $table);
    return [
        map { {
            NAME => $_->{COLUMN_NAME}, TYPE => $_->{DATA_TYPE}, SIZE => $_->{COLUMN_SIZE}, NULLABLE => $_->{NULLABLE},
            NOTNULL => $_->{NULLABLE} ? 0 : 1, DEFAULT => $_->{COLUMN_DEF}, CONSTRAINT => $_->{pg_constraint},
            REMARKS => $_->{REMARKS}, PRIMARY_KEY => $key{ $_->{COLUMN_NAME} } ? 1 : 0,
        } } @{ $sth->fetchall_arrayref({}) }
    ];
}

package DBD::Pg::st;

sub last_insert_id {
    my ($sth, @args) = @_;
    return DBD::Pg::db::last_insert_id($sth->{Database}, @args);
}

# What runs now is told to stop: to be called by a signal handler, while execute waits.
sub cancel {
    my ($sth)   = @_;
    my $conn    = $sth->{bridge_conn};
    my $session = $conn->{session};
    return if !$conn->{active} || !$session->{busy} || $session->{doing} !~ /\Apg\./;
    return send(
        $session->{fh}, pack('NCN', 5, $CPANBridge::Session::CANCEL, $session->{busy}),
        $CPANBridge::Session::SEND_FLAGS
    ) ? 1 : undef;
}

sub pg_canonical_ids {    # [number of the table, number of the column] of each column that comes straight from a table
    my ($sth) = @_;
    return [map { $_->[0] && $_->[1] > 0 ? [@$_] : undef } @{ _facts($sth, 'tables') }];
}

sub pg_canonical_names {
    my ($sth) = @_;
    my $ids   = pg_canonical_ids($sth);
    my @known = grep { $_ } @$ids or return [map { undef } @$ids];
    my $list  = join ',', map { '(' . (0 + $_->[0]) . ',' . (0 + $_->[1]) . ')' } @known;
    my $rows  = DBD::Pg::_rows(
        $sth->{Database},
        'SELECT a.attrelid, a.attnum, n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute a'
            . ' JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace'
            . " WHERE (a.attrelid, a.attnum) IN ($list)"
    ) or return;
    my %name = map { ("$_->[0].$_->[1]" => join '.', @$_[2 .. 4]) } @$rows;
    return [map { $_ ? $name{"$_->[0].$_->[1]"} : undef } @$ids];
}

1;
