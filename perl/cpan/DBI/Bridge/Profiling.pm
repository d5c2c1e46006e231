# Taking profile samples: where in the tree a call belongs, and adding it there. The reports are in DBI/Profile.pm.
package DBI;

use strict;
use warnings;
no warnings 'redefine';

my %UNRELATED = map { $_ => 1 }
    qw(commit rollback begin_work disconnect connected ping take_imp_data data_sources disconnect_all clone);
my %UNSEEN = map { $_ => 1 } qw(FETCH err errstr state trace trace_msg func FETCH_many);

sub DBI::Bridge::profile_object {    # what was assigned to $h->{Profile}, as an object or undef
    my ($value) = @_;
    return undef if !defined $value;
    require DBI::Profile;
    if (ref $value) {
        bless $value, 'DBI::Profile' if ref $value eq 'HASH';
        $value->{Path} = [] if ref $value->{Path} ne 'ARRAY' && !exists $value->{Path};
        return $value;
    }
    return DBI::Profile->_auto_new($value);
}

sub DBI::Bridge::profile_call {
    my ($i, $outer, $method, $started) = @_;
    return if $UNSEEN{$method};
    my $ended     = DBI::Bridge::now();
    my $statement = $UNRELATED{$method} ? '' : $i->{Statement};
    sample($i, $statement, $method, $started, $ended);
    return;
}

sub dbi_profile {    # ($h or { name => $h, ... }, $statement, $method, $t1, $t2)
    my ($h, $statement, $method, $t1, $t2) = @_;
    return if !ref $h;
    if (ref $h eq 'HASH') {
        my $leaf;
        for my $one (grep { ref } values %$h) {
            $leaf = dbi_profile($one, $statement, $method, $t1, $t2)
        }
        return $leaf;
    }
    my $i = tied(%$h) || $h;
    return if !$i->{Profile};
    return sample($i, defined $statement ? $statement : $i->{Statement}, $method, $t1, $t2);
}

sub sample {
    my ($i, $statement, $method, $t1, $t2) = @_;
    my $profile = $i->{Profile};
    $statement = '' if !defined $statement;
    my $path = ref $profile->{Path} eq 'ARRAY' ? $profile->{Path} : ['!Statement'];
    my $slot = \$profile->{Data};
    for my $part (@$path) {
        my @here = keys_for($i, $part, $statement, $method, $t2);
        return if grep { ref $_ eq 'SCALAR' && !defined $$_ } @here;    # vetoed
        for my $key (map { defined $_ ? $_ : 'undef' } @here) {
            $$slot = {} if ref $$slot ne 'HASH';
            $slot  = \${$slot}->{$key};
        }
    }
    $$slot = [] if ref $$slot ne 'ARRAY';
    add_sample($$slot, $t1, $t2 - $t1);
    return $$slot;
}

sub add_sample {
    my ($leaf, $at, $took) = @_;
    if (!@$leaf) { @$leaf = (1, $took, $took, $took, $took, $at, $at); return }
    $leaf->[0]++;
    $leaf->[1] += $took;
    $leaf->[3] = $took if $took < $leaf->[3];
    $leaf->[4] = $took if $took > $leaf->[4];
    $leaf->[6] = $at;
    return;
}

sub keys_for {    # the value, or values, of one Path element
    my ($i, $part, $statement, $method, $now) = @_;
    if (ref $part eq 'CODE') {
        local $_ = $statement;
        return $part->(DBI::Bridge::outer_now($i), $method);
    }
    return $$part if ref $part eq 'SCALAR';
    if ($part =~ /^\{(.*)\}\z/s) {
        my $name = $1;
        my $dbh  = $i->{Type} eq 'st' && !exists $i->{$name} ? $i->{bridge_parent} : $i;
        return defined $dbh->{$name} ? "$dbh->{$name}" : '';
    }
    return $part      if $part !~ /^!/;
    return $statement if $part eq '!Statement';
    return $method    if $part eq '!MethodName';
    if ($part eq '!MethodClass') {
        my $code = $i->{ImplementorClass}->can($method) or return "$i->{ImplementorClass}::$method";
        require B;
        return B::svref_2object($code)->GV->STASH->NAME . "::$method";
    }
    if ($part =~ /^!(Caller|File)(2?)\z/) { return callers($1 eq 'Caller', $2) }
    return int $now            if $part eq '!Time';
    return int($now / $1) * $1 if $part =~ /^!Time~(\d+)\z/ && $1;
    return $part;
}

sub callers {
    my ($lines, $two) = @_;
    my @found;
    my $depth = 0;
    while (my ($package, $file, $line) = caller $depth++) {
        next if $package =~ /^DB[ID](?:::|\z)/;
        my ($name) = $file =~ m{([^/\\]+)\z};
        push @found, $lines ? "$name line $line" : $name;
        last if @found == ($two ? 2 : 1);
    }
    return join ' via ', @found;
}

sub DBI::Bridge::outer_now {    # the outer handle, or the inner one while that is being destroyed
    my ($i) = @_;
    return $i->{bridge_outer} || $i;
}

sub dbi_profile_merge_nodes {
    my ($to, @from) = @_;
    DBI::Bridge::croak(
        'dbi_profile_merge_nodes(' . (defined $to ? $to : 'undef') . ', ...) destination is not an array reference')
        if ref $to ne 'ARRAY';
    for my $node (@from) {
        next if !defined $node;
        if (ref $node eq 'HASH') { dbi_profile_merge_nodes($to, values %$node); next }
        next if ref $node ne 'ARRAY' || !$node->[0];
        if (!@$to) { @$to = @$node; next }
        $to->[0] += $node->[0];
        $to->[1] += $node->[1];
        $to->[2] = $node->[2] if $node->[5] < $to->[5];
        $to->[3] = $node->[3] if $node->[3] < $to->[3];
        $to->[4] = $node->[4] if $node->[4] > $to->[4];
        $to->[5] = $node->[5] if $node->[5] < $to->[5];
        $to->[6] = $node->[6] if $node->[6] > $to->[6];
    }
    return @$to ? $to->[1] : 0;
}

sub dbi_profile_merge { goto &dbi_profile_merge_nodes }

1;
