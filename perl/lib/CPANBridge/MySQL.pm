package CPANBridge::MySQL;

# What DBD::mysql and DBD::MariaDB have in common, which is nearly everything. The client library lives in the bridge's daemon; this side
# speaks DBI's driver interface and the functions `mysql.*` of the daemon. Batches of rows, finish and the like are in CPANBridge::Driver.
#
# THE MAP
#   this file               prepare, execute, do, fetch: what every script needs
#   MySQL/Connect.pm        connect, disconnect, connecting again; data sources taken apart
#   MySQL/Trouble.pm        errors, and handles that cannot be used at the moment
#   MySQL/Transactions.pm   begin_work, commit, rollback, AutoCommit
#   MySQL/Binding.pm        bind_param, quote, values that are bound with a type
#   MySQL/Attributes.pm     attributes of database handles
#   MySQL/Columns.pm        attributes of statement handles: types, lengths, keys of columns
#   MySQL/Results.pm        more_results, last_insert_id
#   MySQL/Chop.pm           ChopBlanks
#   MySQL/Async.pm          queries nobody waits for
#   MySQL/Bulk.pm           whole selects in one round trip
#   MySQL/Metadata.pm       table_info and its kin
#   MySQL/Info.pm           type_info_all, get_info
#   MySQL/Admin.pm          _ListDBs, createdb and other old functions of DBD::mysql
# All but this file are loaded on first use.
#
# WHERE THE TWO DIFFER is told by the `flavour`, a hash that each of them gives to `set_up`:
#   driver    'DBD::mysql'         prefix   'mysql_'           name   'mysql'
#   strict    true for DBD::MariaDB: unknown attributes, unbound placeholders and bad numbers are errors, text is always characters
#   more keys: err_bind, err_param, err_unsupported, err_execute: numbers of the driver's own errors
# OWN KEYS OF A CONNECTION
#   flavour    see above           made     what connect was given, for connecting again
#   facts      what the server said when it was connected
#   insertid, warnings, info, status    of the last statement; errno, error: of the last one that failed
#   async      the handle whose query is under way
# OWN KEYS OF A STATEMENT
#   bridge_total     rows of the result, or rows affected; -1 unknown; undef: never executed
#   bridge_sent      the connection's number when the daemon was given the SQL
#   bridge_meta      { types, flags, lengths, decimals, charsets, tables } of the columns
#   bridge_types     { number of parameter => class } bound with a type
#   bridge_fields    true once there was a result with columns
#   bridge_opts      what the daemon is to know of the statement { server_prepare, use_result, ... }

use strict;
use warnings;
use CPANBridge::Driver ();

our @ISA = ('CPANBridge::Driver');

BEGIN {
    CPANBridge::Driver::lazy(
        'CPANBridge::MySQL', __FILE__,
        [Connect      => dr   => 'connect'],
        [Connect      => db   => 'disconnect _close' . ($DBI::BRIDGE ? ' take_imp_data' : '')],
        [Connect      => main => 'again parse_source'],
        [Trouble      => db   => 'ping'],
        [Trouble      => main => '_fail _inactive _ready _own_error _unknown_attribute'],
        [Transactions => db   => 'begin_work commit rollback _store_autocommit'],
        [Binding      => main => '_send_batch _count_placeholders'],
        [Binding      => db   => 'quote'],
        [Binding      => st   => 'bind_param bind_param_inout _typed _unbound _wrong_number'],
        [Attributes   => db   => '_fetch _store _statement_options _prepare_there'],
        [Columns      => st   => '_fetch _store'],
        [Chop         => st   => '_arrived_raw _chopped_row _store_chop'],
        [Results      => st   => 'more_results last_insert_id _count_rows _finish'],
        [Results      => db   => 'last_insert_id'],
        [Async        => main => '_queueable _queue _sync'],
        [Async        => db   => '_async_do async_ready async_result fd'],
        [Async        => st   => '_async_execute async_ready async_result _async_settle'],
        [Bulk         => db   => 'bridge_select'],
        [
            Metadata => db => 'table_info column_info primary_key_info foreign_key_info statistics_info data_sources'
        ],
        [Info     => db => 'type_info_all get_info'],
        [Metadata => dr   => 'data_sources'],
        [Admin    => main => 'drh_admin drh_list dbh_admin dbh_list_dbs dbh_list_tables'],
    );
}

