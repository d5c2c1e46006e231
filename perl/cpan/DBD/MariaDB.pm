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

=encoding utf8

=head1 NAME

DBD::MariaDB - MariaDB and MySQL for DBI, by way of the cpan-bridge daemon

=head1 SYNOPSIS

    use DBI;
    my $dbh = DBI->connect("DBI:MariaDB:database=shop;host=db.example.com", $user, $password, { RaiseError => 1 });
    $dbh->do('INSERT INTO sale (day, amount) VALUES (?, ?)', undef, '2024-01-31', 12.5);
    print 'sale number ', $dbh->last_insert_id(undef, undef, undef, undef), "\n";

    my $sth = $dbh->prepare('SELECT day, sum(amount) AS total FROM sale GROUP BY day');
    print $sth->execute, " days\n";
    while (my $row = $sth->fetchrow_hashref) { print "$row->{day} $row->{total}\n" }

=head1 DESCRIPTION

A driver for DBI with the interface of the module of this name on CPAN, version 1.22. No client library is loaded into the perl
process: the bridge's daemon speaks the server's protocol, keeps connections ready, and sends rows in batches, the next one while the script
works on the last. Scripts need nothing beyond perl's core and the C<cpan-bridge> program. The driver runs under the bridge's own L<DBI> and
under an installed one. It shares its code with L<DBD::mysql>, which differs in the prefix of attributes, in how text is
treated, and in what it forgives.

=head1 CONNECTING

    DBI->connect("DBI:MariaDB:shop", $user, $password);                                # the server of this machine, by its socket
    DBI->connect("DBI:MariaDB:shop:db.example.com:3307", $user, $password);
    DBI->connect("DBI:MariaDB:database=shop;host=[2001:db8::5];port=3307", $user, $password);
    DBI->connect("DBI:MariaDB:database=shop;mariadb_socket=/run/mysqld/mysqld.sock", $user, $password);
    DBI->connect("DBI:MariaDB:shop;mariadb_read_default_file=/home/joe/.my.cnf;mariadb_read_default_group=report");

C<database> (also C<db>, C<dbname>), C<host> (also C<hostname>) and C<port> may be named, or stand in this order separated by colons. Without a
host, or with C<localhost>, the connection goes through the socket; C<127.0.0.1> goes through TCP. The settings that follow can stand in
the data source or in the attributes; the latter win.

=over 4

=item mariadb_socket

The path of the socket.

=item mariadb_read_default_file, mariadb_read_default_group

An option file, and a group to be read besides C<[client]>. With the group alone the usual files are read: F</etc/my.cnf>,
F</etc/mysql/my.cnf>, F<~/.my.cnf>. With neither, none is.

=item mariadb_ssl, mariadb_ssl_ca_file, mariadb_ssl_ca_path, mariadb_ssl_verify_server_cert, mariadb_ssl_client_key, mariadb_ssl_client_cert, mariadb_ssl_optional

C<mariadb_ssl> demands an encrypted connection; with C<mariadb_ssl_optional> an unencrypted one will do. An authority makes the certificate be checked,
C<mariadb_ssl_verify_server_cert> the host name in it, too. C<mariadb_ssl_cipher> is refused: the daemon chooses the cipher.

=item mariadb_connect_timeout, mariadb_read_timeout, mariadb_write_timeout

In seconds.

=item mariadb_client_found_rows

Whether C<UPDATE> counts the rows it found (the default) or only those it changed.

=item mariadb_multi_statements

Lets several statements, separated by semicolons, be one.

=item mariadb_local_infile

Lets C<LOAD DATA LOCAL> read files of this machine, which is off otherwise. Names are relative to the script's folder.

=item mariadb_init_command

A statement to begin with, also after connecting again.

=item mariadb_compression, mariadb_conn_attrs

Compresses the protocol; gives attributes to the connection (a hash).

=item bridge_pool

C<< bridge_pool => 0 >> opens a connection for this handle alone instead of taking one that is ready in the daemon.

=item bridge_pipeline

See L</PIPELINES>.

=back

=head1 DATABASE HANDLES

Attributes to read: C<mariadb_errno>, C<mariadb_error>, C<mariadb_hostinfo>, C<mariadb_info>, C<mariadb_insertid>, C<mariadb_protoinfo>, C<mariadb_serverinfo>,
C<mariadb_serverversion>, C<mariadb_clientinfo>, C<mariadb_clientversion>, C<mariadb_stat>, C<mariadb_thread_id>, C<mariadb_warning_count>, C<mariadb_ssl_cipher>, and
C<mariadb_dbd_stats>, a hash of C<auto_reconnects_ok> and C<auto_reconnects_failed>.

    print $dbh->{mariadb_serverinfo}, "\n";

Attributes to set, in C<connect> or later:

=over 4

=item mariadb_auto_reconnect

Connects again when the server has gone away, with C<AutoCommit> on, and only for a statement the server cannot have seen.

=item mariadb_server_prepare, mariadb_server_prepare_disable_fallback

