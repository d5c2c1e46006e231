# trace: levels, flags, where the text goes.
package DBI;

use strict;
use warnings;
no warnings 'redefine';

our ($dbi_debug, $WATCH, $VERSION);
my $OUT;    # undef = STDERR
my $OUT_NAME  = '';
my %FLAG      = (SQL => 0x100, CON => 0x200, ENC => 0x400, DBD => 0x800, TXN => 0x1000, ALL => 0x7FFFFF00);

sub _set_trace_file {
    my ($to) = @_;
    return 1 if !defined $to || $to eq '';
    if (ref \$to eq 'GLOB' || ref $to) {    # a file handle of any kind
        $OUT      = ref \$to eq 'GLOB' ? \*$to : $to;
        $OUT_NAME = '';
        return 1;
    }
    if ($to =~ /^(?:\*main::)?(STDERR|STDOUT)\z/) {
        $OUT      = $1 eq 'STDERR' ? undef : \*STDOUT;
        $OUT_NAME = '';
        return 1;
    }
    return 1 if $to eq $OUT_NAME && $OUT;
    if (!open my $fh, '>>', $to) { warn "Can't open trace file $to: $!"; return 0 }
    else {
        my $was = select $fh;
        $| = 1;
        select $was;
        ($OUT, $OUT_NAME) = ($fh, $to);
    }
    return 1;
}

sub DBI::Bridge::trace_print {
    my ($text) = @_;
    no warnings;
    if ($OUT) { print {$OUT} $text }
    else      { print STDERR $text }
    return;
}

sub trace {    # DBI->trace or DBI::trace: the global level
    my ($class, $level, $file) = @_;
    return DBD::_::common::trace(tied(%$class) || $class, $level, $file) if ref $class;
    my $old = $dbi_debug;
    $level = parse_trace_flags($class, $level) if defined $level && $level !~ /^\d+\z/;
    if (@_ > 2 && !defined $file && defined $level && $level == 0) { _set_trace_file('STDERR') }
    elsif (defined $file)                                          { _set_trace_file($file) }
    if (defined $level) {
        $dbi_debug = 0 + $level;
        DBI::Bridge::trace_print(
            sprintf "    DBI %s-thread default trace level set to 0x%x/%d (pid %d) at %s line %d\n",
            $VERSION, $level & ~15, $level & 15, $$, (caller)[1, 2]
        ) if $level && ($level & 15);
        $WATCH = $dbi_debug ? 1 : 0;
        DBI::Bridge::unsettle_all() if $WATCH;
        if (!$dbi_debug && @_ > 2 && !defined $file) { ($OUT, $OUT_NAME) = (undef, '') }
    }
    return $old;
}

sub trace_msg {
    my ($class, $text, $min) = @_;
    return DBD::_::common::trace_msg(tied(%$class) || $class, $text, $min) if ref $class;
    $min = 1                                                               if !defined $min;
    return ''                                                              if ($dbi_debug & 15) < $min;
    DBI::Bridge::trace_print($text);
    return 1;
}

sub parse_trace_flag {
    my ($h, $name) = @_;
    return $FLAG{$name};
}

sub parse_trace_flags {
    my ($h,     $spec)  = @_;
    my ($level, $flags) = (0, 0);
    my @unknown;
    for my $word (split /\s*[|&,]\s*/, $spec) {
        if ($word =~ /^\d+\z/ && $word >= 0 && $word <= 0xF) { $level = $word }
        elsif ($word =~ /^\d+\z/)                            { $flags |= $word }
        elsif (uc $word eq 'ALL')                            { $flags = $FLAG{ALL}; last }
        elsif (length $word) {
            my $bit = ref $h ? $h->parse_trace_flag($word) : parse_trace_flag($h, $word);
            if ($bit) { $flags |= $bit }
            else { push @unknown, $word }
        }
    }
    if (@unknown && (ref $h ? $h->FETCH('Warn') : 1)) {
        DBI::Bridge::carp("$h->parse_trace_flags($spec) ignored unknown trace flags: " . join ' ',
            map { DBI::neat($_) } @unknown);
    }
    return $flags | $level;
}

sub DBI::Bridge::trace_from_environment {
    my $spec = $ENV{DBI_TRACE};
    my $file;
    if ($spec =~ s/^([^=]*)=(.*)\z/$1/s) { $file = $2 }
    elsif ($spec !~ /^[\d|&,\s\w]*\z/ || $spec =~ m{[/.]}) { ($spec, $file) = (2, $spec) }
    trace('DBI', $spec, $file);
    return;
}

sub DBI::Bridge::trace_install {
    my ($package, $file) = @_;
    no strict 'refs';
    my $version = ${"${package}::VERSION"};
    trace_msg('DBI',
        "       install_driver: $package version " . (defined $version ? $version : 'undef') . " loaded from $file\n",
        2);
    return;
}

package DBD::_::common;

sub trace {
    my ($h, $level, $file) = @_;
    $h = tied(%$h) || $h;
    my $old = $h->{TraceLevel} || 0;
    DBI::_set_trace_file($file) if defined $file;
    if (defined $level) {
        $h->{TraceLevel} = $level =~ /^\d+\z/ ? 0 + $level : $h->parse_trace_flags($level);
        DBI::Bridge::watch_again($h) if defined &DBI::Bridge::watch_again || DBI::load_part('Attrs') || 1;
        if (my $n = $h->{TraceLevel}) {
            DBI::Bridge::trace_print(
                sprintf "    %s trace level set to 0x%x/%d (DBI @ 0x%x/%d) in DBI %s (pid %d)\n", "$h", $n & ~15,
                $n & 15,
                $dbi_debug & ~15, $dbi_debug & 15, $VERSION, $$
            ) if $n & 15;
        }
    }
    return $old;
}
{ no warnings 'once'; *debug = \&trace }

sub trace_msg {
    my ($h, $text, $min) = @_;
    $h   = tied(%$h) || $h;
    $min = 1 if !defined $min;
    my $level = $h->{TraceLevel} || 0;
    $level = $dbi_debug & 15 if ($level & 15) < ($dbi_debug & 15);
    return '' if ($level & 15) < $min && !($min > 15 && $level & $min);
    DBI::Bridge::trace_print($text);
    return 1;
}

sub parse_trace_flag  { goto &DBI::parse_trace_flag }
sub parse_trace_flags { goto &DBI::parse_trace_flags }

1;
