package DBD::Pg::Types;

# The types of PostgreSQL that have fixed numbers, what they are in SQL, and the constants that scripts import.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

our (@EXPORT_OK, %EXPORT_TAGS);

# Number and name; a leading underscore is an array of that type.
my %NAME = qw(
    16 bool 17 bytea 18 char 19 name 20 int8 21 int2 22 int2vector 23 int4 24 regproc 25 text 26 oid 27 tid 28 xid 29 cid
    30 oidvector 32 pg_ddl_command 71 pg_type 75 pg_attribute 81 pg_proc 83 pg_class 114 json 142 xml 143 _xml 194
    pg_node_tree 199 _json 210 _pg_type 269 table_am_handler 270 _pg_attribute 271 _xid8 272 _pg_proc 273 _pg_class 325
    index_am_handler 600 point 601 lseg 602 path 603 box 604 polygon 628 line 629 _line 650 cidr 651 _cidr 700 float4 701
    float8 705 unknown 718 circle 719 _circle 774 macaddr8 775 _macaddr8 790 money 791 _money 829 macaddr 869 inet 1000
    _bool 1001 _bytea 1002 _char 1003 _name 1005 _int2 1006 _int2vector 1007 _int4 1008 _regproc 1009 _text 1010 _tid 1011
    _xid 1012 _cid 1013 _oidvector 1014 _bpchar 1015 _varchar 1016 _int8 1017 _point 1018 _lseg 1019 _path 1020 _box 1021
    _float4 1022 _float8 1027 _polygon 1028 _oid 1033 aclitem 1034 _aclitem 1040 _macaddr 1041 _inet 1042 bpchar 1043
    varchar 1082 date 1083 time 1114 timestamp 1115 _timestamp 1182 _date 1183 _time 1184 timestamptz 1185 _timestamptz
    1186 interval 1187 _interval 1231 _numeric 1263 _cstring 1266 timetz 1270 _timetz 1560 bit 1561 _bit 1562 varbit 1563
    _varbit 1700 numeric 1790 refcursor 2201 _refcursor 2202 regprocedure 2203 regoper 2204 regoperator 2205 regclass 2206
    regtype 2207 _regprocedure 2208 _regoper 2209 _regoperator 2210 _regclass 2211 _regtype 2249 record 2275 cstring 2276
    any 2277 anyarray 2278 void 2279 trigger 2280 language_handler 2281 internal 2283 anyelement 2287 _record 2776
    anynonarray 2949 _txid_snapshot 2950 uuid 2951 _uuid 2970 txid_snapshot 3115 fdw_handler 3220 pg_lsn 3221 _pg_lsn 3310
    tsm_handler 3361 pg_ndistinct 3402 pg_dependencies 3500 anyenum 3614 tsvector 3615 tsquery 3642 gtsvector 3643
    _tsvector 3644 _gtsvector 3645 _tsquery 3734 regconfig 3735 _regconfig 3769 regdictionary 3770 _regdictionary 3802
    jsonb 3807 _jsonb 3831 anyrange 3838 event_trigger 3904 int4range 3905 _int4range 3906 numrange 3907 _numrange 3908
    tsrange 3909 _tsrange 3910 tstzrange 3911 _tstzrange 3912 daterange 3913 _daterange 3926 int8range 3927 _int8range
    4072 jsonpath 4073 _jsonpath 4089 regnamespace 4090 _regnamespace 4096 regrole 4097 _regrole 4191 regcollation 4192
    _regcollation 4451 int4multirange 4532 nummultirange 4533 tsmultirange 4534 tstzmultirange 4535 datemultirange 4536
    int8multirange 4537 anymultirange 4538 anycompatiblemultirange 4600 pg_brin_bloom_summary 4601
    pg_brin_minmax_multi_summary 5017 pg_mcv_list 5038 pg_snapshot 5039 _pg_snapshot 5069 xid8 5077 anycompatible 5078
    anycompatiblearray 5079 anycompatiblenonarray 5080 anycompatiblerange 6150 _int4multirange 6151 _nummultirange 6152
    _tsmultirange 6153 _tstzmultirange 6155 _datemultirange 6157 _int8multirange
);

