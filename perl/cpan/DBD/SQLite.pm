package DBD::SQLite;

# The DBI driver for SQLite. The library itself lives in the bridge's daemon; this side speaks DBI's driver interface and the
# functions `sqlite.*` of the daemon.
#
# THE MAP
#   this file                    prepare, execute, fetch, do: what every script needs
#   DBD/SQLite/Connect.pm        connect, disconnect
#   DBD/SQLite/Trouble.pm        errors
#   DBD/SQLite/Transactions.pm   begin_work, commit, rollback, AutoCommit
#   DBD/SQLite/Ahead.pm          changes while selects are open
#   DBD/SQLite/Attributes.pm     reading and writing the rarer attributes
#   DBD/SQLite/Binding.pm        bind_param and values that are bound with a type
#   DBD/SQLite/Metadata.pm       table_info and its kin, type_info_all, get_info
#   DBD/SQLite/Callbacks.pm      Perl functions, aggregates, collations, hooks, tracing, tokenizers
#   DBD/SQLite/Admin.pm          backup, status, limits, configuration, extensions
#   DBD/SQLite/VirtualTable.pm   tables written in Perl
# All but this file are loaded on first use (@PARTS). What it shares with other drivers - batches of rows, finish, whole selects, tuples - is in
# CPANBridge::Driver, whose head tells the keys of connections and statements. This driver's own ones:
#   OF A CONNECTION
#   ac             SQLite's own autocommit state, as last reported
#   begin          what the daemon was told about transactions it has to start by itself (0 no, 1 deferred, 2 immediate)
#   ddl            tables were made or changed, perhaps in the transaction that is open
#   mode, file, see_number, read_only, callbacks    settings
#   reading        weak references, by number, to statements with rows that have been read ahead, or had
#   OF A STATEMENT
#   bridge_ran_ahead [bridge_cache as it was] while a run goes row by row; bridge_stale: its rows could not be read anew (Ahead.pm)
#   bridge_special what its SQL calls for ($SPECIAL)

use strict;
use warnings;
use CPANBridge::Driver ();

our $VERSION = '1.72';
our ($drh, $installed, $sqlite_version, $sqlite_version_number, %COLLATION);

# --- what is not loaded at once ------------------------------------------------------------------------------------------

# Which file holds which subs: of database handles (db), statements (st), driver (dr), or functions of this package (main). A `+`
# marks the driver's private methods, which scripts call as sqlite_NAME or through func.
my @PARTS;

BEGIN {
    @PARTS = (
        [Connect      => dr   => 'connect _cwd _tell_where'],
        [Trouble      => main => '_fail _error _look_at_transaction'],
        [Transactions => db   => 'begin_work _begin_kind commit rollback _run _store_autocommit'],
        [Transactions => main => '_leave_work'],
        [Ahead        => main => '_before_change _wanted _brought'],
        [Attributes   => db   => '_store _fetch'],
        [Attributes   => st   => '_fetch'],
        [Binding      => main => '_send_batch'],
        [Binding      => db   => 'quote'],
        [Binding      => st   => 'bind_param bind_param_inout bind_col _typed'],
        [
            Metadata => db =>
                'table_info column_info primary_key_info foreign_key_info statistics_info type_info_all get_info'
        ],
        [
            Callbacks => db => '+create_function +create_aggregate +create_collation +collation_needed +commit_hook'
                . ' +rollback_hook +update_hook +set_authorizer +progress_handler +sqlite_trace +profile'
                . ' +register_fts3_perl_tokenizer +create_module'
        ],
        [Callbacks => main => '_regexp _collation_wanted _tokenize _by_locale'],
        [
                  Admin => db => '+busy_timeout +backup_from_file +backup_to_file +backup_from_dbh +backup_to_dbh'
                . ' +enable_load_extension +load_extension +table_column_metadata +db_status +db_config +limit'
                . ' +get_autocommit +txn_state +error_offset +db_filename'
        ],
        [Admin => st   => '+st_status'],
        [Admin => main => 'compile_options sqlite_status strlike strglob'],
    );
    CPANBridge::Driver::lazy('DBD::SQLite', __FILE__, @PARTS);
    our @ISA = ('CPANBridge::Driver');
    @DBD::SQLite::db::ISA = ('CPANBridge::Driver::db');
    @DBD::SQLite::st::ISA = ('CPANBridge::Driver::st');
}

# --- constants and versions ------------------------------------------------------------------------------------------------

