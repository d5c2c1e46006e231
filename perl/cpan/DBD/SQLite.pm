package DBD::SQLite;

# The DBI driver for SQLite. The library itself lives in the bridge's daemon; this side speaks DBI's driver interface and the
# functions `sqlite.*` of the daemon.
#
# THE MAP
#   this file                    connect, prepare, execute, fetch, do, transactions: what every script needs
#   DBD/SQLite/Attributes.pm     reading and writing the rarer attributes
#   DBD/SQLite/Binding.pm        bind_param and values that are bound with a type
#   DBD/SQLite/Metadata.pm       table_info and its kin, type_info_all, get_info
#   DBD/SQLite/Callbacks.pm      Perl functions, aggregates, collations, hooks, tracing, tokenizers
#   DBD/SQLite/Admin.pm          backup, status, limits, configuration, extensions
#   DBD/SQLite/VirtualTable.pm   tables written in Perl
# All but this file are loaded on first use (%LAZY).
#
# A CONNECTION is a plain hash, shared by the database handle and its statements (inner key bridge_conn):
#   session, id    the bridge session and the number of the connection in it
#   active         0 after disconnect
#   ac             SQLite's own autocommit state, as last reported
#   begin          what the daemon was told about transactions it has to start by itself (0 no, 1 deferred, 2 immediate)
#   rowid          last_insert_rowid as last reported
#   dbh            weak reference to the inner database handle
#   kids           bridge numbers of live statements
# A STATEMENT keeps in its inner handle: bridge_id, bridge_params (how many), bridge_binds, bridge_typed, bridge_got (rows that came
# over), bridge_done, bridge_seq (the batch that was asked for ahead) and, for our own DBI, bridge_rows and its kin.

use strict;
use warnings;
use DBI ();
use CPANBridge ();

our $VERSION = '1.72';
our ($drh, $sqlite_version, $sqlite_version_number, %COLLATION);

# --- the rarer methods, each in the file that holds it -------------------------------------------------------------------

my (%LAZY, %INSTALLED);

sub stub {
    my ($full, $part) = @_;
    no strict 'refs';
    *$full = sub {
        { no warnings 'redefine'; require "DBD/SQLite/$part.pm" }
        no strict 'refs';
        goto &{ *{$full}{CODE} };
    };
    return;
}

BEGIN {
    %LAZY = (
        Metadata  => [ db => qw(table_info column_info primary_key_info foreign_key_info statistics_info type_info_all get_info) ],
        Callbacks => [ db => qw(create_function create_aggregate create_collation collation_needed commit_hook rollback_hook update_hook
                set_authorizer progress_handler sqlite_trace profile register_fts3_perl_tokenizer create_module) ],
        Admin => [ db => qw(backup_from_file backup_to_file backup_from_dbh backup_to_dbh enable_load_extension load_extension
                table_column_metadata db_status db_config limit get_autocommit txn_state error_offset db_filename) ],
        Binding => [ st => qw(bind_param bind_param_inout bind_col) ],
    );
    for my $part (keys %LAZY) {
        my ($type, @names) = @{ $LAZY{$part} };
        stub("DBD::SQLite::${type}::$_", $part) for @names;
    }
    stub('DBD::SQLite::db::_store', 'Attributes');
    stub('DBD::SQLite::db::_fetch', 'Attributes');
    stub('DBD::SQLite::st::_fetch', 'Attributes');
    stub('DBD::SQLite::st::_typed', 'Binding');
    stub('DBD::SQLite::st::execute_for_fetch', 'Batch');
    stub('DBD::SQLite::st::st_status', 'Admin');
    stub("DBD::SQLite::$_", 'Admin') for qw(compile_options sqlite_status strlike strglob _data_sources);
    stub("DBD::SQLite::$_", 'Callbacks') for qw(_regexp _collation_wanted _tokenize _by_locale);
}

# --- constants and versions ------------------------------------------------------------------------------------------------

BEGIN {
    my $number = 0;
    my @action = qw(COPY CREATE_INDEX CREATE_TABLE CREATE_TEMP_INDEX CREATE_TEMP_TABLE CREATE_TEMP_TRIGGER CREATE_TEMP_VIEW
        CREATE_TRIGGER CREATE_VIEW DELETE DROP_INDEX DROP_TABLE DROP_TEMP_INDEX DROP_TEMP_TABLE DROP_TEMP_TRIGGER DROP_TEMP_VIEW
        DROP_TRIGGER DROP_VIEW INSERT PRAGMA READ SELECT TRANSACTION UPDATE ATTACH DETACH ALTER_TABLE REINDEX ANALYZE CREATE_VTABLE
        DROP_VTABLE FUNCTION SAVEPOINT RECURSIVE);
    my %code = (OK => 0, DENY => 1, IGNORE => 2, map { $_ => $number++ } @action);
    my %open = (READONLY => 1, READWRITE => 2, CREATE => 4, URI => 64, MEMORY => 128, SUPER_JOURNAL => 0x4000, NOMUTEX => 0x8000,
        FULLMUTEX => 0x10000, SHAREDCACHE => 0x20000, PRIVATECACHE => 0x40000, NOFOLLOW => 0x1000000, EXRESCODE => 0x2000000);
    $code{"OPEN_$_"} = $open{$_} for keys %open;
    no strict 'refs';
    for my $name (keys %code) { my $value = $code{$name}; *$name = sub () { $value } }
}

