package DBD::Pg::Attributes;

# Attributes that a script reads or writes. The common ones are plain entries of the inner handle.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::db;

my @OWN = qw(
    pg_async_status pg_bool_tf pg_db pg_default_port pg_enable_utf8 pg_utf8_flag pg_errorlevel pg_expand_array pg_host
    pg_INV_READ pg_INV_WRITE pg_lib_version pg_options pg_pass pg_pid pg_placeholder_dollaronly pg_placeholder_nocolons
    pg_placeholder_escaped pg_port pg_prepare_now pg_protocol pg_server_prepare pg_server_version pg_socket
    pg_standard_conforming_strings pg_switch_prepared pg_user
);

sub private_attribute_info {
    return { map { $_ => undef } @OWN }
}

my %FACT = (
    pg_db => 'db', pg_host => 'host', pg_options => 'options', pg_port => 'port', pg_user => 'user', pg_pid => 'pid',
    pg_server_version => 'server_version', pg_lib_version => 'lib_version',
);
my %FACT_LOST =
    (pg_pid => 0, pg_db => undef, pg_host => undef, pg_options => undef, pg_port => undef, pg_user => undef);

my %COMPUTED = (
    pg_async_status => sub { $_[1]{async_status} || 0 },
    pg_default_port => sub { my $port = $_[1]{facts}{default_port}; defined $port ? $port : 5432 },
    pg_pass         => sub { my $pass = $_[0]{bridge_pass}; $pass = $pass && $pass->(); defined $pass ? $pass : '' },
    pg_socket                      => sub { _socket($_[1]) },
    pg_standard_conforming_strings => sub { $_[1]{active} ? $_[1]{params}{standard_conforming_strings} : undef },
    pg_utf8_flag                   => \&_utf8_flag,
    RowCacheSize                   => sub { undef },
    ParamValues                    => sub {
        my $n = 0;
        return { map { ++$n => _shown($_) } @{ $_[0]{bridge_binds} || [] } }
    },
    bridge_pipeline => sub { $_[1]{pipeline} ? 1 : 0 },
);

sub _fetch {
    my ($dbh, $name) = @_;
    my $conn = $dbh->{bridge_conn} || {};
    if (my $fact = $FACT{$name}) {
        return $FACT_LOST{$name} if !$conn->{active} && exists $FACT_LOST{$name};
        return $conn->{facts}{$fact};
    }
    return $COMPUTED{$name}->($dbh, $conn) if $COMPUTED{$name};
    return $dbh->{$name};
}

sub _shown { my ($value) = @_; return defined $value && !ref $value ? "$value" : $value }

# A descriptor of the way to the daemon. It is a copy: a script may close it, and then means that the connection is lost (ping).
sub _socket {
    my ($conn) = @_;
    return -1 if !$conn->{active} || !CPANBridge::Driver::mine($conn);
    require POSIX;
    $conn->{fd} = POSIX::dup(fileno $conn->{session}{fh}) if !defined $conn->{fd};
    return defined $conn->{fd} ? $conn->{fd} : -1;
}

sub _utf8_flag {
    my ($dbh, $conn) = @_;
    my $wanted = $dbh->{pg_enable_utf8};
    return $wanted == -1 ? $conn->{utf8} : $wanted if $wanted != -1 || defined $conn->{utf8};
    return ($conn->{params}{client_encoding} || 'UTF8') =~ /\AUTF-?8\z/i ? 1 : 0;
}

sub _errorlevel { my ($level) = @_; return defined $level && $level =~ /\A[012]\z/ ? $level : 1 }

my %READ_ONLY = map { $_ => 1 } keys %FACT, qw(
    pg_async_status pg_default_port pg_INV_READ pg_INV_WRITE pg_pass pg_protocol pg_socket pg_standard_conforming_strings pg_utf8_flag
    RowCacheSize
);

