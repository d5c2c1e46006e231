package CPANBridge::Driver::Bulk;

# The short ways that only our own DBI asks for (see the head of DBI.pm): a whole select in one round trip, rows as hashes made by the
# daemon, all rows at once.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package CPANBridge::Driver;

# The work of a driver's bridge_select. $binds is as the daemon wants them (undef: none); $mode and $max as DBI gave them.
sub select_rows {
    my ($dbh, $sql, $binds, $mode, $max, $opts) = @_;
    my $conn  = $dbh->{bridge_conn};
    my $calls = $conn->{calls};
    my $id    = next_id();
    my $limit = $mode eq 'row' ? -1 : $max ? -$max : undef;
    my ($reply, $rows, $seq, $after, $many, $error);
    my $session = $conn->{session};
    my $as      = $mode eq 'hash' ? 'h' : 'a';
    my @fetch   = ($calls->{fetch}, [$id, undef, $as]);
    {
        local $@;
        eval {
            $reply = $session->request($calls->{select}, [$conn->{id}, $id, "$sql", $binds, $as, $limit, $opts ? $opts : ()]);
            $rows  = $reply->[2] || [];
            $session->post(@fetch, \$seq) if !$reply->[1];
            while ($seq) {    # when there are many, the daemon makes the next batch while this one is unpacked here
                $session->post(@fetch, \$after) if $many++ && !$after;
                my ($done, $batch) = @{ $session->await($seq) };
                ($seq, $after) = ($after, 0);
                if ($done)    { $session->forget($seq) if $seq; $seq = 0 }
                elsif (!$seq) { $session->post(@fetch, \$seq) }
                push @$rows, @$batch;
            }
            1;
        } or $error = $@;
    }
    if (defined $error) { $session->forget($_) for grep { $_ } $seq, $after }
    $session->oneway($calls->{finalize}, [$id], 1)  if $reply && !$reply->[1];
    $conn->{driver}->_fail($dbh, $error)            if defined $error;
    return                                          if !$reply;
    $conn->{driver}->_thrown($conn)                 if $conn->{died};
    $conn->{rowid} = $reply->[5]                    if defined $reply->[5];
    $conn->{driver}->_extra($conn, $reply->[3])     if $reply->[3];
    return $rows;    # after an error, those that came before it
}

package CPANBridge::Driver::st;

# Our own DBI asks for rows as hashes: the daemon then sends them so. A batch that was on its way as arrays is turned here.
sub bridge_fetch_as {
    my ($sth, $kind, $case) = @_;
    my $conn = $sth->{bridge_conn};
    return    if !$conn->{active}        || !$sth->{Active};
    return '' if $sth->{bridge_as_bytes} || !_distinct($sth, $case);
    $sth->{bridge_mode} = 'h';
    _more($sth) or return;
    if ($sth->{bridge_rows} && @{ $sth->{bridge_rows} }) {
        my $names = $sth->{bridge_names} = $sth->{NAME};
        my $rows  = delete $sth->{bridge_rows};
        for (@$rows) { my %row; @row{@$names} = @$_; $_ = \%row }
        $sth->{bridge_hash_rows} = $rows;
    }
    return shift @{ $sth->{bridge_hash_rows} };
}

# All rows that are not here yet.
sub bridge_fetchall {
    my ($sth, $kind, $max) = @_;
    my $conn = $sth->{bridge_conn};
    return '' if defined $max || !$conn->{active} || !$sth->{Active} || $sth->{bridge_as_bytes};
    my $hash = $kind eq 'hash';
    return '' if $hash && !_distinct($sth, $sth->{FetchHashKeyName} || 'NAME');
    $sth->{bridge_mode} = $hash ? 'h' : 'a';
    my ($waiting, $hashes_waiting) = delete @$sth{qw(bridge_rows bridge_hash_rows)};    # these are not asked for
    my @all;
    local $sth->{bridge_all} = 1;

    while (_more($sth)) {
        $sth->{bridge_all}++;
        my ($arrays, $hashes) = delete @$sth{qw(bridge_rows bridge_hash_rows)};
        my $names = $sth->{NAME};
        if ($hash && $arrays) {
            push @all, map { my %row; @row{@$names} = @$_; \%row } @$arrays
        }
        elsif (!$hash && $hashes) {
            push @all, map { [@$_{@$names}] } @$hashes
        }
        else { push @all, @{ $arrays || $hashes } }
    }
    @$sth{qw(bridge_rows bridge_hash_rows)} = ($waiting || [], $hashes_waiting || []);
    return defined ${ $sth->{Err} } && !@all ? undef : \@all;    # the rows before an error count
}

# When there are many rows, the daemon makes the next batch while this side unpacks one.
sub _ask_further {
    my ($sth, $session) = @_;
    $session->post($sth->{bridge_conn}{calls}{fetch}, [$sth->{bridge_id}, undef, _mode($sth)], \$sth->{bridge_after})
        if $sth->{bridge_all} > 1 && !$sth->{bridge_cache} && !$sth->{bridge_after};
    return;
}

sub _distinct {    # can rows be hashes keyed by NAME, and is that what is wanted?
    my ($sth, $case) = @_;
    return $sth->{bridge_distinct}{$case} if defined $sth->{bridge_distinct}{$case};
    my $names = $sth->{NAME};
    my %seen;
    my $distinct = (grep { $seen{$_}++ } @$names) ? 0 : 1;
    if ($distinct && $case ne 'NAME') { $distinct = join("\0", @$names) eq join("\0", @{ $sth->FETCH($case) }) }
    return $sth->{bridge_distinct}{$case} = $distinct;
}

1;
