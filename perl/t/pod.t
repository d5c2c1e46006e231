# The documentation of the client: it is well formed, complete, and its examples run.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../cpan", "$FindBin::Bin/../lib";
use Pod::Checker ();
use Test::More;

my $root  = "$FindBin::Bin/..";
my @files = map { "$root/lib/$_" } qw(CPANBridge.pm DBIHelper.pm);

# Verbatim paragraphs below a heading (all below any, if none is given).
sub examples {
    my ($file, $heading) = @_;
    open my $in, '<', $file or die "$file: $!";
    my $pod = do { local $/; readline $in };
    $pod =~ s/\A.*?^__END__\n//ms;
    ($pod) = $pod =~ /^=head1 \Q$heading\E\n(.*?)(?=^=head1|\z)/ms if defined $heading;
    return join '', $pod =~ /^((?:    .*\n|\n)+)/mg;
}

for my $file (@files) {
    my $checker = Pod::Checker->new(-warnings => 1);
    open my $null, '>', \my $said;
    $checker->parse_from_file($file, $null);
    is($checker->num_errors, 0, "$file: the POD is well formed") or diag $said;

    my $code = examples($file, 'SYNOPSIS');
    $code =~ s/^    //mg;
    my $dir = File::Temp::tempdir(CLEANUP => 1);
    open my $out, '>', "$dir/synopsis.pl" or die;
    $code =~ s/orders\.db/:memory:/;
    $code =~ s/from orders/from (select 1)/;
    print {$out} "use strict; use warnings; alarm 30;\n$code";
    close $out;
    my $said_by_it = qx{$^X -I$root/cpan -I$root/lib $dir/synopsis.pl};
    is($?, 0, 'its synopsis runs');
    isnt($said_by_it, '', 'and prints something');
}

require CPANBridge;
my $pod        = do { open my $in, '<', $files[0] or die; local $/; readline $in };
my ($headings) = join ' ', $pod =~ /^=head2 (.*)/mg;
for my $class (qw(CPANBridge CPANBridge::Session)) {
    no strict 'refs';
    my @public =
        grep { !/^_/ && !/^[A-Z]/ && defined &{"${class}::$_"} && $_ ne 'import' && $_ ne 'new' } keys %{"${class}::"};
    like("$headings call_python", qr/\b$_\b/, "$class: $_ is documented") for sort @public;
}

# The other examples, one after another with a session.
my $code = join '', map { examples($files[0], $_) } 'ERRORS', 'METHODS OF A SESSION';
$code =~ s/^    //mg;
$code =~ s/\bmy \$/our \$/g;
our $session = CPANBridge->session;
my $printed = '';
open my $stdout, '>', \$printed or die;
my $usual = select $stdout;
my $ran   = eval "no strict; no warnings; $code; 1";
my $error = $@;
select $usual;
ok($ran, 'the examples of the methods run') or diag $error;
like($printed, qr/^\w+: on purpose/, 'and the one of errors prints its error');

done_testing;