sub _weaken {    # DBI's, which may be the built-in one that still calls itself experimental
    no warnings;
    if (!defined &DBI::weaken) { require Scalar::Util; *DBI::weaken = \&Scalar::Util::weaken }
    return DBI::weaken($_[0]);
}

sub _library_version {    # [ "3.x.y", number ]
    our $library;
    $library ||= CPANBridge->session->request('sqlite.version', []);
    return $library;
}

{    # the version variables ask the library when somebody reads them
    package DBD::SQLite::Version;
    sub TIESCALAR { my ($class, $index) = @_; return bless \$index, $class }
    sub FETCH     { return DBD::SQLite::_library_version()->[ ${ $_[0] } ] }
    sub STORE     { require Carp; Carp::croak('The version of the SQLite library cannot be set') }
    tie $DBD::SQLite::sqlite_version,        __PACKAGE__, 0;
    tie $DBD::SQLite::sqlite_version_number, __PACKAGE__, 1;
}

{    # %DBD::SQLite::COLLATION takes new entries but does not let go of old ones
    package DBD::SQLite::Collations;
    sub TIEHASH { return bless {}, $_[0] }

    sub STORE {
        my ($self, $name, $code) = @_;
        DBD::SQLite::_croak("entry $name already registered") if exists $self->{$name};
        return $self->{$name} = $code;
    }
    sub DELETE   { return DBD::SQLite::_croak("deletion of entry $_[1] is forbidden") }
    sub CLEAR    { return DBD::SQLite::_croak('deletion of all entries is forbidden') }
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
    $drh = DBI::_new_drh("${class}::dr", { Name => 'SQLite', Version => $VERSION, Attribution => 'DBD::SQLite by Matt Sergeant et al' });
    return $drh;
}

sub CLONE { undef $drh; our $library; undef $library; return }

