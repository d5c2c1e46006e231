# Profiles that are written to files and read again.
use strict;
use warnings;
use Test::More;
use File::Temp 'tempdir';
use DBI;
use DBI::ProfileData;
use DBI::ProfileDumper;

my $file = tempdir(CLEANUP => 1) . '/shop.prof';
my $dbh  = DBI->connect('dbi:ExampleP:', '', '', { RaiseError => 1 });
$dbh->{Profile} = DBI::ProfileDumper->new(Path => ['!Statement', '!MethodName'], File => $file);
for my $folder ('/', '/', "/\n") {
    my $sth = $dbh->prepare('select name from ' . ($folder eq '/' ? '?' : "? -- \\n\n"));
    $sth->execute('/');
    $sth->finish;
}
is $dbh->{Profile}->flush_to_disk, $file, 'flush_to_disk gives the name of the file';
ok !$dbh->{Profile}{Data}, '... and forgets what it wrote';
is $dbh->{Profile}->flush_to_disk, undef, 'nothing collected, nothing written';
$dbh->prepare('select name from ?');
ok $dbh->{Profile}->flush_to_disk, 'more';

my $profile = DBI::ProfileData->new(File => $file);
is $profile->header->{Path}, '[ !Statement, !MethodName ]', 'the header';
my $data = $profile->Data;
is $data->{'select name from ?'}{prepare}[0], 3, 'samples of the same path are added up';
is $data->{'select name from ?'}{execute}[0], 2, '... each by itself';
ok $data->{"select name from ? -- \\n\n"}, 'newlines and backslashes come back';
my $all = $profile->count;
$profile->sort(field => 'count');
is $profile->nodes->[0][0], 3, 'sorted, the most first';
$profile->sort(field => 'count', reverse => 1);
is $profile->nodes->[-1][0], 3, '... or last';
my $clone = $profile->clone;
is $clone->exclude(key2 => 'prepare'), $all - 2, 'exclude';
is $clone->match(key1 => qr/--/), 3, 'match';
is $profile->count, $all, 'the original is as it was';
like $profile->report(number => 1), qr/^\s*Total Records\s*: \Q$all\E \(showing 1/m, 'report';
ok !eval { $profile->sort(field => 'colour'); 1 }, 'an unknown field';
is(DBI::ProfileData->new(File => $file, Filter => sub { $_[0][0] =~ s/ --.*//s })->Data->{'select name from ?'}{prepare}[0], 4, 'Filter');
ok(DBI::ProfileData->new(File => $file, DeleteFiles => 1), 'DeleteFiles');
ok !-e $file, '... deletes';

done_testing;
