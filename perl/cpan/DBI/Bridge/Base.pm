# The base classes of drivers: what a driver need not write itself, and what it calls through SUPER.
package DBD::_::common;

use strict;
use warnings;

# read as they are; all others go through DBI/Bridge/Attrs.pm
my %PLAIN = map { $_ => 1 }
    qw(Active AutoCommit RaiseError PrintError PrintWarn RaiseWarn Warn ErrCount Type Statement Name Username
    NUM_OF_FIELDS NUM_OF_PARAMS FetchHashKeyName LongReadLen LongTruncOk ChopBlanks ShowErrorStatement CachedKids HandleError
    HandleSetErr ReadOnly TraceLevel Executed BegunWork InactiveDestroy AutoInactiveDestroy NAME RootClass ImplementorClass
    Profile Callbacks CompatMode Err Errstr State);
my %BOOL = map { $_ => 1 }
    qw(RaiseError PrintError PrintWarn RaiseWarn Warn LongTruncOk ChopBlanks ShowErrorStatement Executed
    InactiveDestroy AutoInactiveDestroy CompatMode BegunWork Active);

sub FETCH {
    my ($h, $key) = @_;
    if (exists $h->{$key} && $PLAIN{$key}) {
        my $value = $h->{$key};
        return $BOOL{$key} ? !!$value : $value;
    }
    return $BOOL{$key} ? !1 : DBI::Bridge::fetch_special($h, $key);
}

sub STORE {
    my ($h, $key, $value) = @_;
    if ($BOOL{$key})        { $h->{$key} = !!$value; return 1 }
    if ($key eq 'Username') { $h->{$key} = $value;   return 1 }    # every connect sets it: no reason to load a file
    return DBI::Bridge::store_special($h, $key, $value);
}

sub set_err {
    my ($h, $err, $errstr, $state, $method, $rv) = @_;
    $h = tied(%$h) || $h;
    if (my $handler = $h->{HandleSetErr}) {
        my $outer = DBI::Bridge::outer($h);
        return if ref $handler && $handler->($outer, $err, $errstr, $state, $method);
    }
    my ($old, $text, $code) = @$h{qw(Err Errstr State)};
    if (!defined $err) {
        $$old = $$text = $$code = undef;
        return $rv;
    }
    $errstr = $err if !defined $errstr;
    if (defined $$text && length $$text) {
        $$text .= " [err was $$old now $err]"      if $$old  && $err   && $$old ne $err;
        $$text .= " [state was $$code now $state]" if $$code && $state && $$code ne $state;
        $$text .= "\n$errstr"                      if $$text ne $errstr;
    }
    else { $$text = $errstr }
    if ($err || !defined $$old || !$$old && length $err > length $$old) {
        $$old = $err;
        if ($err)                            { $h->{ErrCount}++ }
        if (defined $state && length $state) { $$code = $state }
        elsif ($err)                         { $$code = undef }     # read as S1000
        DBI::Bridge::unsettle_all();
    }
    $h->{bridge_errmethod} = $method if defined $method;
    return $rv;
}

sub err    { my $i = tied %{ $_[0] } || $_[0]; return ${ $i->{Err} } }
sub errstr { my $i = tied %{ $_[0] } || $_[0]; return ${ $i->{Errstr} } }
sub state  { my $i = tied %{ $_[0] } || $_[0]; return DBI::Bridge::state_of($i->{bridge_me}) }

sub func {
    my ($h, @args) = @_;
    my $name = pop @args;
    my $i    = tied(%$h)                          || $h;
    my $code = $i->{ImplementorClass}->can($name) || DBI::Bridge::no_method($i, $name);
    return $code->($i, @args);
}

sub DESTROY  { return }
sub CLEAR    { return DBI::common::CLEAR(@_) }
sub EXISTS   { return DBI::common::EXISTS(@_) }
sub DELETE   { return DBI::common::DELETE(@_) }
sub FIRSTKEY { return undef }
sub NEXTKEY  { return undef }

package DBD::_::dr;

