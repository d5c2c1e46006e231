package DBD::Pg;

# The DBI driver for PostgreSQL. libpq lives in the bridge's daemon; this side speaks DBI's driver interface and the functions `pg.*` of the
# daemon.
#
# THE MAP
#   this file                  connect, prepare, execute, fetch, do, disconnect: what every script needs
#   DBD/Pg/Sources.pm          data_sources
#   DBD/Pg/Trouble.pm          errors, notices, what rides along with replies
#   DBD/Pg/Placeholders.pm     ?, :name and $1 in the text of a statement; values put into it
#   DBD/Pg/Reader.pm           SQL that has to be read to find them: strings, comments, dollar quotes
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
        [Sources      => dr   => 'data_sources'],
        [Sources      => db   => 'data_sources'],
        [Trouble      => main => '_inactive _fail _error _rarer_extra _other_columns _look_at_params'],
        [Placeholders => main => '_plan _pieces _filled'],
        [Reader       => main => '_read'],
        [Binding      => main => '_flat_array'],
        [
            Binding => st =>
                'bind_param bind_param_array bind_param_inout _flatten _unbound _otherwise _prepared _bind_inout'
        ],
        [Quote        => main => '_quoted'],
        [Quote        => db   => 'quote quote_identifier'],
        [Types        => main => '_import _type _sql_type _constants'],
        [Types        => db   => '+pg_type_info'],
        [Transactions => main => '_leave_work'],
        [
            Transactions => db =>
                'begin_work commit rollback _store_autocommit _tell_begin +pg_savepoint +pg_release +pg_rollback_to'
        ],
        [Bulk       => main => '_rows'],
        [Bulk       => db   => 'bridge_select'],
        [Batch      => main => '_send_batch'],
        [Batch      => st   => 'execute_for_fetch'],
        [Attributes => db   => '_store _fetch _errorlevel private_attribute_info'],
        [Attributes => st   => '_store _fetch _facts private_attribute_info'],
        [
            Status => db => 'ping +pg_ping +pg_error_field +pg_notifies getfd last_insert_id table_attributes'
                . ' +pg_server_trace +pg_server_untrace'
        ],
        [Status => st => 'cancel last_insert_id +pg_canonical_ids +pg_canonical_names'],
        [
            Copy => db => '+pg_putcopydata +pg_putcopyend +pg_getcopydata +pg_getcopydata_async +pg_putline +pg_getline'
                . ' +pg_endcopy putline getline endcopy'
        ],
        [Async => main => '_make_room _refuse _end_async _pipeline _sync _sync_or_warn'],
        [Async => db   => '+pg_ready +pg_result +pg_cancel _do_otherwise'],
        [Async => st   => '+pg_ready +pg_result +pg_cancel _execute_otherwise'],
        [
            LargeObjects => db =>
                '+lo_creat +lo_open +lo_write +lo_read +lo_lseek +lo_tell +lo_truncate +lo_close +lo_unlink'
                . ' +lo_import +lo_import_with_oid +lo_export +lo_lseek64 +lo_tell64 +lo_truncate64'
        ],
        [LargeObjects => st   => 'blob_read'],
        [Tables       => db   => 'table_info column_info tables'],
        [Keys         => db   => 'primary_key_info primary_key foreign_key_info statistics_info'],
        [TypeInfo     => db   => 'type_info_all'],
        [GetInfo      => db   => 'get_info'],
        [Trace        => main => 'parse_trace_flag parse_trace_flags _traced'],
        [Trace        => db   => 'parse_trace_flag'],
        [Trace        => st   => 'parse_trace_flag'],
    );
    CPANBridge::Driver::lazy('DBD::Pg', __FILE__, @PARTS);
    our @ISA = ('CPANBridge::Driver');
    @DBD::Pg::st::ISA = ('CPANBridge::Driver::st');
    @EXPORT           = qw($DBDPG_DEFAULT PG_ASYNC PG_OLDQUERY_CANCEL PG_OLDQUERY_WAIT PG_BYTEA);
}

sub PG_ASYNC ()           { 1 }
sub PG_OLDQUERY_CANCEL () { 2 }
sub PG_OLDQUERY_WAIT ()   { 4 }
sub PG_BYTEA ()           { 17 }

