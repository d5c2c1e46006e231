# What drivers on DBI::DBD::SqlEngine say of themselves: their versions, and the types they take.
package DBI::DBD::SqlEngine::About;

use strict;
use warnings;
use DBI ();

sub versions {
    my ($dbh, $table) = @_;
    $table = '.' if !defined $table || $table eq '';
    (my $driver = $dbh->{ImplementorClass}) =~ s/::db\z//;
    my @chain = ([$driver, $dbh->{ImplementorClass}]);
    no strict 'refs';
    while (my ($above) = grep { /::db\z/ && $_ ne 'DBD::_::db' } @{"$chain[-1][1]::ISA"}) {
        (my $name = $above) =~ s/::db\z//;
        push @chain, [$name, $above];
    }
    my @lines;
    my $indent = '';
    for my $link (@chain) {
        my ($name, $class) = @$link;
        my $prefix = DBI->driver_prefix($name);
        my $code   = $prefix && $class->can("get_${prefix}versions");
        my $text   = $code ? $code->($dbh, $table) : undef;
        my $number = ${"${name}::VERSION"};
        $number = '' if !defined $number;
        push @lines, ["$indent$name", $number . (defined $text && length $text ? $text =~ /\A\Q$number\E/ ? substr $text, length $number : " $text" : '')];
        $indent .= '  ';
    }
    require Config;
    push @lines, ['DBI', $DBI::VERSION], ['OS', "$^O ($Config::Config{osvers})"], ['Perl', "$] ($Config::Config{archname})"];
    my ($width) = sort { $b <=> $a } map { length $_->[0] } @lines;
    my @text = map { sprintf "%-*s %s", $width + 1, @$_ } @lines;
    return wantarray ? @text : join "\n", @text;
}

sub types {
    my %at;
    my @names = qw(TYPE_NAME DATA_TYPE PRECISION LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE
        UNSIGNED_ATTRIBUTE MONEY AUTO_INCREMENT LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE);
    @at{@names} = 0 .. $#names;
    my @rows = map { my ($name, $type) = @$_; [$name, $type, undef, "'", "'", undef, 0, 1, 1, 0, 0, 0, undef, 1, 999999] }
        ['VARCHAR', DBI::SQL_VARCHAR()], ['CHAR', DBI::SQL_CHAR()];
    push @rows, map { my ($name, $type) = @$_; [$name, $type, undef, '', '', undef, 0, 0, 1, 0, 0, 0, undef, 0, 0] }
        ['INTEGER', DBI::SQL_INTEGER()], ['REAL', DBI::SQL_REAL()];
    push @rows, map { my ($name, $type) = @$_; [$name, $type, undef, "'", "'", undef, 0, 1, 1, 0, 0, 0, undef, 1, 999999] }
        ['BLOB', DBI::SQL_LONGVARBINARY()], ['TEXT', DBI::SQL_LONGVARCHAR()];
    return [\%at, @rows];
}

1;