# Every private method has two names: x for $h->func(..., 'x') and sqlite_x for $h->sqlite_x(...).
sub _install_methods {
    return if $INSTALLED{all}++;
    my @db = (qw(last_insert_rowid busy_timeout), @{ $LAZY{Callbacks} }[ 1 .. $#{ $LAZY{Callbacks} } ],
        @{ $LAZY{Admin} }[ 1 .. $#{ $LAZY{Admin} } ]);
    _install_method('db', $_) for @db;
    _install_method('st', 'st_status');
    return;
}

sub _install_method {
    my ($type, $short) = @_;
    (my $long = $short) =~ s/^(?:sqlite_)?/sqlite_/;
    no strict 'refs';
    if ($long ne $short) {
        *{"DBD::SQLite::${type}::$long"} = sub { goto &{ *{"DBD::SQLite::${type}::$short"}{CODE} } };
    }
    my $keep = $short =~ /^(?:error_offset|db_filename|st_status)\z/;    # these leave the error of the call before in place
    if ($DBI::BRIDGE) { *{"DBI::${type}::$long"} = ($keep ? \&DBI::keeper : \&DBI::dispatcher)->($long, 0, -1, 0, '') }
    else { "DBD::SQLite::$type"->install_method($long, $keep ? { O => 0x0004 } : ()) }
    return;
}

# --- errors and warnings --------------------------------------------------------------------------------------------------------

sub _caller {    # " at FILE line N.\n" of the script
    my $depth = 1;
    my ($package, $file, $line);
    while (($package, $file, $line) = caller $depth++) { last if $package !~ /^(?:DBI|DBD|CPANBridge)(?:::|\z)/ }
    return ' at ' . (defined $file ? $file : '-') . ' line ' . (defined $line ? $line : 0) . ".\n";
}

sub _croak { die $_[0] . _caller() }
sub _warn  { warn $_[0] . _caller(); return }

sub _mine {    # whether this process (and thread) opened the connection: a child of fork must leave it alone
    my ($conn) = @_;
    my $session = $conn->{session} or return 0;
    return !$session->{lost} && $session->{owner} == $$ + $CPANBridge::Session::THREAD;
}

sub _inactive {
    my ($h, $what) = @_;
    $h->set_err(-2, "attempt to $what on inactive database handle");
    return;
}

sub _fail {    # what a call died of becomes the handle's error
    my ($h, $error) = @_;
    my $conn = $h->{bridge_conn};
    if ($conn) {
        _thrown($conn) if $conn->{died};
        _look_at_transaction($conn) if !$conn->{ac} && $conn->{active};
    }
    if (!ref $error) {
        $error =~ s/ at \S+ line \d+\.\n\z//;
        $h->set_err($DBI::stderr, $error);
        return;
    }
    _croak($error->{errstr} || $error->{message}) if ($error->{code} || '') eq 'croak';
    my $err = $error->{err} || $DBI::stderr;
    my $text = defined $error->{errstr} && length $error->{errstr} ? $error->{errstr} : $error->{message};
    $h->set_err($err, $text, $error->{state} && $error->{state} ne 'HY000' ? $error->{state} : 'S1000');
    return;
}

# One call to the daemon for a handle: the reply, or nothing with the handle's error set.
sub _call {
    my ($h, $function, @params) = @_;
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $h->{bridge_conn}{session}->request("sqlite.$function", \@params) };
        $error = $@ if !$reply;
    }
    return _fail($h, $error) if !$reply;
    _thrown($h->{bridge_conn}) if $h->{bridge_conn}{died};
    return $reply;
}

sub _thrown {    # a hook died while SQLite ran: the script sees it now
    my ($conn) = @_;
    my $died = delete $conn->{died};
    die $died->[0];
}

sub _look_at_transaction {    # an error may have ended the transaction
    my ($conn) = @_;
    local $@;
    my $reply = eval { $conn->{session}->request('sqlite.get_autocommit', [ $conn->{id} ]) } or return;
    _extra($conn, { ac => $reply->[0] });
    return;
}

sub _extra {    # what rode along with a reply
    my ($conn, $extra) = @_;
    if ($extra->{warn}) { _warn($_) for @{ $extra->{warn} } }
    return if !defined $extra->{ac} || $extra->{ac} == $conn->{ac};
    my $ac  = $conn->{ac} = $extra->{ac};
    my $dbh = $conn->{dbh} || return;
    if ($ac) { _leave_work($dbh) if $dbh->FETCH('BegunWork') }
    elsif ($dbh->{AutoCommit}) { $dbh->{AutoCommit} = ''; $dbh->STORE(BegunWork => 1) }
    return;
}

sub _leave_work {    # a COMMIT or ROLLBACK given as a statement has ended what begin_work began
    my ($dbh) = @_;
    $dbh->STORE(BegunWork => 0);
    $dbh->{AutoCommit} = 1;
    _tell_begin($dbh->{bridge_conn}, 0);
    return;
}

sub _tell_begin {
    my ($conn, $begin) = @_;
    return if $conn->{begin} == $begin;
    $conn->{begin} = $begin;
    $conn->{session}->oneway('sqlite.config', [ $conn->{id}, { begin => $begin } ]);
    return;
}

# ================================================================================================================================
package DBD::SQLite::dr;

our $imp_data_size = 0;

my $next_id = 0;

sub _next_id { return ++$next_id }    # numbers of connections and statements

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    $attr ||= {};
    my ($file, $flags) = _source($dsn, $attr);
    my %option = (flags => $flags, busy_timeout => 30_000);
    my $mode = DBD::SQLite::db::_string_mode($attr);
    $option{string_mode} = $mode;
    $option{extended}    = 1 if $attr->{sqlite_extended_result_codes};
    $option{defensive}   = $attr->{sqlite_defensive} ? 1 : 0 if defined $attr->{sqlite_defensive};
    my ($outer, $dbh) = DBI::_new_dbh($drh, { Name => defined $dsn ? $dsn : '' });
    my $conn = { id => ++$next_id, active => 1, ac => 1, begin => 0, rowid => 0, kids => {}, mode => $mode, file => $file };
    DBD::SQLite::_weaken($conn->{dbh} = $dbh);
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            my $session = $conn->{session} = CPANBridge->session;
            my $c = $conn;
            DBD::SQLite::_weaken($c);
            $option{regexp}           = $session->callback(sub { DBD::SQLite::_regexp($c, @_) });
            $option{collation_needed} = $session->callback(sub { DBD::SQLite::_collation_wanted($c, @_) });
            my $tokenize = $session->callback(\&DBD::SQLite::_tokenize);
            $conn->{callbacks} = { regexp => $option{regexp}, collation_needed => $option{collation_needed}, tokenize => $tokenize };
            my $opened = $session->request('sqlite.open', [ $conn->{id}, $file, \%option ]);
            $session->oneway('sqlite.register_fts3_perl_tokenizer', [ $conn->{id}, $tokenize ]);
            $opened;
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { DBD::SQLite::_fail($drh, $error); return }
    $dbh->{bridge_conn} = $conn;
    $dbh->{AutoCommit}  = 1;
    $dbh->STORE(Active => 1);
    $dbh->{sqlite_version}                   = $reply->[0];
    $dbh->{sqlite_string_mode}               = $mode;
    $dbh->{sqlite_use_immediate_transaction} = 1;
    $dbh->{$_} = 0
        for qw(sqlite_see_if_its_a_number sqlite_allow_multiple_statements sqlite_extended_result_codes sqlite_prefer_numeric_type);
    delete @$attr{qw(sqlite_unicode unicode)};
    for my $name (grep { /^sqlite_/ } keys %$attr) { $dbh->STORE($name => delete $attr->{$name}) }
    delete $attr->{ReadOnly};
    if ($flags & 0x01) { $dbh->{ReadOnly} = $conn->{read_only} = 1 }
    return $outer;
}

