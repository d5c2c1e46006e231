# Perl code that SQLite calls: functions, aggregates, collations, hooks, authorizer, progress, trace, tokenizers.
use strict;
use warnings;
use Test::More;
use DBI qw(:sql_types);
use DBD::SQLite;

sub handle { return DBI->connect('dbi:SQLite::memory:', '', '', { PrintError => 0, @_ }) }

{
    my $dbh = handle();
    my $value;
    ok $dbh->sqlite_create_function('f', -1, sub { $value }), 'create_function';
    for my $case (
        [5,      'integer', 5], ['5', 'integer', 5], [5.5, 'real', 5.5], ['5.5', 'text', '5.5'], ['abc', 'text', 'abc'],
        ['1e3',  'text',    '1e3'],
        [1e20,   'real',    1e20], ['9223372036854775808', 'text', '9223372036854775808'], ['+5', 'integer', 5],
        ['007',  'integer', 7],    [1 == 1, 'integer', 1],
        [1 == 0, 'real', 0], [undef, 'null', undef], [[5, SQL_INTEGER], 'integer', 5], [['5', SQL_VARCHAR], 'text', 5],
        [['abc', SQL_BLOB],   'blob', 'abc'],
        [['1.5', SQL_DOUBLE], 'real', 1.5], ['', 'text', '']
        )
    {
        ($value, my ($type, $back)) = @$case;
        is_deeply $dbh->selectrow_arrayref('select typeof(f()), f()'), [$type, $back],
            'answer: ' . (defined $value ? ref $value ? "[@$value]" : "'$value'" : 'undef');
    }
    $value = 0.1 + 0.2;
    is $dbh->selectrow_array('select f() = 0.1 + 0.2'), 1, 'a double is answered exactly';
    $value = [1, 2, 3];
    ok !$dbh->selectrow_arrayref('select f()'), 'three elements';
    like $dbh->errstr, qr/^unexpected arrayref/, '... error';
    my @args;
    $dbh->sqlite_create_function('g', -1, sub { @args = @_; scalar @_ });
    is $dbh->selectrow_array(q{select g(1, 1.5, 'a', x'00ff', null, 9223372036854775807, '5')}), 7, 'arguments';
    is_deeply \@args, [1, 1.5, 'a', "\0\xff", undef, '9223372036854775807', '5'], '... as SQLite has them';
    $dbh->sqlite_create_function('oops', 0, sub { die "oops\n" });
    ok !$dbh->selectrow_array('select oops()'), 'a function that dies';
    is_deeply [$dbh->err, $dbh->errstr], [1, "oops\n"], '... is an error of the statement';
    $dbh->sqlite_create_function('two', 0, sub { return (1, 2) });
    is $dbh->selectrow_array('select two()'), 2, 'the last of a list';
    $dbh->do('create table t(a)');
    $dbh->do('insert into t values(1),(2),(3)');
    $dbh->sqlite_create_function('inner_count', 0, sub { $dbh->selectrow_array('select count(*) from t') });
    is_deeply $dbh->selectcol_arrayref('select a * inner_count() from t'), [3, 6, 9],
        'a function that uses the same handle';
    $dbh->sqlite_create_function('twice', 1, sub { 2 * $_[0] }, 0x800);
    is $dbh->selectrow_array('select twice(21)'), 42, 'with a flag';
    $dbh->sqlite_create_function('twice', 1, undef);
    ok !$dbh->selectrow_array('select twice(21)'), 'taken away';
    is $dbh->errstr, 'no such function: twice', '... error';
    my $sth = $dbh->prepare('select a from t where a = g(a) + ? order by a');
    $sth->execute(0);
    is_deeply $sth->fetchall_arrayref, [[1]], 'in a prepared statement';
}

