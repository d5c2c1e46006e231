package DBI;

# The published DBI interface, written in plain Perl with core modules only.
#
# THE MAP
#   this file              the class: constants and exports, $DBI::err and friends, connect, loading of drivers
#   DBI/Bridge/Making.pm   handles are made here: outer, inner, inheritance, children
#   DBI/Bridge/Dispatch.pm the road of a method call, the list of methods, reading and writing attributes, DESTROY
#   DBI/Bridge/Fetch.pm    the hot paths: fetch, fetchrow_*
#   DBI/Bridge/Base.pm     DBD::_::common/dr/db/st: the base classes of drivers
#   DBI/Bridge/Report.pm   what happens when a method leaves an error or warning behind (message, warn, die)
#   DBI/Bridge/Watch.pm    the long way through a method call: trace, Callbacks, Profile, taint, wrong usage
#   DBI/Bridge/Attrs.pm    attributes that are computed or checked when read or written
#   DBI/Bridge/Select.pm   selectall_*, selectrow_*, selectcol_*, bridge_select
#   DBI/Bridge/Fetchall.pm fetchall_*
#   DBI/Bridge/Columns.pm  bind_col, bind_columns and the row buffer (_get_fbav, _set_fbav)
#   DBI/Bridge/Batch.pm    bind_param_array, execute_array, execute_for_fetch
#   DBI/Bridge/Catalog.pm  quote_identifier, tables, type_info, get_info and the *_info methods
#   DBI/Bridge/Drivers.pm  available_drivers, data_sources, installed_versions, connect_cached, why a driver did not load
#   DBI/Bridge/Handles.pm  clone, swap_inner_handle, take_imp_data, dump_handle, install_method, threads
#   DBI/Bridge/Trace.pm    trace, trace_msg, trace flags
#   DBI/Bridge/Util.pm     neat_list, data_diff, sql_type_cast, hash, dump_results, ...
#   DBI/Bridge/Preparse.pm preparse
#   DBI/Bridge/Profiling.pm  samples of a Profile; its reports are in DBI/Profile.pm
# The first five are loaded at once, the others on first use: `lazy` (below) installs a stub for each of their subs.
#
# HANDLES
#   The script holds an "outer" handle: a blessed reference to a hash tied to the "inner" one. The inner handle is a plain
#   blessed hash; drivers are called with it. Its keys are the documented attribute names, the driver's own keys, and these:
#     bridge_outer    weak reference to the outer handle
#     bridge_parent   the parent's inner handle (also under Driver / Database)
#     bridge_kids     weak references to the inner handles of the children
#     bridge_me       [ weak inner, \err, \errstr, \state ]: what $DBI::err and friends look at
#     bridge_watch    true when trace, Callbacks, Profile or TaintIn/TaintOut want the long way (Watch.pm)
#     bridge_bind, bridge_bound, bridge_next, bridge_fbav    bound columns, see Columns.pm
#
# THE ROAD OF A METHOD CALL
#   $sth->execute(...)  -> DBI::st::execute, made by `dispatcher`: an inner handle goes straight on to the driver's method; for an outer
#   one the error state is cleared, the driver's method is called with the inner handle, and an error left behind is reported once,
#   by the outermost call (Report.pm).
#
# THE FAST CONTRACT WITH OUR DRIVERS (private, optional for both sides)
#   A driver knows that this DBI serves it by $DBI::BRIDGE (a number, 1 for what is written here).
#   $sth->{bridge_rows}        array ref of array refs: rows decoded and ready. execute and fetch may leave them there. The script's next
#                              fetches take them with shift and do not call the driver. Each row must be a fresh array (the script may
#                              keep it). When there are none left the driver's fetch is called: it returns the next row (a plain array ref;
#                              no _set_fbav needed, bound columns are served here) or undef, and leaves the others in bridge_rows.
#   $sth->{bridge_held}        the same rows while something (bound columns, trace, an error to be cleared) asks for more than a shift.
#                              Only this DBI moves rows there; a driver that counts (rows) adds up bridge_rows, bridge_held, bridge_hash_rows.
#   $sth->{bridge_hash_rows}   rows ready as hashes, keys already in their final case.
#   $sth->{bridge_flat}        while $sth->{bridge_bind} is true: rows as one list of all their values, the fastest way into bound columns.
#                              fetch returns the next row as an array ref as ever and leaves the other values here.
#   bridge_fetch_as($sth, 'hash', $case)   optional method of the st class, called instead of fetch when fetchrow_hashref finds nothing
#                              waiting; $case is NAME, NAME_lc or NAME_uc. Returns the next row as a hash ref and leaves the others in
#                              bridge_hash_rows; undef = no more rows, or an error was set; '' = declined (then fetch is called). A driver
#                              must decline when two columns have the same name.
#   bridge_fetchall($sth, 'array'|'hash', $max)  optional: all the rows (at most $max, undef = all) that are not waiting in bridge_*rows, as one array
#                              ref; for 'hash' keys are as $sth->{FetchHashKeyName} says. undef = error set; '' = declined. The driver sets Active off
#                              once all rows are handed out. With duplicate column names 'hash' must be declined.
#   bridge_select($dbh, $sql, $attr, \@binds, $mode, $max)  optional method of the db class: prepare, execute, fetch and finish in one go. $mode 'array' or
#                              'hash' (keys as $dbh->{FetchHashKeyName}) or 'row' (the first row only, as array). Returns an array ref of rows
#                              (with an error set: those before it); undef = error set; '' = declined (then the ordinary calls are
#                              made). $sql is a string, never a statement handle.
#   The four keys are named together once, in @DBI::Bridge::WAITING; CPANBridge::Driver is the drivers' side of all this.
#   On execute and finish through the outer handle this DBI drops waiting rows before it calls the driver.
#   A driver may write $sth->{Active} = 1 or 0 straight into the inner hash: ActiveKids is counted on demand.

