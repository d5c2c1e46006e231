package CPANBridge::MySQL::Binding;

# Binding with a type, many tuples at a time, placeholders among quotes and comments, and quoting.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

my $NUMBER  = qr/\A\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*\z/;
my $LEADING = qr/\A(\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/;

# SQL type → class for the daemon: 1 integer, 2 floating, 3 decimal, 4 binary; all others are strings
my %CLASS = (-6 => 1, -5 => 1, 4 => 1, 5 => 1, 6 => 2, 7 => 2, 8 => 2, 2 => 3, 3 => 3);
my %BINARY = map { $_ => 4 } -7, -4, -3, -2, 30;

package CPANBridge::MySQL;

sub class_of {
    my ($flavour, $type) = @_;
    return 0            if !defined $type;
    return $CLASS{$type} if $CLASS{$type};
    return 0            if !$flavour->{strict};
    return 1            if $type == 16;
    return $BINARY{$type} || 0;
}

# Character sets in which the second byte of a character may look like a backslash: its characters of two bytes, and what begins one.
my %PAIRED = (
    big5 => [qr/[\xa1-\xf9][\x40-\x7e\xa1-\xfe]/,         qr/[\xa1-\xf9]/],
    gbk  => [qr/[\x81-\xfe][\x40-\x7e\x80-\xfe]/,         qr/[\x81-\xfe]/],
    sjis => [qr/[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]/, qr/[\x81-\x9f\xe0-\xfc]/],
);
@PAIRED{qw(gb18030 cp932)} = @PAIRED{qw(gbk sjis)};
my %LETTER = ("\0" => '0', "\n" => 'n', "\r" => 'r', "\x1a" => 'Z');

sub quote_text {    # as the server wants it, between quotes
    my ($text, $no_backslashes, $charset) = @_;
    if ($no_backslashes) { $text =~ s/'/''/g }
    elsif (my $paired = $charset && $PAIRED{ lc $charset }) {
        my ($pair, $first) = @$paired;
        utf8::encode($text) if utf8::is_utf8($text);    # the bytes count, which are what is sent
        $text =~ s/($pair)|($first)|([\\'"\0\n\r\x1a])/defined $1 ? $1 : '\\' . (defined $2 ? $2 : defined $LETTER{$3} ? $LETTER{$3} : $3)/ge;
    }
    else {
        $text =~ s/([\\'"])/\\$1/g;
        $text =~ s/\0/\\0/g;
        $text =~ s/\n/\\n/g;
        $text =~ s/\r/\\r/g;
        $text =~ s/\x1a/\\Z/g;
    }
    return "'$text'";
}

# Quotes hide placeholders, and comments do, unless the script wants those filled in, too.
sub _count_placeholders {
    my ($sql, $in_comments) = @_;
    my $count = 0;
    while ($sql =~ m{([?'"`]|/\*|--)}g) {
        my $token = $1;
        if    ($token eq '?')     { $count++ }
        elsif (length $token > 1) {
            next if $in_comments;
            my $close = $token eq '--' ? "\n" : '*/';
            my $end   = index $sql, $close, pos $sql;
            pos($sql) = $end + length $close if $end >= 0;
        }
        else { _behind_quote(\$sql, $token) or last }
    }
    return $count;
}

sub _behind_quote {    # a backslash takes what follows it along, in every kind of quotes
    my ($sql, $quote) = @_;
    while ($$sql =~ /([\\$quote])/g) {
        return 1 if $1 eq $quote;
        return if pos($$sql) >= length $$sql;
        pos($$sql)++;
    }
    return;
}

sub _send_batch {
    my ($driver, $sth, $tuples) = @_;
    my $conn = $sth->{bridge_conn};
    my $sent = ($sth->{bridge_sent} || 0) == $conn->{id};
    $_ = CPANBridge::MySQL::st::_typed($sth, $_) for $sth->{bridge_types} ? @$tuples : ();
    my $reply =
        CPANBridge::Driver::call($sth, 'execute_many', $conn->{id}, $sth->{bridge_id}, $sent ? undef : $sth->{bridge_sql},
        $tuples, 0) or return;
    $sth->{bridge_sent} = $conn->{id};
    my $rowid = $reply->[2];
    $sth->{bridge_insertid} = $conn->{insertid} = $rowid if $rowid;
    return $reply;
}

package CPANBridge::MySQL::db;

my %UNQUOTED = map { $_ => 1 } -7 .. -5, 2 .. 8;

sub quote {
    my ($dbh, $value, $type) = @_;
    my $conn = $dbh->{bridge_conn};
    if ($conn->{async} || !$conn->{active} && $conn->{flavour}{strict}) {
        CPANBridge::MySQL::_ready($dbh, 'quote') or return undef;
    }
    return 'NULL' if !defined $value;
    if (defined $type && $type =~ /\A-?\d+\z/) {
        return $value if $UNQUOTED{$type};
        if ($conn->{flavour}{strict} && $BINARY{$type}) {
            my $bytes = "$value";
            utf8::downgrade($bytes, 1)
                or CPANBridge::Driver::croak('Wide character in subroutine entry');
            return "X'" . uc(unpack 'H*', $bytes) . "'";
        }
    }
    my $status = $conn->{status};
    my $plain  = defined $status ? $status & 512 : $conn->{facts}{no_backslash_escapes};
    return CPANBridge::MySQL::quote_text("$value", $plain, $conn->{facts}{charset});
}

package CPANBridge::MySQL::st;

sub bind_param {
    my ($sth, $number, $value, $attr) = @_;
    my $conn    = $sth->{bridge_conn};
    my $flavour = $conn->{flavour};
    if ($conn->{async}) { return CPANBridge::MySQL::_ready($sth, 'bind_param') }
    if (!defined $number || $number !~ /\A\d+\z/ || $number < 1 || $number > $sth->{bridge_params}) {
        $sth->set_err(@{ $flavour->{err_param} });
        return '';
    }
    my $type  = ref $attr ? $attr->{TYPE} : $attr;
    my $class = CPANBridge::MySQL::class_of($flavour, $type);
    my $ok    = 1;
    $value = "$value" if ref $value;
    if ($class && $class < 4 && defined $value && $value !~ $NUMBER) {
        my ($err, undef, $state) = @{ $flavour->{err_bind} };
        $sth->set_err($err, "Binding non-numeric field $number, value '$value' as a numeric!", $state);
        return '' if $flavour->{strict};
    }
    if ($class == 4 && defined $value && !utf8::downgrade(my $bytes = $value, 1)) {
        CPANBridge::Driver::croak('Wide character in bind_param');
    }
    $sth->{bridge_binds}[$number - 1] = $value;
    if ($class)                     { $sth->{bridge_types}{ $number - 1 } = $class }
    elsif ($sth->{bridge_types} && defined $attr) {
        delete $sth->{bridge_types}{ $number - 1 };
        delete $sth->{bridge_types} if !%{ $sth->{bridge_types} };
    }
    return 1;
}

sub bind_param_inout {
    my ($sth) = @_;
    if ($sth->{bridge_conn}{async}) { return CPANBridge::MySQL::_ready($sth, 'bind_param_inout') }
    $sth->set_err(@{ $sth->{bridge_conn}{flavour}{err_unsupported} });
    return '';
}

# The values with their classes, as the daemon wants them.
sub _typed {
    my ($sth, $binds) = @_;
    my @typed  = @$binds;
    my $strict = $sth->{bridge_conn}{flavour}{strict};
    my $types  = $sth->{bridge_types};
    for my $i (keys %$types) {
        next if !defined $typed[$i];
        my $class = $types->{$i};
        if ($class < 4 && $typed[$i] !~ $NUMBER) {
            next if $strict;
            $typed[$i] = $typed[$i] =~ $LEADING ? $1 : '';
        }
        $typed[$i] = [$typed[$i], $class];
    }
    return \@typed;
}

# execute without values: DBD::MariaDB wants each placeholder bound, DBD::mysql takes NULL for those that are not.
sub _unbound {
    my ($sth, $binds) = @_;
    my $params = $sth->{bridge_params};
    if ($sth->{bridge_conn}{flavour}{strict}) {
        return 1 if !grep { !exists $binds->[$_] } 0 .. $params - 1;
        return CPANBridge::MySQL::_own_error($sth, 'err_count');
    }
    $#$binds = $params - 1 if @$binds < $params;
    return 1;
}

1;
