# What well-known software does with DBI that plain scripts do not. It holds under any DBI.
use strict;
use warnings;
use Test::More;
no warnings 'once';

# A constant's name may have been seen before DBI was loaded.
sub early { return (DBI::SQL_INTEGER(), DBD::SQLite::DENY()) }

require DBI;
plan skip_all => 'no DBD::SQLite' if !eval { require DBD::SQLite; 1 };
my $dbh = eval { DBI->connect('dbi:SQLite::memory:', '', '', { RaiseError => 1, PrintError => 0 }) }
    or plan skip_all => "no database: $@";
is_deeply [early()], [4, 1], 'constants that were mentioned before their module was loaded';

{    # an error is located by Carp from within HandleError: at the line that called the package of the handler

    package My::Layer;
    require Carp;
    sub new { my ($class, $h) = @_; $h->{HandleError} = sub { $_[0] = Carp::shortmess($_[0]); 0 }; return bless [$h] }
    sub run { my ($self, $sql) = @_; return $self->[0]->do($sql) }
    sub get { my ($self, $sql) = @_; my $sth = $self->[0]->prepare($sql); $sth->execute; return $sth }
}
my $layer = My::Layer->new($dbh);
my $line  = __LINE__ + 1;
eval { $layer->run('no such statement') };
like $@, qr/do failed: .* at \Q$0\E line $line\.?$/, 'shortmess in HandleError: do';
$line = __LINE__ + 1;
eval { $layer->get('no such statement') };
like $@, qr/prepare failed: .* at \Q$0\E line $line\.?$/, '... and prepare';

my @frames;
$dbh->{HandleError} = sub { my $depth = 0; while (my @at = caller $depth++) { push @frames, $at[0] } return 1 };
$dbh->do('no such statement');
is scalar(grep { $_ ne 'main' } @frames), $DBI::BRIDGE ? 1 : 0, 'HandleError sees at most one frame that is not the script'
    or diag "@frames";
$dbh->{HandleError} = undef;

# a statement handle of the catalogue is executed once more
$dbh->do('create table city (id integer primary key, name varchar(100) not null)');
my $columns = $dbh->column_info(undef, undef, 'city', '%');
$columns->execute;
is join(',', map { $_->[3] } @{ $columns->fetchall_arrayref }), 'id,name', 'column_info, executed again';
my $tables = $dbh->table_info(undef, undef, 'city', 'TABLE');
$tables->execute;
is $tables->fetchrow_hashref->{TABLE_NAME}, 'city', 'table_info, executed again';

{    # type_info is asked with what TYPE holds: names
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    my $type = $dbh->type_info('varchar');
    is "@warned", '', 'type_info of a name: no warning';
    $type->{TYPE_NAME} = 'changed';
    isnt $dbh->type_info('varchar')->{TYPE_NAME}, 'changed', '... and each call gives its own';
}

my $sponge = DBI->connect('dbi:Sponge:', '', '', { RaiseError => 1 });
my $empty  = $sponge->prepare('nothing', { NAME => [], rows => [] });
is_deeply $empty->fetchall_arrayref, [], 'a Sponge without columns';

is $dbh->prepare('select 1')->blob_read(0, 0, 10), undef, 'blob_read with the three arguments that it needs: nothing';

{    # take_imp_data of one handle leaves the others as they are
    my $example = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1 });
    my $other   = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1 });
    my $drh     = $example->{Driver};
    ok $example->take_imp_data, 'take_imp_data';
    ok scalar(grep { defined && "$_" eq "$other" } @{ $drh->{ChildHandles} }), '... the driver still knows the other handle';
    ok $other->ping, '... which is as it was';
}

SKIP: {
    skip 'the bridge\'s own driver is not under test', 2 if !eval { DBD::SQLite->isa('CPANBridge::Driver') };
    ok !eval { $dbh->take_imp_data }, 'a connection in the daemon cannot be taken';
    like $@, qr/belongs to this process; connect anew/, '... which is said';
}

done_testing();
