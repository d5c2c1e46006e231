package DBD::MariaDB;

# The DBI driver for MariaDB and MySQL that always deals in characters. What it does is in CPANBridge::MySQL, shared with DBD::mysql; this
# file says where the two differ.

use strict;
use warnings;
use CPANBridge::MySQL ();

our $VERSION = '1.22';
our $drh;
my $methods;

BEGIN {
    CPANBridge::MySQL::set_up({
        driver   => 'DBD::MariaDB',
        name     => 'MariaDB',
        prefix   => 'mariadb_',
        strict   => 1,
        defaults => {
            map { $_ => 0 } qw(auto_reconnect use_result bind_type_guessing bind_comment_placeholders no_autocommit_cmd
                server_prepare server_prepare_disable_fallback max_allowed_packet)
        },
        complete        => \&_complete,
        err_gone        => [2006, 'MySQL server has gone away', 'HY000'],
        err_fetch       => [2000, 'fetch() without execute()', 'HY000'],
        err_bind        => [2034, undef, 'HY000'],
        err_param       => [2034, 'Illegal parameter number', 'HY000'],
        err_unsupported => [2054, 'Output parameters not implemented', 'HY000'],
        err_count       => [1210, 'Wrong number of bind parameters', 'HY000'],
        err_unknown     => 2000,
        info            => { 6 => 'DBD/MariaDB.pm', 35 => 64, 94 => q( !"#%&'()*+,-.:;<=>?@[\\]^`{|}~), 105 => 0, 106 => 63 },
    });
    my %type = (
        DECIMAL  => 0, TINY  => 1, SHORT => 2,  LONG => 3,  FLOAT    => 4,  DOUBLE => 5,  NULL    => 6,  TIMESTAMP => 7,
        LONGLONG => 8, INT24 => 9, DATE  => 10, TIME => 11, DATETIME => 12, YEAR   => 13, NEWDATE => 14, VARCHAR   => 15,
        BIT      => 16, NEWDECIMAL => 246, ENUM => 247, SET => 248, TINY_BLOB => 249, MEDIUM_BLOB => 250,
        LONG_BLOB => 251, BLOB => 252, VAR_STRING => 253, STRING => 254,
    );
    no strict 'refs';
    for my $name (keys %type) {
        my $number = $type{$name};
        *{"TYPE_$name"} = sub () { $number }
    }
}

sub _complete {
    my ($dbh, $made) = @_;
    @$made{qw(charset collation)} = qw(utf8mb4 utf8mb4_unicode_ci);
    return;
}

sub parse_dsn {
    my ($class, $dsn) = @_;
    return CPANBridge::MySQL::parse_source($dsn);
}

sub driver {
    return $drh if $drh;
    my ($class) = @_;
    if (!$methods++) {
        CPANBridge::MySQL::install_methods(
            flavour(),
            'db async_ready'  => 'mariadb_async_ready',
            'db async_result' => 'mariadb_async_result',
            'db fd'           => 'mariadb_sockfd',
            'st async_ready'  => 'mariadb_async_ready',
            'st async_result' => 'mariadb_async_result',
        );
    }
    return $drh = DBI::_new_drh("${class}::dr",
        { Name => 'MariaDB', Version => $VERSION, Attribution => 'DBD::MariaDB by Pali and others' });
}

sub CLONE { undef $drh; return }

1;

__END__
