package CPANBridge::MySQL::Info;

# type_info_all and get_info: what is known about the types and the abilities of the server without asking it.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

# name | SQL type | size | literals: q quoted, x as 0x... | parameters | nullable | searchable | unsigned | auto_increment | local name |
# largest scale | radix | SQL data type | the server's type | numeric
my $TYPES = <<'TYPES';
varchar|12|255|q|max length|1|3|0|0|variable length string|0||12|254|0
decimal|3|15||precision,scale|1|3|0|0|double|6|2|3|0|1
tinyint|-6|3|||1|3|0|0|Tiny integer|0|10|-6|1|1
smallint|5|5|||1|3|0|0|Short integer|0|10|5|2|1
integer|4|10|||1|3|0|0|integer|0|10|4|3|1
float|7|7|||1|0|0|0|float|2|10|6|4|1
double|6|15|||1|3|0|0|double|4|2|6|5|1
double|8|15|||1|3|0|0|double|4|10|8|5|1
timestamp|11|14|q||0|3|0|0|timestamp|0||11|7|0
bigint|-5|19|||1|3|0|0|Longlong integer|0|10|-5|8|1
mediumint|4|8|||1|3|0|0|Medium integer|0|10|4|9|1
date|9|10|q||1|3|0|0|date|0||9|10|0
time|10|6|q||1|3|0|0|time|0||10|11|0
datetime|11|21|q||1|3|0|0|datetime|0||11|12|0
year|5|4|||1|3|0|0|year|0|10|5|13|0
date|9|10|q||1|3|0|0|date|0||9|14|0
enum|12|255|q||1|1|0|0|enum(value1,value2,value3...)|0||0|247|0
set|12|255|q||1|1|0|0|set(value1,value2,value3...)|0||0|248|0
blob|-4|65535|q||1|3|0|0|binary large object (0-65535)|0||-4|252|0
tinyblob|-3|255|q||1|3|0|0|binary large object (0-255) |0||-3|249|0
mediumblob|-4|16777215|q||1|3|0|0|binary large object|0||-4|250|0
longblob|-4|2147483647|q||1|3|0|0|binary large object, use mediumblob instead|0||-4|251|0
char|1|255|q|max length|1|3|0|0|string|0||1|254|0
decimal|2|15||precision,scale|1|3|0|0|double|6|2|2|0|1
tinyint unsigned|-6|3|||1|3|1|0|Tiny integer unsigned|0|10|-6|1|1
smallint unsigned|5|5|||1|3|1|0|Short integer unsigned|0|10|5|2|1
mediumint unsigned|4|8|||1|3|1|0|Medium integer unsigned|0|10|4|9|1
int unsigned|4|10|||1|3|1|0|integer unsigned|0|10|4|3|1
int|4|10|||1|3|0|0|integer|0|10|4|3|1
integer unsigned|4|10|||1|3|1|0|integer|0|10|4|3|1
bigint unsigned|-5|20|||1|3|1|0|Longlong integer unsigned|0|10|-5|8|1
text|-1|65535|q||1|3|0|0|large text object (0-65535)|0||-1|252|0
mediumtext|-1|16777215|q||1|3|0|0|large text object|0||-1|250|0
mediumint unsigned auto_increment|4|8|||0|3|1|1|Medium integer unsigned auto_increment|0|10|4|9|1
tinyint unsigned auto_increment|-6|3|||0|3|1|1|tinyint unsigned auto_increment|0|10|-6|1|1
smallint auto_increment|5|5|||0|3|0|1|smallint auto_increment|0|10|5|2|1
int unsigned auto_increment|4|10|||0|3|1|1|integer unsigned auto_increment|0|10|4|3|1
mediumint|4|7|||1|3|0|0|Medium integer|0|10|4|9|1
bit|-7|1|||1|3|0|0|char(1)|0||-7|1|0
numeric|2|19||precision,scale|1|3|0|0|numeric|19|10|2|0|1
integer unsigned auto_increment|4|10|||0|3|1|1|integer unsigned auto_increment|0|10|4|3|1
mediumint unsigned|4|8|||1|3|1|0|Medium integer unsigned|0|10|4|9|1
smallint unsigned auto_increment|5|5|||0|3|1|1|smallint unsigned auto_increment|0|10|5|2|1
int auto_increment|4|10|||0|3|0|1|integer auto_increment|0|10|4|3|1
long varbinary|-4|16777215|x||1|3|0|0|mediumblob|0||-4|251|0
double auto_increment|6|15|||0|3|0|1|double auto_increment|4|2|6|5|1
double auto_increment|8|15|||0|3|0|1|double auto_increment|4|10|8|5|1
integer auto_increment|4|10|||0|3|0|1|integer auto_increment|0|10|4|3|1
bigint auto_increment|-5|19|||0|3|0|1|bigint auto_increment|0|10|-5|8|1
bit auto_increment|-7|1|||0|3|0|1|char(1) auto_increment|0||-7|1|1
mediumint auto_increment|4|7|||0|3|0|1|Medium integer auto_increment|0|10|4|9|1
float auto_increment|7|7|||0|0|0|1|float auto_increment|2|10|6|4|1
long varchar|-1|16777215|q||1|3|0|0|mediumtext|0||-1|250|1
tinyint auto_increment|-6|3|||0|3|0|1|tinyint auto_increment|0|10|-6|1|1
bigint unsigned auto_increment|-5|20|||0|3|1|1|bigint unsigned auto_increment|0|10|-5|8|1
TYPES