# `use DBD::Pg` makes the constants of all types known as DBD::Pg::PG_...; `require`, which is what DBI does, leaves them to AUTOLOAD.
sub import {
    my ($class, @want) = @_;
    _constants();
    return _import($class, scalar caller, @want) if @want;
    my $to = caller;
    no strict 'refs';
    *{"${to}::DBDPG_DEFAULT"} = \$DBDPG_DEFAULT;
    *{"${to}::$_"}            = \&$_ for grep { /^PG/ } @EXPORT;
    return;
}

sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    return       if $name eq 'DESTROY';
    _constants() if $name =~ /^PG_/;
    no strict 'refs';
    goto &$AUTOLOAD if defined &$AUTOLOAD;
    CPANBridge::Driver::croak("Undefined subroutine &$AUTOLOAD called");
}

# --- the driver handle --------------------------------------------------------------------------------------------------------

sub driver {
    return $drh if $drh;
    my ($class) = @_;
    DBI->setup_driver($class)                                     if !"${class}::dr"->isa('DBD::_::dr');
    CPANBridge::Driver::install_methods('DBD::Pg', 'pg_', @PARTS) if !$installed++;
    $drh = DBI::_new_drh(
        "${class}::dr",
        { Name => 'Pg', Version => "$VERSION", Attribution => "DBD::Pg $VERSION by Greg Sabino Mullane and others" }
    );
    return $drh;
}

sub CLONE { undef $drh; return }

# --- what rides along with replies -----------------------------------------------------------------------------------------------

sub _extra {
    my ($driver, $conn, $extra) = @_;
    $conn->{tx} = $extra->{tx} if defined $extra->{tx};
    _rarer_extra($conn, $extra) if $extra->{warn} || $extra->{params} || $extra->{copy};
    return;
}

# Types whose values are never array references. (Types of the user's own may be arrays.)
my %SCALAR = map { $_ => 1 } 16 .. 30, 114, 142, 600 .. 604, 628, 650, 700, 701, 705, 718, 774, 790, 829, 869, 1042,
    1043, 1082,
    1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700, 2205, 2950, 3802;

# The first execute told the columns, or they have changed.
sub _new_columns {
    my ($driver, $sth, $columns, $extra) = @_;
    _other_columns($sth, $columns) if $sth->{bridge_facts} || !$DBI::BRIDGE;
    $sth->{bridge_facts} = $extra;
    my $types = $extra->{types};
    $sth->{bridge_chop}   = [grep { $types->[$_] == 1042 } 0 .. $#$types];    # character(n)
    $sth->{bridge_nested} = grep { !$SCALAR{$_} } @$types;
    $sth->{NUM_OF_FIELDS} = @$columns if $DBI::BRIDGE;
    $sth->{NAME}          = $columns;
    return;
}

# ================================================================================================================================
package DBD::Pg::dr;

our $imp_data_size = 0;

my ($base_store, $base_fetch) = map { DBD::_::common->can($_) } qw(STORE FETCH);    # DBI's own

# Attributes of a new database handle, before connect's own are stored
my %DEFAULT = (
    pg_bool_tf                => 0, pg_enable_utf8          => -1,      pg_errorlevel  => 1, pg_expand_array   => 1,
    pg_placeholder_dollaronly => 0, pg_placeholder_nocolons => 0,       pg_prepare_now => 0, pg_server_prepare => 1,
    pg_switch_prepared        => 2, pg_INV_READ             => 0x40000, pg_INV_WRITE   => 0x20000, pg_protocol => 3,
);

my %OPTION = (
    pg_enable_utf8 => 'utf8', pg_bool_tf => 'bool_tf', pg_expand_array => 'expand_array',
    pg_errorlevel  => 'errorlevel'
);

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    $attr ||= {};
    my $name = _name(_own_words(defined $dsn ? $dsn : '', $attr));
    my ($outer, $dbh) = DBI::_new_dbh($drh, { Name => $name });
    @$dbh{ keys %DEFAULT } = values %DEFAULT;
    my $conn = CPANBridge::Driver::connection(
        'DBD::Pg', 'pg', $dbh, tx => 0, begin => 0, busy => '', flags => '',
        params => {}
    );
    my %options = map { $OPTION{$_} => $attr->{$_} } grep { defined $attr->{$_} } keys %OPTION;
    $options{errorlevel} = DBD::Pg::db::_errorlevel($options{errorlevel}) if defined $options{errorlevel};
    $options{pool}       = $attr->{bridge_pool} ? 1 : 0                   if defined $attr->{bridge_pool};
    $options{env} = { map { $_ => $ENV{$_} } grep { /^PG|^HOME\z/ && defined $ENV{$_} } keys %ENV };    # as it is now
    my %login = (conninfo => _conninfo($name));
    $login{user}     = "$user" if defined $user && length $user;
    $login{password} = "$auth" if defined $auth && length $auth;
    DBD::Pg::_traced($drh, login => $login{conninfo}) if $DBI::WATCH;
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            $conn->{session} = CPANBridge->session;
            $conn->{session}->request('pg.connect', [$conn->{id}, \%login, \%options]);
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { DBD::Pg->_fail($drh, $error); return }
    DBD::Pg::_traced($drh, 'connected') if $DBI::WATCH;
    my $facts = $conn->{facts} = $reply->[0];
    $conn->{params}       = { %{ $facts->{params} || {} } };
    $conn->{tx}           = $facts->{tx} || 0;
    $dbh->{bridge_conn}   = $conn;
    $dbh->{AutoCommit}    = 1;
    $dbh->{private_dbdpg} = { version => $facts->{server_version} };
    $dbh->{bridge_pass}   = sub { return $auth };                      # not where a dump would show it
    DBD::Pg::_extra('DBD::Pg', $conn, { warn => $facts->{warn} }) if $facts->{warn};
    DBD::Pg::_look_at_params($conn) if ($conn->{params}{standard_conforming_strings} || '') eq 'off';
    if ($DBI::BRIDGE) { $dbh->{Active} = 1 }
    else { $dbh->STORE(Active => 1) }
    return $outer;
}