use strict;
use warnings;

our ($VERSION, $BRIDGE,    $PurePerl, $dbi_debug,     $neat_maxlen, $connect_via, $stderr);
our ($WATCH,   $IN,        $LAST,     %installed_drh, %DISPATCH,    %INSTALLED);
our ($err,     $errstr,    $state,    $rows,          $lasth);
our (@EXPORT,  @EXPORT_OK, %EXPORT_TAGS);

BEGIN {
    $VERSION     = '1.643';
    $BRIDGE      = 1;
    $dbi_debug   = 0;
    $neat_maxlen = 1000;
    $stderr      = 2_000_000_000;
    $connect_via = 'connect';
    $WATCH       = 0;                              # true while the global trace level is not 0
    $LAST        = [undef, \undef, \undef, \''];
    if (defined &builtin::weaken) { no warnings 'once';   *weaken = \&builtin::weaken }
    else                          { require Scalar::Util; *weaken = \&Scalar::Util::weaken }

    # The keys of a statement under which rows wait (see above).
    @DBI::Bridge::WAITING = qw(bridge_rows bridge_held bridge_hash_rows bridge_flat);

    # errors that drivers raise with Carp are about the script's line, not about ours
    no warnings 'once';
    @Carp::Internal{
        qw(DBI DBI::Bridge DBI::common DBI::dr DBI::db DBI::st DBD::_::common DBD::_::dr DBD::_::db DBD::_::st)} =
        (1) x 10;
}

# --- subs that live in their own files ------------------------------------------------------------------------------

