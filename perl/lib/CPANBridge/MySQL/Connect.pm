package CPANBridge::MySQL::Connect;

# Connecting: the data source is taken apart, attributes become parameters of the daemon's `connect`, option files are read by the daemon.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

# name without the driver's prefix → parameter of the daemon's connect
my %PARAMETER = (
    (map { $_ => $_ } qw(socket compression connect_timeout read_timeout write_timeout init_command local_infile
        multi_statements ssl ssl_optional ssl_cipher conn_attrs skip_secure_auth server_pubkey get_server_pubkey
        max_allowed_packet)),
    client_found_rows      => 'found_rows',
    read_default_file      => 'default_file',
    read_default_group     => 'default_group',
    ssl_ca_file            => 'ssl_ca',
    ssl_ca_path            => 'ssl_capath',
    ssl_client_key         => 'ssl_key',
    ssl_client_cert        => 'ssl_cert',
    ssl_verify_server_cert => 'ssl_verify',
);

# those that are switches, and those that are plain attributes of the handle
my %SWITCH = map { $_ => 1 } qw(compression local_infile multi_statements ssl ssl_optional ssl_verify found_rows);
my %NUMBER = map { $_ => 1 } qw(connect_timeout read_timeout write_timeout max_allowed_packet);
my %HANDLE = map { $_ => 1 } qw(auto_reconnect use_result enable_utf8 enable_utf8mb4 bind_type_guessing
    bind_comment_placeholders no_autocommit_cmd server_prepare server_prepare_disable_fallback max_allowed_packet);

package CPANBridge::MySQL;

# "database:host:port;name=value;..." or "name=value;...": what the source says, by name. Names without = are the database, the host and
# the port, in that order.
sub parse_source {
    my ($dsn) = @_;
    my (%said, @places);
    @places = qw(database host port);
    return \%said if !defined $dsn;
    while (length $dsn) {
        my ($item) = $dsn =~ s/\A([^:;\[]*(?:\[[^]]*\][^:;]*|=[^;]*)?)[:;]?//s ? $1 : substr $dsn, 0, length $dsn, '';
        if ($item =~ /\A([^=]*)=(.*)\z/s) {
            my ($name, $value) = ($1, $2);
            $name = 'database' if $name =~ /\A(?:db|dbname)\z/;
            $name = 'host'     if $name eq 'hostname';
            $said{$name} = $value;
            @places = grep { $_ ne $name } @places;
        }
        elsif (@places) { $said{ shift @places } = $item }
    }
    _split_host(\%said) if defined $said{host};
    return \%said;
}

sub _split_host {    # host:port, [2001:db8::1], [2001:db8::1]:port
    my ($said) = @_;
    if ($said->{host} =~ /\A\[([^]]*)\](?::(.*))?\z/s || $said->{host} =~ /\A([^:]*):([^:]*)\z/) {
        my ($host, $port) = ($1, $2);
        $said->{host} = $host;
        $said->{port} = $port if defined $port && !defined $said->{port};
    }
    return;
}

# A connection that has ended, made again with all it was made with: true, or the handle's error is set.
sub again {
    my ($dbh) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $id    = CPANBridge::Driver::next_id();
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            my $session = CPANBridge::MySQL::dr::_session($conn);
            my $opened  = $session->request('mysql.connect',
                [$id, { %{ $conn->{made} }, autocommit => 1 }, _options($dbh, $conn)]);
            @$conn{qw(session id active)} = ($session, $id, 1);
            $opened;
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { $conn->{stats}{auto_reconnects_failed}++; _fail($conn->{driver}, $dbh, $error); return }
    $conn->{facts}  = $reply->[0];
    @$conn{qw(status lost)} = ();
    $conn->{stats}{auto_reconnects_ok}++;
    $dbh->STORE(Active => 1);
    return 1;
}

