#!/usr/bin/perl
# Writes the three data files of this example: the same ones each time, so that they can be compared.
#   perl generate.pl DIRECTORY [ORDERS]
use strict;
use warnings;
use utf8;

my ($directory, $orders) = @ARGV;
die "usage: generate.pl DIRECTORY [ORDERS]\n" if !defined $directory;
$orders ||= 3000;

my @FIRST =
    qw(Anna Béla Chloé Dmitri Elif François Gül Hana Ingrid José Kofi Łukasz Mária Nils Olga Paweł Quentin Rosa Søren Tereza);
my @LAST =
    qw(Andersen Bianchi Černý Dupont Eriksson Ferreira García Horváth Ito Jansen Kowalska Lindqvist Müller Novák Østby Petrov);
my @CITY = (['Lyon', 'FR'], ['Kraków', 'PL'], ['Malmö', 'SE'], ['Porto', 'PT'], ['Brno', 'CZ'], ['Köln', 'DE'],
    ['Győr', 'HU'], ['Turin', 'IT']);
my @PRODUCT = (
    ['PEN-01', 'Ballpoint pen, blue', 'Writing',  120], ['PEN-02', 'Fountain pen',       'Writing',  3490],
    ['PEN-03', 'Pencil "HB", 12 pcs', 'Writing',  560], ['PAP-01', 'Copy paper A4, 500', 'Paper',    649],
    ['PAP-02', 'Notebook, squared',   'Paper',    395], ['PAP-03', 'Envelopes C5, 100',  'Paper',    880],
    ['PAP-04', 'Sticky notes',        'Paper',    215], ['OFF-01', 'Stapler',            'Desk',     1290],
    ['OFF-02', 'Staples, 5000',       'Desk',     275], ['OFF-03', 'Desk lamp, LED',     'Desk',     4599],
    ['OFF-04', 'Scissors',            'Desk',     735], ['ARC-01', 'Lever arch file',    'Archive',  345],
    ['ARC-02', 'Dividers A–Z',        'Archive',  410], ['ARC-03', 'Archive box',        'Archive',  255],
    ['TEC-01', 'USB cable, 2 m',      'Technics', 790], ['TEC-02', 'Wireless mouse',     'Technics', 2450],
);

# A generator of our own (Park and Miller's), because rand() differs between machines.
my $state = 20_240_229;

sub pick {
    my ($below) = @_;
    $state = $state * 16_807 % 2_147_483_647;
    return $state % $below;
}

sub cell {
    my ($text) = @_;
    return $text if $text !~ /[",]/;
    $text =~ s/"/""/g;
    return qq{"$text"};
}

sub write_csv {
    my ($name, @rows) = @_;
    open my $handle, '>:encoding(UTF-8)', "$directory/$name" or die "$directory/$name: $!\n";
    print {$handle} join(',', map { cell($_) } @$_), "\n" for @rows;
    close $handle or die "$directory/$name: $!\n";
    return;
}

my @customers = map {
    my ($first, $last, $city) = ($FIRST[pick(@FIRST + 0)], $LAST[pick(@LAST + 0)], $CITY[pick(@CITY + 0)]);
    [sprintf('C%04d', $_), "$last, $first", @$city]
} 1 .. 150;

sub order {
    my ($number) = @_;
    my $day      = 1 + pick(28);
    my $product  = $PRODUCT[pick(@PRODUCT + 0)];
    my $discount = pick(10) ? 0 : 5 * (1 + pick(4));
    return [
        sprintf('%06d', $number), sprintf('2024-%02d-%02d', 1 + pick(12), $day),
        $customers[pick(pick(3) ? 40 : 140)][0],
        $product->[0], 1 + pick(pick(8) ? 12 : 60), $product->[3], $discount
    ];
}

# What real files are like: some lines are wrong, each in its way.
my @SPOIL = (
    sub { $_[0][1] = '2024-13-45' }, sub { $_[0][2] = 'C9999' },   sub { $_[0][3] = 'PEN-99' },
    sub { $_[0][4] = -3 },           sub { $_[0][4] = 'a dozen' }, sub { $_[0][5] = '' },
    sub { $_[0][0] = '000017' },     sub { splice @{ $_[0] }, 4 },
);
my @orders = map { order($_) } 1 .. $orders;
for my $index (grep { $_ > 20 and !pick(60) } 0 .. $#orders) {
    $SPOIL[pick(@SPOIL + 0)]->($orders[$index])
}

write_csv('customers.csv', [qw(customer name city country)],                                            @customers);
write_csv('products.csv',  [qw(product title category price_cents)],                                    @PRODUCT);
write_csv('orders.csv',    [qw(number ordered customer product quantity price_cents discount_percent)], @orders);
