# Values that go in: types given and guessed, string modes, named parameters.
use strict;
use warnings;
use Test::More;
use DBI qw(:sql_types);

sub handle { return DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, @_ }) }

# how "typeof" sees each value: without a type, as an integer, as a double, as a blob, guessed (sqlite_see_if_its_a_number)
my @cases = (
    ['1',                    qw(text integer integer blob integer)],
    ['+1',                   qw(text integer integer blob integer)],
    [' 1',                   qw(text integer integer blob text)],
    ['1 ',                   qw(text text text blob text)],
    ['1.5',                  qw(text text real blob real)],
    ['1.50',                 qw(text text real blob real)],
    ['.5',                   qw(text text text blob text)],
    ['5.',                   qw(text text text blob text)],
    ['1e3',                  qw(text text text blob text)],
    ['0x10',                 qw(text text text blob text)],
    ['007',                  qw(text integer integer blob integer)],
    ['-0',                   qw(text integer integer blob integer)],
    ['abc',                  qw(text text text blob text)],
    ['',                     qw(text text text blob text)],
    ['nan',                  qw(text text text blob text)],
    ['9223372036854775807',  qw(text integer integer blob integer)],
    ['-9223372036854775808', qw(text integer integer blob integer)],
    ['9223372036854775808',  qw(text text real blob real)],
    ['99999999999999999999', qw(text text text blob text)],
    ['123456789012345678.5', qw(text text text blob text)],
    [undef,                  qw(null null null null null)],
);
{
    local $SIG{__WARN__} = sub { };
    my $dbh = handle(RaiseError => 1);
    for my $case (@cases) {
        my ($value, @expected) = @$case;
        my @got;
        for my $type (undef, SQL_INTEGER, SQL_DOUBLE, SQL_BLOB, 'guess') {
            my $guess = defined $type && $type eq 'guess';
            $dbh->{sqlite_see_if_its_a_number} = $guess ? 1 : 0;
            my $sth = $dbh->prepare('select typeof(?)');
            $sth->bind_param(1, $value, $guess ? () : defined $type ? $type : ());
            $sth->execute;
            push @got, $sth->fetch->[0];
        }
        is_deeply \@got, \@expected, defined $value ? "'$value'" : 'undef';
    }
}

{
    my %class = (integer => [-6, -5, 4, 5, 16], real => [6, 7, 8], blob => [-7, -4, -3, -2, 30],
        text => [-10, -9, -8, -1, 1, 2, 3, 9, 10, 11, 12, 40, 91, 92, 93]);
    my $dbh = handle(RaiseError => 1, PrintWarn => 0);
    for my $class (sort keys %class) {
        for my $type (@{ $class{$class} }) {
            my $sth = $dbh->prepare('select typeof(?)');
            $sth->bind_param(1, $class eq 'real' ? '1.5' : '1', { TYPE => $type });
            $sth->execute;
            is $sth->fetch->[0], $class, "SQL type $type";
        }
    }
}

{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $dbh = handle(RaiseError => 1, PrintWarn => 1);
    my $sth = $dbh->prepare('select ?, typeof(?2), ?2');
    $sth->bind_param(1, 'abc', SQL_INTEGER);
    $sth->execute;
    like $warned[0], qr/^datatype mismatch: bind param \(0\) abc as integer at \Q$0\E/, 'a value that is no integer';
    $sth->bind_param(2, 7, SQL_INTEGER);
    $sth->execute('x', 8);
    is_deeply $sth->fetch, ['x', 'integer', 8], 'a type stays with its parameter';
    $sth->execute('y', 9);
    $sth->execute;
    is_deeply $sth->fetch, ['y', 'integer', 9], 'values stay until others come';
}

{
    my $dbh = handle();
    my $sth = $dbh->prepare('select :a, :b, :a');
    is $sth->{NUM_OF_PARAMS}, 2, 'two named parameters';
    is_deeply $sth->{ParamValues}, { ':a' => undef, ':b' => undef }, 'ParamValues';
    ok $sth->bind_param(':a', 1), 'by name';
    ok $sth->bind_param(2,    2), 'by number';
    ok !$sth->bind_param('a', 1), 'a name that is not there';
    is_deeply [$sth->err, $sth->errstr], [-2, 'Unknown named parameter: a'], '... error';
    $sth->execute;
    is_deeply $sth->fetch, [1, 2, 1], 'values';
    my $numbered = $dbh->prepare('select ?2, ?1');
    is_deeply $numbered->{ParamValues}, { '?1' => undef, '?2' => undef }, 'numbered parameters';
    $numbered->execute('one', 'two');
    is_deeply $numbered->fetch, ['two', 'one'], '... values';
    ok !$sth->bind_param_inout(1, \my $x, 10), 'bind_param_inout';
    is $sth->errstr, 'InOut bind params not implemented', '... is not for SQLite';
}