{

    package Collector;
    our (@log, $fails);
    sub new { push @log, 'new'; die "no new\n" if $fails eq 'new'; return bless { sum => 0 } }

    sub step {
        my ($self, @values) = @_;
        push @log, "step @values";
        die "no step\n" if $fails eq 'step';
        $self->{sum} += $_ for @values;
        return
    }
    sub finalize { push @log, 'finalize'; die "no end\n" if $fails eq 'finalize'; return $_[0]{sum} }

    package main;
    my $dbh = handle();
    $dbh->do('create table t(a, g)');
    $dbh->do('insert into t values(1,1),(2,1),(3,2)');
    ok $dbh->sqlite_create_aggregate('collect', 1, 'Collector'), 'create_aggregate';
    $Collector::fails = '';
    is_deeply $dbh->selectcol_arrayref('select collect(a) from t group by g order by g'), [3, 3], 'groups';
    is_deeply \@Collector::log, ['new', 'step 1', 'step 2', 'finalize', 'new', 'step 3', 'finalize'], '... calls';
    @Collector::log = ();
    is $dbh->selectrow_array('select collect(a) from t where 0'), 0, 'no rows';
    is_deeply \@Collector::log, [qw(new finalize)], '... calls';

    for my $method (qw(new step finalize)) {
        my @warned;
        local $SIG{__WARN__} = sub { push @warned, @_ };
        $Collector::fails = $method;
        is_deeply $dbh->selectall_arrayref('select collect(a) from t'), [[undef]], "$method fails: NULL";
        like $warned[0],
qr/^DBD::SQLite: error in aggregator cannot be reported to SQLite: error during aggregator's $method\(\): no /,
            '... and a warning';
    }
    $Collector::fails = '';
    $dbh->do('delete from t');
    $dbh->begin_work;
    $dbh->do('insert into t values(?, 0)', undef, $_) for 1 .. 1000;
    $dbh->commit;
    is $dbh->selectrow_array('select collect(a) from t'), 500500, 'many rows';
}

{
    my $dbh = handle(RaiseError => 1);
    $dbh->do('create table t(a)');
    $dbh->do("insert into t values('b'),('A'),('c'),('B')");
    is_deeply $dbh->selectcol_arrayref('select a from t order by a collate perl'), [qw(A B b c)], 'collation perl';
    ok $dbh->sqlite_create_collation(backwards => sub { $_[1] cmp $_[0] }), 'create_collation';
    is_deeply $dbh->selectcol_arrayref('select a from t order by a collate backwards'), [qw(c b B A)], '... sorts';
    $DBD::SQLite::COLLATION{caseless} = sub { lc $_[0] cmp lc $_[1] || $_[0] cmp $_[1] };
    is_deeply $dbh->selectcol_arrayref('select a from t order by a collate caseless'), [qw(A B b c)], 'from the hash';
    ok !eval {
        $DBD::SQLite::COLLATION{caseless} = sub { };
        1
    }, 'an entry cannot be replaced';
    like $@, qr/already registered/, '... error';
    ok !eval { delete $DBD::SQLite::COLLATION{perl}; 1 }, 'nor deleted';
    like $@, qr/deletion .* is forbidden/, '... error';
    ok !eval { $dbh->selectcol_arrayref('select a from t order by a collate nosuch'); 1 }, 'an unknown collation';
    like $@, qr/no such collation sequence: nosuch/, '... error';
    my @asked;
    $dbh->sqlite_collation_needed(
        sub {
            my ($handle, $name) = @_;
            push @asked, $name;
            $handle->sqlite_create_collation($name, sub { length $_[0] <=> length $_[1] })
        }
    );
    is_deeply $dbh->selectcol_arrayref(
        "select x from (select 'aaa' as x union select 'b') order by x collate by_length"), [qw(b aaa)],
        'collation_needed';
    is_deeply \@asked, ['by_length'], '... was asked once';
    is_deeply $dbh->selectrow_arrayref(q{select 'abc' regexp 'B', 'abc' regexp '(?i)B', 'abc' regexp '^a.c$'}),
        [0, 1, 1], 'regexp';
}

