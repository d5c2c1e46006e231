# Things done to handles themselves: installed methods, clones, swapped insides, child handles, dumps, threads.
package DBI;

use strict;
use warnings;
no warnings 'redefine';

our %installed_drh;

sub visit_handles {
    my ($class, $code, $info) = @_;
    my %done;
    for my $drh (values %installed_drh) {
        next if $done{$drh}++;
        my $below = $code->($drh, $info) or next;
        $drh->visit_child_handles($code, $below);
    }
    return $info;
}

sub _get_imp_data { my ($h) = @_; return (tied(%$h) || $h)->{bridge_imp_data} }

sub dump_handle { my ($h, @rest) = @_; return DBD::_::common::dump_handle(tied(%$h) || $h, @rest) }

sub _handles { my ($h) = @_; my $i = tied(%$h) || $h; return (DBI::Bridge::outer($i), $i) }

sub _rebless { my ($h, $class) = @_; return DBI::Bridge::rebless($h, $class) }

package DBD::_::common;

sub install_method {    # DBD::Foo::db->install_method('foo_bar'): $dbh->foo_bar becomes an ordinary method
    my ($class, $method, $attr) = @_;
    my ($driver, $type) = $class =~ /^DBD::(\w+)::(dr|db|st)\z/
        or DBI::Bridge::croak("Class '$class' must begin with DBD:: and end with ::dr, ::db or ::st");
    DBI::Bridge::croak("install_method: method name '$method' must begin with the driver's prefix and an underscore")
        if $method !~ /^[a-z]\w*?_./;
    DBI->_install_method("DBI::${type}::$method", (caller)[1], $attr);
    return;
}

# 'DBI::db::foo_bar' becomes a method; $attr: O => 4 keeps the error state, U => [ fewest, most, usage ] with the handle counted
sub DBI::_install_method {
    my ($class, $full, $file, $attr) = @_;
    my ($type, $method) = $full =~ /^DBI::(dr|db|st)::(\w+)\z/
        or DBI::Bridge::croak("_install_method: '$full' is not of DBI::dr, DBI::db or DBI::st");
    my $usage = $attr && ref $attr->{U} ? $attr->{U} : undef;
    my ($min, $max) = $usage ? ($usage->[0] - 1, $usage->[1] ? $usage->[1] - 1 : -1) : (0, -1);
    my $flags = $attr && $attr->{O} && $attr->{O} & 4 ? DBI::KEEP() : 0;
    $DBI::DISPATCH{"$type/$method"} = $DBI::DISPATCH{$method} =
        [$method, $min, $max, $flags, $usage && defined $usage->[2] ? $usage->[2] : ''];
    $DBI::INSTALLED{$full} = $attr;
    no strict 'refs';
    *$full = $flags ? DBI::keeper($method, $min, $max, $flags) : DBI::dispatcher($method, $min, $max, $flags);
    return;
}

sub private_attribute_info { return undef }
sub private_data           { my ($h) = @_; return $h->{bridge_imp_data} }

sub FETCH_many {
    my ($h, @keys) = @_;
    return map { scalar $h->FETCH($_) } @keys
}

sub visit_child_handles {
    my ($h, $code, $info) = @_;
    $h = tied(%$h) || $h;
    for my $kid (grep { defined } @{ $h->{bridge_kids} || [] }) {
        my $outer = DBI::Bridge::outer($kid);
        my $below = $code->($outer, $info) or next;
        $outer->visit_child_handles($code, $below);
    }
    return $info;
}

sub swap_inner_handle {
    my ($h, $other, $reparent) = @_;
    my $mine    = tied(%$h) || $h;
    my $other_i = tied %$other or return $mine->set_err($DBI::stderr, 'swap_inner_handle needs a handle');
    my ($t1, $t2) = ($mine->{Type}, $other_i->{Type});
    return $mine->set_err($DBI::stderr, "Can't swap_inner_handle between ${t1}h and ${t2}h") if $t1 ne $t2;
    if (!$reparent && $mine->{bridge_parent} != $other_i->{bridge_parent}) {
        return $mine->set_err($DBI::stderr, "Can't swap_inner_handle with handle from different parent");
    }
    my $outer = DBI::Bridge::outer($mine);
    no warnings;
    untie %$outer;
    untie %$other;
    tie %$outer, 'DBI::Bridge::Tie', $other_i;
    tie %$other, 'DBI::Bridge::Tie', $mine;
    DBI::weaken($other_i->{bridge_outer} = $outer);
    DBI::weaken($mine->{bridge_outer}    = $other);
    return 1;
}

