#!/usr/bin/perl
# A script of the first generation: it has no DBI, it calls helper functions by name and looks at {success}.
#   cargo run --release -- run examples/call_python/inventory.pl
use strict;
use warnings;

use CPANBridge;

my $bridge = CPANBridge->new;

# Calls a function of the module database; dies with the helper's own words when it fails.
sub database {
    my ($function, %params) = @_;
    my $reply = $bridge->call_python('database', $function, \%params);
    $reply->{success} or die "database.$function: $reply->{error}\n";
    return $reply->{result};
}

my $opened = database('connect', dsn => 'dbi:SQLite:dbname=:memory:', username => '', password => '', attributes => {});
my @here   = (connection_id => $opened->{connection_id});

database('do_statement', @here, sql => 'CREATE TABLE inventory (part TEXT PRIMARY KEY, pieces INTEGER NOT NULL)');
database('begin_transaction', @here);
my $insert = database('prepare', @here, sql => 'INSERT INTO inventory VALUES (?, ?)');
for my $part ([bolt => 1200], [nut => 1150], [washer => 30]) {
    database('execute_statement', @here, statement_id => $insert->{statement_id}, bind_values => $part);
}
database('commit', @here);

my $select = database('prepare', @here, sql => 'SELECT part, pieces FROM inventory ORDER BY pieces DESC');
my $done   = database('execute_statement', @here, statement_id => $select->{statement_id}, bind_values => []);
print join("\t", @{ $done->{column_names} }), "\n";
while (1) {
    my $row = database('fetch_row', @here, statement_id => $select->{statement_id}, format => 'array')->{row} or last;
    print join("\t", @$row), "\n";
}

# What goes wrong comes back as a value, not as an exception.
my $again = $bridge->call_python(
    'database', 'do_statement',
    { @here, sql => 'INSERT INTO inventory VALUES (?, ?)', bind_values => ['bolt', 1] }
);
print 'the second bolt: ', ($again->{success} ? 'went in' : $again->{error}), "\n";

database('disconnect', @here);