our $BASE;
BEGIN { ($BASE = __FILE__) =~ s/\.pm\z// }

sub lazy {
    my ($part, $package, @names) = @_;
    for my $name (@names) {
        my $full = "${package}::$name";
        no strict 'refs';
        no warnings 'redefine';
        my $stub;
        *$full = $stub = sub {
            load_part($part);
            my $code = do { no strict 'refs'; *{$full}{CODE} };
            die "DBI/Bridge/$part.pm has no $full" if $code == $stub;
            goto &$code;
        };
    }
    return;
}

# Unnoticed by the script: $@ and $! stay. A signal handler that dies meanwhile would leave the part half loaded: where the client of the
# bridge is loaded it puts signals off, else the part is loaded anew by the next call.
sub load_part {
    my ($part) = @_;
    my ($error, $errno, $file) = ($@, $! + 0, "DBI/Bridge/$part.pm");
    no warnings 'redefine';
    if    (defined &CPANBridge::Session::_undisturbed) { CPANBridge::Session::_undisturbed(sub { require $file }) }
    elsif (!eval { require $file; 1 })                 { delete $INC{$file}; die $@ }
    ($@, $!) = ($error, $errno);
    return;
}

BEGIN {
    lazy('Report',    'DBI::Bridge', qw(report no_method no_handle at_caller croak carp));
    lazy('Watch',     'DBI::Bridge', qw(watched usage_error));
    lazy('Trace',     'DBI::Bridge', qw(trace_install trace_print));
    lazy('Catalog',   'DBI::Bridge', qw(quote_as));
    lazy('Columns',   'DBI::Bridge', qw(deliver arm));
    lazy('Profiling', 'DBI::Bridge', qw(profile_object profile_call));
    lazy('Profiling', 'DBI',         qw(dbi_profile dbi_profile_merge_nodes dbi_profile_merge));
    lazy('Attrs',     'DBI::Bridge', qw(fetch_special store_special));
    lazy('Handles',   'DBI',         qw(visit_handles _get_imp_data dump_handle _handles _rebless _install_method));
    lazy(
        'Drivers', 'DBI',
        qw(available_drivers data_sources installed_versions installed_drivers installed_methods connect_cached
            connect_test_perf parse_dsn driver_prefix dbd_prefix_registered dbixs_revision require_version internal)
    );
    lazy('Drivers', 'DBI::Bridge', qw(autoproxy load_root connect_failed rebless));
    lazy('Trace',   'DBI',         qw(trace trace_msg parse_trace_flag parse_trace_flags _set_trace_file));
    lazy(
        'Util', 'DBI',
        qw(neat neat_list looks_like_number hash data_diff data_string_desc data_string_diff sql_type_cast
            _concat_hash_sorted dbi_time)
    );
    lazy(
        'Handles', 'DBD::_::common',
        qw(install_method dump_handle swap_inner_handle visit_child_handles private_attribute_info
            private_data FETCH_many)
    );
    lazy('Trace',   'DBD::_::common', qw(trace debug trace_msg parse_trace_flag parse_trace_flags));
    lazy('Drivers', 'DBD::_::dr',     qw(data_sources connect_cached default_user dbixs_revision));
    lazy('Handles', 'DBD::_::db',     qw(clone take_imp_data));
    lazy('Drivers', 'DBD::_::db',     qw(data_sources));
    lazy(
        'Select', 'DBD::_::db',
        qw(selectrow_array selectrow_arrayref selectrow_hashref selectall_arrayref selectall_array
            selectall_hashref selectcol_arrayref)
    );
    lazy('Select',   'DBI::Bridge', qw(check_columns));
    lazy('Fetchall', 'DBD::_::st', qw(fetchall_arrayref fetchall_hashref));
    lazy('Columns', 'DBD::_::st', qw(bind_col bind_columns _get_fbav _set_fbav));
    lazy('Batch',   'DBD::_::st', qw(bind_param_array bind_param_inout_array execute_array execute_for_fetch));
    lazy(
        'Catalog', 'DBD::_::db',
        qw(quote_identifier tables table_info column_info primary_key_info primary_key foreign_key_info
            statistics_info type_info type_info_all get_info last_insert_id)
    );
    lazy('Catalog',  'DBD::_::st', 'last_insert_id');
    lazy('Preparse', 'DBD::_::db', qw(preparse));
    lazy('Util',     'DBD::_::st', qw(dump_results blob_copy_to_file));
}

# --- exports --------------------------------------------------------------------------------------------------------

my %SQL_TYPE;

BEGIN {
    my @pairs =
        qw(GUID -11 WLONGVARCHAR -10 WVARCHAR -9 WCHAR -8 BIT -7 TINYINT -6 BIGINT -5 LONGVARBINARY -4 VARBINARY -3 BINARY -2
        LONGVARCHAR -1 UNKNOWN_TYPE 0 ALL_TYPES 0 CHAR 1 NUMERIC 2 DECIMAL 3 INTEGER 4 SMALLINT 5 FLOAT 6 REAL 7 DOUBLE 8
        DATETIME 9 DATE 9 INTERVAL 10 TIME 10 TIMESTAMP 11 VARCHAR 12 BOOLEAN 16 UDT 17 UDT_LOCATOR 18 ROW 19 REF 20 BLOB 30
        BLOB_LOCATOR 31 CLOB 40 CLOB_LOCATOR 41 ARRAY 50 ARRAY_LOCATOR 51 MULTISET 55 MULTISET_LOCATOR 56 TYPE_DATE 91 TYPE_TIME 92
        TYPE_TIMESTAMP 93 TYPE_TIME_WITH_TIMEZONE 94 TYPE_TIMESTAMP_WITH_TIMEZONE 95 INTERVAL_YEAR 101 INTERVAL_MONTH 102
        INTERVAL_DAY 103 INTERVAL_HOUR 104 INTERVAL_MINUTE 105 INTERVAL_SECOND 106 INTERVAL_YEAR_TO_MONTH 107 INTERVAL_DAY_TO_HOUR 108
        INTERVAL_DAY_TO_MINUTE 109 INTERVAL_DAY_TO_SECOND 110 INTERVAL_HOUR_TO_MINUTE 111 INTERVAL_HOUR_TO_SECOND 112
        INTERVAL_MINUTE_TO_SECOND 113);
    my %cursor = (FORWARD_ONLY => 0, KEYSET_DRIVEN => 1, DYNAMIC => 2, STATIC => 3, TYPE_DEFAULT => 0);
    my %flag   = (
        DBIpp_cm_cs => 0x01, DBIpp_cm_hs => 0x02, DBIpp_cm_dd => 0x04, DBIpp_cm_br => 0x08, DBIpp_cm_dw => 0x10,
        DBIpp_cm_XX => 0x1F,
        DBIpp_ph_qm => 0x0100, DBIpp_ph_cn => 0x0200, DBIpp_ph_cs => 0x0400, DBIpp_ph_sp => 0x0800,
        DBIpp_ph_XX => 0x0F00,
        DBIpp_st_qq => 0x010000,          DBIpp_st_bs    => 0x020000, DBIpp_st_XX => 0x030000,
        DBIstcf_DISCARD_STRING => 0x0001, DBIstcf_STRICT => 0x0002,
    );
    my (@types, $name, $value);
    no strict 'refs';
    my $constant = sub {
        my ($to, $what) = @_;
        if (exists $DBI::{$to}) {    # a script mentioned the name before it loaded DBI
            my $value = $what;
            *$to = sub () { $value }
        }
        else {                       # perl's short form of a constant
            Internals::SvREADONLY($what, 1);
            $DBI::{$to} = \$what;
        }
        return $to;
    };
    while (($name, $value) = splice @pairs, 0, 2) { push @types, $constant->("SQL_$name", 0 + $value) }
    %EXPORT_TAGS = (
        sql_types        => \@types,
        sql_cursor_types => [map { $constant->("SQL_CURSOR_$_", $cursor{$_}) } keys %cursor],
        utils => [qw(neat neat_list $neat_maxlen dump_results looks_like_number data_string_diff data_string_desc
            data_diff sql_type_cast DBIstcf_DISCARD_STRING DBIstcf_STRICT)],
        profile        => [qw(dbi_profile dbi_profile_merge dbi_profile_merge_nodes dbi_time)],
        preparse_flags => [grep { /^DBIpp/ } map { $constant->($_, $flag{$_}) } keys %flag],
    );
    @EXPORT_OK = (map { @{ $EXPORT_TAGS{$_} } } keys %EXPORT_TAGS);
    mro::method_changed_in('DBI');
}

sub import {
    my ($class, @want) = @_;
    return if !@want;
    my $to    = caller;
    my %ok    = map { $_ => 1 } @EXPORT_OK;
    my @names = map { /^:(.*)/ ? @{ $EXPORT_TAGS{$1} || [$_] } : $_ } @want;
    if ($class ne __PACKAGE__ || grep { !$ok{$_} } @names)
    {    # patterns, negations, versions, subclasses, mistakes: Exporter knows
        require Exporter::Heavy;
        return Exporter::Heavy::heavy_export($class, $to, @want);
    }
    no strict 'refs';
    for my $name (@names) {
        if ($name =~ /^\$(.*)/) { *{"${to}::$1"} = \${$1} }
        else { *{"${to}::$name"} = \&{$name} }
    }
    return;
}

# --- $DBI::err, $DBI::errstr, $DBI::state, $DBI::rows, $DBI::lasth -------------------------------------------------------

{

    package DBI::var;
    my %READ = (
        err    => sub { ${ $DBI::LAST->[1] } },
        errstr => sub { ${ $DBI::LAST->[2] } },
        state  => sub { DBI::Bridge::state_of($DBI::LAST) },
        lasth  => sub { $DBI::LAST->[0] },
        rows   => sub { my $h = $DBI::LAST->[0]; $h && $h->can('rows') ? $h->rows : -1 },
    );
    sub TIESCALAR { my ($class, $name) = @_; return bless \$name, $class }
    sub FETCH     { return $READ{ ${ $_[0] } }->() }
    sub STORE     { require Carp; Carp::croak("Can't modify \$DBI::${$_[0]} special variable") }
    for my $name (keys %READ) { no strict 'refs'; tie ${"DBI::$name"}, __PACKAGE__, $name }
}

sub err    { return ${ $LAST->[1] } }                # DBI->err or DBI::err: of the handle used last
sub errstr { return ${ $LAST->[2] } }
sub state  { return DBI::Bridge::state_of($LAST) }

BEGIN {    # needed by each script, so loaded at once
    require DBI::Bridge::Making;
    require DBI::Bridge::Dispatch;
    require DBI::Bridge::Fetch;
    require DBI::Bridge::Base;
}

# --- connecting ---------------------------------------------------------------------------------------------------------------------

sub connect {
    my $class = shift;
    my ($dsn, $user, $pass, $attr, $old_driver) = @_;
    if ($attr && !ref $attr) {    # connect($db, $user, $pass, $driver): the form of the first years
        DBI::Bridge::carp(
            "DBI->connect using 'old-style' syntax is deprecated and will be an error in future versions");
        $old_driver = $attr;
        $attr       = $_[4];
    }
    if (ref $old_driver || ($attr && !ref $attr) || (ref $pass && !defined DBI::Bridge::blessed($pass))) {
        DBI::Bridge::croak("Usage: \$class->connect([\$dsn [,\$user [,\$passwd [,\\%attr]]]])");
    }
    my $method = (ref $attr && delete $_[3]{dbi_connect_method}) || $connect_via;
    $dsn = $ENV{DBI_DSN} || $ENV{DBI_DBNAME} || '' if !$old_driver && (!defined $dsn || $dsn eq '');
    $dsn = '' if !defined $dsn;
    my ($driver, $in_dsn, $rest) = $old_driver ? ($old_driver, undef, $dsn) : DBI::Bridge::split_dsn($dsn);
    if (!$driver) {
        DBI::Bridge::croak("Can't connect to data source '$dsn' because I can't work out what driver to use "
                . "(it doesn't seem to contain a 'dbi:driver:' prefix and the DBI_DRIVER env var is not set)");
    }
    my %attr = (RaiseError => 0, PrintError => 1, AutoCommit => 1, $attr ? %$attr : (), $in_dsn ? %$in_dsn : ());
    delete @attr{qw(PrintError AutoCommit RaiseError)} if $old_driver && !$attr;
    $user = $attr{Username}        if defined $attr{Username};
    $pass = delete $attr{Password} if exists $attr{Password} && defined $attr{Password};
    delete $attr{Password};
    $user = $ENV{DBI_USER} if !defined $user;
    $pass = $ENV{DBI_PASS} if !defined $pass;
    DBI::Bridge::autoproxy()
        if $ENV{DBI_AUTOPROXY} && $driver !~ /^(?:Proxy|Gofer|Switch)\z/ && !$old_driver;
    my $root = $attr{RootClass};
    if ($root)                    { DBI::Bridge::load_root($root) }
    elsif ($class ne __PACKAGE__) { $root = $attr{RootClass} = $class }
    my $drh   = $class->install_driver($driver) or die 'panic: install_driver returned no driver handle';
    my @again = ($drh, $method, $rest, $user, $pass, \%attr, $root, $dsn);
    my $dbh   = DBI::Bridge::connect_now(@again, \%attr) or return;
    $dbh->{dbi_connect_closure} =
        sub { my ($old, $over) = @_; return DBI::Bridge::connect_now(@again, $over ? { %attr, %$over } : \%attr) };
    return $dbh;
}

sub DBI::Bridge::split_dsn {    # dbi:Driver(attr=>value,...):rest
    my ($dsn) = @_;
    my ($driver, $spec) = ('', undef);
    if ($dsn =~ s/^dbi:(\w*?)(?:\((.*?)\))?://i) { ($driver, $spec) = ($1, $2) }
    elsif ($dsn =~ /^dbi:/i)                     { return }
    $driver = $ENV{DBI_DRIVER} || '' if $driver eq '';
    my %in;
    if (defined $spec && length $spec) {
        for (split /\s*,\s*/, $spec) {
            my ($name, $value) = split /\s*=>?\s*/, $_, 2;
            $in{$name} = $value;
        }
    }
    return ($driver, \%in, $dsn);
}

sub DBI::Bridge::blessed {
    return ref $_[0] && eval { $_[0]->can('can') } ? ref $_[0] : undef
}

sub DBI::Bridge::connect_now {
    my ($drh, $method, $rest, $user, $pass, $first, $root, $dsn, $attr) = @_;
    my %apply = %$attr;
    my $dbh   = $drh->$method($rest, $user, $pass, \%apply);
    if (!$dbh)                              { return DBI::Bridge::connect_failed($drh, $rest, $user, $first) }
    if ($root && !$dbh->isa("${root}::db")) { DBI::Bridge::rebless($dbh, $root) }
    if (%apply) {    # the driver may have emptied it
        for my $name (grep { exists $apply{$_} } qw(Profile RaiseError PrintError AutoCommit)) {
            $dbh->{$name} = delete $apply{$name};
        }
        delete @apply{qw(Username dbi_connect_method)};
        $dbh->{Username} = $user if defined $user;
        (tied %$dbh)->{RootClass} = delete $apply{RootClass} if exists $apply{RootClass};
        for my $name (sort keys %apply) {
            eval { $dbh->{$name} = $apply{$name}; 1 } or warn $@;
        }
    }
    $dbh->connected($dsn, $user, $pass, $first);
    return $dbh;
}

sub install_driver {
    my ($class, $driver, $attr) = @_;
    $driver = $ENV{DBI_DRIVER} || '' if !defined $driver;
    DBI::Bridge::croak("usage: $class->install_driver(\$driver [, \%attr])") if $driver eq '' || $attr && !ref $attr;
    return $installed_drh{$driver} if $installed_drh{$driver};
    my $package = "DBD::$driver";
    (my $file = "$package.pm") =~ s{::}{/}g;
    my $drh = eval {
        require $file;
        $class->setup_driver($package);
        DBI::Bridge::trace_install($package, $INC{$file}) if $WATCH;
        $package->driver($attr || {});
    };
    if (!ref $drh) {
        my $why = $@;
        load_part('Drivers');
        DBI::Bridge::croak(DBI::Bridge::why_no_driver($driver, $file, $why));
    }
    $installed_drh{$driver} = $drh;
    if ($ENV{DBI_PROFILE}) {
        our $shared_profile;
        $drh->{Profile} = $shared_profile || $ENV{DBI_PROFILE};
        $shared_profile ||= $drh->{Profile}
    }
    return $drh;
}

{ no warnings 'once'; *driver = \&install_driver }

sub setup_driver {
    my ($class, $package) = @_;
    for my $type (qw(dr db st)) {
        no strict 'refs';
        my $isa = \@{"${package}::${type}::ISA"};
        push @$isa,                             "DBD::_::$type"     if !"${package}::$type"->isa("DBD::_::$type");
        push @{"${package}::${type}_mem::ISA"}, 'DBD::_mem::common' if !@{"${package}::${type}_mem::ISA"};
    }
    return;
}

sub CLONE {    # a new thread: the handles of its parent are not its own
    %installed_drh = ();
    $LAST          = [undef, \undef, \undef, \''];
    our $switch = undef;
    return;
}

sub DBD::_mem::common::CLONE      { return }
sub DBD::_mem::common::CLONE_SKIP { return 0 }

sub disconnect_all {
    for (values %installed_drh) {
        eval { $_->disconnect_all }
    }
    return
}
sub disconnect { return }

sub set_err { my $h = shift; return DBD::_::common::set_err(tied(%$h) || $h, @_) }

END {
    our $exiting = our $ENDING = 1;
    our $shared_profile;
    local $?;
    disconnect_all()                    if %installed_drh;
    DBI::Bridge::keep_for_destructors() if %installed_drh;
    if ($shared_profile) { $_->{Profile} = undef for values %installed_drh; undef $shared_profile }
}

if ($ENV{DBI_TRACE}) { load_part('Trace'); DBI::Bridge::trace_from_environment() }

1;

__END__

=encoding utf8

=head1 NAME

DBI - the database interface of Perl, in plain Perl

=head1 SYNOPSIS

  use DBI;

  my $dbh = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, AutoCommit => 1 });
  $dbh->do('create table city (name text, people integer)');
  my $sth = $dbh->prepare('insert into city values (?, ?)');
  $sth->execute(@$_) for ['Bern', 134_000], ['Basel', 173_000];

  for my $row (@{ $dbh->selectall_arrayref('select name, people from city order by name', { Slice => {} }) }) {
      print "$row->{name}: $row->{people}\n";
  }
  $dbh->disconnect;

