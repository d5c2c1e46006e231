package DBD::SQLite::Callbacks;

# Perl code that SQLite calls: functions, aggregates, collations, hooks, the authorizer, tracing, full-text tokenizers. Each piece
# of code gets a number in the session; the daemon calls it by that number while the statement runs. Values arrive as SQLite has
# them; answers go back as [class, value]: 1 integer, 2 real, 3 text, 4 blob, 5 null.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

require DBD::SQLite::Binding;

# Registers code for one of the daemon's functions, under a name so that it can be replaced and is dropped with the connection; @front
# and @back are the parameters around its number. If it fails, the code that was there before stays.
sub install {
    my ($dbh, $function, $name, $code, $front, $back) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $id    = $code ? $conn->{session}->callback($code) : undef;
    my $reply = CPANBridge::Driver::call($dbh, $function, $conn->{id}, @{ $front || [] }, $id, @{ $back || [] });
    if (!$reply) {
        $conn->{session}->drop_callback($id);
        return;
    }
    $conn->{session}->drop_callback(delete $conn->{callbacks}{$name});
    $conn->{callbacks}{$name} = $id if $id;
    return $reply;
}

# Code that must not break out of SQLite: what it dies of is kept and thrown when the call is back (DBD::SQLite::_fail, _thrown).
sub guarded {
    my ($conn, $code, $on_death) = @_;
    return sub {
        return $on_death if $conn->{died};
        my $value;
        return $value if eval { $value = $code->(@_); 1 };
        $conn->{died} = [$@];
        return $on_death;
    };
}

sub outer { my ($dbh) = @_; return $DBI::BRIDGE ? DBI::Bridge::outer($dbh) : (DBI::_handles($dbh))[0] }

# --- what a function returns ---------------------------------------------------------------------------------------------------

my %CLASS = ((map { $_ => 1 } -6, -5, 4, 5, 16), (map { $_ => 2 } 6, 7, 8), (map { $_ => 4 } -7, -4, -3, -2, 30));

sub result {
    my ($value) = @_;
    return undef                if !defined $value;
    return typed_result($value) if ref $value eq 'ARRAY';
    (my $text = $value) =~ s/\A\s+//;
    return [1, $text] if DBD::SQLite::Binding::number($text) == 1;
    return [2, sprintf '%.17g', $value] if is_number($value);
    return [3, "$value"];
}

sub column {    # a column of a virtual table: text stays text
    my ($value) = @_;
    return $value               if !defined $value;
    return typed_result($value) if ref $value eq 'ARRAY';
    return "$value"             if !is_number($value);
    return $value =~ /\A-?\d+\z/ ? $value : [2, sprintf '%.17g', $value];
}

sub is_number {    # was it computed as a number (and not read as text)?
    my ($value) = @_;
    return 0 if ref $value || $value !~ /\A(?:-?(?:[0-9.]|inf|nan)|\z)/i;
    if ($value eq '') { require B; return B::svref_2object(\$value)->FLAGS & B::SVf_NOK() }
    no warnings;
    my $same = $value ^ $value;
    return $same eq '0';
}

sub typed_result {
    my ($pair) = @_;
    die "unexpected arrayref\n" if @$pair != 2;
    my ($value, $type) = @$pair;
    my $class = defined $type ? $CLASS{$type} || 3 : 3;
    no warnings;
    return [1, int $value]              if $class == 1;
    return [2, sprintf '%.17g', $value] if $class == 2;
    $value = ''                         if !defined $value;
    return [$class, "$value"];
}

# --- aggregates ------------------------------------------------------------------------------------------------------------------

# One closure serves all groups of one aggregate: 'step' and 'final' come with the group's number and rows of arguments. SQLite is not
# told of errors (it could not undo the rows it has seen): they are printed and the group's result is NULL.
sub aggregate {
    my ($package) = @_;
    my (%group, %broken);
    my $start = sub {
        my ($id) = @_;
        my $make =
            sub { my $object = $package->new; ref $object or die "new() should return a blessed reference\n"; $object };
        $group{$id} = try('new', $make) or $broken{$id} = 1;
        return;
    };
    return sub {
        my ($what, $id, $rows) = @_;
        if ($what eq 'drop') { delete $group{$id}; delete $broken{$id}; return }
        $start->($id) if !$group{$id} && !($broken{$id} && $what eq 'step');
        for my $row (@{ $rows || [] }) {
            last if $broken{$id};
            if (!$group{$id}) { $start->($id); next if !$group{$id} }
            try('step', sub { $group{$id}->step(@$row); 1 }) or $broken{$id} = 1;
            delete $group{$id} if $broken{$id};
        }
        return if $what ne 'final';
        my $object = delete $group{$id};
        delete $broken{$id} or return $object ? finish($object) : undef;
        return undef;
    };
}

