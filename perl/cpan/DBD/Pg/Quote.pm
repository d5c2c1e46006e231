package DBD::Pg::Quote;

# quote: a value as it is written in SQL, by its type; and names.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

# Numbers of types → how their values are written
my %WRITER;

BEGIN {
    my %types = (
        integer => [20,  21,  23, 26],
        float   => [700, 701, 1700],
        boolean => [16],
        name    => [19],
        bytes   => [17],
        geo     => [27, 600, 601, 603, 604, 628],
        path    => [602],
        circle  => [718],
    );
    for my $kind (keys %types) { $WRITER{$_} = "_write_$kind" for @{ $types{$kind} } }
}

# For a handle: the value as text for SQL. No type: a string.
sub _quoted {
    my ($h, $value, $oid) = @_;
    return 'NULL'    if !defined $value;
    return 'DEFAULT' if ref $value eq 'DBD::Pg::DefaultValue';
    my $write = defined $oid ? $WRITER{$oid} : undef;
    return $write ? __PACKAGE__->can($write)->($value) : _write_string($value);
}

sub _write_string {
    (my $text = $_[0]) =~ s/(['\\])/$1$1/g;
    return index($text, '\\') < 0 ? "'$text'" : "E'$text'";
}

sub _write_integer {
    CPANBridge::Driver::croak('Invalid integer') if $_[0] !~ /\A[-+0-9 ]*\z/ || $_[0] =~ /--/;    # which is a comment
    return "$_[0]";
}

sub _write_float {
    return "$_[0]"                             if $_[0] =~ /\A[-+.0-9eE ]+\z/ && $_[0] !~ /--/;
    CPANBridge::Driver::croak('Invalid float') if $_[0] !~ /\A(?:NaN|-?Infinity)\z/i;
    return $_[0];
}

sub _write_boolean {
    return 'TRUE'  if $_[0] =~ /\A(?:t|true|1|0e0|0 but true)\z/i;
    return 'FALSE' if $_[0] =~ /\A(?:f|false|0|)\z/i;
    CPANBridge::Driver::croak('Invalid boolean value');
}

sub _write_bytes {
    my $bytes = "$_[0]";
    utf8::downgrade($bytes, 1) or CPANBridge::Driver::croak('Wide character in subroutine entry');
    $bytes =~ s/([^ -~]|[\\'])/$1 eq q{'} ? q{''} : $1 eq '\\' ? '\\\\\\\\' : sprintf '\\\\%03o', ord $1/ge;
    return "E'$bytes'";
}

sub _write_geo    { return _write_shape($_[0], 'geometric', qr/\A[-+.0-9eE, ()\s]*\z/) }
sub _write_path   { return _write_shape($_[0], 'path',      qr/\A[-+.0-9eE, ()\[\]\s]*\z/) }
sub _write_circle { return _write_shape($_[0], 'circle',    qr/\A[-+.0-9eE, ()<>\s]*\z/) }

sub _write_shape {
    my ($value, $kind, $allowed) = @_;
    CPANBridge::Driver::croak("Invalid input for $kind type") if $value !~ $allowed;
    return "'$value'";
}

sub _write_name {
    my ($name) = @_;
    require DBD::Pg::Words;
    return $name if $name =~ /\A[a-z_][a-z0-9_]*\z/ && !DBD::Pg::Words::is_keyword($name);
    $name =~ s/"/""/g;
    return qq{"$name"};
}

package DBD::Pg::db;

sub quote {
    my ($dbh, $value, $type) = @_;
    if (ref $value) { $value = DBD::Pg::_flat_array($value, 'quote') }
    return DBD::Pg::_quoted($dbh, $value) if @_ < 3 || !defined $type;
    CPANBridge::Driver::croak('Second argument to quote must be a hashref')
        if ref $type ? ref $type ne 'HASH' : $type !~ /\A-?[0-9]+\z/;
    my $oid =
        DBD::Pg::_type(!ref $type ? $type : exists $type->{type} ? $type->{type} : { pg_type => $type->{pg_type} });
    if (!defined $oid || $oid == 705 || !DBD::Pg::_sql_type($oid)) {
        CPANBridge::Driver::warning('No type given, defaulting to UNKNOWN')
            if !defined $oid || !ref $type || $oid != 705;
        $oid = undef;
    }
    return DBD::Pg::_quoted($dbh, $value, $oid);
}

sub quote_identifier {
    my ($dbh, @names) = @_;
    pop @names if ref $names[-1] eq 'HASH';
    return join '.', map { (my $name = $_) =~ s/"/""/g; qq{"$name"} } grep { defined } @names;
}

1;
