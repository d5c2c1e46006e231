package CPANBridge::MySQL::Chop;

# ChopBlanks. Only columns of characters are chopped, and what counts is how the attribute is set when a row is fetched: until then rows
# wait as they came, under bridge_later, where our own DBI does not look.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::MySQL::st;

my $BINARY = 63;    # the "character set" of what are no characters

sub _keep_raw {     # rows have come while ChopBlanks is on
    my ($sth) = @_;
    my $rows = delete $sth->{bridge_rows} || [];
    if (my $flat = delete $sth->{bridge_flat}) {
        my $n = @{ $sth->{NAME} };
        push @$rows, [splice @$flat, 0, $n] while @$flat;
    }
    if (my $hashes = delete $sth->{bridge_hash_rows}) {
        my $names = $sth->{NAME};
        push @$rows, map { [@$_{@$names}] } @$hashes;
    }
    push @{ $sth->{bridge_later} }, @$rows;
    return;
}

sub _arrived_raw {
    my ($sth, $rows) = @_;
    $sth->{bridge_later} = [];
    {
        local $sth->{bridge_raw} = 1;
        _without_chopping($sth, sub { _arrived($sth, $rows) });
    }
    return _keep_raw($sth);
}

sub _without_chopping {    # what the base class does, it does to rows as they came
    my ($sth, $work) = @_;
    return $work->() if !$DBI::BRIDGE;    # there FETCH('ChopBlanks') looks at bridge_raw
    local $sth->{ChopBlanks} = '';
    return $work->();
}

sub _chopped_row {
    my ($sth) = @_;
    if (!$sth->{bridge_later} || !@{ $sth->{bridge_later} }) {
        local $sth->{bridge_raw} = 1;
        my $row = _without_chopping($sth, sub { CPANBridge::Driver::st::_next_row($sth) }) or return;
        $sth->{bridge_later} = [$row];
        _keep_raw($sth);
    }
    my @row      = @{ shift @{ $sth->{bridge_later} } };
    my $charsets = $sth->{bridge_meta} && $sth->{bridge_meta}{charsets} || [];
    for my $i (0 .. $#row) {
        $row[$i] =~ s/ +\z// if defined $row[$i] && ($charsets->[$i] || $BINARY) != $BINARY;
    }
    return \@row;
}

sub _store_chop {
    my ($sth, $on) = @_;
    if ($on) {
        my $held = delete $sth->{bridge_held};
        _keep_raw($sth);
        unshift @{ $sth->{bridge_later} }, @$held if $held;
    }
    else {
        my $later = delete $sth->{bridge_later};
        unshift @{ $sth->{bridge_rows} }, @$later if $later && @$later;
    }
    return;
}

1;