=head1 DESCRIPTION

This module implements the published interface of DBI 1.643 with nothing but perl's core modules: the methods, attributes, error texts and
the interface towards drivers (C<DBD::*> modules written in Perl). Scripts and drivers are used unchanged.

A driver handle (C<$drh>) stands for a driver, a database handle (C<$dbh>) for a connection, a statement handle (C<$sth>) for a prepared
statement. In the examples below C<$h> is any of them.

=head1 METHODS OF THE CLASS

=over 4

=item connect

  $dbh = DBI->connect($source, $user, $password, \%attr);
  $dbh = DBI->connect('dbi:SQLite(RaiseError=>1):dbname=shop.db');

The source is C<dbi:DRIVER(attributes):what the driver wants>. Attributes in it win over those of the call. Defaults are C<PrintError> on,
C<RaiseError> off, C<AutoCommit> on. C<DBI_DSN>, C<DBI_DRIVER>, C<DBI_USER> and C<DBI_PASS> in the environment fill in what is not given.
Returns undef when it fails (C<$DBI::err>, C<$DBI::errstr> say why), or dies with C<RaiseError>.

=item connect_cached

  $dbh = DBI->connect_cached($source, $user, $password, \%attr);

The same handle again for the same arguments, as long as it answers C<ping>.

=item available_drivers, installed_drivers, installed_versions

  my @names   = DBI->available_drivers;
  my %loaded  = DBI->installed_drivers;
  my $version = DBI->installed_versions;