# bridge_pool=0 and the like in a data source are attributes.
sub _own_words {
    my ($dsn, $attr) = @_;
    $attr->{$1} = $2 while $dsn =~ s/(?:\A|[;\s&?])\s*(bridge_\w+)\s*=\s*(\w*)//;
    return $dsn;
}

# The data source with libpq's names: db= and database= are dbname=, double quotes around a value are single ones.
sub _name {
    my ($dsn) = @_;
    $dsn =~ s/(?<![A-Za-z0-9_])(?:db|database)(\s*=)/dbname$1/g if $dsn !~ m{\Apostgres(?:ql)?://};
    $dsn =~ s/"/'/g                                             if $dsn !~ m{\Apostgres(?:ql)?://};
    return $dsn;
}

sub _conninfo {    # semicolons outside of quotes are blanks to libpq
    my ($name) = @_;
    return $name if $name =~ m{\Apostgres(?:ql)?://};
    my $text = '';
    while ($name =~ /\G('(?:[^'\\]|\\.)*'?|\\.|[^';\\]+|;|\\)/gcs) { $text .= $1 eq ';' ? ' ' : $1 }
    return $text;
}

# At the end of the script (DBI calls this) handles are left to their destructors, but what was queued is waited for.
sub disconnect_all {
    my ($drh) = @_;
    my @kids = $DBI::BRIDGE ? @{ $drh->{bridge_kids} || [] } : map { $_ && tied %$_ } @{ $drh->FETCH('ChildHandles') || [] };
    for my $dbh (grep { $_ && $_->{bridge_conn} && $_->{bridge_conn}{queued} } @kids) {
        DBD::Pg::_sync_or_warn($dbh) if CPANBridge::Driver::mine($dbh->{bridge_conn});
    }
    return;
}
sub private_attribute_info { return {} }

# ================================================================================================================================
package DBD::Pg::db;

our $imp_data_size = 0;

# What a statement takes over from its database handle.
my @INHERITED =
    qw(pg_server_prepare pg_switch_prepared pg_prepare_now pg_placeholder_dollaronly pg_placeholder_nocolons);

sub PLANS_KEPT ()      { 300 }
sub PLAN_KEPT_BYTES () { 4096 }
my (%PLAN, $plans);    # of SQL that was seen before, while nothing unusual was asked for

