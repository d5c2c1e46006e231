package DBD::Pg::Placeholders;

# Reading SQL as far as it is needed to tell its placeholders from everything else: strings, names in quotes, comments, dollar quotes, casts,
# array slices. What comes out is a plan,
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

# The reader: kind of placeholders, their names, the pieces.
sub _read {
    my ($sql, $flags)                   = @_;
    my ($b, $d, $no, $e)                = map { index($flags, $_) >= 0 } qw(b d n e);
    my ($kind, @names, %index, @pieces) = ('');
    my ($from, $text)                   = (0, '');
    pos($sql) = 0;
    while (pos $sql < length $sql) {
        next if $sql =~ m{\G[^'"\$?:\\/\-\w[:^ascii:]]+}gc;            # blanks, commas, operators
        if ($sql =~ /\G([A-Za-z_[:^ascii:]][\w\$[:^ascii:]]*)/gc) {    # a name, or the E before a string
            my $escapes = $b || $1 eq 'E' || $1 eq 'e';
            _end_of_quoted(\$sql, q{'}, $escapes) if $sql =~ /\G'/gc;
            next;
        }
        if ($sql =~ /\G[0-9][\w.]*/gc) { $sql =~ /\G:(?=[0-9\w])/gc; next }  # a number; in an array slice, what follows
        if ($sql =~ /\G'/gc)           { _end_of_quoted(\$sql, q{'}, $b); next }
        if ($sql =~ /\G"/gc)           { _end_of_quoted(\$sql, q{"}, 0);  next }
        next if $sql =~ /\G--[^\n]*/gc;
        if ($sql =~ m{\G/\*}gc) { _end_of_comment(\$sql); next }
        if ($sql =~ /\G\$(?:[A-Za-z_[:^ascii:]][A-Za-z0-9_[:^ascii:]]*)?\$/gc) {
            my $end = index $sql, substr($sql, $-[0], $+[0] - $-[0]), pos $sql;
            pos($sql) = $end < 0 ? length $sql : $end + $+[0] - $-[0];
            next;
        }
        next if $sql =~ /\G::+/gc;
        my $start = pos $sql;
        if (!$e && $sql =~ /\G\\(?=[?:\$])/gc) {
            $text .= substr $sql, $from, $start - $from;
            $from = pos $sql;
            pos($sql) = $from + 1;
            next;
        }
        my ($style, $index);
        if (!$d && $sql =~ /\G\?/gc) { ($style, $index) = ('?', @pieces / 2) }
        elsif ($sql =~ /\G\$([0-9]+)/gc) {
            CPANBridge::Driver::croak('Invalid placeholder value') if $1 < 1;
            ($style, $index) = ('$', $1 - 1);
        }
        elsif (!$d && !$no && $sql =~ /\G(:[A-Za-z0-9_]+)/gc) {
            $index{$1} = push(@names, $1) - 1 if !exists $index{$1};
            ($style, $index) = (':', $index{$1});
        }
        else { pos($sql) = $start + 1; next }
        _one_style($kind, $style) if $kind ne '' && $kind ne $style;
        $kind = $style;
        push @pieces, $text . substr($sql, $from, $start - $from), $index;
        ($from, $text) = (pos $sql, '');
    }
    push @pieces, $text . substr $sql, $from;
    _without_gaps(\@pieces) if $kind eq '$';
    return ($kind, \@names, \@pieces);
}

sub _end_of_quoted {    # puts the position behind the quote that ends what has just begun
    my ($sql, $quote, $backslashes) = @_;
    my $ordinary = $backslashes ? qr/\G[^$quote\\]+/ : qr/\G[^$quote]+/;
    while (pos $$sql < length $$sql) {
        next   if $$sql                 =~ /$ordinary/gc || $$sql =~ /\G$quote$quote/gc;
        next   if $backslashes && $$sql =~ /\G\\./gcs;
        return if $$sql                 =~ /\G$quote/gc;
        pos($$sql)++;
    }
    return;
}

sub _end_of_comment {    # comments may be inside each other
    my ($sql) = @_;
    my $depth = 1;
    while ($depth && $$sql =~ m{\G.*?(/\*|\*/)}gcs) { $depth += $1 eq '/*' ? 1 : -1 }
    pos($$sql) = length $$sql if $depth;
    return;
}

sub _one_style {
    my %shown = ('?' => '?', '$' => '$1', ':' => ':foo');
    CPANBridge::Driver::croak(qq{Cannot mix placeholder styles "$shown{$_[0]}" and "$shown{$_[1]}"});
}

sub _without_gaps {
    my ($pieces) = @_;
    my %seen;
    for (my $i = 1; $i < @$pieces; $i += 2) { $seen{ $pieces->[$i] } = 1 }
    my $next = 0;
    $next++ while $seen{$next};
    return if $next == keys %seen;
    CPANBridge::Driver::croak(
        'Invalid placeholders: must start at $1 and increment one at a time (expected: $' . ($next + 1) . ')');
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
    for my $i (0 .. $#$pieces) { $sql .= $i % 2 ? $text[$pieces->[$i]] : $pieces->[$i] }
    return $sql;
}

1;
