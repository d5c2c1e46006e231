# A driver written from the published driver interface: what it may do, what it gets from its base classes.
use strict;
use warnings;
use Test::More;

{

    package DBD::Lines;    # each row is a line of the statement: "cols a,b; 1,2; 3,4"
    use DBI ();
    our $VERSION = '0.01';
    $INC{'DBD/Lines.pm'} = __FILE__;
    my $drh;

    sub driver {
        my ($class, $attr) = @_;
        local $SIG{__WARN__} = sub { warn @_ if $_[0] !~ /not associated with a registered driver/ };
        DBD::Lines::db->install_method('lines_double');
        DBD::Lines::st->install_method('lines_count');
        return $drh ||= DBI::_new_drh("${class}::dr", { Name => 'Lines', Version => $VERSION, Attribution => 'test' });
    }
    sub CLONE { undef $drh }

    package DBD::Lines::dr;
    our $imp_data_size = 0;

    sub connect {
        my ($h, $name, $user, $auth, $attr) = @_;
        my ($outer, $dbh) = DBI::_new_dbh($h, { Name => $name });
        $dbh->STORE(Active => 1);
        $dbh->{lines_log} = [];
        return $outer;
    }

    sub data_sources {
        return map { "dbi:Lines:$_" } 1, 2
    }

    package DBD::Lines::db;
    our $imp_data_size = 0;

    sub prepare {
        my ($dbh, $text, $attr) = @_;
        my ($columns, @rows) = split /\s*;\s*/, $text;
        $columns =~ s/^cols // or return $dbh->set_err(1, "no columns in '$text'", '42000');
        my ($outer, $sth) = DBI::_new_sth($dbh, { Statement => $text });
        my @names = split /,/, $columns;
        $sth->STORE(NUM_OF_PARAMS => $text =~ tr/?//);
        $sth->STORE(NUM_OF_FIELDS => scalar @names);
        $sth->{NAME}       = \@names;
        $sth->{lines_rows} = \@rows;
        return $outer;
    }

    sub STORE {
        my ($dbh, $name, $value) = @_;
        if ($name eq 'AutoCommit') {
            push @{ $dbh->{lines_log} }, $value ? 'auto' : 'begin';
            return $dbh->SUPER::STORE($name, $value ? -901 : -900)
        }
        return $dbh->{$name} = $value if $name =~ /^lines_/;
        return $dbh->SUPER::STORE($name, $value);
    }
    sub FETCH    { my ($dbh, $name) = @_; return $dbh->{$name} if $name =~ /^lines_/; return $dbh->SUPER::FETCH($name) }
    sub commit   { my ($dbh) = @_; push @{ $dbh->{lines_log} }, 'commit';   return 1 }
    sub rollback { my ($dbh) = @_; push @{ $dbh->{lines_log} }, 'rollback'; return 1 }
    sub disconnect    { my ($dbh) = @_; $dbh->STORE(Active => 0); return 1 }
    sub lines_double  { my ($dbh, $n) = @_; return defined $n ? 2 * $n : $dbh->set_err(2, 'double what') }
    sub private_thing { my ($dbh, @args) = @_; return "private @args" }
    sub get_info      { my ($dbh, $type) = @_; return { 17 => 'Lines', 29 => '`', 41 => ':' }->{$type} }

    sub table_info {
        my ($dbh) = @_;
        my $sponge = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1 });
        return $sponge->prepare(
            'tables',
            {
                rows => [[undef, 's', 't1', 'TABLE', undef], [undef, 's', 't2', 'TABLE', undef]],
                NAME => [qw(TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS)]
            }
        );
    }
    sub DESTROY { my ($dbh) = @_; push @main::destroyed, $dbh->FETCH('Name'); return }

    package DBD::Lines::st;
    our $imp_data_size = 0;
    sub bind_param { my ($sth, $at, $value, $type) = @_; $sth->{lines_params}{$at} = $value; return 1 }

    sub execute {
        my ($sth, @values) = @_;
        $sth->bind_param($_, $values[$_ - 1]) for 1 .. @values;
        my %params = %{ $sth->{lines_params} || {} };
        my $want   = $sth->FETCH('NUM_OF_PARAMS');
        return $sth->set_err(3, "want $want values") if $want != keys %params;
        my $at   = 0;
        my @rows = map { [map { $_ eq '?' ? $params{ ++$at } : $_ } split /,/] } @{ $sth->{lines_rows} };
        $sth->{lines_left} = \@rows;
        $sth->{lines_seen} = 0;
        $sth->STORE(Active => 1) if @rows;
        return @rows || '0E0';
    }

    sub fetch {
        my ($sth) = @_;
        my $row = shift @{ $sth->{lines_left} || [] };
        if (!$row) { $sth->STORE(Active => 0); return undef }
        $sth->{lines_seen}++;
        return $sth->_set_fbav($row);
    }
    { no warnings 'once'; *fetchrow_arrayref = \&fetch }
    sub rows        { return $_[0]{lines_seen} }
    sub lines_count { my ($sth) = @_; return scalar @{ $sth->{lines_rows} } }

    sub FETCH {
        my ($sth, $name) = @_;
        return $sth->{lines_params} if $name eq 'ParamValues';
        return $sth->SUPER::FETCH($name)
    }
}

