# DBD::mysql: a value stays in its quotes, whatever character set an option file asks for.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use ServerTest;
use Test::More;

plan(skip_all => 'about the bridge') if !ours();
my $f = flavour('mysql');

# First bytes of characters, and bytes that only look like some, before a backslash or a quote.
my @values = map { ("$_\\' or 1=1 -- ", "$_' or 1=1 -- ", "$_\\", $_) } "\xb1", "\x81", "\xbf", "\xa1", "\xfe", "\xe0", 'x';
for my $charset (qw(sjis SJIS cp932 gbk GBK big5)) {
    my $file = "$BridgeTest::WORLD/$charset.cnf";
    BridgeTest::spew($file, "[client]\ndefault-character-set=$charset\n");
    my $dbh = $f->connect(mysql_read_default_file => $file);
    my (@bound, @quoted);
    for my $value (@values) {
        my $shown = unpack 'H*', $value;
        my $hex   = eval { $dbh->selectrow_array('select hex(cast(? as binary)) where 1 = 1', undef, $value) };
        push @bound,  $shown if !defined $hex || lc $hex ne $shown;
        $hex = eval { $dbh->selectrow_array('select hex(cast(' . $dbh->quote($value) . ' as binary)) where 1 = 1') };
        push @quoted, $shown if !defined $hex || lc $hex ne $shown;
    }
    is("@bound",  '', "$charset: bound values arrive as they are");
    is("@quoted", '', "$charset: quoted ones, too");
}

done_testing;
