# What "use DBI" loads, and that each part that is loaded later has what it promises.
use strict;
use warnings;
use Test::More;
use File::Spec;
no warnings 'once';

require DBI;
plan skip_all => 'another DBI' if !$DBI::BRIDGE;

my $dir  = File::Spec->catdir(File::Spec->rel2abs($INC{'DBI.pm'}) =~ /(.*)\.pm\z/);
my $perl = $^X;
my $lib  = File::Spec->catdir($dir, File::Spec->updir);

my $loaded = `"$perl" "-I$lib" -e "require DBI; print join ' ', sort keys %INC"`;
is_deeply [grep { !m{^(?:strict|warnings|DBI|warnings/register|DBI/Bridge/\w+)\.pm\z} } split / /, $loaded],
    [defined &builtin::weaken ? () : grep { m{^(?:List|Scalar|XSLoader|Exporter|Carp)} } split / /, $loaded],
    'DBI alone loads nothing else';

opendir my $dh, File::Spec->catdir($dir, 'Bridge') or die;
my @parts = sort grep { s/\.pm\z// } readdir $dh;
cmp_ok scalar @parts, '>', 8, 'there are parts';
open my $fh, '<', $INC{'DBI.pm'} or die;
my $source = do { local $/; <$fh> };
my %promised;
while ($source =~ /^\s+lazy\(\s*'(\w+)',\s*'([\w:]+)',\s*qw\(([^)]*)\)\)/mg) {
    push @{ $promised{$1} }, map { "${2}::$_" } split ' ', $3
}
cmp_ok scalar keys %promised, '>', 8, 'stubs are found';
for my $part (sort keys %promised) {
    my %stub = map { $_ => \&$_ } @{ $promised{$part} };
    no strict 'refs';
    ok eval { require "DBI/Bridge/$part.pm"; 1 }, "$part loads" or diag $@;
    my @missing = grep { \&$_ == $stub{$_} } @{ $promised{$part} };
    is "@missing", '', '... and has all it promises';
}
my %at_once = map { m{^DBI/Bridge/(\w+)\.pm\z} ? ($1 => 1) : () } split / /, $loaded;
is_deeply [grep { !$promised{$_} && !$at_once{$_} } @parts], [], 'no part is left over';
is_deeply [grep { $promised{$_} } sort keys %at_once],       [], 'nothing is loaded at once that could wait';

done_testing;