# where DBD::MariaDB differs, by the number of the line
my %STRICT = (
    5  => 'float|6|7|||1|0|0|0|float|2|10|6|4|1',
    6  => 'null|1|0|||1|0|0|1|null|0||1|6|1',
    14 => 'year|5|4|||1|3|0|0|year|0|10|5|13|1',
    38 => 'bit|-7|1|||1|3|0|0|bit|0||-7|16|0',
    49 => 'bit auto_increment|-7|1|||0|3|0|1|bit auto_increment|0||-7|16|0',
);

# The answers of get_info that are the same for all connections: [value => numbers].
my @ANSWERS = (
    [0 => 0, 1, 22, 32, 33, 48, 54, 69, 71, 78, 82, 84, 91, 95 .. 97, 99 .. 101, 104, 108 .. 110, 112, 116, 117, 122 .. 131,
        133, 134, 136 .. 140, 142 .. 145, 148 .. 151, 156, 157, 159, 160, 165, 10001],
    [259071 => 53, 55 .. 68, 70],
    ['Y' => 19, 27, 36 .. 38, 87, 90, 103, 113, 10003],
    [2 => 23, 24, 26, 85, 120, 121, 152, 153, 166, 10021],
    [7 => 43, 51, 83, 119, 141, 155, 163, 172],
    [3 => 46, 80, 86, 88, 93, 154, 170],
    ['N' => 11, 20, 21, 25, 73, 111, 10002],
    [1 => 9, 12, 15, 74, 75, 114, 10022],
    ['' => 39, 40, 10004],
    [64 => 30, 34, 10005],
    [4 => 28, 118],
    [97863 => 146, 167],
    [6016 => 147, 168],
    [137076632 => 3],
    [137076088 => 4],
    [63 => 8],
    ['03.80' => 10],
    ['\\' => 14],
    ['`' => 29],
    [18 => 31],
    ['.' => 41],
    ['database' => 42],
    [17 => 44],
    ['table' => 45],
    [16777215 => 49],
    [491519 => 50],
    [106495 => 52],
    [15 => 72],
    ['03.51' => 77],
    [31 => 79],
    [11 => 81],
    [29 => 92],
    [32 => 98],
    [500 => 102],
    [16 => 107],
    [123 => 115],
    [1045 => 132],
    [8160 => 158],
    [466 => 161],
    [32640 => 162],
    [255 => 164],
    [127 => 169],
    [1992 => 10000],
    ['BIGINT,BLOB,DEFAULT,KEYS,LIMIT,LONGBLOB,MEDIMUMBLOB,MEDIUMINT,MEDIUMTEXT,PROCEDURE,REGEXP,RLIKE,SHOW,TABLES,'
        . 'TINYBLOB,TINYTEXT,UNIQUE,UNSIGNED,ZEROFILL' => 89],
);
my %ANSWER;

