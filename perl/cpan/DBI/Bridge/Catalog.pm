# What a database says about itself: quoting, types, tables, keys. Drivers override most of these.
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

# a value as a literal of an SQL type, as type_info describes it
sub quote_as {
    my ($dbh, $value, $type) = @_;
    my $cache = $dbh->{dbi_quote_literal_cache} ||= {};
    my $marks = $cache->{$type}                 ||= do {
        my $info = $dbh->type_info($type);
        $info ? [$info->{LITERAL_PREFIX} || '', $info->{LITERAL_SUFFIX} || ''] : ["'", "'"];
    };
    my ($before, $after) = @$marks;
    (my $text = $value) =~ s/\Q$after\E/$after$after/g if length $after && $after ne '';
    $text = $value                                     if !defined $text;
    return "$before$text$after";
}

package DBD::_::db;

sub quote_identifier {
    my ($dbh, @parts) = @_;
    my $attr = @parts > 1 && ref $parts[-1] ? pop @parts : undef;
    my $info = $dbh->{dbi_quote_identifier_cache} ||= [
        $dbh->get_info(29)  || '"',    # SQL_IDENTIFIER_QUOTE_CHAR
        $dbh->get_info(41)  || '.',    # SQL_CATALOG_NAME_SEPARATOR
        $dbh->get_info(114) || 1,      # SQL_CATALOG_LOCATION
    ];
    my ($quote, $separator, $location) = @$info;
    for my $part (grep { defined } @parts) {
        $part =~ s/\Q$quote\E/$quote$quote/g;
        $part = "$quote$part$quote";
    }
    my $catalog = @parts >= 3 ? shift @parts : undef;
    my $name    = join '.', grep { defined } @parts;
    return $name if !defined $catalog;
    return $location == 2 ? "$name$separator$catalog" : "$catalog$separator$name";
}

sub table_info       { return }
sub column_info      { return }
sub primary_key_info { return }
sub foreign_key_info { return }
sub statistics_info  { return }
sub get_info         { return }
sub last_insert_id   { return }
sub type_info_all    { return }

sub DBD::_::st::last_insert_id { my $sth = shift; return $sth->{Database}->last_insert_id(@_) }

sub primary_key {
    my ($dbh, @args) = @_;
    my $sth = $dbh->primary_key_info(@args) or return;
    my (@names, $row);
    push @names, $row->[3] while $row = $sth->fetch;
    DBI::Bridge::croak('primary_key method not called in list context') if !wantarray;
    return @names;
}

sub tables {
    my ($dbh, @args) = @_;
    my $sth  = $dbh->table_info(@args[0 .. 4]) or return;
    my $rows = $sth->fetchall_arrayref         or return;
    my ($catalog, $schema, $table, $type) = map { defined $_ ? $_ : '' } @args[0 .. 3];

    # the special searches for catalogs, schemas and table types
    my $column =
         !@args                                                           ? undef
        : $catalog eq '%' && $schema eq '' && $table eq ''                ? 0
        : $schema eq '%' && $catalog eq '' && $table eq ''                ? 1
        : $type eq '%' && $catalog eq '' && $schema eq '' && $table eq '' ? 3
        :                                                                   undef;
    return map { $_->[$column] } @$rows if defined $column;
    my $quoted = $dbh->get_info(29);
    return map {
        my @name = @$_[0 .. 2];
        $quoted ? $dbh->quote_identifier(@name) : join '.', grep { defined } @name
    } @$rows;
}

sub type_info {
    my ($dbh, $wanted) = @_;
    my $types = $dbh->{dbi_type_info_cache} ||= [];
    if (!@$types) {
        my ($at, @rows) = @{ $dbh->type_info_all || [] };
        if ($at) {
            my %at    = map { uc($_) => $at->{$_} } keys %$at;
            my @names = keys %at;
            for my $row (@rows) { my %type; @type{@names} = @$row[@at{@names}]; push @$types, \%type }
        }
    }
    no warnings 'numeric';    # scripts ask for what a driver's TYPE holds, which may be names
    my @found;
    for my $type (ref $wanted ? @$wanted : $wanted) {
        @found = grep { !defined $type || $type == DBI::SQL_ALL_TYPES() || $_->{DATA_TYPE} == $type } @$types;
        last if @found;
    }
    @found = map { +{%$_} } @found;    # the caller's own
    return wantarray ? @found : $found[0];
}

1;