BEGIN {
    my $number = 0;
    my @action =
        qw(COPY CREATE_INDEX CREATE_TABLE CREATE_TEMP_INDEX CREATE_TEMP_TABLE CREATE_TEMP_TRIGGER CREATE_TEMP_VIEW
        CREATE_TRIGGER CREATE_VIEW DELETE DROP_INDEX DROP_TABLE DROP_TEMP_INDEX DROP_TEMP_TABLE DROP_TEMP_TRIGGER DROP_TEMP_VIEW
        DROP_TRIGGER DROP_VIEW INSERT PRAGMA READ SELECT TRANSACTION UPDATE ATTACH DETACH ALTER_TABLE REINDEX ANALYZE CREATE_VTABLE
        DROP_VTABLE FUNCTION SAVEPOINT RECURSIVE);
    my %code = (OK => 0, DENY => 1, IGNORE => 2, map { $_ => $number++ } @action);
    my %open = (
        READONLY  => 1, READWRITE => 2, CREATE => 4, URI => 64, MEMORY => 128, SUPER_JOURNAL => 0x4000,
        NOMUTEX   => 0x8000,
        FULLMUTEX => 0x10000, SHAREDCACHE => 0x20000, PRIVATECACHE => 0x40000, NOFOLLOW => 0x1000000,
        EXRESCODE => 0x2000000
    );
    $code{"OPEN_$_"} = $open{$_} for keys %open;
    CPANBridge::Driver::constants('DBD::SQLite', %code);
}

sub _library_version {    # [ "3.x.y", number ]
    our $library;
    $library ||= CPANBridge->session->request('sqlite.version', []);
    return $library;
}

{    # the version variables ask the library when somebody reads them

    package DBD::SQLite::Version;
    sub TIESCALAR { my ($class, $index) = @_; return bless \$index, $class }
    sub FETCH     { return DBD::SQLite::_library_version()->[${ $_[0] }] }
    sub STORE     { require Carp; Carp::croak('The version of the SQLite library cannot be set') }
    tie $DBD::SQLite::sqlite_version,        __PACKAGE__, 0;
    tie $DBD::SQLite::sqlite_version_number, __PACKAGE__, 1;
}

{    # %DBD::SQLite::COLLATION takes new entries but does not let go of old ones

    package DBD::SQLite::Collations;
    sub TIEHASH { return bless {}, $_[0] }

    sub STORE {
        my ($self, $name, $code) = @_;
        CPANBridge::Driver::croak("entry $name already registered") if exists $self->{$name};
        return $self->{$name} = $code;
    }
    sub DELETE   { return CPANBridge::Driver::croak("deletion of entry $_[1] is forbidden") }
    sub CLEAR    { return CPANBridge::Driver::croak('deletion of all entries is forbidden') }
    sub FETCH    { return $_[0]{ $_[1] } }
    sub EXISTS   { return exists $_[0]{ $_[1] } }
    sub FIRSTKEY { my $first = keys %{ $_[0] }; return each %{ $_[0] } }
    sub NEXTKEY  { return each %{ $_[0] } }
    tie %DBD::SQLite::COLLATION, __PACKAGE__;
    $DBD::SQLite::COLLATION{perl}       = sub { $_[0] cmp $_[1] };
    $DBD::SQLite::COLLATION{perllocale} = \&DBD::SQLite::_by_locale;
}

# --- the driver handle --------------------------------------------------------------------------------------------------------

sub driver {
    return $drh if $drh;
    my ($class) = @_;
    _install_methods();
    $drh = DBI::_new_drh(
        "${class}::dr",
        { Name => 'SQLite', Version => $VERSION, Attribution => 'DBD::SQLite by Matt Sergeant et al' }
    );
    return $drh;
}

sub CLONE { undef $drh; our $library; undef $library; return }

sub _install_methods {
    return if $installed++;
    CPANBridge::Driver::install_methods('DBD::SQLite', 'sqlite_', [main => db => '+last_insert_rowid'], @PARTS);
    return;
}

# --- talking to the daemon --------------------------------------------------------------------------------------------------------

sub _extra {    # what rode along with a reply
    my (undef, $conn, $extra) = @_;
    if ($extra->{warn}) { CPANBridge::Driver::warning($_) for @{ $extra->{warn} } }
    return if !defined $extra->{ac};
    my $ac  = $conn->{ac} = $extra->{ac};
    my $dbh = $conn->{dbh} || return;
    if ($ac)                   { _leave_work($dbh) if $dbh->FETCH('BegunWork') }
    elsif ($dbh->{AutoCommit}) { $dbh->{AutoCommit} = ''; $dbh->STORE(BegunWork => 1); delete $conn->{ddl} }
    return;
}

