package DBI::ProfileSubs;

# Code references for a Profile's Path.

use strict;
use warnings;

our $VERSION = '0.009396';

# Statements that differ in numbers and quoted texts only count as one.
sub norm_std_n3 {
    my ($h, $method) = @_;
    local $_ = $_;
    s/\b\d+\b/<N>/g;
    s/\b0x[0-9A-Fa-f]+\b/<N>/g;
    s/'.*?'/'<S>'/g;
    s/".*?"/"<S>"/g;
    s/([a-z]{2,})\d{2,}/$1<N>/gi;
    s/((?:<N>\s*,\s*){10,})/my $n = ($1 =~ tr{,}{}); "<repeated $n times>"/eg;
    return $_;
}

1;

__END__

=head1 NAME

DBI::ProfileSubs - subs for the Path of a DBI::Profile

=head1 SYNOPSIS

  DBI_PROFILE='&norm_std_n3' script.pl

=cut
