# Values: how they are bound and how they come back, characters and bytes, quoting.
use strict;
use warnings;
use utf8;
use B ();
use FindBin;
use lib "$FindBin::Bin/../../tests/lib";
use Test::More;
use TestServer::MariaDB;
use DBI ':sql_types';

my $server = TestServer::MariaDB->needed;
binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

sub kind {    # how perl holds a value
    my ($value) = @_;
    return 'undef' if !defined $value;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & B::SVf_IOK ? 'integer' : $flags & B::SVf_NOK ? 'number' : 'text';
}

for my $driver (qw(mysql MariaDB)) {
    my ($p, $maria) = (lc $driver . '_', $driver eq 'MariaDB');
    my $dbh = DBI->connect($server->login(driver => $driver), { PrintError => 0 }) or die DBI->errstr;
    my $value = sub { my ($sql, @binds) = @_; return scalar $dbh->selectrow_array($sql, undef, @binds) };

    for my $there (0, 1) {
        $dbh->{"${p}server_prepare"} = $there;
        note "$driver, server_prepare = $there";
        for ('plain', q{it's "quoted" \\ `so`}, "zero\0inside", "line\nbreak\r\x1a", '', '0', '007', ' padded ', '1e5', '?') {
            is $value->('select ?', $_), $_, 'comes back: ' . DBI::neat($_);
            is $value->('select concat(?, ?)', $_, 'x'), "${_}x", '... in a function';
        }
        is $value->('select ?', undef), undef, 'NULL';
        is $value->('select ? is null', undef), 1, '... is NULL';
        is length $value->('select ?', 'x' x 100_000), 100_000, 'a long one';
        is kind($value->('select 5')),               'integer', 'an integer';
        is kind($value->('select 2e0')),             'number',  'a double';
        is kind($value->('select 1.50')),            'text',    'a decimal';
        is $value->('select 1.50'),                  '1.50',    '... keeps its digits';
        is $value->('select -9223372036854775808'),  '-9223372036854775808', 'the smallest integer';
        is $value->('select 18446744073709551615'),  '18446744073709551615', 'the largest';
        is $value->("select cast('2024-02-03 04:05:06' as datetime)"), '2024-02-03 04:05:06', 'a date';
        is $value->("select b'101' + 0"), 5, 'bits';

        # with a type
        my $sth;
        for ([SQL_INTEGER, 5, 5], [SQL_DOUBLE, '1.5', '1.5'], [SQL_VARCHAR, 'abc', 'abc'], [SQL_INTEGER, -3, -3]) {
            my ($type, $in, $out) = @$_;
            $sth = $dbh->prepare('select ?');
            ok $sth->bind_param(1, $in, $type), "bind $in as type $type";
            $sth->execute;
            is $sth->fetchrow_arrayref->[0], $out, '... comes back';
        }
        $sth->finish;
        my $typed = $dbh->prepare('select ? + 0');
        my $bound = $typed->bind_param(1, 'abc', SQL_INTEGER);
        is $typed->errstr, q{Binding non-numeric field 1, value 'abc' as a numeric!}, 'not a number';
        ok !$bound, '... is refused' if $maria;
        ok !$typed->bind_param(3, 1), 'no such parameter';
        is $typed->errstr, 'Illegal parameter number', '... error';
        ok !$typed->bind_param_inout(1, \my $x, 10), 'no output parameters';
        is $typed->errstr, 'Output parameters not implemented', '... error';
        is_deeply $dbh->selectcol_arrayref('select 1 union select 2 order by 1 limit ?', undef, 1), [1], 'LIMIT ?';
    }
    $dbh->{"${p}server_prepare"} = 0;

    # types decide how a value is written
    my $sth = $dbh->prepare('explain extended select ? as c');
    for ([SQL_INTEGER, 5 => '5'], [SQL_VARCHAR, 5 => "'5'"]) {
        my ($type, $in, $text) = @$_;
        $sth->bind_param(1, $in, $type);
        $sth->execute;
        $sth->finish;
        like $dbh->selectall_arrayref('show warnings')->[-1][2], qr/select \Q$text\E AS/i, "type $type is written $text";
    }
    $dbh->{"${p}bind_type_guessing"} = 1;
    is $value->("select '5' = ?", 5), 1, 'guessed';
    $dbh->{"${p}bind_type_guessing"} = 0;

    # characters and bytes
    my $text  = "Zürich \x{20ac} \x{1f600}";
    my $bytes = join '', map { chr } 0 .. 255;
    $dbh->do('create temporary table u (id int, t varchar(100) character set utf8mb4, b blob)');
    if ($maria) {
        my $in = $dbh->prepare('insert into u values (?, ?, ?)');
        $in->bind_param(1, 1);
        $in->bind_param(2, $text);
        $in->bind_param(3, $bytes, SQL_BINARY);
        ok $in->execute, 'characters and bytes go in';
        my $row = $dbh->selectrow_arrayref('select t, b from u');
        is $row->[0], $text, '... characters come back';
        ok $row->[1] eq $bytes, '... and bytes';
        is $value->('select char_length(t) from u'), length $text, '... the server sees as many';
        is $value->('select ?', "caf\xe9"), "caf\xe9", 'Latin-1 characters are characters';
        is $value->("select '\x{20ac}'"), "\x{20ac}", 'in the statement, too';
        ok !eval { $in->bind_param(3, "\x{20ac}", SQL_BINARY); 1 }, 'characters are no bytes';
        like $@, qr/^Wide character in /, '... and it dies';
        is $dbh->quote($bytes, SQL_BINARY), "X'" . uc(unpack 'H*', $bytes) . "'", 'quoted bytes';
        is $dbh->quote("\x{20ac}'"), "'\x{20ac}\\''", 'quoted characters';
    }
    else {
        (my $raw = $text) =~ s/(.)/$1/;
        utf8::encode($raw);
        my $in = $dbh->prepare('insert into u values (?, ?, ?)');
        ok $in->execute(1, $raw, $bytes), 'bytes go in';
        my $row = $dbh->selectrow_arrayref('select t, b from u');
        ok $row->[0] eq $raw, '... text comes back as bytes';
        ok $row->[1] eq $bytes, '... and bytes do';
        my $utf8 = DBI->connect($server->login(driver => $driver), { PrintError => 0, mysql_enable_utf8mb4 => 1 });
        $utf8->do('create temporary table u (id int, t varchar(100) character set utf8mb4, b blob)');
        $utf8->do('insert into u values (1, ?, ?)', undef, $text, 'abc');
        $row = $utf8->selectrow_arrayref('select t, b from u');
        is $row->[0], $text, 'with mysql_enable_utf8mb4 text comes as characters';
        ok utf8::is_utf8($row->[0]), '... flagged';
        ok !utf8::is_utf8($row->[1]), '... blobs are not';
        $utf8->disconnect;
    }

    # quoting
    is $dbh->quote(q{a'b"c\\d}), q{'a\\'b\\"c\\\\d'}, 'quote';
    is $dbh->quote("\n\r\0\x1a"), q{'\\n\\r\\0\\Z'}, 'quote: control characters';
    is $dbh->quote(undef), 'NULL', 'quote: NULL';
    is $dbh->quote(5, SQL_INTEGER), 5, 'quote: a number';
    is $dbh->quote_identifier('a`b'), '`a``b`', 'quote_identifier';
    is $dbh->quote_identifier('a', 'b', 'c'), '`a`.`b`.`c`', '... of three parts';
    $dbh->do("set sql_mode = 'NO_BACKSLASH_ESCAPES'");
    is $dbh->quote(q{a'b\\c}), q{'a''b\\c'}, 'quote without backslashes';
    is $value->('select ?', q{a'b\\c"d}), q{a'b\\c"d}, '... and placeholders';
    $dbh->do("set sql_mode = ''");

    # ChopBlanks
    $dbh->{ChopBlanks} = 1;
    is_deeply $dbh->selectrow_arrayref("select ' a ', cast(' b ' as binary)"), [' a', ' b '], 'ChopBlanks';
    is_deeply $dbh->selectall_arrayref("select 'x ' as a union select 'y  '", { Slice => {} }), [{ a => 'x' }, { a => 'y' }],
        '... of hashes';
    $dbh->disconnect;
}

done_testing;
