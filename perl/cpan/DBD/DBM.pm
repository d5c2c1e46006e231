# Tables in DBM files: the first column is the key, the second the value; with MLDBM the value holds any number of columns.
package DBD::DBM;

use strict;
use warnings;
use DBD::File ();

our @ISA         = ('DBD::File');
our $VERSION     = '0.08';
our $ATTRIBUTION = 'DBD::DBM';

sub driver { my ($class, $attr) = @_; return $class->SUPER::driver($attr) }

sub CLONE { return }

package DBD::DBM::dr;

our @ISA           = ('DBD::File::dr');
our $imp_data_size = 0;

package DBD::DBM::db;

our @ISA           = ('DBD::File::db');
our $imp_data_size = 0;

sub set_versions {
    my ($dbh) = @_;
    $dbh->{dbm_version} = $DBD::DBM::VERSION;
    return $dbh->SUPER::set_versions;
}

sub init_valid_attributes {
    my ($dbh) = @_;
    $dbh->SUPER::init_valid_attributes;
    my @fixed = qw(dbm_version dbm_valid_attrs dbm_readonly_attrs dbm_meta);
    my @open  = qw(dbm_type dbm_mldbm dbm_cols dbm_store_metadata dbm_berkeley_flags dbm_tables dbm_ext dbm_lockfile);
    $dbh->{dbm_valid_attrs}    = { map { $_ => 1 } @fixed, @open };
    $dbh->{dbm_readonly_attrs} = { map { $_ => 1 } @fixed };
    $dbh->{dbm_meta}           = 'dbm_tables';
    return $dbh;
}

sub init_default_attributes {
    my ($dbh, $phase) = @_;
    $dbh->SUPER::init_default_attributes($phase);
    if (!$phase) {
        $dbh->{f_lockfile}         = '.lck';
        $dbh->{dbm_type}           = 'SDBM_File';
        $dbh->{dbm_store_metadata} = 1;
    }
    return $dbh;
}

my %NOW = (dbm_ext => 'f_ext', dbm_lockfile => 'f_lockfile');

sub validate_STORE_attr {
    my ($dbh, $name, $value) = @_;
    $name  = $NOW{$name} if $NOW{$name};
    $value = [split /\s*,\s*/, $value] if $name eq 'dbm_cols' && defined $value && !ref $value;
    return $dbh->SUPER::validate_STORE_attr($name, $value);
}

sub validate_FETCH_attr {
    my ($dbh, $name) = @_;
    return $dbh->SUPER::validate_FETCH_attr($NOW{$name} || $name);
}

sub get_dbm_versions {
    my ($dbh, $table) = @_;
    my $meta = $dbh;
    if (defined $table && $table ne '.' && $table ne '') {
        (undef, my $known) = DBD::DBM::Table->get_table_meta($dbh, $table, 1);
        $meta = $known if $known;
    }
    my $type = $meta->{dbm_type};
    my $used = $type . (eval { $type->VERSION } ? ' (' . $type->VERSION . ')' : '');
    if (my $serializer = $meta->{dbm_mldbm}) {
        my $version = eval { MLDBM->VERSION };
        $used .= ' + MLDBM' . (defined $version ? " ($version)" : '') . " + $serializer";
    }
    return "$DBD::DBM::VERSION using $used";
}

package DBD::DBM::st;

our @ISA           = ('DBD::File::st');
our $imp_data_size = 0;

package DBD::DBM::Statement;

our @ISA = ('DBD::File::Statement');

package DBD::DBM::Table;

our @ISA = ('DBD::File::Table');

__PACKAGE__->register_reset_on_modify({ dbm_type => 'dbm_tietype', dbm_mldbm => 'dbm_tietype' });
__PACKAGE__->register_compat_map({
    dbm_ext => 'f_ext', dbm_file => 'f_file', dbm_lockfile => 'f_lockfile', dbm_cols => 'col_names', type => 'dbm_type',
    mldbm => 'dbm_mldbm', cols => 'col_names', store_metadata => 'dbm_store_metadata', berkeley_flags => 'dbm_berkeley_flags',
});

