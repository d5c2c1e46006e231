package Describe;

# One line that says exactly what a structure holds, down to the kind of each scalar, and that is
# easy to print from any language. Used by make.pl and by perl/t/storable-corpus.t; the Rust
# side (tests/corpus.rs) prints the same.
#
#   undef   42   d3ff8000000000000 (a double, as big-endian bits)   true   false
#   b"bytes\x00"   t"characters \x{263a}"   [1,2]   {b"key":1,t"k\x{e9}y":2}

use strict;
use warnings;
use B ();

sub describe {
    my ($value) = @_;
    return describe_sv(\$value)                                                    if !ref $value;
    return '[' . join(',', map { describe_element($_) } map { \$_ } @$value) . ']' if ref $value eq 'ARRAY';
    return describe_hash($value)                                                   if ref $value eq 'HASH';
    return 'ref ' . describe_element($value);
}

# An element is looked at where it is: a copy of a read-only boolean is no longer one.
sub describe_element {
    my ($where) = @_;
    return ref $$where ? describe($$where) : describe_sv($where);
}

sub describe_hash {
    my ($hash) = @_;
    my %by = map { string($_) => \$hash->{$_} } keys %$hash;
    return '{' . join(',', map { "$_:" . describe_element($by{$_}) } sort keys %by) . '}';
}

sub describe_sv {
    my ($where) = @_;
    my $sv = B::svref_2object($where);
    if (ref $sv eq 'B::SPECIAL') {
        return (undef, 'undef', 'true', 'false')[$$sv];
    }
    return 'undef' if !defined $$where;
    my $flags = $sv->FLAGS;
    return string($$where) if $flags & B::SVf_POK;
    return 'd' . unpack 'H*', pack 'd>', $$where if $flags & B::SVf_NOK;
    return "$$where";
}

sub string {
    my ($string) = @_;
    my $kind     = utf8::is_utf8($string) ? 't' : 'b';
    my $text     = '';
    for my $char (split //, $string) {
        my $ord   = ord $char;
        my $plain = $ord >= 0x20 && $ord < 0x7f && $char ne '"' && $char ne '\\';
        $text .= $plain ? $char : $kind eq 't' ? sprintf('\\x{%x}', $ord) : sprintf('\\x%02x', $ord);
    }
    return qq{$kind"$text"};
}

1;