# "dbname=FILE;name=value" or "FILE": the file as the daemon can open it, and the flags. Attributes in the DSN go into %$attr.
sub _source {
    my ($dsn, $attr) = @_;
    my ($file, $uri) = (defined $dsn ? $dsn : '', 0);
    if ($file =~ /=/) {
        my @parts = split /;/, $file;
        $file = '';
        for my $part (@parts) {
            if    ($part =~ /\A(?:db(?:name)?|database)=(.*)\z/s) { $file = $1 }
            elsif ($part =~ /\Auri=(.*)\z/s)                      { ($file, $uri) = ($1, 1) }
            elsif ($part =~ /\A(\w+)=(.*)\z/s)                    { $attr->{$1} = $2 }
            elsif ($file eq '')                                   { $file = $part }
        }
    }
    utf8::encode($file) if utf8::is_utf8($file);
    my $flags = $attr->{sqlite_open_flags} || 0;
    if ($attr->{ReadOnly}) { $flags = ($flags & ~0x06) | 0x01 }
    $flags ||= 0x06;
    $flags |= 0x06 if !($flags & 0x07);
    if ($uri) { $flags |= 0x40 }
    return ($file, $flags) if $file eq '' || $file eq ':memory:' || $file =~ m{\A/};
    return (_absolute_uri($file), $flags) if $flags & 0x40 && $file =~ /\Afile:/;
    return (_cwd() . "/$file", $flags);
}

sub _absolute_uri {    # file:relative/path?query
    my ($uri) = @_;
    my ($path, $rest) = $uri =~ /\Afile:([^?#]*)(.*)\z/s;
    return $uri if $path =~ m{\A/} || $path eq '' || $path eq ':memory:' || $rest =~ /[?&]mode=memory\b/;
    (my $cwd = _cwd()) =~ s/([%?#])/sprintf '%%%02x', ord $1/ge;
    return "file:$cwd/$path$rest";
}

sub _cwd {
    my $cwd = readlink '/proc/self/cwd';
    return $cwd if defined $cwd && $cwd =~ m{\A/} && $cwd !~ / \(deleted\)\z/;
    require Cwd;
    return Cwd::getcwd();
}

sub data_sources { return }
sub disconnect_all { return }

# ================================================================================================================================
package DBD::SQLite::db;

our $imp_data_size = 0;

sub _string_mode {    # from connect attributes; sqlite_unicode is the older name of two of the modes
    my ($attr) = @_;
    if (exists $attr->{sqlite_string_mode}) {
        my $mode = $attr->{sqlite_string_mode} || 0;
        DBD::SQLite::_croak("Invalid value ($mode) given for sqlite_string_mode") if $mode !~ /\A[0-6]\z/;
        return $mode;
    }
    for my $name (qw(sqlite_unicode unicode)) {
        next if !exists $attr->{$name};
        _deprecated($name) if $name eq 'unicode';
        return $attr->{$name} ? 4 : 0;
    }
    return 0;
}

sub _deprecated { DBD::SQLite::_warn(qq{"$_[0]" attribute will be deprecated. Use "sqlite_string_mode" instead.}); return }

sub prepare {
    my ($dbh, $sql, $attr) = @_;
    $sql = '' if !defined $sql;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite::_inactive($dbh, 'prepare') if !$conn->{active};
    my $id = ++$next_id;
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request('sqlite.prepare', [ $conn->{id}, $id, "$sql" ]) };
        $error = $@ if !$reply;
    }
    return DBD::SQLite::_fail($dbh, $error) if !$reply;
    my ($params, $names, $columns, undef, $tail) = @$reply;
    my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $sql });
    @$sth{qw(bridge_conn bridge_id bridge_params bridge_got)} = ($conn, $id, $params, -1);
    $sth->{bridge_param_names} = $names if $names;
    $sth->{NUM_OF_PARAMS} = $params;
    $sth->STORE(NUM_OF_PARAMS => $params) if !$DBI::BRIDGE;
    _columns($sth, $columns || []);
    $sth->{sqlite_unprepared_statements} = defined $tail ? $tail : '' if $dbh->{sqlite_allow_multiple_statements};
    return $outer;
}

sub _columns {
    my ($sth, $columns) = @_;
    if ($DBI::BRIDGE) { $sth->{NUM_OF_FIELDS} = @$columns }
    else              { $sth->STORE(NUM_OF_FIELDS => scalar @$columns) }
    $sth->{NAME} = $columns;
    return;
}

