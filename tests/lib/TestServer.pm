package TestServer;

# Private database servers for tests and benchmarks: TestServer::PostgreSQL, TestServer::MariaDB.
# A server has a folder, a socket and a loopback port of its own; a guard (TestServer/guard.pl) is
# its parent and ends it when the object, the process that made it, or its time is over.

use strict;
use warnings;

use Cwd ();
use Errno ();
use Fcntl qw(:flock);
use File::Path ();
use File::Spec ();
use File::Temp ();
use Socket;
use Time::HiRes ();

use TestServer::Certificates;

our $HERE = Cwd::abs_path(__FILE__ =~ m{(.*)/} ? $1 : '.');

# No server lives longer, whatever happens to the process that started it.
use constant LIFE_S => 900;

# A server that does not answer by then will not.
use constant START_S => 60;

# Changes when the recipe of a template does.
use constant RECIPE => 3;

# What makes it impossible to run this server here, or ''.
sub missing {
    my ($class) = @_;
    my @lacking = grep { !$class->program($_) } $class->programs;
    return @lacking ? $class->title . " cannot be started here: no @lacking" : '';
}

# For test files: all their tests are skipped where the server cannot be had; a failure in CI.
sub needed {
    my ($class, %option) = @_;
    my $why = $class->missing;
    die "$why\n"                if $why && $ENV{CI};
    return $class->new(%option) if !$why;
    require Test::More;
    Test::More::plan(skip_all => $why);
    return;
}

sub new {
    my ($class, %option) = @_;
    my $why = $class->missing;
    die "$why\n" if $why;
    my $self = bless { option => \%option, owner => $$ }, $class;
    $self->{user_id}  = $self->_run_as;
    $self->{password} = $self->_make_folder;
    $self->{port}     = $option{port} || free_port();
    $self->_start_guard($option{seconds} || LIFE_S);
    $self->start;
    return $self;
}

sub port     { return $_[0]{port} }
sub host     { return '127.0.0.1' }
sub user     { return 'tester' }
sub password { return $_[0]{password} }
sub database { return 'test' }
sub dir      { return $_[0]{dir} }
sub pid      { return $_[0]{pid} }
sub ca       { return "$_[0]{dir}/certs/ca.crt" }
sub wrong_ca { return "$_[0]{dir}/certs/other-ca.crt" }

# (dsn, user, password), for DBI->connect.
sub login {
    my ($self, %parameter) = @_;
    return ($self->dsn(%parameter), $self->user, $self->password);
}

# The text of the server's log so far.
sub log_text {
    my ($self) = @_;
    open my $log, '<:raw', $self->log_file or return '';
    local $/;
    my $text = readline $log;
    return defined $text ? $text : '';
}
sub log_file { return "$_[0]{dir}/log" }

# --- starting and stopping

sub start {
    my ($self) = @_;
    die $self->title . " runs already\n" if $self->{pid};
    for my $try (1 .. 5) {
        ($self->{pid}) = $self->_ask('start', $self->command) =~ /^started (\d+)$/
            or die "the guard did not start it\n";
        return $self if $self->_wait_until_ready;
        delete $self->{pid};

        # Somebody was quicker at taking the port.
        last if $self->{was_up} || $self->log_text !~ /address already in use/i;
        $self->{port} = free_port();
    }
    die $self->title . " did not start:\n" . $self->_end_of_log;
}

# $how: a signal. Returns when the server is gone.
sub stop {
    my ($self, $how) = @_;
    return $self if !$self->{pid};
    $self->signal($how || $self->stop_signal);
    my $answer = $self->_ask('wait', 30);
    die $self->title . " does not stop: $answer\n" if $answer !~ /^ended/;
    delete $self->{pid};
    return $self;
}

sub restart {
    my ($self, $how) = @_;
    return $self->stop($how)->start;
}

sub signal {
    my ($self, $name) = @_;
    kill $name, $self->{pid} or die $self->title . " $self->{pid}: $!\n";
    return $self;
}

sub _wait_until_ready {
    my ($self) = @_;
    my $end = Time::HiRes::time() + START_S;
    while (Time::HiRes::time() < $end) {
        if ($self->is_ready) { $self->{was_up} = 1; return 1 }
        return if $self->_ask('wait', 0) =~ /^ended/;
        Time::HiRes::sleep(0.02);
    }
    return;
}

