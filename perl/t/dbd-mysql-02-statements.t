# Statements: return values, row counts, placeholders, errors, attributes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::MariaDB;
use DBI ':sql_types';

my $server = TestServer::MariaDB->needed;

for my $driver (qw(mysql MariaDB)) {
    my ($p, $maria) = (lc $driver . '_', $driver eq 'MariaDB');
    my $dbh = DBI->connect($server->login(driver => $driver), { PrintError => 0 }) or die DBI->errstr;
    note $driver;

    is $dbh->do('create temporary table t (id int auto_increment primary key, v varchar(20), n int)'), '0E0', 'create';
    is $dbh->do("insert into t (v, n) values ('a', 1), ('b', 2), ('c', 2)"), 3, 'do: rows affected';
    is $dbh->{"${p}info"}, 'Records: 3  Duplicates: 0  Warnings: 0', 'info';
    is $dbh->{"${p}insertid"}, 1, 'insertid: the first of them';
    is $dbh->last_insert_id(undef, undef, undef, undef), 1, 'last_insert_id';
    is $dbh->do('update t set n = 3 where n = 2'),  2,     'update';
    is $dbh->do('update t set n = 3 where n = 3'),  2,     'rows found count, not only those that change';
    is $dbh->do('update t set n = 3 where id > 9'), '0E0', 'no row';
    is $dbh->do('select * from t'),                 3,     'do of a select: its rows';

    # a statement's life
    my $sth = $dbh->prepare('select id, v from t where n = ? order by id');
    is $sth->{NUM_OF_PARAMS}, 1,     'NUM_OF_PARAMS';
    ok !@{ $sth->{NAME} || [] }, 'no columns before execute';
    ok !$sth->{Active}, 'not active';
    is $sth->execute(3), 2, 'execute of a select: its rows';
    ok $sth->{Active}, 'active';
    is $sth->rows, 2, 'rows';
    is_deeply $sth->{NAME}, [qw(id v)], 'NAME';
    is $sth->{NUM_OF_FIELDS}, 2, 'NUM_OF_FIELDS';
    is_deeply $sth->fetchrow_arrayref, [2, 'b'], 'first row';
    is_deeply $sth->fetchrow_hashref, { id => 3, v => 'c' }, 'second row';
    ok !$sth->{Active}, 'off with the last row' if $maria;
    is $sth->fetchrow_arrayref, undef, 'no more';
    ok !$sth->err, '... which is no error';
    ok !$sth->{Active}, 'not active';
    is $sth->rows, 2, 'rows';
    is $sth->execute(7), '0E0', 'no rows';
    is $sth->fetchrow_arrayref, undef, '... none';
    is $sth->execute(1, 2), undef, 'too many values';
    is_deeply [$sth->err, $sth->errstr], [-1, 'called with 2 bind variables when 1 are needed'], '... error';
    my $not = $dbh->prepare('select 1');
    is $not->fetchrow_arrayref, undef, 'fetch without execute';
    is_deeply [$not->err, $not->errstr], [$maria ? 2000 : 19, 'fetch() without execute()'], '... error';
    my $insert = $dbh->prepare('insert into t (v, n) values (?, ?)');
    is $insert->execute('d', 4), 1, 'insert';
    is $insert->{"${p}insertid"}, 4, '... insertid';
    is $insert->rows, 1, '... rows';
    ok !$insert->{Active}, '... not active';
    ok $sth->execute(4), 'execute again';
    $sth->finish;
    ok !$sth->{Active}, 'finished';

    # errors of the server
    is $dbh->do('selec'), undef, 'no statement';
    is_deeply [$dbh->err, $dbh->state], [1064, '42000'], '... error';
    like $dbh->errstr, qr/^You have an error in your SQL syntax; .* near 'selec' at line 1$/, '... text';
    my $bad = $dbh->prepare('select * from nosuch');
    ok $bad, 'prepare asks nobody';
    is $bad->execute, undef, '... execute does';
    is_deeply [$bad->err, $bad->state], [1146, '42S02'], '... error';
    is $bad->rows, -1, '... rows';
    is $dbh->prepare('')->execute, undef, 'an empty statement';
    is_deeply [$dbh->err, $dbh->errstr], [1065, 'Query was empty'], '... error';
    is $dbh->do("insert into t (id) values (1)"), undef, 'a duplicate';
    is_deeply [$dbh->err, $dbh->errstr, $dbh->state], [1062, "Duplicate entry '1' for key 'PRIMARY'", '23000'], '... error';
    my $there = $dbh->prepare('select * from nosuch', { "${p}server_prepare" => 1 });
    is $there, undef, 'a statement the server prepares fails at prepare';
    is $dbh->err, 1146, '... error';

    # what is a placeholder, and what only looks like one
    for (["select ?", 1], ["select '?', ?", 1], [q{select 'a\'?', ?}, 1], ['select "?", `x?` from (select 1 as `x?`) t', 0],
        ["select /* ? */ ?", 1], ["select 1 -- ?\n, ?", 1], ["select 'it''s ?', ?", 1])
    {
        my ($sql, $count) = @$_;
        my $one = $dbh->prepare($sql);
        is $one->{NUM_OF_PARAMS}, $count, "placeholders of $sql";
        is $one->execute(('x') x $count), 1, '... runs';
    }
    is_deeply $dbh->selectcol_arrayref('select id from t order by id limit ?, ?', undef, 1, 2), [2, 3], 'LIMIT ?, ?';
    $dbh->{"${p}bind_comment_placeholders"} = 1;
    is $dbh->prepare('select /* ? */ ?')->{NUM_OF_PARAMS}, $maria ? 2 : 1, 'placeholders in comments' if $maria;
    $dbh->{"${p}bind_comment_placeholders"} = 0;

    # attributes of columns
    $dbh->do('create temporary table c (i int not null auto_increment primary key, u bigint unsigned, d decimal(8,2),'
            . ' f double, v varchar(10), b blob, dt datetime, key (u))');
    $sth = $dbh->prepare('select * from c');
    $sth->execute;
    is_deeply $sth->{TYPE}, [4, -5, 3, 8, 12, -4, 11], 'TYPE';
    is_deeply [map { $_ ? 1 : 0 } @{ $sth->{NULLABLE} }], [0, 1, 1, 1, 1, 1, 1], 'NULLABLE';
    is_deeply $sth->{SCALE}, [0, 0, 2, 31, 0, 0, 0], 'SCALE';
    is_deeply $sth->{PRECISION}, [11, 20, 10, 22, 40, 65535, 19], 'PRECISION';
    is_deeply $sth->{"${p}type"}, [3, 8, 246, 5, 253, 252, 12], 'type';
    is_deeply $sth->{"${p}type_name"}, [qw(integer bigint decimal double varchar blob datetime)], 'type_name';
    is_deeply $sth->{"${p}table"}, [('c') x 7], 'table';
    for (is_num => [1, 1, 1, 1, 0, 0, 0], is_blob => [0, 0, 0, 0, 0, 1, 0], is_pri_key => [1, (0) x 6],
        is_key => [1, 1, (0) x 5], is_auto_increment => [1, (0) x 6])
    {
        our $name;
        if (!ref) { $name = $_; next }
        is_deeply [map { $_ ? 1 : 0 } @{ $sth->{"$p$name"} }], $_, $name;
    }
    $dbh->do("insert into c (v, b) values ('four', 'sevensy')");
    $sth->execute;
    is_deeply [@{ $sth->{"${p}max_length"} }[4, 5]], [4, 7], 'max_length';
    $sth->finish;
    $dbh->do("set sql_mode=''");
    is $dbh->do("insert into c (v) values ('much too long for it')"), 1, 'a value is cut';
    is $dbh->{"${p}warning_count"}, 1, 'warning_count';
    is_deeply [@{ $dbh->selectrow_arrayref('show warnings') }[0, 1]], ['Warning', 1265], 'the warning';

    # attributes
    is $dbh->{"${p}use_result"} ? 1 : 0, 0, 'use_result';
    $dbh->{"${p}use_result"} = 1;
    is $dbh->{"${p}use_result"} ? 1 : 0, 1, '... on';
    is_deeply $dbh->selectall_arrayref('select 1 union select 2'), [[1], [2]], '... and rows come' if !$maria;
    $dbh->{"${p}use_result"} = 0;
    if ($maria) {
        is $dbh->{"${p}nosuch"}, undef, 'an unknown attribute';
        is $dbh->errstr, "Unknown attribute ${p}nosuch", '... is an error';
        is $dbh->prepare('select 1', { nosuch => 1 }), undef, '... of prepare, too';
    }

    # tuples
    my @status;
    my $many = $dbh->prepare('insert into t (id, v) values (?, ?)');
    is $many->execute_array({ ArrayTupleStatus => \@status }, [11, 12, 1, 13], 'x'), undef, 'execute_array with a bad tuple';
    is_deeply [map { ref $_ ? $_->[0] : $_ } @status], [1, 1, 1062, 1], '... status';
    is $dbh->selectrow_array("select count(*) from t where v = 'x'"), 3, '... the others are in';
    is scalar $many->execute_array({ ArrayTupleStatus => \@status }, [21 .. 1020], 'y'), 1000, 'a thousand tuples';
    is $dbh->selectrow_array("select count(*) from t where v = 'y'"), 1000, '... are in';

    # large results, two at a time
    $dbh->do('create temporary table big as select seq, repeat(\'x\', 100) as pad from seq_1_to_20000');
    my $big = $dbh->prepare('select seq, pad from big order by seq');
    is $big->execute, 20_000, 'a large result is counted';
    my ($sum, $seen) = (0, 0);
    while (my $row = $big->fetchrow_arrayref) {
        $sum += $row->[0];
        is $dbh->selectrow_array('select 5'), 5, 'another statement in between' if ++$seen == 10;
    }
    is_deeply [$seen, $sum], [20_000, 200_010_000], 'all rows came, once';
    is scalar @{ $dbh->selectall_arrayref('select seq, pad from big', { Slice => {} }) }, 20_000, 'all as hashes';
    $big->execute;
    my ($seq, $pad);
    $big->bind_columns(\$seq, \$pad);
    $sum = 0;
    $sum += $seq while $big->fetch;
    is $sum, 200_010_000, 'bound columns';
    $dbh->disconnect;
}

done_testing;