What can be loaded; what is loaded (name and driver handle); versions of all.

=item data_sources

  my @sources = DBI->data_sources('SQLite', \%attr);

=item parse_dsn

  my ($scheme, $driver, $attr_text, $attr, $rest) = DBI->parse_dsn($source);

=item install_driver, setup_driver, internal, visit_handles

  my $drh = DBI->install_driver('SQLite');
  DBI->visit_handles(sub { my ($h, $info) = @_; return $info });

C<setup_driver> gives a driver's packages their base classes; C<internal> is the handle above all drivers.

=item trace, trace_msg

  DBI->trace(2, 'trace.log');
  DBI->trace_msg("here\n");

=back

=head1 METHODS OF ALL HANDLES

=over 4

=item err, errstr, state

  print $h->err, $h->errstr, $h->state;

Number, text and five-character state of the last error; undef (and '') when the last call went well. C<err> is 0 for a warning, '' for information.

=item set_err

  return $h->set_err(42, 'out of order');
  return $h->set_err(42, 'out of order', '08S01', 'fetch', $value);

Sets them; returns the last argument. Texts add up. C<set_err(undef, undef)> clears.

=item func

  my $result = $h->func(@arguments, 'name');

Calls a function of the driver.

=item can, install_method

  if ($dbh->can('sqlite_backup_to_file')) { }
  DBD::Foo::db->install_method('foo_bar');