sub _tell_begin {
    my ($conn, $begin) = @_;
    return if $conn->{begin} == $begin;
    $conn->{begin} = $begin;
    $conn->{session}->oneway('sqlite.config', [$conn->{id}, { begin => $begin }]);
    return;
}

# ================================================================================================================================
package DBD::SQLite::dr;

our $imp_data_size = 0;

my ($base_store, $base_fetch) = map { DBD::_::common->can($_) } qw(STORE FETCH);    # DBI's own

sub data_sources   { return }
sub disconnect_all { return }

# ================================================================================================================================
package DBD::SQLite::db;

our $imp_data_size = 0;

sub _string_mode {    # from connect attributes; sqlite_unicode is the older name of two of the modes
    my ($attr) = @_;
    if (exists $attr->{sqlite_string_mode}) {
        my $mode = $attr->{sqlite_string_mode} || 0;
        CPANBridge::Driver::croak("Invalid value ($mode) given for sqlite_string_mode") if $mode !~ /\A[0-6]\z/;
        return $mode;
    }
    for my $name (qw(sqlite_unicode unicode)) {
        next               if !exists $attr->{$name};
        _deprecated($name) if $name eq 'unicode';
        return $attr->{$name} ? 4 : 0;
    }
    return 0;
}

sub _deprecated {
    CPANBridge::Driver::warning(qq{"$_[0]" attribute will be deprecated. Use "sqlite_string_mode" instead.});
    return
}

# Statements that may name a file, which is relative to the folder that the script is in when they run; and ($1) those after which a
# rollback ends the selects that are open.
my $SPECIAL = qr/\A\s*(?:--|\/\*|ATTACH|VACUUM|(CREATE|DROP|ALTER))/i;

# SQL with no statement in it.
my $NOTHING = qr{\A(?:[\s;]+|--[^\n]*|/\*.*?\*/)*\z}s;

sub prepare {
    my ($dbh, $sql, $attr) = @_;
    $sql = '' if !defined $sql;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'prepare') if !$conn->{active};
    my $special = $sql =~ /$SPECIAL/o ? $1 ? 'ddl' : 'file' : '';
    DBD::SQLite::dr::_tell_where($conn) if $special eq 'file';
    my $id = CPANBridge::Driver::next_id();
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request('sqlite.prepare', [$conn->{id}, $id, "$sql"]) };
        $error = $@ if !$reply;
    }
    return DBD::SQLite->_fail($dbh, $error) if !$reply;
    my ($params, $names, $columns, undef, $tail) = @$reply;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $sql });
    @$sth{qw(bridge_conn bridge_id bridge_params bridge_got)} = ($conn, $id, $params, -1);
    $sth->{bridge_param_names}                                = $names   if $names;
    $sth->{bridge_special}                                    = $special if $special;
    my $cache = $attr && exists $attr->{RowCacheSize} ? $attr->{RowCacheSize} : $dbh->{RowCacheSize};
    $sth->{bridge_cache}  = 1 if $cache && $cache == 1;
    $sth->{NUM_OF_PARAMS} = $params;
    $sth->STORE(NUM_OF_PARAMS => $params) if !$DBI::BRIDGE;
    CPANBridge::Driver::st::_columns($sth, $columns || []);
    $sth->{sqlite_unprepared_statements} = defined $tail ? $tail : '' if $dbh->{sqlite_allow_multiple_statements};
    return $outer;
}

# Our own DBI asks for whole selects.
sub bridge_select {
    my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
    return DBD::SQLite->_inactive($dbh, 'prepare') if !$dbh->{bridge_conn}{active};
    return ''                                      if $attr && grep { /^(?:sqlite_|Callbacks)/ } keys %$attr;
    return ''                                      if $dbh->{bridge_conn}{reading} && $sql !~ /\A\s*SELECT\b/i;
    return '' if $dbh->{ChopBlanks} || $mode eq 'hash' && ($dbh->{FetchHashKeyName} || 'NAME') ne 'NAME';
    my @binds = @$binds;
    ref and $_ = "$_" for @binds;
    my $send = @binds ? $dbh->{sqlite_see_if_its_a_number} ? DBD::SQLite::st::_typed($dbh, \@binds) : \@binds : undef;
    return CPANBridge::Driver::select_rows($dbh, $sql, $send, $mode, $max);
}

