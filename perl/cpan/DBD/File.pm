# The base of drivers whose tables are files. Where files are and how they are opened is here; what is in them is the business of
# the driver (fetch_row, push_row, push_names of its table class), SQL that of DBI::DBD::SqlEngine.
package DBD::File;

use strict;
use warnings;
use DBI                 ();
use DBI::DBD::SqlEngine ();

our @ISA         = ('DBI::DBD::SqlEngine');
our $VERSION     = '0.44';
our $ATTRIBUTION = 'DBD::File';

sub driver {
    my ($class, $attr) = @_;
    return $class->SUPER::driver($attr);
}

sub CLONE { return }

package DBD::File::dr;

our @ISA           = ('DBI::DBD::SqlEngine::dr');
our $imp_data_size = 0;

sub default_table_source { return 'DBD::File::TableSource::FileSystem' }

package DBD::File::db;

use Cwd        ();
use File::Spec ();

our @ISA           = ('DBI::DBD::SqlEngine::db');
our $imp_data_size = 0;

my @READONLY = qw(f_version f_valid_attrs f_readonly_attrs);
my @OPEN     = qw(f_dir f_dir_search f_ext f_schema f_lock f_lockfile f_encoding f_meta f_meta_map f_file);

sub set_versions {
    my ($dbh) = @_;
    $dbh->{f_version} = $DBD::File::VERSION;
    return $dbh->SUPER::set_versions;
}

sub init_valid_attributes {
    my ($dbh) = @_;
    $dbh->{f_valid_attrs}    = { map { $_ => 1 } @READONLY, @OPEN };
    $dbh->{f_readonly_attrs} = { map { $_ => 1 } @READONLY, 'f_meta' };
    return $dbh->SUPER::init_valid_attributes;
}

sub init_default_attributes {
    my ($dbh, $phase) = @_;
    if (!$phase) {
        $dbh->{sql_data_source}  ||= 'DBD::File::DataSource::File';
        $dbh->{sql_table_source} ||= 'DBD::File::TableSource::FileSystem';
        $dbh->{f_dir} = Cwd::abs_path(File::Spec->curdir);
    }
    $dbh->SUPER::init_default_attributes($phase);
    if ($phase) { check_dir($dbh->{f_dir}) }
    return $dbh;
}

sub check_dir {
    my ($dir) = @_;
    return if -d $dir;
    require Carp;
    Carp::croak("No such directory '$dir'");
}

sub validate_STORE_attr {
    my ($dbh, $name, $value) = @_;
    if ($name eq 'f_dir') {
        $value = File::Spec->curdir if !defined $value || $value eq '';
        check_dir($value);
        $value = Cwd::abs_path($value) if !File::Spec->file_name_is_absolute($value);
    }
    return $dbh->SUPER::validate_STORE_attr($name, $value);
}

sub get_f_versions {
    my ($dbh, $table) = @_;
    require IO::File;
    return "$DBD::File::VERSION using IO::File ($IO::File::VERSION)";
}

package DBD::File::st;

our @ISA           = ('DBI::DBD::SqlEngine::st');
our $imp_data_size = 0;

sub execute {    # what a CREATE of this session says of its columns is remembered: files do not hold it
    my ($sth, @values) = @_;
    my $result = $sth->SUPER::execute(@values);
    my $stmt   = $sth->{sql_stmt};
    if ($stmt->{command} ne 'SELECT' && $stmt->{command} ne 'DROP') {
        my $error = unwritten($sth, $stmt);    # also after a failure: it must not be told of the next statement
        return $sth->set_err($DBI::stderr, $error) if $result && defined $error;
    }
    if ($result && $stmt->{command} eq 'CREATE' && $stmt->isa('SQL::Statement') && ref $stmt->{table_defs} eq 'HASH') {
        my $columns = $stmt->{table_defs}{columns} || {};
        my $known = DBI::DBD::SqlEngine::Table::known($sth->{Database}, $stmt->{table_names}[0], 0);
        $sth->{Database}{sql_meta}{$known}{sql_columns} = { map { lc $_ => $columns->{$_} } keys %$columns } if defined $known;
    }
    return $result;
}

