package DBD::Pg::Connect;

# Connecting: what libpq gets to read is made of the data source, as is; and leaving.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::dr;

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
    DBD::Pg::_look_at_params($conn);
    $dbh->STORE(Active => 1);
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

# dbi:Pg:dbname=... for each database. The server to ask is that of $DBI_DSN, or of libpq's own defaults.
sub data_sources {
    my ($drh, $more) = @_;
    my $source = defined $ENV{DBI_DSN} && $ENV{DBI_DSN} =~ /\Adbi:pg:(.*)\z/is ? $1 : 'dbname=template1';
    $more = '' if !defined $more || ref $more;
    my ($user, $pass) = @ENV{qw(DBI_USER DBI_PASS)};
    my $dbh = DBD::Pg::dr::connect($drh, $more eq '' ? $source : "$source;$more", $user, $pass, {}) or return;
    $more = ";$more" if $more ne '';
    my $names =
        $dbh->selectcol_arrayref('SELECT pg_catalog.quote_ident(datname) FROM pg_catalog.pg_database ORDER BY 1') || [];
    $dbh->disconnect;
    return map { "dbi:Pg:dbname=$_$more" } @$names;
}

package DBD::Pg::db;

sub data_sources {
    my ($dbh, $more) = @_;
    my $drh = $dbh->{Driver};
    return DBD::Pg::dr::data_sources(tied %$drh || $drh, $more);
}

sub disconnect {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    return 1 if !$conn || !$conn->{active};
    my $kids = $dbh->FETCH('ActiveKids');
    if ($kids && $dbh->FETCH('Warn')) {
        my $handle = $DBI::BRIDGE ? DBI::Bridge::outer($dbh) : $dbh;
        CPANBridge::Driver::warning(
            sprintf '%s->disconnect invalidates %d active statement handle%s '
                . '(either destroy statement handles or call finish on them before disconnecting)', $handle, $kids,
            $kids == 1 ? '' : 's'
        );
    }
    _close($conn);
    $dbh->STORE(Active => 0);
    DBD::Pg::_traced($dbh, 'disconnected') if $DBI::WATCH;
    return 1;
}

sub _close {    # an open transaction is rolled back by it
    my ($conn) = @_;
    $conn->{active} = 0;
    @$conn{qw(tx busy)} = (0, '');
    POSIX::close(delete $conn->{fd})                       if defined $conn->{fd};
    $conn->{session}->oneway('pg.close', [$conn->{id}], 1) if $conn->{session} && CPANBridge::Driver::mine($conn);
    return;
}

1;
