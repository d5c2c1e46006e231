package CPANBridge::MySQL::Attributes;

# Attributes of database handles, and those given to prepare and do.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL::db;

# those a script may set; which of them must be known to the daemon (name there), and how
my %CONFIG = (
    auto_reconnect                  => 'auto_reconnect',
    use_result                      => 'use_result',
    bind_type_guessing              => 'guess',
    bind_comment_placeholders       => 'comment_placeholders',
    server_prepare_disable_fallback => 'server_prepare_disable_fallback',
    enable_utf8                     => 'text',
    enable_utf8mb4                  => 'text',
    server_prepare                  => '',
    no_autocommit_cmd               => '',
    max_allowed_packet              => 'max_allowed_packet',
);

# those that tell something
my %TELL = (
    errno         => sub { $_[1]{errno} || 0 },
    error         => sub { $_[1]{errno} && defined $_[1]{error} ? $_[1]{error} : '' },
    hostinfo      => sub { $_[1]{facts}{hostinfo} },
    info          => sub { $_[1]{info} },
    insertid      => sub { $_[1]{insertid} || 0 },
    protoinfo     => sub { $_[1]{facts}{protoinfo} },
    serverinfo    => sub { $_[1]{facts}{version} },
    serverversion => sub { $_[1]{facts}{version_number} },
    clientinfo    => sub { $_[1]{facts}{client_info} },
    clientversion => sub { $_[1]{facts}{ $_[1]{flavour}{strict} && $_[1]{facts}{is_mariadb} ? 'version_number' : 'client_version' } },
    thread_id     => sub { $_[1]{facts}{thread_id} },
    ssl_cipher    => sub { $_[1]{facts}{ssl_cipher} },
    dbd_stats     => sub { +{ %{ $_[1]{stats} } } },
    warning_count => sub { $_[1]{warnings} || 0 },
    sockfd        => sub { fd($_[0]) },
    stat          => \&_stat,
);

sub _stat {
    my ($dbh, $conn) = @_;
    return undef if !$conn->{active} || $conn->{async};
    my $reply = CPANBridge::Driver::call($dbh, 'stat', $conn->{id}) or return undef;
    return $reply->[0];
}

sub _fetch {
    my ($dbh, $name) = @_;
    my $conn    = $dbh->{bridge_conn} or return $dbh->{$name};
    my $flavour = $conn->{flavour};
    return $conn->{pipeline} || 0 if $name eq 'bridge_pipeline';
    return $dbh->{$name} if $name =~ /^(?:private_|dbd_|dbi_|bridge_)/;
    my ($prefix, $short) = $name =~ /\A(\Q$flavour->{prefix}\E)?(\w+)\z/;
    if (defined $short && ($prefix || !$flavour->{strict})) {
        if (exists $flavour->{defaults}{$short}) {
            my $value = $dbh->{"$flavour->{prefix}$short"};
            return $value || 0                             if $short eq 'max_allowed_packet';
            return $flavour->{strict} ? !!$value : $value ? 1 : 0;
        }
        if (my $tell = $TELL{$short}) {
            return undef if !$conn->{active} && $short =~ /^(?:thread_id|stat|sockfd|hostinfo|serverinfo|protoinfo)\z/;
            return $tell->($dbh, $conn);
        }
    }
    return $flavour->{strict} ? CPANBridge::MySQL::_unknown_attribute($dbh, $name) : undef;
}

sub _store {
    my ($dbh, $name, $value) = @_;
    if ($name =~ /^(?:private_|dbd_|dbi_)/) { $dbh->{$name} = $value; return 1 }
    my $conn = $dbh->{bridge_conn};
    my ($flavour, $p) = ($conn->{flavour}, $conn->{flavour}{prefix});
    if ($name eq 'bridge_pipeline') {
        $conn->{pipeline} = $value ? 1 : 0;
        _special($dbh, $conn);
        return $value || !$conn->{queued} || CPANBridge::MySQL::_sync($dbh);
    }
    my ($short) = $name =~ /\A\Q$p\E(\w+)\z/;
    if (!defined $short || !exists $flavour->{defaults}{$short} || !exists $CONFIG{$short}) {
        return 1 if !$flavour->{strict};
        CPANBridge::MySQL::_unknown_attribute($dbh, $name);
        return;
    }
    $dbh->{$name} = $short eq 'max_allowed_packet' ? $value : $value ? 1 : 0;
    _special($dbh, $conn);
    my $config = $CONFIG{$short} or return 1;
    return _tell($dbh, $conn, $config => $config eq 'text' ? CPANBridge::MySQL::_text_mode($dbh, $flavour) : $dbh->{$name});
}