sub do {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'do') if !$conn->{active};
    return DBD::_::db::do(@_) if @binds && ($dbh->{Callbacks} || $dbh->{RootClass});    # they may watch prepare
    $sql = '' if !defined $sql;
    ref and $_ = "$_" for @binds;
    my $multi = $dbh->{sqlite_allow_multiple_statements} ? 1 : 0;
    if ($multi || $sql =~ /$SPECIAL/o) {
        if (!$multi && $1) { $conn->{ddl} = 1 }
        else { DBD::SQLite::dr::_tell_where($conn) }
    }
    my $ahead = $conn->{reading} && DBD::SQLite::_before_change($conn, $sql);
    my ($reply, $error);
    my $binds = @binds ? $dbh->{sqlite_see_if_its_a_number} ? DBD::SQLite::st::_typed($dbh, \@binds) : \@binds : undef;
    {
        local $@;
        my @wanted = $ahead ? DBD::SQLite::_wanted($ahead) : ();
        $reply = eval { $conn->{session}->request('sqlite.do', [$conn->{id}, "$sql", $binds, $multi, @wanted]) };
        $error = $@ if !$reply;
    }
    return DBD::SQLite->_fail($dbh, $error)     if !$reply;
    DBD::SQLite::_brought($ahead, $reply->[5]) if $ahead;
    DBD::SQLite->_thrown($conn)             if $conn->{died};
    $conn->{rowid} = $reply->[3]            if defined $reply->[3];
    DBD::SQLite->_extra($conn, $reply->[2]) if $reply->[2];
    if ($attr || @binds) {    # as prepare and execute would count
        return '0E0' if $reply->[4] || $sql eq '';
        return -1    if $sql =~ $NOTHING;
    }
    return $reply->[0] || '0E0';
}

sub last_insert_id { my ($dbh) = @_; return last_insert_rowid($dbh) }

sub last_insert_rowid {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'get last inserted rowid') if !$conn->{active};
    return $conn->{rowid};
}

# --- attributes -----------------------------------------------------------------------------------------------------------------

sub STORE {
    my ($dbh, $name, $value) = @_;
    return !$value == !$dbh->{AutoCommit} || _store_autocommit($dbh, $value) if $name eq 'AutoCommit';
    return _store($dbh, $name, $value) if $name eq 'ReadOnly' || $name =~ /^(?:sqlite_|unicode\z)/;
    goto &$base_store;
}

sub FETCH {
    my ($dbh, $name) = @_;
    return $dbh->{AutoCommit}                                         if $name eq 'AutoCommit';
    return exists $dbh->{$name} ? $dbh->{$name} : _fetch($dbh, $name) if $name =~ /^(?:sqlite_|unicode\z)/;
    goto &$base_fetch;
}

# --- the end of a connection ----------------------------------------------------------------------------------------------------

sub ping {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 0 if !$conn->{active};
    my $file = $conn->{file};
    return 0 if $file ne '' && $file ne ':memory:' && $file !~ /\Afile:/ && !-f $file;
    return $conn->{session}->usable ? 1 : 0;    # the daemon's end of the socket tells, without a round trip
}

sub DESTROY {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->STORE(Active => 0);
    return if !$conn || !$conn->{active};
    my $ending = defined ${^GLOBAL_PHASE} && ${^GLOBAL_PHASE} eq 'DESTRUCT';
    if (!$ending && !$dbh->{AutoCommit} && !$conn->{ac} && !$dbh->FETCH('InactiveDestroy') && $dbh->FETCH('Warn')) {
        CPANBridge::Driver::warning(
            'Issuing rollback() due to DESTROY without explicit disconnect() of DBD::SQLite::db handle ' . $dbh->{Name})
            if CPANBridge::Driver::mine($conn);
    }
    if (CPANBridge::Driver::mine($conn) && !$dbh->FETCH('InactiveDestroy')) { _close($conn, $dbh) }
    $conn->{active} = 0;
    return;
}

# ================================================================================================================================
package DBD::SQLite::st;

our $imp_data_size = 0;

