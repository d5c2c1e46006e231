# Virtual tables written in Perl: the base class, PerlData, FileContent.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;

{

    package Numbers;
    use DBD::SQLite::VirtualTable;
    our @ISA = ('DBD::SQLite::VirtualTable');
    our @log;
    sub CREATE         { my $class = shift; push @log, 'create'; return $class->SUPER::CREATE(@_) }
    sub DROP           { push @log, 'drop';           return }
    sub DISCONNECT     { push @log, 'disconnect';     return }
    sub DESTROY_MODULE { push @log, 'destroy module'; return }

    sub NEW {
        my $class = shift;
        my $self  = $class->_PREPARE_SELF(@_);
        $self->{last} = $self->{options}{last} || 5;
        return bless $self, $class
    }

    sub BEST_INDEX {
        my ($self, $constraints) = @_;
        my @use;
        for my $c (grep { $_->{usable} && $_->{col} == 0 && $_->{op} eq '=' } @$constraints) {
            $c->{argvIndex} = @use;
            $c->{omit}      = 1;
            push @use, 'n'
        }
        return { idxNum => scalar @use, idxStr => "@use", orderByConsumed => 0, estimatedCost => @use ? 1 : 100,
            estimatedRows => undef };
    }
    sub UPDATE { my ($self, $old, $new, @values) = @_; push @log, "update $old: @values"; return $new }
    sub INSERT { my ($self, $rowid, @values)     = @_; push @log, "insert @values";       return 77 }
    sub DELETE { my ($self, $rowid)              = @_; push @log, "delete $rowid";        return }

    package Numbers::Cursor;
    our @ISA = ('DBD::SQLite::VirtualTable::Cursor');

    sub FILTER {
        my ($self, $num, $str, @values) = @_;
        push @Numbers::log, "filter $num [@values]";
        @$self{qw(at to)} = @values ? ($values[0], $values[0]) : (1, $self->{vtable}{last});
        return
    }
    sub EOF    { return $_[0]{at} > $_[0]{to} }
    sub NEXT   { $_[0]{at}++; return }
    sub ROWID  { return $_[0]{at} }
    sub COLUMN { my ($self, $column) = @_; return $column ? "number $self->{at}" : $self->{at} }
}

my $dbh = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 });
ok $dbh->sqlite_create_module(numbers => 'Numbers'),                             'create_module';
ok $dbh->do('create virtual table n using numbers(n INT, name TEXT, last=300)'), 'create virtual table';
is_deeply \@Numbers::log,                              ['create'], 'CREATE';
is_deeply $dbh->selectcol_arrayref('select n from n'), [1 .. 300], 'all rows';
is_deeply $dbh->selectall_arrayref('select name, rowid from n where n between 9 and 10'),
    [['number 9', 9], ['number 10', 10]], 'SQLite checks a condition';
@Numbers::log = ();
is_deeply $dbh->selectall_arrayref('select name from n where n = 1000'), [['number 1000']],
    'the table answers a condition';
is_deeply \@Numbers::log, ['filter 1 [1000]'], '... FILTER';
is $dbh->selectrow_array('select count(*) from n a join n b on a.n = b.n'), 300, 'joined with itself';
@Numbers::log = ();
$dbh->do("insert into n values (1, 'x')");
is $dbh->last_insert_id(undef, undef, undef, undef), 77, 'INSERT gives a rowid';
$dbh->do("update n set name = 'y' where n = 3");
$dbh->do('delete from n where n = 4');
is_deeply [grep { !/^filter/ } @Numbers::log], ['insert 1 x', 'update 3: 3 y', 'delete 4'], 'INSERT, UPDATE, DELETE';
$dbh->do('create virtual table m using numbers(n INT)');
@Numbers::log = ();
$dbh->do('drop table n');
is_deeply \@Numbers::log, ['drop'], 'DROP';
$dbh->disconnect;
is_deeply \@Numbers::log, ['drop', 'disconnect', 'destroy module'], 'DISCONNECT, DESTROY_MODULE';

our $rows   = [[1, 'one'], [2, 'two'], [3, undef]];
our $hashes = [{ id => 1, name => 'one' }, { id => 2, name => 'two' }];
our $column = ['a', 'b', 'c'];
$dbh = DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 });
$dbh->sqlite_create_module(perl => 'DBD::SQLite::VirtualTable::PerlData');
$dbh->do('create virtual table temp.r using perl(id INT, name TEXT, arrayrefs="main::rows")');
$dbh->do('create virtual table temp.h using perl(id INT, name TEXT, hashrefs="main::hashes")');
$dbh->do('create virtual table temp.c using perl(x, colref="main::column")');
is_deeply $dbh->selectall_arrayref('select id, name from r order by id desc'),       [reverse @$rows], 'arrayrefs';
is_deeply $dbh->selectall_arrayref('select * from h where id = 2', { Slice => {} }), [$hashes->[1]],   'hashrefs';
is_deeply $dbh->selectcol_arrayref('select x from c where x > ?', undef, 'a'),       ['b', 'c'],       'colref';
is_deeply $dbh->selectcol_arrayref('select id from r where name is null'),           [3],              'undef is NULL';
is_deeply $dbh->selectcol_arrayref("select id from r where name match '^t'"),        [2],              'MATCH';
is_deeply $dbh->selectcol_arrayref(
    'select r.name from r join c on 1 where x in (select x from c) group by r.name order by 1'), [undef, 'one', 'two'],
    'joined';
$dbh->do("insert into r values (4, 'four')");
is_deeply $rows->[3], [4, 'four'], 'insert';
push @$rows, [5, 'five'];
is $dbh->selectrow_array('select name from r where id = 5'), 'five', 'a change in Perl';

my $dir = tempdir(CLEANUP => 1);
for (1 .. 3) { open my $out, '>', "$dir/$_.txt" or die $!; print $out "text of $_" }
$dbh->sqlite_create_module(fcontent => 'DBD::SQLite::VirtualTable::FileContent');
$dbh->do('create table source(id integer primary key, path text, note text)');
$dbh->do('insert into source(path, note) values(?, ?)', undef, "$_.txt", "note $_") for 1 .. 3;
$dbh->do(qq{create virtual table content using fcontent(source = source, expose = "path, note", root = "$dir")});
is_deeply $dbh->selectall_arrayref('select path, note, content from content order by path'),
    [map { ["$_.txt", "note $_", "text of $_"] } 1 .. 3], 'FileContent';
is_deeply $dbh->selectall_arrayref("select content from content where path = '2.txt'"), [['text of 2']], '... one';

done_testing;
