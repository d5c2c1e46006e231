package ServerTest;

# For tests on database servers. They run on the stand-ins, or, with BRIDGE_TEST_SIDE=native, on the native drivers as judge
# of the tests themselves; what only the bridge promises asks ours(). Load it before DBI.

use strict;
use warnings;

use BridgeTest;
use Exporter 'import';
use Test::More;

our @EXPORT = qw(ours outcome fails in_background stop_background script with_alarm flavour);

our $SIDE = $ENV{BRIDGE_TEST_SIDE} || 'ours';
my @stand_ins = map { "$BridgeTest::ROOT/perl/$_" } qw(cpan lib);
@INC = grep {
    my $folder = $_;
    !grep { $folder eq $_ } @stand_ins
} @INC;
if ($SIDE eq 'ours') { unshift @INC, @stand_ins }
else { $ENV{PERL5LIB} = '' }
$ENV{BRIDGE_TEST_SIDE} = $SIDE;
require DBI;

sub ours { return $SIDE eq 'ours' }

# A driver and its server: see ServerTest::Pg and ServerTest::My. All tests are skipped where either is not installed.
sub flavour {
    my ($driver, %server) = @_;
    my $class = $driver eq 'Pg' ? 'ServerTest::Pg' : 'ServerTest::My';
    (my $file = "$class.pm") =~ s{::}{/}g;
    require $file;
    if (!eval { DBI->install_driver($driver); 1 }) {
        my $why = "DBD::$driver: $@";
        die $why if ours() || $ENV{CI};
        plan(skip_all => $why);
    }
    return $class->new($driver, %server);
}

# What became of some code that uses DBI: value, died, err, errstr, state.
sub outcome {
    my ($code) = @_;
    my %result;
    $result{value}                = eval { $code->() };
    $result{died}                 = $@;
    @result{qw(err errstr state)} = ($DBI::err, $DBI::errstr, $DBI::state);
    return \%result;
}

# The code dies with this err, state (strings or patterns) and text.
sub fails {
    my ($code, $name, %expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $got = outcome($code);
    return subtest(
        $name => sub {
            ok($got->{died}, 'it fails') or return diag 'it gave: ', explain $got->{value};
            for my $what (grep { exists $expected{$_} } qw(err state errstr)) {
                my $value = defined $got->{$what} ? $got->{$what} : '';
                ref $expected{$what}
                    ? like($value, $expected{$what}, "its $what")
                    : is($value, $expected{$what}, "its $what");
            }
            my $text = defined $got->{errstr} ? $got->{errstr} : '';
            ok(index($got->{died}, $text) >= 0, 'the exception holds the text') or diag $got->{died};
        }
    );
}

# Code in another process meanwhile (no DBI handles of ours in it).
sub in_background {
    my ($code) = @_;
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    return $pid    if $pid;
    require POSIX;
    $SIG{ALRM} = 'DEFAULT';
    alarm 60;
    eval { $code->(); 1 } or diag $@;
    POSIX::_exit(0);
}
sub stop_background { my ($pid) = @_; waitpid $pid, 0; return }

# A script of its own: the names $DSN, $USER, $PASSWORD and a sub connect_to are there. Options as for BridgeTest::start_perl.
sub script {
    my ($flavour, $code, %option) = @_;
    my %login;
    @login{qw(TEST_DSN TEST_USER TEST_PASSWORD)} = $flavour->login(%{ delete $option{dsn} || {} });
    return start_perl(<<'PERL' . $code, %option, env => { %login, %{ $option{env} || {} } });
use DBI;
my ($DSN, $USER, $PASSWORD) = @ENV{qw(TEST_DSN TEST_USER TEST_PASSWORD)};
sub connect_to { return DBI->connect($DSN, $USER, $PASSWORD, { RaiseError => 1, PrintError => 0, @_ }) }
sub say_that { my ($file) = @_; open my $out, '>', $file or die "$file: $!"; close $out; return }
$| = 1;
#line 1 script
PERL
}

# Runs code with an alarm that dies; what died.
sub with_alarm {
    my ($seconds, $code) = @_;
    my ($died, $rang) = ('', 0);
    my $left = alarm 0;
    {
        local $SIG{ALRM} = sub { $rang = 1; die "alarm\n" };
        eval { alarm $seconds; $code->(); alarm 0; 1 } or $died = $@;
        alarm 0;
    }
    alarm $left if $left;
    return $rang ? "alarm\n" : $died;    # the code may have caught it
}

1;