my %STORE = (
    pg_enable_utf8 => sub { my $mode = defined $_[2] ? 0 + $_[2] : 0; _configure(@_[0, 1], utf8 => $mode); $mode },
    pg_bool_tf => sub { my $on = $_[2] ? 1 : 0; _configure(@_[0, 1], bool_tf => $on); _turn_booleans($_[0], $on); $on },
    pg_expand_array    => sub { my $on = $_[2] ? 1 : 0; _configure(@_[0, 1], expand_array => $on); $on },
    pg_errorlevel      => sub { my $level = _errorlevel($_[2]); _configure(@_[0, 1], errorlevel => $level); $level },
    pg_switch_prepared => sub { defined $_[2] ? int $_[2] : 2 },
    pg_placeholder_escaped => sub { defined $_[2] ? $_[2] ? 1 : 0 : undef },
    (
        map {
            $_ => sub { $_[2] ? 1 : 0 }
        } qw(pg_placeholder_dollaronly pg_placeholder_nocolons pg_prepare_now pg_server_prepare)
    ),
    bridge_pipeline => sub { DBD::Pg::_pipeline($_[1], $_[2]); $_[2] ? 1 : 0 },
);

sub _store {
    my ($dbh, $name, $value) = @_;
    return 1 if $READ_ONLY{$name};
    my $conn = $dbh->{bridge_conn};
    if ($name eq 'dbd_verbose') { $dbh->trace('DBD') if $value; return 1 }
    if ($name eq 'ReadOnly')    { return _store_read_only($dbh, $value) }
    my $store = $STORE{$name} or return 1;    # unknown ones are taken without a word
    my $same  = defined $dbh->{$name} && defined $value && $dbh->{$name} eq $value && $value ne '-1';
    $dbh->{$name} = $store->($dbh, $conn, $value) if !$same;
    DBD::Pg::_look_at_params($conn) if $name =~ /^pg_placeholder_/;
    return 1;
}

sub _configure {
    my ($dbh, $conn, $name, $value) = @_;
    if ($name eq 'utf8') {                    # the encoding is looked at now
        my $encoding = $conn->{params}{client_encoding} || 'UTF8';
        $conn->{utf8} = $value == -1 ? ($encoding =~ /\AUTF-?8\z/i ? 1 : 0) : $value;
    }
    $conn->{session}->oneway('pg.config', [$conn->{id}, { $name => $value }]) if $conn->{active};
    return;
}

# Rows that wait already: their booleans change as well.
sub _turn_booleans {
    my ($dbh, $on) = @_;
    my %as = $on ? (0 => 'f', 1 => 't') : (f => 0, t => 1);
    for my $sth (grep { $_ && $_->{bridge_facts} } @{ $dbh->{bridge_kids} || [] }) {
        my $types = $sth->{bridge_facts}{types} || [];
        my @at    = grep { $types->[$_] == 16 } 0 .. $#$types or next;
        for my $key (grep { $sth->{$_} } @CPANBridge::Driver::WAITING) {
            my $rows = $sth->{$key};
            if ($key eq 'bridge_flat') {
                my $n = @$types;
                for my $start (map { $_ * $n } 0 .. @$rows / $n - 1) {
                    defined && exists $as{$_} and $_ = $as{$_} for @$rows[map { $start + $_ } @at]
                }
                next;
            }
            for my $row (@$rows) {
                for (ref $row eq 'HASH' ? @$row{ @{ $sth->{NAME} }[@at] } : @$row[@at]) {
                    $_ = $as{$_} if defined && exists $as{$_}
                }
            }
        }
    }
    return;
}

sub _store_read_only {
    my ($dbh, $value) = @_;
    CPANBridge::Driver::warning('Setting ReadOnly in AutoCommit mode has no effect')
        if $value && $dbh->{AutoCommit} && $dbh->FETCH('Warn');
    $dbh->{ReadOnly} = $value ? 1 : 0;
    _tell_begin($dbh);
    return 1;
}

package DBD::Pg::st;

my @OWN_ST = qw(
    pg_async pg_async_status pg_bound pg_cmd_status pg_current_row pg_direct pg_numbound pg_oid_status
    pg_placeholder_dollaronly pg_placeholder_nocolons pg_prepare_name pg_prepare_now pg_segments pg_server_prepare pg_size
    pg_switch_prepared pg_type
);

