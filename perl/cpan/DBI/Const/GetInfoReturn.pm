package DBI::Const::GetInfoReturn;

# What get_info gives back, in words: kinds of values, named values, and two functions that print them.

use strict;
use warnings;
use Exporter ();
use DBI::Const::GetInfo::ANSI ();
use DBI::Const::GetInfo::ODBC ();
use DBI::Const::GetInfoType ();

our @ISA    = ('Exporter');
our @EXPORT = qw(%GetInfoReturnTypes %GetInfoReturnValues);

our %GetInfoReturnTypes = (%DBI::Const::GetInfo::ANSI::ReturnTypes, %DBI::Const::GetInfo::ODBC::ReturnTypes);
our %GetInfoReturnValues;
for my $from (\%DBI::Const::GetInfo::ANSI::ReturnValues, \%DBI::Const::GetInfo::ODBC::ReturnValues) {
    for my $type (keys %$from) { $GetInfoReturnValues{$type}{$_} = $from->{$type}{$_} for keys %{ $from->{$type} } }
}

sub Format {    # a value in the notation of its kind
    my ($type, $value) = @_;
    return '' if !defined $value;
    my $kind = $GetInfoReturnTypes{$type} || '';
    return sprintf '0x%08X', $value if $kind eq 'SQLUINTEGER bitmask';
    return sprintf '0x%08X', $value if $kind eq 'SQLUINTEGER' && $value =~ /^\d+\z/;
    return $value;
}

sub Explain {    # the names of the value, or of its bits
    my ($type, $value) = @_;
    return '' if !defined $value;
    my $names = $GetInfoReturnValues{$type} or return '';
    my $bits  = ($GetInfoReturnTypes{$type} || '') eq 'SQLUINTEGER bitmask';
    return join ' ',
        grep { $bits ? $value & $names->{$_} : $value == $names->{$_} }
        sort { $names->{$a} <=> $names->{$b} } keys %$names;
}

1;

__END__

=head1 NAME

DBI::Const::GetInfoReturn - what get_info returns, in words

=head1 SYNOPSIS

  use DBI::Const::GetInfoReturn;
  print DBI::Const::GetInfoReturn::Explain(SQL_TXN_CAPABLE => $dbh->get_info(46));

=cut
