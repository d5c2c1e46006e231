#!/usr/bin/perl

# What crates/storable writes thaws to what it is said to be: every kind of scalar, the UTF-8
# flag of strings and keys, arrays and hashes of rows. The images are files that the crate's own
# tests compare with what it writes.

use strict;
use warnings;
use Test::More;
use FindBin;
use Storable ();

my $corpus = "$FindBin::Bin/../../crates/storable/corpus";
plan skip_all => 'no crates/storable beside perl/' if !-d $corpus;

require "$corpus/Describe.pm";

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    binmode $in;
    local $/;
    return scalar <$in>;
}

# The native numbers in the images are those of 64-bit little-endian perls.
my $native     = pack('F', 1.5) eq "\0\0\0\0\0\0\xf8\x3f" && pack('j', 1) eq "\x01" . "\0" x 7;
my %has_native = map { $_ => 1 } qw(doubles ints-64 rows-arrays rows-hashes rows-hashes-utf8);

my @images = sort glob "$corpus/rust/*.img";
cmp_ok(scalar @images, '>', 15, 'there are images');

for my $file (@images) {
    my ($name) = $file =~ m{([^/]+)\.img\z};
SKIP: {
        skip("$name: this perl's numbers are not of 64 bits, little-endian", 1) if $has_native{$name} && !$native;
        (my $said     = $file)        =~ s/img\z/txt/;
        (my $expected = slurp($said)) =~ s/\n\z//;
        my $data = eval { Storable::thaw(slurp($file)) };
        is($@, '', "$name: thaws") if !$data;
        my $found = ref $data eq 'SCALAR' ? Describe::describe_sv($data) : Describe::describe($data);
        is($found, $expected, $name);
    }
}

# Nothing thawed may be read-only: scripts assign to what they fetch.
{
    my $data = Storable::thaw(slurp("$corpus/rust/booleans.img"));
    ok(eval { $_++ for @$data; 1 }, 'booleans can be assigned to') or diag $@;
    is("@$data", '2 1', 'and are numbers');
}

# Strings of digits are numbers to perl.
{
    my $data = Storable::thaw(slurp("$corpus/rust/portable.img"));
    cmp_ok($data->[0], '==', 1099511627776, 'a big integer as a string is that integer');
    cmp_ok($data->[1], '==', 0.1 + 0.2,     'a double as a string is that double');
    cmp_ok(Storable::thaw(slurp("$corpus/rust/uints.img"))->[0], '==', 18446744073709551615, 'and an unsigned one');
}

done_testing();
