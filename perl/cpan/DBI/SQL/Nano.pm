# A small SQL engine for drivers without one: one table a statement, one condition, one ORDER BY column. SQL::Statement takes its place
# where that is installed, unless the environment has DBI_SQL_NANO.
package DBI::SQL::Nano;

use strict;
use warnings;

our ($VERSION, $versions);

BEGIN {
    $VERSION  = '1.015544';
    $versions = { nano_version => $VERSION };
    my $full = !$ENV{DBI_SQL_NANO} && eval {
        local $SIG{__DIE__};
        require SQL::Statement;
        SQL::Statement->VERSION('1.401');
        require SQL::Eval;
        1;
    };
    $versions->{statement_version}   = $SQL::Statement::VERSION if $full;
    @DBI::SQL::Nano::Statement::ISA = ($full ? 'SQL::Statement' : 'DBI::SQL::Nano::Statement_');
    @DBI::SQL::Nano::Table::ISA     = ($full ? 'SQL::Eval::Table' : 'DBI::SQL::Nano::Table_');
}

package DBI::SQL::Nano::Statement_;

sub new {
    my ($class, $sql) = @_;
    my $self = bless { command => undef, table_name => undef, params => [] }, $class;
    return $self->prepare($sql);
}

# --- parsing: each sub takes what it knows from the front of the text ($_[0]) or returns nothing -------------------------

my %PARSE = (
    DROP => \&parse_drop, CREATE => \&parse_create, INSERT => \&parse_insert, DELETE => \&parse_delete, UPDATE => \&parse_update,
    SELECT => \&parse_select,
);

sub prepare {
    my ($self, $sql) = @_;
    my $rest = defined $sql ? $sql : '';
    $rest =~ s/\s*;?\s*\z//;
    $rest =~ s/\A\s*(\w+)\s*// or refuse($sql);
    my $command = uc $1;
    my $parse   = $PARSE{$command} or refuse($sql);
    $self->{command} = $command;
    $parse->($self, $rest) && $rest !~ /\S/ or refuse($sql);
    $self->{params} = [(undef) x ($self->{placeholders} || 0)];
    return $self;
}

sub refuse {
    my ($sql) = @_;
    require Carp;
    Carp::croak(q{Couldn't parse '} . (defined $sql ? $sql : '') . q{': DBI::SQL::Nano knows only simple statements on one table});
}

sub word { my $word = quotemeta $_[1]; return $_[0] =~ s/\A\s*$word\b\s*//i }
sub mark { my $mark = quotemeta $_[1]; return $_[0] =~ s/\A\s*$mark\s*// }

sub name {    # quotes stay: they say that upper and lower case matter
    return $1 if $_[0] =~ s/\A\s*("[^"]+")\s*//;
    return $1 if $_[0] =~ s/\A\s*([\w.\/\\:~-]*[\w\/])\s*//;
    return undef;
}

sub column {
    my $name = $_[0] =~ s/\A\s*"([^"]+)"\s*// ? $1 : $_[0] =~ s/\A\s*((?:\w+\.)?[^\W\d]\w*)\s*// ? $1 : return undef;
    $name =~ s/\A\w+\.//;
    return $name;
}

sub columns {    # ( a, b )
    my @names;
    mark($_[0], '(') or return;
    do {
        my $name = column($_[0]);
        return if !defined $name;
        push @names, $name;
    } while mark($_[0], ',');
    mark($_[0], ')') or return;
    return \@names;
}

sub value {    # [kind, what]; kind is param, value or column
    my $self = shift;
    return ['param', $self->{placeholders}++] if $_[0] =~ s/\A\s*\?\s*//;
    if ($_[0] =~ s/\A\s*'((?:[^']|'')*)'\s*//) { (my $text = $1) =~ s/''/'/g; return ['value', $text] }
    return ['value', $1]    if $_[0] =~ s/\A\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?!\w)\s*//;
    return ['value', undef] if $_[0] =~ s/\A\s*NULL\b\s*//i;
    my $name = column($_[0]);
    return defined $name ? ['column', $name] : undef;
}

sub table { my $self = shift; $self->{table_name} = name($_[0]); return defined $self->{table_name} }

sub parse_drop {
    my $self = shift;
    word($_[0], 'TABLE') or return;
    if (word($_[0], 'IF')) { word($_[0], 'EXISTS') or return; $self->{ignore_missing_table} = 1 }
    return $self->table($_[0]);
}

