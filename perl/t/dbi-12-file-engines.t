# The engines for drivers in plain Perl: DBI::SQL::Nano, DBI::DBD::SqlEngine, DBD::File and what stands on them.
use strict;
use warnings;
BEGIN { $ENV{DBI_SQL_NANO} = 1 }
use Fcntl      qw(:flock);
use File::Temp ();
use Test::More;
use DBI;

my $dir = File::Temp::tempdir(CLEANUP => 1);
sub slurp { my ($file) = @_; open my $in, '<', $file or return undef; local $/; return readline $in }

# --- a driver whose tables are lines with "|" between the fields ---------------------------------------------------------
{

    package DBD::Pipes;
    $INC{'DBD/Pipes.pm'} = __FILE__;
    require DBD::File;
    our ($VERSION, @ISA) = ('0.01', 'DBD::File');
    no warnings "once";
    @DBD::Pipes::dr::ISA           = ('DBD::File::dr');
    @DBD::Pipes::db::ISA           = ('DBD::File::db');
    @DBD::Pipes::st::ISA           = ('DBD::File::st');
    @DBD::Pipes::Statement::ISA    = ('DBD::File::Statement');
    @DBD::Pipes::Table::ISA        = ('DBD::File::Table');
    $DBD::Pipes::dr::imp_data_size = $DBD::Pipes::db::imp_data_size = $DBD::Pipes::st::imp_data_size = 0;

    package DBD::Pipes::Table;

    sub open_data {
        my ($self, $meta, $attrs, $flags) = @_;
        $self->SUPER::open_data($meta, $attrs, $flags);
        return if $flags->{createMode} || $flags->{dropMode};
        chomp(my $line = $meta->{fh}->getline);
        $meta->{col_names}     = [split /\|/, $line];
        $meta->{first_row_pos} = $meta->{fh}->tell;
    }

    sub fetch_row {
        my ($self) = @_;
        my $line = $self->{meta}{fh}->getline;
        return $self->{row} = undef if !defined $line;
        chomp $line;
        return $self->{row} = [map { $_ eq '\N' ? undef : $_ } split /\|/, $line, -1];
    }

    sub push_row {
        my ($self, undef, $row) = @_;
        $self->{meta}{fh}->print(join('|', map { defined $_ ? $_ : '\N' } @$row) . "\n");
        return 1;
    }
    sub push_names { my ($self, undef, $names) = @_; $self->{meta}{fh}->print(join('|', @$names) . "\n"); return 1 }
}
{
    no warnings 'redefine';
    my $usual = DBI->can('driver_prefix');
    *DBI::driver_prefix = sub { return $_[1] eq 'DBD::Pipes' ? 'pipes_' : $usual->(@_) };
}

my $dbh = DBI->connect('dbi:Pipes:', undef, undef, { f_dir => $dir, f_ext => '.txt/r', f_schema => undef, RaiseError => 1, PrintError => 0 });
is($dbh->do('CREATE TABLE fruit (id INT, name VARCHAR(20), price REAL)'), '0E0', 'a table is made');
is(slurp("$dir/fruit.txt"), "id|name|price\n", 'and is a file');
my $put = $dbh->prepare('INSERT INTO fruit VALUES (?, ?, ?)');
is($put->{NUM_OF_PARAMS}, 3, 'three placeholders');
$put->execute(@$_) for [1, 'pear', 2.5], [2, 'apple', 10], [3, "it's", undef], [4, 'plum', 9];
is($dbh->do("INSERT INTO fruit (name, id) VALUES ('fig', 5)"), 1, 'named columns');
is(slurp("$dir/fruit.txt"), "id|name|price\n1|pear|2.5\n2|apple|10\n3|it's|\\N\n4|plum|9\n5|fig|\\N\n", 'the file');

