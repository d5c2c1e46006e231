package DBI::Const::GetInfoType;

# The numbers of $dbh->get_info by name, ANSI and ODBC together.

use strict;
use warnings;
use Exporter ();
use DBI::Const::GetInfo::ANSI ();
use DBI::Const::GetInfo::ODBC ();

our @ISA         = ('Exporter');
our @EXPORT      = ('%GetInfoType');
our %GetInfoType = (%DBI::Const::GetInfo::ANSI::InfoTypes, %DBI::Const::GetInfo::ODBC::InfoTypes);

1;

__END__

=head1 NAME

DBI::Const::GetInfoType - get_info's information types by name

=head1 SYNOPSIS

  use DBI::Const::GetInfoType;
  my $name = $dbh->get_info($GetInfoType{SQL_DBMS_NAME});

=cut