sub parse_create {
    my $self = shift;
    word($_[0], 'TABLE') && $self->table($_[0]) && $_[0] =~ s/\A\s*\((.*)\)\s*\z//s or return;
    my ($inside, @names) = ($1);
    my $parens = qr/\([^()]*\)/;
    while ($inside =~ /\S/) {
        my $name = column($inside);
        return if !defined $name;
        push @names, $name;
        $inside =~ s/\A(?:$parens|'[^']*'|[^,()'])*//;    # type and constraints
        last if $inside !~ s/\A,\s*//;
    }
    return if !@names || $inside =~ /\S/;
    $self->{column_names} = \@names;
    return 1;
}

sub parse_insert {
    my $self = shift;
    word($_[0], 'INTO');
    $self->table($_[0]) or return;
    if ($_[0] =~ /\A\s*\(/) { $self->{column_names} = columns($_[0]) or return }
    word($_[0], 'VALUES') && mark($_[0], '(') or return;
    do {
        my $value = $self->value($_[0]) or return;
        push @{ $self->{values} }, $value;
    } while mark($_[0], ',');
    return mark($_[0], ')');
}

sub parse_delete {
    my $self = shift;
    return word($_[0], 'FROM') && $self->table($_[0]) && $self->where($_[0]);
}

sub parse_update {
    my $self = shift;
    $self->table($_[0]) && word($_[0], 'SET') or return;
    do {
        my $name = column($_[0]);
        defined $name && mark($_[0], '=') or return;
        my $value = $self->value($_[0]) or return;
        push @{ $self->{column_names} }, $name;
        push @{ $self->{values} },       $value;
    } while mark($_[0], ',');
    return $self->where($_[0]);
}

sub parse_select {
    my $self = shift;
    if (!mark($_[0], '*')) {
        do {
            my $name = column($_[0]);
            return if !defined $name;
            push @{ $self->{column_names} }, $name;
        } while mark($_[0], ',');
    }
    word($_[0], 'FROM') && $self->table($_[0]) && $self->where($_[0]) or return;
    if (word($_[0], 'ORDER')) {
        word($_[0], 'BY') or return;
        my $name = column($_[0]);
        return if !defined $name;
        $self->{order_clause} = [$name, word($_[0], 'DESC') ? 1 : 0];
        word($_[0], 'ASC') if !$self->{order_clause}[1];
    }
    return 1;
}

sub where {    # the clause may be absent
    my $self = shift;
    word($_[0], 'WHERE') or return 1;
    my $not  = word($_[0], 'NOT');
    my $left = $self->value($_[0]) or return;
    $not = !$not if word($_[0], 'NOT');
    $_[0] =~ s/\A\s*(<=|>=|<>|!=|=|<|>|CLIKE\b|LIKE\b|IS\b)\s*//i or return;
    my $op = uc $1;
    $op  = '<>'  if $op eq '!=';
    $not = !$not if $op eq 'IS' && word($_[0], 'NOT');
    my $right = $self->value($_[0]) or return;
    $self->{where_clause} = { not => $not, left => $left, op => $op, right => $right };
    return 1;
}

# --- what SQL::Statement objects are asked, too -----------------------------------------------------------------------------

sub command { return $_[0]{command} }

sub params {
    my ($self, $at) = @_;
    return $self->{params}[$at] if defined $at;
    return wantarray ? @{ $self->{params} } : scalar @{ $self->{params} };
}

sub tables { return $_[0]{table_name} }

sub column_names { return @{ $_[0]{NAME} || $_[0]{column_names} || [] } }

sub fetch_row { return shift @{ $_[0]{data} || [] } }
{ no warnings 'once'; *fetch = \&fetch_row; }
sub fetch_rows { my ($self) = @_; my $rows = $self->{data} || []; $self->{data} = []; return $rows }

# --- execution ------------------------------------------------------------------------------------------------------------

sub execute {
    my ($self, $data, $params) = @_;
    $self->{given} = $params || [];
    my $run = $self->can('run_' . lc $self->{command});
    @$self{qw(NUM_OF_ROWS NUM_OF_FIELDS data)} = $self->$run($data);
    return $self->{NUM_OF_ROWS} || '0E0';
}

sub open_tables {
    my ($self, $data, $create, $lock) = @_;
    return $self->open_table($data, $self->{table_name}, $create, $lock);
}

sub at {    # the position of a column, or an error
    my ($table, $name) = @_;
    my $at = $table->column_num($name);
    if (!defined $at) { require Carp; Carp::croak("No such column '$name'") }
    return $at;
}

sub get {    # what a value of the statement is for a row
    my ($self, $table, $value, $row) = @_;
    my ($kind, $what) = @$value;
    return $what                                     if $kind eq 'value';
    return $self->{given}[$what]                     if $kind eq 'param';
    return $row ? $row->[at($table, $what)] : $what;
}

sub written { my ($table) = @_; $table->flush if $table->can('flush'); return }    # a full disk is this statement's error

sub run_drop {
    my ($self, $data) = @_;
    my $table;
    my $opened = eval { $table = $self->open_tables($data, 0, 1); 1 };
    if (!$opened || !$table) {
        my $error = $@;
        die $error if !$self->{ignore_missing_table} || $error !~ /cannot open|no such (?:file|table)|does(?:n't| not) exist/i;
        return (-1, 0);
    }
    $table->drop($data);
    return (-1, 0);
}

sub run_create {
    my ($self, $data) = @_;
    my $table = $self->open_tables($data, 1, 1);
    $table->push_names($data, [@{ $self->{column_names} }]);
    written($table);
    return (0, 0);
}

sub run_insert {
    my ($self, $data) = @_;
    my $table  = $self->open_tables($data, 0, 1);
    my @values = map { $self->get($table, $_) } @{ $self->{values} };
    my $names  = $self->{column_names} || $table->col_names;
    if (@values != @$names) {
        require Carp;
        Carp::croak(@values . " values for " . @$names . " columns of table '$self->{table_name}'");
    }
    my @row = (undef) x @{ $table->col_names };
    @row[map { at($table, $_) } @$names] = @values;
    if ($table->can('insert_new_row')) { $table->insert_new_row($data, \@row) }
    else {
        $table->seek($data, 0, 2);
        $table->push_row($data, \@row);
        written($table);
    }
    return (1, 0);
}

sub rows_of {    # all rows as copies; with a key given and a table that finds by key, only that row
    my ($self, $data, $table) = @_;
    my $where = $self->{where_clause};
    if ($where && $where->{op} eq '=' && !$where->{not} && $where->{left}[0] eq 'column' && $where->{right}[0] ne 'column'
        && $table->can('fetch_one_row') && at($table, $where->{left}[1]) == $table->column_num($table->fetch_one_row(1)))
    {
        my $key = $self->get($table, $where->{right});
        my $row = defined $key ? $table->fetch_one_row(0, $key) : undef;
        return $row ? [@$row] : ();
    }
    my @rows;
    while (my $row = $table->fetch_row($data)) { push @rows, [@$row] }
    return @rows;
}

sub run_delete {
    my ($self, $data) = @_;
    my $table = $self->open_tables($data, 0, 1);
    my ($by_row, @keep, @gone) = ($table->can('delete_one_row'));
    my @rows = $by_row ? $self->rows_of($data, $table) : $self->every($data, $table);
    for my $row (@rows) {
        if ($self->matches($table, $row)) { push @gone, $row }
        else { push @keep, $row }
    }
    if    ($by_row) { $table->delete_one_row($data, $_) for @gone }
    elsif (@gone)   { rewrite($data, $table, \@keep) }
    return (scalar @gone, 0);
}

sub every {
    my ($self, $data, $table) = @_;
    my @rows;
    while (my $row = $table->fetch_row($data)) { push @rows, [@$row] }
    return @rows;
}

sub rewrite {    # the whole table anew
    my ($data, $table, $rows) = @_;
    $table->seek($data, 0, 0);
    $table->push_row($data, $_) for @$rows;
    $table->truncate($data);
    written($table);
    return;
}

sub run_update {
    my ($self, $data) = @_;
    my $table    = $self->open_tables($data, 0, 1);
    my $specific = $table->can('update_specific_row');
    my $by_row   = $specific || $table->can('update_one_row');
    my @at       = map { at($table, $_) } @{ $self->{column_names} };
    my @rows     = $by_row ? $self->rows_of($data, $table) : $self->every($data, $table);
    my $count    = 0;
    for my $row (@rows) {
        next if !$self->matches($table, $row);
        my $old = [@$row];
        @$row[@at] = map { $self->get($table, $_, $old) } @{ $self->{values} };
        if ($specific)  { $table->update_specific_row($data, $row, $old) }
        elsif ($by_row) { $table->update_one_row($data, $row) }
        $count++;
    }
    rewrite($data, $table, \@rows) if $count && !$by_row;
    return ($count, 0);
}

sub run_select {
    my ($self, $data) = @_;
    my $table = $self->open_tables($data, 0, 0);
    my @names = $self->{column_names} ? @{ $self->{column_names} } : @{ $table->col_names };
    my @at    = map { at($table, $_) } @names;
    my @rows  = grep { $self->matches($table, $_) } $self->rows_of($data, $table);
    if (my $order = $self->{order_clause}) {
        my $by = at($table, $order->[0]);
        my $sign = $order->[1] ? -1 : 1;
        @rows = sort { $sign * compare($a->[$by], $b->[$by]) } @rows;
    }
    $self->{NAME} = \@names;
    return (scalar @rows, scalar @names, [map { [@$_[@at]] } @rows]);
}

sub number { return defined $_[0] && $_[0] =~ /\A\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*\z/ }

sub compare {    # undef sorts first
    my ($left, $right) = @_;
    return defined $left ? 1 : defined $right ? -1 : 0 if !defined $left || !defined $right;
    return number($left) && number($right) ? $left <=> $right : $left cmp $right;
}

sub matches {
    my ($self, $table, $row) = @_;
    my $where = $self->{where_clause} or return 1;
    my $is    = $self->holds($where->{op}, map { $self->get($table, $where->{$_}, $row) } qw(left right));
    return $where->{not} ? !$is : $is;
}

sub holds {
    my ($self, $op, $left, $right) = @_;
    if ($op eq 'IS') {
        return !defined $left || $left eq '' if !defined $right;
        return defined $left && $left eq $right;
    }
    return 0 if !defined $left || !defined $right;
    if ($op =~ /LIKE/) {
        my $re = join '', map { $_ eq '%' ? '.*' : $_ eq '_' ? '.' : quotemeta } split //, $right;
        return $op eq 'CLIKE' ? $left =~ /\A$re\z/is : $left =~ /\A$re\z/s;
    }
    my $order = compare($left, $right);
    return
          $op eq '='  ? $order == 0
        : $op eq '<>' ? $order != 0
        : $op eq '<'  ? $order < 0
        : $op eq '>'  ? $order > 0
        : $op eq '<=' ? $order <= 0
        :               $order >= 0;
}

package DBI::SQL::Nano::Table_;

sub new {
    my ($class, $attr) = @_;
    my $self = bless {%$attr}, $class;
    if (!$self->{col_names}) { require Carp; Carp::croak("$class->new: col_names is needed") }
    $self->col_nums if !$self->{col_nums};
    return $self;
}

sub table     { return $_[0] }
sub row       { return $_[0]{row} }
sub col_names { return $_[0]{col_names} }

sub col_nums {
    my ($self) = @_;
    my $names = $self->{col_names};
    if (!$self->{col_nums} || keys %{ $self->{col_nums} } != @$names) {
        $self->{col_nums} = { map { $names->[$_] => $_ } 0 .. $#$names };
    }
    return $self->{col_nums};
}

sub column_num {    # names match in any case
    my ($self, $name) = @_;
    my $nums = $self->col_nums;
    return $nums->{$name} if defined $nums->{$name};
    my ($alike) = grep { lc $_ eq lc $name } keys %$nums;
    return defined $alike ? $nums->{$alike} : undef;
}

sub column {
    my ($self, $name) = @_;
    my $at = $self->column_num($name);
    return defined $at ? $self->{row}[$at] : undef;
}

sub capability {
    my ($self, $what) = @_;
    my $known = $self->{capabilities} ||= {};
    if (!exists $known->{$what}) {
        if    ($what eq 'rowwise_update') { $known->{$what} = grep { $self->can($_) } qw(update_one_row update_specific_row) }
        elsif ($what eq 'rowwise_delete') { $known->{$what} = $self->can('delete_one_row') ? 1 : 0 }
        else                              { $known->{$what} = $self->can($what) ? 1 : 0 }
    }
    return $known->{$what};
}

{
    no strict 'refs';
    for my $method (qw(drop fetch_row push_row push_names truncate seek)) {
        *$method = sub {
            my ($self) = @_;
            require Carp;
            Carp::croak('Abstract method ' . ref($self) . "::$method called");
        };
    }
}

1;

__END__

=head1 NAME

DBI::SQL::Nano - a small SQL engine for drivers in plain Perl

=head1 SYNOPSIS

    BEGIN { $ENV{DBI_SQL_NANO} = 1 }    # even where SQL::Statement is installed
    use DBI::SQL::Nano;
    my $stmt = DBI::SQL::Nano::Statement->new('SELECT bar, baz FROM foo WHERE qux = 1');

=head1 DESCRIPTION

Knows C<DROP TABLE [IF EXISTS]>, C<CREATE TABLE>, C<INSERT>, C<DELETE>, C<UPDATE> and C<SELECT> of one table, with one
condition (C<< < > <= >= = <> LIKE CLIKE IS >>, C<NOT> in front) and C<ORDER BY> one column. A driver derives its statement
class from C<DBI::SQL::Nano::Statement> and gives it C<open_table>, and its table class from C<DBI::SQL::Nano::Table>.

=cut