sub private_attribute_info {
    return { map { $_ => undef } @OWN_ST }
}

my %COMPUTED_ST = (
    TYPE => sub {
        _of_types($_[0], sub { my ($type) = DBD::Pg::_sql_type($_[0]); $type || 0 })
    },
    pg_type => sub {
        _of_types($_[0], sub { my (undef, $name) = DBD::Pg::_sql_type($_[0]); defined $name ? $name : 'unknown' })
    },
    pg_size         => sub { my ($sth) = @_; _ran($sth) ? [@{ _facts($sth, 'sizes') }] : undef },
    PRECISION       => \&_precision,
    SCALE           => \&_scale,
    NULLABLE        => \&_nullable,
    NUM_OF_FIELDS   => sub { my ($sth) = @_; @{ $sth->{NAME} } ? scalar @{ $sth->{NAME} } : undef },
    ParamValues     => \&_param_values,
    ParamTypes      => \&_param_types,
    CursorName      => sub { undef },
    RowsInCache     => sub { undef },
    pg_async        => sub { $_[0]{pg_async}                  || 0 },
    pg_async_status => sub { $_[0]{bridge_conn}{async_status} || 0 },
    pg_bound        => sub {
        my ($sth) = @_;
        my $open  = _open($sth);
        my %at    = _names($sth);
        return { map { $_ => $open->{ $at{$_} } ? 0 : 1 } keys %at }
    },
    pg_numbound    => sub { my ($sth) = @_; return $sth->{bridge_params} - keys %{ _open($sth) } },
    pg_cmd_status  => \&_command_status,
    pg_current_row => sub { my ($sth) = @_; return $sth->FETCH('Active') ? $sth->{bridge_got} - _waiting($sth) : 0 },
    pg_direct      => sub { $_[0]{pg_direct}                             ? 1                                   : 0 },
    pg_oid_status  => sub { my ($sth) = @_; _ran($sth)                   ? 0 : undef },
    pg_segments    => \&_segments,
);

sub _fetch {
    my ($sth, $name) = @_;
    my $compute = $COMPUTED_ST{$name} or return $sth->{$name};
    return $compute->($sth);
}

sub _ran { my ($sth) = @_; return $sth->{bridge_got} >= 0 || defined $sth->{bridge_done} }

sub _facts { my ($sth, $which) = @_; return $sth->{bridge_facts} && $sth->{bridge_facts}{$which} || [] }

sub _of_types {
    my ($sth, $code) = @_;
    return undef if !_ran($sth);
    return [map { $code->($_) } @{ _facts($sth, 'types') }];
}

sub _precision {    # digits of a number, length of a text type as the server keeps it, bytes of all else
    my ($sth) = @_;
    return undef if !_ran($sth);
    my ($types, $mods, $sizes) = map { _facts($sth, $_) } qw(types mods sizes);
    return [
        map {
            my ($type, $mod) = ($types->[$_], $mods->[$_]);
            $type == 1700                          && $mod >= 4 ? (($mod - 4) >> 16) & 0xffff
                : ($type == 1042 || $type == 1043) && $mod > 0  ? $mod
                : $sizes->[$_] > 0 ? $sizes->[$_]
                : undef
        } 0 .. $#$types
    ];
}

