# Which drivers are there, what sources do they know, why did one not load; cached connections.
package DBI;

use strict;
use warnings;
no warnings 'redefine';

our ($VERSION, %installed_drh);

sub driver_files {    # names of the DBD modules along @INC, each with the folder it was found in
    my (%seen, @found);
    for my $dir (grep { !ref } @INC) {
        opendir my $dh, "$dir/DBD" or next;
        for my $file (sort readdir $dh) {
            next if $file !~ /^(\w+)\.pm\z/ || $1 eq 'NullP' || -d "$dir/DBD/$file";
            push @found, [$1, $dir, $seen{$1}++];
        }
    }
    return @found;
}

sub available_drivers {
    my ($class, $quiet) = @_;
    my (%first, @drivers);
    for my $found (driver_files()) {
        my ($name, $dir, $again) = @$found;
        if ($again) {
            DBI::Bridge::carp("DBD::$name in $dir is hidden by DBD::$name in $first{$name}")
                if !$quiet && $first{$name} ne $dir;
            next;
        }
        $first{$name} = $dir;
        push @drivers, $name;
    }
    return wantarray ? sort @drivers : scalar @drivers;
}

sub installed_drivers { return wantarray ? %installed_drh : scalar keys %installed_drh }

# methods that drivers have installed: name of the method in DBI's classes => what is known of it
sub installed_methods { our %INSTALLED; return wantarray ? %INSTALLED : scalar keys %INSTALLED }

sub installed_versions {
    my ($class, $quiet) = @_;
    my %version = (DBI => $VERSION, Perl => sprintf('%vd', $^V) . '', OS => $^O);
    my @drivers;
    for my $name ($class->available_drivers(1)) {
        my $drh = eval {
            local $SIG{__WARN__} = sub { };
            $class->install_driver($name)
        };
        push @drivers, $name;
        $version{"DBD::$name"} = $drh ? $drh->{Version} : 'not loadable: ' . (split /\n/, $@)[0];
    }
    return @drivers  if wantarray;
    return \%version if defined wantarray;
    printf "  %-16s: %s\n", $_, defined $version{$_} ? $version{$_} : '' for sort keys %version;
    return;
}

sub data_sources {
    my ($class, $driver, @other) = @_;
    $driver =~ s/^dbi:(\w+).*/$1/is if defined $driver;    # a whole source will do
    my $drh = ref $class ? $class : $class->install_driver($driver);
    return $drh->data_sources(@other);
}

sub parse_dsn {
    my ($class, $dsn) = @_;
    return if !defined $dsn || $dsn !~ s/^(dbi):(\w*?)(?:\((.*?)\))?://i;
    my ($scheme, $driver, $spec) = (lc $1, $2, $3);
    $driver ||= $ENV{DBI_DRIVER} || '';
    my $hash = defined $spec
        && length $spec ? { map { my ($k, $v) = split /\s*=>?\s*/, $_, 2; ($k => $v) } split /\s*,\s*/, $spec } : undef;
    return ($scheme, $driver, $spec, $hash, $dsn);
}

sub connect_cached {
    my ($class, $dsn, $user, $pass, $attr) = @_;
    return $class->connect($dsn, $user, $pass, { $attr ? %$attr : (), dbi_connect_method => 'connect_cached' });
}

sub connect_test_perf {
    my ($class, $dsn, $user, $pass, $attr) = @_;
    my $times = delete $attr->{dbi_loops} || 5;
    require Time::HiRes;
    my $start = Time::HiRes::time();
    for (1 .. $times) { my $dbh = $class->connect($dsn, $user, $pass, $attr); $dbh->disconnect if $dbh }
    return (Time::HiRes::time() - $start) / $times;
}

sub dbixs_revision { return 15128 }

sub require_version {
    my ($class, $wanted) = @_;
    return $class->VERSION($wanted);
}

# the prefixes that drivers and DBI add-ons have registered for their private attributes and methods
my %PREFIX = (
    ad   => 'DBD::AnyData', ado => 'DBD::ADO', amzn => 'DBD::Amazon', best => 'DBD::BestWins', csv => 'DBD::CSV',
    db2  => 'DBD::DB2',
    dbi  => 'DBI',            dbm => 'DBD::DBM', df => 'DBD::DF', examplep => 'DBD::ExampleP', f => 'DBD::File',
    file => 'DBD::TextFile',  go  => 'DBD::Gofer',
    ib   => 'DBD::InterBase', ing => 'DBD::Ingres', ix => 'DBD::Informix', mariadb => 'DBD::MariaDB', mem => 'DBD::Mem',
    mysql  => 'DBD::mysql',
    mx     => 'DBD::Multiplex', neo => 'DBD::Neo4p', nullp => 'DBD::NullP', odbc => 'DBD::ODBC', ora => 'DBD::Oracle',
    pg     => 'DBD::Pg',
    pgpp   => 'DBD::PgPP', plb => 'DBD::Plibdata', proxy => 'DBD::Proxy', snmp => 'DBD::SNMP', sponge => 'DBD::Sponge',
    sql    => 'DBI::DBD::SqlEngine',
    sqlite => 'DBD::SQLite', syb => 'DBD::Sybase', sys => 'DBD::Sys', tdat => 'DBD::Teradata', tmpl => 'DBD::Template',
    uni    => 'DBD::Unify',
    wmi    => 'DBD::WMI', xbase => 'DBD::XBase', xl => 'DBD::Excel', yaswi => 'DBD::Yaswi'
);
my %CLASS = reverse %PREFIX;