# Gives a driver its base classes and its methods.
sub set_up {
    my ($flavour, %method) = @_;
    my $driver = $flavour->{driver};
    no strict 'refs';
    no warnings 'once';
    @{"${driver}::ISA"} = ('CPANBridge::MySQL');
    push @{"${driver}::${_}::ISA"}, "CPANBridge::MySQL::$_" for qw(dr db st);
    ${"${driver}::${_}::imp_data_size"} = 0 for qw(dr db st);
    *{"${driver}::flavour"} = sub { return $flavour };
    return;
}

# The methods that carry the driver's prefix, for handles: $dbh->mysql_fd.
sub install_methods {
    my ($flavour, %method) = @_;    # 'db fd' => 'mysql_fd'
    { no strict 'refs'; *{'DBI::st::fetchrow'} = \&DBI::st::fetchrow_array if $DBI::BRIDGE && !defined &DBI::st::fetchrow }
    for my $key (keys %method) {
        my ($type, $short) = split / /, $key;
        my ($package, $long) = ("$flavour->{driver}::$type", $method{$key});
        no strict 'refs';
        *{"${package}::$long"} = \&{"CPANBridge::MySQL::${type}::$short"};
        if ($DBI::BRIDGE) { *{"DBI::${type}::$long"} = DBI::dispatcher($long, 0, -1, 0, '') }
        else { $package->install_method($long) }
    }
    return;
}

# --- class methods that CPANBridge::Driver calls ----------------------------------------------------------------------------

sub _extra {    # what rode along with a reply
    my ($driver, $conn, $extra) = @_;
    for (qw(warnings info)) {
        next if !defined $extra->{$_};
        $conn->{$_}   = $extra->{$_};
        $conn->{news} = 1;              # something to forget when the next statement goes well
    }
    $conn->{status} = $extra->{status} if defined $extra->{status};
    if ($extra->{reconnected}) {
        $conn->{facts}{thread_id} = $extra->{thread_id} if defined $extra->{thread_id};
        $conn->{stats}{auto_reconnects_ok}++;
        delete $conn->{lost};
    }
    if ($extra->{warn}) { CPANBridge::Driver::warning($_) for @{ $extra->{warn} } }
    return;
}

sub _new_columns {
    my ($driver, $sth, $columns, $extra) = @_;
    delete @$sth{
        qw(TYPE NULLABLE NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash bridge_fbav bridge_distinct bridge_details
            bridge_max_lengths)
    };
    $columns ||= [];
    my $old = $sth->{NAME};
    if    ($DBI::BRIDGE)                          { $sth->{NUM_OF_FIELDS} = @$columns }
    elsif (!$old || @$old != @$columns) {
        local $@;
        eval { $sth->STORE(NUM_OF_FIELDS => scalar @$columns) };    # another DBI may refuse to change it
    }
    $sth->{NAME}          = $columns;
    $sth->{bridge_fields} = 1 if @$columns;
    $sth->{bridge_meta}   = $extra;
    return;
}

sub kids {    # the inner handles of a handle's children
    my ($h) = @_;
    return grep { $_ } @{ $h->{bridge_kids} || [] } if $DBI::BRIDGE;
    return map { $_ && tied(%$_) || () } @{ $h->FETCH('ChildHandles') || [] };
}

# How many placeholders a statement has. Quotes hide them, and comments do, unless the script wants those filled in, too.
sub placeholders {
    my ($sql, $in_comments) = @_;
    return 0              if index($sql, '?') < 0;
    return $sql =~ tr/?// if $sql !~ m{['"`]|/\*|--};
    return _count_placeholders($sql, $in_comments);
}

# ================================================================================================================================
package CPANBridge::MySQL::dr;