sub execute {
    my $sth  = shift;
    my $conn = $sth->{bridge_conn};
    return DBD::SQLite->_inactive($sth, 'execute') if !$conn->{active};
    my $params = $sth->{bridge_params};
    return CPANBridge::Driver::st::_again($sth) if $sth->{bridge_canned};
    my $binds;
    if (@_) {
        return CPANBridge::Driver::st::_wrong_count($sth, scalar @_) if @_ != $params;
        ref and $_ = "$_" for @{ $sth->{bridge_binds} = $binds = [@_] };
    }
    elsif ($params) { $binds = $sth->{bridge_binds} ||= [(undef) x $params] }
    my $session = $conn->{session};
    if (my $special = $sth->{bridge_special}) {
        if ($special eq 'ddl') { $conn->{ddl} = 1 }
        else { DBD::SQLite::dr::_tell_where($conn) }
    }
    CPANBridge::Driver::st::_drop_reply($sth, $session) if $sth->{bridge_seq} || $sth->{bridge_reply};
    my $ahead = $conn->{reading} && DBD::SQLite::_before_change($conn, $sth->{Statement}, $sth);
    if ($sth->{bridge_ran_ahead}) { $sth->{bridge_cache} = delete($sth->{bridge_ran_ahead})->[0] }
    my $mode = @{ $sth->{NAME} } ? CPANBridge::Driver::st::_mode($sth) : '0';
    my $max  = ($sth->{bridge_cache} || 0) == 1 ? 1 : undef;
    my ($image, $reply, $error);
    if ($binds) {
        if ($sth->{bridge_typed} || $conn->{see_number}) { $binds = _typed($sth, $binds) }
        elsif (!$ahead) { $image = CPANBridge::Driver::st::_execution($sth, $binds, $mode, $max) }
    }
    {
        local $@;
        my @wanted = $ahead ? (undef, DBD::SQLite::_wanted($ahead)) : ();
        $reply = eval {
            $session->request('sqlite.execute', $image || [$sth->{bridge_id}, $binds, $mode, $max, @wanted], $image);
        };
        $error = $@ if !$reply;
    }
    return DBD::SQLite->_fail($sth, $error)     if !$reply;
    DBD::SQLite::_brought($ahead, $reply->[5]) if $ahead;
    if ($reply->[2] && (!$reply->[1] || @{ $reply->[2] } > 1)) {
        delete $sth->{bridge_stale};
        CPANBridge::Driver::weaken($conn->{reading}{ $sth->{bridge_id} } = $sth);
    }
    my $count = CPANBridge::Driver::st::_executed($sth, $conn, $reply);
    return $count < 0 ? '0E0' : $count;    # -1: there was nothing to execute
}

sub FETCH {
    my ($sth, $name) = @_;
    return _fetch($sth, $name)
        if $name =~ /^(?:TYPE|NULLABLE|PRECISION|SCALE|ParamValues|ParamTypes|CursorName|RowsInCache|sqlite_\w+)\z/
        || !$sth->{bridge_conn}{active} && $name =~ /^(?:NAME|NUM_OF_PARAMS)\z/;
    return $sth->{NAME} if $name eq 'NAME';
    goto &$base_fetch;
}

1;

__END__

=encoding utf8

=head1 NAME

DBD::SQLite - SQLite databases for DBI, by way of the cpan-bridge daemon

=head1 SYNOPSIS

    use DBI;
    my $dbh = DBI->connect("dbi:SQLite:dbname=$file", '', '', { RaiseError => 1 });
    $dbh->do('CREATE TABLE sale (day TEXT, amount REAL)');
    $dbh->do('INSERT INTO sale VALUES (?, ?)', undef, '2024-01-31', 12.5);
    print $dbh->selectrow_array('SELECT sum(amount) FROM sale'), "\n";

=head1 DESCRIPTION

A driver for DBI with the interface of the module of this name on CPAN, version 1.72. SQLite is not loaded into the perl process: it
runs in the bridge's daemon, and rows come over in batches, the next one while the script works on the last. Scripts need
nothing beyond perl's core and the C<cpan-bridge> program. The driver runs under the bridge's own L<DBI> and under an installed one.

=head1 SQLITE VERSION

C<$DBD::SQLite::sqlite_version> ("3.x.y") and C<$DBD::SQLite::sqlite_version_number> (3xxxyyy) tell the version of the SQLite library in
the daemon, as does C<< $dbh->{sqlite_version} >>; C<DBD::SQLite::compile_options()> tells how it was built. Reading them asks the daemon.

=head1 NOTABLE DIFFERENCES FROM OTHER DRIVERS

=head2 Database name is a file name

    DBI->connect("dbi:SQLite:dbname=/data/sales.db");    # also db=, database=, or just the name
    DBI->connect("dbi:SQLite:dbname=:memory:");          # in memory, private, gone with the handle
    DBI->connect("dbi:SQLite:dbname=");                  # the same in a temporary file
    DBI->connect("dbi:SQLite:uri=file:/data/sales.db?mode=ro");