=item trace, debug, trace_msg, parse_trace_flag, parse_trace_flags

  my $old = $h->trace(3, 'trace.log');
  $h->trace_msg("note\n", 2);
  my $bits = $h->parse_trace_flags('SQL|2');

=item private_attribute_info, FETCH_many, dump_handle, private_data

  my ($name, $type) = $h->FETCH_many('Name', 'Type');
  $h->dump_handle('before', 1);

=item swap_inner_handle, visit_child_handles

  $sth->swap_inner_handle($other_sth);
  $dbh->visit_child_handles(sub { my ($h, $info) = @_; return 1 });

=back

=head1 METHODS OF DRIVER HANDLES

=over 4

=item connect, connect_cached, data_sources, default_user, disconnect_all, dbixs_revision

  my $dbh = $drh->connect($name, $user, $password, \%attr);

Mostly called for you by the methods of the class.

=back

=head1 METHODS OF DATABASE HANDLES

=over 4

=item do

  my $rows = $dbh->do('update city set people = people + 1 where name = ?', undef, 'Bern');

Number of rows, C<0E0> for none (which is true), -1 when it is not known, undef after an error.

=item prepare, prepare_cached, preparse

  my $sth = $dbh->prepare($sql, \%attr);
  my $sth2 = $dbh->prepare_cached($sql, \%attr, $if_active);
  my $text = $dbh->preparse($sql, DBI::DBIpp_ph_cn(), DBI::DBIpp_ph_qm());

