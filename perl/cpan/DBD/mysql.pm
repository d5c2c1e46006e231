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

=encoding utf8

=head1 NAME

DBD::mysql - MariaDB and MySQL for DBI, by way of the cpan-bridge daemon

=head1 SYNOPSIS

    use DBI;
    my $dbh = DBI->connect("DBI:mysql:database=shop;host=db.example.com", $user, $password, { RaiseError => 1 });
    $dbh->do('INSERT INTO sale (day, amount) VALUES (?, ?)', undef, '2024-01-31', 12.5);
    print 'sale number ', $dbh->last_insert_id(undef, undef, undef, undef), "\n";

    my $sth = $dbh->prepare('SELECT day, sum(amount) AS total FROM sale GROUP BY day');
    print $sth->execute, " days\n";
    while (my $row = $sth->fetchrow_hashref) { print "$row->{day} $row->{total}\n" }

=head1 DESCRIPTION

A driver for DBI with the interface of the module of this name on CPAN, version 4.050. No client library is loaded into the perl
process: the bridge's daemon speaks the server's protocol, keeps connections ready, and sends rows in batches, the next one while the script
works on the last. Scripts need nothing beyond perl's core and the C<cpan-bridge> program. The driver runs under the bridge's own L<DBI> and
under an installed one. It shares its code with L<DBD::MariaDB>, which differs in the prefix of attributes, in how text is
treated, and in what it forgives.

=head1 CONNECTING

    DBI->connect("DBI:mysql:shop", $user, $password);                                # the server of this machine, by its socket
    DBI->connect("DBI:mysql:shop:db.example.com:3307", $user, $password);
    DBI->connect("DBI:mysql:database=shop;host=[2001:db8::5];port=3307", $user, $password);
    DBI->connect("DBI:mysql:database=shop;mysql_socket=/run/mysqld/mysqld.sock", $user, $password);
    DBI->connect("DBI:mysql:shop;mysql_read_default_file=/home/joe/.my.cnf;mysql_read_default_group=report");

C<database> (also C<db>, C<dbname>), C<host> (also C<hostname>) and C<port> may be named, or stand in this order separated by colons. Without a
host, or with C<localhost>, the connection goes through the socket; C<127.0.0.1> goes through TCP. The settings that follow can stand in
the data source or in the attributes; the latter win.

=over 4

=item mysql_socket

The path of the socket.

=item mysql_read_default_file, mysql_read_default_group

An option file, and a group to be read besides C<[client]>. With the group alone the usual files are read: F</etc/my.cnf>,
F</etc/mysql/my.cnf>, F<~/.my.cnf>. With neither, none is.

=item mysql_ssl, mysql_ssl_ca_file, mysql_ssl_ca_path, mysql_ssl_verify_server_cert, mysql_ssl_client_key, mysql_ssl_client_cert, mysql_ssl_optional

C<mysql_ssl> demands an encrypted connection; with C<mysql_ssl_optional> an unencrypted one will do. An authority makes the certificate be checked,
C<mysql_ssl_verify_server_cert> the host name in it, too. C<mysql_ssl_cipher> is refused: the daemon chooses the cipher.

=item mysql_connect_timeout, mysql_read_timeout, mysql_write_timeout

In seconds.

=item mysql_client_found_rows

Whether C<UPDATE> counts the rows it found (the default) or only those it changed.

=item mysql_multi_statements

Lets several statements, separated by semicolons, be one.

=item mysql_local_infile

Lets C<LOAD DATA LOCAL> read files of this machine, which is off otherwise. Names are relative to the script's folder.

=item mysql_init_command

A statement to begin with, also after connecting again.

=item mysql_compression, mysql_conn_attrs

Compresses the protocol; gives attributes to the connection (a hash).

=item bridge_pool

C<< bridge_pool => 0 >> opens a connection for this handle alone instead of taking one that is ready in the daemon.

=item bridge_pipeline

See L</PIPELINES>.

=back

=head1 DATABASE HANDLES