The file is made if it does not exist. A relative name is looked up in the script's current folder. Further C<name=value> pairs,
separated by semicolons, are attributes: C<dbi:SQLite:dbname=sales.db;AutoCommit=0;sqlite_string_mode=6>.

=head2 Read-only databases

Give C<< ReadOnly => 1 >>, or C<sqlite_open_flags> with C<SQLITE_OPEN_READONLY> of L<DBD::SQLite::Constants>, to C<connect>. Set later,
C<ReadOnly> is advisory, and the driver warns.

=head2 fork

A handle belongs to the process that opened it. In a child its use is an error that says so, and its destruction there changes
nothing for the parent. Connect anew in the child.

=head2 Blobs

Values are stored as text unless a type says otherwise. For binary data, bind with a type; fetching needs nothing:

    my $sth = $dbh->prepare('INSERT INTO picture VALUES (?, ?)');
    $sth->bind_param(1, $name);
    $sth->bind_param(2, $bytes, SQL_BLOB);
    $sth->execute;

=head2 Functions and bind parameters

Since values are bound as text, C<HAVING count(*) E<gt> ?> compares a number with text. Bind with C<SQL_INTEGER>, write C<? + 0>, cast, or set
C<sqlite_see_if_its_a_number>, which binds as numbers what looks like one (integers that fit 64 bits, plain decimals) unless a type was given.
The types SQL_INTEGER, SMALLINT, TINYINT, BIGINT and BOOLEAN bind integers; REAL, FLOAT and DOUBLE numbers; BLOB, BINARY, VARBINARY, LONGVARBINARY and
BIT blobs; all others text. A value that does not suit its type is bound as text, with a warning when C<PrintWarn> is on. A type stays with its parameter.

=head2 Placeholders

C<?>, C<?1>, C<:name>, C<@name> and C<$name>. Named ones are bound by name (C<< $sth->bind_param(':name', $value) >>) or by number, in order
of first appearance.

=head2 Pragmas and foreign keys

Pragmas are statements like any other. Foreign keys are enforced after C<PRAGMA foreign_keys = ON>.

=head2 Transactions

With C<AutoCommit> on, C<begin_work> or a C<BEGIN> statement starts a transaction, and C<commit>, C<rollback> or the statements of these
names end it; C<AutoCommit> reads as off in between. With C<AutoCommit> off, a transaction starts by itself with the next statement.
SQLite hears of it with the first statement, as C<BEGIN IMMEDIATE TRANSACTION>, or C<BEGIN TRANSACTION> when C<sqlite_use_immediate_transaction>
is false. What is not committed is undone by C<disconnect>, when the handle goes away, and when the script ends in whatever way.

=head2 Several statements at a time

C<prepare> and C<do> take the first statement of a text. With C<sqlite_allow_multiple_statements>, C<do> runs them all, and
C<< $sth->{sqlite_unprepared_statements} >> holds what C<prepare> left over.

=head2 TYPE

C<< $sth->{TYPE} >> holds the declared types as text, C<VARCHAR> for expressions; with C<sqlite_prefer_numeric_type>, numbers.

=head1 DRIVER PRIVATE ATTRIBUTES

=head2 Database handle attributes

=over 4

=item sqlite_version

The library's version.

=item sqlite_string_mode

How Perl's strings and SQLite's text correspond; constants under the tag C<:dbd_sqlite_string_mode> of L<DBD::SQLite::Constants>.
C<DBD_SQLITE_STRING_MODE_BYTES> (1): both are bytes; characters above 255 are an error. C<_UNICODE_STRICT> (6): characters in Perl, UTF-8 in
SQLite; text that is not UTF-8 is an error. C<_UNICODE_FALLBACK> (5): the same, but such text comes as bytes, with a warning. C<_UNICODE_NAIVE> (4): the same
without the warning. C<_PV> (0), the default for old scripts: what goes in is perl's internal form, what comes out is bytes.

    use DBD::SQLite::Constants ':dbd_sqlite_string_mode';
    my $dbh = DBI->connect("dbi:SQLite:$file", '', '', { sqlite_string_mode => DBD_SQLITE_STRING_MODE_UNICODE_STRICT });

=item sqlite_unicode, unicode

Older names: true is mode 4, false mode 0. Reading them warns.

=item sqlite_allow_multiple_statements, sqlite_use_immediate_transaction, sqlite_see_if_its_a_number, sqlite_prefer_numeric_type

See above. The second is on at first, the others off.

=item sqlite_extended_result_codes

