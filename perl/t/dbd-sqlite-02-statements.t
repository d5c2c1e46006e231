# Preparing, executing and fetching: return values, row counts, attributes, error texts.
use strict;
use warnings;
use Test::More;
use DBI;
no warnings q(once);

sub handle { return DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, @_ }) }

{
    my $dbh = handle();
    is $dbh->do('create table t(a integer primary key, b varchar(20) not null, c)'), '0E0', 'create table';
    is $dbh->do(q{insert into t values (1,'x',1.5),(2,'y',2),(3,'z',x'0001')}),      3,     'three rows';
    is $dbh->do('update t set c=1 where a=99'),                                      '0E0', 'no row';
    is $dbh->do('delete from t where a=99'),                                         '0E0', 'no row';
    is $dbh->do('bogus'),                                                            undef, 'no statement';
    is_deeply [$dbh->err, $dbh->errstr, $dbh->state], [1, 'near "bogus": syntax error', 'S1000'], '... error';
    is $dbh->sqlite_error_offset, 0, '... where';

    my $sth = $dbh->prepare('select * from t order by a');
    is $sth->rows,            -1, 'rows before execute';
    is $sth->{NUM_OF_FIELDS}, 3,  'NUM_OF_FIELDS';
    is $sth->{NUM_OF_PARAMS}, 0,  'NUM_OF_PARAMS';
    is_deeply $sth->{NAME},                               [qw(a b c)], 'NAME';
    is_deeply $sth->{TYPE},                               ['INTEGER', 'varchar(20)', 'VARCHAR'], 'TYPE';
    is_deeply [map { $_ ? 1 : 0 } @{ $sth->{NULLABLE} }], [1,         0,             1],         'NULLABLE';
    ok !$sth->{Active}, 'not active';
    is $sth->fetchrow_arrayref, undef, 'no row before execute';
    is $sth->err,               undef, '... which is no error';
    is $sth->execute,           '0E0', 'execute of a select';
    ok $sth->{Active}, 'active';
    is $sth->rows, 0, 'no row yet';
    is_deeply $sth->fetchrow_arrayref, [1, 'x', 1.5], 'first row';
    is $sth->rows, 1, 'one row';
    is_deeply $sth->fetchall_arrayref, [[2, 'y', 2], [3, 'z', "\0\1"]], 'the others';
    is $sth->rows, 3, 'three rows';
    ok !$sth->{Active}, 'not active';
    is $sth->fetch, undef, 'no more';
    $sth->execute;
    $sth->fetch;
    ok $sth->finish,    'finish';
    ok !$sth->{Active}, '... not active';
    is $sth->fetch, undef, '... no row';

    is $dbh->prepare('select * from nosuch'), undef, 'prepare finds a missing table';
    is_deeply [$dbh->err, $dbh->errstr], [1, 'no such table: nosuch'], '... error';
    my $empty = $dbh->prepare('  -- nothing');
    isa_ok $empty, 'DBI::st', 'a statement of nothing';
    ok $dbh->prepare('')->execute, '... executes';

    is $dbh->prepare('select 1; select 2')->{sqlite_unprepared_statements}, undef, 'the rest of the text is not kept';
    $dbh->{sqlite_allow_multiple_statements} = 1;
    my $two = $dbh->prepare('select 1; select 2');
    is $two->{sqlite_unprepared_statements}, ' select 2', 'what is left of the text';
}

{
    my $dbh = handle();
    $dbh->do('create table t(a unique, b)');
    my $sth = $dbh->prepare('insert into t values (?,?)');
    is $sth->{NUM_OF_PARAMS}, 2, 'two parameters';
    is $sth->{NUM_OF_FIELDS}, 0, 'no fields';
    is_deeply $sth->{NAME}, [], 'no names';
    is_deeply $sth->{ParamValues}, { 1 => undef, 2 => undef }, 'ParamValues';
    is $sth->execute(1, 'one'), 1, 'one row';
    is $sth->rows,              1, 'rows';
    is_deeply $sth->{ParamValues}, { 1 => 1, 2 => 'one' }, 'ParamValues';
    is $sth->execute(2), undef, 'too few values';
    is_deeply [$sth->err, $sth->errstr, $sth->state], [-1, 'called with 1 bind variables when 2 are needed', 'S1000'],
        '... error';
    is $sth->execute(1, 'again'), undef, 'a duplicate';
    is_deeply [$sth->err, $sth->errstr], [19, 'UNIQUE constraint failed: t.a'], '... error';
    is $sth->execute(2, undef),                          1, 'and on';
    is $dbh->last_insert_id(undef, undef, undef, undef), 2, 'last_insert_id';
    is $dbh->sqlite_last_insert_rowid,                   2, 'sqlite_last_insert_rowid';
    is_deeply $dbh->selectall_arrayref('select a, b, typeof(a) from t order by 1'),
        [[1, 'one', 'text'], [2, undef, 'text']], 'values are text';
    my $up = $dbh->prepare('update t set b = ?');
    is $up->execute('x'), 2, 'two rows';
    is $up->execute('y'), 2, '... again';
    my $returning = $dbh->prepare('insert into t values(7,8) returning a, b');
    is $returning->execute, '0E0', 'returning';
    is_deeply $returning->fetchall_arrayref, [[7, 8]], '... its row';
    $dbh->{sqlite_extended_result_codes} = 1;
    $dbh->do('insert into t values(7,8)');
    is $dbh->err, 2067, 'extended result code';
}

