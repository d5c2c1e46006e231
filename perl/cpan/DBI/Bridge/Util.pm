# Functions of the :utils and :profile export tags, and the methods that print.
package DBI;

use strict;
use warnings;
no warnings 'redefine';

our $neat_maxlen;

sub is_number {    # was the value made as a number (not as a string that looks like one)?
    my ($value) = @_;
    require B;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & (B::SVf_IOK() | B::SVf_NOK()) && !($flags & B::SVf_POK());
}

sub neat {
    my ($value, $maxlen) = @_;
    return 'undef' if !defined $value;
    my $is_ref = ref $value;
    return "$value" if !$is_ref && is_number($value);
    my $text = "$value";
    return $text if $is_ref && !eval { overloaded($value) };
    my $quote = utf8::is_utf8($text) ? '"' : "'";
    $maxlen = $neat_maxlen if !$maxlen;
    if ($maxlen && length($text) > $maxlen - 2) { $text = substr($text, 0, $maxlen - 5) . '...' }
    $text =~ s/[^[:print:]\s]/./g;
    utf8::encode($text) if utf8::is_utf8($text);    # what neat gives is bytes
    return "$quote$text$quote";
}

sub overloaded {
    my ($value) = @_;
    return eval { require overload; overload::Overloaded($value) }
}

sub neat_list {
    my ($list, $maxlen, $separator) = @_;
    $separator = ', ' if !defined $separator;
    return join $separator, map { neat($_, $maxlen) } @$list;
}

sub looks_like_number {
    my @answer;
    require Scalar::Util;
    for my $thing (@_) {
        push @answer, !defined $thing || $thing eq '' ? undef : Scalar::Util::looks_like_number($thing) ? 1 : '';
    }
    return wantarray ? @answer : $answer[0];
}

sub sorted_keys {
    my ($hash, $numeric) = @_;
    if (!defined $numeric) {
        $numeric = !grep { !looks_like_number($_) } keys %$hash
    }
    no warnings 'numeric';
    return $numeric ? sort { $a <=> $b || $a cmp $b } keys %$hash : sort keys %$hash;
}

sub _concat_hash_sorted {
    my ($hash, $between, $pairs, $neat, $numeric) = @_;
    return undef                                       if !defined $hash;
    DBI::Bridge::croak('hash is not a hash reference') if ref $hash ne 'HASH';
    $between = '' if !defined $between;
    $pairs   = '' if !defined $pairs;
    return join $pairs, map {
        my $value = $hash->{$_};
        $_ . $between . ($neat ? neat($value, 0) : defined $value ? "'$value'" : 'undef');
    } sorted_keys($hash, $numeric);
}

sub hash {
    my ($key, $type) = @_;
    $type ||= 0;
    if ($type == 0) {    # perl's old one-at-a-time hash, 31 bits, negative
        my $hash = 0;
        $hash = ($hash * 33 + $_) & 0xFFFFFFFF for unpack 'C*', bytes_of($key);
        $hash &= 0x7FFFFFFF;
        $hash |= 0x40000000;
        return -$hash;
    }
    DBI::Bridge::croak("DBI::hash($type): invalid type") if $type != 1;
    my $hash = 0x811C9DC5;    # FNV-1
    for my $byte (unpack 'C*', bytes_of($key)) {
        $hash = times32($hash, 0x01000193);
        $hash ^= $byte;
    }
    return unpack 'l', pack 'L', $hash;
}

sub times32 {    # product modulo 2^32 without leaving the exact range of a double
    my ($a,    $b)   = @_;
    my ($high, $low) = ($a >> 16, $a & 0xFFFF);
    return ((($high * $b) % 65536) * 65536 + $low * $b) % 4294967296;
}

sub bytes_of { my ($text) = @_; utf8::encode($text) if utf8::is_utf8($text); return $text }

sub data_string_desc {
    my ($text) = @_;
    my $utf8 = !defined $text ? 'UTF8 off' : utf8::is_utf8($text) ? 'UTF8 on' : 'UTF8 off';
    $utf8 .= ' but INVALID encoding' if defined $text && utf8::is_utf8($text) && !utf8::valid($text);
    return "$utf8, undef"            if !defined $text;
    my $ascii = $text =~ /[^\x00-\x7F]/ ? 'non-ASCII' : 'ASCII';
    return sprintf '%s, %s, %d characters %d bytes', $utf8, $ascii, length $text, length bytes_of($text);
}