{
    my $dbh = handle(RaiseError => 1);
    $dbh->do('create table t(a)');
    my @seen;
    my $commit = sub { push @seen, 'commit'; 0 };
    is $dbh->sqlite_commit_hook($commit), undef, 'commit_hook';
    $dbh->sqlite_rollback_hook(sub { push @seen, 'rollback' });
    $dbh->sqlite_update_hook(sub { push @seen, "@_" });
    $dbh->do('insert into t values(1)');
    $dbh->begin_work;
    $dbh->do('update t set a = 2');
    $dbh->do('delete from t where a = 2');
    $dbh->rollback;
    is_deeply \@seen,
        [DBD::SQLite::INSERT . ' main t 1', 'commit', DBD::SQLite::UPDATE . ' main t 1',
        DBD::SQLite::DELETE . ' main t 1', 'rollback'], 'hooks, in order';
    is $dbh->sqlite_commit_hook(sub { 1 }), $commit, 'the hook that was there';
    ok !eval { $dbh->do('insert into t values(9)'); 1 }, 'a commit hook that says no';
    like $@, qr/constraint failed/, '... error';
    $dbh->$_(undef) for qw(sqlite_commit_hook sqlite_rollback_hook sqlite_update_hook);
    my @asked;
    $dbh->sqlite_set_authorizer(
        sub { push @asked, [@_]; return $_[0] == DBD::SQLite::DELETE ? DBD::SQLite::DENY : DBD::SQLite::OK });
    is_deeply $dbh->selectall_arrayref('select a from t'), [[1]], 'authorizer: allowed';
    is_deeply \@asked,
        [[DBD::SQLite::SELECT, undef, undef, undef, undef], [DBD::SQLite::READ, 't', 'a', 'main', undef]],
        '... what it was asked';
    ok !eval { $dbh->do('delete from t'); 1 }, '... refused';
    like $@, qr/not authorized/, '... error';
    is $dbh->err, 23, '... err';
    $dbh->sqlite_set_authorizer(sub { $_[0] == DBD::SQLite::READ ? DBD::SQLite::IGNORE : DBD::SQLite::OK });
    is_deeply $dbh->selectall_arrayref('select a from t'), [[undef]], '... ignored';
    $dbh->sqlite_set_authorizer(undef);
    my $steps = 0;
    $dbh->sqlite_progress_handler(10, sub { $steps++; 0 });
    $dbh->selectall_arrayref(
        'with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select sum(i) from n');
    ok $steps > 100, 'progress_handler';
    $dbh->sqlite_progress_handler(10, sub { 1 });
    ok !eval {
        $dbh->selectall_arrayref(
            'with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select sum(i) from n');
        1
    }, '... that stops';
    is_deeply [$dbh->err, $dbh->errstr], [9, 'interrupted'], '... error';
    $dbh->sqlite_progress_handler(0, undef);
    my (@trace, @profile);
    $dbh->sqlite_trace(sub { push @trace, @_ });
    $dbh->selectrow_array('select ?', undef, 'x');
    is_deeply \@trace, [q{select 'x'}], 'trace';
    $dbh->sqlite_trace(undef);
    $dbh->sqlite_profile(sub { push @profile, \@_ });
    $dbh->selectrow_array('select ?', undef, 'x');
    is $profile[0][0], 'select ?', 'profile';
    like $profile[0][1], qr/^\d+$/, '... time';
}

{
    my $dbh = handle(RaiseError => 1);
    $dbh->do('create table t(a)');
    $dbh->sqlite_update_hook(sub { die "not now\n" });
    local $SIG{__WARN__} = sub { };
    ok !eval { $dbh->do('insert into t values(9)'); 1 }, 'a hook that dies';
    is $@, "not now\n", '... its death is seen';
}

{

    package main;

    sub words {
        return sub {
            my ($text) = @_;
            my $n = 0;
            return sub {
                $text =~ /(\w+)/g or return;
                return (lc $1, length $1, $-[0], $+[0], $n++);
            };
        };
    }
    for my $mode (0, 6) {
        my $dbh = handle(RaiseError => 1, sqlite_string_mode => $mode);
        $dbh->do("create virtual table f using fts4(content, tokenize=perl 'main::words')");
        my $sth = $dbh->prepare('insert into f(content) values (?)');
        my $e   = "\xe9";
        $sth->execute($_) for "Le caf$e est ferm$e", 'Der Kaffee ist alle', "un caf$e et un th$e" . ' x' x 10;
        is_deeply $dbh->selectcol_arrayref("select rowid from f where content match 'un'"), [3],
            "mode $mode: a tokenizer in Perl";
        is $dbh->selectrow_array("select offsets(f) from f where content match 'est'"),
            '0 0 ' . ($mode ? 9 : 8) . ' 3', '... offsets';
        is $dbh->selectrow_array("select snippet(f) from f where content match 'ist'"), 'Der Kaffee <b>ist</b> alle',
            '... snippet';
    }
}

done_testing;
