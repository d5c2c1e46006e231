package DBD::Pg;

# The DBI driver for PostgreSQL. libpq lives in the bridge's daemon; this side speaks DBI's driver interface and the functions `pg.*` of the
# daemon.
#
# THE MAP
#   this file                  prepare, execute, fetch, do: what every script needs
#   DBD/Pg/Connect.pm          connect, disconnect, data_sources
#   DBD/Pg/Trouble.pm          errors, notices, what rides along with replies
#   DBD/Pg/Placeholders.pm     ?, :name and $1 in the text of a statement; values put into it
#   DBD/Pg/Binding.pm          bind_param and its kin, values with a type, array references
#   DBD/Pg/Quote.pm            quote, by type; reserved words in Words.pm
#   DBD/Pg/Types.pm            the types of PostgreSQL: numbers, names, SQL types; the constants
#   DBD/Pg/Transactions.pm     begin_work, commit, rollback, AutoCommit, savepoints
#   DBD/Pg/Bulk.pm             whole selects in one round trip (for our own DBI)
#   DBD/Pg/Batch.pm            execute_array, execute_for_fetch
#   DBD/Pg/Attributes.pm       reading and writing the rarer attributes
#   DBD/Pg/Status.pm           ping, pg_error_field, pg_notifies, canonical names, last_insert_id
#   DBD/Pg/Copy.pm             COPY, both ways
#   DBD/Pg/Async.pm            queries that are not waited for: pg_async, bridge_pipeline
#   DBD/Pg/LargeObjects.pm     pg_lo_*
#   DBD/Pg/Tables.pm, Keys.pm  table_info, column_info ...; primary_key_info, foreign_key_info, statistics_info
#   DBD/Pg/TypeInfo.pm, GetInfo.pm   type_info_all; get_info
#   DBD/Pg/Trace.pm            flags and output of trace
# All but this file are loaded on first use (@PARTS). What it shares with other drivers - batches of rows, finish, whole selects, tuples - is in
# CPANBridge::Driver, whose head tells the keys of connections and statements. This driver's own ones:
#   OF A CONNECTION
#   tx         state of the transaction, as last reported: 0 none, 1 busy, 2 open, 3 failed, 4 not known (numbers of libpq)
#   begin      what the daemon was told about transactions it has to start by itself (0 no, 1 yes, 2 read only)
#   busy       'in', 'out' (COPY) or 'async': other statements are refused; '' none
#   async      the statement handle (weak) or 1 for a do, while busy is 'async'
#   async_status, facts, params, flags (pg_placeholder_*, what the SQL reader has to know), pipeline
#   OF A STATEMENT
#   bridge_plan    what Placeholders.pm found in the SQL: [ SQL with $1, number of placeholders, how, kind, names ]
#   bridge_sent    the daemon has the SQL
#   bridge_bound_at [which placeholders have a value]; bridge_types [numbers of types], both by index from 0
#   bridge_total   rows of the result, as far as it is known
#   bridge_facts   { types, mods, sizes, tables } of the columns
#   bridge_chop    [numbers of the columns ChopBlanks is about]

use strict;
use warnings;
use CPANBridge::Driver ();

our $VERSION = version::qv('3.16.0');
our ($drh, $installed, @EXPORT, @EXPORT_OK, %EXPORT_TAGS);

# A value for execute that stands for the keyword DEFAULT.
our $DBDPG_DEFAULT = bless {}, 'DBD::Pg::DefaultValue';

# --- what is not loaded at once ------------------------------------------------------------------------------------------

my @PARTS;