my $ours = $INC{'DBI/Bridge/Base.pm'};    # the native engine takes NULL for less than any number, and knows no IS NOT NULL
sub ids { my ($where, @bind) = @_; return join ' ', @{ $dbh->selectcol_arrayref("SELECT * FROM fruit $where", undef, @bind) } }
is(ids(''),                           '1 2 3 4 5', 'all');
is(ids('WHERE price > 2.5'),          '2 4',       'numbers are compared as numbers');
is(ids('WHERE price <= ?', 9),        '1 4',       'with a placeholder; NULL is not less than anything') if $ours;
is(ids('WHERE NOT price = 10 ORDER BY id DESC') =~ /2/ ? 1 : 0, 0, 'NOT');
is(ids("WHERE name LIKE 'p%'"),       '1 4',       'LIKE');
is(ids("WHERE name CLIKE 'P%'"),      '1 4',       'CLIKE');
is(ids('WHERE price IS NULL'),        '3 5',       'IS NULL');
is(ids('WHERE price IS NOT NULL'),    '1 2 4',     'IS NOT NULL') if $ours;
is(ids('ORDER BY name'),              '2 5 3 1 4', 'ORDER BY text');
my $rows = $dbh->selectall_arrayref("SELECT name, id FROM fruit WHERE id = 2", { Slice => {} });
is_deeply($rows, [{ name => 'apple', id => 2 }], 'columns in the order asked for');
is($dbh->do("UPDATE fruit SET name = 'quince', price = ? WHERE id = 4", undef, 7), 1, 'one row is changed');
is($dbh->do('DELETE FROM fruit WHERE id < 3'), 2,     'two are deleted');
is($dbh->do('DELETE FROM fruit WHERE id < 3'), '0E0', 'then none');
is(slurp("$dir/fruit.txt"), "id|name|price\n3|it's|\\N\n4|quince|7\n5|fig|\\N\n", 'the file is cut after the last row');

ok(!eval { $dbh->do('SELECT nothing FROM fruit'); 1 }, 'an unknown column is an error');
like($@, qr/nothing/, 'that names it');
ok(!eval { $dbh->do('SELECT * FROM nowhere'); 1 }, 'an unknown table is an error');
like($@, qr/Cannot open .*nowhere/, 'that names it');
ok(!eval { $dbh->prepare('MERGE INTO fruit'); 1 }, 'unknown SQL is an error');
ok(!eval { $dbh->do('CREATE TABLE fruit (id INT)'); 1 }, 'a table is not made twice');
like(slurp("$dir/fruit.txt"), qr/quince/, 'and not emptied by that');
ok(!eval { $dbh->{AutoCommit} = 0; 1 }, 'no transactions');
is_deeply([$dbh->tables(undef, undef, undef, undef)], ['fruit'], 'tables');

# --- settings -------------------------------------------------------------------------------------------------------------
ok(!eval { $dbh->{f_nonsense} = 1; 1 }, 'an unknown setting is refused');
ok(!eval { $dbh->{f_version}  = 1; 1 }, 'a fixed one is not changed');
ok(!eval { $dbh->{sql_identifier_case} = 9; 1 }, 'nor one set to nonsense');
is($dbh->{sql_handler}, 'DBI::SQL::Nano', 'the engine');
is(DBI->connect('dbi:Pipes:', undef, undef, { f_dir => "$dir/none", PrintError => 0 }), undef, 'a missing directory');
like($DBI::errstr, qr/No such directory/, 'is said so');
my $ro = DBI->connect('dbi:Pipes:', undef, undef, { f_dir => $dir, f_ext => '.txt/r', ReadOnly => 1, PrintError => 0 });
is(scalar @{ $ro->selectall_arrayref('SELECT * FROM FRUIT') }, 3, 'a reader reads, in any case of letters');
is($ro->do("DELETE FROM fruit"), undef, 'but does not write');
is($ro->do("DROP TABLE fruit"),  undef, 'or drop');
ok(-f "$dir/fruit.txt", 'the file is there');