sub do {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite::_inactive($dbh, 'do') if !$conn->{active};
    $sql = '' if !defined $sql;
    ref and $_ = "$_" for @binds;
    my $multi = $dbh->{sqlite_allow_multiple_statements} ? 1 : 0;
    my ($reply, $error);
    my $binds = @binds ? $dbh->{sqlite_see_if_its_a_number} ? DBD::SQLite::st::_typed($dbh, \@binds) : \@binds : undef;
    {
        local $@;
        $reply = eval { $conn->{session}->request('sqlite.do', [ $conn->{id}, "$sql", $binds, $multi ]) };
        $error = $@ if !$reply;
    }
    return DBD::SQLite::_fail($dbh, $error) if !$reply;
    DBD::SQLite::_thrown($conn) if $conn->{died};
    $conn->{rowid} = $reply->[3];
    DBD::SQLite::_extra($conn, $reply->[2]) if $reply->[2];
    return '0E0' if ($attr || @binds) && $reply->[4];
    return $reply->[0] || '0E0';
}

sub quote {
    my ($dbh, $value, $type) = @_;
    return 'NULL' if !defined $value;
    if (defined $type && $type =~ /\A(?:-7|-4|-3|-2|30)\z/) {    # the binary types
        my $bytes = "$value";
        utf8::downgrade($bytes, 1) or DBD::SQLite::_croak('Wide character in subroutine entry');
        return "X'" . unpack('H*', $bytes) . "'";
    }
    (my $text = $value) =~ s/'/''/g;
    return "'$text'";
}

sub last_insert_id { my ($dbh) = @_; return last_insert_rowid($dbh) }

sub last_insert_rowid {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite::_inactive($dbh, 'get last inserted rowid') if !$conn->{active};
    return $conn->{rowid};
}

sub busy_timeout {
    my ($dbh, $ms) = @_;
    return DBD::SQLite::_inactive($dbh, 'set busy timeout') if !$dbh->{bridge_conn}{active};
    my $reply = DBD::SQLite::_call($dbh, 'busy_timeout', $dbh->{bridge_conn}{id}, defined $ms ? int $ms : undef) or return;
    return $reply->[0];
}

# --- transactions ----------------------------------------------------------------------------------------------------------

sub begin_work {
    my ($dbh) = @_;
    if (!$dbh->{AutoCommit}) { $dbh->set_err($DBI::stderr, 'Already in a transaction'); return }
    $dbh->{AutoCommit} = '';
    $dbh->STORE(BegunWork => 1);
    DBD::SQLite::_tell_begin($dbh->{bridge_conn}, _begin_kind($dbh)) if $dbh->{bridge_conn}{active};
    return 1;
}

sub _begin_kind { return $_[0]{sqlite_use_immediate_transaction} ? 2 : 1 }

sub commit   { return _end($_[0], 'commit',   'COMMIT TRANSACTION') }
sub rollback { return _end($_[0], 'rollback', 'ROLLBACK TRANSACTION') }

sub _end {
    my ($dbh, $what, $sql) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite::_inactive($dbh, $what) if !$conn->{active};
    if ($dbh->{AutoCommit}) {
        DBD::SQLite::_warn("$what ineffective with AutoCommit enabled") if $dbh->FETCH('Warn');
        return 1;
    }
    if (!$conn->{ac}) { _run($dbh, $sql) or return '' }
    if ($dbh->FETCH('BegunWork')) { DBD::SQLite::_leave_work($dbh) }
    return 1;
}

sub _run {    # a statement of the driver's own
    my ($dbh, $sql) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $reply = DBD::SQLite::_call($dbh, 'do', $conn->{id}, $sql) or return;
    if (my $extra = $reply->[2]) {
        $conn->{ac} = $extra->{ac} if defined $extra->{ac};
        if ($extra->{warn}) { DBD::SQLite::_warn($_) for @{ $extra->{warn} } }
    }
    return $reply;
}

sub _store_autocommit {
    my ($dbh, $on) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($on) {
        if (!$dbh->{AutoCommit}) {
            if ($conn->{active} && !$conn->{ac}) { _run($dbh, 'COMMIT TRANSACTION') or return }
            DBD::SQLite::_tell_begin($conn, 0) if $conn->{active};
        }
    }
    else { DBD::SQLite::_tell_begin($conn, _begin_kind($dbh)) if $conn->{active} }
    $dbh->{AutoCommit} = $on ? 1 : '';
    return 1;
}

# --- attributes -----------------------------------------------------------------------------------------------------------------

sub STORE {
    my ($dbh, $name, $value) = @_;
    return _store_autocommit($dbh, $value) if $name eq 'AutoCommit';
    return _store($dbh, $name, $value) if $name eq 'ReadOnly' || $name =~ /^(?:sqlite_|unicode\z)/;
    return $dbh->SUPER::STORE($name, $value);
}

