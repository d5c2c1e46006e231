#!/usr/bin/perl
# A nightly batch job: loads customers, products and a file of orders into SQLite, sets the bad lines aside with the
# reason, and prints what the office wants to see. It knows nothing of cpan-bridge: DBI and DBD::SQLite, as ever.
#
#   load_and_report.pl [--data DIRECTORY] [--database FILE]
use strict;
use warnings;

use DBI qw(:sql_types);
use File::Basename qw(dirname);
use Getopt::Long qw(GetOptions);

my %option = (data => dirname(__FILE__) . '/data', database => ':memory:');
GetOptions(\%option, 'data=s', 'database=s') or die "usage: load_and_report.pl [--data DIRECTORY] [--database FILE]\n";
binmode STDOUT, ':encoding(UTF-8)';

my $dbh = DBI->connect(
    "dbi:SQLite:dbname=$option{database}", '', '',
    { RaiseError => 1, PrintError => 0, AutoCommit => 1, sqlite_unicode => 1 }
);
create_tables();
load_master_data();
load_orders();
report_months();
report_customers();
report_categories();
report_unordered();
report_rejects();
$dbh->disconnect;

# --- the tables

sub create_tables {
    $dbh->do('PRAGMA foreign_keys = ON');
    $dbh->do("DROP TABLE IF EXISTS $_") for qw(orders rejects products customers);
    $dbh->do('CREATE TABLE customers (customer TEXT PRIMARY KEY, name TEXT NOT NULL, city TEXT, country TEXT)');
    $dbh->do(
        'CREATE TABLE products (product TEXT PRIMARY KEY, title TEXT NOT NULL, category TEXT, price_cents INTEGER)');
    $dbh->do(<<'SQL');
CREATE TABLE orders (
    number           TEXT PRIMARY KEY,
    ordered          TEXT NOT NULL CONSTRAINT real_date CHECK (date(ordered) IS ordered),
    customer         TEXT NOT NULL REFERENCES customers,
    product          TEXT NOT NULL REFERENCES products,
    quantity         INTEGER NOT NULL CONSTRAINT positive_quantity CHECK (quantity > 0),
    price_cents      INTEGER NOT NULL CONSTRAINT positive_price CHECK (price_cents > 0),
    discount_percent INTEGER NOT NULL DEFAULT 0,
    cents            INTEGER NOT NULL
)
SQL
    $dbh->do('CREATE TABLE rejects (line INTEGER, text TEXT, reason TEXT)');
    $dbh->do('CREATE INDEX orders_by_customer ON orders (customer)');
    return;
}

# --- reading