sub prepare {
    my ($dbh, $sql, $attr) = @_;
    return undef                                                                        if !defined $sql;
    CPANBridge::Driver::croak('Cannot prepare empty statement')                         if $sql eq '';
    CPANBridge::Driver::croak("prepare: attribute parameter '$attr' is not a hash ref") if $attr && ref $attr ne 'HASH';
    my $conn = $dbh->{bridge_conn};
    $sql = "$sql";
    delete $dbh->{bridge_binds} if $dbh->{bridge_binds};    # those of a do that failed
    my $special = $attr && grep { /^(?:pg_|bridge_)/ } keys %$attr;
    my $plan    = $special ? DBD::Pg::_plan($conn->{flags}, $sql, $attr) : _known_plan($conn, $sql);
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $sql });
    @$sth{@INHERITED}                                           = @$dbh{@INHERITED};
    @$sth{qw(bridge_conn bridge_plan bridge_params bridge_got)} = ($conn, $plan, $plan->[1], -1);
    $sth->{NAME}                                                = [];
    $sth->{NUM_OF_PARAMS}                                       = $plan->[1];
    $sth->STORE(NUM_OF_PARAMS => $plan->[1])            if !$DBI::BRIDGE;
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
    delete $dbh->{bridge_binds} if $dbh->{bridge_binds};

    if (@binds) {
        ($sql, $values, $opts) = DBD::Pg::st::_sendable($dbh, _known_plan($conn, $sql), \@binds) or return undef;
    }
    if ($conn->{busy} || $conn->{pipeline} || $attr && %$attr) {    # asynchronous, in the middle of a COPY, ...
        my ($over, $count) = _do_otherwise($dbh, $attr, $sql, $values, $opts);
        return $count if $over;
    }
    my ($reply, $error);
    DBD::Pg::_traced($dbh, sql => $sql) if $DBI::WATCH || $dbh->{bridge_watch};
    {
        local $@;
        $reply = eval { $conn->{session}->request('pg.do', [$conn->{id}, $sql, $values, $opts]) };
        $error = $@ if !$reply;
    }
    if (!$reply) { $dbh->{bridge_binds} = \@binds if @binds; return DBD::Pg->_fail($dbh, $error) }
    my ($count, undef, $extra) = @$reply;
    DBD::Pg->_extra($conn, $extra) if $extra;
    return -1                      if $extra         && $extra->{copy};
    DBD::Pg::_leave_work($dbh)     if $conn->{begun} && !$conn->{tx};
    return !defined $count ? undef : $count > 0 ? $count : '0E0';
}

# --- attributes -----------------------------------------------------------------------------------------------------------------

