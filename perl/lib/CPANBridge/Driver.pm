package CPANBridge::Driver;

# What the bridge's DBI drivers (DBD::SQLite, DBD::Pg, ...) have in common: rows that come in batches and are handed out, statements that
# end, errors, files that are loaded on first use. It works under the bridge's own DBI and under an installed other one.
#
# THE MAP
#   this file            statements: execute's second half, fetch, rows, finish, DESTROY; connections; loading of parts
#   Driver/Trouble.pm    errors, warnings, and what else is rare
#   Driver/Bulk.pm       whole selects in one round trip, rows as hashes (for our own DBI)
#   Driver/Batch.pm      execute_for_fetch (and so execute_array)
#   Driver/Canned.pm     statements that hold rows made here: catalogues
#
# WHAT A DRIVER DOES
#   @DBD::Foo::ISA     = ('CPANBridge::Driver');         # in a BEGIN block
#   @DBD::Foo::db::ISA = ('CPANBridge::Driver::db');     # before DBI's setup_driver adds DBD::_::db
#   @DBD::Foo::st::ISA = ('CPANBridge::Driver::st');
#   lazy('DBD::Foo', __FILE__, [Connect => dr => 'connect'], ...)    its own parts
#   connect, prepare, execute, do, disconnect, ping, begin_work/commit/rollback, bind_param, FETCH/STORE, the catalogue
#   bridge_select, if it wants it: it decides, and select_rows does it
#
# CLASS METHODS of DBD::Foo that the base calls; each has a default here (in Trouble.pm), which a driver may override
#   _inactive($h, $what)          the handle is closed: sets the error, returns undef
#   _fail($h, $error)             what a call died of becomes the handle's error; returns undef
#   _error($error)                its (err, errstr, state)
#   _thrown($conn)                Perl code that ran inside a call died ($conn->{died}): the script sees it now
#   _extra($conn, $extra)         what rode along with a reply ({ warn => [texts], ... }), errors excepted
#   _new_columns($sth, \@names, $extra)    the first execute, or one after a change of the schema, told the columns
#   _send_batch($sth, \@tuples)   execute_many: [[counts and errors], extra, rowid], or nothing with the error set (Batch.pm)
#   _batch($sth, \@tuples, $status, \%sum)   sends them and counts what came of each; true unless the whole failed (Batch.pm)
#
# A CONNECTION is a plain hash, shared by the database handle and its statements (inner key bridge_conn), made by `connection`:
#   driver           'DBD::Foo'
#   module, calls    'foo', { fetch => 'foo.fetch', reset => ..., finalize => ..., select => ..., execute_many => ... }
#   session, id      the bridge session and the number of the connection in it
#   active           0 after disconnect
#   dbh              weak reference to the inner database handle
#   died             [what Perl code called back by the daemon died of], until somebody throws it
#   rowid            last_insert_id as last reported
#   all else is the driver's
#
# A STATEMENT keeps in its inner handle:
#   bridge_conn      the connection
#   bridge_id        its number for the daemon (next_id). Without one there is nothing to finalize.
#   bridge_params    how many placeholders; bridge_image: how the image of execute's parameters begins (_execution)
#   bridge_binds     the values bound last; bridge_typed: those with a type (the driver's affair)
#   NAME             names of the columns, [] for none (`_columns` sets it, with NUM_OF_FIELDS)
#   bridge_got       rows that came over, waiting ones included; without columns: rows affected
#   bridge_done      undef: not executed; 0: more rows in the daemon; 1: all are here
#   bridge_seq       the batch that was asked for ahead; bridge_after: the one after it (only while bridge_seq is there)
#   bridge_reply     one that came, until its rows are in place. [-1, undef, undef, [err, errstr, state]] is the driver's way to
#                    say that there are no more rows, and why.
#   bridge_all       bridge_fetchall is at work; how many batches it has begun
#   bridge_cache     rows in a batch (RowCacheSize), undef: as the daemon likes; 1: nothing is asked for ahead
#   bridge_mode      'h': the next batch shall come as hashes
#   bridge_as_bytes  [numbers of columns] whose text is handed over as bytes
#   bridge_nested    true: values may be references, so rows never come as one flat list
#   bridge_chop      [numbers of columns] ChopBlanks is about, undef: all
#   bridge_canned    [rows]: made here (`canned`), the daemon knows nothing of it. A driver's execute leaves it to _again.
#   the waiting rows, @WAITING
# Their meaning for our own DBI stands at the head of DBI.pm.