BEGIN {
    @PARTS = (
        [Connect      => dr   => 'connect data_sources'],
        [Connect      => db   => 'disconnect data_sources _close'],
        [Trouble      => main => '_inactive _fail _error _extra _new_columns _refuse'],
        [Placeholders => main => '_plan _pieces _filled'],
        [Binding      => st   => 'bind_param bind_param_inout _flatten _unbound'],
        [Binding      => main => '_flat_array _array_text'],
        [Quote        => db   => 'quote quote_identifier'],
        [Quote        => main => '_quoted'],
        [Types        => main => '_import _type _sql_type _constants'],
        [Types        => db   => '+pg_type_info'],
        [Transactions => db => 'begin_work commit rollback _store_autocommit _tell_begin +pg_savepoint +pg_release +pg_rollback_to'],
        [Transactions => main => '_leave_work'],
        [Bulk         => db   => 'bridge_select'],
        [Batch        => main => '_send_batch'],
        [Batch        => st   => 'execute_for_fetch'],
        [Attributes   => db   => '_store _fetch private_attribute_info'],
        [Attributes   => st   => '_store _fetch private_attribute_info'],
        [Status => db => 'ping state +pg_ping +pg_error_field +pg_notifies +getfd last_insert_id +table_attributes'
            . ' +pg_server_trace +pg_server_untrace'],
        [Status => st => 'state cancel last_insert_id +pg_canonical_ids +pg_canonical_names'],
        [Copy   => db => '+pg_putcopydata +pg_putcopyend +pg_getcopydata +pg_getcopydata_async +pg_putline +pg_getline'
            . ' +pg_endcopy putline getline endcopy'],
        [Async  => db => '+pg_ready +pg_result +pg_cancel _do_async _do_queued'],
        [Async  => st => '+pg_ready +pg_result +pg_cancel _execute_async _execute_queued'],
        [LargeObjects => db => '+lo_creat +lo_open +lo_write +lo_read +lo_lseek +lo_tell +lo_truncate +lo_close +lo_unlink'
            . ' +lo_import +lo_import_with_oid +lo_export +lo_lseek64 +lo_tell64 +lo_truncate64'],
        [LargeObjects => st => 'blob_read'],
        [Tables       => db => 'table_info column_info tables'],
        [Keys         => db => 'primary_key_info primary_key foreign_key_info statistics_info'],
        [TypeInfo     => db => 'type_info_all'],
        [GetInfo      => db => 'get_info'],
        [Trace        => main => 'parse_trace_flag parse_trace_flags _traced'],
        [Trace        => $_   => 'parse_trace_flag parse_trace_flags'],
    ) for 'db';
    push @PARTS, [Trace => st => 'parse_trace_flag parse_trace_flags'];
    CPANBridge::Driver::lazy('DBD::Pg', __FILE__, @PARTS);
    our @ISA = ('CPANBridge::Driver');
    @DBD::Pg::st::ISA = ('CPANBridge::Driver::st');
    @EXPORT = qw($DBDPG_DEFAULT PG_ASYNC PG_OLDQUERY_CANCEL PG_OLDQUERY_WAIT PG_BYTEA);
}

sub PG_ASYNC           () { 1 }
sub PG_OLDQUERY_CANCEL () { 2 }
sub PG_OLDQUERY_WAIT   () { 4 }
sub PG_BYTEA           () { 17 }

# `use DBD::Pg` makes the constants of all types known as DBD::Pg::PG_...; `require`, which is what DBI does, leaves them to AUTOLOAD.
sub import {
    my ($class, @want) = @_;
    _constants();
    return _import($class, scalar caller, @want) if @want;
    my $to = caller;
    no strict 'refs';
    *{"${to}::DBDPG_DEFAULT"} = \$DBDPG_DEFAULT;
    *{"${to}::$_"} = \&$_ for grep { /^PG/ } @EXPORT;
    return;
}

sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    return if $name eq 'DESTROY';
    _constants() if $name =~ /^PG_/;
    no strict 'refs';
    goto &$AUTOLOAD if defined &$AUTOLOAD;
    CPANBridge::Driver::croak("Undefined subroutine &$AUTOLOAD called");
}

# --- the driver handle --------------------------------------------------------------------------------------------------------

sub driver {
    return $drh if $drh;
    my ($class) = @_;
    DBI->setup_driver($class)                                          if !"${class}::dr"->isa('DBD::_::dr');
    CPANBridge::Driver::install_methods('DBD::Pg', 'pg_', @PARTS) if !$installed++;
    $drh = DBI::_new_drh("${class}::dr",
        { Name => 'Pg', Version => "$VERSION", Attribution => "DBD::Pg $VERSION by Greg Sabino Mullane and others" });
    return $drh;
}