sub STORE {
    my ($dbh, $name, $value) = @_;
    return !$value == !$dbh->{AutoCommit} || _store_autocommit($dbh, $value) if $name eq 'AutoCommit';
    if ($DBI::BRIDGE && $name =~ /^(?:Username|dbi_connect_closure)\z/) {
        $dbh->{$name} = $value;
        return 1
    }    # connect's, each time
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

sub disconnect {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 1 if !$conn || !$conn->{active};
    my $kids = $DBI::BRIDGE ? grep { $_ && $_->{Active} } @{ $dbh->{bridge_kids} || [] } : $dbh->FETCH('ActiveKids');
    if ($kids && $dbh->FETCH('Warn')) {
        my $handle = $DBI::BRIDGE ? DBI::Bridge::outer($dbh) : $dbh;
        CPANBridge::Driver::warning(
            sprintf '%s->disconnect invalidates %d active statement handle%s '
                . '(either destroy statement handles or call finish on them before disconnecting)', $handle, $kids,
            $kids == 1 ? '' : 's'
        );
    }
    my $ok = !$conn->{queued} || !CPANBridge::Driver::mine($conn) || DBD::Pg::_sync($dbh);
    _close($conn);
    $dbh->STORE(Active => 0);
    DBD::Pg::_traced($dbh, 'disconnected') if $DBI::WATCH;
    return $ok ? 1 : '';
}

sub _close {    # an open transaction is rolled back by it
    my ($conn) = @_;
    $conn->{active} = 0;
    @$conn{qw(tx busy)} = (0, '');
    POSIX::close(delete $conn->{fd})                       if defined $conn->{fd};
    $conn->{session}->oneway('pg.close', [$conn->{id}], 1) if $conn->{session} && CPANBridge::Driver::mine($conn);
    return;
}

sub DESTROY {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->STORE(Active => 0);
    return if !$conn || !$conn->{active};
    my $ending = defined ${^GLOBAL_PHASE}        && ${^GLOBAL_PHASE} eq 'DESTRUCT';
    my $mine   = CPANBridge::Driver::mine($conn) && !$dbh->FETCH('InactiveDestroy');
    if (   $mine
        && !$ending
        && !$dbh->{AutoCommit}
        && $conn->{tx}
        && $conn->{tx} < 4
        && $dbh->FETCH('Executed')
        && $dbh->FETCH('Warn'))
    {
        CPANBridge::Driver::warning(
            'Issuing rollback() due to DESTROY without explicit disconnect() of DBD::Pg::db handle ' . $dbh->{Name});
    }
    DBD::Pg::_sync_or_warn($dbh) if $mine && $conn->{queued};
    _close($conn)                if $mine;
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
    my ($h,    $plan, $binds) = @_;
    my ($text, $n,    $how)   = @$plan;
    return _wrong_count($h, scalar @$binds, $n) if @$binds != $n;
    _flatten($binds) or $how = 'fill' if grep { ref } @$binds;
    $how = 'fill' if $how eq '' && !$h->{pg_server_prepare};
    return ($text, $binds) if $how eq '';
    return ($how eq 'fill' ? DBD::Pg::_filled($h, $plan, $binds) : $text, undef, $SIMPLE);
}

sub _wrong_count {
    my ($h, $count, $needed) = @_;
    $h->set_err(-1, "called with $count bind variables when $needed are needed");
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
    if (   $plan->[2] eq ''
        && $sth->{pg_server_prepare}
        && $sth->{pg_switch_prepared} == 2
        && !$sth->{bridge_inout}
        && !grep { ref } @$values)
    {
        $text = undef if $sth->{bridge_sent};
    }
    elsif (!$n && !$opts) {
        return _again($sth) if $sth->{bridge_canned};
        $opts = $SIMPLE;
        $text = undef if $sth->{bridge_sent};
    }
    else { ($text, $values, $opts) = _otherwise($sth) or return undef }
    my $session = $conn->{session};
    _drop_reply($sth, $session) if $sth->{bridge_seq} || $sth->{bridge_reply};
    my $id = $sth->{bridge_id} ||= CPANBridge::Driver::next_id();
    if ($conn->{busy} || $conn->{pipeline} || $sth->{pg_async}) {
        my ($over, $count) = _execute_otherwise($sth, $conn, $text, $values, $opts);
        return $count if $over;
    }
    my ($reply, $error);
    DBD::Pg::_traced($sth, sql => defined $text ? $text : $plan->[0]) if $DBI::WATCH || $sth->{bridge_watch};
    {
        local $@;
        $reply =
            eval { $session->request('pg.execute', [$conn->{id}, $id, $text, $values, _mode($sth), undef, $opts]); };
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
        $sth->{bridge_cmd} = $extra->{cmd}                     if defined $extra->{cmd};
        DBD::Pg->_new_columns($sth, $extra->{columns}, $extra) if $extra->{columns};
    }
    if (!@{ $sth->{NAME} }) {
        @$sth{qw(bridge_got bridge_done)} = ($extra && $extra->{copy} ? -1 : $count > 0 ? $count : 0, undef);
        DBD::Pg::_leave_work($conn->{dbh}) if $conn->{begun} && !$conn->{tx} && !$conn->{busy};
        return $sth->{bridge_got} || '0E0';
    }
    @$sth{qw(bridge_done bridge_got bridge_total)} = ($done, 0, $count < 0 ? undef : $count);
    _ask_ahead($sth, $conn->{session}) if !$done;
    _arrived($sth, $rows)              if $rows;
    if ($DBI::BRIDGE) { $sth->{Active} = 1 }
    else { $sth->STORE(Active => 1) }
    _bind_inout($sth)      if $sth->{bridge_inout};
    return $count || '0E0' if $count >= 0;
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
        if $name =~
        /^(?:pg_\w+|TYPE|NULLABLE|PRECISION|SCALE|ParamValues|ParamTypes|CursorName|RowsInCache|NUM_OF_FIELDS)\z/;
    return $sth->{bridge_got} < 0 && !defined $sth->{bridge_done} ? undef : $sth->{NAME} if $name eq 'NAME';
    goto &$base_fetch;
}

1;

__END__

=encoding utf8

=head1 NAME

DBD::Pg - PostgreSQL databases for DBI, by way of the cpan-bridge daemon

=head1 SYNOPSIS

    use DBI;
    my $dbh = DBI->connect("dbi:Pg:dbname=shop;host=db.example.org", $user, $password, { RaiseError => 1, AutoCommit => 1 });
    $dbh->do('INSERT INTO sale(day, amount) VALUES (?, ?)', undef, '2024-01-31', 12.5);
    my $sth = $dbh->prepare('SELECT id, amount FROM sale WHERE day = ?');
    $sth->execute('2024-01-31');
    while (my ($id, $amount) = $sth->fetchrow_array) { print "$id: $amount\n" }

=head1 DESCRIPTION

A driver for DBI with the interface of the module of this name on CPAN, version 3.16.0. No library is loaded into the perl process: the connection
is the bridge's daemon's, which keeps it for the next script (see L</CONNECTIONS THAT ARE KEPT>), and rows come over in batches, the next one while
the script works on the last. Scripts need nothing beyond perl's core and the C<cpan-bridge> program. The driver runs under the bridge's own L<DBI>
and under an installed one.

=head1 CONNECTING

    DBI->connect("dbi:Pg:dbname=shop;host=$host;port=$port;sslmode=require", $user, $password, \%attr);
    DBI->connect("dbi:Pg:service=shop", '', '');
    DBI->connect("dbi:Pg:dbname='name with blanks';options='-c work_mem=64MB'", $user);
    DBI->connect('dbi:Pg:postgresql://db.example.org/shop?sslmode=verify-full', $user, $password);

What follows C<dbi:Pg:> is a connection string of libpq, with semicolons or blanks between its parts; every keyword of libpq is possible, several hosts
too. C<db> and C<database> are other words for C<dbname>. What is not given comes from the script's environment (C<PGHOST>, C<PGPORT>, C<PGDATABASE>,
C<PGUSER>, C<PGPASSWORD>, C<PGSERVICE>, C<PGSSLMODE> and the others), a service file, and F<.pgpass>.

