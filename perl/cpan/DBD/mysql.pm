package DBD::mysql;

# The DBI driver for MySQL and MariaDB under its older name. What it does is in CPANBridge::MySQL, shared with DBD::MariaDB; this file says
# where the two differ.

use strict;
use warnings;
use CPANBridge::MySQL ();

our $VERSION = '4.050';
our ($drh, $err, $errstr, $sqlstate) = (undef, 0, '', '');
my $methods;

BEGIN {
    CPANBridge::MySQL::set_up({
        driver   => 'DBD::mysql',
        name     => 'mysql',
        prefix   => 'mysql_',
        strict   => 0,
        defaults => {
            (map { $_ => 0 } qw(use_result enable_utf8 enable_utf8mb4 bind_type_guessing bind_comment_placeholders
                no_autocommit_cmd server_prepare server_prepare_disable_fallback)),
            auto_reconnect => $ENV{GATEWAY_INTERFACE} || $ENV{MOD_PERL} ? 1 : 0,
        },
        complete        => \&_complete,
        err_gone        => [2006, 'Server has gone away', 'HY000'],
        err_fetch       => [19, 'fetch() without execute()'],
        err_bind        => [16, undef, undef],
        err_param       => [16, 'Illegal parameter number'],
        err_unsupported => [15, 'Output parameters not implemented'],
        err_count       => [-1, 'Wrong number of bind parameters'],
        err_unknown     => 2000,
        info            => {
            6   => 'libmyodbc3.so',
            35  => 256,
            94  => pack('H*', 'c387c3bcc3a9c3a2c3a4c3a0c3a5c3a7c3aac3abc3a8c3afc3aec3acc384c385c389c3a6c386c3b4c3b6c3b2c3bbc3b9c3bf'
                    . 'c396c39cc3a1c3adc3b3c3bac3b1c391'),
            105 => 8192,
            106 => 31,
        },
    });
    my %type = (
        DECIMAL => 0, TINY => 1, CHAR => 1, SHORT => 2, LONG => 3, FLOAT => 4, DOUBLE => 5, NULL => 6, TIMESTAMP => 7,
        LONGLONG  => 8,   INT24       => 9,   DATE      => 10,  TIME => 11,  DATETIME   => 12,
        TINY_BLOB => 249, MEDIUM_BLOB => 250, LONG_BLOB => 251, BLOB => 252, VAR_STRING => 253, STRING => 254,
    );
    no strict 'refs';
    for my $name (keys %type) {
        my $number = $type{$name};
        *{"FIELD_TYPE_$name"} = sub () { $number }
    }
}

# What the parameters of a connection lack: the character set goes with the attributes.
sub _complete {
    my ($dbh, $made) = @_;
    $made->{charset}   = $dbh->{mysql_enable_utf8} && !$dbh->{mysql_enable_utf8mb4} ? 'utf8' : 'utf8mb4';
    $made->{file_wins} = 1 if defined $made->{default_file} || defined $made->{default_group};
    $made->{conn_attrs} = { program_name => $0, %{ $made->{conn_attrs} } } if ref $made->{conn_attrs} eq 'HASH';
    return;
}

sub driver {
    return $drh if $drh;
    my ($class) = @_;
    if (!$methods++) {
        CPANBridge::MySQL::install_methods(
            flavour(),
            'db async_ready'  => 'mysql_async_ready',
            'db async_result' => 'mysql_async_result',
            'db fd'           => 'mysql_fd',
            'st async_ready'  => 'mysql_async_ready',
            'st async_result' => 'mysql_async_result',
        );
    }
    return $drh = DBI::_new_drh(
        "${class}::dr",
        {
            Name        => 'mysql',
            Version     => $VERSION,
            Err         => \$err,
            Errstr      => \$errstr,
            State       => \$sqlstate,
            Attribution => 'DBD::mysql by Patrick Galbraith'
        }
    );
}

sub CLONE { undef $drh; return }

sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    return if $name eq 'DESTROY';
    CPANBridge::Driver::croak("DBD::mysql::$name: Not defined");
}

package DBD::mysql::dr;

sub admin    { goto &CPANBridge::MySQL::drh_admin }
sub _ListDBs { goto &CPANBridge::MySQL::drh_list }

package DBD::mysql::db;

sub admin       { goto &CPANBridge::MySQL::dbh_admin }
sub _ListDBs    { goto &CPANBridge::MySQL::dbh_list_dbs }
sub _ListTables { goto &CPANBridge::MySQL::dbh_list_tables }
sub _SelectDB   { CPANBridge::Driver::croak('_SelectDB is removed from this module; use DBI->connect instead.') }

1;

__END__
