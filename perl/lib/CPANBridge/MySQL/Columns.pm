package CPANBridge::MySQL::Columns;

# Attributes of statement handles: what the server tells about columns, and what is told about the last execute.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

# the server's type → SQL type, name
my %TYPE = (
    0   => [3,  'decimal'],
    1   => [-6, 'tinyint'],
    2   => [5,  'smallint'],
    3   => [4,  'integer'],
    4   => [7,  'float'],
    5   => [8,  'double'],
    6   => [12, 'varchar'],
    7   => [11, 'timestamp'],
    8   => [-5, 'bigint'],
    9   => [4,  'mediumint'],
    10  => [9,  'date'],
    11  => [10, 'time'],
    12  => [11, 'datetime'],
    13  => [5,  'year'],
    14  => [9,  'date'],
    16  => [12, 'varchar'],
    246 => [3,  'decimal'],
    247 => [12, 'enum'],
    248 => [12, 'set'],
    249 => [-4, 'tinyblob'],
    250 => [-4, 'mediumblob'],
    251 => [-4, 'longblob'],
    252 => [-4, 'blob'],
    253 => [12, 'varchar'],
    254 => [1,  'char'],
);
my %STRICT = (4 => [6, 'float'], 6 => [1, 'null'], 16 => [-7, 'bit']);    # where DBD::MariaDB differs
my %NUMERIC = map { $_ => 1 } 0 .. 5, 8, 9, 246;

package CPANBridge::MySQL::st;

# bits of the server's column flags
my ($NOT_NULL, $PRI_KEY, $UNIQUE_KEY, $MULTIPLE_KEY, $BLOB, $AUTO_INCREMENT) = (1, 2, 4, 8, 16, 512);

my %COLUMN = (
    TYPE         => sub { _types($_[0], 0) },
    NULLABLE     => sub { _flags($_[0], $NOT_NULL, 1) },
    PRECISION    => sub { _meta($_[0], 'lengths') },
    SCALE        => sub { _meta($_[0], 'decimals') },
    type         => sub { _meta($_[0], 'types') },
    type_name    => sub { _types($_[0], 1) },
    table        => sub { _meta($_[0], 'tables') },
    length       => \&_lengths,
    max_length   => \&_max_lengths,
    is_num       => \&_numeric,
    is_blob      => sub { _flags($_[0], $BLOB) },
    is_key       => sub { _flags($_[0], $UNIQUE_KEY | $MULTIPLE_KEY | $PRI_KEY) },
    is_pri_key   => sub { _flags($_[0], $PRI_KEY) },
    is_auto_increment => sub { _flags($_[0], $AUTO_INCREMENT) },
);

my %OTHER = (
    insertid       => sub { $_[0]{bridge_insertid} || 0 },
    warning_count  => sub { $_[0]{bridge_warnings} || 0 },
    use_result     => sub { $_[0]{bridge_opts} && $_[0]{bridge_opts}{use_result}     ? !!1 : !!0 },
    server_prepare => sub { my $on = $_[0]{bridge_opts} && $_[0]{bridge_opts}{server_prepare};
        return $_[0]{bridge_conn}{flavour}{strict} ? !!$on : $on ? 1 : 0 },
    gtids          => sub { undef },
    sock           => sub { $_[0]{bridge_conn}{flavour}{strict} ? 0 : undef },    # there is no pointer of C's to give away
);

my %PLAIN = (
    ParamValues => \&_param_values,
    ParamTypes  => sub { undef },
    CursorName  => sub { undef },
    RowsInCache => sub { undef },
);

