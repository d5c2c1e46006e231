package DBD::SQLite::Connect;

# Opening a database (the data source is taken apart, and one call opens it with all settings) and closing it.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

our $VERSION = '1.72';

package DBD::SQLite::dr;

sub connect {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    $attr ||= {};
    my $errno = $! + 0;
    my ($file, $flags) = _source($dsn, $attr);
    my %option = (flags => $flags, busy_timeout => 30_000);
    my $mode   = DBD::SQLite::db::_string_mode($attr);
    $option{string_mode} = $mode;
    $option{extended}    = 1                                 if $attr->{sqlite_extended_result_codes};
    $option{defensive}   = $attr->{sqlite_defensive} ? 1 : 0 if defined $attr->{sqlite_defensive};
    my ($outer, $dbh) = DBI::_new_dbh($drh, { Name => defined $dsn ? $dsn : '' });
    my $conn = CPANBridge::Driver::connection(
        'DBD::SQLite', 'sqlite', $dbh,
        ac   => 1,
        mode => $mode, begin => 0, rowid => 0, file => $file
    );
    my ($reply, $error);
    {
        local $@;
        $reply = eval {
            my $session = $conn->{session} = CPANBridge->session;
            my $c       = $conn;
            CPANBridge::Driver::weaken($c);
            $option{regexp}           = $session->callback(sub { DBD::SQLite::_regexp($c, @_) });
            $option{collation_needed} = $session->callback(sub { DBD::SQLite::_collation_wanted($c, @_) });
            my $tokenize = $session->callback(\&DBD::SQLite::_tokenize);
            $conn->{callbacks} =
                { regexp => $option{regexp}, collation_needed => $option{collation_needed}, tokenize => $tokenize };
            my $opened = $session->request('sqlite.open', [$conn->{id}, $file, { %option, _where($session) }]);
            $session->oneway('sqlite.register_fts3_perl_tokenizer', [$conn->{id}, $tokenize]);
            $opened;
        };
        $error = $@ if !$reply;
    }
    if (!$reply) { DBD::SQLite->_fail($drh, $error); return }
    $dbh->{bridge_conn} = $conn;
    $dbh->{AutoCommit}  = 1;
    $dbh->STORE(Active => 1);
    $dbh->{sqlite_version}                   = $reply->[0];
    $dbh->{sqlite_string_mode}               = $mode;
    $dbh->{sqlite_use_immediate_transaction} = 1;
    $dbh->{$_}                               = 0
        for
        qw(sqlite_see_if_its_a_number sqlite_allow_multiple_statements sqlite_extended_result_codes sqlite_prefer_numeric_type);
    delete @$attr{qw(sqlite_unicode unicode)};

    for my $name (grep { /^sqlite_/ } keys %$attr) {
        $dbh->STORE($name => delete $attr->{$name})
    }
    delete $attr->{ReadOnly};
    if ($flags & 0x01) { $dbh->{ReadOnly} = $conn->{read_only} = 1 }
    $! = $errno;    # the script's own
    return $outer;
}

# "dbname=FILE;name=value" or "FILE": the file as the daemon can open it, and the flags. Attributes in the DSN go into %$attr.
sub _source {
    my ($dsn,  $attr) = @_;
    my ($file, $uri)  = (defined $dsn ? $dsn : '', 0);
    if ($file =~ /=/) {
        my @parts = split /;/, $file;
        $file = '';
        for my $part (@parts) {
            if ($part =~ /\A(?:db(?:name)?|database)=(.*)\z/s) { $file = $1 }
            elsif ($part =~ /\Auri=(.*)\z/s) { ($file, $uri) = ($1, 1) }
            elsif ($part =~ /\A(\w+)=(.*)\z/s) { $attr->{$1} = $2 }
            elsif ($file eq '') { $file = $part }
        }
    }
    utf8::encode($file) if utf8::is_utf8($file);
    my $flags = $attr->{sqlite_open_flags} || 0;
    if ($attr->{ReadOnly}) { $flags = ($flags & ~0x06) | 0x01 }
    $flags ||= 0x06;
    $flags |= 0x06 if !($flags & 0x07);
    if ($uri || $file =~ /\Afile:/) { $flags |= 0x40 }
    return ($file,                $flags) if $file eq '' || $file eq ':memory:' || $file =~ m{\A/};
    return (_absolute_uri($file), $flags) if $flags & 0x40 && $file                      =~ /\Afile:/;
    return (_cwd() . "/$file",    $flags);
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

# The daemon resolves relative names in SQL and gives new files their modes: it has to know where the script is now.
my %told;    # by session

sub _where {    # { cwd, umask }, or nothing if the daemon knows
    my ($session) = @_;
    my %where = (cwd => _cwd(), umask => umask);
    return if !defined $where{cwd};
    my $key = join "\0", @where{qw(cwd umask)};
    return if ($told{ $session->{epoch} } || '') eq $key;
    %told = ($session->{epoch} => $key);
    return %where;
}

sub _tell_where {
    my ($conn) = @_;
    my %where = _where($conn->{session}) or return;
    $conn->{session}->oneway('sqlite.config', [$conn->{id}, \%where]);
    return;
}

package DBD::SQLite::db;

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
    for my $sth (grep { $_ } @{ $dbh->{bridge_kids} || [] }) {
        delete @$sth{@CPANBridge::Driver::WAITING}
    }
    _close($conn, $dbh);
    $dbh->STORE(Active => 0);
    return 1;
}

# Closing undoes what was not committed. It is waited for: files that were open can be removed or opened anew after disconnect.
sub _close {
    my ($conn, $dbh) = @_;
    my $hooks = keys %{ $conn->{callbacks} } > 3;    # somebody may be watching
    if ($hooks && !$conn->{ac} && $conn->{active}) {
        local $@;
        eval { _run($dbh, 'ROLLBACK TRANSACTION') }
    }
    $conn->{active} = 0;
    return if !$conn->{session};
    local $@;
    my $ok = eval { $conn->{session}->request('sqlite.close', [$conn->{id}]); 1 };
    eval { $conn->{session}->drop_callback($_) for values %{ $conn->{callbacks} } };
    $conn->{callbacks} = {};
    return $ok;
}

1;