my $META_KEY = "_metadata \0";

sub extension_for {
    my ($type) = @_;
    return '.pag/r' if $type eq 'SDBM_File' || $type eq 'ODBM_File';
    if ($type eq 'NDBM_File') {    # wraps one of several libraries
        require Config;
        return $Config::Config{libs} =~ /-ldbm\b/ ? '.pag/r' : $^O =~ /bsd|darwin/i ? '.db/r' : '.pag/r';
    }
    return undef;
}

sub extension_of {
    my ($class, $dbh) = @_;
    return $dbh->{f_ext} if defined $dbh->{f_ext};
    return extension_for($dbh->{dbm_type} || 'SDBM_File');
}

sub could_be_table {
    my ($class, $dbh, $full) = @_;
    my $lock = $dbh->{f_lockfile};
    return -f $full && !($lock && $full =~ /\Q$lock\E\z/);
}

sub bootstrap_table_meta {
    my ($self, $dbh, $meta, $table) = @_;
    $meta->{dbm_type} ||= $dbh->{dbm_type} || 'SDBM_File';
    $meta->{dbm_mldbm} = $dbh->{dbm_mldbm} if !defined $meta->{dbm_mldbm} && $dbh->{dbm_mldbm};
    $meta->{dbm_berkeley_flags} ||= $dbh->{dbm_berkeley_flags};
    if (!defined $meta->{dbm_store_metadata}) {
        $meta->{dbm_store_metadata} = defined $dbh->{dbm_store_metadata} ? $dbh->{dbm_store_metadata} : 1;
    }
    if (!defined $meta->{f_ext}) { $meta->{f_ext} = defined $dbh->{f_ext} ? $dbh->{f_ext} : extension_for($meta->{dbm_type}) }
    $meta->{f_lockfile} = defined $dbh->{f_lockfile} ? $dbh->{f_lockfile} : '.lck' if !defined $meta->{f_lockfile};
    $meta->{f_dontopen} = 1;
    return $self->SUPER::bootstrap_table_meta($dbh, $meta, $table);
}

sub init_table_meta {
    my ($self, $dbh, $meta, $table) = @_;
    if (!$meta->{dbm_tietype}) {
        if (defined $meta->{dbm_mldbm} && length $meta->{dbm_mldbm}) { require MLDBM; $meta->{dbm_tietype} = 'MLDBM' }
        else { $meta->{dbm_tietype} = $meta->{dbm_type} eq 'BerkeleyDB' ? 'BerkeleyDB::Hash' : $meta->{dbm_type} }
        (my $file = "$meta->{dbm_type}.pm") =~ s{::}{/}g;
        require $file;
    }
    $meta->{col_names} = [split /\s*,\s*/, $meta->{col_names}] if defined $meta->{col_names} && !ref $meta->{col_names};
    $meta->{col_names} ||= [@{ $dbh->{dbm_cols} }] if ref $dbh->{dbm_cols};
    return $self->SUPER::init_table_meta($dbh, $meta, $table);
}