sub FETCH {
    my ($dbh, $name) = @_;
    return $dbh->{AutoCommit} if $name eq 'AutoCommit';
    return exists $dbh->{$name} ? $dbh->{$name} : _fetch($dbh, $name) if $name =~ /^(?:sqlite_|unicode\z)/;
    return $dbh->SUPER::FETCH($name);
}

# --- the end of a connection ----------------------------------------------------------------------------------------------------

sub ping {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 0 if !$conn->{active};
    my $file = $conn->{file};
    return 0 if $file ne '' && $file ne ':memory:' && $file !~ /\Afile:/ && !-f $file;
    local $@;
    return eval { $conn->{session}->request('sqlite.get_autocommit', [ $conn->{id} ]) } ? 1 : 0;
}

sub disconnect {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 1 if !$conn || !$conn->{active};
    my $kids = $dbh->FETCH('ActiveKids');
    if ($kids && $dbh->FETCH('Warn')) {
        my $handle = $DBI::BRIDGE ? DBI::Bridge::outer($dbh) : $dbh;
        DBD::SQLite::_warn(sprintf '%s->disconnect invalidates %d active statement handle%s '
                . '(either destroy statement handles or call finish on them before disconnecting)', $handle, $kids, $kids == 1 ? '' : 's');
    }
    for my $sth (grep { $_ } @{ $dbh->{bridge_kids} || [] }) { delete @$sth{qw(bridge_rows bridge_held bridge_hash_rows)} }
    _close($conn, $dbh);
    $dbh->STORE(Active => 0);
    return 1;
}

# Closing undoes what was not committed. It is waited for: files that were open can be removed or opened anew after disconnect.
sub _close {
    my ($conn, $dbh) = @_;
    $conn->{active} = 0;
    return if !$conn->{session};
    local $@;
    my $ok = eval { $conn->{session}->request('sqlite.close', [ $conn->{id} ]); 1 };
    eval { $conn->{session}->drop_callback($_) for values %{ $conn->{callbacks} } };
    $conn->{callbacks} = {};
    return $ok;
}

sub DESTROY {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    $dbh->STORE(Active => 0);
    return if !$conn || !$conn->{active};
    if (!$dbh->{AutoCommit} && !$conn->{ac} && !$dbh->FETCH('InactiveDestroy') && $dbh->FETCH('Warn')) {
        DBD::SQLite::_warn('Issuing rollback() due to DESTROY without explicit disconnect() of DBD::SQLite::db handle ' . $dbh->{Name})
            if DBD::SQLite::_mine($conn);
    }
    if (DBD::SQLite::_mine($conn) && !$dbh->FETCH('InactiveDestroy')) { _close($conn, $dbh) }
    $conn->{active} = 0;
    return;
}

# --- one round trip for prepare, execute, fetch and finish (our own DBI asks for it) ------------------------------------------------

sub bridge_select {
    my ($dbh, $sql, $attr, $binds, $mode, $max) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite::_inactive($dbh, 'prepare') if !$conn->{active};
    return '' if $attr && grep { /^(?:sqlite_|Callbacks)/ } keys %$attr;
    return '' if $dbh->{ChopBlanks} || $mode eq 'hash' && ($dbh->{FetchHashKeyName} || 'NAME') ne 'NAME';
    my @binds = @$binds;
    ref and $_ = "$_" for @binds;
    my $id = ++$next_id;
    my $limit = $mode eq 'row' ? -1 : $max ? -$max : undef;
    my $send = @binds ? $dbh->{sqlite_see_if_its_a_number} ? DBD::SQLite::st::_typed($dbh, \@binds) : \@binds : undef;
    my ($reply, $error);
    my $session = $conn->{session};
    my $as = $mode eq 'hash' ? 'h' : 'a';
    {
        local $@;
        $reply = eval {
            my $first = $session->request('sqlite.select', [ $conn->{id}, $id, "$sql", $send, $as, $limit ]);
            my ($done, $rows) = @$first[ 1, 2 ];
            while (!$done) {
                my $more = $session->request('sqlite.fetch', [ $id, undef, $as ]);
                push @$rows, @{ $more->[1] };
                $done = $more->[0];
            }
            $first;
        };
        $error = $@ if !$reply;
    }
    return DBD::SQLite::_fail($dbh, $error) if !$reply;
    DBD::SQLite::_extra($conn, $reply->[3]) if $reply->[3];
    return $reply->[2] || [];
}

# ================================================================================================================================
package DBD::SQLite::st;

our $imp_data_size = 0;