sub _end_of_log {
    my ($self) = @_;
    my $text = $self->log_text;
    return length $text > 4_000 ? substr $text, -4_000 : $text;
}

sub DESTROY {
    my ($self) = @_;
    local ($@, $!, $?);
    $self->finish if $self->{owner} == $$;
    return;
}

# Ends the server and removes its folder.
sub finish {
    my ($self) = @_;
    my $guard = delete $self->{guard_pid} or return;
    close $self->{guard};
    waitpid $guard, 0;
    delete $self->{pid};
    return;
}

# --- the guard

sub _start_guard {
    my ($self, $seconds) = @_;
    socketpair my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    my $parent = $$;
    my $pid    = fork;
    die "fork: $!\n" if !defined $pid;
    if (!$pid) {
        open STDIN,  '<&', $its;
        open STDOUT, '>&', $its;
        open STDERR, '>>', $self->log_file;
        local @ENV{qw(PERL5LIB PERL5OPT)};
        delete @ENV{qw(PERL5LIB PERL5OPT)};
        exec {$^X} $^X, "$HERE/TestServer/guard.pl", $parent, $seconds, $self->stop_at_once, $self->{dir}
            or do { require POSIX; POSIX::_exit(127) };
    }
    close $its;
    select((select($mine), $| = 1)[0]);
    @{$self}{qw(guard guard_pid)} = ($mine, $pid);
    return;
}

sub _ask {
    my ($self, @words) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{guard} } join("\t", @words), "\n" or die "the guard is gone: $!\n";
    my $answer = '';    # byte by byte, not with readline: messages of die would name the handle
    while ($answer !~ /\n\z/) {
        sysread $self->{guard}, $answer, 1, length $answer or die "the guard is gone; it said:\n" . $self->_end_of_log;
    }
    chomp $answer;
    return $answer;
}

# --- the folder: a copy of a template that is made once

# The user the server runs as, or undef for our own: servers refuse root.
sub _run_as {
    my ($self) = @_;
    return if $>;
    my $user = $self->system_user;
    defined getpwnam $user or $user = 'nobody';
    return $user;
}

# The command, as that user; dies with the process that starts it where setpriv can do so.
sub as_user {
    my ($self, @command) = @_;
    my $user    = $self->{user_id};
    my $setpriv = $self->program('setpriv');
    my $mortal  = '--pdeathsig=' . $self->stop_at_once;
    if ($setpriv) {
        my @identity =
            defined $user ? ("--reuid=$user", '--regid=' . (getpwnam $user)[3], '--clear-groups') : ();
        return ($setpriv, @identity, $mortal, '--', @command);
    }
    return @command if !defined $user;
    return ($self->program('runuser') || 'runuser', '-u', $user, '--', @command);
}

# Makes the folder; returns the password that is in the template.
sub _make_folder {
    my ($self) = @_;
    my $template = $self->_template;
    $self->{dir} = File::Temp::tempdir('cpan-bridge-' . $self->name . '-XXXXXX', TMPDIR => 1);
    chmod oct 711, $self->{dir};
    run('cp', '-a', '--reflink=auto', "$template/data", "$template/certs", $self->{dir});
    $self->own_folder("$self->{dir}/socket");
    open my $log, '>', $self->log_file or die $self->log_file . ": $!\n";
    close $log;
    $self->give_away($self->log_file);
    open my $in, '<', "$template/password" or die "$template/password: $!\n";
    my $password = do { local $.; readline $in };
    close $in;
    chomp $password;
    return $password;
}

# A folder that only the server's user (and root) may enter.
sub own_folder {
    my ($self, $folder) = @_;
    mkdir $folder, oct 700 or die "$folder: $!\n";
    $self->give_away($folder);
    return;
}

sub give_away {
    my ($self, @files) = @_;
    return if !defined $self->{user_id};
    my ($uid, $gid) = (getpwnam $self->{user_id})[2, 3];
    chown($uid, $gid, @files) == @files or die "chown @files: $!\n";
    return;
}

# Where templates are: TEST_SERVER_CACHE, or a folder of this user in the temporary folder.
sub _cache {
    my $cache = $ENV{TEST_SERVER_CACHE} || File::Spec->catdir(File::Spec->tmpdir, "cpan-bridge-test-servers-$>");
    mkdir $cache, oct 711;
    my @stat = lstat $cache or die "$cache: $!\n";
    die "$cache is not a folder of this user that only he can write to\n"
        if !-d _ || $stat[4] != $> || $stat[2] & oct 22;
    chmod oct 711, $cache;
    return $cache;
}