C<err> gives extended result codes (2067 instead of 19 for a violated UNIQUE).

=item sqlite_defensive

SQL cannot harm the database file.

=item sqlite_open_flags

For C<connect>: flags of C<:file_open>.

=back

=head2 Statement handle attributes

C<sqlite_unprepared_statements>, see above.

=head1 METHODS

=head2 table_info

    my $sth = $dbh->table_info(undef, $schema, $table, $type, { Escape => '\\' });

Columns TABLE_CAT (undef), TABLE_SCHEM, TABLE_NAME, TABLE_TYPE (TABLE, VIEW, LOCAL TEMPORARY, SYSTEM TABLE, INDEX, TRIGGER), REMARKS, sqlite_sql. Schema
and table are LIKE patterns; C<$type> is a list with commas. DBI's three special forms list catalogs, schemas and types.

=head2 column_info, primary_key_info, primary_key, foreign_key_info, statistics_info

As L<DBI> describes them; what SQLite does not know is undef. UPDATE_RULE and DELETE_RULE are 0 CASCADE, 1 RESTRICT, 2 SET NULL, 3 NO ACTION,
4 SET DEFAULT; DEFERRABILITY is 5 INITIALLY DEFERRED, 6 INITIALLY IMMEDIATE, 7 NOT DEFERRABLE.

=head2 ping

True when the connection answers and the database file is still there.

=head1 DRIVER PRIVATE METHODS

Each can also be called as C<< $dbh->func(..., NAME) >>, the name without C<sqlite_> (but C<sqlite_trace> keeps it).

=head2 sqlite_last_insert_rowid, sqlite_db_filename, sqlite_busy_timeout

    my $id   = $dbh->sqlite_last_insert_rowid;      # as last_insert_id
    my $file = $dbh->sqlite_db_filename;            # empty for databases in memory
    $dbh->sqlite_busy_timeout(5000);                # milliseconds; without an argument: what it is

=head2 sqlite_create_function( $name, $argc, $code, $flags )

    $dbh->sqlite_create_function(now => 0, sub { time });
    $dbh->do('INSERT INTO log VALUES (now())');

C<$argc> -1 takes any number of arguments. The answer is a number or text as Perl has it, or C<[$value, $sql_type]>. If the code dies, the
statement fails with its text. C<undef> as code takes the function away. The code may use the same C<$dbh>.

The operator C<REGEXP> is there from the start: C<< WHERE name REGEXP '^A' >>, Perl's regular expressions.

=head2 sqlite_create_collation( $name, $code ), sqlite_collation_needed( $code )

    $dbh->sqlite_create_collation(by_length => sub { length $_[0] <=> length $_[1] });

C<$code> of the second is called with the handle and a name when a collation is not known. See L</COLLATION FUNCTIONS> for the easier way.

=head2 sqlite_create_aggregate( $name, $argc, $package, $flags )

The package has C<new>, C<step(@values)> (once a row) and C<finalize> (the answer). Errors in them are warned of, and the answer is NULL.

    package Longest;
    sub new      { bless { text => '' } }
    sub step     { my ($self, $text) = @_; $self->{text} = $text if length $text > length $self->{text} }
    sub finalize { $_[0]{text} }

    $dbh->sqlite_create_aggregate(longest => 1, 'Longest');

=head2 sqlite_progress_handler( $n, $code )

Called every C<$n> instructions of SQLite; a true answer interrupts the statement.

=head2 sqlite_commit_hook( $code ), sqlite_rollback_hook( $code ), sqlite_update_hook( $code )

Called at each commit (a true answer makes it a rollback), at each rollback, and for each changed row with the action, the database, the table and
the rowid. Each returns the code that was there before.

=head2 sqlite_set_authorizer( $code )

Asked while statements are prepared, with an action code (L</DRIVER CONSTANTS>) and four texts; answers C<DBD::SQLite::OK>, C<DENY> or C<IGNORE>.

=head2 sqlite_backup_from_file, sqlite_backup_to_file, sqlite_backup_from_dbh, sqlite_backup_to_dbh

    $dbh->sqlite_backup_to_file("$file.bak") or die $dbh->errstr;

=head2 sqlite_enable_load_extension( $bool ), sqlite_load_extension( $file, $entry )

The extension is loaded into the daemon.

=head2 sqlite_trace( $code ), sqlite_profile( $code )

Called with each statement as it starts, values filled in; and with each statement's text and milliseconds when it ends.