sub cells {
    my ($line) = @_;
    my @cells;
    while ($line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(,|\z)/g) {
        my ($quoted, $plain, $end) = ($1, $2, $3);
        if (defined $quoted) { $quoted =~ s/""/"/g }
        push @cells, defined $quoted ? $quoted : $plain;
        last if $end eq '';
    }
    return @cells;
}

# Calls $code with the cells, the line number and the text of every line but the head.
sub each_line {
    my ($name, $code) = @_;
    open my $handle, '<:encoding(UTF-8)', "$option{data}/$name" or die "$option{data}/$name: $!\n";
    while (my $line = <$handle>) {
        chomp $line;
        $code->([cells($line)], $., $line) if $. > 1;
    }
    close $handle;
    return;
}

sub load_master_data {
    for my $table (qw(customers products)) {
        my $insert = $dbh->prepare("INSERT INTO $table VALUES (?, ?, ?, ?)");
        $dbh->begin_work;
        each_line("$table.csv", sub { $insert->execute(@{ $_[0] }) });
        $dbh->commit;
    }
    return;
}

# All good lines go in together or not at all; a bad one goes to the rejects.
sub load_orders {
    my $insert = $dbh->prepare('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    my $reject = $dbh->prepare('INSERT INTO rejects VALUES (?, ?, ?)');
    my ($good, $bad) = (0, 0);
    $dbh->begin_work;
    each_line(
        'orders.csv',
        sub {
            my ($cells, $number, $text) = @_;
            if (eval { insert_order($insert, $cells); 1 }) {
                $good++
            }
            else { $bad++; $reject->execute($number, $text, reason($@)) }
        }
    );
    $dbh->commit;
    my ($check) = $dbh->selectrow_array('SELECT count(*) FROM orders');
    die "loaded $good orders, but $check are in the table\n" if $check != $good;
    print_title('Load');
    printf "%-12s %6d\n", @$_ for ['read', $good + $bad], ['loaded', $good], ['set aside', $bad];
    return;
}

sub insert_order {
    my ($insert, $cells) = @_;
    @$cells == 7 or die 'has ' . @$cells . " fields instead of 7\n";
    my ($quantity, $price, $discount) = @$cells[4 .. 6];
    $quantity =~ /^-?\d+\z/ or die "quantity is not a number\n";
    $price    =~ /^\d+\z/   or die "price is not a number\n";
    $insert->execute(@$cells, int($quantity * $price * (100 - $discount) / 100 + 0.5));
    return;
}

# The database's own words for what it refused, without the statement's text around them.
sub reason {
    my ($error) = @_;
    return 'order number is there already' if $error =~ /UNIQUE constraint failed/;
    return 'unknown customer or product'   if $error =~ /FOREIGN KEY constraint failed/;
    return "refused: $1"                   if $error =~ /CHECK constraint failed: (\w+)/;
    chomp $error;
    return $error;
}

# --- the reports

sub print_title {
    my ($title) = @_;
    print "\n$title\n", '=' x length $title, "\n";
    return;
}

sub money {
    my ($cents) = @_;
    my $text    = sprintf '%.2f', $cents / 100;
    1 while $text =~ s/^(-?\d+)(\d{3})/$1 $2/;
    return $text;
}

sub report_months {
    print_title('Revenue by month');
    my $sth = $dbh->prepare(<<'SQL');
SELECT substr(ordered, 1, 7) AS month, count(*) AS orders, sum(quantity) AS pieces, sum(cents) AS cents
FROM orders GROUP BY month ORDER BY month
SQL
    $sth->execute;
    $sth->bind_columns(\my ($month, $orders, $pieces, $cents));
    my $total = 0;
    while ($sth->fetch) {
        $total += $cents;
        printf "%s %5d orders %6d pieces %13s %14s\n", $month, $orders, $pieces, money($cents), money($total);
    }
    return;
}

sub report_customers {
    print_title('The ten best customers');
    my $sth = $dbh->prepare(<<'SQL');
SELECT c.customer, c.name, c.city, count(*) AS orders, sum(o.cents) AS cents,
       (SELECT p.title FROM orders o2 JOIN products p USING (product) WHERE o2.customer = c.customer
        GROUP BY p.product ORDER BY sum(o2.cents) DESC, p.product LIMIT 1) AS favourite
FROM customers c JOIN orders o USING (customer)
GROUP BY c.customer HAVING count(*) >= ? ORDER BY cents DESC, c.customer LIMIT 10
SQL
    $sth->bind_param(1, 5, SQL_INTEGER);    # a plain 5 would be bound as text, and no number is at least a text
    $sth->execute;
    while (my $row = $sth->fetchrow_hashref) {
        printf "%-6s %-22s %-8s %4d %13s  %s\n", @{$row}{qw(customer name city orders)}, money($row->{cents}),
            $row->{favourite};
    }
    return;
}

sub report_categories {
    print_title('Categories');
    my $rows = $dbh->selectall_arrayref(<<'SQL', { Slice => {} });
SELECT p.category, count(DISTINCT o.customer) AS customers, count(*) AS orders, sum(o.cents) AS cents,
       100.0 * sum(o.cents) / (SELECT sum(cents) FROM orders) AS share
FROM orders o JOIN products p USING (product) GROUP BY p.category ORDER BY cents DESC
SQL
    printf "%-10s %4d customers %5d orders %13s %6.1f %%\n", @{$_}{qw(category customers orders)}, money($_->{cents}),
        $_->{share}
        for @$rows;
    return;
}

sub report_unordered {
    my $names = $dbh->selectcol_arrayref(<<'SQL');
SELECT c.name FROM customers c LEFT JOIN orders o USING (customer) WHERE o.number IS NULL ORDER BY c.customer
SQL
    print_title('Customers without an order');
    print @$names ? map { "$_\n" } @$names : "none\n";
    return;
}

sub report_rejects {
    print_title('Set aside');
    my $reasons = $dbh->selectall_arrayref('SELECT reason, count(*) FROM rejects GROUP BY reason ORDER BY 2 DESC, 1');
    printf "%4d  %s\n", $_->[1], $_->[0] for @$reasons;
    my $lines = $dbh->selectall_arrayref('SELECT line, text, reason FROM rejects ORDER BY line LIMIT 5');
    printf "line %d: %s\n          %s\n", @{$_}[0, 2, 1] for @$lines;
    return;
}