sub driver_prefix { my ($class, $driver) = @_; return defined $driver && $CLASS{$driver} ? "$CLASS{$driver}_" : undef }
sub dbd_prefix_registered { my ($class, $prefix) = @_; $prefix =~ s/_\z//; return $PREFIX{$prefix} }

sub internal {    # the handle above all drivers
    our $switch ||= do {
        @DBD::Switch::dr::ISA = ('DBD::_::dr') if !@DBD::Switch::dr::ISA;
        _new_drh(
            'DBD::Switch::dr',
            {
                Name        => 'Switch', Version => $VERSION,
                Attribution => "DBI $VERSION by Tim Bunce (interface), in plain Perl"
            }
        );
    };
    return $switch;
}

package DBI::Bridge;

my $autoproxy_told;

sub autoproxy {    # DBI_AUTOPROXY would send each connection through another process: that is done already
    return if $autoproxy_told++;
    carp("DBI_AUTOPROXY ($ENV{DBI_AUTOPROXY}) is ignored: connections go through the bridge's daemon as they are");
    return;
}

sub load_root {
    my ($root) = @_;
    no strict 'refs';
    return if @{"${root}::db::ISA"} || $root->can('connect');
    (my $file = "$root.pm") =~ s{::}{/}g;
    eval { require $file; 1 } and return;
    my $error = $@;
    $error =~ s/ at \S+ line \d+\.?\n?\z//;
    DBI::Bridge::croak($error);
}

sub connect_failed {
    my ($drh, $rest, $user, $attr) = @_;
    my $errstr  = $drh->errstr || '';
    my $message = "connect('$rest','" . (defined $user ? $user : '') . "',...) failed: $errstr";
    my $handler = $attr->{HandleError};
    if (ref $handler && $handler->("DBI $message", $drh, undef)) { return }
    DBI::Bridge::croak("DBI $message") if $attr->{RaiseError};
    DBI::Bridge::carp("DBI $message")  if $attr->{PrintError};
    return;
}

sub rebless {
    my ($h, $root) = @_;
    my $inner = tied %$h;
    my $class = "${root}::$inner->{Type}";
    if (!$class->isa("DBI::$inner->{Type}")) {
        DBI::Bridge::carp(
            "DBI subclass '$class' is not a subclass of DBI::$inner->{Type}: please load it or set its \@ISA first");
    }
    bless $inner, $class;
    bless $h,     $class;
    return $h;
}

sub why_no_driver {
    my ($driver, $file, $error) = @_;
    my $advice = '';
    if ($error =~ /Can't find loadable object/) {
        $advice =
"Perhaps DBD::$driver was statically linked into a new perl binary.\nIn which case you need to use that new perl binary.\n"
            . "Or perhaps only the .pm file was installed but not the shared object file.";
    }
    elsif ($error =~ /Can't locate.*?\Q$file\E/) {
        my @drivers = DBI->available_drivers(1);
        $advice =
              "Perhaps the DBD::$driver perl module hasn't been fully installed,\n"
            . "or perhaps the capitalisation of '$driver' isn't right.\n"
            . 'Available drivers: '
            . join(', ', @drivers) . '.';
    }
    elsif ($error =~ /Can't load .*? for module DBD::/) {
        $advice = "Perhaps a required shared library or dll isn't installed where expected";
    }
    elsif ($error =~ /Can't locate .*? in \@INC/) {
        $advice = "Perhaps a module that DBD::$driver requires hasn't been fully installed";
    }
    elsif ($error eq '') { $advice = "DBD::$driver" . '->driver returned no driver handle' }
    return "install_driver($driver) failed: $error$advice\n";
}

package DBD::_::dr;

sub default_user {
    my ($drh, $user, $pass) = @_;
    $user = $ENV{DBI_USER} if !defined $user;
    $pass = $ENV{DBI_PASS} if !defined $pass;
    return ($user, $pass);
}

sub data_sources { return }

sub dbixs_revision { return DBI::dbixs_revision() }

sub connect_cached {
    my ($drh, $dsn, $user, $auth, $attr) = @_;
    my $cache = $drh->FETCH('CachedKids');
    $drh->STORE(CachedKids => $cache = {}) if !$cache;
    my %part = %{ $attr || {} };
    my $key  = do {
        no warnings 'uninitialized';
        join "!\001", $dsn, $user, $auth, DBI::_concat_hash_sorted(\%part, "=\001", ",\001", 0, 0)
    };
    my $dbh       = $cache->{$key};
    my $callbacks = ref $attr eq 'HASH' ? $attr->{Callbacks} : undef;
    my $tell      = sub {
        my ($event, $h) = @_;
        my $code = ref $callbacks eq 'HASH' && $callbacks->{"connect_cached.$event"} or return;
        local $_ = "connect_cached.$event";
        return $code->($h, $dsn, $user, $auth, $attr);
    };
    if ($dbh && $dbh->FETCH('Active') && eval { $dbh->ping }) {
        $tell->('reused', $dbh);
        return $dbh;
    }
    $tell->('new', $dbh);
    my $outer = DBI::Bridge::outer($drh);
    $dbh = $drh->connect($dsn, $user, $auth, $attr);
    $cache->{$key} = $dbh;
    $tell->('connected', $dbh) if $dbh;
    return $dbh;
}

package DBD::_::db;

sub data_sources {
    my ($dbh, $attr) = @_;
    return $dbh->{Driver}->data_sources($attr);
}

1;