{    # a lock another holds keeps a reader out
    open my $other, '+<', "$dir/fruit.txt" or die;
    flock $other, LOCK_EX or die;
    my $waited = !eval {
        local $SIG{ALRM} = sub { die "waits\n" };
        alarm 1;
        $dbh->selectall_arrayref('SELECT * FROM fruit');
        alarm 0;
        1;
    };
    alarm 0;
    ok($waited, 'a locked file is waited for');
}
SKIP: {
    skip 'the native engine does not look, or there is no /dev/full', 3 if !$ours || !-e '/dev/full';
    symlink '/dev/full', "$dir/full.txt" or die $!;
    my $full = DBI->connect('dbi:Pipes:', undef, undef, { f_dir => $dir, f_ext => '.txt/r', RaiseError => 0, PrintError => 0 });
    no warnings 'redefine';
    local *DBD::Pipes::Table::open_data = sub {
        my ($self, $meta, @rest) = @_;
        $meta->{col_names} = ['a'];
        return $self->DBD::File::Table::open_data($meta, @rest);
    };
    for my $time (1, 2) {
        is($full->do('INSERT INTO full VALUES (1)'), undef, 'a row that a full disk does not take is an error');
    }
    like($full->errstr, qr/Cannot write .*full\.txt: /, 'that says so');
    unlink "$dir/full.txt";
}
is($dbh->do('DROP TABLE fruit'), -1, 'dropped');
ok(!-e "$dir/fruit.txt", 'the file is gone');
is($dbh->do('DROP TABLE IF EXISTS fruit'), -1, 'IF EXISTS');

# --- DBM ------------------------------------------------------------------------------------------------------------------
my @dbm = ('dbi:DBM:', undef, undef, { f_dir => $dir, RaiseError => 1, PrintError => 0 });
$dbh = DBI->connect(@dbm);
$dbh->do('CREATE TABLE phone (name TEXT, number TEXT)');
$dbh->do('INSERT INTO phone VALUES (?, ?)', undef, "n$_", $_ * 11) for 1 .. 20;
ok(-f "$dir/phone.pag" && -f "$dir/phone.lck", 'its files');
$dbh->disconnect;
$dbh = DBI->connect(@dbm);
is($dbh->selectrow_array("SELECT number FROM phone WHERE name = 'n7'"), 77, 'a key is found by another connection');
is($dbh->do("UPDATE phone SET number = '5' WHERE name = 'n7'"), 1, 'changed');
is($dbh->do("DELETE FROM phone WHERE number = '5'"), 1, 'deleted by its value');
is(scalar @{ $dbh->selectall_arrayref('SELECT * FROM phone') }, 19, 'the rest is there');
ok(!eval { $dbh->do("INSERT INTO phone VALUES ('n1', 'x')"); 1 }, 'a key is there once');
is($dbh->selectrow_array("SELECT number FROM phone WHERE name = 'n1'"), 11, 'and keeps its row');
ok(!eval { $dbh->do('INSERT INTO phone VALUES (?, ?)', undef, 'long', 'x' x 5000); 1 }, 'a value too long is refused, not cut');
$dbh->do('DROP TABLE phone');
is_deeply([glob "$dir/phone*"], [], 'nothing is left');

# --- memory -----------------------------------------------------------------------------------------------------------------
my ($one, $two) = map { DBI->connect('dbi:Mem:', undef, undef, { RaiseError => 1, PrintError => 0 }) } 1, 2;
$one->do('CREATE TABLE t (a INT, b TEXT)');
$one->do('INSERT INTO t VALUES (?, ?)', undef, $_, "b$_") for 1 .. 3;
is($one->do("DELETE FROM t WHERE a = 2"), 1, 'a row is deleted');
is_deeply($one->selectall_arrayref('SELECT * FROM t ORDER BY a DESC'), [[3, 'b3'], [1, 'b1']], 'the others are there');
my $seen = eval { $two->selectall_arrayref('SELECT * FROM t') } || [];
is(scalar @$seen, 0, 'another handle has its own tables');

done_testing;
