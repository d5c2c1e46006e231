package DBD::Pg::GetInfo;

# get_info: facts by number or name. Those that depend on the connection are subs.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

my $KEYWORDS = join ',', qw(
    ANALYSE ANALYZE ASC CONCURRENTLY DEFERRABLE DESC DO FREEZE ILIKE INITIALLY ISNULL LIMIT NOTNULL PLACING RETURNING VARIADIC VERBOSE);

my %FACT = (
    6  => q{DBD::Pg}, 10 => q{03.00.0000}, 11 => q{N}, 14 => '\\', 17 => q{PostgreSQL}, 19 => q{Y}, 20 => q{Y},
    21 => q{Y},
    22 => 0, 23 => 1, 24 => 1, 27 => q{Y}, 28 => 2, 29 => q{"}, 34 => 0, 36 => q{Y}, 37 => q{Y}, 38 => q{Y}, 39 =>
        q{schema}, 40 => q{function}, 41 => q{}, 42 => q{}, 44 => 8, 45 => q{table}, 46 => 2, 48 => 2, 49 => 16777215,
    50 => 16280984, 51 => 0, 52 => 1966083, 53 => 1830399, 54 => 1830399, 55 => 0, 56 => 1830399, 57 => 1830399,
    58 => 1830399,
    59 => 1830399,  60 => 1830399, 61 => 1830399, 62 => 0, 63 => 1830399, 64 => 1830399, 65 => 1830399, 66 => 1830399,
    67 => 1830399,  68 => 1830399, 69 => 0, 70 => 1830399, 71 => 0, 72 => 10, 73 => q{Y}, 74 => 2, 75 => 1,
    77 => q{03.00}, 81
        => 15, 82 => 0, 84 => 0, 85 => 0, 86 => 32639, 87 => q{Y}, 88 => 2, 90 => q{N}, 91 => 31, 92 => 0, 93 => 3,
    94  => q{$}, 95 => 31, 96 => 3, 97 => 0, 98 => 0, 99 => 0, 100 => 0, 101 => 250, 102 => 0, 103 => q{Y}, 104 => 0,
    105 => 0,
    106 => 0, 108 => 0, 109 => 0, 110 => 0, 111 => q{N}, 112 => 0, 113 => q{Y}, 114 => 0, 115 => 127, 116 => 0,
    117 => 31,
    118 => 4, 119 => 65535, 120 => 2, 121 => 3, 122 => 0,  123 => 1830399, 124 => 1830399, 125 => 0, 126 => 0, 127 => 0,
    128 => 0, 129 => 0, 130 => 23, 131 => 3, 132 => 13845, 133 => 0, 134 => 9,   136 => 0, 137 => 0, 138 => 0, 139 => 7,
    140 => 7, 141 => 7, 142 => 0,  143 => 7, 144 => 0,     145 => 0, 146 => 519, 147 => 5209, 148 => 0, 149 => 3932149,
    150 => 0,
    151 => 0, 152 => 1, 153 => 2, 154 => 3, 166 => 2, 167 => 519, 168 => 5209, 169 => 127, 170 => 3, 172 => 7,
    10001 => 1,
    10002 => q{Y}, 10003 => q{N}, 10021 => 2, 10022 => 0,
);

my %COMPUTED = (
    0  => sub { shown($_[0], 'max_connections') },                       # SQL_MAX_DRIVER_CONNECTIONS
    2  => sub { "dbi:Pg:$_[0]{Name}" },                                  # SQL_DATA_SOURCE_NAME
    7  => sub { version("$DBD::Pg::VERSION") },                          # SQL_DRIVER_VER
    13 => sub { one($_[0], 'SELECT pg_catalog.current_database()') },    # SQL_SERVER_NAME
    16 => sub { one($_[0], 'SELECT pg_catalog.current_database()') },    # SQL_DATABASE_NAME
    18 => sub { server($_[0]) },                                                             # SQL_DBMS_VERSION
    25 => sub { shown($_[0], 'transaction_read_only') eq 'on' ? 'Y' : 'N' },                 # SQL_DATA_SOURCE_READ_ONLY
    26 => sub { shown($_[0], 'transaction_isolation') =~ /\Aread (?:un)?committed/ ? 2 : 8 }
    ,                                                                                        # SQL_DEFAULT_TXN_ISOLATION
    47    => sub { one($_[0], 'SELECT current_user') },                                      # SQL_USER_NAME
    89    => sub { $KEYWORDS },
    10004 => sub { shown($_[0], 'server_encoding') },                                        # SQL_COLLATION_SEQ
    (
        map {
            $_ => sub { shown($_[0], 'max_identifier_length') }
        } 30,
        31, 32, 33, 35, 107,
        10005
    ),
    (
        map {
            $_ => sub { 0 }
        } 3,
        4, 5, 76,
        135
    ),    # handles of a C library
);

sub one {
    my ($dbh, $sql) = @_;
    my $rows = DBD::Pg::_rows($dbh, $sql) or return;
    return $rows->[0][0];
}

sub shown { my ($dbh, $name) = @_; my $value = one($dbh, "SHOW $name"); return defined $value ? $value : '' }

sub version {    # 3.16.0 → 03.16.0000
    my ($text) = @_;
    my @parts = $text =~ /([0-9]+)/g;
    return sprintf '%02d.%02d.%02d00', map { $_ || 0 } @parts[0 .. 2];
}

sub server {    # 150018 → 15.00.1800
    my ($dbh) = @_;
    my $number = $dbh->{private_dbdpg}{version};
    return '00.00.0000' if !defined $number || $number !~ /\A([0-9]{1,2})([0-9]{2})([0-9]{2})\z/;
    return sprintf '%02d.%02d.%02d00', $1, $2, $3;
}

package DBD::Pg::db;

sub get_info {
    my ($dbh, $what) = @_;
    return undef if !defined $what;
    if ($what !~ /\A[0-9]+\z/) {
        require DBI::Const::GetInfoType;
        $what = $DBI::Const::GetInfoType::GetInfoType{$what};
        return undef if !defined $what;
    }
    my $compute = $COMPUTED{$what};
    return $compute ? $compute->($dbh) : $FACT{$what};
}

1;