use strict;
use warnings;
use DBI ();
use CPANBridge ();

# The keys of a statement under which rows wait for the script. Our own DBI names them; another one knows nothing of them, and rows wait
# under the first alone.
our @WAITING = $DBI::BRIDGE ? @DBI::Bridge::WAITING : ('bridge_rows');

my $next_id = 0;

sub next_id { return ++$next_id }    # numbers of connections and statements

# --- what is not loaded at once ------------------------------------------------------------------------------------------

# lazy('DBD::Foo', __FILE__, [Part => type => 'name name'], ...): the subs of DBD::Foo::type (type dr, db, st; main: DBD::Foo) that
# live in DBD/Foo/Part.pm. A `+` in front of a name marks a method for scripts (install_methods), and does nothing here.
sub lazy {
    my ($package, $file, @parts) = @_;
    (my $inside = $package) =~ s{::}{/}g;
    $file =~ s{/?\Q$inside\E\.pm\z}{};
    if ($file !~ m{\A/}) {    # a script may change its folder before a part is needed
        my $cwd = readlink '/proc/self/cwd';
        $file = "$cwd/$file" if defined $cwd;
    }
    for (@parts) {
        my ($part, $type, $names) = @$_;
        my $into = $type eq 'main' ? $package : "${package}::$type";
        stub("${into}::$_", "$inside/$part.pm", $file) for $names =~ /(\w+)/g;
    }
    return;
}

sub stub {    # a sub that loads the file with the real one, and goes there
    my ($full, $part, $folder) = @_;
    no strict 'refs';
    *$full = sub {
        if (my $why = load($part, $folder)) { die $why }
        no strict 'refs';
        goto &{ *{$full}{CODE} };
    };
    return;
}

# Loads a part, unnoticed by the script: the reason if it fails. A signal handler that dies would leave it half loaded.
sub load {
    my ($part, $folder) = @_;
    my $errno = $! + 0;
    local $@;
    local @INC = ($folder, @INC);
    my $calm = CPANBridge::Session->can('_undisturbed');
    my $why  = eval {
        $calm ? $calm->(sub { require $part }) : require $part;
        1
    } ? undef : "$@";
    $! = $errno;
    return $why;
}

BEGIN {
    lazy(
        'CPANBridge::Driver',
        __FILE__,
        [Trouble => main => 'where croak warning _inactive _fail _error _thrown _extra _new_columns'],
        [Trouble => db   => 'take_imp_data'],
        [Trouble => st   => '_wrong_count _aborted _no_more _chop'],
        [Bulk    => main => 'select_rows'],
        [Bulk    => st   => 'bridge_fetch_as bridge_fetchall _ask_further'],
        [Canned  => main => 'canned'],
        [Canned  => st   => '_again'],
        [Batch   => main => '_send_batch'],
        [Batch   => st   => 'execute_for_fetch'],
    );
}

# constants('DBD::Foo', NAME => value, ...): functions of the package
sub constants {
    my ($package, %value) = @_;
    no strict 'refs';
    my $symbols = \%{"${package}::"};
    for my $name (keys %value) {
        if (exists $symbols->{$name}) {    # a script mentioned it before it loaded the driver
            my $value = $value{$name};
            *{"${package}::$name"} = sub () { $value }
        }
        else { $symbols->{$name} = \(my $value = $value{$name}) }    # perl's short form of a constant
    }
    mro::method_changed_in($package);
    return;
}

# Makes the driver's own methods (those marked with a `+` in @parts) callable on handles: foo_name($h, ...).
sub install_methods {
    my ($driver, $prefix, @parts) = @_;
    for (@parts) {
        my (undef, $type, $names) = @$_;
        install_method($driver, $prefix, $type, $_) for $names =~ /\+(\w+)/g;
    }
    return;
}

