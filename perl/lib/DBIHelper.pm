package DBIHelper;

use strict;
use warnings;

use DBI ();

our $VERSION = '0.1.0';

# The variables of DBI, under this name, too.
{
    no warnings 'once';
    *DBIHelper::err    = \$DBI::err;
    *DBIHelper::errstr = \$DBI::errstr;
    *DBIHelper::state  = \$DBI::state;
    *DBIHelper::rows   = \$DBI::rows;
    *DBIHelper::lasth  = \$DBI::lasth;
}

our $AUTOLOAD;

sub import {
    my ($class, @names) = @_;
    @_ = ('DBI', @names);
    my $import = DBI->can('import') or return;
    goto &{$import};
}

# Handles that are made through this name are DBI's own: no subclass, nothing between.
sub connect        { my ($class, @arguments) = @_; return DBI->connect(@arguments) }
sub connect_cached { my ($class, @arguments) = @_; return DBI->connect_cached(@arguments) }

# Every other class method and function is DBI's.
sub AUTOLOAD {
    my ($name) = $AUTOLOAD =~ /(\w+)\z/;
    return if $name eq 'DESTROY';
    my $code = DBI->can($name);
    if (!$code) {
        require Carp;
        Carp::croak(qq{Can't locate object method "$name" via package "DBIHelper": DBI has none of that name});
    }
    my ($first, @rest) = @_;
    @_ = ("DBI", @rest) if defined $first && !ref $first && $first eq __PACKAGE__;
    goto &{$code};
}

1;

__END__

=head1 NAME

DBIHelper - DBI under the name the first generation of scripts used

=head1 SYNOPSIS

    use DBIHelper;

    my $dbh = DBIHelper->connect('dbi:SQLite:dbname=orders.db', '', '', { RaiseError => 1 });
    print join(', ', DBIHelper->available_drivers(1)), "\n";
    print $dbh->selectrow_array('select count(*) from orders'), "\n";
    $dbh->disconnect;

=head1 DESCRIPTION

Whatever is called on C<DBIHelper> is called on L<DBI>; the handles it returns are DBI's own.
C<use DBIHelper> imports what C<use DBI> does, and C<$DBIHelper::err>, C<errstr>, C<state>,
C<rows> and C<lasth> are DBI's variables. New scripts should say C<use DBI>.

=cut