{
    my $dbh = handle();
    $dbh->do('create table q(a unique)');
    my $sth = $dbh->prepare('insert into q values(?)');
    my @status;
    is $sth->execute_array({ ArrayTupleStatus => \@status }, [1, 2, 2, 3]), undef, 'execute_array with an error';
    is_deeply \@status, [1, 1, [19, 'UNIQUE constraint failed: q.a', 'S1000'], 1], '... status';
    is $sth->errstr, 'executing 4 generated 1 errors', '... error';
    is_deeply $dbh->selectcol_arrayref('select a from q order by a'), [1, 2, 3], '... the others are in';
    is_deeply [$sth->execute_array({ ArrayTupleStatus => \@status }, [11, 12])], [2, 2], 'tuples and rows';
    my @many = (100 .. 1500);
    is $sth->execute_for_fetch(sub { @many ? [shift @many] : undef }), 1401, 'execute_for_fetch';
    is_deeply [$dbh->selectrow_array('select count(*), sum(a+0) from q where a+0 >= 100')], [1401, 1120800],
        '... all in';
}

{
    my $dbh = handle();
    my $row = $dbh->selectrow_arrayref(
        q{select 1, -1, 9223372036854775807, -9223372036854775808, 2147483648, 0.1, 1e300, 'text', x'00ff80', null, ''}
    );
    is_deeply $row,
        [1, -1, '9223372036854775807', '-9223372036854775808', 2147483648, 0.1, 1e300, 'text', "\0\xff\x80", undef, ''],
        'values of all kinds';
    is $row->[2] - 1, 9223372036854775806, 'large integers are integers';
    is_deeply $dbh->selectrow_hashref('select 1 as a, 2 as B'), { a => 1, B => 2 }, 'a row as a hash';
    is_deeply $dbh->selectall_arrayref('select 1 as a, 2 as b union select 3, 4', { Slice => {} }),
        [{ a => 1, b => 2 }, { a => 3, b => 4 }], 'Slice';
    is_deeply $dbh->selectrow_hashref('select 1 as a, 2 as a'), { a => 2 }, 'the same name twice: the later one counts';
    is_deeply $dbh->selectall_arrayref('select 1 as a, 2 as a'),            [[1, 2]],     '... arrays have both';
    is_deeply [$dbh->selectrow_array('select ?, ?', undef, 'x', undef)],    ['x', undef], 'selectrow_array with values';
    is_deeply [$dbh->selectrow_array('select 1 where 0')],                  [],           'no row';
    is $dbh->selectrow_arrayref('select nix'), undef,                 'an error';
    is $dbh->errstr,                           'no such column: nix', '... its text';
    is_deeply $dbh->selectcol_arrayref('select 1 union select 2'), [1, 2], 'selectcol_arrayref';
    is_deeply $dbh->selectall_hashref('select 1 as id, 2 as v', 'id'), { 1 => { id => 1, v => 2 } },
        'selectall_hashref';
    {
        local $dbh->{FetchHashKeyName} = 'NAME_lc';
        is_deeply $dbh->selectrow_hashref('select 1 as ID'), { id => 1 }, 'FetchHashKeyName'
    }
    { local $dbh->{ChopBlanks} = 1; is_deeply $dbh->selectrow_arrayref(q{select 'a  ', '  '}), ['a', ''], 'ChopBlanks' }
}

{
    my $dbh = handle(sqlite_allow_multiple_statements => 1, RaiseError => 1);
    ok $dbh->do('create table a(x); create table b(x); insert into a values(1); insert into b values(2);'),
        'several statements';
    is_deeply $dbh->selectcol_arrayref('select x from a union select x from b'), [1, 2], '... all were run';
    my $one = handle(RaiseError => 1);
    $one->do('create table a(x); create table b(x)');
    is_deeply $one->selectcol_arrayref('select name from sqlite_master'), ['a'], 'by default only the first is';
}

{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $dbh = handle(PrintError => 1);
    $dbh->do('bogus');
    like $warned[0], qr/^DBD::SQLite::db do failed: near "bogus": syntax error at \Q$0\E line \d+/, 'PrintError: do';
    my $sth = $dbh->prepare('select ?');
    $sth->execute;
    $sth->execute(1, 2);
    like $warned[1], qr/^DBD::SQLite::st execute failed: called with 2 bind variables when 1 are needed at \Q$0\E/,
        'PrintError: execute';
    $dbh->{RaiseError} = 1;
    $dbh->{PrintError} = 0;
    ok !eval { $dbh->selectall_arrayref('select * from nowhere'); 1 }, 'RaiseError';
    like $@, qr/^DBD::SQLite::db selectall_arrayref failed: no such table: nowhere at \Q$0\E/, '... text';
    $@ = 'kept';
    $dbh->selectrow_array('select 1');
    is $@, 'kept', 'a method that works leaves $@ alone';
}

done_testing;
