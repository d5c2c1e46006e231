# Attributes that are computed when read, or checked when written. DBD::_::common::FETCH and STORE deal with the plain ones.
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

# known and silently undef when nobody has set them
my %MAYBE = map { $_ => 1 }
    qw(CursorName ParamValues ParamArrays ParamTypes RowsInCache RowCacheSize TYPE PRECISION SCALE NULLABLE NAME
    NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash NUM_OF_FIELDS NUM_OF_PARAMS Statement Driver Database Name Username Profile Callbacks
    HandleError HandleSetErr CachedKids ReadOnly AutoCommit Version Attribution RootClass LongReadLen MultiThread);
my %ST_ONLY = map { $_ => 1 }
    qw(CursorName ParamValues ParamArrays ParamTypes RowsInCache TYPE PRECISION SCALE NULLABLE NAME NAME_lc NAME_uc
    NAME_hash NAME_lc_hash NAME_uc_hash NUM_OF_FIELDS NUM_OF_PARAMS Database);
my %NOT_ST = map { $_ => 1 } qw(Name Username Version Attribution);

sub live_kids {
    return grep { defined } @{ $_[0]{bridge_kids} || [] }
}

sub outer_kids {
    my ($i) = @_;
    no warnings;
    my @outer = map { $_ && $_->{bridge_outer} } @{ $i->{bridge_kids} || [] };
    for (@outer) { DBI::weaken($_) if ref $_ }
    return \@outer;
}

sub names {    # NAME in lower or upper case, remembered as long as the driver gives the same NAME
    my ($i, $key) = @_;
    return $i->{$key} if $i->{$key};
    my $names  = $i->FETCH('NAME') or return undef;
    my $known  = $i->{bridge_cases} ||= {};
    my $cached = $known->{$key};
    return $cached->[1] if $cached && $cached->[0] == $names && @{ $cached->[1] } == @$names;
    my @names = $key eq 'NAME_lc' ? map { lc } @$names : map { uc } @$names;
    $known->{$key} = [$names, \@names];
    return \@names;
}

sub name_hash {
    my ($i, $key) = @_;
    return $i->{$key} if $i->{$key};
    (my $list = $key) =~ s/_hash\z//;
    my $names = $i->FETCH($list) or return undef;
    my %at;
    @at{ reverse @$names } = reverse 0 .. $#$names;    # of equal names the first counts
    return \%at;
}

my %FETCH = (
    Driver     => sub { my $p = $_[0]{Driver};   return $p && outer($p) },
    Database   => sub { my $p = $_[0]{Database}; return $p && outer($p) },
    Kids       => sub { return scalar live_kids($_[0]) },
    ActiveKids => sub {
        return scalar grep { $_->{Active} } live_kids($_[0])
    },
    ChildHandles  => sub { return outer_kids($_[0]) },
    NAME_lc       => \&names,     NAME_uc      => \&names,
    NAME_hash     => \&name_hash, NAME_lc_hash => \&name_hash, NAME_uc_hash => \&name_hash,
    Taint         => sub { return !!($_[0]{TaintIn} && $_[0]{TaintOut}) },
    TaintIn       => sub { return !!$_[0]{TaintIn} },
    TaintOut      => sub { return !!$_[0]{TaintOut} },
    ErrCount      => sub { return $_[0]{ErrCount} || 0 },
    Debug         => sub { return $_[0]{TraceLevel} },
    NUM_OF_PARAMS => sub { my $n = $_[0]{NUM_OF_PARAMS}; return $n || 0 },
    Attribution   => sub { return $_[0]{Attribution} },
);

sub fetch_special {
    my ($i, $key) = @_;
    if (my $code = $FETCH{$key}) { return $code->($i, $key) if !$ST_ONLY{$key} || $i->{Type} eq 'st' }
    return $i->{$key} if exists $i->{$key};
    my $type = $i->{Type};
    return undef if $MAYBE{$key} && ($type eq 'st' ? !$NOT_ST{$key} : !$ST_ONLY{$key});
    carp("Can't get $i" . "->{$key}: unrecognised attribute name") if $key =~ /^[^a-z]/;
    return undef;
}

my $plain = sub { $_[0]{ $_[1] } = $_[2]; return 1 };

sub watch_again {
    my ($i) = @_;
    $i->{bridge_watch} =
        ($i->{TraceLevel} || $i->{Callbacks} || $i->{Profile} || $i->{TaintIn} || $i->{TaintOut}) ? 1 : '';
    hold($i) if $i->{bridge_watch} && $i->{Type} eq 'st';
    return 1;
}