sub connect {    # a driver writes its own; this one serves drivers that need nothing
    my ($drh, $dsn, $user, $auth) = @_;
    return scalar DBI::_new_dbh($drh, { Name => defined $dsn ? $dsn : '' });
}

package DBD::_::db;

sub connected { return undef }
sub rows      { return -1 }

sub disconnect { $_[0]->STORE(Active => 0); return 1 }

sub ping {
    my ($dbh) = @_;
    return '0 but true'                           if $dbh->FETCH('Active');
    $dbh->set_err(2_000_000_000, 'not connected') if !defined $dbh->err && 0;
    return 0;
}

sub do {
    my ($dbh, $sql, $attr, @binds) = @_;
    my $sth = ($dbh->{Callbacks} ? DBI::Bridge::outer($dbh) : $dbh)->prepare($sql, $attr) or return undef;
    $sth->execute(@binds) or return undef;
    my $rows = $sth->rows;
    return $rows == 0 ? '0E0' : $rows;
}

sub begin_work {
    my ($dbh) = @_;
    return $dbh->set_err(1, 'Already in a transaction') if !$dbh->FETCH('AutoCommit');
    $dbh->STORE(AutoCommit => 0);
    $dbh->{BegunWork} = 1;
    return 1;
}

sub commit   { return }    # for drivers without transactions
sub rollback { return }

sub prepare_cached {
    my ($dbh, $sql, $attr, $if_active) = @_;
    my $cache = $dbh->FETCH('CachedKids');
    $dbh->STORE(CachedKids => $cache = {}) if !$cache;
    my $key = $attr && %$attr ? join("!\001", $sql, DBI::_concat_hash_sorted($attr, "=\001", ",\001", 0, 0)) : $sql;
    my $sth = $cache->{$key};
    if (!$sth || defined $if_active && $if_active == 3 && $sth->FETCH('Active')) {
        $sth = $dbh->prepare($sql, $attr) or return;
        return $cache->{$key} = $sth;
    }
    if ($sth->FETCH('Active')) {
        DBI::Bridge::carp("prepare_cached($sql) statement handle $sth still Active") if !$if_active;
        $sth->finish                                                                 if !$if_active || $if_active != 2;
    }
    return $sth;
}

sub quote {
    my ($dbh, $value, $type) = @_;
    return 'NULL' if !defined $value;
    if (defined $type && $type != DBI::SQL_CHAR() && $type != DBI::SQL_VARCHAR()) {
        return DBI::Bridge::quote_as($dbh, $value, $type)
    }
    (my $text = $value) =~ s/'/''/g;
    return "'$text'";
}

package DBD::_::st;

sub bind_param { DBI::Bridge::croak("Can't bind_param, not implement by driver") }
sub cancel     { return }

sub finish       { $_[0]->STORE(Active => 0); return 1 }
sub rows         { return -1 }
sub more_results { return undef }

sub DESTROY { my ($sth) = @_; $sth->finish if $sth->{Active}; return }

sub fetchrow_arrayref { my $h = shift; my $code = $h->{ImplementorClass}->can('fetch'); return $code->($h) }

sub fetch {
    my $h    = shift;
    my $code = $h->{ImplementorClass}->can('fetchrow_arrayref');
    DBI::Bridge::no_method($h, 'fetch') if $code == \&DBD::_::st::fetchrow_arrayref;
    return $code->($h);
}

sub fetchrow_array {
    my ($h) = @_;
    my $row = DBI::Bridge::next_row($h) or return;
    return wantarray ? @$row : $row->[-1];
}

sub fetchrow_hashref {
    my ($h, $case) = @_;
    my $row = DBI::Bridge::next_row($h) or return undef;
    $case = $h->FETCH('FetchHashKeyName') || 'NAME' if !defined $case;
    my $names = $h->FETCH($case);
    if (ref $names ne 'ARRAY') {
        return $h->set_err($DBI::stderr,
                  "Can't use attribute '$case' because it doesn't contain a reference to an array ("
                . (defined $names ? $names : 'undef')
                . ')');
    }
    my %row;
    @row{@$names} = @$row;
    return \%row;
}

1;
