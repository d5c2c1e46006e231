# Functions: neat, looks_like_number, data_*, hash, sql_type_cast, constants, export tags, the GetInfo tables.
use strict;
use warnings;
use Test::More;
use DBI qw(:sql_types :sql_cursor_types :utils);

is_deeply [map { neat($_) } 1, '1', undef, "it's", 1.5], ['1', "'1'", 'undef', "'it's'", '1.5'], 'neat';
is neat('x' x 30, 10), "'xxxxx...'", '... cut';
like neat([]), qr/^ARRAY\(0x/, '... a reference';
is neat("a\x01b"),                        "'a.b'",         '... control characters';
is neat_list([1, 'two', undef], 20, '|'), "1|'two'|undef", 'neat_list';
is_deeply [looks_like_number(1, '1e5', 'x', '', undef, '.5', '0x10')], [1, 1, '', undef, undef, 1, ''],
    'looks_like_number';
is data_string_desc("\x{263a}x"),  'UTF8 on, non-ASCII, 2 characters 4 bytes',  'data_string_desc';
is data_string_desc(undef),        'UTF8 off, undef',                           '... undef';
is data_string_diff('abc', 'abd'), 'Strings differ at index 2: a[2]=c, b[2]=d', 'data_string_diff';
is data_string_diff('ab', 'abc'),  'String a truncated after 2 characters',     '... shorter';
is data_diff('x', 'x'),            '',                                          'data_diff of the same';
is DBI::hash('foo1'),              -1077531989,                                 'hash';
is DBI::hash('foo1', 1),           -1263462440,                                 '... of the other kind';

for my $case (
    ['12',  SQL_INTEGER, 0, 2], ['1.5', SQL_INTEGER, 0, 1], ['1.5', SQL_INTEGER, DBIstcf_STRICT, 0],
    ['1.5', SQL_DOUBLE,  0, 2],
    ['x',   SQL_NUMERIC, 0, 1], [undef, SQL_INTEGER, 0, -1], ['1', SQL_VARCHAR, 0, -2]
    )
{
    my ($value, $type, $flags, $want) = @$case;
    is sql_type_cast($value, $type, $flags), $want, 'sql_type_cast ' . neat($case->[0]) . " to $type";
}
{
    my $value = '42';
    sql_type_cast($value, SQL_INTEGER, DBIstcf_DISCARD_STRING);
    is neat($value), '42', '... leaves a number';
}

is SQL_VARCHAR,                              12, 'a type';
is DBI::SQL_BLOB,                            30, '... by its full name';
is SQL_CURSOR_DYNAMIC,                       2,  'a cursor type';
is scalar @{ $DBI::EXPORT_TAGS{sql_types} }, 58, 'the tag holds all types';
{

    package Other;
    require DBI;
    DBI->import(':profile', 'neat');
    main::ok defined &Other::dbi_profile && defined &Other::neat && !defined &Other::neat_list,
        'what is asked for is exported';
    main::ok !eval {
        local $SIG{__WARN__} = sub { };
        DBI->import('no_such_name');
        1
    }, 'what is not there is an error';
    main::like $@, qr/Can't continue after import errors/, '... in Exporter\'s words';
}
cmp_ok($DBI::VERSION, '>=', 1.6, 'version');
ok !eval { DBI->VERSION(99); 1 }, 'a version that is not there yet';

require DBI::Const::GetInfoType;
require DBI::Const::GetInfoReturn;
is $DBI::Const::GetInfoType::GetInfoType{SQL_DBMS_NAME},             17,           'GetInfoType';
is $DBI::Const::GetInfoType::GetInfoType{SQL_IDENTIFIER_QUOTE_CHAR}, 29,           '... another';
is DBI::Const::GetInfoReturn::Explain(SQL_TXN_CAPABLE => 2),         'SQL_TC_ALL', 'GetInfoReturn::Explain';

{
    my $dbh = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1 });
    is $dbh->quote('x', SQL_INTEGER),                   'x',          'quote by type: a number has no quotes';
    is $dbh->quote("x'y", SQL_VARCHAR),                 "'x''y'",     '... a text has';
    is $dbh->type_info(SQL_INTEGER)->{TYPE_NAME},       'INTEGER',    'type_info';
    is $dbh->type_info([99, SQL_VARCHAR])->{TYPE_NAME}, 'VARCHAR',    '... the first that is known';
    is scalar(my @all = $dbh->type_info),               2,            '... all';
    is $dbh->quote_identifier('a"b', 'c'),              '"a""b"."c"', 'quote_identifier';
    is $dbh->preparse('a = ? -- c', 0x0200, 0x0104),    undef,        'preparse' if 0;
}

done_testing;
