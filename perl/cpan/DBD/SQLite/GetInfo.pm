package DBD::SQLite::GetInfo;

# What get_info tells: the facts by number. Those that depend on the connection are subs.

use strict;
use warnings;

our $VERSION = "1.72";

my $KEYWORDS = join ",",
    qw(ABORT AFTER ANALYZE ATTACH AUTOINCREMENT BEFORE CONFLICT DATABASE DETACH EACH EXCLUSIVE EXPLAIN FAIL GLOB IF
    IGNORE INDEXED INSTEAD ISNULL LIMIT NOTNULL OFFSET PLAN PRAGMA QUERY RAISE RECURSIVE REGEXP REINDEX RELEASE RENAME REPLACE ROW
    SAVEPOINT TEMP TRIGGER VACUUM VIRTUAL WITHOUT);

my %COMPUTED = (
    2  => sub { "dbi:SQLite:" . $_[0]{Name} },                        # SQL_DATA_SOURCE_NAME
    13 => sub { $_[0]{Name} },                                        # SQL_SERVER_NAME
    18 => sub { $_[0]{sqlite_version} },                              # SQL_DBMS_VER
    25 => sub { $_[0]{ReadOnly}         ? "Y"             : "N" },    # SQL_DATA_SOURCE_READ_ONLY
    47 => sub { defined $_[0]{Username} ? $_[0]{Username} : "" },     # SQL_USER_NAME
    89 => sub { $KEYWORDS },                                          # SQL_KEYWORDS
);

my %FACT = (
    0  => 1021, 1 => 1021, 6 => q{libsqlite3odbc.so}, 7 => q{01.72.0000}, 8 => 63, 9 => 1, 10 => q{03.00}, 11 => q{N},
    12 => 0,
    14 => "\\", 15 => 0, 16 => q{main}, 17 => q{SQLite}, 19 => q{Y}, 20 => q{N}, 21 => q{N}, 22 => 0, 23 => 2, 24 => 2,
    26 => 8, 27 => q{Y}, 28 => 4, 29 => q{"}, 30 => 1000000, 31 => 1000000, 32 => 1000000, 33 => 1000000, 34 => 1000000,
    35 => 1000000, 36 => q{N}, 37 => q{Y}, 38 => q{Y}, 39 => q{}, 40 => q{}, 41 => q{.},   42 => q{database}, 43 => 2,
    44 => 17,
    45 => q{table}, 46 => 2, 48 => 1, 49 => 4194305, 50 => 148760, 51 => 4, 52 => 917504, 53 => 31752191,
    54 => 31752191,
    55 => 31752191, 56 => 33554431, 57 => 33525505, 58 => 31752191, 59 => 31752191, 60 => 31752191, 61 => 31752191,
    62 => 31752191, 63 => 31752191, 64 => 31752191, 65 => 31752191, 66 => 33525505, 67 => 33525505, 68 => 31752191,
    69 => 33554431, 70 => 33554431, 71 => 31752191, 72 => 9, 73 => q{N}, 74 => 1, 75 => 1, 77 => q{03.00}, 78 => 1,
    79 => 31,
    80 => 0, 81 => 11,  82 => 0, 83 => 0, 84 => 2, 85 => 1, 86 => 1, 87 => q{Y}, 88 => 3, 90 => q{N}, 91 => 0, 92 => 13,
    93 => 4, 94 => q{}, 95 => 31, 96 => 3, 97 => 2000, 98 => 2000, 99 => 2000, 100 => 2000, 101 => 2000,
    102 => 140737488224256, 103 => q{Y}, 104 => 1000000, 105 => 1000000, 106 => 64, 107 => 0, 108 => 1000000, 109 => 0,
    110 => 0, 111 => q{N}, 112 => 1000000, 113 => q{Y}, 114 => 1, 115 => 121, 116 => 0, 117 => 0, 118 => 1, 119 => 0,
    120 => 0, 121 => 0, 122 => 33554431,   123 => 33525505, 124 => 33525505, 125 => 33554431, 126 => 33554431, 127 => 0,
    128 => 0, 129 => 0, 130 => 0, 131 => 0, 132 => 12277, 133 => 0, 134 => 1, 136 => 0, 137 => 0, 138 => 0, 139 => 0,
    140 => 0, 141 => 1, 142 => 0, 143 => 1, 144 => 0,     145 => 0, 146 => 9, 147 => 3, 148 => 0, 149 => 0, 150 => 0,
    151 => 0,
    152 => 1, 153 => 2, 154 => 3, 155 => 7, 156 => 15, 157 => 15, 158 => 0, 159 => 0, 160 => 15879, 161 => 210,
    162 => 0,
    163 => 11, 164 => 6, 165 => 15, 166 => 1, 167 => 466511, 168 => 3, 169 => 127, 170 => 3, 172 => 3, 173 => 31723265,
    10000 => 1992, 10001 => 0, 10002 => q{N}, 10003 => q{Y}, 10004 => q{UTF-8}, 10005 => 1000000, 10021 => 0,
    10022 => 0,
);

sub value {
    my ($dbh, $number) = @_;
    return $COMPUTED{$number}->($dbh) if $COMPUTED{$number};
    return $FACT{$number};
}

1;