sub data_files {    # what the type makes of the name
    my ($meta) = @_;
    return ("$meta->{f_fqbn}.pag", "$meta->{f_fqbn}.dir") if $meta->{dbm_type} =~ /\A[SON]DBM_File\z/ && $meta->{f_fqfn} =~ /\.pag\z/;
    return ($meta->{f_fqfn});
}

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    require Carp;
    my ($file) = data_files($meta);
    my ($name) = ($meta->{table_name});
    Carp::croak("Cannot create table $name: the file $file exists already") if $flags->{createMode} && -f $file;
    Carp::croak("Cannot open $file: $!") if !$flags->{createMode} && !-f $file;
    $self->SUPER::open_data($meta, $attrs, $flags);                       # the lock comes first
    return if $flags->{dropMode};
    my %hash;
    my $tied = tie_it(\%hash, $meta, $flags);
    Carp::croak("Cannot " . ($flags->{createMode} ? 'create' : 'open') . " $file as $meta->{dbm_type}: $!") if !$tied;
    $attrs->{hash} = \%hash;
    return if $flags->{createMode};

    # The first row may hold the names of the columns.
    my $stored = plain($meta, \%hash);
    if ($meta->{dbm_store_metadata} && defined $stored && !$meta->{col_names} && $stored =~ m{<col_names>(.*?)</col_names>}s) {
        $meta->{col_names} = [split /,/, $1];
    }
    $meta->{col_names} ||= ['k', 'v'];
    if ($meta->{dbm_store_metadata} && !defined $stored && $flags->{lockMode}) { store_names($meta, \%hash) }
    return;
}

sub has {    # NDBM_File and ODBM_File know no exists
    my ($meta, $hash, $key) = @_;
    return $meta->{dbm_type} =~ /\A[ON]DBM_File\z/ ? defined $hash->{$key} : exists $hash->{$key};
}

sub plain { my ($meta, $hash) = @_; return has($meta, $hash, $META_KEY) ? $hash->{$META_KEY} : undef }

sub store_names {
    my ($meta, $hash) = @_;
    $hash->{$META_KEY} =
        '<dbd_metadata><schema></schema><col_names>' . join(',', @{ $meta->{col_names} }) . '</col_names></dbd_metadata>';
    return;
}

sub tie_it {
    my ($hash, $meta, $flags) = @_;
    require Fcntl;
    my $type  = $meta->{dbm_type};
    my $write = $flags->{createMode} || $flags->{lockMode};
    my $mode  = $flags->{createMode} ? Fcntl::O_RDWR() | Fcntl::O_CREAT() : $write ? Fcntl::O_RDWR() : Fcntl::O_RDONLY();
    my ($name) = data_files($meta);
    $name = $meta->{f_fqbn} if $type =~ /\A[SON]DBM_File\z/;    # these put their own endings on
    my @how = ($name, $mode, oct 666);
    if ($type eq 'DB_File') { push @how, $DB_File::DB_HASH }
    elsif ($type eq 'GDBM_File') {
        @how = ($name, $flags->{createMode} ? GDBM_File::GDBM_WRCREAT() : $write ? GDBM_File::GDBM_WRITER() : GDBM_File::GDBM_READER(), oct 666);
    }
    elsif ($type eq 'BerkeleyDB') {
        my %more = %{ $meta->{dbm_berkeley_flags} || {} };
        my ($create, $readonly) = (delete $more{DB_CREATE}, delete $more{DB_RDONLY});
        $create   = BerkeleyDB::DB_CREATE() if !defined $create;
        $readonly = BerkeleyDB::DB_RDONLY() if !defined $readonly;
        @how = (%more, -Filename => $name, -Flags => $flags->{createMode} ? $create : $write ? 0 : $readonly);
    }
    return tie %$hash, $meta->{dbm_tietype}, @how if $meta->{dbm_tietype} ne 'MLDBM';
    no warnings 'once';
    local $MLDBM::UseDB      = $type eq 'BerkeleyDB' ? 'BerkeleyDB::Hash' : $type;
    local $MLDBM::Serializer = $meta->{dbm_mldbm};
    return tie %$hash, 'MLDBM', @how;
}

sub close_files {
    my ($self) = @_;
    if (my $hash = delete $self->{hash}) { untie %$hash }    # before the lock goes
    return $self->SUPER::close_files;
}

sub drop {
    my ($self, $data) = @_;
    my @files = data_files($self->{meta});
    $self->close_files;
    unlink @files;
    return $self->SUPER::drop($data);
}

