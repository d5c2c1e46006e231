package DBD::SQLite::VirtualTable;

# The base class of virtual tables written in Perl, the class of their cursors, and the desk where the daemon's questions about them
# arrive (DBD::SQLite::VirtualTable::Desk).

use strict;
use warnings;

our $VERSION = '1.72';

# --- the module, and making a table ------------------------------------------------------------------------------------------------

sub CREATE_MODULE  { return }
sub DESTROY_MODULE { return }

sub CREATE  { my $class = shift; return $class->NEW(@_) }
sub CONNECT { my $class = shift; return $class->NEW(@_) }

sub NEW {
    my $class = shift;
    my $self  = $class->_PREPARE_SELF(@_);
    return bless $self, $class;
}

sub _PREPARE_SELF {
    my ($class, $dbh_ref, $module_name, $db_name, $vtab_name, @args) = @_;
    my (@columns, %options);
    for my $arg (@args) {
        if ($arg =~ /\A\s*(\w+)\s*=\s*(?:"(.*)"|(.*?))\s*\z/s) { $options{$1} = defined $2 ? $2 : $3 }
        else { push @columns, $arg }
    }
    return {
        dbh_ref     => $dbh_ref,
        module_name => $module_name,
        db_name     => $db_name,
        vtab_name   => $vtab_name,
        columns     => \@columns,
        options     => \%options,
    };
}

sub dbh { my ($self) = @_; return ${ $self->{dbh_ref} } }

sub VTAB_TO_DECLARE {
    my ($self) = @_;
    local $" = ', ';
    return "CREATE TABLE $self->{vtab_name}(@{$self->{columns}})";
}

# --- what SQLite asks a table ----------------------------------------------------------------------------------------------------------

sub DROP       { return }
sub DISCONNECT { return }

sub BEST_INDEX {
    my ($self, $constraints, $order_by) = @_;
    my $index = 0;
    for my $constraint (grep { $_->{usable} } @$constraints) {
        $constraint->{argvIndex} = $index++;
        $constraint->{omit}      = 0;
    }
    return { idxNum => 1, idxStr => '', orderByConsumed => 0, estimatedCost => 1.0, estimatedRows => undef };
}

sub OPEN {
    my ($self, @args) = @_;
    my $class = ref($self) . '::Cursor';
    return $class->NEW($self, @args);
}

sub _SQLITE_UPDATE {    # which of the three it is: https://www.sqlite.org/vtab.html#xupdate
    my ($self, $old_rowid, $new_rowid, @values) = @_;
    return $self->INSERT($new_rowid, @values) if !defined $old_rowid;
    return $self->DELETE($old_rowid)          if !@values;
    return $self->UPDATE($old_rowid, $new_rowid, @values);
}

sub INSERT { my ($self) = @_; die ref($self) . " does not implement INSERT()\n" }
sub DELETE { my ($self) = @_; die ref($self) . " does not implement DELETE()\n" }
sub UPDATE { my ($self) = @_; die ref($self) . " does not implement UPDATE()\n" }

sub FIND_FUNCTION        { return }
sub BEGIN_TRANSACTION    { return }
sub SYNC_TRANSACTION     { return }
sub COMMIT_TRANSACTION   { return }
sub ROLLBACK_TRANSACTION { return }
sub RENAME               { return }
sub SAVEPOINT            { return }
sub ROLLBACK_TO          { return }
sub RELEASE              { return }

# ================================================================================================================================
package DBD::SQLite::VirtualTable::Cursor;

use strict;
use warnings;

sub NEW {
    my ($class, $vtable, @args) = @_;
    return bless { vtable => $vtable, args => \@args }, $class;
}

sub FILTER { my ($self) = @_; die 'FILTER() should be redefined in ' . ref($self) . "\n" }
sub EOF    { my ($self) = @_; die 'EOF() should be redefined in ' . ref($self) . "\n" }
sub NEXT   { my ($self) = @_; die 'NEXT() should be redefined in ' . ref($self) . "\n" }
sub COLUMN { my ($self) = @_; die 'COLUMN() should be redefined in ' . ref($self) . "\n" }
sub ROWID  { my ($self) = @_; die 'ROWID() should be redefined in ' . ref($self) . "\n" }

# ================================================================================================================================
package DBD::SQLite::VirtualTable::Desk;

# One desk for each registered module: (what, table number, ...) comes in, an array goes back. Rows are collected by the batch.

use strict;
use warnings;

my %OPERATOR = (
    2  => '=', 4 => '>', 8 => '<=', 16 => '<', 32 => '>=', 64 => 'MATCH', 65 => 'LIKE', 66 => 'GLOB', 67 => 'REGEXP',
    68 => 'NE',
    69 => 'ISNOT', 70 => 'ISNOTNULL', 71 => 'ISNULL', 72 => 'IS',
);