# Every such method has two names: x for $h->func(..., 'x') and foo_x for $h->foo_x(...).
sub install_method {
    my ($driver, $prefix, $type, $short) = @_;
    my $package = "${driver}::$type";
    my $long    = $short =~ /\A\Q$prefix\E/ ? $short : $prefix . $short;
    no strict 'refs';
    if ($long ne $short) {
        *{"${package}::$long"} = sub { goto &{ *{"${package}::$short"}{CODE} } };
    }
    if ($DBI::BRIDGE) { *{"DBI::${type}::$long"} = DBI::dispatcher($long, 0, -1, 0, '') }
    else { $package->install_method($long) }
    return;
}

# --- connections ---------------------------------------------------------------------------------------------------------------

# connection('DBD::Foo', 'foo', $dbh, key => value, ...)
sub connection {
    my ($driver, $module, $dbh, %more) = @_;
    my $conn = {
        driver => $driver,
        module => $module,
        calls  => { map { $_ => "$module.$_" } qw(fetch reset finalize select execute_many) },
        id     => ++$next_id,
        active => 1,
        dbh    => $dbh,
        %more,
    };
    weaken($conn->{dbh});
    return $conn;
}

sub weaken {    # DBI's, which may be the built-in one that still calls itself experimental
    no warnings;
    if (!defined &DBI::weaken) { require Scalar::Util; *DBI::weaken = \&Scalar::Util::weaken }
    return DBI::weaken($_[0]);
}

sub mine {    # whether this process (and thread) opened the connection: a child of fork must leave it alone
    my ($conn) = @_;
    my $session = $conn->{session} or return 0;
    return !$session->{lost} && $session->{owner} == $$ + $CPANBridge::Session::THREAD;
}

# One call to the daemon for a handle: the reply, or nothing with the handle's error set.
sub call {
    my ($h, $function, @params) = @_;
    my $conn = $h->{bridge_conn};
    my ($reply, $error);
    {
        local $@;
        $reply = eval { $conn->{session}->request("$conn->{module}.$function", \@params) };
        $error = $@ if !$reply;
    }
    return $conn->{driver}->_fail($h, $error) if !$reply;
    $conn->{driver}->_thrown($conn)           if $conn->{died};
    return $reply;
}

# ================================================================================================================================
package CPANBridge::Driver::st;

our @ISA = ('DBD::_::st');
@CPANBridge::Driver::db::ISA = ('DBD::_::db');

my $base_store = DBD::_::common->can('STORE');    # DBI's own

sub _columns {
    my ($sth, $columns) = @_;
    if ($DBI::BRIDGE) { $sth->{NUM_OF_FIELDS} = @$columns }
    else { $sth->STORE(NUM_OF_FIELDS => scalar @$columns) }
    $sth->{NAME} = $columns;
    return;
}

# The reply to `execute`, [count, done, rows, extra, rowid]: what execute returns.
sub _executed {
    my ($sth, $conn, $reply) = @_;
    $conn->{driver}->_thrown($conn) if $conn->{died};
    my ($count, $done, $rows, $extra) = @$reply;
    $conn->{rowid} = $reply->[4] if defined $reply->[4];
    if ($extra) {
        $conn->{driver}->_extra($conn, $extra);
        $conn->{driver}->_new_columns($sth, $extra->{columns}, $extra) if $extra->{columns};
    }
    if (!@{ $sth->{NAME} }) {
        $sth->{bridge_got} = $count;
        return $count > 0 ? $count : '0E0';    # -1: there was nothing to execute
    }
    @$sth{qw(bridge_done bridge_got)} = ($done, 0);
    _ask_ahead($sth, $conn->{session}) if !$done && ($sth->{bridge_cache} || 0) != 1;
    _arrived($sth, $rows)              if $rows;
    if ($DBI::BRIDGE) { $sth->{Active} = 1 }
    else { $sth->STORE(Active => 1) }
    return '0E0';
}