sub _scale {
    my ($sth) = @_;
    return undef if !_ran($sth);
    my ($types, $mods) = map { _facts($sth, $_) } qw(types mods);
    return [map { $types->[$_] == 1700 && $mods->[$_] >= 4 ? ($mods->[$_] - 4) & 0xffff : undef } 0 .. $#$types];
}

sub _nullable {    # asked of the server for columns that come straight from tables
    my ($sth) = @_;
    return undef if !_ran($sth);
    my $tables = _facts($sth, 'tables');
    my %wanted;
    for (grep { $_->[0] && $_->[1] > 0 } @$tables) {
        $wanted{ $_->[0] }{ $_->[1] } = 2
    }
    if (%wanted) {
        my $list = join ',', map { 0 + $_ } keys %wanted;
        my $rows = DBD::Pg::_rows(
            $sth->{Database},
"SELECT attrelid, attnum, attnotnull::int FROM pg_catalog.pg_attribute WHERE attrelid IN ($list) AND attnum > 0"
        );
        $wanted{ $_->[0] }{ $_->[1] } = $_->[2] ? 0 : 1 for @{ $rows || [] };
    }
    return [map { $_->[0] && $_->[1] > 0 ? $wanted{ $_->[0] }{ $_->[1] } : 2 } @$tables];
}

sub _names {    # of the placeholders → their index
    my ($sth) = @_;
    my $n     = $sth->{bridge_params};
    my @names = $sth->{bridge_plan}[3] eq ':' ? @{ $sth->{bridge_plan}[4] } : 1 .. $n;
    my %at;
    @at{@names} = 0 .. $n - 1 if $n;
    return %at;
}

sub _open {    # the placeholders without a value
    my ($sth) = @_;
    return $sth->{bridge_unbound} if $sth->{bridge_unbound};
    return {} if $sth->{bridge_binds};
    return { map { $_ => 1 } 0 .. $sth->{bridge_params} - 1 };
}

sub _param_values {
    my ($sth) = @_;
    my %at    = _names($sth);
    my $binds = $sth->{bridge_binds} || [];
    return { map { $_ => DBD::Pg::db::_shown($binds->[$at{$_}]) } keys %at };
}

sub _param_types {
    my ($sth) = @_;
    my ($open, $types) = (_open($sth), $sth->{bridge_types} || []);
    my %at = _names($sth);
    my %as;
    for my $name (keys %at) {
        my $index = $at{$name};
        my $oid   = $types->[$index];
        $oid = 705 if !defined $oid && !$open->{$index};
        my ($type) = defined $oid ? DBD::Pg::_sql_type($oid) : ();
        $as{$name} = !defined $oid ? undef : $type ? { TYPE => $type } : { pg_type => $oid };
    }
    return \%as;
}

sub _command_status {    # "INSERT 0 1"
    my ($sth) = @_;
    return undef if !_ran($sth);
    my $command = $sth->{bridge_cmd};
    return ''       if !defined $command;
    return $command if $command !~ /\A(?:INSERT|UPDATE|DELETE|SELECT|MERGE|MOVE|FETCH)\z/;
    return $command . ($command eq 'INSERT' ? ' 0 ' : ' ') . $sth->rows;
}

sub _segments {
    my ($sth) = @_;
    my $plan = $sth->{bridge_plan};
    return [$plan->[0]] if !$plan->[1];
    my $pieces = DBD::Pg::_pieces($plan);
    my @text   = map { $pieces->[2 * $_] } 0 .. $#$pieces / 2;
    pop @text if !length $text[-1];
    return [map { length $_ ? $_ : undef } @text];
}

my %STORE_ST = (
    pg_prepare_name => sub {
        my ($sth, $name) = @_;
        if (defined $name && length $name) { $sth->{bridge_opts}{name} = "$name" }
        else { delete $sth->{bridge_opts}{name} if $sth->{bridge_opts} }
        return $name;
    },
    pg_async           => sub { defined $_[1] ? int $_[1] : 0 },
    pg_switch_prepared => sub { defined $_[1] ? int $_[1] : 2 },
    pg_direct          => sub { $_[1]         ? 1         : 0 },
    (
        map {
            $_ => sub { $_[1] ? 1 : 0 }
        } qw(pg_placeholder_dollaronly pg_placeholder_nocolons pg_prepare_now pg_server_prepare)
    ),
);

sub _store {
    my ($sth, $name, $value) = @_;
    my $store = $STORE_ST{$name} or return 1;
    $sth->{$name} = $store->($sth, $value);
    delete $sth->{bridge_sent} if $name eq 'pg_server_prepare' || $name eq 'pg_prepare_name';
    return 1;
}

1;