# At the end of the script (DBI calls this, too) handles are left to their destructors, and to the script's; but what was queued is
# waited for.
sub disconnect_all {
    my ($drh) = @_;
    for my $dbh (grep { $_->{bridge_conn} && $_->{bridge_conn}{active} } CPANBridge::MySQL::kids($drh)) {
        my $conn = $dbh->{bridge_conn};
        if ($conn->{queued} && CPANBridge::Driver::mine($conn)) {
            CPANBridge::MySQL::_sync($dbh) or CPANBridge::Driver::warning("$conn->{driver}: " . $dbh->errstr);
        }
        next if !$conn->{flavour}{strict} || $DBI::ENDING;
        local $dbh->{Warn} = '' if $DBI::BRIDGE;
        $dbh->disconnect;
    }
    return;
}

# ================================================================================================================================
package CPANBridge::MySQL::db;

my ($base_store, $base_fetch) = map { DBD::_::common->can($_) } qw(STORE FETCH);    # DBI's own

sub prepare {
    my ($dbh, $sql, $attr) = @_;
    my $conn = $dbh->{bridge_conn};
    if (!$conn->{active} || $conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'prepare') or return }
    $sql = '' if !defined $sql;
    my ($opts, $server);
    if ($attr && %$attr || $conn->{special}) {
        $opts = _statement_options($dbh, $attr, $sql) or return;
        $server = $opts->{server_prepare};
    }
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $sql });
    my $params = CPANBridge::MySQL::placeholders($sql, $conn->{comments});
    @$sth{qw(bridge_conn bridge_id bridge_params bridge_sql bridge_got NAME)} =
        ($conn, CPANBridge::Driver::next_id(), $params, "$sql", 0, []);
    if ($opts) {
        $sth->{bridge_opts}  = $opts->{send} if %{ $opts->{send} };
        $sth->{bridge_async} = 1             if $opts->{async};
        if ($server) { _prepare_there($sth, $opts) or return }
    }
    $sth->{NUM_OF_PARAMS} = $sth->{bridge_params};
    $sth->STORE(NUM_OF_PARAMS => $sth->{bridge_params}) if !$DBI::BRIDGE;
    my $cache = $attr && exists $attr->{RowCacheSize} ? $attr->{RowCacheSize} : $dbh->{RowCacheSize};
    $sth->{bridge_cache} = 1 if $cache && $cache == 1;
    return $outer;
}

sub do {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    if (!$conn->{active} || $conn->{async}) { CPANBridge::MySQL::_ready($dbh, 'do') or return undef }
    return DBD::_::db::do(@_) if @binds && ($dbh->{Callbacks} || $dbh->{RootClass});    # they may watch prepare
    $sql = '' if !defined $sql;
    my $opts;
    if ($attr && %$attr || $conn->{special}) {
        $opts = _statement_options($dbh, $attr, $sql, @binds) or return undef;
        return _async_do($dbh, $sql, $opts, \@binds) if $opts->{async};
        $opts = $opts->{send};
    }
    if (@binds || $conn->{flavour}{strict} && index($sql, '?') >= 0) {
        my $params = CPANBridge::MySQL::placeholders($sql, $conn->{comments});
        if (@binds != $params) {
            return CPANBridge::MySQL::_own_error($dbh, 'err_count') if $conn->{flavour}{strict};
            $#binds = $params - 1;    # DBD::mysql takes NULL for what is missing and drops what is too much
        }
        ref and $_ = "$_" for @binds;
    }
    if ($conn->{pipeline} && CPANBridge::MySQL::_queueable($sql)) {
        return CPANBridge::MySQL::_queue($conn, undef, "$sql", @binds ? \@binds : undef);
    }
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            $conn->{session}->request('mysql.do', [$conn->{id}, "$sql", @binds ? \@binds : undef, $opts])
        };
        $error = $@ if !$reply;
    }
    return $conn->{driver}->_fail($dbh, $error) if !$reply;
    my ($count, $columns, $extra, $insertid) = @$reply;
    if ($conn->{news}) { @$conn{qw(errno warnings info news)} = (0, 0, undef, 0) }
    $conn->{insertid} = $insertid || 0 if $insertid || !$columns && !$conn->{flavour}{strict};
    $conn->{driver}->_extra($conn, $extra) if $extra;
    return $count || '0E0';
}