sub execute {
    my $sth  = shift;
    my $conn = $sth->{bridge_conn};
    return DBD::SQLite::_inactive($sth, 'execute') if !$conn->{active};
    my $params = $sth->{bridge_params};
    my $binds;
    if (@_) {
        return _wrong_count($sth, scalar @_) if @_ != $params;
        ref and $_ = "$_" for @{ $sth->{bridge_binds} = $binds = [@_] };
    }
    elsif ($params) { $binds = $sth->{bridge_binds} ||= [ (undef) x $params ] }
    my $session = $conn->{session};
    if (my $seq = delete $sth->{bridge_seq}) { $session->forget($seq) }
    if ($binds && ($sth->{bridge_typed} || $conn->{see_number})) { $binds = _typed($sth, $binds) }
    my $fields = @{ $sth->{NAME} };
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $session->request('sqlite.execute', [ $sth->{bridge_id}, $binds, $fields ? $sth->{bridge_mode} || 'a' : '0' ]) };
        $error = $@ if !$reply;
    }
    return DBD::SQLite::_fail($sth, $error) if !$reply;
    DBD::SQLite::_thrown($conn) if $conn->{died};
    my ($changes, $done, $rows, $extra) = @$reply;
    $conn->{rowid} = $reply->[4] if defined $reply->[4];
    if ($extra) {
        DBD::SQLite::_extra($conn, $extra);
        if ($extra->{columns}) { _new_columns($sth, $extra->{columns}); $fields = @{ $extra->{columns} } }
    }
    if (!$fields) {
        $sth->{bridge_got} = $changes;
        return $changes || '0E0';
    }
    $sth->{bridge_got}  = $rows ? @$rows : 0;
    $sth->{bridge_done} = $done;
    _ask_ahead($sth, $session) if !$done;
    _arrived($sth, $rows) if $rows;
    if   ($DBI::BRIDGE) { $sth->{Active} = 1 }
    else                { $sth->STORE(Active => 1) }
    return '0E0';
}

sub _wrong_count {
    my ($sth, $count) = @_;
    $sth->set_err(-1, "called with $count bind variables when $sth->{bridge_params} are needed");
    return;
}

sub _new_columns {    # the schema has changed since prepare
    my ($sth, $columns) = @_;
    delete @$sth{qw(TYPE NULLABLE NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash bridge_fbav bridge_distinct)};
    local $@;
    eval { DBD::SQLite::db::_columns($sth, $columns) };
    $sth->{NAME} = $columns;
    return;
}

sub _ask_ahead {    # the next batch is on its way while the script works on this one
    my ($sth, $session) = @_;
    $sth->{bridge_seq} = $session->post('sqlite.fetch', [ $sth->{bridge_id}, undef, $sth->{bridge_mode} || 'a' ]);
    return;
}

sub _arrived {    # rows from the daemon become the waiting ones
    my ($sth, $rows) = @_;
    _chop($rows) if $DBI::BRIDGE ? $sth->{ChopBlanks} : $sth->FETCH('ChopBlanks');
    if (@$rows && ref $rows->[0] eq 'HASH') {
        $sth->{bridge_hash_rows} = $rows;
        $sth->{bridge_names}     = $sth->{NAME};
        return;
    }
    if ($sth->{bridge_as_bytes}) { for my $row (@$rows) { defined and utf8::encode($_) for @$row[ @{ $sth->{bridge_as_bytes} } ] } }
    $sth->{bridge_rows} = $rows;
    return;
}

sub _more {    # fetches the next batch: true when there are rows
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    if ($sth->{bridge_done} || !$conn->{active}) {
        return _end_of_rows($sth);
    }
    my $session = $conn->{session};
    my ($reply, $error);
    {
        local $@;
        my $seq = delete $sth->{bridge_seq};
        $reply = eval { $seq ? $session->await($seq) : $session->request('sqlite.fetch', [ $sth->{bridge_id}, undef, $sth->{bridge_mode} || 'a' ]) };
        $error = $@ if !$reply;
    }
    if (!$reply) { _end_of_rows($sth); DBD::SQLite::_fail($sth, $error); return }
    my ($done, $rows, $extra) = @$reply;
    DBD::SQLite::_extra($conn, $extra) if $extra;
    $sth->{bridge_done} = $done;
    _ask_ahead($sth, $session) if !$done;
    if (!@$rows) { return $done ? _end_of_rows($sth) : _more($sth) }
    $sth->{bridge_got} += @$rows;
    _arrived($sth, $rows);
    return 1;
}

sub _end_of_rows {
    my ($sth) = @_;
    $sth->{bridge_done} = 1;
    if    ($DBI::BRIDGE)   { $sth->{Active} = '' }
    elsif ($sth->FETCH('Active')) { $sth->STORE(Active => 0) }
    return;
}