sub data_string_diff {
    my ($x, $y) = @_;
    if (!defined $x || !defined $y) {
        return ''                                                              if !defined $x && !defined $y;
        return 'String a is undef, string b has ' . length($y) . ' characters' if !defined $x;
        return 'String b is undef, string a has ' . length($x) . ' characters';
    }
    my @x  = unpack 'U*', utf8_copy($x);
    my @y  = unpack 'U*', utf8_copy($y);
    my $at = 0;
    while ($at < @x && $at < @y) {
        if ($x[$at] != $y[$at]) {
            return "Strings differ at index $at: a[$at]=" . shown($x[$at]) . ", b[$at]=" . shown($y[$at])
        }
        $at++;
    }
    return "String a truncated after $at characters" if @x < @y;
    return "String b truncated after $at characters" if @y < @x;
    return '';
}

sub utf8_copy { my ($text) = @_; utf8::upgrade($text); return $text }

sub shown {
    my ($code) = @_;
    return sprintf '\x{%04X}', $code if $code > 255;
    return chr($code) =~ /[[:cntrl:]]/ ? sprintf('\x%02X', $code) : chr $code;
}

sub data_diff {
    my ($x, $y, $logical) = @_;
    my $diff = data_string_diff($x, $y);
    return '' if $logical && $diff eq '';
    my ($dx, $dy) = (data_string_desc($x), data_string_desc($y));
    return ''                                                   if $diff eq '' && $dx eq $dy;
    $diff ||= 'Strings contain the same sequence of characters' if length $x;
    $diff .= "\n"                                               if $diff ne '';
    return "a: $dx\nb: $dy\n$diff";
}

# sql_type_cast($value, $sql_type, $flags): -2 type not handled, -1 undef, 0 cannot (strict), 1 cannot, 2 done
sub sql_type_cast {
    my (undef, $type, $flags) = @_;
    return -1 if !defined $_[0];
    $flags ||= 0;
    my $text = "$_[0]";
    my $number;
    if ($type == SQL_INTEGER()) {
        $number = 0 + $text
            if $text =~ /^\s*[-+]?\d+\s*\z/
            && $text <= ~0
            && $text >= -(~0 >> 1) - 1
            && sprintf('%s', 0 + $text) !~ /[.e]/i;
    }
    elsif ($type == SQL_DOUBLE() || $type == SQL_NUMERIC()) {
        require Scalar::Util;
        $number = 0 + $text if Scalar::Util::looks_like_number($text);
    }
    else                                   { return -2 }
    if (!defined $number)                  { return $flags & DBIstcf_STRICT() ? 0 : 1 }
    if ($flags & DBIstcf_DISCARD_STRING()) { $_[0] = $number }
    else                                   { no warnings; my $as_number = $_[0] + 0 }
    return 2;
}

sub dbi_time { require Time::HiRes; return Time::HiRes::time() }

sub dump_results { my ($sth, @rest) = @_; return $sth->dump_results(@rest) }

package DBD::_::st;

sub dump_results {
    my ($sth, $maxlen, $line_end, $between, $fh) = @_;
    return 0 if !$sth;
    $maxlen   = 35       if !defined $maxlen;
    $line_end = "\n"     if !defined $line_end;
    $fh       = \*STDOUT if !$fh;
    my $rows = 0;
    while (my $row = DBI::Bridge::next_row($sth)) {
        print {$fh} $line_end if $rows++ && defined $line_end;
        print {$fh} DBI::neat_list($row, $maxlen, $between);
    }
    print {$fh} "\n$rows rows" . ($DBI::err ? " ($DBI::err: $DBI::errstr)" : '') . "\n";
    return $rows;
}

sub blob_copy_to_file {
    my ($sth, $field, $to, $block) = @_;
    $block ||= 4096;
    my $fh = $to;
    if (!ref $fh) { open $fh, '>', $to or return undef; binmode $fh }
    my ($offset, $bytes) = (0, 0);
    while (defined(my $piece = $sth->blob_read($field, $offset, $block))) {
        last if !length $piece;
        print {$fh} $piece;
        $offset += $block;
        $bytes  += length $piece;
    }
    close $fh if !ref $to;
    return $bytes;
}

1;