# The settings of a connection for the daemon (`config`).
sub _options {
    my ($dbh, $conn) = @_;
    my ($flavour, $p) = ($conn->{flavour}, $conn->{flavour}{prefix});
    return {
        rules                           => $flavour->{strict} ? 'mariadb' : 'mysql',
        text                            => _text_mode($dbh, $flavour),
        guess                           => $dbh->{"${p}bind_type_guessing"}              ? 1 : 0,
        comment_placeholders            => $dbh->{"${p}bind_comment_placeholders"}       ? 1 : 0,
        use_result                      => $dbh->{"${p}use_result"}                      ? 1 : 0,
        auto_reconnect                  => $dbh->{"${p}auto_reconnect"}                  ? 1 : 0,
        server_prepare_disable_fallback => $dbh->{"${p}server_prepare_disable_fallback"} ? 1 : 0,
    };
}

sub _text_mode {
    my ($dbh, $flavour) = @_;
    return 'chars' if $flavour->{strict};
    return $dbh->{mysql_enable_utf8} || $dbh->{mysql_enable_utf8mb4} ? 'utf8' : 'pv';
}

package CPANBridge::MySQL::dr;

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    $attr ||= {};
    my ($outer, $dbh) = DBI::_new_dbh($drh, { Name => defined $dsn ? $dsn : '' });
    my $flavour = "$drh->{ImplementorClass}" =~ /\A(.*)::dr\z/ ? $1->flavour : die 'panic: a driver without a name';
    return _taken_over($drh, $outer, $dbh, $attr) if exists $attr->{dbi_imp_data};
    my $conn = CPANBridge::Driver::connection(
        $flavour->{driver}, 'mysql', $dbh,
        active   => 0,
        flavour  => $flavour,
        insertid => 0,
        warnings => 0,
        stats    => { auto_reconnects_ok => 0, auto_reconnects_failed => 0 },
    );
    my $made = _parameters($drh, $flavour, $dsn, $user, $auth, $attr, $dbh, $conn) or return;
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            $conn->{session} = _session($conn);
            $conn->{session}
                ->request('mysql.connect', [$conn->{id}, $made, CPANBridge::MySQL::_options($dbh, $conn)]);
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { $conn->{driver}->_fail($drh, $error); return }
    @$conn{qw(active facts made)} = (1, $reply->[0], $made);
    $dbh->{bridge_conn} = $conn;
    $dbh->{AutoCommit}  = $made->{autocommit} ? 1 : '';
    delete $attr->{AutoCommit};
    $dbh->STORE(Active => 1);
    return $outer;
}

# The session of the process, which all handles share; or one for this handle alone, so that its descriptor tells when an asynchronous query
# is done: what event loops need. They are known by their modules, or the script says bridge_own_session => 1.
my @LOOPS = qw(Mojo/Reactor.pm AnyEvent.pm IO/Async/Loop.pm POE.pm EV.pm Event.pm);

sub _session {
    my ($conn) = @_;
    $conn->{own} = grep { $INC{$_} } @LOOPS if !defined $conn->{own};
    return CPANBridge->session if !$conn->{own};
    CPANBridge::Session::_load('Connect') if !$INC{'CPANBridge/Connect.pm'};
    return CPANBridge::Connect::open_session({});
}

# take_imp_data gave the connection away to be used under another handle of this process, once.
my %taken;
my $tickets = 0;

sub _taken_over {
    my ($drh, $outer, $dbh, $attr) = @_;
    my $data = delete $attr->{dbi_imp_data};
    my ($ticket) = defined $data && $data =~ /\0bridge_ticket=(\d+)\z/;
    my $taken = defined $ticket ? delete $taken{$ticket} : undef;
    if (!$taken) {
        $drh->set_err(2000, 'dbi_imp_data is not what take_imp_data gave, or a connection was made of it already', 'HY000');
        return;
    }
    my ($conn, $keep) = @$taken;
    @$dbh{ keys %$keep } = values %$keep;
    $dbh->{bridge_conn} = $conn;
    CPANBridge::Driver::weaken($conn->{dbh} = $dbh);
    delete @$attr{ grep { exists $keep->{$_} } keys %$attr };
    $dbh->STORE(Active => 1);
    return $outer;
}