sub _next_row {    # under any DBI: the next row as an array, or nothing
    my ($sth) = @_;
    if (!$sth->{bridge_conn}{active}) { return DBD::SQLite::_inactive($sth, 'fetch') }
    return if !$sth->FETCH('Active');
    if (!$sth->{bridge_rows} || !@{ $sth->{bridge_rows} }) {
        if (!$sth->{bridge_hash_rows} || !@{ $sth->{bridge_hash_rows} }) { _more($sth) or return }
        if ($sth->{bridge_hash_rows} && @{ $sth->{bridge_hash_rows} }) {
            my $names = $sth->{bridge_names};
            $sth->{bridge_rows} = [ map { [ @$_{@$names} ] } @{ delete $sth->{bridge_hash_rows} } ];
            $sth->{bridge_mode} = 'a';
        }
    }
    return shift @{ $sth->{bridge_rows} };
}

sub _fetch_set { my ($sth) = @_; my $row = _next_row($sth) or return; return $sth->_set_fbav($row) }

{
    no warnings 'once';
    *fetch = *fetchrow_arrayref = $DBI::BRIDGE ? \&_next_row : \&_fetch_set;
}

# Our own DBI asks for rows as hashes: the daemon then sends them so. A batch that was on its way as arrays is turned here.
sub bridge_fetch_as {
    my ($sth, $kind, $case) = @_;
    my $conn = $sth->{bridge_conn};
    return if !$conn->{active} || !$sth->{Active};
    return '' if $sth->{bridge_as_bytes} || !_distinct($sth, $case);
    $sth->{bridge_mode} = 'h';
    _more($sth) or return;
    if ($sth->{bridge_rows} && @{ $sth->{bridge_rows} }) {
        my $names = $sth->{bridge_names} = $sth->{NAME};
        my $rows  = delete $sth->{bridge_rows};
        for (@$rows) { my %row; @row{@$names} = @$_; $_ = \%row }
        $sth->{bridge_hash_rows} = $rows;
    }
    return shift @{ $sth->{bridge_hash_rows} };
}

sub _distinct {    # can rows be hashes keyed by NAME, and is that what is wanted?
    my ($sth, $case) = @_;
    return $sth->{bridge_distinct}{$case} if defined $sth->{bridge_distinct}{$case};
    my $names = $sth->{NAME};
    my %seen;
    my $distinct = (grep { $seen{$_}++ } @$names) ? 0 : 1;
    if ($distinct && $case ne 'NAME') { $distinct = join("\0", @$names) eq join("\0", @{ $sth->FETCH($case) }) }
    return $sth->{bridge_distinct}{$case} = $distinct;
}

sub rows {
    my ($sth) = @_;
    my $waiting = 0;
    for (qw(bridge_rows bridge_held bridge_hash_rows)) { $waiting += @{ $sth->{$_} } if $sth->{$_} }
    return $sth->{bridge_got} - $waiting;
}

sub finish {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    my $got = $sth->rows;
    delete @$sth{qw(bridge_rows bridge_hash_rows)};
    $sth->{bridge_got} = $got;
    if ($conn && $conn->{active}) {
        if (my $seq = delete $sth->{bridge_seq}) { $conn->{session}->forget($seq) }
        $conn->{session}->oneway('sqlite.reset', [ $sth->{bridge_id} ]) if defined $sth->{bridge_done} && !$sth->{bridge_done};
    }
    _end_of_rows($sth);
    return 1;
}

sub STORE {
    my ($sth, $name, $value) = @_;
    if ($name eq 'ChopBlanks' && $value && !$sth->{ChopBlanks}) {    # rows that are here already are chopped too
        $sth->{ChopBlanks} = 1;
        for (qw(bridge_rows bridge_held bridge_hash_rows)) { _chop($sth->{$_}) if $sth->{$_} }
    }
    return $sth->SUPER::STORE($name, $value);
}

sub _chop {
    my ($rows) = @_;
    for my $row (@$rows) {
        for (ref $row eq 'HASH' ? values %$row : @$row) { s/ +\z// if defined }
    }
    return;
}

sub FETCH {
    my ($sth, $name) = @_;
    return _fetch($sth, $name) if $name =~ /^(?:TYPE|NULLABLE|PRECISION|SCALE|ParamValues|ParamTypes|CursorName|RowsInCache|sqlite_\w+)\z/
        || !$sth->{bridge_conn}{active} && $name =~ /^(?:NAME|NUM_OF_PARAMS|NUM_OF_FIELDS)\z/;
    return $sth->{NAME} if $name eq 'NAME';
    return $sth->SUPER::FETCH($name);
}

sub DESTROY {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    if   ($DBI::BRIDGE) { $sth->{Active} = '' }
    else                { $sth->STORE(Active => 0) }
    return if !$conn || !$conn->{active} || $sth->{bridge_canned} || !DBD::SQLite::_mine($conn);
    local $@;
    eval {
        if (my $seq = delete $sth->{bridge_seq}) { $conn->{session}->forget($seq) }
        $conn->{session}->oneway('sqlite.finalize', [ $sth->{bridge_id} ]);
    };
    return;
}

1;
