#!/usr/bin/perl

# Writes the images of corpus/perl: NAME.img, and beside each NAME.txt, what thaw makes of it
# (see Describe.pm), or for an image that is to be refused, "refused: " and a part of the error.
#
#   perl crates/storable/corpus/make.pl
#
# Deterministic: another perl of the same Storable version writes the same files. Opcodes that this
# perl's Storable does not write are packed by hand.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Describe;
use Storable ();

no warnings 'once';    ## no critic: Storable's own variables
$Storable::canonical = 1;
my $dir = "$FindBin::Bin/perl";

sub spew {
    my ($file, $content) = @_;
    open my $out, '>', "$dir/$file" or die "$dir/$file: $!\n";
    binmode $out;
    print {$out} $content or die "$dir/$file: $!\n";
    close $out            or die "$dir/$file: $!\n";
    return;
}

# An image, and what thaw makes of it; or what is expected, when given.
sub image {
    my ($name, $image, $expected) = @_;
    if (!defined $expected) {
        my $data = Storable::thaw($image);
        $expected = ref $data eq 'SCALAR' ? Describe::describe_sv($data) : Describe::describe($data);
    }
    spew("$name.img", $image);
    spew("$name.txt", "$expected\n");
    return;
}

sub plain {
    my ($name, $data) = @_;
    return image($name, Storable::nfreeze($data));
}

sub refused {
    my ($name, $image, $why) = @_;
    $image = Storable::nfreeze($image) if ref $image;
    return image($name, $image, "refused: $why");
}

# The first element made a weak reference to something that lives on.
my @kept;

sub weak {
    my ($list) = @_;
    require Scalar::Util;
    push @kept, $list->[0];
    Scalar::Util::weaken($list->[0]);
    return $list;
}

sub upgraded { my ($s) = @_; utf8::upgrade($s); return $s }

# --- Plain data, as nfreeze writes it

plain('root-undef',       \undef);
plain('root-int',         \42);
plain('root-string',      \'a string');
plain('root-empty-array', []);
plain('root-empty-hash',  {});
plain('undef',            [undef, undef]);
plain('bytes-1',          [-128,  -1,  0,   1,     42,         127]);
plain('ints-32',          [-129,  128, 255, 65536, 2147483647, -2147483648]);
plain('ints-64',  [2147483648, -2147483649, 9223372036854775807, -9223372036854775807 - 1, 18446744073709551615]);
plain('doubles',  [1.5,        -0.25,       0.1,                 1e300, 1e-300, 9**9**9, -9**9**9, 3e15 + 0.5]);
plain('booleans', [1 == 1, 1 == 0]);
plain(
    'used-both-ways',
    do { my ($n, $s) = (12, '34'); my $x = "$n" . ($s + 0); [$n, $s] }
);
plain('strings',      ['', 'abc', "\0", "nul\0nul", "\xe9\xff", 'x' x 255]);
plain('strings-long', ['x' x 256, "\xff" x 1000]);
plain('text',      ["\x{263a}", upgraded("caf\xe9"), upgraded('ascii, flagged'), upgraded(''), "\x{10ffff}\x{fffd}"]);
plain('text-long', ["\x{e4}\x{263a}" x 200, upgraded("\xe4" x 128)]);
plain('array-nested', [[1, [2, [3, []]]], [], [[[undef]]]]);
plain(
    'array-sparse',
    do { my @a; $a[3] = 1; \@a }
);
plain('hash',              { a          => 1, b => undef, c => 'text', '' => 'empty key', 'with space' => -1 });
plain('hash-nested',       { list       => [{ id => 1 }, { id => 2, sub => { x => [] } }], none => {}, z => [1, 2] });
plain('hash-latin1-key',   { "caf\xe9"  => 1, plain      => 2 });
plain('hash-utf8-keys',    { "\x{263a}" => 1, "k\x{151}" => { "\x{3b1}" => [1] }, plain => 2, "caf\xe9" => 3 });
plain('hash-was-utf8-key', { upgraded("caf\xe9") => 1,   plain       => 2 });
plain('hash-long-key',     { 'k' x 300           => 'v', 'l' x 70000 => 'w' });
plain(
    'hash-restricted',
    do { my %h = (a => 1, b => [2]); Internals::SvREADONLY(%h, 1); \%h }
);
plain(
    'hash-placeholder',
    do { my %h = (a => 1, gone => 2); Internals::SvREADONLY(%h, 1); delete $h{gone}; \%h }
);
image('weak-reference', Storable::nfreeze(weak([[1]])), '[[1]]');
plain('version-string', [v1.22.33, 'after']);
plain('params',
    ['select * from t where a = ? and b = ?', [1, "na\x{ef}ve \x{263a}", undef, 2.5], { rows => 100, mode => 'a' }]);
plain('rows', [map { [$_, "name $_", $_ % 3 ? "city \x{e9}\x{151}" : undef, $_ * 100_000, $_ / 8] } 1 .. 40]);

