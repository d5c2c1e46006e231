package FakeDaemon;

# A daemon of a few lines, for what a real one never does: frames that are wrong, cut off
# or late. start() forks it; the code it is given serves one connection after another.
# Whatever happens, it ends after a minute.

use strict;
use warnings;

use Fcntl qw(F_SETFD);
use File::Temp ();
use Socket;
use Storable ();

# FakeDaemon->start(serve => sub { my ($fh, $number) = @_; ... }, hello => {...});
sub start {
    my ($class, %self) = @_;
    $self{directory} ||= File::Temp::tempdir(CLEANUP => 0);
    chmod oct 700, $self{directory};
    $self{socket} ||= "$self{directory}/fake.sock";
    socket my $listener, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
    bind $listener, pack_sockaddr_un($self{socket}) or die "bind: $!";
    listen $listener, 20 or die "listen: $!";
    $self{parent} = $$;
    $self{pid}    = fork;
    die "fork: $!" if !defined $self{pid};
    return bless \%self, $class if $self{pid};
    $SIG{ALRM} = 'DEFAULT';
    $SIG{PIPE} = 'IGNORE';
    alarm 60;
    my $ok = eval { serve($listener, \%self); 1 };
    print {*STDERR} "# fake daemon: $@" if !$ok;
    kill KILL => $$;
    exit 1;
}

sub serve {
    my ($listener, $self) = @_;
    my $number = 0;
    while (accept my $fh, $listener) {
        $number++;
        if (!$self->{raw}) {
            my $hello  = read_frame($fh) or next;
            my %answer = (
                protocol        => 1, version => '0.1.0', build => 0, pid => $$, session => $number,
                max_frame_bytes => 1 << 30,
                %{ $self->{hello} || {} }
            );
            write_frame($fh, 1, Storable::nfreeze(\%answer));
            $self->{client} = Storable::thaw($hello->{rest});
        }
        $self->{serve}->($fh, $number, $self);
    }
    return;
}

# {kind, payload, seq, name, params} of the next frame; nothing at the end.
sub read_frame {
    my ($fh) = @_;
    my $head = read_bytes($fh, 4);
    return if !defined $head;
    my $bytes = read_bytes($fh, unpack 'N', $head);
    return if !defined $bytes;
    my %frame = (kind => unpack 'C', $bytes);
    $frame{rest} = substr $bytes, 1;
    $frame{seq}  = unpack 'N', $frame{rest} if length $frame{rest} >= 4;

    if ($frame{kind} == 2) {
        ($frame{name}) = unpack 'x4 n/a', $frame{rest};
        $frame{params} = Storable::thaw(substr $frame{rest}, 6 + length $frame{name});
    }
    return \%frame;
}

sub read_bytes {
    my ($fh, $want) = @_;
    my $bytes = '';
    while (length $bytes < $want) {
        my $got = sysread $fh, $bytes, $want - length $bytes, length $bytes;
        return if !$got;
    }
    return $bytes;
}

sub frame { my ($kind, $payload) = @_; return pack('NC', 1 + length $payload, $kind) . $payload }

sub write_frame {
    my ($fh, $kind, $payload) = @_;
    return write_bytes($fh, frame($kind, $payload));
}

sub write_bytes {
    my ($fh, $bytes) = @_;
    while (length $bytes) {
        my $sent = syswrite $fh, $bytes;
        return if !defined $sent;
        substr $bytes, 0, $sent, '';
    }
    return 1;
}

sub reply { my ($fh, $seq, $result) = @_; return write_frame($fh, 3, pack('N', $seq) . Storable::nfreeze($result)) }
sub error { my ($fh, $seq, %error)  = @_; return write_frame($fh, 4, pack('N', $seq) . Storable::nfreeze(\%error)) }

# Calls the client back; the frame of its answer.
sub callback {
    my ($fh, $seq, $id, $flags, @args) = @_;
    write_frame($fh, 6, pack('NNC', $seq, $id, $flags) . Storable::nfreeze(\@args));
    return $flags & 1 ? undef : read_frame($fh);
}

# Answers every call with its own name and parameters.
sub echo {
    my ($fh) = @_;
    while (my $frame = read_frame($fh)) {
        next if $frame->{kind} != 2 || !$frame->{seq};
        reply($fh, $frame->{seq}, [$frame->{name}, $frame->{params}]);
    }
    return;
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid} || $self->{parent} != $$;
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    unlink $self->{socket};
    rmdir $self->{directory};
    return;
}

sub DESTROY { my ($self) = @_; return $self->stop }

1;
