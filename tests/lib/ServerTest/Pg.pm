package ServerTest::Pg;

# What tests have to know of PostgreSQL and DBD::Pg.

use strict;
use warnings;

use TestServer::PostgreSQL;

sub new {
    my ($class, $driver, %server) = @_;
    return bless { driver => $driver, server => TestServer::PostgreSQL->needed(%server) }, $class;
}

sub driver { return $_[0]{driver} }
sub server { return $_[0]{server} }

sub login { my ($self, %parameter) = @_; return $self->{server}->login(%parameter) }

sub dsn { my ($self, %parameter) = @_; return $self->{server}->dsn(%parameter) }

# A handle; attributes under "attr".
sub connect {    ## no critic (ProhibitBuiltinHomonyms)
    my ($self, %parameter) = @_;
    my $attributes = delete $parameter{attr} || {};
    return DBI->connect($self->login(%parameter), { RaiseError => 1, PrintError => 0, PrintWarn => 0, %$attributes });
}

# Parameters of a connection that can be read by a proxy.
sub plain { return (sslmode => 'disable') }

sub count_sql { my ($self, $table)   = @_; return "select count(*) from $table" }
sub table_sql { my ($self, $table)   = @_; return "create table $table (id int primary key, name varchar(200))" }
sub sleep_sql { my ($self, $seconds) = @_; return "select pg_sleep($seconds)" }

sub echo_sql       { return 'select ?::int' }
sub id_sql         { return 'select pg_backend_pid()' }
sub streaming      { return () }
sub other_database { return (dbname => 'postgres') }

# So many rows of an ascending number and a text of 20 bytes.
sub rows_sql { my ($self, $rows) = @_; return "select i, repeat('x', 20) from generate_series(1, $rows) i" }

sub session_id   { my ($self, $dbh) = @_; return $dbh->selectrow_array('select pg_backend_pid()') }
sub kill_session { my ($self, $id)  = @_; kill KILL => $id or die "kill $id: $!\n"; return }

# How many sessions run a statement with this text.
sub running {
    my ($self, $text) = @_;
    return $self->{server}->sql(
"select count(*) from pg_stat_activity where state = 'active' and query like '%$text%' and pid <> pg_backend_pid()"
    );
}

# Errors: the connection is found broken; the connection is known to be gone.
sub lost {
    return (
        err    => 7, state => '08000',
        errstr =>
qr/server closed the connection unexpectedly|terminating connection|SSL connection has been closed|SSL SYSCALL error|could not receive data from server/
    )
}
sub gone { return (err => 7, state => '08000', errstr => qr/no connection to the server/) }

sub duplicate { return qr/duplicate key value violates unique constraint/ }
sub deadlock  { return qr/^7\|40P01\|ERROR:  deadlock detected/ }

# Settings of a session: name, what dirties it, how to see it.
sub dirt {
    return (
        ['search_path',     ['set search_path to pg_catalog'], 'show search_path'],
        ['time zone',       [q(set timezone to 'Asia/Tokyo')], 'show timezone'],
        ['client_encoding', ['set client_encoding to latin1'], 'show client_encoding'],
        [
            'isolation', ['set session characteristics as transaction isolation level serializable'],
            'show default_transaction_isolation'
        ],
        [
            'own setting', [q(set custom.secret to 'hidden')],
            q(select coalesce(current_setting('custom.secret', true), ''))
        ],
        [
            'temporary table', ['create temp table secret (a int)'],
            q(select count(*) from pg_class where relname = 'secret' and relnamespace = pg_my_temp_schema())
        ],
        [
            'prepared statement', ['prepare secret as select 1'],
            q(select count(*) from pg_prepared_statements where name = 'secret')
        ],
        [
            'advisory lock', ['select pg_advisory_lock(4711)'],
            q(select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
        ],
        ['channel',  ['listen gossip'],                                'select count(*) from pg_listening_channels()'],
        ['cursor',   ['declare secret cursor with hold for select 1'], 'select count(*) from pg_cursors'],
        ['sequence', [q(select nextval('public.numbers'))],            q(select lastval())],
    );
}
sub visible    { return 'public.visible' }
sub unlock     { return 'select 1' }
sub dirt_setup { return ('create sequence numbers', 'create table visible (a int)') }

1;