sub push_names {
    my ($self, $data, $names) = @_;
    my $meta = $self->{meta};
    if (@$names > 2 && $meta->{dbm_tietype} ne 'MLDBM') {
        my $type = $meta->{dbm_type};
        $self->drop($data);
        require Carp;
        Carp::croak("A table of $type has at most two columns: " . @$names . ' need MLDBM (dbm_mldbm)');
    }
    $meta->{col_names} = $self->{col_names} = [@$names];
    delete $self->{col_nums};
    store_names($meta, $self->{hash}) if $meta->{dbm_store_metadata};
    return 1;
}

sub row_of { my ($self, $key, $value) = @_; return [$key, $self->{meta}{dbm_tietype} eq 'MLDBM' ? @{ $value || [] } : $value] }

sub fetch_row {
    my ($self, $data) = @_;
    my ($key, $value);
    if (!$self->{walking}) { my $n = keys %{ $self->{hash} } if $self->{walked}; $self->{walking} = $self->{walked} = 1 }
    do { ($key, $value) = each %{ $self->{hash} } } while defined $key && $key eq $META_KEY;
    if (!defined $key) { $self->{walking} = 0; return $self->{row} = undef }
    return $self->{row} = $self->row_of($key, $value);
}

sub fetch_one_row {    # the name of the key column, or the row of a key
    my ($self, $name_only, $key) = @_;
    return $self->{col_names}[0] if $name_only;
    return undef if $key eq $META_KEY || !has($self->{meta}, $self->{hash}, $key);
    return $self->row_of($key, $self->{hash}{$key});
}

sub put {
    my ($self, $row) = @_;
    my ($key, @rest) = @$row;
    require Carp;
    Carp::croak("The key column '$self->{col_names}[0]' must not be NULL") if !defined $key;
    Carp::croak('This key is taken: it holds the names of the columns')    if $key eq $META_KEY;
    if ($self->{meta}{dbm_tietype} eq 'MLDBM') { $self->{hash}{$key} = \@rest }
    else                                       { $self->{hash}{$key} = defined $rest[0] ? $rest[0] : '' }
    return 1;
}

sub insert_new_row {
    my ($self, $data, $row) = @_;
    my $key = $row->[0];
    if (defined $key && has($self->{meta}, $self->{hash}, $key)) {
        require Carp;
        Carp::croak("Row with PK '$key' already exists");
    }
    return $self->put($row);
}

sub push_row { my ($self, $data, $row) = @_; return $self->put($row) }

sub delete_one_row {
    my ($self, $data, $row) = @_;
    delete $self->{hash}{ $row->[0] };
    return 1;
}

sub update_specific_row {
    my ($self, $data, $row, $old) = @_;
    my ($from, $to) = ($old->[0], $row->[0]);
    if (defined $to && $to ne $from) {
        $self->insert_new_row($data, $row);
        delete $self->{hash}{$from};
        return 1;
    }
    return $self->put($row);
}

sub seek {
    my ($self) = @_;
    $self->{walking} = 0;
    return 1;
}

sub truncate { return 1 }

1;

__END__

=head1 NAME

DBD::DBM - tables in DBM files

=head1 SYNOPSIS

    my $dbh = DBI->connect('dbi:DBM:', undef, undef, { f_dir => 'data', RaiseError => 1 });
    $dbh->do('CREATE TABLE user (name TEXT, phone TEXT)');
    $dbh->do('INSERT INTO user VALUES (?, ?)', undef, 'Fred', '233-7777');

=head1 DESCRIPTION

The first column is the key. C<dbm_type> is SDBM_File (the default), DB_File, GDBM_File, BerkeleyDB, NDBM_File or ODBM_File;
C<dbm_mldbm> names a serializer of MLDBM, with which tables have more than two columns; C<dbm_store_metadata> says whether the
names of the columns are kept in the file, C<dbm_cols> what they are where they are not.

=cut
