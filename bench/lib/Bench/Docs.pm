package Bench::Docs;

use strict;
use warnings;

our $VERSION = '0.1.0';

# Puts text between the lines "<!-- NAME -->" and "<!-- end of NAME -->" of a UTF-8 file.
sub replace {
    my ($file, $name, $text) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
    my $whole = do { local $/ = undef; readline $in };
    close $in;
    $text  =~ s/\n*\z/\n/;
    $whole =~ s/(<!-- \Q$name\E -->\n).*?(<!-- end of \Q$name\E -->\n)/$1\n$text\n$2/s
        or die "$file has no lines <!-- $name --> and <!-- end of $name -->\n";
    open my $out, '>:encoding(UTF-8)', "$file.new" or die "$file.new: $!\n";
    print {$out} $whole or die "$file.new: $!\n";
    close $out          or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

1;

__END__

=head1 NAME

Bench::Docs - measured tables in the documentation are written by what measured them

=head1 SYNOPSIS

    Bench::Docs::replace('docs/benchmarks.md', 'bench dbi', $report->text);

=cut
