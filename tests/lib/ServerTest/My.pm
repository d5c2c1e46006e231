package ServerTest::My;

# What tests have to know of MariaDB and its drivers DBD::mysql and DBD::MariaDB.

use strict;
use warnings;

use TestServer::MariaDB;

sub new {
    my ($class, $driver, %server) = @_;
    my $other = delete $server{server};    # two drivers may share one
    return bless { driver => $driver, server => $other || TestServer::MariaDB->needed(%server) }, $class;
}

sub driver { return $_[0]{driver} }
sub server { return $_[0]{server} }
sub prefix { return lc $_[0]{driver} }

sub login { my ($self, %parameter) = @_; return $self->{server}->login(driver => $self->{driver}, %parameter) }

sub dsn { my ($self, %parameter) = @_; return $self->{server}->dsn(driver => $self->{driver}, %parameter) }

# A handle; attributes under "attr".
sub connect {    ## no critic (ProhibitBuiltinHomonyms)
    my ($self, %parameter) = @_;
    my $attributes = delete $parameter{attr} || {};
    return DBI->connect($self->login(%parameter), { RaiseError => 1, PrintError => 0, PrintWarn => 0, %$attributes });
}

sub plain { return () }

sub count_sql { my ($self, $table) = @_; return "select count(*) from $table" }

sub table_sql {
    my ($self, $table) = @_;
    return "create table $table (id int primary key, name varchar(200)) engine=innodb"
}
sub sleep_sql      { my ($self, $seconds) = @_; return "select sleep($seconds)" }
sub echo_sql       { return 'select ?' }
sub id_sql         { return 'select connection_id()' }
sub streaming      { return () }
sub other_database { return (database => 'mysql') }
sub rows_sql       { my ($self, $rows) = @_; return "select seq, repeat('x', 20) from seq_1_to_$rows" }

sub session_id { my ($self, $dbh) = @_; return $dbh->selectrow_array('select connection_id()') }
sub kill_session { my ($self, $id) = @_; $self->{server}->sql("kill $id"); return }

sub running {
    my ($self, $text) = @_;
    return $self->{server}->sql(
        "select count(*) from information_schema.processlist where info like '%$text%' and id <> connection_id()");
}

sub lost {
    return (
        err    => qr/^(?:2013|2006)$/, state => 'HY000',
        errstr => qr/^(?:Lost connection to server|Server has gone away)/
    )
}
sub gone { return (err => 2006, state => 'HY000', errstr => qr/^Server has gone away/) }

sub duplicate { return qr/Duplicate entry/ }
sub deadlock  { return qr/^1213\|40001\|Deadlock found/ }

sub dirt {
    return (
        ['user variable',   [q(set @secret = 1)],                      q(select coalesce(@secret, 'none'))],
        ['sql_mode',        [q(set session sql_mode = 'ANSI_QUOTES')], q(select @@sql_mode)],
        ['time zone',       [q(set time_zone = '+09:00')],             q(select @@time_zone)],
        ['character set',   ['set names latin1'],                      q(select @@character_set_client)],
        ['isolation',       ['set session transaction isolation level serializable'], q(select @@tx_isolation)],
        ['temporary table', ['create temporary table secret (a int)'],                q(select count(*) from secret)],
        ['prepared statement', [q(prepare secret from 'select 1')], 'execute secret'],
        ['named lock',         [q(select get_lock('secret', 1))],   q(select coalesce(is_used_lock('secret'), 'free'))],
        ['last insert id',     ['insert into numbers values (null)'], 'select last_insert_id()'],
        ['table lock',         ['lock tables visible write'],         'select count(*) from numbers where id < 0'],
        ['database',           ['use mysql'],                         'select database()'],
    );
}
sub visible    { return 'test.visible' }
sub unlock     { return 'unlock tables' }
sub dirt_setup { return ('create table numbers (id int auto_increment primary key)', 'create table visible (a int)') }

1;
