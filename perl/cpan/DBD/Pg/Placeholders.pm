package DBD::Pg::Placeholders;

# Telling the placeholders of a statement. SQL with nothing in it that could hide one is dealt with here, all else by Reader.pm. What comes out
# is a plan,
#   [ SQL with $1, $2 ..., number of placeholders, how it is sent, kind ('?', ':' or '$'), names of the placeholders (':'), pieces ]
# with `how`: '' values travel beside the SQL; 's' there are no placeholders; 'fill' this side writes the values into the SQL, because the
# server takes values only in SELECT, INSERT, UPDATE, DELETE, VALUES and WITH. The pieces are text and numbers of placeholders (from 0) in turns.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

sub MOST_VALUES () { 65_535 }    # the protocol counts them with two bytes

# The flags: b backslashes escape in plain strings (standard_conforming_strings is off), d placeholders are $1 ones, n no colons,
# e a backslash protects nothing.
sub _plan {
    my ($flags, $sql, $attr) = @_;
    if ($attr) {
        return [$sql, 0, 's', '', []] if $attr->{pg_direct};
        $flags = _flags($flags, d => $attr->{pg_placeholder_dollaronly}) if exists $attr->{pg_placeholder_dollaronly};
        $flags = _flags($flags, n => $attr->{pg_placeholder_nocolons})   if exists $attr->{pg_placeholder_nocolons};
    }
    return [$sql, 0, 's', '', []] if $sql !~ /[?\$:\\]/;
    if ($flags eq '' && $sql !~ m{['"\$:\\]|--|/\*}) {  # the usual case: question marks and nothing that could hide one
        my $n = 0;
        (my $text = $sql) =~ s/\?(?=([0-9])?)/'$' . ++$n . (defined $1 ? ' ' : '')/ge;
        return [$text, $n, _how($text, $n), '?', []];
    }
    my ($kind, $names, $pieces) = _read($sql, $flags);
    my $n = $kind eq ':' ? @$names : 0;
    if ($kind ne ':') {
        for (my $i = 1; $i < @$pieces; $i += 2) { $n = $pieces->[$i] + 1 if $pieces->[$i] >= $n }
    }
    my $text = '';
    for my $i (0 .. $#$pieces) {
        $text .=
            $i % 2 ? '$' . ($pieces->[$i] + 1) : $i && $pieces->[$i] =~ /\A[0-9]/ ? " $pieces->[$i]" : $pieces->[$i];
    }
    return [$text, $n, $n ? _how($text, $n) : 's', $kind, $names, $pieces];
}

sub _flags {
    my ($flags, $letter, $on) = @_;
    $flags =~ s/$letter//;
    return $on ? $flags . $letter : $flags;
}

sub _how {
    my ($text, $n) = @_;
    return $text =~ /\A\s*(?:SELECT|INSERT|UPDATE|DELETE|VALUES|WITH)\b/i && $n <= MOST_VALUES ? '' : 'fill';
}

# The pieces of a plan, of one that was made the short way too.
sub _pieces {
    my ($plan) = @_;
    return $plan->[5] if $plan->[5];
    my @pieces = split /\$([0-9]+)/, $plan->[0], -1;
    for (my $i = 1; $i < @pieces; $i += 2) { $pieces[$i]-- }
    return $plan->[5] = \@pieces;
}

# The SQL with the values in it.
sub _filled {
    my ($h, $plan, $binds) = @_;
    my $types = $h->{bridge_types} || [];
    my @text;
    for my $i (0 .. $#$binds) { $text[$i] = _quoted($h, $binds->[$i], $types->[$i]) }
    my $pieces = _pieces($plan);
    my $sql    = '';
    for my $i (0 .. $#$pieces) {
        my $piece = $i % 2 ? $text[$pieces->[$i]] : $pieces->[$i];
        $sql .= ' ' if $i % 2 && $piece =~ /\A-/ && $sql =~ /-\z/;    # two in a row would begin a comment
        $sql .= $piece;
    }
    return $sql;
}

1;
