# The manual: it names each public method, and its examples compile.
use strict;
use warnings;
use Test::More;
no warnings 'once';

require DBI;
plan skip_all => 'another DBI' if !$DBI::BRIDGE;

open my $fh, '<', $INC{'DBI.pm'} or die;
my $source = do { local $/; <$fh> };
my ($manual) = $source =~ /^__END__\n(.*)/ms;
ok $manual, 'there is a manual';

my @methods = grep { !m{/} && !/^_/ && !/_test_/ } keys %DBI::DISPATCH;
cmp_ok scalar @methods, '>', 70, 'methods are known';
is_deeply [grep { $manual !~ /^=item [^\n]*\b\Q$_\E\b/m } sort @methods], [], 'each has its place in the manual';

my (@blocks, $inside);
for my $paragraph (split /\n{2,}/, $manual) {
    if ($paragraph =~ /^\s/) {
        if ($inside) { $blocks[-1] .= "\n$paragraph" }
        else { push @blocks, $paragraph }
        $inside = 1
    }
    else { $inside = 0 }
}
cmp_ok scalar @blocks, '>', 30, 'examples are found';
for my $block (@blocks) {
    my ($title) = $block =~ /^\s*(.{1,40})/;
    my $code =
          'package Example'
        . ++$main::n
        . '; no strict; no warnings; my ($dbh, $sth, $drh, $h); return 1; '
        . $block . "\n1;";
    ok eval($code), $title or diag $@;
}

SKIP: {    # the synopsis runs
    my ($synopsis) = $manual =~ /^=head1 SYNOPSIS\n(.*?)^=head1/ms;
    $synopsis =~ s/^  use DBI;//m;
    my $text = '';
    skip 'needs DBD::SQLite and its daemon', 1
        if !
        eval { DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0 })->disconnect };
    {
        open my $out, '>', \$text or die;
        my $was = select $out;
        eval "use strict; use warnings; $synopsis; 1" or diag $@;
        select $was;
    }
    is $text, "Basel: 173000\nBern: 134000\n", 'the synopsis';
}

done_testing;