sub _fetch {
    my ($sth, $name) = @_;
    my $flavour = $sth->{bridge_conn}{flavour};
    if ($name =~ /^NAME_/) { return @{ $sth->{NAME} } ? DBD::_::common::FETCH($sth, $name) : undef }
    return $PLAIN{$name}->($sth) if $PLAIN{$name};
    if ($name =~ /^[A-Z]/) { return @{ $sth->{NAME} } ? $COLUMN{$name}->($sth) : undef }
    return $sth->{$name} if $name =~ /^(?:private_|dbd_|dbi_|bridge_)/;
    my ($prefix, $short) = $name =~ /\A(\Q$flavour->{prefix}\E)?(\w+)\z/;
    if (defined $short && ($prefix || !$flavour->{strict})) {
        return $OTHER{$short}->($sth) if $OTHER{$short} && ($short ne 'gtids' || !$flavour->{strict});
        return @{ $sth->{NAME} } ? $COLUMN{$short}->($sth) : undef if $COLUMN{$short};
    }
    CPANBridge::MySQL::_unknown_attribute($sth, $name) if $flavour->{strict};
    return undef;
}

sub _store {
    my ($sth, $name, $value) = @_;
    if ($name =~ /^(?:private_|dbd_|dbi_|bridge_)/) { $sth->{$name} = $value; return 1 }
    my $flavour = $sth->{bridge_conn}{flavour};
    if ($name eq "$flavour->{prefix}use_result") {
        $sth->{bridge_opts} = { %{ $sth->{bridge_opts} || {} }, use_result => $value ? 1 : 0 };
        delete $sth->{bridge_sent} if !$sth->{bridge_opts}{server_prepare};
        return 1;
    }
    return 1 if !$flavour->{strict};
    CPANBridge::MySQL::_unknown_attribute($sth, $name);
    return;
}

sub _meta {
    my ($sth, $what) = @_;
    my $meta = $sth->{bridge_meta} || {};
    return [@{ $meta->{$what} }] if $meta->{$what};
    my %at = (tables => 2, lengths => 6, types => 8, flags => 9, decimals => 10);
    my $details = _details($sth) or return undef;
    return [map { $_->[$at{$what}] } @$details];
}

sub _details {    # all the server told about the columns
    my ($sth) = @_;
    return $sth->{bridge_details} if $sth->{bridge_details};
    my $reply = CPANBridge::Driver::call($sth, 'columns', $sth->{bridge_id}) or return;
    return $sth->{bridge_details} = $reply;
}

sub _types {
    my ($sth, $which) = @_;
    my $strict = $sth->{bridge_conn}{flavour}{strict};
    my $types  = _meta($sth, 'types') or return undef;
    return [map { ($strict && $STRICT{$_} || $TYPE{$_} || $TYPE{253})->[$which] } @$types];
}

sub _flags {
    my ($sth, $bits, $not) = @_;
    my $flags = _meta($sth, 'flags') or return undef;
    return [map { !!($not ? !($_ & $bits) : $_ & $bits) } @$flags];
}

sub _numeric {
    my ($sth) = @_;
    my $types = _meta($sth, 'types') or return undef;
    return [map { $NUMERIC{$_} ? 1 : 0 } @$types] if !$sth->{bridge_conn}{flavour}{strict};
    return [map { !!($NUMERIC{$_} || $_ == 6 || $_ == 13) } @$types];
}

sub _lengths {
    my ($sth) = @_;
    my $lengths = _meta($sth, 'lengths') or return undef;
    return $lengths if $sth->{bridge_conn}{flavour}{strict};
    return [map { $_ > 0x7fffffff ? $_ - 2**32 : $_ } @$lengths];    # DBD::mysql has 32 bits with a sign
}

sub _max_lengths {
    my ($sth) = @_;
    return $sth->{bridge_max_lengths} ||= do {
        my $reply = CPANBridge::Driver::call($sth, 'max_lengths', $sth->{bridge_id}) or return undef;
        $reply->[0] && ref $reply->[0] ? $reply->[0] : $reply;
    };
}

sub _param_values {    # the keys count from 0
    my ($sth) = @_;
    my $binds = $sth->{bridge_binds} || [];
    return { map { $_ => $binds->[$_] } 0 .. ($sth->{bridge_params} || 0) - 1 };
}

1;