C<< DBI->data_sources('Pg', 'port=5433') >> and C<< $dbh->data_sources >> list the databases of a server: the one of C<DBI_DSN>, or libpq's default.

=head1 STATEMENTS

=head2 prepare, execute

C<prepare> makes no round trip: mistakes in a statement show in C<execute>, unless C<pg_prepare_now> is given. Statements with placeholders become
prepared statements of the server from their second C<execute> on (C<pg_switch_prepared>); the server keeps them as long as the connection lives. Without
placeholders the text is sent as it is, and may hold several statements; the last one counts.

C<execute> and C<rows> tell the number of rows, of a select too. When a large result is not in yet and the script looks at that number,
the daemon first reads the result to its end; when C<execute> stands alone, rows are handed over as they come.

=head2 Placeholders

    $dbh->prepare('SELECT * FROM t WHERE a = ? AND b = ?');
    $dbh->prepare('SELECT * FROM t WHERE a = $1 OR b = $1');
    $dbh->prepare('SELECT * FROM t WHERE a = :name OR b = :name');    # bind_param(':name', $value)

One kind in a statement. They are not looked for in strings, names in quotes, comments and dollar quotes; casts (C<::>) and array slices between numbers
(C<[1:2]>) are known. A backslash keeps a character from being a placeholder: C<data \? 'key'>. C<pg_placeholder_dollaronly> leaves only the second kind,
C<pg_placeholder_nocolons> all but the third; both for C<prepare>, or for the database handle.

Values go beside the statement where the server allows it (SELECT, INSERT, UPDATE, DELETE, VALUES, WITH), and are written into it otherwise, or
always when C<pg_server_prepare> is 0. C<$DBDPG_DEFAULT>, which C<use DBD::Pg> exports, stands for C<DEFAULT>.

=head2 Types

    use DBD::Pg ':pg_types';
    $sth->bind_param(1, $bytes, { pg_type => PG_BYTEA });
    $sth->bind_param(2, 17, SQL_INTEGER);

A type stays with its placeholder. Without one the server decides. Binary data need PG_BYTEA (or SQL_BLOB, SQL_BINARY and the like).
C<bind_param_inout($n, \$variable, 0)>: the variable's value is used at C<execute>, and each fetch puts the column number C<$n> into it.

=head2 Arrays

Array references are values for array columns, and array columns come as array references unless C<pg_expand_array> is 0.

=head2 bool, numbers, text

Booleans come as 1 and 0, or as C<t> and C<f> with C<pg_bool_tf>; integers and floating point numbers as numbers, C<numeric> as text. Text is decoded
when the client encoding is UTF8 (see C<pg_enable_utf8>), bytea comes as bytes.