# Whether prepare and do have something to say about each statement.
sub _special {
    my ($dbh, $conn) = @_;
    my $p = $conn->{flavour}{prefix};
    $conn->{comments} = $dbh->{"${p}bind_comment_placeholders"} ? 1 : 0;
    $conn->{special}  = $dbh->{"${p}server_prepare"} || $dbh->{"${p}use_result"}
        || $dbh->{"${p}max_allowed_packet"} || $conn->{pipeline} || $conn->{made}{local_infile} ? 1 : 0;
    return;
}

# --- attributes -----------------------------------------------------------------------------------------------------------------

sub STORE {
    my ($dbh, $name, $value) = @_;
    return !$value == !$dbh->{AutoCommit} || _store_autocommit($dbh, $value) if $name eq 'AutoCommit';
    return _store($dbh, $name, $value) if $name !~ /^[A-Z]/;
    goto &$base_store;
}

sub FETCH {
    my ($dbh, $name) = @_;
    return $dbh->{AutoCommit}   if $name eq 'AutoCommit';
    return _fetch($dbh, $name)  if $name !~ /^[A-Z]/;
    goto &$base_fetch;
}

sub DESTROY {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->STORE(Active => 0);
    return if !$conn || !$conn->{active};
    my $mine   = CPANBridge::Driver::mine($conn) && !$dbh->FETCH('InactiveDestroy');
    my $ending = defined ${^GLOBAL_PHASE} && ${^GLOBAL_PHASE} eq 'DESTRUCT';
    my $undo = !$dbh->{AutoCommit} && !($conn->{lost} && $conn->{flavour}{strict});
    if ($mine && !$ending && $undo && $dbh->FETCH('Warn')) {
        CPANBridge::Driver::warning(
            "Issuing rollback() due to DESTROY without explicit disconnect() of $conn->{driver}::db handle $dbh->{Name}");
    }
    if ($mine && $conn->{queued}) {
        CPANBridge::MySQL::_sync($dbh) or CPANBridge::Driver::warning("$conn->{driver}: " . $dbh->errstr);
    }
    $conn->{session}->oneway('mysql.close', [$conn->{id}], 1) if $mine;    # undoes what was not committed
    $conn->{active} = 0;
    return;
}

# ================================================================================================================================
package CPANBridge::MySQL::st;

our @ISA = ('CPANBridge::Driver::st');

BEGIN {
    no strict 'refs';
    *$_ = \&{"CPANBridge::Driver::st::$_"} for qw(_arrived _ask_ahead _drop_reply _wrong_count _mode _waiting);
}

my $st_store = CPANBridge::Driver::st->can('STORE');

sub execute {
    my $sth  = shift;
    my $conn = $sth->{bridge_conn};
    if (!$conn->{active} || $conn->{async}) { CPANBridge::MySQL::_ready($sth, 'execute') or return undef }
    my ($binds, $params) = (undef, $sth->{bridge_params});
    if (@_) {
        return _wrong_count($sth, scalar @_) if @_ != $params;
        ref and $_ = "$_" for @{ $sth->{bridge_binds} = $binds = [@_] };
    }
    elsif ($params) {
        $binds = $sth->{bridge_binds} ||= [];
        if (@$binds < $params || $conn->{flavour}{strict}) { _unbound($sth, $binds) or return undef }
    }
    my $session = $conn->{session};
    _drop_reply($sth, $session) if $sth->{bridge_seq} || $sth->{bridge_reply};
    if ($binds && $sth->{bridge_types}) { $binds = _typed($sth, $binds) }
    return _async_execute($sth, $binds) if $sth->{bridge_async};
    my $sent = ($sth->{bridge_sent} || 0) == $conn->{id};
    if ($conn->{pipeline} && !@{ $sth->{NAME} } && CPANBridge::MySQL::_queueable($sth->{bridge_sql})) {
        @$sth{qw(bridge_sent bridge_total bridge_got bridge_insertid)} = ($conn->{id}, -1, -1, 0);
        return CPANBridge::MySQL::_queue($conn, $sth->{bridge_id}, $sent ? undef : $sth->{bridge_sql}, $binds,
            $sent ? undef : $sth->{bridge_opts});
    }
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            $session->request(
                'mysql.execute',
                [
                    $conn->{id},                                                 $sth->{bridge_id},
                    $sent ? undef : $sth->{bridge_sql},                          $binds,
                    $sth->{bridge_bind} ? 'f' : $sth->{bridge_mode} || 'a', $sth->{bridge_cache},
                    $sent ? undef : $sth->{bridge_opts}
                ]
            )
        };
        $error = $@ if !$reply;
    }
    if (!$reply) {
        @$sth{qw(bridge_total bridge_done)} = (-1, undef);
        $sth->{Active} = '' if $DBI::BRIDGE;
        return $conn->{driver}->_fail($sth, $error);
    }
    $sth->{bridge_sent} = $conn->{id};
    return _executed($sth, $conn, $reply);
}