sub _tell {
    my ($dbh, $conn, %set) = @_;
    $conn->{session}->oneway('mysql.config', [$conn->{id}, \%set]) if $conn->{active};
    return 1;
}

sub _small_enough {    # mariadb_max_allowed_packet
    my ($dbh, $conn, @texts) = @_;
    my $limit = $dbh->{"$conn->{flavour}{prefix}max_allowed_packet"} or return 1;
    my $bytes = 0;
    $bytes += length for grep { defined } @texts;
    return 1 if $bytes <= $limit;
    $dbh->set_err(2020, "Got packet bigger than 'max_allowed_packet' bytes", 'HY000');
    return;
}

sub _tell_where {    # the names of files in LOAD DATA LOCAL are relative to the folder the script is in
    my ($conn) = @_;
    my $cwd = readlink '/proc/self/cwd';
    if (!defined $cwd) { require Cwd; $cwd = Cwd::getcwd() }
    return if defined $conn->{cwd} && $conn->{cwd} eq $cwd;
    $conn->{cwd} = $cwd;
    $conn->{session}->oneway('mysql.config', [$conn->{id}, { cwd => $cwd }]);
    return;
}

# What may stand in the attributes of prepare besides the driver's own.
my %OTHER = map { $_ => 1 } qw(Slice Columns MaxRows RowCacheSize RaiseError PrintError PrintWarn RaiseWarn Warn HandleError
    ShowErrorStatement Callbacks ChopBlanks LongReadLen LongTruncOk FetchHashKeyName TraceLevel Profile CompatMode TaintIn
    TaintOut Taint Executed ReadOnly KeyField Statement bridge_pipeline);

# The attributes of prepare and do and the settings of the handle: { server_prepare, async, send => what the daemon is told }
sub _statement_options {
    my ($dbh, $attr, @texts) = @_;
    my $conn = $dbh->{bridge_conn};
    _small_enough($dbh, $conn, @texts) or return;
    _tell_where($conn, $texts[0]) if $conn->{made}{local_infile} && $texts[0] =~ /\bINFILE\b/i;
    my ($flavour, $p) = ($conn->{flavour}, $conn->{flavour}{prefix});
    my %is = map { $_ => $dbh->{"$p$_"} ? 1 : 0 } qw(server_prepare server_prepare_disable_fallback use_result);
    $is{async} = 0;
    for my $name (keys %{ $attr || {} }) {
        my ($short) = $name =~ /\A\Q$p\E(\w+)\z/;
        $short = 'async' if !$flavour->{strict} && $name eq 'async';
        if (defined $short && exists $is{$short}) { $is{$short} = $attr->{$name} ? 1 : 0 }
        elsif ($flavour->{strict} && !$OTHER{$name}) { return CPANBridge::MySQL::_unknown_attribute($dbh, $name) }
    }
    $is{server_prepare} = 0 if $is{async};
    my %send = map { $_ => $is{$_} } grep { $is{$_} } qw(server_prepare use_result);
    $send{server_prepare_disable_fallback} = 1
        if $is{server_prepare} && $is{server_prepare_disable_fallback};
    return { server_prepare => $is{server_prepare}, async => $is{async}, send => \%send };
}

sub _prepare_there {    # the server prepares: what is wrong with the statement shows now
    my ($sth, $opts) = @_;
    my $conn = $sth->{bridge_conn};
    my $reply =
        CPANBridge::Driver::call($sth, 'prepare', $conn->{id}, $sth->{bridge_id}, $sth->{bridge_sql}, $opts->{send});
    if (!$reply) { delete $sth->{bridge_id}; return }
    my ($params, $extra) = @$reply;
    $sth->{bridge_sent}   = $conn->{id};
    $sth->{bridge_params} = $params if defined $params && $params >= 0;
    $conn->{driver}->_extra($conn, $extra) if $extra;
    return 1;
}

1;