sub CPANBridge::MySQL::db::take_imp_data {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async} || !$conn->{active}) { CPANBridge::MySQL::_ready($dbh, 'take_imp_data') or return undef }
    my $p    = $conn->{flavour}{prefix};
    my %keep = map { $_ => $dbh->{$_} } grep { /^\Q$p\E/ || $_ eq 'AutoCommit' } keys %$dbh;
    my $data = DBD::_::db->can('take_imp_data')->($dbh);
    delete $dbh->{bridge_conn};
    $taken{ ++$tickets } = [$conn, \%keep];
    return "$data\0bridge_ticket=$tickets";
}

# What the daemon's connect is given; attributes of the handle are set on the way. What is done with is taken out of %$attr.
sub _parameters {
    my ($drh, $flavour, $dsn, $user, $auth, $attr, $dbh, $conn) = @_;
    my $p    = $flavour->{prefix};
    my $said = CPANBridge::MySQL::parse_source($dsn);
    my %made = (autocommit => exists $attr->{AutoCommit} && !$attr->{AutoCommit} ? 0 : 1);
    $made{$_} = delete $said->{$_} for grep { defined $said->{$_} && length $said->{$_} } qw(database host port);
    if (!$flavour->{strict}) {
        $user = $said->{user}     if (!defined $user || $user eq '') && defined $said->{user};
        $auth = $said->{password} if (!defined $auth || $auth eq '') && defined $said->{password};
    }
    delete @$said{qw(user password database host port)};
    $made{user}     = $user if defined $user && length $user;
    $made{password} = $auth if defined $auth && length $auth;
    if ($flavour->{strict}) {    # attributes are written like the parts of a data source
        for my $name (grep { !/^(?:[A-Z]|private_|dbi_|dbd_|bridge_|\Q$p\E)/ } keys %$attr) {
            if ($name =~ /\A(?:host|hostname|port|database|db|dbname)\z/) {
                my $part = $name eq 'hostname' ? 'host' : $name =~ /^db/ ? 'database' : $name;
                $made{$part} = delete $attr->{$name};
            }
            else { $drh->set_err(2000, "Unknown attribute $name", 'HY000'); return }
        }
    }
    my @from = ($said, { map { $_ => delete $attr->{$_} } grep { /^(?:\Q$p\E|bridge_)/ } keys %$attr });
    $dbh->{ $p . $_ } = $flavour->{defaults}{$_} for keys %{ $flavour->{defaults} };
    for my $given (@from) {
        for my $name (sort keys %$given) {
            _parameter($drh, $flavour, $name, $given->{$name}, \%made, $dbh, $conn) or return;
        }
    }
    _refuse($drh, $flavour, \%made) and return;
    $flavour->{complete}->($dbh, \%made);
    $made{os_user} = $> == 0 ? 'root' : (getpwuid $>)[0] || $ENV{USER} || '';
    $conn->{made} = \%made;
    CPANBridge::MySQL::db::_special($dbh, $conn);
    return \%made;
}