# The image of [$id, \@binds, $mode, $max] (execute's parameters): what freeze would make, in half its time. Undef if values
# are not bytes but text: then freeze has to do it.
sub _execution {
    my ($sth, $binds, $mode, $max) = @_;
    my $image = $sth->{bridge_image} ||=
        pack('C3N', 5, 11, 2, 4) . pack('CN', 9, $sth->{bridge_id}) . pack('C2N', 4, 2, scalar @$binds);
    for (@$binds) {
        $image .= defined $_ ? length() < 256 ? "\12" . chr(length) . $_ : pack('CN/a*', 1, $_) : "\5";
    }
    $image .= "\12\1$mode" . ($max ? pack('CN', 9, $max) : "\5");
    return utf8::is_utf8($image) ? undef : $image;
}

sub _ask_ahead {    # the next batch is on its way while the script works on this one
    my ($sth, $session) = @_;
    $session->post(
        $sth->{bridge_conn}{calls}{fetch},
        [$sth->{bridge_id}, $sth->{bridge_cache}, _mode($sth)],
        \$sth->{bridge_seq}
    );
    return;
}

sub _drop_reply {    # what was asked for ahead is not wanted any more
    my ($sth, $session) = @_;
    my @ahead = delete @$sth{qw(bridge_seq bridge_after bridge_reply)};
    for my $seq (@ahead[0, 1]) { $session->forget($seq) if $seq }
    return;
}

# How the next rows shall come: as arrays, as hashes, or (for bound columns under our own DBI) all values in one list.
sub _mode {
    my ($sth) = @_;
    return $sth->{bridge_bind} && !$sth->{bridge_nested} ? 'f' : $sth->{bridge_mode} || 'a';
}

# Rows from the daemon become the waiting ones. They are counted, and the reply they came with is forgotten, by the same statement: a
# signal handler that dies in between would lose them or leave them here twice.
sub _arrived {
    my ($sth, $rows) = @_;
    if (@$rows && !ref $rows->[0]) {
        my $n = @{ $sth->{NAME} };
        if ($sth->{bridge_bind} && !$sth->{ChopBlanks} && !$sth->{bridge_as_bytes}) {
            $sth->{bridge_flat} = $rows, $sth->{bridge_got} += @$rows / $n, delete $sth->{bridge_reply};
            return;
        }
        my @values = @$rows;
        $rows = [map { [splice @values, 0, $n] } 1 .. @values / $n];
    }
    _chop($sth, $rows) if $DBI::BRIDGE ? $sth->{ChopBlanks} : $sth->FETCH('ChopBlanks');
    if (@$rows && ref $rows->[0] eq 'HASH') {
        $sth->{bridge_names}     = $sth->{NAME};
        $sth->{bridge_hash_rows} = $rows, $sth->{bridge_got} += @$rows, delete $sth->{bridge_reply};
        return;
    }
    if ($sth->{bridge_as_bytes}) {
        for my $row (@$rows) { defined and utf8::encode($_) for @$row[@{ $sth->{bridge_as_bytes} }] }
    }
    $sth->{bridge_rows} = $rows, $sth->{bridge_got} += @$rows, delete $sth->{bridge_reply};
    return;
}

sub _more {    # fetches the next batch: true when there are rows
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    return _end_of_rows($sth) if $sth->{bridge_done} || !$conn->{active};
    my $session = $conn->{session};
    my $reply   = $sth->{bridge_reply};    # from a time when a signal handler died right after it had come
    if (!$reply) {
        my $error;
        {
            local $@;
            $reply = eval {
                _ask_ahead($sth, $session)   if !$sth->{bridge_seq};
                _ask_further($sth, $session) if $sth->{bridge_all};
                $sth->{bridge_reply} = $session->await($sth->{bridge_seq}),
                    $sth->{bridge_seq} = delete $sth->{bridge_after};
                $sth->{bridge_reply};
            };
            $error = $@ if !$reply;
        }
        return _no_more($sth, $error) if !$reply;
    }
    my ($done, $rows, $extra) = @$reply;
    return _aborted($sth, $reply) if $done < 0;
    if ($conn->{died}) { delete $sth->{bridge_reply}; $conn->{driver}->_thrown($conn) }
    $conn->{driver}->_extra($conn, $extra) if $extra;
    $sth->{bridge_done} = $done;
    $session->forget(delete $sth->{bridge_seq}) if $done && $sth->{bridge_seq};
    if (!@$rows) {
        delete $sth->{bridge_reply};
        return $done ? _end_of_rows($sth) : _more($sth);
    }
    _arrived($sth, $rows);
    _ask_ahead($sth, $session) if !$done && !$sth->{bridge_cache} && !$sth->{bridge_seq};
    return 1;
}