sub finish {
    my ($object) = @_;
    my $value;
    my $ok = try('finalize', sub { $value = $object->finalize; 1 });
    return $ok ? result($value) : undef;
}

sub try {
    my ($method, $code) = @_;
    my $value;
    return $value if eval { $value = $code->(); 1 };
    warn "DBD::SQLite: error in aggregator cannot be reported to SQLite: error during aggregator's $method(): $@";
    return;
}

# --- what every connection has ---------------------------------------------------------------------------------------------------

sub DBD::SQLite::_regexp {    # text REGEXP pattern is regexp(pattern, text)
    my ($conn, $pattern, $text) = @_;
    return undef if !defined $pattern || !defined $text;
    use locale;
    return [1, scalar($text =~ $pattern) ? 1 : 0];
}

sub DBD::SQLite::_by_locale { use locale; return $_[0] cmp $_[1] }    # the collation perllocale

sub DBD::SQLite::_tokenize {
    our $tokenizer ||= tokenizer();
    return $tokenizer->(@_);
}

sub DBD::SQLite::_collation_wanted {
    my ($conn, $name) = @_;
    my $dbh = $conn && $conn->{dbh} or return;
    if (my $code = $conn->{collation_wanted}) { $code->(outer($dbh), $name); return }
    my $code = $DBD::SQLite::COLLATION{$name} or return;
    return DBD::SQLite::db::create_collation($dbh, $name, $code);
}

# ================================================================================================================================
package DBD::SQLite::db;

sub create_function {
    my ($dbh, $name, $argc, $code, $flags) = @_;
    return DBD::SQLite->_inactive($dbh, 'create function') if !$dbh->{bridge_conn}{active};
    my $wrapped = ref $code ? sub { return DBD::SQLite::Callbacks::result(scalar $code->(@_)) } : undef;
    my $ok      = DBD::SQLite::Callbacks::install(
        $dbh, 'create_function', "function $name $argc", $wrapped, [$name, $argc],
        [$flags || 0]
    );
    return $ok ? 1 : _not_made($dbh, 'sqlite_create_function');
}

sub _not_made {
    my ($dbh, $method) = @_;
    my ($err, $text)   = ($dbh->err, $dbh->errstr);
    $dbh->set_err(undef, undef);
    $dbh->set_err($err,  "$method failed with error $text");
    return 0;
}

sub create_aggregate {
    my ($dbh, $name, $argc, $package, $flags) = @_;
    return DBD::SQLite->_inactive($dbh, 'create aggregate') if !$dbh->{bridge_conn}{active};
    my $code = defined $package ? DBD::SQLite::Callbacks::aggregate($package) : undef;
    my $ok   = DBD::SQLite::Callbacks::install(
        $dbh, 'create_aggregate', "aggregate $name $argc", $code, [$name, $argc],
        [$flags || 0]
    );
    return $ok ? 1 : _not_made($dbh, 'sqlite_create_aggregate');
}

my $PERL_ORDER = $DBD::SQLite::COLLATION{perl};

sub create_collation {
    my ($dbh, $name, $code) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'create collation') if !$conn->{active};
    if (ref $code && $code == $PERL_ORDER) {    # cmp orders as the bytes do: SQLite can do that by itself
        return CPANBridge::Driver::call($dbh, 'create_collation', $conn->{id}, $name, 0) ? 1 : '';
    }
    CPANBridge::Driver::weaken(my $weak = $conn);
    my $order   = sub { my $order = $code->(@_); return defined $order ? int $order : 0 };
    my $wrapped = ref $code ? DBD::SQLite::Callbacks::guarded($weak, $order, 0) : undef;
    return DBD::SQLite::Callbacks::install($dbh, 'create_collation', "collation $name", $wrapped, [$name]) ? 1 : '';
}

sub collation_needed {
    my ($dbh, $code) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'see if collation is needed') if !$conn->{active};
    $conn->{collation_wanted} = $code;
    return 1;
}

# Hooks: each returns the code that was there before.
sub _hook {
    my ($dbh, $which, $code, $on_death) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, "set $which hook") if !$conn->{active};
    my $before = $conn->{hooks}{$which};
    my $weak   = $conn;
    CPANBridge::Driver::weaken($weak);
    my $wrapped = $code ? DBD::SQLite::Callbacks::guarded($weak, $code, $on_death) : undef;
    if ($code && $which eq 'commit') {
        $wrapped = sub {
            my $no = eval { $code->() };
            return $no ? 1 : 0
        }
    }    # dying is no objection
    DBD::SQLite::Callbacks::install($dbh, "${which}_hook", "hook $which", $wrapped) or return;
    $conn->{hooks}{$which} = $code;
    return $before;
}