sub _parameter {
    my ($drh, $flavour, $name, $value, $made, $dbh, $conn) = @_;
    my $p = $flavour->{prefix};
    if ($name =~ /\A\Q$p\E(\w+)\z/ && ($PARAMETER{$1} || $HANDLE{$1} && exists $flavour->{defaults}{$1})) {
        my $short = $1;
        $dbh->{$name} = $short =~ /^(?:max_allowed|embedded)/ ? $value : $value ? 1 : 0 if $HANDLE{$short};
        my $parameter = $PARAMETER{$short} or return 1;
        return 1 if !defined $value;
        if    ($SWITCH{$parameter}) { $made->{$parameter} = $value ? 1 : 0 }
        elsif ($NUMBER{$parameter}) { no warnings 'numeric'; $made->{$parameter} = 0 + $value }
        else                        { $made->{$parameter} = $value }
        return 1;
    }
    return 1 if $name =~ /\A\Q$p\Eembedded_(?:options|groups)\z/;    # there is no server to embed: host=embedded is refused
    if ($name eq 'bridge_pool')     { $made->{pool}     = $value ? 1 : 0; return 1 }
    if ($name eq 'bridge_pipeline') { $conn->{pipeline} = $value ? 1 : 0; return 1 }
    if ($name eq 'bridge_own_session') { $conn->{own} = $value ? 1 : 0; return 1 }
    return 1 if !$flavour->{strict};
    $drh->set_err(2000, "Unknown attribute $name", 'HY000');
    return;
}

# What is refused before anybody is asked: by DBD::MariaDB what contradicts itself, by both what the daemon cannot promise.
sub _refuse {
    my ($drh, $flavour, $made) = @_;
    if ($made->{ssl} && defined $made->{ssl_cipher} && length $made->{ssl_cipher}) {
        $drh->set_err(2026, "SSL connection error: $flavour->{prefix}ssl_cipher is not supported, the daemon chooses among the ciphers"
                . ' of TLS 1.2 and 1.3; leave it out', 'HY000');
        return 1;
    }
    delete @$made{qw(ssl_cipher skip_secure_auth server_pubkey get_server_pubkey max_allowed_packet)};    # see docs/compatibility.md
    return if !$flavour->{strict};
    my ($host, $port, $socket) = @$made{qw(host port socket)};
    my $local = !defined $host || $host eq 'localhost';
    my $why =
          defined $port && $port !~ /\A\d+\z/           ? 'port is not valid number'
        : defined $port && ($port < 1 || $port > 65535) ? 'port is not in valid range'
        : defined $host && $host eq 'embedded'          ? 'Embedded server is not supported'
        : defined $socket && (!$local || defined $port) ? "host or port cannot be specified together with $flavour->{prefix}socket"
        : defined $port && defined $host && $local      ? 'port cannot be specified when host is localhost or embedded'
        :                                                 return;
    $drh->set_err(2002, "Connection error: $why", 'HY000');
    return 1;
}

package CPANBridge::MySQL::db;

sub disconnect {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 1 if !$conn || !$conn->{active};
    my $kids = grep { $_->FETCH('Active') } CPANBridge::MySQL::kids($dbh);
    if ($kids && $dbh->FETCH('Warn')) {
        my $handle = $DBI::BRIDGE ? DBI::Bridge::outer($dbh) : $dbh;
        CPANBridge::Driver::warning(
            sprintf '%s->disconnect invalidates %d active statement handle%s '
                . '(either destroy statement handles or call finish on them before disconnecting)', $handle, $kids,
            $kids == 1 ? '' : 's'
        );
    }
    for my $sth (CPANBridge::MySQL::kids($dbh)) {
        delete @$sth{ @CPANBridge::Driver::WAITING, 'bridge_later' } if $conn->{flavour}{strict};
        CPANBridge::MySQL::st::_active($sth, '');
        delete $sth->{bridge_seq};
    }
    my $ok = !$conn->{queued} || CPANBridge::MySQL::_sync($dbh);
    _close($conn);
    $dbh->STORE(Active => 0);
    return $ok ? 1 : '';
}

sub _close {    # what was not committed is undone
    my ($conn) = @_;
    delete $conn->{async};
    $conn->{active} = 0;
    return if !CPANBridge::Driver::mine($conn);
    local $@;
    my $ok = eval { $conn->{session}->request('mysql.close', [$conn->{id}]); 1 };
    eval { $conn->{session}->close } if $conn->{own};
    return $ok;
}

1;