my %SIMPLE = (
    begin       => 'BEGIN_TRANSACTION',    sync   => 'SYNC_TRANSACTION', commit => 'COMMIT_TRANSACTION',
    rollback    => 'ROLLBACK_TRANSACTION', rename => 'RENAME', savepoint => 'SAVEPOINT', release => 'RELEASE',
    rollback_to => 'ROLLBACK_TO',
);

sub open_for {    # the code the daemon calls
    my ($conn, $class, $outer) = @_;
    my $desk = { class => $class, conn => $conn, tables => {}, cursors => {}, functions => {} };
    CPANBridge::Driver::weaken($desk->{conn});
    return sub {
        my ($what, @rest) = @_;
        if (my $method = $SIMPLE{$what}) {
            my $table = shift @rest;
            $desk->{tables}{$table}->$method(@rest) if $desk->{tables}{$table};
            return [];
        }
        my $code = __PACKAGE__->can("on_$what") or die "virtual tables do not know '$what'\n";
        return $code->($desk, @rest);
    };
}

sub on_create  { return made('CREATE',  @_) }
sub on_connect { return made('CONNECT', @_) }

sub made {
    my ($method, $desk, $number, $module, $db, $name, $args) = @_;
    my $dbh = DBD::SQLite::Callbacks::outer($desk->{conn}{dbh});
    CPANBridge::Driver::weaken($dbh);
    my $table = $desk->{class}->$method(\$dbh, $module, $db, $name, @$args);
    die "$desk->{class}\->$method() returned no table\n" if !ref $table;
    $desk->{tables}{$number} = $table;
    return [$table->VTAB_TO_DECLARE];
}

sub on_drop       { return gone('DROP',       @_) }
sub on_disconnect { return gone('DISCONNECT', @_) }

sub gone {
    my ($method, $desk, $number) = @_;
    my $table = delete $desk->{tables}{$number} or return [];
    delete $desk->{functions}{$number};
    $table->$method;
    return [];
}

sub on_destroy_module { my ($desk) = @_; $desk->{class}->DESTROY_MODULE; return [] }

sub on_best_index {
    my ($desk, $number, $constraints, $order) = @_;
    my @constraints = map { {
        col => $_->[0], op => exists $OPERATOR{ $_->[1] } ? $OPERATOR{ $_->[1] } : 'unknown',
        usable => $_->[2] ? 1 : 0
    } } @$constraints;
    my @order = map { { col => $_->[0], desc => $_->[1] ? 1 : 0 } } @$order;
    my $plan  = $desk->{tables}{$number}->BEST_INDEX(\@constraints, \@order);
    die "BEST_INDEX() did not return a hashref\n" if ref $plan ne 'HASH';
    my @use  = map { [defined $_->{argvIndex} ? int $_->{argvIndex} : undef, $_->{omit} ? 1 : 0] } @constraints;
    my $cost = defined $plan->{estimatedCost} ? $plan->{estimatedCost} + 0 : 1;
    return [
        int($plan->{idxNum} || 0), $plan->{idxStr}, $plan->{orderByConsumed} ? 1 : 0, "$cost",
        $plan->{estimatedRows},    \@use
    ];
}

sub on_open {
    my ($desk, $number, $cursor) = @_;
    $desk->{cursors}{$cursor} = $desk->{tables}{$number}->OPEN;
    return [];
}

sub on_close {
    my ($desk, $number, $cursor) = @_;
    delete $desk->{cursors}{$cursor};
    delete $desk->{columns}{$cursor};
    return []
}

sub on_filter {
    my ($desk, $number, $cursor, $index, $text, $values, $columns, $max) = @_;
    $desk->{columns}{$cursor} = $columns || [];
    $desk->{cursors}{$cursor}->FILTER($index, $text, @{ $values || [] });
    return on_next($desk, $number, $cursor, $max);
}

sub on_next {    # the rows from where the cursor stands
    my ($desk, $number, $id, $max) = @_;
    my $cursor  = $desk->{cursors}{$id};
    my $columns = $desk->{columns}{$id};
    $max ||= 100;
    my @rows;
    while (!$cursor->EOF) {
        return [0, \@rows] if @rows >= $max;
        push @rows,
            [0 + ($cursor->ROWID || 0), map { DBD::SQLite::Callbacks::column(scalar $cursor->COLUMN($_)) } @$columns];
        $cursor->NEXT;
    }
    return [1, \@rows];
}

