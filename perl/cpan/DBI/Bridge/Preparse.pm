# $dbh->preparse($statement, $return, $accept): comments and placeholders of one style into another.
package DBD::_::db;

use strict;
use warnings;
no warnings 'redefine';

sub preparse {
    my ($dbh, $sql, $give, $take) = @_;
    $sql = '' if !defined $sql;
    my ($out, $count, $style) = ('', 0, '');
    my $cm   = sub { DBI->can("DBIpp_cm_$_[0]")->() };
    my $ph   = sub { DBI->can("DBIpp_ph_$_[0]")->() };
    my $fail = sub { $dbh->set_err(1, "preparse found $_[0]") };
    pos($sql) = 0;
    while (pos $sql < length $sql) {
        if ($sql =~ /\G(["'])/gc) {    # a quoted string stays as it is
            my $quote = $1;
            my $from  = pos($sql) - 1;
            if ($sql =~ /\G(?:[^\\$quote]|\\.|$quote$quote)*+$quote/gcs) {
                $out .= substr $sql, $from, pos($sql) - $from;
                next
            }
            $out .= substr $sql, $from;
            $fail->('unterminated ' . ($quote eq "'" ? 'single' : 'double') . '-quoted string');
            return $out;
        }
        my ($text, $line) = (undef, 0);
        if ($take & $cm->('cs') && $sql =~ m{\G/\*}gc) {
            if ($sql !~ m{\G(.*?)\*/}gcs) {
                $fail->('unterminated bracketed C-style comment');
                return $out . substr $sql, pos($sql) - 2
            }
            $text = $1;
        }
        elsif ($take & $cm->('br') && $sql =~ /\G\{/gc) {
            if ($sql !~ /\G([^}]*)\}/gc) {
                $fail->('unterminated bracketed {...} comment');
                return $out . substr $sql, pos($sql) - 1
            }
            $text = $1;
        }
        elsif ($take & $cm->('hs') && $sql =~ /\G#([^\n]*)/gc)           { ($text, $line) = ($1, 1) }
        elsif ($take & $cm->('dd') && $sql =~ /\G--([^\n]*)/gc)          { ($text, $line) = ($1, 1) }
        elsif ($take & $cm->('dw') && $sql =~ /\G--(?=[ \t])([^\n]*)/gc) { ($text, $line) = ($1, 1) }
        if (defined $text) {
            my $newline = $line ? '' : "\n";    # a bracketed comment that becomes a line comment ends its line
            $out .=
                  $give & $cm->('cs') ? "/*$text*/"
                : $give & $cm->('br') ? "{$text}"
                : $give & $cm->('hs') ? "#$text$newline"
                : $give & $cm->('dd') ? "--$text$newline"
                : $give & $cm->('dw') ? "-- $text$newline"
                : $line               ? ''
                :                       ' ';
            if (!$line && $give & ($cm->('hs') | $cm->('dd') | $cm->('dw')) && !($give & ($cm->('cs') | $cm->('br')))) {
                $sql =~ /\G(?=\n)/gc and chop $out
            }
            next;
        }
        my ($name, $kind);
        if ($take & $ph->('qm') && $sql =~ /\G\?/gc) { ($name, $kind) = ($count + 1, '?') }
        elsif ($take & $ph->('cn') && $sql =~ /\G:(\d+)/gc) {
            ($name, $kind) = ($1, ':1');
            if ($name != $count + 1 && (!$style || $style eq ':1')) {
                $fail->("placeholder :$name out of sequence, expected :" . ($count + 1));
                return undef
            }
        }
        elsif ($take & $ph->('cs') && $sql =~ /\G:([A-Za-z_]\w*)/gc) { ($name, $kind) = ($1, ':name') }
        if ($kind) {
            $count++;
            if ($style && $style ne $kind) {
                $fail->('mixed placeholder styles (' . join(' / ', sort $style, $kind) . ')');
                return undef
            }
            $style = $kind;
            $out .=
                  $give & $ph->('qm') ? '?'
                : $give & $ph->('sp') ? '%s'
                : $give & $ph->('cn') ? ":p$count"
                : $give & $ph->('cs') ? ($kind eq ':name' ? ":$name" : ":p$count")
                : $kind eq '?'        ? '?'
                :                       ":$name";
            next;
        }
        $out .= $1 if $sql =~ /\G(.)/gcs;
    }
    return $out;
}

1;
