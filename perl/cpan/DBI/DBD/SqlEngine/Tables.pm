# Tables of SqlEngine drivers: what is known of each ("meta", kept in the database handle), the tied hashes scripts see it
# through, and the classes that find and open what tables are kept in.
package DBI::DBD::SqlEngine::TieTables;

use strict;
use warnings;
use Scalar::Util ();

sub TIEHASH {
    my ($class, $table_class, $dbh) = @_;
    my $self = bless { class => $table_class, dbh => $dbh }, $class;
    Scalar::Util::weaken($self->{dbh});
    return $self;
}

sub FETCH {
    my ($self, $table) = @_;
    my ($name, $meta) = $self->{class}->get_table_meta($self->{dbh}, $table, 1);
    return undef if !$meta;
    tie my %meta, 'DBI::DBD::SqlEngine::TieMeta', $self->{class}, $meta;
    return \%meta;
}

sub STORE {
    my ($self, $table, $values) = @_;
    $self->{dbh}->func($table, $values, 'new_sql_engine_meta');
    return;
}

sub DELETE   { my ($self, $table) = @_; $self->{dbh}->func($table, 'clear_sql_engine_meta'); return }
sub EXISTS   { my ($self, $table) = @_; return exists $self->{dbh}{sql_meta}{$table} || exists $self->{dbh}{sql_meta_map}{$table} }
sub FIRSTKEY { my ($self) = @_; my $n = keys %{ $self->{dbh}{sql_meta} }; return each %{ $self->{dbh}{sql_meta} } }
sub NEXTKEY  { my ($self) = @_; return each %{ $self->{dbh}{sql_meta} } }
sub CLEAR    { require Carp; Carp::croak("The hash of tables cannot be emptied: drop the tables") }
sub SCALAR   { my ($self) = @_; return scalar keys %{ $self->{dbh}{sql_meta} } }

package DBI::DBD::SqlEngine::TieMeta;

sub TIEHASH { my ($class, $table_class, $meta) = @_; return bless { class => $table_class, meta => $meta }, $class }
sub FETCH { my ($self, $name) = @_; return $self->{class}->get_table_meta_attr($self->{meta}, $name) }
sub STORE { my ($self, $name, $value) = @_; $self->{class}->set_table_meta_attr($self->{meta}, $name, $value); return }
sub DELETE   { my ($self, $name) = @_; return delete $self->{meta}{$name} }
sub EXISTS   { my ($self, $name) = @_; return exists $self->{meta}{$name} }
sub FIRSTKEY { my ($self) = @_; my $n = keys %{ $self->{meta} }; return each %{ $self->{meta} } }
sub NEXTKEY  { my ($self) = @_; return each %{ $self->{meta} } }
sub CLEAR    { my ($self) = @_; %{ $self->{meta} } = (); return }

package DBI::DBD::SqlEngine::TableSource;

sub data_sources {
    my ($class, $h, $attr) = @_;
    my $name = $h->{ImplementorClass} || '';
    $name =~ s/\ADBD::|::(?:dr|db)\z//g;
    return "dbi:$name:";
}

sub avail_tables {
    my ($class, $dbh) = @_;
    return map { [undef, undef, $_, 'TABLE', 'META'] } sort keys %{ $dbh->{sql_meta} || {} };
}

package DBI::DBD::SqlEngine::DataSource;

sub adapt {    # a name in the case the handle wants
    my ($meta, $name, $respect_case) = @_;
    return $name if $respect_case;
    my $case = $meta->{sql_identifier_case} || 0;
    return $case == 1 ? uc $name : $case == 2 ? lc $name : $name;
}

sub complete_table_name {
    my ($self, $meta, $table, $respect_case) = @_;
    return $meta->{table_name} = adapt($meta, $table, $respect_case);
}

sub open_data {
    my ($self) = @_;
    require Carp;
    Carp::croak((ref $self || $self) . '::open_data is not there: the data source cannot open tables');
}

package DBI::DBD::SqlEngine::Table;

use DBI::SQL::Nano ();

our @ISA = ('DBI::SQL::Nano::Table');

my (%RESET, %COMPAT);    # a class's own: what to forget when a setting changes; old names of settings

sub register_reset_on_modify {
    my ($class, $more) = @_;
    $RESET{$class}{$_} = $more->{$_} for keys %$more;
    return;
}

sub register_compat_map {
    my ($class, $more) = @_;
    $COMPAT{$class}{$_} = $more->{$_} for keys %$more;
    return;
}

sub lineage {
    my ($self) = @_;
    require mro;
    return @{ mro::get_linear_isa(ref $self || $self) };
}