sub CLONE { undef $drh; return }

# ================================================================================================================================
package DBD::Pg::dr;

our $imp_data_size = 0;

my ($base_store, $base_fetch) = map { DBD::_::common->can($_) } qw(STORE FETCH);    # DBI's own

sub disconnect_all         { return }
sub private_attribute_info { return {} }

# ================================================================================================================================
package DBD::Pg::db;

our $imp_data_size = 0;

# What a statement takes over from its database handle.
my @INHERITED = qw(pg_server_prepare pg_switch_prepared pg_prepare_now pg_placeholder_dollaronly pg_placeholder_nocolons);

sub PLANS_KEPT ()      { 300 }
sub PLAN_KEPT_BYTES () { 4096 }
my (%PLAN, $plans);    # of SQL that was seen before, while nothing unusual was asked for

sub prepare {
    my ($dbh, $sql, $attr) = @_;
    return undef                                                                      if !defined $sql;
    CPANBridge::Driver::croak('Cannot prepare empty statement')                       if $sql eq '';
    CPANBridge::Driver::croak("prepare: attribute parameter '$attr' is not a hash ref") if $attr && ref $attr ne 'HASH';
    my $conn = $dbh->{bridge_conn};
    $sql = "$sql";
    my $special = $attr && grep { /^(?:pg_|bridge_)/ } keys %$attr;
    my $plan    = $special ? DBD::Pg::_plan($conn->{flags}, $sql, $attr) : _known_plan($conn, $sql);
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $sql });
    @$sth{@INHERITED}                                           = @$dbh{@INHERITED};
    @$sth{qw(bridge_conn bridge_plan bridge_params bridge_got)} = ($conn, $plan, $plan->[1], -1);
    $sth->{NAME}          = [];
    $sth->{NUM_OF_PARAMS} = $plan->[1];
    $sth->STORE(NUM_OF_PARAMS => $plan->[1]) if !$DBI::BRIDGE;
    DBD::Pg::st::_prepared($sth, $attr) or return undef if $special || $sth->{pg_prepare_now};
    return $outer;
}

# SQL is read once: [ SQL with $1 ..., number of placeholders, how to send it, kind of placeholders, their names ] (Placeholders.pm)
sub _known_plan {
    my ($conn, $sql) = @_;
    return DBD::Pg::_plan($conn->{flags}, $sql) if $conn->{flags} ne '' || length $sql > PLAN_KEPT_BYTES;
    return $PLAN{$sql} || do {
        if (++$plans > PLANS_KEPT) { %PLAN = (); $plans = 1 }
        $PLAN{$sql} = DBD::Pg::_plan('', $sql);
    };
}

sub do {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::Pg->_inactive($dbh, @binds ? 'execute' : 'do') if !$conn->{active};
    return undef                                               if !defined $sql || $sql eq '';
    return DBD::_::db::do(@_)                                  if @binds && ($dbh->{Callbacks} || $dbh->{RootClass});
    $sql = "$sql";
    my ($values, $opts);
    if (@binds) {
        delete $dbh->{bridge_binds};
        ($sql, $values, $opts) = DBD::Pg::st::_sendable($dbh, _known_plan($conn, $sql), \@binds) or return undef;
    }
    if ($conn->{busy} || $conn->{pipeline} || $attr && %$attr) {    # asynchronous, in the middle of a COPY, ...
        my ($over, $count) = _do_otherwise($dbh, $attr, $sql, $values, $opts);
        return $count if $over;
    }
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request('pg.do', [$conn->{id}, $sql, $values, $opts]) };
        $error = $@ if !$reply;
    }
    if (!$reply) { $dbh->{bridge_binds} = \@binds if @binds; return DBD::Pg->_fail($dbh, $error) }
    my ($count, undef, $extra) = @$reply;
    DBD::Pg->_extra($conn, $extra) if $extra;
    DBD::Pg::_leave_work($dbh)     if $conn->{begun} && !$conn->{tx};
    return -1                      if $extra && $extra->{copy};
    return !defined $count ? undef : $count > 0 ? $count : '0E0';
}