# The reply to `execute`: [count, done, rows, extra, insertid]. Returns what execute returns: the number of rows.
sub _executed {
    my ($sth, $conn, $reply) = @_;
    my ($count, $done, $rows, $extra, $insertid) = @$reply;
    if ($conn->{news}) { @$conn{qw(errno warnings info news)} = (0, 0, undef, 0) }
    @$sth{qw(bridge_insertid bridge_warnings bridge_more bridge_total)} = ($insertid || 0, 0, 0, $count);
    if ($extra) {
        $conn->{driver}->_extra($conn, $extra);
        $conn->{driver}->_new_columns($sth, $extra->{columns}, $extra) if exists $extra->{columns};
        $sth->{bridge_warnings} = $extra->{warnings} || 0;
        $sth->{bridge_more}     = $extra->{more};
    }
    if ($insertid) { $conn->{insertid} = $insertid }
    if (!@{ $sth->{NAME} }) {
        $conn->{insertid} = 0 if !$insertid && !$conn->{flavour}{strict};
        $sth->{bridge_got} = $count;
        @$sth{qw(bridge_done)} = (undef);
        _active($sth, $sth->{bridge_more} && $conn->{flavour}{strict} ? 1 : '');
        return $count || '0E0';
    }
    @$sth{qw(bridge_done bridge_got)} = ($done, 0);
    delete $sth->{bridge_max_lengths};
    if ($sth->{ChopBlanks} || !$DBI::BRIDGE && $sth->FETCH('ChopBlanks')) { _arrived_raw($sth, $rows || []) }
    elsif ($rows)                                                         { _arrived($sth, $rows) }
    if ($count < 0 && !($sth->{bridge_opts} && $sth->{bridge_opts}{use_result})) {
        $count = _count_rows($sth) if defined((caller($DBI::BRIDGE ? 2 : 1))[5]);    # a script that looks at what execute returns waits for it
    }
    _ask_ahead($sth, $conn->{session}) if !$done && !$sth->{bridge_cache};
    if ($DBI::BRIDGE) { $sth->{Active} = 1 }
    else { _active($sth, $rows && @$rows || !$done || !$conn->{flavour}{strict} ? 1 : 0) }
    return $count > 0 ? $count : '0E0';
}

sub _active {
    my ($sth, $on) = @_;
    if ($DBI::BRIDGE) { $sth->{Active} = $on }
    else { $sth->STORE(Active => $on ? 1 : 0) }
    return;
}

sub _left {    # rows that are here and have not been fetched
    my ($sth) = @_;
    return _waiting($sth) + @{ $sth->{bridge_later} || [] };
}

sub bridge_fetch_as {
    my ($sth) = @_;
    return '' if $sth->{ChopBlanks};
    goto &{ CPANBridge::Driver::st->can('bridge_fetch_as') };
}

sub bridge_fetchall {
    my ($sth) = @_;
    return '' if $sth->{ChopBlanks} || $sth->{bridge_async} && $sth->{bridge_conn}{async} || !$sth->{Active};
    goto &{ CPANBridge::Driver::st->can('bridge_fetchall') };
}

sub _is_active { my ($sth) = @_; return $DBI::BRIDGE ? $sth->{Active} : DBD::_::common::FETCH($sth, 'Active') }

sub rows {
    my ($sth) = @_;
    if ($sth->{bridge_async} && $sth->{bridge_conn}{async}) { _async_settle($sth) }
    my $total = $sth->{bridge_total};
    return $sth->{bridge_conn}{flavour}{strict} ? -1 : 0 if !defined $total;
    return $total if $total >= 0 || !@{ $sth->{NAME} };
    return $sth->{bridge_got} if $sth->{bridge_done} || !$sth->{bridge_conn}{active};
    return _count_rows($sth);
}