our @destroyed;
my $dbh = DBI->connect('dbi:Lines:here', 'u', 'p', { RaiseError => 1, PrintError => 0 });
isa_ok $dbh, 'DBI::db';
is_deeply $dbh->selectall_arrayref('cols a,b;1,2;3,4'), [[1, 2], [3, 4]], 'selectall_arrayref over fetch';
is_deeply $dbh->selectall_arrayref('cols a,b;1,2;3,?', { Slice => {} }, 'x'),
    [{ a => 1, b => 2 }, { a => 3, b => 'x' }], '... with a value';
is_deeply $dbh->selectrow_hashref('cols a,b;?,?', undef, 5, 6), { a => 5, b => 6 }, 'selectrow_hashref';
is $dbh->do('cols a'), '0E0', 'do: no rows is zero but true';
my $sth = $dbh->prepare('cols a;?;?');
is $sth->execute(7, 8), 2, 'execute returns what the driver says';
$sth->bind_col(1, \my $bound);
ok $sth->fetch, 'fetch';
is $bound,     7, '_set_fbav serves bound columns';
is $sth->rows, 1, 'rows of the driver';
is $DBI::rows, 1, '$DBI::rows';
is_deeply $sth->{ParamValues}, { 1 => 7, 2 => 8 }, 'ParamValues of the driver';
$sth->finish;
ok !$sth->{Active},                       'finish of the base class';
ok !eval { $dbh->prepare('nothing'); 1 }, 'an error of the driver';
like $@, qr/^DBD::Lines::db prepare failed: no columns in 'nothing' at \Q$0\E line/, '... with its text';
is $dbh->state, '42000', '... and its state';

is $dbh->lines_double(21), 42, 'an installed method';
ok !eval { $dbh->lines_double; 1 }, '... its error';
like $@, qr/^DBD::Lines::db lines_double failed: double what at /, '... is reported as any other';
is $sth->lines_count,                     2,             '... of statements';
is $dbh->func('a', 'b', 'private_thing'), 'private a b', 'func reaches the driver';
ok !$dbh->can('private_thing'), 'what is not installed is no method';
ok $dbh->can('lines_double'),   'what is installed is';
$dbh->{lines_own} = 5;
is $dbh->{lines_own}, 5, 'an attribute of the driver';

ok $dbh->{AutoCommit}, 'AutoCommit';
$dbh->{lines_log} = [];
ok $dbh->begin_work,    'begin_work';
ok !$dbh->{AutoCommit}, '... switches AutoCommit off';
ok $dbh->{BegunWork},   '... and notes it';
$dbh->commit;
ok $dbh->{AutoCommit}, 'commit switches it on again';
is_deeply $dbh->{lines_log}, ['begin', 'commit', 'auto'], '... the driver was told';
$dbh->begin_work;
ok !eval { $dbh->begin_work; 1 }, 'begin_work in a transaction';
like $@, qr/^DBD::Lines::db begin_work failed: Already in a transaction at /, '... says so';
$dbh->rollback;
ok $dbh->{AutoCommit}, 'rollback ends it';

is $dbh->get_info(17),                      'Lines',          'get_info';
is $dbh->quote_identifier('c', 's', 't`x'), '`c`:`s`.`t``x`', 'quote_identifier asks get_info';
is_deeply [$dbh->tables],               ['`s`.`t1`',    '`s`.`t2`'],    'tables asks table_info';
is_deeply [DBI->data_sources('Lines')], ['dbi:Lines:1', 'dbi:Lines:2'], 'data_sources of the driver';
is_deeply [$dbh->data_sources],         ['dbi:Lines:1', 'dbi:Lines:2'], '... through a connection';
is $dbh->quote("it's"), "'it''s'", 'quote';
is $dbh->quote(undef),  'NULL',    '... undef';
ok $dbh->ping, 'ping of the base class';
is ref tied(%$dbh), 'DBI::db', 'the inner handle has the same class';
ok !tied %{ tied %$dbh }, '... and is a plain hash';
is_deeply [map { ref } DBI::_handles($dbh)], ['DBI::db', 'DBI::db'], '_handles' if DBI->can('_handles');

undef $sth;
ok $dbh->disconnect, 'disconnect';
ok !$dbh->ping,      'no ping afterwards';
undef $dbh;
is_deeply \@destroyed, ['here'], 'DESTROY of the driver was called once';

done_testing;