=head1 METHODS

=head2 do

Without values, the text goes as it is. Returns the number of rows, C<0E0> for none, -1 after C<COPY>.

=head2 quote

    $dbh->quote("it's");                                  # 'it''s'
    $dbh->quote('a\b');                                   # E'a\\b'
    $dbh->quote([1, 'two']);                              # '{"1","two"}'
    $dbh->quote($bytes, { pg_type => PG_BYTEA });

Numbers, booleans, names (PG_NAME) and geometric types are checked.

=head2 last_insert_id

    $dbh->last_insert_id(undef, $schema, $table, undef);
    $dbh->last_insert_id(undef, undef, undef, undef, { sequence => 'sale_id_seq' });

With a table, its sequence is looked for (and remembered, unless C<< pg_cache => 0 >>): the one behind the primary key, or another unique column.

=head2 ping, pg_ping

1 idle, 2 in a COPY, 3 in a transaction, 4 in one that failed; 0 dead. C<pg_ping> tells in what way: -1 disconnected, -2 not to be known, -3 the
server did not answer, -4 the connection is bad.

=head2 pg_error_field

    my $name = $dbh->pg_error_field('constraint');

A field of the last error: severity, severity_nonlocal, state, primary, detail, hint, statement_position, internal_position, internal_query,
context, schema, table, column, type, constraint, source_file, source_line, source_function; also as PG_DIAG_...

=head2 pg_savepoint, pg_rollback_to, pg_release

    $dbh->pg_savepoint('here');
    $dbh->pg_rollback_to('here');

=head2 pg_notifies

    $dbh->do('LISTEN orders');
    while (my $note = $dbh->pg_notifies) { my ($name, $pid, $payload) = @$note }

=head2 COPY

    $dbh->do('COPY sale FROM STDIN');
    $dbh->pg_putcopydata("2024-01-31\t12.5\n");
    $dbh->pg_putcopyend;

    $dbh->do('COPY sale TO STDOUT');
    while ($dbh->pg_getcopydata(my $line) >= 0) { print $line }

C<pg_getcopydata> gives the length of the line, -1 at the end. C<pg_getcopydata_async> gives 0 when no line is here. Data may be given in pieces of
any size; what is wrong with them C<pg_putcopyend> tells. C<pg_putline>, C<pg_getline> and C<pg_endcopy> are older names.

=head2 Large objects

C<pg_lo_creat>, C<pg_lo_open>, C<pg_lo_write>, C<pg_lo_read>, C<pg_lo_lseek>, C<pg_lo_tell>, C<pg_lo_truncate>, C<pg_lo_close>, C<pg_lo_unlink> need an open
transaction; C<pg_lo_import>, C<pg_lo_import_with_oid>, C<pg_lo_export> do not. Files are opened by the daemon, as the same user.

    my $oid = $dbh->pg_lo_creat($dbh->{pg_INV_WRITE});
    my $fd  = $dbh->pg_lo_open($oid, $dbh->{pg_INV_WRITE});
    $dbh->pg_lo_write($fd, $bytes, length $bytes);

=head2 Queries that are not waited for

    use DBD::Pg ':async';
    $dbh->do('SELECT long_work()', { pg_async => PG_ASYNC });
    do_something() until $dbh->pg_ready;
    my $rows = $dbh->pg_result;

Also with C<prepare>; then rows are fetched after C<pg_result>. C<pg_cancel> stops it. Added to PG_ASYNC, PG_OLDQUERY_CANCEL and PG_OLDQUERY_WAIT
deal with a query that is still under way. C<< $sth->cancel >>, called by a signal handler, stops a C<execute> that waits.

=head2 execute_array, execute_for_fetch

Tuples travel by the hundred, and the server gets them one behind the other: one round trip each is saved.

=head2 table_info, tables, column_info, primary_key_info, primary_key, foreign_key_info, statistics_info, type_info_all, get_info

As L<DBI> describes them, with further columns C<pg_schema>, C<pg_table>, C<pg_column> (names without quotes), C<pg_type>, C<pg_constraint>, C<pg_enum_values>, tablespaces
(C<table_info>, C<primary_key_info>), C<pg_expression>, C<pg_is_key_column>, C<pg_null_ordering> (C<statistics_info>). Names with C<%> or C<_> are LIKE patterns.
C<< { pg_noprefix => 1 } >> for C<tables> leaves the schema out; C<< { pg_onerow => 1 } >> (2: array references) for C<primary_key_info> gives one row.

