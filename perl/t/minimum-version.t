# Every Perl file of the product keeps to the syntax of perl 5.10.1 and to core modules.
use strict;
use warnings;

use File::Find ();
use FindBin;
use Test::More;

use Perl::MinimumVersion ();

my $LIMIT = version->parse('5.10.1');
my $root  = "$FindBin::Bin/..";
my @files;
File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.p[ml]\z/ && -f } }, "$root/lib", "$root/cpan");
cmp_ok(scalar @files, '>', 10, 'there are files to look at');

for my $file (sort @files) {
    my $name = substr $file, 1 + length $root;
    my $perl = Perl::MinimumVersion->new($file);
    ok($perl, "$name can be parsed") or next;
    my $syntax = $perl->minimum_syntax_version || 0;
    cmp_ok($syntax, '<=', $LIMIT, "$name needs no syntax newer than $LIMIT")
        or diag "it has that of $syntax: ", $perl->syntax_markers;
    my $explicit = $perl->minimum_explicit_version || 0;
    cmp_ok($explicit, '<=', $LIMIT, "$name asks for no newer perl");
}

done_testing;