sub _next_row {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    if ($sth->{bridge_async} && $conn->{async}) { _async_settle($sth) or return }
    if (!defined $sth->{bridge_done} || !$conn->{flavour}{strict} && !_is_active($sth)) {
        return $conn->{driver}->_inactive($sth, 'fetch') if !$conn->{active};
        $sth->set_err(@{ $conn->{flavour}{err_fetch} });
        return;
    }
    my $chop = $sth->{ChopBlanks} || !$DBI::BRIDGE && $sth->FETCH('ChopBlanks');
    my $row  = ($chop ? _chopped_row($sth) : CPANBridge::Driver::st::_next_row($sth)) or return;
    if (!$DBI::BRIDGE && $conn->{flavour}{strict} && $sth->{bridge_done} && !_left($sth)) {
        $sth->STORE(Active => 0);
    }
    return $row;
}

sub _fetch_set { my ($sth) = @_; my $row = _next_row($sth) or return; return $sth->_set_fbav($row) }

{
    no warnings 'once';
    *fetch = *fetchrow_arrayref = $DBI::BRIDGE ? \&_next_row : \&_fetch_set;
}

sub DESTROY {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    if ($conn && $conn->{async} && $conn->{async} == $sth && CPANBridge::Driver::mine($conn)) { _async_settle($sth) }
    return $sth->SUPER::DESTROY;
}

# What cannot be done while a query is under way.
for my $name (qw(bind_col bind_columns bind_param_array execute_array execute_for_fetch)) {
    no strict 'refs';
    *$name = sub {
        my ($sth) = @_;
        if ($sth->{bridge_conn}{async}) { return CPANBridge::MySQL::_ready($sth, $name) }
        goto &{ CPANBridge::Driver::st->can($name) };
    };
}

# What asks for the names of columns before it fetches.
for my $name ('fetchall_hashref', $DBI::BRIDGE ? () : 'fetchrow_hashref') {
    no strict 'refs';
    *$name = sub {
        my ($sth) = @_;
        if ($sth->{bridge_async} && $sth->{bridge_conn}{async}) { _async_settle($sth) or return undef }
        goto &{ CPANBridge::Driver::st->can($name) };
    };
}

sub finish {
    my ($sth) = @_;
    my $done = $sth->{bridge_done};
    if ($done && $DBI::BRIDGE && !$sth->{bridge_more} && !$sth->{bridge_async}) {    # nothing is left in the daemon
        delete @$sth{ @CPANBridge::Driver::WAITING, 'bridge_later' };
        $sth->{Active} = '';
        return 1;
    }
    return _finish($sth);
}

sub STORE {
    my ($sth, $name, $value) = @_;
    return _store($sth, $name, $value) if $name !~ /^[A-Z]/;
    if ($name eq 'ChopBlanks') {
        _store_chop($sth, $value) if defined $sth->{bridge_done};
        goto &$base_store;
    }
    goto &$st_store;
}

sub FETCH {
    my ($sth, $name) = @_;
    return '' if $name eq 'ChopBlanks' && $sth->{bridge_raw};
    if ($name eq 'NAME') { return @{ $sth->{NAME} } ? $sth->{NAME} : undef }
    if ($name eq 'Active' && $DBI::BRIDGE && $sth->{Active} && $sth->{bridge_done} && $sth->{bridge_conn}{flavour}{strict}) {
        return !!_left($sth) if !$sth->{bridge_more};    # DBD::MariaDB: off with the last row
    }
    return _fetch($sth, $name)
        if $name !~ /^[A-Z]/
        || $name =~ /^(?:TYPE|NULLABLE|PRECISION|SCALE|ParamValues|ParamTypes|CursorName|RowsInCache|NAME_\w+)\z/;
    goto &$base_fetch;
}

1;

__END__

=head1 NAME

CPANBridge::MySQL - what DBD::mysql and DBD::MariaDB of the bridge have in common

=head1 DESCRIPTION

Not for scripts: they use L<DBD::mysql> or L<DBD::MariaDB> by way of L<DBI>. The head of this file is the map.

=cut