sub unwritten {    # why what the statement wrote is not in the file, if so
    my ($sth, $stmt) = @_;
    my $table = $stmt->isa('SQL::Statement') ? ($stmt->{table_names} || [])->[0] : $stmt->{table_name};
    return undef if !defined $table;
    my $known = DBI::DBD::SqlEngine::Table::known($sth->{Database}, (DBI::DBD::SqlEngine::Table::bare($table))[0], 0);
    my $meta = defined $known ? $sth->{Database}{sql_meta}{$known} : return undef;
    my $error = delete $meta->{f_write_error};
    return $error if defined $error;
    my $fh = $meta->{fh};
    return ref $fh && defined fileno $fh && !$fh->flush ? "Cannot write $meta->{f_fqfn}: $!" : undef;
}

sub FETCH {
    my ($sth, $key) = @_;
    my $value = $sth->SUPER::FETCH($key);
    return $value if $key !~ /\A(?:TYPE|PRECISION|NULLABLE)\z/ || ref $value ne 'ARRAY';
    my $stmt = $sth->{sql_stmt};
    return $value if !$stmt->isa('SQL::Statement') || ref $stmt->{columns} ne 'ARRAY' || @{ $stmt->{columns} } != @$value;
    my @columns = @{ $stmt->{columns} };
    return [map { known_of($sth->{Database}, $key, $columns[$_], $value->[$_]) } 0 .. $#columns];
}

sub known_of {
    my ($dbh, $key, $column, $default) = @_;
    my ($name, $table) = @$column{qw(name table)};
    return $default if !defined $name || !defined $table;
    my $known = DBI::DBD::SqlEngine::Table::known($dbh, $table, 0);
    my $about = defined $known && $dbh->{sql_meta}{$known}{sql_columns};
    my $it = $about && $about->{ lc $name } or return $default;
    return $it->{data_length} || 0 if $key eq 'PRECISION';
    return grep({ /\ANOT NULL\z/i } @{ $it->{constraints} || [] }) ? 0 : 1 if $key eq 'NULLABLE';
    my $type = uc(defined $it->{data_type} ? $it->{data_type} : '');
    $type = 'INTEGER' if $type eq 'INT';
    my $code = DBI->can("SQL_$type");
    return $code ? $code->() : $default;
}

package DBD::File::TableSource::FileSystem;

use File::Spec ();

our @ISA = ('DBI::DBD::SqlEngine::TableSource');

sub data_sources {
    my ($class, $h, $attr) = @_;
    my $dir = $attr && exists $attr->{f_dir} ? $attr->{f_dir} : $h->{f_dir};
    $dir = File::Spec->curdir if !defined $dir;
    my $more = $attr && exists $attr->{f_dir_search} ? $attr->{f_dir_search} : $h->{f_dir_search};
    (my $driver = $h->{ImplementorClass}) =~ s/\ADBD::|::(?:dr|db)\z//g;
    my @attrs = map { "$_=" . escaped($attr->{$_}) }
        grep { $_ ne 'f_dir' && defined $attr->{$_} && !ref $attr->{$_} } sort keys %{ $attr || {} };
    my @found;
    for my $top ($dir, ref $more ? @$more : ()) {    # each with the directories in it
        my $dh;
        if (!opendir $dh, $top) { $h->set_err($DBI::stderr, "Cannot open directory '$top': $!"); return }
        push @found, grep { -d } map { File::Spec->catdir($top, $_) } grep { $_ ne File::Spec->updir } sort readdir $dh;
        closedir $dh;
    }
    return map { "dbi:$driver:" . join ';', @attrs, 'f_dir=' . escaped($_) } @found;
}

sub escaped { my ($text) = @_; $text =~ s/;/\\;/g; return $text }

sub avail_tables {
    my ($class, $dbh) = @_;
    my $table_class = $dbh->func('Table', 'class_of');
    my ($ext, $must) = DBD::File::DataSource::File::extension($table_class->extension_of($dbh));
    my (@rows, %seen);
    for my $dir ($dbh->{f_dir}, @{ $dbh->{f_dir_search} || [] }) {
        opendir my $dh, $dir or do {
            $dbh->set_err($DBI::stderr, "Cannot open directory '$dir': $!");
            return;
        };
        my $schema = schema_of($dbh, $dir);
        for my $file (sort readdir $dh) {
            next if $file eq File::Spec->curdir || $file eq File::Spec->updir;
            next if $must && $file !~ /\Q$ext\E\z/i;
            my $full = File::Spec->catfile($dir, $file);
            next if !$table_class->could_be_table($dbh, $full);
            my ($name, $meta) = -d $full ? ($file) : $table_class->get_table_meta($dbh, qq{"$file"}, 1);
            next if !defined $name || $seen{ defined $schema ? $schema : '' }{$name}++;
            push @rows, [undef, $schema, $name, 'TABLE', 'FILE'];
        }
        closedir $dh;
    }
    return @rows;
}

sub schema_of {    # f_schema, or who owns the directory
    my ($dbh, $dir) = @_;
    if (exists $dbh->{f_schema}) { return defined $dbh->{f_schema} && length $dbh->{f_schema} ? $dbh->{f_schema} : undef }
    return eval { scalar getpwuid((stat $dir)[4]) };
}

package DBD::File::DataSource::Stream;

our @ISA = ('DBI::DBD::SqlEngine::DataSource');

my $can_flock;

sub can_flock {
    return $can_flock if defined $can_flock;
    return $can_flock = eval { local $SIG{__DIE__}; flock STDOUT, 0; 1 } ? 1 : 0;
}

sub complete_table_name {
    my ($self, $meta, $file, $respect_case) = @_;
    delete @$meta{qw(f_fqfn f_fqbn f_fqln)};
    return $meta->{table_name} = DBI::DBD::SqlEngine::DataSource::adapt($meta, $file, $respect_case);
}

sub apply_encoding {
    my ($self, $meta, $name) = @_;
    my $fh = $meta->{fh} or return;
    my $layer = $meta->{f_encoding};
    my $done = defined $layer && length $layer ? binmode $fh, ":encoding($layer)" : binmode $fh;
    return if $done;
    require Carp;
    Carp::croak('Failed to set the encoding ' . (defined $layer ? "'$layer'" : 'of bytes') . ' for ' . (defined $name ? $name : 'the stream') . ": $!");
}

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    require IO::File;
    require Carp;
    if ($flags->{dropMode}) { Carp::croak("Can't drop a table in stream") }
    my $stream = $meta->{f_file};
    my $no     = defined $stream ? fileno $stream : undef;
    Carp::croak("Table '$meta->{table_name}' has no open file handle in f_file") if !defined $no;
    my $write = $flags->{createMode} || $flags->{lockMode};
    $meta->{fh} = IO::File->new_from_fd($no, $write ? 'r+' : 'r') || IO::File->new_from_fd($no, $write ? 'w' : 'r')
        or Carp::croak("Cannot open the stream of table '$meta->{table_name}': $!");
    $self->apply_encoding($meta);
    lock_file($self, $meta, $meta->{fh}, $flags->{lockMode});
    return;
}

