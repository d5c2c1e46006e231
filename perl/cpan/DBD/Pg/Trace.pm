package DBD::Pg::Trace;

# The driver's flags for trace, and what is written for those that mean something here: SQL (statements), pglogin (connections).

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg;

my %FLAG = (
    SQL     => 0x00000100, pglibpq => 0x01000000, pgstart => 0x02000000, pgend => 0x04000000, pgprefix => 0x08000000,
    pglogin => 0x10000000, pgquote => 0x20000000, DBD     => 0x7fffff00 - 0x08000000,
);

sub parse_trace_flag { my ($class, $name) = @_; return $FLAG{$name} }

sub parse_trace_flags {
    my ($class, $text)  = @_;
    my ($flags, $level) = (0, 0);
    for my $word (grep { length } split /\s*[|,]\s*|\s+/, $text) {
        if ($word =~ /\A[0-9]+\z/) { $level = $word;               next }
        if ($word eq 'ALL')        { $flags |= 0x7fffffff & ~0xff; next }
        my $flag = $FLAG{$word};
        if (!defined $flag) {
            CPANBridge::Driver::warning("$class->parse_trace_flags($word): unknown trace flag '$word'");
            next
        }
        $flags |= $flag;
    }
    return $flags | $level;
}

sub DBD::Pg::db::parse_trace_flag { my ($h, $name) = @_; return $FLAG{$name} }
sub DBD::Pg::st::parse_trace_flag { my ($h, $name) = @_; return $FLAG{$name} }

my %LOGIN = (connected => 'Connection complete', disconnected => 'Disconnection complete');

sub _traced {
    my ($h, $what, $text) = @_;
    my $level = $h->{TraceLevel} || 0;
    $level = $DBI::dbi_debug if ($DBI::dbi_debug || 0) > $level;
    my $prefix = $level & $FLAG{pgprefix} ? 'dbdpg: ' : '';
    if ($what eq 'sql' || $what eq 'end') {
        my $conn  = $h->{bridge_conn};
        my $begin = $what eq 'sql' && $conn->{begin} && !$conn->{tx} ? "${prefix}begin;\n\n" : '';
        $h->trace_msg("$begin$prefix$text;\n\n", 0) if $level & $FLAG{SQL};
        return;
    }
    return if !($level & $FLAG{pglogin}) && ($level & 15) < 5;
    $text = $what eq 'login' ? "Login connection string: $text" : $LOGIN{$what};
    $h->trace_msg("$prefix$text\n", 0);
    return;
}

1;