With C<$if_active> 0 a cached statement that is still active is finished with a warning, 1 finishes it in silence, 2 leaves it, 3 prepares a new one.

=item selectrow_array, selectrow_arrayref, selectrow_hashref

  my ($name, $people) = $dbh->selectrow_array('select name, people from city where name = ?', undef, 'Bern');
  my $row  = $dbh->selectrow_arrayref($sth);
  my $hash = $dbh->selectrow_hashref($sql, \%attr, @values);

The first row. An SQL text or a prepared statement, in all C<select> methods.

=item selectall_arrayref, selectall_array, selectall_hashref, selectcol_arrayref

  my $rows   = $dbh->selectall_arrayref($sql, { Slice => {}, MaxRows => 100 }, @values);
  my @rows   = $dbh->selectall_array($sql);
  my $by_key = $dbh->selectall_hashref($sql, 'name');
  my $names  = $dbh->selectcol_arrayref($sql, { Columns => [ 1, 2 ] });

C<Slice> as for C<fetchall_arrayref>; C<Columns> the same with numbers from 1.

=item begin_work, commit, rollback

  $dbh->begin_work;
  $dbh->do($sql) ? $dbh->commit : $dbh->rollback;

=item quote, quote_identifier

  my $sql = 'select * from ' . $dbh->quote_identifier('a table') . ' where name = ' . $dbh->quote("it's");

=item table_info, tables, column_info, primary_key_info, primary_key, foreign_key_info, statistics_info

  my $tables  = $dbh->table_info(undef, undef, '%', 'TABLE');
  my @names   = $dbh->tables;
  my $columns = $dbh->column_info(undef, undef, 'city', '%');
  my @key     = $dbh->primary_key(undef, undef, 'city');

=item type_info, type_info_all, get_info

  my $type = $dbh->type_info(DBI::SQL_INTEGER);
  my $name = $dbh->get_info(17);

=item last_insert_id, ping, connected, disconnect, rows, data_sources, clone, take_imp_data

  my $id = $dbh->last_insert_id(undef, undef, 'city', undef);
  $dbh = $dbh->clone if !$dbh->ping;
  $dbh->disconnect;

=back

=head1 METHODS OF STATEMENT HANDLES

=over 4

=item bind_param, bind_param_inout

  $sth->bind_param(1, 'Bern');
  $sth->bind_param(2, $image, DBI::SQL_BLOB);

=item execute

  my $rows = $sth->execute(@values);

=item fetchrow_arrayref, fetch, fetchrow_array, fetchrow_hashref

  while (my $row  = $sth->fetchrow_arrayref) { print "@$row" }
  while (my @row  = $sth->fetchrow_array)    { print "@row" }
  while (my $hash = $sth->fetchrow_hashref('NAME_lc')) { print $hash->{name} }

Copy what you keep of C<fetchrow_arrayref>: with some drivers, and with bound columns, it is the same array each time.

=item fetchall_arrayref, fetchall_hashref

  my $rows    = $sth->fetchall_arrayref;
  my $hashes  = $sth->fetchall_arrayref({});
  my $columns = $sth->fetchall_arrayref([ 0, -1 ], 500);
  my $named   = $sth->fetchall_arrayref({ name => 1 });
  my $renamed = $sth->fetchall_arrayref(\{ 0 => 'id', 1 => 'label' });
  my $tree    = $sth->fetchall_hashref([ 'country', 'name' ]);

The second argument of C<fetchall_arrayref> is how many rows at most; then undef says that there are no more.

=item bind_col, bind_columns

  $sth->bind_columns(\my ($name, $people));
  while ($sth->fetch) { print "$name $people" }

=item bind_param_array, bind_param_inout_array, execute_array, execute_for_fetch

  $sth->execute_array({ ArrayTupleStatus => \my @status }, \@names, \@people);
  $sth->execute_for_fetch(sub { return shift @tuples }, \@status);