sub lock_file {    # f_lock: 0 no lock, 1 shared, 2 exclusive; else by what is to be done
    my ($self, $meta, $fh, $for_writing) = @_;
    return if !$fh || !$self->can_flock;
    my $how = $meta->{f_lock};
    $how = $for_writing ? 2 : 1 if !defined $how || $how !~ /\A[012]\z/;
    return if !$how;
    require Fcntl;
    return if flock $fh, $how == 2 ? Fcntl::LOCK_EX() : Fcntl::LOCK_SH();
    require Carp;
    Carp::croak(($how == 2 ? 'Cannot obtain exclusive lock on ' : 'Cannot obtain shared lock on ') . "$meta->{f_fqfn}: $!");
}

package DBD::File::DataSource::File;

use Cwd            ();
use File::Basename ();
use File::Spec     ();

our @ISA = ('DBD::File::DataSource::Stream');

sub extension {    # '.csv/r' → ('.csv', 1)
    my ($ext) = @_;
    return ('', 0) if !defined $ext;
    my ($name, $flags) = split m{/}, $ext, 2;
    return (defined $name ? $name : '', defined $flags && $flags =~ /r/ ? 1 : 0);
}

sub place {    # the file is to be this one
    my ($meta, $full, $ext) = @_;
    (my $base = $full) =~ s/\Q$ext\E\z//i if length $ext;
    $base = $full if !length $ext;
    $meta->{f_fqfn} = $full;
    $meta->{f_fqbn} = $base;
    $meta->{f_fqln} = $base . $meta->{f_lockfile} if $meta->{f_lockfile};
    return;
}

sub in_full { my ($dir) = @_; my $full = -d $dir ? Cwd::abs_path($dir) : undef; return defined $full ? $full : File::Spec->rel2abs($dir) }