package CPANBridge::MySQL::db;

sub type_info_all {
    my ($dbh) = @_;
    my $conn = $dbh->{bridge_conn};
    my $flavour = $conn->{flavour};
    if ($conn->{async} && !$flavour->{strict}) { CPANBridge::MySQL::_ready($dbh, 'type_info_all'); return [] }
    my $at      = 0;
    my %index   = map { $_ => $at++ } qw(TYPE_NAME DATA_TYPE COLUMN_SIZE LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE
        CASE_SENSITIVE SEARCHABLE UNSIGNED_ATTRIBUTE FIXED_PREC_SCALE AUTO_UNIQUE_VALUE LOCAL_TYPE_NAME MINIMUM_SCALE
        MAXIMUM_SCALE NUM_PREC_RADIX SQL_DATATYPE SQL_DATETIME_SUB INTERVAL_PRECISION), map { "$flavour->{prefix}$_" }
        qw(native_type is_num);
    my @lines = split /\n/, $TYPES;
    if ($flavour->{strict}) { $lines[$_] = $STRICT{$_} for keys %STRICT }
    return [\%index, map { _type_row($_, $flavour->{strict}) } @lines];
}

sub _type_row {
    my ($line, $strict) = @_;
    my ($name, $type, $size, $literal, $params, $null, $search, $unsigned, $auto, $local, $scale, $radix, $sql, $native, $num) =
        split /\|/, $line;
    my ($prefix, $suffix) = $literal eq 'q' ? ("'", "'") : $literal eq 'x' ? ('0x', undef) : ();
    return [
        $name, 0 + $type, 0 + $size, $prefix, $suffix, length $params ? $params : undef,
        0 + $null, 0, 0 + $search, 0 + $unsigned, 0, 0 + $auto, $local, 0, 0 + $scale, length $radix ? 0 + $radix : undef,
        0 + $sql, 0, 0, 0 + $native, $strict ? !!$num : 0 + $num
    ];
}

sub get_info {
    my ($dbh, $number) = @_;
    my $conn    = $dbh->{bridge_conn};
    my $flavour = $conn->{flavour};
    return if !defined $number;
    if ($conn->{async} && !$flavour->{strict}) { CPANBridge::MySQL::_ready($dbh, 'get_info'); return }
    my $facts = $conn->{facts};
    return ($flavour->{strict} ? 'DBI' : 'dbi') . ":$flavour->{name}:$dbh->{Name}"     if $number == 2;
    return $flavour->{info}{$number}                                                  if exists $flavour->{info}{$number};
    return _versions($flavour->{driver}->VERSION)                                     if $number == 7;
    return $facts->{hostinfo}                                                         if $number == 13;
    return $flavour->{strict} && $facts->{version} =~ /MariaDB/i ? 'MariaDB' : 'MySQL' if $number == 17;
    return !$flavour->{strict} ? $facts->{version} : _versions($facts->{version_number})    if $number == 18;
    return $flavour->{strict} ? $dbh->{Username} : undef                              if $number == 47;
    if (!%ANSWER) {
        for (@ANSWERS) { my ($value, @numbers) = @$_; @ANSWER{@numbers} = ($value) x @numbers }
    }
    return $ANSWER{$number};
}

sub _versions {    # 4.050 → 04.50.0000, 101119 → 10.11.1900
    my ($version) = @_;
    return sprintf '%02d.%02d.%02d00', int($version / 10_000), int($version / 100) % 100, $version % 100
        if $version =~ /\A\d{5,}\z/;
    my ($major, $minor) = split /\./, $version;
    $minor = substr "${minor}00", 0, 3;
    return sprintf '%02d.%02d.0000', $major, $minor =~ /\A0/ ? substr $minor, 1 : $minor / 10;
}

1;
