#!/usr/bin/perl
# dbi.pl CASE DATABASE SECONDS: one measurement of DBI and a driver, whichever @INC gives: DBD::SQLite on the file DATABASE, or,
# with BENCH_DSN, BENCH_USER and BENCH_PASSWORD in the environment, the one of the DSN (DATABASE is not used then).
# Prints "seconds X", the median time of one operation (a call, or a row).
use strict;
use warnings;

use DBI;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($case, $database, $seconds) = @ARGV;
my $server  = defined $ENV{BENCH_DSN};
my $written = $server && $case ne 'make_data' ? "item_$$" : 'item';    # a table of its own where several write
my $SELECT  = 'SELECT id, name, price, quantity, note FROM item';
my $INSERT  = "INSERT INTO $written (id, name, price, quantity, note) VALUES (?, ?, ?, ?, ?)";
my $TABLE   = "CREATE TABLE IF NOT EXISTS $written
    (id INTEGER PRIMARY KEY, name VARCHAR(100), price DOUBLE PRECISION, quantity INTEGER, note VARCHAR(200))";

my @login = $server ? @ENV{qw(BENCH_DSN BENCH_USER BENCH_PASSWORD)} : ("dbi:SQLite:dbname=$database", '', '');
push @login, { RaiseError => 1, PrintError => 0, PrintWarn => 0 };
if ($case =~ /^connect/) { exit connect_once() }
my $dbh  = DBI->connect(@login);
my %case = (
    pipeline          => \&pipeline,
    ping              => \&ping, select_row => \&select_row, insert => \&insert, execute_array => \&execute_array,
    fetchrow_arrayref => \&fetchrow_arrayref, bind_columns => \&bind_columns, fetchrow_array  => \&fetchrow_array,
    fetchrow_hashref  => \&fetchrow_hashref,  selectall    => \&selectall,    selectall_slice => \&selectall_slice,
    make_data         => \&make_data,
);
$case{$case}->();
$dbh->do("DROP TABLE IF EXISTS $written") if $written ne 'item';
$dbh->disconnect;

# --- how time is taken

sub elapsed {
    my ($code) = @_;
    my $start = clock_gettime(CLOCK_MONOTONIC);
    $code->();
    return clock_gettime(CLOCK_MONOTONIC) - $start;
}

# Calls in batches until the time is up: the median batch.
sub report_calls {
    my ($batch, $code) = @_;
    my $run = sub { $code->() for 1 .. $batch };
    $run->();
    report_runs($batch, $run, 5);
    return;
}

# Whole runs of so many operations until the time is up, at least $least of them.
sub report_runs {
    my ($operations, $code, $least) = @_;
    my ($total, @runs) = (0);
    while ($total < $seconds or @runs < $least) {
        push @runs, elapsed($code);
        $total += $runs[-1];
        last if $total > 8 * $seconds;
    }
    @runs = sort { $a <=> $b } @runs;
    printf "seconds %.9f\n", $runs[$#runs / 2] / $operations;
    return;
}

# --- calls

sub ping {
    report_calls(100, sub { $dbh->ping or die "the ping failed\n" });
    return;
}

sub select_row {
    my $sth = $dbh->prepare("$SELECT WHERE id = ?");
    my $id  = 0;
    report_calls(
        100,
        sub {
            $id = $id % 1000 + 1;
            $sth->execute($id);
            my $row = $sth->fetchrow_arrayref;
            $row->[0] == $id or die "asked for row $id, got $row->[0]\n";
            $sth->finish;
        }
    );
    return;
}

# What the first connect of a script takes; its driver is loaded, as a script's own modules are.
sub connect_once {
    DBI->install_driver((DBI->parse_dsn($login[0]))[1]);
    my $first = elapsed(sub {
        $dbh = DBI->connect(@login);
        $dbh->selectrow_array('SELECT 1') if $case eq 'connect_select';
    });
    my ($answer) = $dbh->selectrow_array('SELECT 42');
    $answer == 42 or die "the database answered $answer\n";
    $dbh->disconnect;
    printf "seconds %.9f\n", $first;
    return 0;
}

# --- writing

my $next = 0;

sub a_row {
    my $id = ++$next;
    return ($id, "item number $id", $id * 1.25, $id % 97, "a note about item $id that is a little longer");
}

sub insert {
    $dbh->do($TABLE);
    my $sth = $dbh->prepare($INSERT);
    report_runs(
        5000,
        sub {
            $dbh->begin_work;
            $sth->execute(a_row()) for 1 .. 5000;
            $dbh->commit;
        },
        3
    );
    return;
}

# The same without waiting for each answer.
sub pipeline {
    $dbh->{bridge_pipeline} = 1;
    insert();
    $dbh->{bridge_pipeline} = 0;
    my ($count) = $dbh->selectrow_array("SELECT COUNT(*) FROM $written");
    $count == $next or die "$count rows of $next are there\n";
    return;
}

sub execute_array {
    $dbh->do($TABLE);
    my $sth = $dbh->prepare($INSERT);
    report_runs(
        5000,
        sub {
            my @columns = ([], [], [], [], []);
            for (1 .. 5000) {
                my @row = a_row();
                push @{ $columns[$_] }, $row[$_] for 0 .. $#row;
            }
            $dbh->begin_work;
            my $count = $sth->execute_array({ ArrayTupleStatus => \my @status }, @columns);
            $count == 5000 or die "execute_array inserted $count rows\n";
            $dbh->commit;
        },
        3
    );
    return;
}

sub make_data {
    $dbh->do($TABLE);
    my $sth = $dbh->prepare($INSERT);
    $dbh->begin_work;
    $sth->execute(a_row()) for 1 .. rows();
    $dbh->commit;
    print 'rows ', rows(), "\n";
    return;
}

# --- reading 100,000 rows of five columns

sub rows { return 100_000 }

sub report_reading {
    my ($code) = @_;
    report_runs(
        rows(),
        sub {
            my $count = $code->();
            $count == rows() or die "read $count rows\n";
        },
        2
    );
    return;
}

sub executed {
    my $sth = $dbh->prepare($SELECT);
    $sth->execute;
    return $sth;
}

sub fetchrow_arrayref {
    report_reading(sub {
        my ($sth, $count) = (executed(), 0);
        while (my $row = $sth->fetchrow_arrayref) { $count++ }
        return $count;
    });
    return;
}

sub bind_columns {
    report_reading(sub {
        my ($sth, $count) = (executed(), 0);
        $sth->bind_columns(\my ($id, $name, $price, $quantity, $note));
        while ($sth->fetch) { $count++ }
        return $count;
    });
    return;
}

sub fetchrow_array {
    report_reading(sub {
        my ($sth, $count) = (executed(), 0);
        while (my @row = $sth->fetchrow_array) { $count++ }
        return $count;
    });
    return;
}

sub fetchrow_hashref {
    report_reading(sub {
        my ($sth, $count) = (executed(), 0);
        while (my $row = $sth->fetchrow_hashref) { $count++ }
        return $count;
    });
    return;
}

sub selectall {
    report_reading(sub { return scalar @{ $dbh->selectall_arrayref($SELECT) } });
    return;
}

sub selectall_slice {
    report_reading(sub { return scalar @{ $dbh->selectall_arrayref($SELECT, { Slice => {} }) } });
    return;
}