# --- attributes -----------------------------------------------------------------------------------------------------------------

sub STORE {
    my ($dbh, $name, $value) = @_;
    return !$value == !$dbh->{AutoCommit} || _store_autocommit($dbh, $value) if $name eq 'AutoCommit';
    return _store($dbh, $name, $value)
        if $name =~ /^(?:pg_|bridge_|ReadOnly\z|RowCacheSize\z|dbd_verbose\z)/;
    goto &$base_store;
}

sub FETCH {
    my ($dbh, $name) = @_;
    return $dbh->{AutoCommit}  if $name eq 'AutoCommit';
    return _fetch($dbh, $name) if $name =~ /^(?:pg_|bridge_|RowCacheSize\z|ParamValues\z|dbd_verbose\z)/;
    goto &$base_fetch;
}

# --- the end of a connection ----------------------------------------------------------------------------------------------------

sub DESTROY {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->STORE(Active => 0);
    return if !$conn || !$conn->{active};
    my $ending = defined ${^GLOBAL_PHASE} && ${^GLOBAL_PHASE} eq 'DESTRUCT';
    my $mine   = CPANBridge::Driver::mine($conn) && !$dbh->FETCH('InactiveDestroy');
    if ($mine && !$ending && !$dbh->{AutoCommit} && $conn->{tx} && $dbh->FETCH('Executed') && $dbh->FETCH('Warn')) {
        CPANBridge::Driver::warning(
            'Issuing rollback() due to DESTROY without explicit disconnect() of DBD::Pg::db handle ' . $dbh->{Name});
    }
    _close($conn) if $mine;
    $conn->{active} = 0;
    return;
}

# ================================================================================================================================
package DBD::Pg::st;

our $imp_data_size = 0;

{
    no strict 'refs';
    *$_ = \&{"CPANBridge::Driver::st::$_"} for qw(_mode _arrived _ask_ahead _drop_reply _waiting);
}

my $SIMPLE = { how => 's' };

# What goes to the daemon for these values: SQL, values, options. Nothing when there is an error, which is set.
sub _sendable {
    my ($h, $plan, $binds) = @_;
    my ($text, $n, $how) = @$plan;
    return _wrong_count($h, scalar @$binds, $n)   if @$binds != $n;
    _flatten($binds) or $how = 'fill'             if grep { ref } @$binds;
    $how = 'fill'                                 if $how eq '' && !$h->{pg_server_prepare};
    return ($text, $binds)                        if $how eq '';
    return ($how eq 'fill' ? DBD::Pg::_filled($h, $plan, $binds) : $text, undef, $SIMPLE);
}

sub _wrong_count {
    my ($h, $count, $needed) = @_;
    $h->set_err(-1, "called with $count bind variables when $needed are needed", '00000');
    return;
}

sub execute {
    my $sth  = shift;
    my $conn = $sth->{bridge_conn};
    return DBD::Pg->_inactive($sth, 'execute') if !$conn->{active};
    my ($plan, $n) = @$sth{qw(bridge_plan bridge_params)};
    my $values;
    if (@_) {
        if (@_ != $n) { _wrong_count($sth, scalar @_, $n); return undef }
        $values = $sth->{bridge_binds} = [@_];
        delete $sth->{bridge_unbound};
    }
    elsif ($n) {
        $values = $sth->{bridge_binds};
        return _unbound($sth) if !$values || $sth->{bridge_unbound};
    }
    my ($text, $opts) = ($plan->[0], $sth->{bridge_opts});
    if ($plan->[2] eq '' && $sth->{pg_server_prepare} && $sth->{pg_switch_prepared} == 2 && !$sth->{bridge_inout} && !grep { ref } @$values) {
        $text = undef if $sth->{bridge_sent};
    }
    elsif (!$n && !$opts) { $opts = $SIMPLE; $text = undef if $sth->{bridge_sent} }
    else                  { ($text, $values, $opts) = _otherwise($sth) or return undef }
    my $session = $conn->{session};
    _drop_reply($sth, $session) if $sth->{bridge_seq} || $sth->{bridge_reply};
    my $id = $sth->{bridge_id} ||= CPANBridge::Driver::next_id();
    if ($conn->{busy} || $conn->{pipeline} || $sth->{pg_async}) {
        my ($over, $count) = _execute_otherwise($sth, $conn, $text, $values, $opts);
        return $count if $over;
    }
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            $session->request('pg.execute', [$conn->{id}, $id, $text, $values, _mode($sth), undef, $opts]);
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { delete $sth->{bridge_sent}; return DBD::Pg->_fail($sth, $error) }
    $sth->{bridge_sent} = 1 if defined $text && $text eq $plan->[0];
    return _result($sth, $conn, $reply);
}