Attributes to read: C<mysql_errno>, C<mysql_error>, C<mysql_hostinfo>, C<mysql_info>, C<mysql_insertid>, C<mysql_protoinfo>, C<mysql_serverinfo>,
C<mysql_serverversion>, C<mysql_clientinfo>, C<mysql_clientversion>, C<mysql_stat>, C<mysql_thread_id>, C<mysql_warning_count>, C<mysql_ssl_cipher>, and
C<mysql_dbd_stats>, a hash of C<auto_reconnects_ok> and C<auto_reconnects_failed>.

    print $dbh->{mysql_serverinfo}, "\n";

Attributes to set, in C<connect> or later:

=over 4

=item mysql_auto_reconnect

Connects again when the server has gone away, with C<AutoCommit> on, and only for a statement the server cannot have seen.

=item mysql_server_prepare, mysql_server_prepare_disable_fallback

The server prepares statements: errors show in C<prepare>. What it cannot prepare is sent with its values filled in, unless the second is set.
Also for one statement: C<< $dbh->prepare($sql, { mysql_server_prepare => 1 }) >>.

=item mysql_use_result

Does not read all rows at C<execute>. C<rows> is then not known before the end. Also for one statement.

=item mysql_bind_type_guessing

Values that look like numbers are sent without quotes.

=item mysql_bind_comment_placeholders

A C<?> in a comment is a placeholder, too.

=item mysql_no_autocommit_cmd

C<AutoCommit> is not told to the server.

=item mysql_enable_utf8, mysql_enable_utf8mb4

Text comes as characters, see L</TEXT>. They choose the character set of the connection when they are given to C<connect>.

=back

C<quote>, C<quote_identifier>, C<ping>, C<begin_work>, C<commit>, C<rollback>, C<last_insert_id>, C<data_sources>, C<table_info>,
C<column_info>, C<primary_key_info>, C<foreign_key_info>, C<statistics_info>, C<type_info_all> and C<get_info> are as DBI describes them.
Rows of C<column_info> end with C<mysql_is_pri_key>, C<mysql_type_name>, C<mysql_values> (of ENUM and SET) and C<mysql_is_auto_increment>.

    my @databases = $dbh->func('_ListDBs');
    $dbh->func('createdb', 'shop', 'admin');    # also dropdb, reload, shutdown


=head1 STATEMENT HANDLES

C<execute> of a SELECT returns the number of its rows. Attributes, after C<execute>: C<mysql_insertid>, C<mysql_warning_count>, C<mysql_use_result>, and
one value a column of C<mysql_table>, C<mysql_type> (the server's numbers), C<mysql_type_name>, C<mysql_length>, C<mysql_max_length>, C<mysql_is_num>,
C<mysql_is_blob>, C<mysql_is_key>, C<mysql_is_pri_key>, C<mysql_is_auto_increment>.

    print join(', ', @{ $sth->{mysql_type_name} }), "\n";

The server's numbers have names: C<DBD::mysql::FIELD_TYPE_LONG()> and its kin.

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

What goes in is perl's internal form of the text, what comes out is bytes. With C<mysql_enable_utf8mb4> (or C<mysql_enable_utf8>, for
characters of up to three bytes) columns of text come as characters; blobs are bytes in any case.

=head1 TRANSACTIONS

With C<AutoCommit> off the server's C<autocommit> is off. What is not committed is undone by C<disconnect>, when the handle goes away, and when
the script ends in whatever way. A connection that is lost in a transaction is an error and never made again silently.

=head1 ASYNCHRONOUS QUERIES

    $dbh->do('SELECT sleep(10)', { async => 1 });
    until ($dbh->mysql_async_ready) { sleep 1 }
    my $rows = $dbh->mysql_async_result;

Also for statements: C<< $dbh->prepare($sql, { async => 1 }) >>. One query a connection; until its result was fetched everything else on the
connection is an error. C<mysql_fd> is the descriptor of the connection to the daemon. It becomes readable with the result if the handle has that
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
C<mysql_use_result>, too. A handle belongs to the process and thread that opened it.

=head1 SEE ALSO

L<DBI>, L<DBD::MariaDB>

=cut