my %SQL_TYPE = (
    16   => 16, 17 => -3, 18 => 1, 19 => 12, 20 => -5, 21 => 5, 23 => 4, 25 => -1, 701 => 6, 1042 => 1, 1043 => 12,
    1082 => 91,
    1083 => 92, 1114 => 11, 1184 => 95, 1700 => 2
);

my %OF_SQL_TYPE = (
    -6 => 21, -5 => 20, -4 => 17, -3 => 17, -2 => 17, -1 => 25, 0 => 705, 1 => 1042, 2 => 1700, 3 => 1700, 4 => 23,
    5  => 21,
    6  => 701, 7 => 701, 8 => 701, 11 => 1114, 12 => 1043, 16 => 16, 30 => 17, 91 => 1082, 92 => 1083, 93 => 1114,
    94 => 1184,
    95 => 1184
);

my %LIMIT = (
    SMALLINT    => [-32768,                 32767],
    INTEGER     => [-2147483648,            2147483647],
    BIGINT      => ['-9223372036854775808', '9223372036854775807'],
    SMALLSERIAL => [1,                      32767],
    SERIAL      => [1,                      2147483647],
    BIGSERIAL   => [1,                      '9223372036854775807'],
);

my $defined;

sub _constants {    # PG_INT4 and all the others, as subs of DBD::Pg
    return if $defined++;
    my %value;
    for my $oid (keys %NAME) {
        my $name = uc $NAME{$oid};
        $name = substr($name, 1) . 'ARRAY' if $name =~ /^_/;
        $value{"PG_$name"} = 0 + $oid;
    }
    my @types = sort keys %value;
    my @limits;
    for my $type (keys %LIMIT) {
        push @limits, "PG_MIN_$type", "PG_MAX_$type";
        @value{ @limits[-2, -1] } = @{ $LIMIT{$type} };
    }
    my @async = qw(PG_ASYNC PG_OLDQUERY_CANCEL PG_OLDQUERY_WAIT);
    no strict 'refs';
    for my $name (keys %value) {
        next if defined &$name;
        my $value = $value{$name};
        *$name = sub () { $value };
    }
    %EXPORT_TAGS = (
        async     => ['$DBDPG_DEFAULT', @async],
        pg_limits => ['$DBDPG_DEFAULT', sort @limits],
        pg_types  => ['$DBDPG_DEFAULT', @types, @async],
    );
    @EXPORT_OK = ('$DBDPG_DEFAULT', @types, @async, @limits);
    return;
}

sub _import {
    my ($class, $to, @want) = @_;
    my %ok    = map { $_ => 1 } @EXPORT_OK;
    my @names = map { /^:(.*)/ ? @{ $EXPORT_TAGS{$1} || [$_] } : $_ } @want;
    if ($class ne 'DBD::Pg' || grep { !$ok{$_} } @names) {    # patterns, versions, mistakes: Exporter knows
        require Exporter::Heavy;
        return Exporter::Heavy::heavy_export($class, $to, @want);
    }
    no strict 'refs';
    for my $name (@names) {
        if ($name eq '$DBDPG_DEFAULT') { *{"${to}::DBDPG_DEFAULT"} = \$DBD::Pg::DBDPG_DEFAULT }
        else                           { *{"${to}::$name"}         = \&$name }
    }
    return;
}

# What bind_param or quote got as type: the number of PostgreSQL's type, undef for none; dies as the caller's words say.
sub _type {
    my ($attr) = @_;
    return                     if !defined $attr;
    return $OF_SQL_TYPE{$attr} if !ref $attr;
    return $attr->{pg_type}    if defined $attr->{pg_type};
    return defined $attr->{TYPE} ? $OF_SQL_TYPE{ $attr->{TYPE} } : undef;
}

sub _sql_type {    # of a type of PostgreSQL: number in SQL (0: it has none), and its name; nothing if it is not known
    my ($oid) = @_;
    return if !defined $oid || !$NAME{$oid};
    return ($SQL_TYPE{$oid} || 0, $NAME{$oid});
}

package DBD::Pg::db;

sub pg_type_info {
    my ($dbh, $oid) = @_;
    my ($type) = DBD::Pg::_sql_type($oid);
    return defined $type ? $type : 12;
}

1;
