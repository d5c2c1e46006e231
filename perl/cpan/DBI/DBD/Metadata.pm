package DBI::DBD::Metadata;

# For authors of drivers: writes the modules that hold a driver's get_info and type_info data, asked from a live connection.

use strict;
use warnings;
use Exporter ();

our @ISA       = ('Exporter');
our @EXPORT    = qw(write_getinfo_pm write_typeinfo_pm);
our @EXPORT_OK = @EXPORT;
our $VERSION   = '2.014214';

sub arguments {    # (class, connected handle) from a call's or the command line's arguments
    my ($class, @connect) = @_ ? @_ : @ARGV;
    $class = 'DBD::Driver' if !defined $class;
    require DBI;
    my $dbh = DBI->connect(@connect[0 .. 2], { PrintError => 0, RaiseError => 1 });
    return ($class, $dbh);
}

sub literal {
    my ($value) = @_;
    return 'undef' if !defined $value;
    return $value if $value =~ /^-?\d{1,9}\z/;
    $value =~ s/([\\'])/\\$1/g;
    return "'$value'"
}

sub write_getinfo_pm {
    my ($class, $dbh) = arguments(@_);
    require DBI::Const::GetInfo::ODBC;
    my %types = %DBI::Const::GetInfo::ODBC::InfoTypes;
    my %name;
    for my $name (sort keys %types) { $name{ $types{$name} } = $name if !$name{ $types{$name} } }
    print "package ${class}::GetInfo;\n\nuse strict;\nuse warnings;\n\nour %info = (\n";
    for my $number (sort { $a <=> $b } keys %name) {
        my $value = eval { $dbh->get_info($number) };
        next if !defined $value;
        printf "    %5d => %s,    # %s\n", $number, literal($value), $name{$number};
    }
    print ");\n\n1;\n";
    return;
}

sub write_typeinfo_pm {
    my ($class, $dbh)  = arguments(@_);
    my ($at,    @rows) = @{ $dbh->type_info_all || [{}] };
    print "package ${class}::TypeInfo;\n\nuse strict;\nuse warnings;\n\nour \$type_info_all = [\n    {\n";
    print "        $_ => $at->{$_},\n" for sort { $at->{$a} <=> $at->{$b} } keys %$at;
    print "    },\n";
    print '    [ ', join(', ', map { literal($_) } @$_), " ],\n" for @rows;
    print "];\n\n1;\n";
    return;
}

1;

__END__

=head1 NAME

DBI::DBD::Metadata - write a driver's GetInfo and TypeInfo modules

=head1 SYNOPSIS

  perl -MDBI::DBD::Metadata -e write_getinfo_pm  DBD::Foo dbi:Foo:db user pass > lib/DBD/Foo/GetInfo.pm
  perl -MDBI::DBD::Metadata -e write_typeinfo_pm DBD::Foo dbi:Foo:db user pass > lib/DBD/Foo/TypeInfo.pm

=cut
