package DBD::Pg::Sources;

# data_sources: the databases of a server.

use strict;
use warnings;
no warnings 'redefine';    # the stubs that loaded this file

package DBD::Pg::dr;

# dbi:Pg:dbname=... for each database. The server to ask is that of $DBI_DSN, or of libpq's own defaults.
sub data_sources {
    my ($drh, $more) = @_;
    my $source = defined $ENV{DBI_DSN} && $ENV{DBI_DSN} =~ /\Adbi:pg:(.*)\z/is ? $1 : 'dbname=template1';
    $more = '' if !defined $more || ref $more;
    my ($user, $pass) = @ENV{qw(DBI_USER DBI_PASS)};
    my $dbh = DBD::Pg::dr::connect($drh, $more eq '' ? $source : "$source;$more", $user, $pass, {}) or return;
    $more = ";$more" if $more ne '';
    my $names =
        $dbh->selectcol_arrayref('SELECT pg_catalog.quote_ident(datname) FROM pg_catalog.pg_database ORDER BY 1') || [];
    $dbh->disconnect;
    return map { "dbi:Pg:dbname=$_$more" } @$names;
}

package DBD::Pg::db;

sub data_sources {
    my ($dbh, $more) = @_;
    my $drh = $dbh->{Driver};
    return DBD::Pg::dr::data_sources(tied %$drh || $drh, $more);
}

1;
