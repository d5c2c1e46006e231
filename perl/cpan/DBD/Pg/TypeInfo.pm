package DBD::Pg::TypeInfo;

# type_info_all: the types that correspond to SQL's.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::db;

my @TYPE =
    qw(TYPE_NAME DATA_TYPE COLUMN_SIZE LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE
    UNSIGNED_ATTRIBUTE FIXED_PREC_SCALE AUTO_UNIQUE_VALUE LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE SQL_DATA_TYPE SQL_DATETIME_SUB
    NUM_PREC_RADIX INTERVAL_PRECISION);

# name, number, size, quoted, parameters, case sensitive, searchable, unsigned, local name, smallest and largest scale
my ($TEXT_SIZE, $DIGITS) = (1 << 30, 'precision/scale');
my @KNOWN = (
    ['unknown',     0,  undef,      0, undef,    0, 0, undef, 'UNKNOWN'],
    ['bytea',       -3, $TEXT_SIZE, 1, undef,    0, 3, undef, 'BYTEA'],
    ['bpchar',      1,  $TEXT_SIZE, 1, 'length', 1, 3, undef, 'CHARACTER'],
    ['numeric',     3,  1000,       0, $DIGITS,  0, 2, 0,     'FLOAT',     0, 1000],
    ['numeric',     2,  1000,       0, $DIGITS,  0, 2, 0,     'FLOAT',     0, 1000],
    ['int4',        4,  10,         0, undef,    0, 2, 0,     'INTEGER',   0, 0],
    ['int2',        5,  5,          0, undef,    0, 2, 0,     'SMALLINT',  0, 0],
    ['float4',      6,  6,          0, $DIGITS,  0, 2, 0,     'FLOAT',     0, 6],
    ['float8',      7,  15,         0, $DIGITS,  0, 2, 0,     'REAL',      0, 15],
    ['int8',        -5, 20,         0, undef,    0, 2, 0,     'INT8',      0, 0],
    ['date',        9,  10,         1, undef,    0, 2, undef, 'DATE',      0, 0],
    ['tinterval',   10, 18,         1, undef,    0, 2, undef, 'TINTERVAL', 0, 6],
    ['timestamp',   11, 29,         1, undef,    0, 2, undef, 'TIMESTAMP', 0, 6],
    ['text',        -1, $TEXT_SIZE, 1, 'length', 1, 3, undef, 'TEXT'],
    ['bool',        16, 1,          1, undef,    0, 2, undef, 'BOOLEAN'],
    ['array',       50, 1,          1, undef,    0, 2, undef, 'ARRAY'],
    ['date',        91, 10,         1, undef,    0, 2, undef, 'DATE',        0, 0],
    ['time',        92, 18,         1, undef,    0, 2, undef, 'TIME',        0, 6],
    ['timestamp',   93, 29,         1, undef,    0, 2, undef, 'TIMESTAMP',   0, 6],
    ['timetz',      94, 29,         1, undef,    0, 2, undef, 'TIMETZ',      0, 6],
    ['timestamptz', 95, 29,         1, undef,    0, 2, undef, 'TIMESTAMPTZ', 0, 6],
);

sub type_info_all {
    my $position = 0;
    my %index    = map { $_ => $position++ } @TYPE;
    my @rows;
    for (@KNOWN) {
        my ($name, $number, $size, $quoted, $params, $case, $search, $unsigned, $local, $least, $most) = @$_;
        my $quote = $quoted ? q{'} : undef;
        push @rows,
            [
            $name, $number, $size, $quote, $quote, $params, 1, $case, $search, $unsigned, 0, 0, $local, $least, $most,
            $number, (undef) x 3
            ];
    }
    return [\%index, @rows];
}

1;