sub dump_handle {
    my ($h, $message, $level) = @_;
    $h       = tied(%$h) || $h;
    $message = 'dump_handle' if !defined $message;
    my $indent = '      ';
    my $text =
          "    $message (dbih_dumpcom $h outer "
        . (defined $h->{bridge_outer} ? $h->{bridge_outer} : 'gone') . "):\n"
        . "$indent Type $h->{Type} ImplementorClass $h->{ImplementorClass}\n"
        . "$indent Kids "
        . (scalar grep { defined } @{ $h->{bridge_kids} || [] })
        . ' Active '
        . ($h->{Active} ? 1 : 0) . "\n";
    for my $key (sort grep { !/^bridge_/ } keys %$h) {
        $text .= "$indent $key: " . DBI::neat($h->{$key}) . "\n"
    }
    DBI::Bridge::trace_print($text);
    return;
}

package DBD::_::db;

sub clone {
    my ($dbh, $attr) = @_;
    my $closure = $dbh->{dbi_connect_closure}
        or return $dbh->set_err($DBI::stderr, "Can't clone handle: it was not made by DBI->connect");
    my %over;
    if (!$attr) {    # like it is now
        for my $key (
            qw(Warn PrintError PrintWarn RaiseError RaiseWarn HandleError HandleSetErr ShowErrorStatement FetchHashKeyName ChopBlanks
            LongReadLen LongTruncOk TaintIn TaintOut TraceLevel CompatMode AutoInactiveDestroy ReadOnly AutoCommit RootClass Profile Callbacks InactiveDestroy)
            )
        {
            my $value = $dbh->FETCH($key);
            $over{$key} = $value if defined $value;
        }
    }
    %over = (%over, $attr ? %$attr : ());
    my $new = $closure->($dbh, \%over) or return $dbh->set_err($DBI::err, $DBI::errstr, $DBI::state);
    $new->{dbi_connect_closure} = $closure;
    return $new;
}

sub take_imp_data {
    my ($dbh) = @_;
    $dbh = tied(%$dbh) || $dbh;
    for my $sth (grep { defined } @{ $dbh->{bridge_kids} || [] }) {
        $sth->finish if $sth->{Active};
        $sth->{Active} = '';
        my $outer = $sth->{bridge_outer};
        @$sth{qw(bridge_parent Database)} = ();
        bless $outer, 'DBI::zombie' if $outer;
    }
    my $outer = DBI::Bridge::outer($dbh);
    my $data  = pack 'a8 N a*', 'DBIimp1', $$, join "\0", map { "$_=" . DBI::neat($dbh->{$_}) }
        grep { !ref $dbh->{$_} && defined $dbh->{$_} && !/^bridge_/ } sort keys %$dbh;
    $dbh->{CachedKids} = undef;
    my $parent = $dbh->{bridge_parent};
    no warnings;    # builtin::weaken calls itself experimental in some perls
    my @others = grep { $_ && $_ != $dbh } @{ $parent->{bridge_kids} };
    @{ $parent->{bridge_kids} } = ();
    for my $other (@others) { push @{ $parent->{bridge_kids} }, $other; DBI::weaken($parent->{bridge_kids}[-1]) }
    DBI::Bridge::take_over($dbh);
    return $data;
}

sub DBI::Bridge::take_over {    # the handle is dead from here on; each use says so
    my ($dbh) = @_;
    $dbh->{Active}           = '';
    $dbh->{ImplementorClass} = 'DBI::Bridge::Taken';
    @DBI::Bridge::Taken::ISA = ('DBD::_::db');
    return;
}

for my $method (qw(FETCH STORE disconnect quote prepare do ping commit rollback)) {
    no strict 'refs';
    *{"DBI::Bridge::Taken::$method"} = sub {
        warn "Can't call $method method on handle $_[0] after take_imp_data()" . DBI::Bridge::at_caller();
        return undef;
    };
}
sub DBI::Bridge::Taken::DESTROY { return }

1;