sub _end_of_rows {
    my ($sth) = @_;
    $sth->{bridge_done} = 1;
    if ($DBI::BRIDGE)             { $sth->{Active} = '' }
    elsif ($sth->FETCH('Active')) { $sth->STORE(Active => 0) }
    return;
}

sub _next_row {    # under any DBI: the next row as an array, or nothing
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    return $conn->{driver}->_inactive($sth, 'fetch') if !$conn->{active};
    return                                           if !$sth->FETCH('Active');
    if (!$sth->{bridge_rows} || !@{ $sth->{bridge_rows} }) {
        if (!$sth->{bridge_hash_rows} || !@{ $sth->{bridge_hash_rows} }) { _more($sth) or return }
        if ($sth->{bridge_hash_rows} && @{ $sth->{bridge_hash_rows} }) {
            my $names = $sth->{bridge_names};
            $sth->{bridge_rows} = [map { [@$_{@$names}] } @{ delete $sth->{bridge_hash_rows} }];
            $sth->{bridge_mode} = 'a';
        }
        if (my $flat = $sth->{bridge_flat}) { return [splice @$flat, 0, scalar @{ $sth->{NAME} }] if @$flat }
    }
    return shift @{ $sth->{bridge_rows} };
}

sub blob_read { return undef }    # no driver of ours keeps a value back

sub _fetch_set { my ($sth) = @_; my $row = _next_row($sth) or return; return $sth->_set_fbav($row) }

{
    no warnings 'once';
    *fetch = *fetchrow_arrayref = $DBI::BRIDGE ? \&_next_row : \&_fetch_set;
}

sub rows {
    my ($sth) = @_;
    return $sth->{bridge_got} - _waiting($sth);
}

sub _waiting {    # how many rows are here that the script has not seen
    my ($sth) = @_;
    my $waiting = 0;
    for (@WAITING) {
        my $rows = $sth->{$_} or next;
        $waiting += $_ eq 'bridge_flat' ? @$rows / @{ $sth->{NAME} } : @$rows;
    }
    return $waiting;
}

sub _forget_rows {    # the script will not see them: nor are they counted
    my ($sth) = @_;
    $sth->{bridge_got} = rows($sth);
    delete @$sth{@WAITING};
    return;
}

sub finish {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    _forget_rows($sth) if grep { $_ } @$sth{@WAITING};
    if ($conn && $conn->{active}) {
        my $session = $conn->{session};
        _drop_reply($sth, $session) if $sth->{bridge_seq} || $sth->{bridge_reply};
        $session->oneway($conn->{calls}{reset}, [$sth->{bridge_id}], 1)    # at once: it may hold a lock
            if defined $sth->{bridge_done} && !$sth->{bridge_done};
    }
    _end_of_rows($sth);
    return 1;
}

sub STORE {
    my ($sth, $name, $value) = @_;
    if ($name eq 'ChopBlanks' && $value && !$sth->{ChopBlanks}) {    # rows that are here already are chopped too
        $sth->{ChopBlanks} = 1;
        for (grep { $sth->{$_} } @WAITING) { _chop($sth, $sth->{$_}, $_) }
    }
    $sth->{bridge_cache} = $value && $value == 1 ? 1 : undef if $name eq 'RowCacheSize';
    goto &$base_store;
}

sub DESTROY {
    my ($sth) = @_;
    my $conn = $sth->{bridge_conn};
    if ($DBI::BRIDGE) { $sth->{Active} = '' }
    else { $sth->STORE(Active => 0) }
    return if !$conn || !$conn->{active} || $sth->{bridge_canned} || !$sth->{bridge_id};
    return if !CPANBridge::Driver::mine($conn);
    local $@;
    eval {
        _drop_reply($sth, $conn->{session});
        my $open = defined $sth->{bridge_done} && !$sth->{bridge_done};    # then it may hold a lock
        $conn->{session}->oneway($conn->{calls}{finalize}, [$sth->{bridge_id}], $open);
    };
    return;
}

1;