sub commit_hook   { my ($dbh, $code) = @_; return _hook($dbh, 'commit',   $code, 0) }
sub rollback_hook { my ($dbh, $code) = @_; return _hook($dbh, 'rollback', $code, 0) }
sub update_hook   { my ($dbh, $code) = @_; return _hook($dbh, 'update',   $code, 0) }

sub set_authorizer {
    my ($dbh, $code) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'set authorizer') if !$conn->{active};
    my $weak = $conn;
    CPANBridge::Driver::weaken($weak);
    my $wrapped = $code ? DBD::SQLite::Callbacks::guarded($weak, $code, 1) : undef;
    return DBD::SQLite::Callbacks::install($dbh, 'set_authorizer', 'authorizer', $wrapped) ? 0 : 1;
}

sub progress_handler {
    my ($dbh, $steps, $code) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'set progress handler') if !$conn->{active};
    my $weak = $conn;
    CPANBridge::Driver::weaken($weak);
    my $wrapped = $code ? DBD::SQLite::Callbacks::guarded($weak, $code, 1) : undef;
    return DBD::SQLite::Callbacks::install($dbh, 'progress_handler', 'progress', $wrapped, [$steps]) ? 1 : '';
}

sub sqlite_trace {
    my ($dbh, $code) = @_;
    return DBD::SQLite->_inactive($dbh, 'trace') if !$dbh->{bridge_conn}{active};
    return _watch($dbh, 'trace', $code && sub { $code->(@_); return });
}

sub profile {
    my ($dbh, $code) = @_;
    return DBD::SQLite->_inactive($dbh, 'profile') if !$dbh->{bridge_conn}{active};
    return _watch(
        $dbh, 'profile',
        $code && sub { my ($sql, $nanoseconds) = @_; $code->($sql, int($nanoseconds / 1_000_000)); return }
    );
}

sub _watch {
    my ($dbh, $function, $code) = @_;
    my $weak = $dbh->{bridge_conn};
    CPANBridge::Driver::weaken($weak);
    my $wrapped = $code && DBD::SQLite::Callbacks::guarded($weak, $code, undef);
    return DBD::SQLite::Callbacks::install($dbh, $function, $function, $wrapped) ? 1 : '';
}

# --- full-text tokenizers -----------------------------------------------------------------------------------------------------------

sub register_fts3_perl_tokenizer {    # every connection has it from the start
    my ($dbh) = @_;
    return DBD::SQLite->_inactive($dbh, 'register fts3 tokenizer') if !$dbh->{bridge_conn}{active};
    return 1;
}

sub create_module {
    my ($dbh, $name, $class) = @_;
    my $conn = $dbh->{bridge_conn};
    return DBD::SQLite->_inactive($dbh, 'create module') if !$conn->{active};
    require DBD::SQLite::VirtualTable;
    if (!$class->can('NEW')) { (my $file = "$class.pm") =~ s{::}{/}g; require $file }
    my $desk = DBD::SQLite::VirtualTable::Desk::open_for($conn, $class);
    DBD::SQLite::Callbacks::install($dbh, 'create_module', "module $name", $desk, [$name])
        or return _not_made($dbh, 'sqlite_create_module');
    $class->CREATE_MODULE($name);
    return 1;
}

# ================================================================================================================================
package DBD::SQLite::Callbacks;

# ('create', NAME) looks the function up and calls it for its tokenizer; ('tokenize', NAME, TEXT) gives all terms of a text:
# [ term, first byte, byte after the last, index ].
sub tokenizer {
    my %made;
    my $make = sub {
        my ($name)     = @_;
        my ($function) = $name =~ /\A\s*['"]?([\w:']+?)['"]?\s*\z/ or die "cannot find tokenizer function '$name'\n";
        no strict 'refs';
        die "cannot find tokenizer function '$name'\n" if !defined &$function;
        return $made{$name} = &{ \&$function }();
    };
    return sub {
        my ($what, $name, $text) = @_;
        my $code = $made{$name} || $make->($name);
        return [] if $what ne 'tokenize';
        return terms($code->($text), $text);
    };
}

sub terms {
    my ($next, $text) = @_;
    my $wide = utf8::is_utf8($text) && $text =~ /[^\x00-\x7f]/;
    my ($chars, $bytes) = (0, 0);    # how far the byte count has come
    my $at = sub {
        my ($position) = @_;
        return $position if !$wide;
        ($chars, $bytes) = (0, 0) if $position < $chars;
        my $part = substr $text, $chars, $position - $chars;
        utf8::encode($part);
        ($chars, $bytes) = ($position, $bytes + length $part);
        return $bytes;
    };
    my @terms;
    while (my ($term, $length, $start, $end, $index) = $next->()) {
        push @terms, [$term, $at->($start), $at->($end), $index];
    }
    return \@terms;
}

1;