The server prepares statements: errors show in C<prepare>. What it cannot prepare is sent with its values filled in, unless the second is set.
Also for one statement: C<< $dbh->prepare($sql, { mariadb_server_prepare => 1 }) >>.

=item mariadb_use_result

Does not read all rows at C<execute>. C<rows> is then not known before the end. Also for one statement.

=item mariadb_bind_type_guessing

Values that look like numbers are sent without quotes.

=item mariadb_bind_comment_placeholders

A C<?> in a comment is a placeholder, too.

=item mariadb_no_autocommit_cmd

C<AutoCommit> is not told to the server.

=item mariadb_max_allowed_packet

Statements of more bytes are refused.

=back

C<quote>, C<quote_identifier>, C<ping>, C<begin_work>, C<commit>, C<rollback>, C<last_insert_id>, C<data_sources>, C<table_info>,
C<column_info>, C<primary_key_info>, C<foreign_key_info>, C<statistics_info>, C<type_info_all> and C<get_info> are as DBI describes them.
Rows of C<column_info> end with C<mariadb_is_pri_key>, C<mariadb_type_name>, C<mariadb_values> (of ENUM and SET) and C<mariadb_is_auto_increment>.

=head1 STATEMENT HANDLES

C<execute> of a SELECT returns the number of its rows. Attributes, after C<execute>: C<mariadb_insertid>, C<mariadb_warning_count>, C<mariadb_use_result>, and
one value a column of C<mariadb_table>, C<mariadb_type> (the server's numbers), C<mariadb_type_name>, C<mariadb_length>, C<mariadb_max_length>, C<mariadb_is_num>,
C<mariadb_is_blob>, C<mariadb_is_key>, C<mariadb_is_pri_key>, C<mariadb_is_auto_increment>.

    print join(', ', @{ $sth->{mariadb_type_name} }), "\n";

The server's numbers have names: C<DBD::MariaDB::TYPE_LONG()> and its kin.

=head2 Values

Values are sent as text, those bound as SQL_INTEGER, SMALLINT, TINYINT, BIGINT, REAL, FLOAT, DOUBLE, NUMERIC or DECIMAL as numbers; a value that is
none is an error. After LIMIT numbers need no type. Integers and floating point numbers come back as perl's numbers, DECIMAL as text with all
its digits. There are no output parameters: C<bind_param_inout> is an error.

=head2 Several results

    my $sth = $dbh->prepare('CALL report(?)');
    $sth->execute(2024);
    do {
        print "@{ $sth->{NAME} }\n" if $sth->{NUM_OF_FIELDS};
        while (my @row = $sth->fetchrow_array) { print "@row\n" }
    } while $sth->more_results;

=head1 TEXT

SQL and values are characters, and text comes back as characters; on the way it is UTF-8 (C<utf8mb4>). Columns of bytes
(BLOB, BINARY) come as bytes. Bytes that are to be stored must be bound as such:

    my $sth = $dbh->prepare('INSERT INTO picture VALUES (?, ?)');
    $sth->bind_param(1, $name);
    $sth->bind_param(2, $bytes, DBI::SQL_BINARY);
    $sth->execute;

=head1 TRANSACTIONS

With C<AutoCommit> off the server's C<autocommit> is off. What is not committed is undone by C<disconnect>, when the handle goes away, and when
the script ends in whatever way. A connection that is lost in a transaction is an error and never made again silently.

=head1 ASYNCHRONOUS QUERIES

    $dbh->do('SELECT sleep(10)', { mariadb_async => 1 });
    until ($dbh->mariadb_async_ready) { sleep 1 }
    my $rows = $dbh->mariadb_async_result;

Also for statements: C<< $dbh->prepare($sql, { mariadb_async => 1 }) >>. One query a connection; until its result was fetched everything else on the
connection is an error. C<mariadb_sockfd> is the descriptor of the connection to the daemon. It becomes readable with the result if the handle has that
connection to itself: when the module of an event loop (Mojolicious, AnyEvent, IO::Async, POE, EV, Event) was loaded before C<connect>, or
with C<< bridge_own_session => 1 >>.

=head1 PIPELINES

    $dbh->{bridge_pipeline} = 1;
    my $sth = $dbh->prepare('INSERT INTO log VALUES (?, ?)');
    $sth->execute($_, time) for @events;    # returns -1 at once
    $dbh->{bridge_pipeline} = 0;            # waits; errors show here

INSERT, UPDATE, DELETE and REPLACE are sent and not waited for. Their errors show, in order, in the next call that waits for the
server, which is then not executed itself. This is the bridge's own, the module on CPAN does not have it.

=head1 DIFFERENCES

See F<docs/compatibility.md>. There is no embedded server. Statements can be nested on a handle while rows are still to be fetched, with
C<mariadb_use_result>, too. A handle belongs to the process and thread that opened it.

=head1 SEE ALSO

L<DBI>, L<DBD::mysql>

=cut
