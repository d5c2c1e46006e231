package DBD::SQLite::VirtualTable::FileContent;

# A source table that names files, with one column more: what is in each file.

use strict;
use warnings;
use DBD::SQLite::VirtualTable ();

our $VERSION = '1.72';
our @ISA     = ('DBD::SQLite::VirtualTable');

my %DEFAULT = (content_col => 'content', path_col => 'path', expose => '*', root => undef,
    get_content => __PACKAGE__ . '::slurp');

sub NEW {
    my $class = shift;
    my $self  = bless $class->_PREPARE_SELF(@_), $class;
    die "FileContent: no columns are declared for it\n" if @{ $self->{columns} };
    for my $name (keys %{ $self->{options} }) {
        die "FileContent: unknown option $name\n" if $name ne 'source' && !exists $DEFAULT{$name}
    }
    my $option = $self->{options} = { %DEFAULT, %{ $self->{options} } };
    die "FileContent: option source is missing\n" if !defined $option->{source};
    my $dbh = $self->dbh;
    my $info =
        $dbh->selectall_arrayref('PRAGMA '
            . (defined $self->{db_name} ? $dbh->quote_identifier($self->{db_name}) . '.' : '')
            . 'table_info('
            . $dbh->quote_identifier($option->{source})
            . ')');
    $info = $dbh->selectall_arrayref('PRAGMA table_info(' . $dbh->quote_identifier($option->{source}) . ')') if !@$info;
    my @source = map { [@$_[1, 2]] } @$info;
    die "FileContent: no table $option->{source}\n" if !@source;
    die "FileContent: table $option->{source} has no column $option->{path_col}\n"
        if !grep { $_->[0] eq $option->{path_col} } @source;

    if ($option->{expose} ne '*') {
        my %type = map { $_->[0] => $_->[1] } @source;
        @source = map { die "FileContent: no column $_\n" if !exists $type{$_}; [$_, $type{$_}] }
            map { s/\A\s+|\s+\z//g; $_ } split /,/, $option->{expose};
    }
    die "FileContent: $option->{content_col} is a column of the source already\n"
        if grep { $_->[0] eq $option->{content_col} } @source;
    $self->{columns} = [(map { $dbh->quote_identifier($_->[0]) . (length($_->[1] || '') ? " $_->[1]" : '') } @source),
        "$option->{content_col} TEXT"];
    $self->{names} = [map { $_->[0] } @source];
    no strict 'refs';
    $self->{get_content} = \&{ $option->{get_content} };
    die "FileContent: no function $option->{get_content}\n" if !defined &{ $option->{get_content} };
    return $self;
}

sub slurp {
    my ($path, $root) = @_;
    $path = "$root/$path" if defined $root && length $root;
    open my $in, '<', $path or die "cannot open $path: $!\n";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

# Constraints on columns of the source become the WHERE clause of the query on it.
sub BEST_INDEX {
    my ($self, $constraints, $order_by) = @_;
    my ($index, @conditions) = (0);
    for my $constraint (grep { $_->{usable} && $_->{op} =~ /^(?:[<>]?=|[<>])\z/ } @$constraints) {
        next if $constraint->{col} >= @{ $self->{names} };
        my $name = $constraint->{col} < 0 ? 'rowid' : $self->dbh->quote_identifier($self->{names}[$constraint->{col}]);
        push @conditions, "$name $constraint->{op} ?";
        $constraint->{argvIndex} = $index++;
        $constraint->{omit}      = 0;
    }
    return { idxNum => 1, idxStr => join(' AND ', @conditions), orderByConsumed => 0, estimatedCost => 1.0,
        estimatedRows => undef };
}

# ================================================================================================================================
package DBD::SQLite::VirtualTable::FileContent::Cursor;

use strict;
use warnings;

our @ISA = ('DBD::SQLite::VirtualTable::Cursor');

sub FILTER {
    my ($self, $index, $where, @values) = @_;
    my $table = $self->{vtable};
    my $dbh   = $table->dbh;
    my $sql =
          'SELECT rowid, '
        . join(', ', map { $dbh->quote_identifier($_) } $table->{options}{path_col}, @{ $table->{names} })
        . ' FROM '
        . $dbh->quote_identifier($table->{options}{source})
        . (defined $where && length $where ? " WHERE $where" : '');
    $self->{rows} = $dbh->selectall_arrayref($sql, undef, @values) or die $dbh->errstr, "\n";
    $self->{at}   = 0;
    return;
}

sub EOF   { my ($self) = @_; return $self->{at} >= @{ $self->{rows} } }
sub NEXT  { $_[0]{at}++;     return }
sub ROWID { my ($self) = @_; return $self->{rows}[$self->{at}][0] }

sub COLUMN {
    my ($self, $column) = @_;
    my $table = $self->{vtable};
    my $row   = $self->{rows}[$self->{at}];
    return $row->[$column + 2] if $column < @{ $table->{names} };
    return $table->{get_content}->($row->[1], $table->{options}{root});
}

1;

__END__

=encoding utf8

=head1 NAME

DBD::SQLite::VirtualTable::FileContent - a table with what is in files

=head1 SYNOPSIS

    $dbh->sqlite_create_module(fcontent => 'DBD::SQLite::VirtualTable::FileContent');
    $dbh->do(q{CREATE VIRTUAL TABLE text USING fcontent(source = document, root = "/data/documents")});
    my $rows = $dbh->selectall_arrayref('SELECT path, content FROM text WHERE path = ?', undef, 'a.txt');

=head1 DESCRIPTION

The rows are those of a table that names files; a column more holds the content of each file, read by the script's process. Options:

    source       the table (must be given)
    path_col     its column with the names of files; path
    content_col  the name of the column with their content; content
    expose       "id, path": the columns of the source to show; * for all
    root         a folder in front of each path
    get_content  main::function, called with path and root instead of reading the file

=cut