# The reply to `execute` (or, for what was asynchronous, to `result`): what execute returns.
sub _result {
    my ($sth, $conn, $reply) = @_;
    my ($count, $done, $rows, $extra) = @$reply;
    if ($extra) {
        DBD::Pg->_extra($conn, $extra);
        $sth->{bridge_cmd} = $extra->{cmd}                                if defined $extra->{cmd};
        DBD::Pg->_new_columns($sth, $extra->{columns}, $extra)            if $extra->{columns};
    }
    DBD::Pg::_leave_work($conn->{dbh}) if $conn->{begun} && !$conn->{tx};
    if (!@{ $sth->{NAME} }) {
        @$sth{qw(bridge_got bridge_done)} = ($extra && $extra->{copy} ? -1 : $count > 0 ? $count : 0, undef);
        return $sth->{bridge_got} || '0E0';
    }
    @$sth{qw(bridge_done bridge_got bridge_total)} = ($done, 0, $count < 0 ? undef : $count);
    _ask_ahead($sth, $conn->{session}) if !$done;
    _arrived($sth, $rows)              if $rows;
    if ($DBI::BRIDGE) { $sth->{Active} = 1 }
    else              { $sth->STORE(Active => 1) }
    _bind_inout($sth)                          if $sth->{bridge_inout};
    return $count || '0E0'                     if $count >= 0;
    return _is_looked_at() ? $sth->rows : -1;
}

# Whether the script looks at what execute returns. How many rows a large result has is known when all of it was read.
sub _is_looked_at {
    my $depth = 1;
    while (my ($package, undef, undef, undef, undef, $wants) = caller $depth++) {
        next if $package =~ /^DB[ID]::/ && $package !~ /^DBD::_::/ || $package eq 'DBI';
        return $package !~ /^DBD::_::/ && defined $wants;
    }
    return 0;
}

sub rows {
    my ($sth) = @_;
    my ($total, $done, $conn) = @$sth{qw(bridge_total bridge_done bridge_conn)};
    return $sth->{bridge_got} if !@{ $sth->{NAME} };
    return $total             if defined $total;
    return $sth->{bridge_total} = $sth->{bridge_got} if $done || !$conn->{active};
    my $reply = CPANBridge::Driver::call($sth, 'rows', $sth->{bridge_id}) or return -1;
    return $sth->{bridge_total} = $reply->[0];
}

sub fetch {
    my ($sth) = @_;
    if (!$sth->FETCH('Active')) { $sth->set_err(6, 'no statement executing', '00000'); return }
    goto &CPANBridge::Driver::st::fetch;
}

{ no warnings 'once'; *fetchrow_arrayref = \&fetch }

sub STORE {
    my ($sth, $name, $value) = @_;
    return _store($sth, $name, $value) if $name =~ /^(?:pg_|bridge_)/;
    goto &CPANBridge::Driver::st::STORE;
}

sub FETCH {
    my ($sth, $name) = @_;
    return _fetch($sth, $name)
        if $name =~ /^(?:pg_\w+|TYPE|NULLABLE|PRECISION|SCALE|ParamValues|ParamTypes|CursorName|RowsInCache|NUM_OF_FIELDS)\z/;
    return $sth->{bridge_got} < 0 && !defined $sth->{bridge_done} ? undef : $sth->{NAME} if $name eq 'NAME';
    goto &$base_fetch;
}

1;
