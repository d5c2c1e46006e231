package DBD::Pg::Reader;

# Reading SQL as far as it is needed to tell its placeholders from everything else: strings, names in quotes, comments, dollar quotes, casts,
# array slices.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

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

1;