sub forget_names {
    my ($i) = @_;
    hold($i) if $i->{bridge_rows} || $i->{bridge_hash_rows};
    delete @$i{qw(bridge_names bridge_cases)};
    return 1;
}

my %STORE = (
    AutoCommit => sub {
        my ($i, $key, $value) = @_;
        if (defined $value && ($value == -900 || $value == -901)) { $i->{AutoCommit} = $value == -901; return 1 }
        if ($i->{Type} eq 'db') { croak('DBD driver has not implemented the AutoCommit attribute') }
        $i->{AutoCommit} = !!$value;
        return 1;
    },
    TraceLevel => sub {
        my ($i, $key, $value) = @_;
        return 1 if !defined $value;
        $i->{TraceLevel} = $value =~ /^\d+\z/ ? 0 + $value : DBI::outer_flags($i, $value);
        return watch_again($i);
    },
    FetchHashKeyName => sub {
        my ($i, $key, $value) = @_;
        croak("Can't set FetchHashKeyName for a statement handle, set in parent before prepare()")
            if $i->{Type} eq 'st';
        $i->{FetchHashKeyName} = $value;
        return 1;
    },
    Callbacks => sub {
        my ($i, $key, $value) = @_;
        return no_ref(@_) if defined $value && ref $value ne 'HASH';
        $i->{$key} = $value;
        return watch_again($i)
    },
    Profile       => sub { my ($i, $key, $value) = @_; $i->{Profile} = profile_object($value); return watch_again($i) },
    TaintIn       => sub { $_[0]{TaintIn}                   = !!$_[2];       return watch_again($_[0]) },
    TaintOut      => sub { $_[0]{TaintOut}                  = !!$_[2];       return watch_again($_[0]) },
    Taint         => sub { @{ $_[0] }{qw(TaintIn TaintOut)} = (!!$_[2]) x 2; return watch_again($_[0]) },
    NUM_OF_FIELDS => sub {
        my ($i, $key, $value) = @_;
        $i->{NUM_OF_FIELDS} = $value;
        delete @$i{qw(bridge_fbav bridge_bound bridge_next)};
        forget_names($i);
        return 1;
    },
    NAME => sub { $_[0]{NAME} = $_[2]; return forget_names($_[0]) },
    (
        map {
            $_ => sub { $_[0]{ $_[1] } = $_[2]; return forget_names($_[0]) }
        } qw(NAME_lc NAME_uc NAME_hash NAME_lc_hash NAME_uc_hash)
    ),
    (
        map { $_ => $plain }
            qw(NUM_OF_PARAMS CachedKids ErrCount LongReadLen RowCacheSize HandleError HandleSetErr ReadOnly Username RootClass
            Statement Name Version Attribution CursorName DebugDispatch MultiThread ParamValues ParamArrays ParamTypes RowsInCache)
    ),
    HandleError => sub {
        my ($i, $key, $value) = @_;
        return no_ref(@_) if $value && !UNIVERSAL::isa($value, 'CODE');    # blessed ones, too
        $i->{$key} = $value;
        return 1
    },
    HandleSetErr => sub {
        my ($i, $key, $value) = @_;
        return no_ref(@_) if $value && !UNIVERSAL::isa($value, 'CODE');    # blessed ones, too
        $i->{$key} = $value;
        return 1
    },
    CachedKids => sub {
        my ($i, $key, $value) = @_;
        return no_ref(@_) if defined $value && !ref $value;
        $i->{$key} = $value;
        return 1
    },
    LongReadLen => sub {
        my ($i, $key, $value) = @_;
        return bad_store(@_) if !defined $value || $value =~ /^-/;
        $i->{$key} = 0 + $value;
        return 1
    },
    ErrCount => sub { $_[0]{ErrCount} = $_[2] ? 0 + $_[2] : 0; return 1 },
);

sub no_ref {
    my ($i, $key, $value) = @_;
    croak("Can't set $key to '" . DBI::neat($value) . "'");
}

sub bad_store {
    my ($i, $key) = @_;
    carp("Can't set $i" . "->{$key}: unrecognised attribute name or invalid value");
    return '';
}

sub store_special {
    my ($i, $key, $value) = @_;
    if (my $code = $STORE{$key}) { return $code->($i, $key, $value) }
    if ($key =~ /^(?:private_|dbd_|dbi_)/) { $i->{$key} = $value; return 1 }
    return bad_store($i, $key) if $key =~ /^[^a-z]/;
    return '';
}

sub DBI::outer_flags { my ($i, $text) = @_; return DBD::_::common::parse_trace_flags($i, $text) }

1;