sub _template {
    my ($self)   = @_;
    my $cache    = _cache();
    my $template = "$cache/" . join '-', $self->name, RECIPE, $self->version;
    open my $lock, '>', "$template.lock" or die "$template.lock: $!\n";
    flock $lock, LOCK_EX or die "$template.lock: $!\n";
    return $template if -e "$template/password" && TestServer::Certificates::fresh("$template/certs");
    File::Path::remove_tree($template);
    mkdir $template, oct 711 or die "$template: $!\n";
    local $self->{dir} = $template;
    my $password = 'pw' . random_word(20);
    TestServer::Certificates::make("$template/certs");
    $self->give_away("$template/certs/server.key");
    $self->make_data("$template/data", $password);
    $self->own_folder("$template/socket");
    open my $out, '>', "$template/password.new" or die "$template/password: $!\n";
    chmod oct 600, "$template/password.new";
    print {$out} "$password\n";
    close $out;
    rename "$template/password.new", "$template/password" or die "$template/password: $!\n";
    return $template;
}

# --- small things

sub random_word {
    my ($length) = @_;
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    sysread $random, my ($bytes), $length;
    my @letters = ('a' .. 'z', 0 .. 9);
    return join '', map { $letters[$_ % @letters] } unpack 'C*', $bytes;
}

sub free_port {
    socket my $socket, AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    bind $socket, sockaddr_in(0, INADDR_LOOPBACK) or die "bind: $!\n";
    return (sockaddr_in(getsockname $socket))[0];
}

# The path of a program, or undef.
sub program {
    my ($class, $name) = @_;
    for my $folder ($class->folders, split(/:/, $ENV{PATH} || ''), qw(/usr/local/sbin /usr/sbin /sbin /usr/bin /bin)) {
        return "$folder/$name" if length $folder && -x "$folder/$name" && !-d _;
    }
    return;
}
sub folders { return }

# Runs a command to its end with this input; dies with its output when it fails.
sub run {
    my @command = @_;
    my $input   = ref $command[0] ? ${ shift @command } : '';
    my $in      = File::Temp->new;
    my $out     = File::Temp->new;
    print {$in} $input;
    close $in;
    my $pid = fork;
    die "fork: $!\n" if !defined $pid;

    if (!$pid) {
        open STDIN,  '<',  "$in";
        open STDOUT, '>',  "$out";
        open STDERR, '>&', \*STDOUT;
        alarm 120;
        exec { $command[0] } @command or do { require POSIX; POSIX::_exit(127) };
    }
    waitpid $pid, 0;
    my $status = $?;
    open my $from, '<:raw', "$out" or die "$out: $!\n";
    my $text = do { local $/; readline $from };
    $text = '' if !defined $text;
    die "@command failed ($status):\n$text\n" if $status;
    return $text;
}

1;

__END__

=head1 NAME

TestServer - private database servers for tests and benchmarks

=head1 SYNOPSIS

    use TestServer::PostgreSQL;
    my $server = TestServer::PostgreSQL->needed(settings => { max_connections => 20 });
    my $dbh    = DBI->connect($server->login(sslmode => 'require'), { RaiseError => 1 });
    print $server->sql('select count(*) from pg_stat_activity');    # as superuser, by the server's own client program
    $server->restart;

=head1 DESCRIPTION

C<new> starts a server, or dies; C<needed> skips all tests of the file where the server is not installed. Both take:
C<settings> (a hash of the server's own settings), C<tls> (0: none), C<port>, C<seconds> (the longest the server lives).

C<login(NAME =E<gt> VALUE ...)> gives DSN, user and password, over TCP; C<dsn(...)> the DSN alone, C<socket_dsn(...)> the one
over the Unix socket. C<ca> and C<wrong_ca> are files for certificate checks. C<start>, C<stop(SIGNAL)>,
C<restart(SIGNAL)>, C<signal(NAME)> and C<pid> are for fault tests; C<log_text> is what the server wrote.

The server's data, certificates and accounts come from a template that is made once and copied; it is kept below
F<$TEST_SERVER_CACHE>, or in a folder of this user in the temporary folder.

=cut