{

    package Text;
    use overload '""' => sub { "text of $_[0][0]" }, fallback => 1;

    package main;
    my $dbh = handle(RaiseError => 1);
    is_deeply [$dbh->selectrow_array('select ?, typeof(?1)', undef, bless ['it'], 'Text')], ['text of it', 'text'],
        'objects go in as text';
    like $dbh->selectrow_array('select ?', undef, [1]), qr/^ARRAY\(0x/, 'so do references';
    is_deeply $dbh->selectrow_arrayref('select ?, ?, ?, ?', undef, 1.5, 1e20, 1 == 1, 1 == 0), [1.5, 1e20, 1, ''],
        'numbers and truth values';
    is $dbh->selectrow_array('select ?', undef, 0.1 + 0.2), '0.3', 'a double as text';
    $dbh->do('create table t(a, b)');
    $dbh->do('insert into t values(?, ?)', undef, bless(['x'], 'Text'), undef);
    is_deeply $dbh->selectrow_arrayref('select * from t'), ['text of x', undef], 'do';
}

# string modes: the value, its hex form in SQLite, and what comes back
my ($e_byte, $e_two, $smile) = ("\xe9", "\xc3\xa9", "\x{263a}");
my $e_char = "\xe9";
utf8::upgrade($e_char);
for my $mode (0, 1, 4, 5, 6) {
    my $dbh = handle(RaiseError => 1, sqlite_string_mode => $mode);
    my @expected =
          $mode == 0 ? (['E9', $e_byte], ['C3A9', $e_two], ['C3A9', $e_two], ['E298BA', "\xe2\x98\xba"])
        : $mode == 1 ? (['E9', $e_byte], ['E9', $e_byte], ['C3A9', $e_two], undef)
        :              (['C3A9', $e_byte], ['C3A9', $e_byte], ['C383C2A9', $e_two], ['E298BA', $smile]);
    for my $value ($e_byte, $e_char, $e_two, $smile) {
        my $expected = shift @expected;
        my $got      = eval { $dbh->selectrow_arrayref('select hex(?1), ?1', undef, $value) };
        if (!$expected) { like $@, qr/^Wide character/, "mode $mode: a wide character"; next }
        is_deeply $got, $expected, "mode $mode: " . join ' ', map { sprintf '%x', ord } split //, $value;
        is utf8::is_utf8($got->[1]) ? 1 : 0, $mode >= 4 ? 1 : 0, '... characters or bytes';
    }
    is $dbh->selectrow_array("select cast(x'c3a9' as text)"), $mode >= 4 ? $e_byte : $e_two,
        "mode $mode: what was in the database";
    is_deeply $dbh->selectrow_arrayref("select x'c3a9'"), [$e_two], '... blobs are bytes';
    my $sth = $dbh->prepare('select ?, typeof(?1)');
    ok !eval { $sth->bind_param(1, $smile, SQL_BLOB); $sth->execute; 1 }, '... a wide character is no blob';
    like $@, qr/^Wide character/, '... error';
    $sth->bind_param(1, "\0\xff", SQL_BLOB);
    $sth->execute;
    is_deeply $sth->fetch, ["\0\xff", 'blob'], '... a blob';
    next if $mode < 4;
    is_deeply $dbh->prepare("select 1 as \"$smile\"")->{NAME}, [$smile], '... names of columns';
    is $dbh->selectrow_array("select '$smile'"), $smile, '... text of the statement';
}
{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $dbh = handle(RaiseError => 1, sqlite_string_mode => 5);
    is $dbh->selectrow_array("select cast(x'41ff' as text)"), "A\xff", 'not UTF-8: bytes';
    like $warned[0], qr/^Received invalid UTF-8 from SQLite; cannot decode! at \Q$0\E/, '... and a warning';
    $dbh->{sqlite_string_mode} = 6;
    ok !eval { $dbh->selectrow_array("select cast(x'41ff' as text)"); 1 }, 'strictly: an error';
    like $@, qr/^Received invalid UTF-8 from SQLite; cannot decode! at \Q$0\E/, '... its text';
    $dbh = handle(RaiseError => 1, sqlite_string_mode => 6);
    my $sth = $dbh->prepare("select 'x' as a, '$e_two' as b");
    $sth->bind_col(1, \my $plain);
    $sth->bind_col(2, \my $bytes, SQL_BLOB);
    $sth->execute;
    $sth->fetch;
    ok utf8::is_utf8($plain),  'a column';
    ok !utf8::is_utf8($bytes), 'a column bound as a blob';
}
{
    my $dbh = handle();
    is $dbh->quote("it's"),           "'it''s'",   'quote';
    is $dbh->quote(undef),            'NULL',      'quote undef';
    is $dbh->quote("a\0b", SQL_BLOB), "X'610062'", 'quote a blob';
    is $dbh->quote(undef, SQL_BLOB),  'NULL',      'quote undef as a blob';
    is $dbh->quote(5, SQL_INTEGER),   "'5'",       'quote a number';
    is $dbh->quote_identifier('a"b'), '"a""b"',    'quote_identifier';
}

done_testing;