=item finish, rows, last_insert_id, cancel, more_results, dump_results, blob_read, blob_copy_to_file

  my $n  = $sth->rows;
  my $id = $sth->last_insert_id;
  $sth->finish;
  $sth->dump_results(35, "\n", ', ');

=back

=head1 ATTRIBUTES

Read and set like elements of a hash: C<< $h->{RaiseError} = 1 >>. Children inherit at birth what makes sense for them.

B<All handles>: Active, ActiveKids, AutoInactiveDestroy, CachedKids, Callbacks, ChildHandles, ChopBlanks, CompatMode, ErrCount, Executed, FetchHashKeyName,
HandleError, HandleSetErr, InactiveDestroy, Kids, LongReadLen, LongTruncOk, PrintError, PrintWarn, Profile, RaiseError, RaiseWarn, ReadOnly, RootClass,
ShowErrorStatement, Taint, TaintIn, TaintOut, TraceLevel, Type, Warn, and any name that begins with C<private_>.

B<Database handles>: AutoCommit, BegunWork, Driver, Name, RowCacheSize, Statement, Username.

B<Statement handles>: CursorName, Database, NAME, NAME_lc, NAME_uc, NAME_hash, NAME_lc_hash, NAME_uc_hash, NULLABLE, NUM_OF_FIELDS, NUM_OF_PARAMS,
ParamArrays, ParamTypes, ParamValues, PRECISION, RowsInCache, SCALE, Statement, TYPE.

Drivers add their own, with their prefix in front of the name.

=head1 ERRORS

A method that fails sets C<err>, C<errstr> and C<state>, increments C<ErrCount>, and returns undef (or an empty list). Then, once, for the method the script called:

=over 4

=item 1

C<HandleError> is called with the message, the handle and the value to be returned; when it returns true nothing more happens.

=item 2

C<PrintError> warns, C<RaiseError> dies, with C<DBD::Driver::st execute failed: text at FILE line N.>; C<ShowErrorStatement> adds
C<[for Statement "..." with ParamValues: 1='a', 2=undef]>.

=back

C<PrintWarn> and C<RaiseWarn> do that for warnings (C<err> is 0). C<HandleSetErr> is called before an error is set and may change it.
C<$DBI::err>, C<$DBI::errstr>, C<$DBI::state> and C<$DBI::rows> speak of the handle used last.

=head1 CALLBACKS

  $dbh->{Callbacks} = {
      prepare        => sub { my ($dbh, $sql) = @_; warn "prepare: $sql"; return },
      ping           => sub { undef $_; return 1 },                 # undef $_: do not call the method, return this
      ChildCallbacks => { execute => sub { warn "execute"; return } },
  };

C<$_> is the name of the method; C<*> stands for all methods. A callback that does not C<undef $_> must return nothing. C<connect_cached.new>, C<connect_cached.reused> and
C<connect_cached.connected> are called for cached connections.

=head1 SUBCLASSES

  my $dbh = DBI->connect($source, $user, $password, { RootClass => 'My::DBI' });
  my $own = My::DBI->connect($source, $user, $password);

C<My::DBI::db> and C<My::DBI::st> must inherit from C<DBI::db> and C<DBI::st>.

=head1 FUNCTIONS

  use DBI qw(:utils :sql_types :sql_cursor_types :profile :preparse_flags);

C<neat>, C<neat_list>, C<looks_like_number>, C<data_string_desc>, C<data_string_diff>, C<data_diff>, C<sql_type_cast>, C<DBI::hash>, C<dbi_time>, C<dbi_profile>,
C<dbi_profile_merge_nodes>, the C<SQL_*> constants.

=head1 TRACE AND PROFILE

C<DBI_TRACE=2=file> and C<DBI_PROFILE=6> in the environment, or C<trace> and C<Profile> (see L<DBI::Profile>). Level 1 shows the calls of the script and what
they return, 2 also those made inside, from 3 on also the reading and setting of attributes.

=head1 WRITING DRIVERS

The published interface: C<DBD::Foo::driver> returns a handle made with C<DBI::_new_drh>, C<DBD::Foo::dr::connect> makes C<DBI::_new_dbh>, C<DBD::Foo::db::prepare> makes
C<DBI::_new_sth>; the driver's methods get the inner handle, a plain hash. C<_set_fbav> and C<_get_fbav> serve bound columns, C<set_err> reports,
C<STORE> and C<FETCH> pass what they do not know to C<SUPER::>.

=head1 WHAT IT DOES NOT DO

=over 4

=item *

Drivers written in C for the other DBI (with a shared object) cannot be loaded: they are bound to its C structures.

=item *

The proxies (C<DBD::Proxy>, C<DBD::Gofer>) and the engines for files (C<DBD::File>, C<DBD::DBM>, C<DBI::DBD::SqlEngine>) are not part of it.

=item *

C<take_imp_data> is refused by the bridge's drivers: their connections live in the daemon and belong to one process.

=item *

Trace texts resemble those of the other DBI, they are not the same byte for byte.

=back

=cut
