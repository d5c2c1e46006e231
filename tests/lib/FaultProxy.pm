package FaultProxy;

# A forwarder in a process of its own that does harm on command; see the end.

use strict;
use warnings;

use Cwd ();
use Socket;

our $HERE = Cwd::abs_path(__FILE__ =~ m{(.*)/} ? $1 : '.');

# No proxy lives longer, whatever happens to the process that started it.
use constant LIFE_S => 900;

# $target: a port of 127.0.0.1 or the path of a socket; $listen likewise, or 0 for a free port.
sub new {
    my ($class, $target, $listen) = @_;
    my $self = bless { owner => $$ }, $class;
    socketpair my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    my $parent = $$;
    my $pid    = fork;
    die "fork: $!\n" if !defined $pid;
    if (!$pid) {
        open STDIN,  '<&', $its;
        open STDOUT, '>&', $its;
        delete @ENV{qw(PERL5LIB PERL5OPT)};
        exec {$^X} $^X, "$HERE/FaultProxy/serve.pl", $parent, LIFE_S, $target, $listen || 0
            or do { require POSIX; POSIX::_exit(127) };
    }
    close $its;
    select((select($mine), $| = 1)[0]);
    @{$self}{qw(control pid)} = ($mine, $pid);
    $self->{port} = $self->_answer;
    return $self;
}

sub port { return $_[0]{port} }

# Each command replaces the one before; a fault happens once.
sub normal { return $_[0]->_tell('normal') }
sub delay  { my ($self, $seconds) = @_; return $self->_tell('delay', $seconds) }

# $how: cut, reset or swallow. $direction: down (from the server) or up, whose first $bytes still pass.
sub after { my ($self, $bytes, $direction, $how) = @_; return $self->_tell('after', $bytes, $direction, $how) }

# When the client sends $text (without TLS): 'before' the server sees it, or when its answer is there, 'after' it.
sub on_text { my ($self, $text, $when, $how) = @_; return $self->_tell('on', unpack('H*', $text), $when, $how) }

# Does it to the connections there are, now.
sub now { my ($self, $how) = @_; return $self->_tell('now', $how) }

# Nobody is let in any more (0: again).
sub refuse { my ($self, $yes) = @_; return $self->_tell('refuse', $yes ? 1 : 0) }

# (connections so far, open now, bytes up, bytes down, faults done)
sub counts { my ($self) = @_; return split / /, $self->_tell('counts') }
sub faults { my ($self) = @_; return ($self->counts)[4] }

sub _tell {
    my ($self, @words) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{control} } join("\t", @words), "\n" or die "the proxy is gone: $!\n";
    return $self->_answer;
}

sub _answer {
    my ($self) = @_;
    my $answer = '';    # byte by byte, not with readline: messages of die would name the handle
    while ($answer !~ /\n\z/) { sysread $self->{control}, $answer, 1, length $answer or die "the proxy is gone\n" }
    chomp $answer;
    die "$answer\n" if $answer =~ /^no:/;
    return $answer;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($@, $!, $?);
    close $self->{control};
    waitpid $self->{pid}, 0;
    return;
}

1;

__END__

=head1 NAME

FaultProxy - a connection between a client and a server that breaks when it is told to

=head1 SYNOPSIS

    my $proxy = FaultProxy->new($server->port);
    my $dbh   = DBI->connect($server->dsn(port => $proxy->port), ...);
    $proxy->after(100_000, down => 'reset');     # RST after 100,000 bytes of the answer
    $proxy->on_text('COMMIT', after => 'cut');   # the server has committed, the client never hears of it
    $proxy->normal;

=head1 DESCRIPTION

C<cut> closes both sides, C<reset> closes them with RST, C<swallow> takes what comes and passes nothing on, with the
connections open. C<delay> holds every chunk of the server back for so long. A proxy ends with the object or the process
that made it.

=cut