=head2 sqlite_table_column_metadata, sqlite_db_status, sqlite_st_status, sqlite_db_config, sqlite_limit, sqlite_get_autocommit, sqlite_txn_state, sqlite_error_offset

    my $facts = $dbh->sqlite_table_column_metadata('main', 'sale', 'day');    # data_type, collation_name, not_null, primary, auto_increment
    my $used  = $dbh->sqlite_db_status->{cache_used}{current};                 # argument 0: reset
    my $scans = $sth->sqlite_st_status->{fullscan_step};
    $dbh->sqlite_db_config(SQLITE_DBCONFIG_DEFENSIVE, 1);                      # -1: only tell
    $dbh->sqlite_limit(SQLITE_LIMIT_SQL_LENGTH, 100_000);                      # tells what it was

=head2 sqlite_create_module( $name, $class )

Registers a class of virtual tables, see L<DBD::SQLite::VirtualTable>.

=head1 DRIVER FUNCTIONS

C<DBD::SQLite::compile_options()>, C<DBD::SQLite::sqlite_status()> (of the daemon's library, all its users together), C<DBD::SQLite::strlike($pattern,
$text, $escape)> and C<DBD::SQLite::strglob($pattern, $text)> (0 when they match).

=head1 DRIVER CONSTANTS

C<OK>, C<DENY>, C<IGNORE>, the action codes C<CREATE_INDEX> ... C<RECURSIVE> and the C<OPEN_> flags as functions of this package
(C<DBD::SQLite::DENY>); all constants of the library in L<DBD::SQLite::Constants>.

=head1 COLLATION FUNCTIONS

SQLite has BINARY, NOCASE and RTRIM. C<perl> (Perl's C<cmp>) and C<perllocale> (C<cmp> under C<use locale>) come with the driver, and what is put
into C<%DBD::SQLite::COLLATION> is found when a statement names it:

    $DBD::SQLite::COLLATION{caseless} = sub { lc $_[0] cmp lc $_[1] };
    my $names = $dbh->selectcol_arrayref('SELECT name FROM person ORDER BY name COLLATE caseless');

Entries cannot be replaced or deleted; C<tied %DBD::SQLite::COLLATION> is the hash beneath for those who must.

=head1 FULLTEXT SEARCH

The modules FTS3, FTS4 and FTS5 are there. Tokenizers of FTS3 and FTS4 can be written in Perl:

    $dbh->do(q{CREATE VIRTUAL TABLE page USING fts4(text, tokenize=perl 'main::words')});

    sub words {
        return sub {
            my ($text) = @_;
            my $index = 0;
            return sub { $text =~ /(\w+)/g or return; return (lc $1, length $1, $-[0], $+[0], $index++) };
        };
    }

=head1 R* TREE SUPPORT

The module C<rtree> is there.

=head1 VIRTUAL TABLES IMPLEMENTED IN PERL

See L<DBD::SQLite::VirtualTable>; L<DBD::SQLite::VirtualTable::PerlData> and L<DBD::SQLite::VirtualTable::FileContent> are ready for use.

=head1 WHAT IS DIFFERENT, WHAT IS MISSING

=over 4

=item *

Rows are fetched ahead. A select that has been executed may already have finished in SQLite: tables it read can be dropped, functions
it calls in Perl are called for rows the script has not fetched yet, and an error in a later row shows when the script gets there. What the
script changes on the same connection shows in the rows to come as ever: the select is then taken back to where the script is, and goes on row by row.
Not taken back are selects that call C<random>, whose data another connection has changed meanwhile, or whose text does not name the
table that is changed (but a view of it, or a table that a trigger changes). Where that matters, read nothing ahead:

    my $sth = $dbh->prepare('SELECT id FROM job ORDER BY random()', { RowCacheSize => 1 });

C<RowCacheSize> of the database handle counts for the statements prepared after it was set. Each row is then a round trip to the daemon.

=item *

Each call of Perl code from SQLite is a message to the script and back. Functions over many rows cost some ten microseconds a row.

=item *

Steps of an aggregate reach Perl some dozens of rows at a time; the rows of virtual tables likewise, with the columns the statement uses.

=item *

A surplus commit or rollback after C<disconnect> fails and returns false.

=item *

Extensions, C<SQLITE_CONFIG_*> settings and C<sqlite_status> belong to the daemon, not to one script.

=item *

Custom queries of R-Trees (callbacks), blob streams, and the C source of SQLite for authors of extensions are not offered.

=back

=head1 SEE ALSO

L<DBI>, L<DBD::SQLite::Constants>, L<https://www.sqlite.org/lang.html>

=cut