=head2 pg_canonical_ids, pg_canonical_names

Of a statement: where its columns come from, C<[$table_oid, $number]> or C<schema.table.column>, undef for expressions.

=head2 parse_trace_flag, parse_trace_flags

C<SQL>, C<pglogin>, C<pgprefix> and, known but without output, C<pglibpq>, C<pgstart>, C<pgend>, C<pgquote>.

=head1 ATTRIBUTES OF DATABASE HANDLES

=over 4

=item pg_server_prepare, pg_switch_prepared, pg_prepare_now

See L</prepare, execute>. Also of statement handles, as are C<pg_prepare_name> (a statement the script has prepared by SQL), C<pg_direct> (no
placeholders) and C<pg_async>.

=item pg_placeholder_dollaronly, pg_placeholder_nocolons, pg_placeholder_escaped

See L</Placeholders>.

=item pg_enable_utf8

-1, the default: text is decoded if the client encoding is UTF8. 0: never; 1: always. Setting -1 looks at the encoding again.

=item pg_bool_tf, pg_expand_array

See above.

=item pg_errorlevel

How much an error tells: 0, 1 (default), 2.

=item ReadOnly

Transactions are begun read only. No effect while AutoCommit is on.

=item bridge_pipeline

    $dbh->{bridge_pipeline} = 1;
    $insert->execute(@$_) for @rows;
    $dbh->commit;

INSERT, UPDATE and DELETE without RETURNING are sent, and not waited for: C<execute> and C<do> return -1. What went wrong is told by the next call that
waits, which then fails and does nothing else; so end with one (C<commit>, C<ping>, a select, or switching it off).

=item bridge_pool

For C<connect>: 0 makes a connection of its own, closed by C<disconnect>.

=item pg_db, pg_user, pg_pass, pg_host, pg_port, pg_options, pg_default_port, pg_pid, pg_socket, pg_protocol, pg_server_version, pg_lib_version, pg_standard_conforming_strings, pg_async_status, pg_INV_READ, pg_INV_WRITE, pg_utf8_flag

Read only. C<pg_socket> is a descriptor of the way to the daemon: it does not become readable when a notification or the end of an
asynchronous query arrives, so look with C<pg_notifies> and C<pg_ready> from time to time.

=back

=head1 ATTRIBUTES OF STATEMENT HANDLES

C<pg_numbound>, C<pg_bound>, C<pg_segments>, C<pg_size>, C<pg_type>, C<pg_cmd_status>, C<pg_oid_status>, C<pg_current_row>. C<TYPE>, C<PRECISION>, C<SCALE>,
C<NULLABLE>, C<NAME> and C<NUM_OF_FIELDS> are undef before C<execute>.

=head1 ERRORS

C<err> is 7, or 1 for C<connect>; C<errstr> is the server's text; C<state> the SQLSTATE. Notices of the server are warnings while C<PrintWarn> is on.

=head1 CONNECTIONS THAT ARE KEPT

C<disconnect>, and the end of the script, give the connection back to the daemon: an open transaction is rolled back, settings, temporary tables, prepared
statements and locks are undone before the next script of the same user that connects to the same place with the same password gets it.

=head1 WHAT IS DIFFERENT, WHAT IS MISSING

=over 4

=item *

A select's error in a late row may show while rows are fetched instead of in C<execute>.

=item *

A child of C<fork> that lets a handle of its parent go does no harm to it. (With the driver in C that ends the parent's connection.) Its use there is an error.

=item *

C<primary_key_info> counts C<KEY_SEQ> within the key, and C<pg_column> is the column; C<foreign_key_info> gives 5 for INITIALLY DEFERRED and 6 for INITIALLY
IMMEDIATE, as L<DBI> says.

=item *

Comments inside comments, and C<e'...'> with a small letter, are read as the server reads them.

=item *

Text with a NUL in it is an error of the server, not cut.

=item *

C<select> on C<pg_socket> does not tell of notifications and results.

=item *

C<pg_server_trace> is not available; the trace flags about functions of the C driver have no output.

=back

=head1 SEE ALSO

L<DBI>, L<https://www.postgresql.org/docs/current/>

=cut