sub complete_table_name {
    my ($self, $meta, $table, $respect_case) = @_;
    my ($ext, $must) = extension($meta->{f_ext});
    my $name = DBI::DBD::SqlEngine::DataSource::adapt($meta, $table, $respect_case);
    if (defined $meta->{f_file} && !ref $meta->{f_file}) {
        my $file = $meta->{f_file};
        $file = File::Spec->catfile(in_full($meta->{f_dir}), $file) if !File::Spec->file_name_is_absolute($file);
        place($meta, $file, $ext);
        return $meta->{table_name} = $name;
    }
    my ($file, $path) = File::Basename::fileparse($table);
    my $has_path = $path ne './' || $table =~ m{\A\.[/\\]};
    return undef if $file eq '';
    my @dirs = ($meta->{f_dir}, @{ $meta->{f_dir_search} || [] });
    @dirs = (File::Spec->file_name_is_absolute($path) ? $path : File::Spec->catdir($meta->{f_dir}, $path)) if $has_path;
    (my $wanted = $file) =~ s/\Q$ext\E\z//i if length $ext;
    $wanted = $file if !length $ext;
    for my $dir (@dirs) {
        my $found = find($dir, $wanted, $ext, $must, $respect_case);
        next if !defined $found;
        place($meta, File::Spec->catfile(in_full($dir), $found), $ext);
        (my $base = $found) =~ s/\Q$ext\E\z//i if length $ext;
        $base = $found if !length $ext;
        return $meta->{table_name} = $has_path ? $table : $base;
    }
    my $new = DBI::DBD::SqlEngine::DataSource::adapt($meta, $wanted, $respect_case || $has_path);
    place($meta, File::Spec->catfile(in_full($dirs[0]), $new . $ext), $ext);
    return $meta->{table_name} = $has_path ? $table : $new;
}

sub find {    # the best of the files of that name: with the extension before without, in the very case before alike
    my ($dir, $wanted, $ext, $must, $respect_case) = @_;
    for my $exact ("$wanted$ext", $must ? () : $wanted) { return $exact if -f File::Spec->catfile($dir, $exact) }
    opendir my $dh, $dir or return undef;
    my $body = $respect_case ? qr/\Q$wanted\E/ : qr/\Q$wanted\E/i;
    my $tail = length $ext   ? qr/\Q$ext\E/i   : qr//;
    my @all  = sort grep { /\A$body(?:$tail)?\z/ } readdir $dh;
    closedir $dh;
    @all = grep { -f File::Spec->catfile($dir, $_) } @all;
    my ($best) = ((grep { /\A$body$tail\z/ } @all), $must ? () : @all);
    return $best;
}

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    require IO::File;
    require Carp;
    my $file = $meta->{f_fqfn};
    Carp::croak("No filename given for table '$attrs->{table}'") if !defined $file || !length $file;
    my ($table, $fh) = ($meta->{table_name});
    if (!$meta->{f_dontopen}) {
        Carp::croak("Cannot create table $table: the file $file exists already") if $flags->{createMode} && -f $file;
        my $mode = $flags->{createMode} ? 'w+' : $flags->{lockMode} ? 'r+' : 'r';
        $fh = IO::File->new($file, $mode) or Carp::croak("Cannot open $file: $!");
        $meta->{fh} = $attrs->{fh} = $fh;
        $self->apply_encoding($meta, $file);
    }
    if ($meta->{f_fqln}) {
        my $lock = IO::File->new($meta->{f_fqln}, -f $meta->{f_fqln} && !-w _ ? 'r' : 'a+') or Carp::croak("Cannot open $meta->{f_fqln}: $!");
        $meta->{lockfh} = $attrs->{lockfh} = $lock;
    }
    DBD::File::DataSource::Stream::lock_file($self, $meta, $meta->{f_fqln} ? $attrs->{lockfh} : $fh, $flags->{createMode} || $flags->{lockMode});
    return;
}

package DBD::File::Statement;

our @ISA = ('DBI::DBD::SqlEngine::Statement');

package DBD::File::Table;

our @ISA = ('DBI::DBD::SqlEngine::Table');

__PACKAGE__->register_reset_on_modify({ map { $_ => ['f_fqfn', 'f_fqbn', 'f_fqln'] } qw(f_file f_dir f_ext f_lockfile) });
__PACKAGE__->register_compat_map({ file => 'f_file', ext => 'f_ext', dir => 'f_dir', lockfile => 'f_lockfile' });