sub today {    # the name of a setting now
    my ($self, $name) = @_;
    for my $class (lineage($self)) {
        return $COMPAT{$class}{$name} if $COMPAT{$class} && defined $COMPAT{$class}{$name};
    }
    return $name;
}

sub map_attributes { my ($self, $values) = @_; return { map { today($self, $_) => $values->{$_} } keys %$values } }

sub bare {    # (name, does case matter); quotes say it does
    my ($table, $respect_case) = @_;
    return ($table, $respect_case) if defined $respect_case && $respect_case == 2;
    my $quoted = $table =~ s/\A"(.*)"?\z/$1/s;
    $table =~ s/"\z//;
    return ($table, $quoted ? 1 : 0);
}

sub known {    # the name under which a table is known already
    my ($dbh, $table, $respect_case) = @_;
    my ($all, $map) = @$dbh{qw(sql_meta sql_meta_map)};
    return $map->{$table} if defined $map->{$table} && $all->{ $map->{$table} };
    return $table         if $all->{$table};
    return undef          if $respect_case;
    my ($alike) = sort grep { lc $_ eq lc $table } keys %$all;
    return $alike;
}

sub bootstrap_table_meta {
    my ($self, $dbh, $meta, $table) = @_;
    $meta->{readonly} = 1 if $dbh->{ReadOnly} && !defined $meta->{readonly};
    $meta->{sql_identifier_case} = $dbh->{sql_identifier_case} if !defined $meta->{sql_identifier_case};
    $meta->{sql_data_source}     = $dbh->{sql_data_source}     if !defined $meta->{sql_data_source};
    return;
}

sub init_table_meta { return }

# The arguments after the name differ between the levels of drivers; what counts is whether the name was quoted.
sub get_table_meta {
    my ($self, $dbh, $table) = @_;
    return if !defined $table;
    my $respect;
    ($table, $respect) = bare($table);
    my $known = known($dbh, $table, $respect);
    my $meta  = defined $known ? $dbh->{sql_meta}{$known} : {};
    return ($known, $meta) if $meta->{initialized};
    my $class = $meta->{sql_table_class} || $self;
    $class->bootstrap_table_meta($dbh, $meta, $table);
    my $name = $meta->{sql_data_source}->complete_table_name($meta, defined $known ? $known : $table, $respect);
    return if !defined $name;
    if (!defined $known && $dbh->{sql_meta}{$name}) {
        $dbh->{sql_meta_map}{$table} = $name;
        return $self->get_table_meta($dbh, qq{"$name"}, 1);
    }
    if (defined $known) { $name = $known }
    $meta->{table_name} = $name if !defined $meta->{table_name};
    $dbh->{sql_meta}{$name} = $meta;
    $dbh->{sql_meta_map}{$table} = $name if $table ne $name;
    $class->init_table_meta($dbh, $meta, $name);
    $meta->{initialized} = 1;
    return ($name, $meta);
}

sub get_table_meta_attr { my ($self, $meta, $name) = @_; return $meta->{ today($self, $name) } }

sub set_table_meta_attr {
    my ($self, $meta, $name, $value) = @_;
    $name = today($self, $name);
    $self->table_meta_attr_changed($meta, $name, $value);
    $meta->{$name} = $value;
    return;
}

sub table_meta_attr_changed {
    my ($self, $meta, $name, $value) = @_;
    for my $class (lineage($self)) {
        my $forget = $RESET{$class} && $RESET{$class}{$name};
        next if !defined $forget;
        delete @$meta{ ref $forget ? @$forget : $forget };
        $meta->{initialized} = 0;
    }
    return;
}

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    return $meta->{sql_data_source}->open_data($meta, $attrs, $flags);
}

sub new {
    my ($class, $data, $attrs, $flags) = @_;
    my $dbh = $data->{Database};
    my ($name, $meta) = $class->get_table_meta($dbh, $attrs->{table}, 1);
    if (!$meta) { require Carp; Carp::croak("Cannot find appropriate meta data for table '$attrs->{table}'") }
    if ($meta->{readonly} && ($flags->{createMode} || $flags->{lockMode} || $flags->{dropMode})) {
        require Carp;
        Carp::croak("Table '$name' is marked readonly - cannot "
                . ($flags->{dropMode} ? 'drop' : $flags->{createMode} ? 'create' : 'change') . ' it');
    }
    $attrs->{table} = $name;
    $class->open_data($meta, $attrs, $flags);
    my %self = (%$attrs, meta => $meta, col_names => $meta->{col_names} || []);
    return $class->SUPER::new(\%self);
}

1;