# --- Plain data that other Storables write

my $head = "\x05\x05";
image('other-minor-0',       "\x05\x00\x08\xaa");
image('other-minor-7',       "\x05\x07\x08\xaa");
image('other-minor-13',      "\x05\x0d\x08\xaa");
image('other-sv-specials',   $head . "\x02\0\0\0\x02\x0f\x10");
image('other-sv-undef',      $head . "\x02\0\0\0\x02\x0e\x08\x81", '[undef,1]');
image('other-undef-elem',    "\x05\x0b\x02\0\0\0\x02\x1f\x08\x81", '[undef,1]');
image('other-booleans',      "\x05\x0c\x02\0\0\0\x02\x22\x23",     '[true,false]');
image('other-root-ref',      $head . "\x04\x02\0\0\0\x01\x05",     '[undef]');
image('other-short-as-long', $head . "\x02\0\0\0\x02\x01\0\0\0\x02ab\x18\0\0\0\x03\xe2\x98\xba");

# --- What is not plain data

{

    package Corpus::Plain;

    package Corpus::Hooked;
    sub STORABLE_freeze { return 'state' }
    sub STORABLE_thaw   { }

    package Corpus::Overloaded;
    use overload '""' => sub { 'string' };

    package Corpus::Tied;
    sub TIEHASH   { return bless {}, shift }
    sub TIEARRAY  { return bless [], shift }
    sub TIESCALAR { return bless \my $x, shift }
}
refused('refused-blessed',    [bless { a => 1 }, 'Corpus::Plain'],      'a blessed object at byte 8');
refused('refused-blessed-2',  [map { bless [], 'Corpus::Plain' } 1, 2], 'a blessed object');
refused('refused-hooked',     [bless {}, 'Corpus::Hooked'],             'a blessed object with STORABLE hooks');
refused('refused-overloaded', [bless [], 'Corpus::Overloaded'],         'a reference to an object with overloading');
refused('refused-tied-hash',  do { tie my %h, 'Corpus::Tied'; [\%h] },  'a tied variable');
refused('refused-tied-array', do { tie my @a, 'Corpus::Tied'; [\@a] },  'a tied variable');
refused('refused-regexp',     [qr/x/],                                  'a blessed object');
refused(
    'refused-code',
    do {
        local $Storable::Deparse = 1;
        Storable::nfreeze([sub { 1 }])
    },
    'a code reference'
);
refused('refused-scalar-ref', [\'scalar'],                  'a reference to a scalar');
refused('refused-ref-ref',    [\[1]],                       'a reference to a reference');
refused('refused-same-ref',   do { my $r = [1]; [$r, $r] }, 'back reference (SX_OBJECT) at byte 16');
refused(
    'refused-same-scalar',
    do {
        my $x = 'x';
        sub { Storable::nfreeze(\@_) }
            ->($x, $x)
    },
    'back reference'
);
refused('refused-cycle',        do { my $r = []; push @$r, $r; Storable::nfreeze($r) }, 'back reference');
refused('refused-native-order', Storable::freeze([1]),                         'not a Storable image in network order');
refused('refused-file',         'pst0' . Storable::nfreeze([1]),               'like a Storable file');
refused('refused-empty',        '',                                            'it is empty');
refused('refused-header-only',  $head,                                         'cut off');
refused('refused-half-header',  "\x05",                                        'cut off');
refused('refused-major-3',      "\x07\x00\x05",                                'format 3 is not supported');
refused('refused-trailing',     $head . "\x05\x05",                            '1 bytes after its end, at byte 3');
refused('refused-long-object',  "\x05\x0b\x21\x02\0\0\0\0\0\0\0\0",            'more than 2 GB');
refused('refused-bare-array',   $head . "\x02\0\0\0\x01\x02\0\0\0\0",          'without a reference to it');
refused('refused-opcode',       $head . "\x40",                                'an unknown type of value');
refused('refused-lying-array',  $head . "\x02\x7f\xff\xff\xff\x05",            'cut off');
refused('refused-lying-hash',   $head . "\x03\x10\0\0\0" . "\x05" x 100,       'cut off');
refused('refused-negative',     $head . "\x01\xff\xff\xff\xff",                'a negative length');
refused('refused-lying-string', $head . "\x0a\x05abcd",                        'cut off');
refused('refused-not-utf8',     $head . "\x17\x02\xc3\x28",                    'not valid UTF-8 at byte 4');
refused('refused-surrogate',    do { no warnings; [chr 0xd800] },              'not valid UTF-8');
refused('refused-sv-key',       $head . "\x19\0\0\0\0\x01\x05\x08\0\0\0\x01a", 'a hash key that is not a plain string');
refused('refused-deep', $head . "\x02\0\0\0\x01" . "\x04\x02\0\0\0\x01" x 300 . "\x05",
    'deeper than max_depth_levels (256)');