sub extension_of { my ($class, $dbh) = @_; return $dbh->{f_ext} }    # of files of tables nothing is known of

sub could_be_table { return 1 }    # a driver may know better

sub bootstrap_table_meta {
    my ($self, $dbh, $meta, $table, @more) = @_;
    for my $name (qw(f_dir f_dir_search f_ext f_encoding f_lock f_schema f_lockfile)) {
        $meta->{$name} = $dbh->{$name} if !exists $meta->{$name};
    }
    if (ref $meta->{f_file} && !$meta->{sql_data_source}) {    # an open handle
        $meta->{sql_data_source} = 'DBD::File::DataSource::Stream'
    }
    return $self->SUPER::bootstrap_table_meta($dbh, $meta, $table, @more);
}

sub init_table_meta {
    my ($self, $dbh, $meta, $table, @more) = @_;
    return $self->SUPER::init_table_meta($dbh, $meta, $table, @more);
}

sub open_file {    # the name drivers of old override
    my ($self, $meta, $attrs, $flags) = @_;
    return $meta->{sql_data_source}->open_data($meta, $attrs, $flags);
}

sub open_data {
    my ($self, $meta, $attrs, $flags) = @_;
    return $self->open_file($meta, $attrs, $flags);
}

sub close_files {
    my ($self) = @_;
    my $meta = $self->{meta} || {};
    for my $what (qw(fh lockfh)) {
        my $fh = delete $self->{$what} or next;
        delete $meta->{$what} if ref $meta->{$what} && $meta->{$what} == $fh;
        next if $what eq 'fh' && ref $meta->{f_file};
        close $fh or $meta->{f_write_error} = "Cannot write $meta->{f_fqfn}: $!";    # execute reports it
    }
    return;
}

sub drop {
    my ($self, $data) = @_;
    my $meta = $self->{meta};
    $self->close_files;
    delete $meta->{fh};
    unlink grep { defined && length } @$meta{qw(f_fqfn f_fqln)};
    $data->{Database}->func($self->{table}, 'clear_sql_engine_meta');
    return 1;
}

sub seek {
    my ($self, $data, $at, $whence) = @_;
    ($at, $whence) = (0, 2) if $at == 2 && !$whence;
    my $meta = $self->{meta};
    require Carp;
    if    ($whence == 0 && $at == 0) { $at = defined $meta->{first_row_pos} ? $meta->{first_row_pos} : 0 }
    elsif ($whence != 2 || $at != 0) { Carp::croak("Illegal seek position: pos = $at, whence = $whence") }
    $meta->{fh}->seek($at, $whence) or Carp::croak("Error while seeking in $meta->{f_fqfn}: $!");
    return 1;
}

sub truncate {
    my ($self, $data) = @_;
    my $meta = $self->{meta};
    $self->flush;
    $meta->{fh}->truncate($meta->{fh}->tell) or do { require Carp; Carp::croak("Error while truncating $meta->{f_fqfn}: $!") };
    return 1;
}

sub flush {    # what was written is in the file, or the statement fails
    my ($self) = @_;
    my $fh = $self->{meta}{fh} or return 1;
    $fh->flush or do { require Carp; Carp::croak("Cannot write $self->{meta}{f_fqfn}: $!") };
    return 1;
}

sub DESTROY { my ($self) = @_; $self->close_files; return }

1;

__END__

=head1 NAME

DBD::File - base of drivers whose tables are files

=head1 SYNOPSIS

    package DBD::Foo::Table;
    our @ISA = ('DBD::File::Table');
    sub fetch_row  { my ($self, $sth) = @_; ...; return $self->{row} = \@values }
    sub push_row   { my ($self, $sth, $row) = @_; ... }
    sub push_names { my ($self, $sth, $names) = @_; ... }

    my $dbh = DBI->connect('dbi:Foo:', undef, undef, { f_dir => 'data', f_ext => '.foo/r' });

=head1 DESCRIPTION

C<f_dir> is where the files are, C<f_dir_search> where else to look, C<f_ext> what their names end in (with C</r>: must end in),
C<f_lock> 0, 1 or 2 for no, shared or exclusive locks, C<f_lockfile> the ending of lock files, C<f_encoding> the encoding,
C<f_schema> the schema in C<tables>. Each may be set for one table (C<PREFIX_set_meta>), and C<f_file> names the file of one.

=cut