sub on_update {
    my ($desk, $number, $values) = @_;
    my $rowid = $desk->{tables}{$number}->_SQLITE_UPDATE(@$values);
    return [defined $rowid && $rowid =~ /\A-?\d+\z/ ? 0 + $rowid : undef];
}

sub on_find_function {
    my ($desk, $number, $count, $name) = @_;
    my $known = $desk->{functions}{$number} ||= {};
    if (!exists $known->{"$count $name"}) {
        my $code = $desk->{tables}{$number}->FIND_FUNCTION($count, $name);
        $known->{"$count $name"} =
            ref $code
            ? $desk->{conn}{session}->callback(sub { return DBD::SQLite::Callbacks::result(scalar $code->(@_)) })
            : 0;
    }
    return [$known->{"$count $name"}];
}

1;

__END__

=encoding utf8

=head1 NAME

DBD::SQLite::VirtualTable - tables of SQLite that are written in Perl

=head1 SYNOPSIS

    package Countdown;
    use DBD::SQLite::VirtualTable;
    our @ISA = ('DBD::SQLite::VirtualTable');

    package Countdown::Cursor;
    our @ISA = ('DBD::SQLite::VirtualTable::Cursor');
    sub FILTER { $_[0]{n} = 3 }
    sub EOF    { $_[0]{n} < 1 }
    sub NEXT   { $_[0]{n}-- }
    sub ROWID  { $_[0]{n} }
    sub COLUMN { $_[0]{n} }

    package main;
    $dbh->sqlite_create_module(countdown => 'Countdown');
    $dbh->do('CREATE VIRTUAL TABLE c USING countdown(n INT)');
    print @{ $dbh->selectcol_arrayref('SELECT n FROM c') };    # 321

=head1 DESCRIPTION

A module of virtual tables is a class derived from this one; its cursors are of the class with C<::Cursor> added, derived from
C<DBD::SQLite::VirtualTable::Cursor>. Methods in capitals are called by SQLite, by way of the bridge. L<DBD::SQLite::VirtualTable::PerlData> and
L<DBD::SQLite::VirtualTable::FileContent> are ready for use.

=head1 TABLE METHODS

=over 4

=item CREATE_MODULE( $name ), DESTROY_MODULE

When the module is registered, and when the connection is closed.

=item CREATE, CONNECT( $dbh_ref, $module_name, $db_name, $vtab_name, @args )

Make the object of a new table, or of one that is in the database already. Both call C<NEW>, which calls
C<_PREPARE_SELF>: that gives a hash with C<dbh_ref> (weak), C<module_name>, C<db_name>, C<vtab_name>, C<columns> (the arguments that declare
columns) and C<options> (those of the form C<key=value>).

=item VTAB_TO_DECLARE

The CREATE TABLE statement with the table's columns; made from C<columns>.

=item DROP, DISCONNECT

When the table is dropped, and when its connection is closed.

=item BEST_INDEX( $constraints, $order_by )

Each constraint is a hash of C<col>, C<op> (C<=>, C<< > >>, C<< >= >>, C<< < >>, C<< <= >>, C<MATCH>, ...) and C<usable>. For those it can use, the
method sets C<argvIndex> (from 0: the position of the value in FILTER's C<@values>) and C<omit> (SQLite need not check again). C<$order_by> holds
hashes of C<col> and C<desc>. The answer is a hash of C<idxNum> and C<idxStr> (handed to FILTER), C<orderByConsumed>, C<estimatedCost> and C<estimatedRows>.

=item OPEN

Makes a cursor.

=item INSERT( $rowid, @values ), DELETE( $rowid ), UPDATE( $old_rowid, $new_rowid, @values )

Changes. INSERT answers the new row's number. C<_SQLITE_UPDATE> decides which of them it is.

=item FIND_FUNCTION( $count, $name )

May answer code for an SQL function whose first argument is a column of this table; asked once for each count and name.

=item BEGIN_TRANSACTION, SYNC_TRANSACTION, COMMIT_TRANSACTION, ROLLBACK_TRANSACTION, RENAME( $name ), SAVEPOINT( $n ), RELEASE( $n ), ROLLBACK_TO( $n )

Do nothing here.

=item dbh

The database handle.

=back

=head1 CURSOR METHODS

=over 4

=item NEW( $table, @args )

A hash with C<vtable> and C<args>.

=item FILTER( $idxNum, $idxStr, @values )

Begins a search; the cursor then stands on the first row.

=item EOF, NEXT, COLUMN( $number ), ROWID

Whether there is no row; to the next; a value of the row; its number.

=back

=head1 WHAT IS DIFFERENT

Rows travel by the dozen: NEXT, EOF, ROWID and COLUMN are called for some rows ahead, COLUMN only for the columns the statement uses.

=cut
