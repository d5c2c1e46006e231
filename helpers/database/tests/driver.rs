//! Module `sqlite`, as the driver calls it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{D, Folder, NOTHING, bytes, call, open, open_file, row, rows, rows_with, run, session, try_rows};
use storable::Value;

#[test]
fn a_statement_goes_from_prepare_to_finalize() {
    let mut session = open();
    run(&mut session, "create table t(a integer, b text)");
    let prepared = call(&mut session, "sqlite.prepare", &(D, 7, "insert into t values(?, :b) ; select 1"));
    assert_eq!(prepared, row([2.into(), row([Value::Undef, bytes(":b")]), Value::Undef, 0.into(), bytes(" select 1")]));
    let done = call(&mut session, "sqlite.execute", &(7, ("12", "x")));
    assert_eq!(done, row([1.into(), 1.into(), Value::Undef, Value::Undef, 1.into()]));
    // Without binds, the last ones are still there.
    let done = call(&mut session, "sqlite.execute", &(7,));
    assert_eq!(done.at(4), Some(&2.into()));
    call(&mut session, "sqlite.finalize", &(7,));
    let error = session.call::<Value>("sqlite.execute", &(7,)).unwrap_err();
    assert_eq!(error.code, "unknown_handle");
    assert_eq!(
        rows(&mut session, "select a, b, typeof(a) from t"),
        vec![row([12.into(), bytes("x"), bytes("integer")]); 2]
    );
}

#[test]
fn rows_come_in_growing_batches() {
    let mut session = open();
    let sql =
        "with recursive c(x) as (select 1 union all select x+1 from c where x<20000) select x, 'text' as t from c";
    let prepared = call(&mut session, "sqlite.prepare", &(D, 1, sql));
    assert_eq!(prepared.at(2), Some(&row([bytes("x"), bytes("t")])));
    let first = call(&mut session, "sqlite.execute", &(1, (), "a"));
    assert_eq!(first.at(1), Some(&0.into()));
    let mut batches = vec![first.at(2).unwrap().as_array().unwrap().len()];
    let mut last = Value::Undef;
    loop {
        let batch = call(&mut session, "sqlite.fetch", &(1,));
        let rows = batch.at(1).unwrap().as_array().unwrap();
        batches.push(rows.len());
        last = rows.last().cloned().unwrap_or(last);
        if batch.at(0) == Some(&1.into()) {
            break;
        }
    }
    assert_eq!(batches.iter().sum::<usize>(), 20_000);
    assert_eq!(last, row([20_000.into(), bytes("text")]));
    assert_eq!(batches[0], 64);
    assert!(batches[1] > 1_000 && batches[2] > batches[1], "{batches:?}");
    let after = call(&mut session, "sqlite.fetch", &(1,));
    assert_eq!(after, row([1.into(), row([]), Value::Undef]));
}

#[test]
fn a_small_select_is_done_at_once() {
    let mut session = open();
    call(&mut session, "sqlite.prepare", &(D, 1, "select 1 as a, 3 as b"));
    let all = call(&mut session, "sqlite.execute", &(1, (), "h"));
    assert_eq!(all.at(1), Some(&1.into()));
    assert_eq!(all.at(2), Some(&row([Value::hash([("a", 1), ("b", 3)])])));
}

#[test]
fn rows_can_come_as_one_list() {
    let mut session = open();
    call(&mut session, "sqlite.prepare", &(D, 1, "select 1 as a, 'x' as b union all select 2, null"));
    let all = call(&mut session, "sqlite.execute", &(1, (), "f"));
    assert_eq!(all.at(1), Some(&1.into()));
    assert_eq!(all.at(2), Some(&row([1.into(), bytes("x"), 2.into(), Value::Undef])));
    call(&mut session, "sqlite.prepare", &(D, 2, "values (1, 2), (3, 4), (5, 6)"));
    let first = call(&mut session, "sqlite.execute", &(2, (), "f", 1));
    assert_eq!((first.at(1), first.at(2)), (Some(&0.into()), Some(&row([1.into(), 2.into()]))));
    let rest = call(&mut session, "sqlite.fetch", &(2, Value::Undef, "f"));
    assert_eq!(rest, row([1.into(), row([3, 4, 5, 6].map(Value::from)), Value::Undef]));
}

#[test]
fn a_select_that_writes_tells_the_last_rowid() {
    let mut session = open();
    run(&mut session, "create table t(a integer primary key)");
    let written = call(&mut session, "sqlite.select", &(D, 5, "insert into t values (41), (42) returning a", (), "a"));
    assert_eq!(written.at(5), Some(&42.into()));
    let read = call(&mut session, "sqlite.select", &(D, 5, "select a from t", (), "a"));
    assert_eq!(read.at(5), Some(&Value::Undef));
}

#[test]
fn nothing_to_execute_counts_nothing() {
    let mut session = open();
    run(&mut session, "create table t(a)");
    run(&mut session, "insert into t values (1), (2)");
    call(&mut session, "sqlite.prepare", &(D, 1, "-- nothing"));
    assert_eq!(call(&mut session, "sqlite.execute", &(1,)).at(0), Some(&(-1).into()));
    assert_eq!(run(&mut session, ";").at(0), Some(&(-1).into()));
}

#[test]
fn a_client_that_moved_has_its_names_resolved_where_it_is() {
    let (mut session, folder) = (open(), Folder::new());
    let here = folder.path().to_str().unwrap();
    call(&mut session, "sqlite.config", &(D, Value::hash([("cwd", Value::from(here)), ("umask", Value::from(0o077))])));
    run(&mut session, "attach 'side.db' as side");
    run(&mut session, "create table side.t(a)");
    let made = std::fs::metadata(folder.path().join("side.db")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&made.permissions()) & 0o777, 0o600);
}

#[test]
fn max_rows_is_kept() {
    let mut session = open();
    let sql = "values (1),(2),(3)";
    let part = call(&mut session, "sqlite.select", &(D, 5, sql, (), "a", 2));
    assert_eq!(part.at(1), Some(&0.into()));
    assert_eq!(part.at(2), Some(&row([row([1.into()]), row([2.into()])])));
    let rest = call(&mut session, "sqlite.fetch", &(5,));
    assert_eq!(rest, row([1.into(), row([row([3.into()])]), Value::Undef]));
    let only = call(&mut session, "sqlite.select", &(D, 6, sql, (), "a", -1));
    assert_eq!((only.at(1), only.at(2)), (Some(&1.into()), Some(&row([row([1.into()])]))));
    assert!(session.call::<Value>("sqlite.fetch", &(6,)).is_err());
}

#[test]
fn values_keep_their_types() {
    let mut session = open();
    assert_eq!(
        rows(&mut session, "select 42, -7, 9223372036854775807, 1.5, 'txt', x'00ff', null, ''"),
        [row([
            42.into(),
            (-7).into(),
            i64::MAX.into(),
            1.5.into(),
            bytes("txt"),
            Value::Bytes(b"\x00\xff".into()),
            Value::Undef,
            bytes(""),
        ])]
    );
}

/// How `value` is stored when it is bound: `typeof` and the bytes.
fn stored(session: &mut daemon::testing::TestSession, value: Value) -> String {
    let found = rows_with(session, "select typeof(?1), hex(?1)", vec![value]);
    let text = |at: usize| found[0].at(at).unwrap().as_str().unwrap().to_owned();
    format!("{} {}", text(0), text(1))
}

#[test]
fn binds_follow_their_class() {
    let mut session = open();
    let of = |value: Value, class: i64| Value::array([value, class.into()]);
    for (value, expected) in [
        (Value::Int(5), "text 35"),
        (Value::Double(1e15), "text 31652B3135"),
        (Value::from("\u{e9}"), "text C3A9"),
        (Value::Bytes(b"\xe9".into()), "text E9"),
        (Value::Undef, "null "),
        (of("5".into(), 1), "integer 35"),
        (of(" 7".into(), 1), "integer 37"),
        (of("1.5".into(), 1), "text 312E35"),
        (of("5".into(), 2), "integer 35"),
        (of("1.230".into(), 2), "real 312E3233"),
        (of("1e3".into(), 2), "text 316533"),
        (of(Value::Int(5), 3), "text 35"),
        (of("\u{e9}".into(), 4), "blob E9"),
        (of("".into(), 4), "blob "),
        (of("x".into(), 5), "null "),
    ] {
        assert_eq!(stored(&mut session, value.clone()), expected, "{value:?}");
    }
    let error = try_rows(&mut session, "select ?", vec![of("\u{263a}".into(), 4)]).unwrap_err();
    assert_eq!((error.code.as_ref(), error.message.as_str()), ("croak", "Wide character in subroutine entry"));
}

#[test]
fn a_bind_that_is_no_number_is_warned_about() {
    let mut session = open();
    let binds = row([row(["5x".into(), 1.into()]), row(["1e3".into(), 2.into()])]);
    let result = call(&mut session, "sqlite.select", &(D, 1, "select ?, ?", binds, "a", -9));
    let warnings = result.at(3).unwrap().get("warn").unwrap();
    assert_eq!(
        *warnings,
        row([
            bytes("datatype mismatch: bind param (0) 5x as integer"),
            bytes("datatype mismatch: bind param (1) 1e3 as float"),
        ])
    );
}

#[test]
fn numbers_are_seen_on_request() {
    let mut session = open();
    call(&mut session, "sqlite.config", &(D, Value::hash([("see_number", 1)])));
    for (value, expected) in
        [("5", "integer 35"), ("1.230", "real 312E3233"), (" 7", "text 2037"), ("1e3", "text 316533")]
    {
        assert_eq!(stored(&mut session, value.into()), expected, "{value}");
    }
}

#[test]
fn text_comes_out_by_string_mode() {
    let sql = "select 'a', char(233), cast(x'ff' as text), x'c3a9'";
    let invalid = Value::Bytes(b"\xff".into());
    let blob = Value::Bytes(b"\xc3\xa9".into());
    for (mode, text) in [(0, blob.clone()), (1, blob.clone()), (4, "é".into()), (5, "é".into())] {
        let mut session = open();
        call(&mut session, "sqlite.config", &(D, Value::hash([("string_mode", mode)])));
        let result = call(&mut session, "sqlite.select", &(D, 1, sql, (), "a", -9));
        let ascii = if mode < 4 { bytes("a") } else { "a".into() };
        let expected = row([ascii, text, invalid.clone(), blob.clone()]);
        assert_eq!(result.at(2).unwrap().at(0), Some(&expected), "mode {mode}");
        assert_eq!(result.at(3).unwrap().is_undef(), mode != 5, "mode {mode}");
    }
    let mut session = open();
    call(&mut session, "sqlite.config", &(D, Value::hash([("string_mode", 6)])));
    let error = try_rows(&mut session, sql, Vec::new()).unwrap_err();
    assert_eq!(error.message, "Received invalid UTF-8 from SQLite; cannot decode!");
    assert_eq!(stored(&mut session, Value::Bytes(b"\xe9".into())), "text C3A9");
}

#[test]
fn errors_are_those_of_sqlite() {
    let mut session = open();
    run(&mut session, "create table t(a unique)");
    run(&mut session, "insert into t values(1)");
    for (sql, err, text) in [
        ("select * from nix", 1, "no such table: nix"),
        ("selekt 1", 1, "near \"selekt\": syntax error"),
        ("insert into t values(1)", 19, "UNIQUE constraint failed: t.a"),
    ] {
        let error = session.call::<Value>("sqlite.do", &(D, sql)).unwrap_err();
        assert_eq!((error.code.as_ref(), error.err, error.message.as_str()), ("database", Some(err), text));
    }
    call(&mut session, "sqlite.config", &(D, Value::hash([("extended", 1)])));
    let error = session.call::<Value>("sqlite.do", &(D, "insert into t values(1)")).unwrap_err();
    assert_eq!(error.err, Some(2067));
}

#[test]
fn an_error_behind_some_rows_comes_after_them() {
    let mut session = open();
    let sql = "select abs(x) from (select 1 as x union all select 2 union all select -9223372036854775807 - 1)";
    call(&mut session, "sqlite.prepare", &(D, 1, sql));
    let first = call(&mut session, "sqlite.execute", &(1,));
    assert_eq!((first.at(1), first.at(2)), (Some(&0.into()), Some(&row([row([1.into()]), row([2.into()])]))));
    let error = session.call::<Value>("sqlite.fetch", &(1,)).unwrap_err();
    assert_eq!(error.message, "integer overflow");
    let after = call(&mut session, "sqlite.fetch", &(1,));
    assert_eq!(after.at(0), Some(&1.into()));
}

#[test]
fn transactions_begin_by_themselves_when_asked() {
    let mut session = open();
    run(&mut session, "create table t(a)");
    call(&mut session, "sqlite.config", &(D, Value::hash([("begin", 2)])));
    let autocommit = |result: &Value| result.at(2).unwrap().get("ac").and_then(Value::as_i64);
    let result = run(&mut session, "insert into t values(1)");
    assert_eq!(autocommit(&result), Some(0));
    let result = run(&mut session, "insert into t values(2)");
    assert_eq!(autocommit(&result), None);
    let result = run(&mut session, "rollback");
    assert_eq!(autocommit(&result), Some(1));
    assert_eq!(rows(&mut session, "select count(*) from t"), [row([0.into()])]);
}

#[test]
fn several_statements_run_at_once() {
    let mut session = open();
    let sql = "create table t(a); insert into t values(?); insert into t values(?); -- end";
    let result = call(&mut session, "sqlite.do", &(D, sql, ("1", "2"), 1));
    assert_eq!(result.at(0), Some(&1.into()));
    assert_eq!(rows(&mut session, "select a from t"), [row([bytes("1")]), row([bytes("2")])]);
    let result = call(&mut session, "sqlite.do", &(D, "delete from t; delete from nix"));
    assert_eq!((result.at(0), result.at(1)), (Some(&2.into()), Some(&bytes(" delete from nix"))));
}

#[test]
fn many_tuples_run_in_one_trip() {
    let mut session = open();
    run(&mut session, "create table t(a unique)");
    call(&mut session, "sqlite.prepare", &(D, 1, "insert into t values(?)"));
    let tuples = row([row([1.into()]), row([1.into()]), row([2.into()])]);
    let result = call(&mut session, "sqlite.execute_many", &(1, &tuples));
    let failure = row([19.into(), bytes("UNIQUE constraint failed: t.a")]);
    assert_eq!(result, row([row([1.into(), failure.clone(), 1.into()]), Value::Undef, 2.into(), 2.into()]));
    let result = call(&mut session, "sqlite.execute_many", &(1, &tuples, 1));
    assert_eq!(result.at(0), Some(&row([failure])));
}

#[test]
fn a_select_goes_back_before_a_change() {
    let mut session = open();
    run(&mut session, "create table t(a integer, b integer)");
    run(&mut session, "insert into t values (1, 0), (2, 0), (3, 0), (4, 0)");
    call(&mut session, "sqlite.prepare", &(D, 1, "select a, b from t"));
    let all = call(&mut session, "sqlite.execute", &(1,));
    assert_eq!(all.at(1), Some(&1.into()));
    // The script has had one row.
    assert_eq!(call(&mut session, "sqlite.rewind", &(1, 1)), row([1.into(), 0.into()]));
    let update = "update t set b = b + 1";
    let changed = call(&mut session, "sqlite.do", &(D, update, (), false, ((1, "a"),)));
    let second = row([0.into(), row([row([2.into(), 0.into()])]), Value::Undef]);
    assert_eq!(changed.at(5), Some(&row([second])), "the row SQLite was on already");
    let changed = call(&mut session, "sqlite.do", &(D, update, (), false, ((1, "f"),)));
    let third = row([0.into(), row([3.into(), 1.into()]), Value::Undef]);
    assert_eq!(changed.at(5), Some(&row([third])), "stepped to between the changes");
    let fourth = call(&mut session, "sqlite.fetch", &(1,));
    assert_eq!(fourth.at(1), Some(&row([row([4.into(), 2.into()])])));
    let end = call(&mut session, "sqlite.fetch", &(1,));
    assert_eq!(end, row([1.into(), row([]), Value::Undef]));
    // What it had read is not there any more, or it changes something itself.
    call(&mut session, "sqlite.execute", &(1,));
    run(&mut session, update);
    assert_eq!(call(&mut session, "sqlite.rewind", &(1, 1)).at(0), Some(&0.into()));
    call(&mut session, "sqlite.prepare", &(D, 2, "insert into t values (5, 5) returning a"));
    call(&mut session, "sqlite.execute", &(2,));
    assert_eq!(call(&mut session, "sqlite.rewind", &(2, 0)).at(0), Some(&0.into()));
    assert_eq!(rows(&mut session, "select count(*) from t"), vec![row([5.into()])]);
}

#[test]
fn a_change_of_the_schema_is_told() {
    let mut session = open();
    run(&mut session, "create table t(a)");
    run(&mut session, "insert into t values(1)");
    call(&mut session, "sqlite.prepare", &(D, 1, "select * from t"));
    run(&mut session, "alter table t add column b default 2");
    let result = call(&mut session, "sqlite.execute", &(1, (), "h"));
    assert_eq!(result.at(2), Some(&row([Value::hash([("a", 1), ("b", 2)])])));
    assert_eq!(result.at(3).unwrap().get("columns"), Some(&row([bytes("a"), bytes("b")])));
    let columns = call(&mut session, "sqlite.columns", &(1,));
    assert_eq!(columns.at(1).unwrap().at(3), Some(&bytes("b")));
}

#[test]
fn nothing_but_a_comment_is_no_error() {
    let mut session = open();
    let prepared = call(&mut session, "sqlite.prepare", &(D, 1, " -- nothing"));
    assert_eq!(prepared, row([0.into(), Value::Undef, Value::Undef, 1.into(), Value::Undef]));
    let result = call(&mut session, "sqlite.execute", &(1,));
    assert_eq!((result.at(1), result.at(2)), (Some(&1.into()), Some(&Value::Undef)));
    run(&mut session, "");
}

#[test]
fn too_many_binds_are_refused() {
    let mut session = open();
    let error = try_rows(&mut session, "select ?", vec![1.into(), 2.into()]).unwrap_err();
    assert_eq!(error.message, "called with 2 bind variables when 1 are needed");
}

#[test]
fn handles_are_of_one_session() {
    let mut one = open();
    let mut other = one.another();
    let error = other.call::<Value>("sqlite.do", &(D, "select 1")).unwrap_err();
    assert_eq!(error.code, "unknown_handle");
    let error = one.call::<Value>("sqlite.open", &(D, ":memory:")).unwrap_err();
    assert_eq!(error.code, "bad_params");
    call(&mut one, "sqlite.prepare", &(D, 1, "select 1"));
    call(&mut one, "sqlite.close", &(D,));
    assert_eq!(one.call::<Value>("sqlite.execute", &(1,)).unwrap_err().code, "unknown_handle");
}

#[test]
fn a_session_that_ends_rolls_back() {
    let folder = Folder::new();
    let file = folder.file("a.db");
    let mut one = open_file(&file);
    run(&mut one, "create table t(a)");
    run(&mut one, "begin immediate");
    run(&mut one, "insert into t values(1)");
    call(&mut one, "sqlite.prepare", &(D, 1, "select * from t"));
    call(&mut one, "sqlite.execute", &(1, (), "a", 1));
    drop(one);
    let mut other = open_file(&file);
    run(&mut other, "insert into t values(2)");
    assert_eq!(rows(&mut other, "select a from t"), [row([2.into()])]);
}

#[test]
fn a_lock_is_waited_for_as_long_as_told() {
    let folder = Folder::new();
    let file = folder.file("a.db");
    let mut one = open_file(&file);
    run(&mut one, "create table t(a)");
    run(&mut one, "begin immediate");
    let mut other = open_file(&file);
    let waited = call(&mut other, "sqlite.busy_timeout", &(D, 50));
    assert_eq!(waited, row([50.into()]));
    let began = std::time::Instant::now();
    let error = other.call::<Value>("sqlite.do", &(D, "insert into t values(1)")).unwrap_err();
    assert_eq!((error.err, error.message.as_str()), (Some(5), "database is locked"));
    assert!(began.elapsed().as_millis() >= 40, "{:?}", began.elapsed());
}

#[test]
fn a_missing_database_is_an_error_that_names_it() {
    let mut session = session();
    let error = session.call::<Value>("sqlite.open", &(D, "/nowhere/at/all.db")).unwrap_err();
    assert_eq!((error.err, error.message.as_str()), (Some(14), "unable to open database file"));
}

#[test]
fn backups_go_both_ways() {
    let folder = Folder::new();
    let file = folder.file("copy.db");
    let mut session = open();
    run(&mut session, "create table t as select 42 as a");
    call(&mut session, "sqlite.backup", &(D, "to", &file));
    run(&mut session, "drop table t");
    call(&mut session, "sqlite.backup", &(D, "from", &file));
    assert_eq!(rows(&mut session, "select a from t"), [row([42.into()])]);
    call(&mut session, "sqlite.open", &(2, ":memory:"));
    call(&mut session, "sqlite.backup_dbh", &(D, "to", 2));
    let copied = call(&mut session, "sqlite.select", &(2, 1, "select a from t"));
    assert_eq!(copied.at(2), Some(&row([row([42.into()])])));
}

#[test]
fn facts_can_be_asked_for() {
    let mut session = open();
    run(&mut session, "create table t(a integer primary key autoincrement, b varchar(20) not null collate nocase)");
    let facts = call(&mut session, "sqlite.table_column_metadata", &(D, (), "t", "b"));
    assert_eq!(facts.at(0), Some(&row([bytes("varchar(20)"), bytes("nocase"), 1.into(), 0.into(), 0.into()])));
    call(&mut session, "sqlite.prepare", &(D, 1, "select a, b as c, 1 from t"));
    let columns = call(&mut session, "sqlite.columns", &(1,));
    assert_eq!(
        columns.at(0),
        Some(&row([bytes("INTEGER"), bytes("main"), bytes("t"), bytes("a"), 0.into(), 1.into(), 1.into()]))
    );
    assert_eq!(columns.at(2), Some(&Value::Array(vec![Value::Undef; 7])));
    let (version, number): (String, i64) = session.call("sqlite.libversion", &NOTHING).unwrap();
    assert!(version.starts_with("3.") && number > 3_040_000, "{version} {number}");
    let options: Vec<String> = session.call("sqlite.compile_options", &NOTHING).unwrap();
    for option in ["ENABLE_FTS3_TOKENIZER", "ENABLE_FTS4", "ENABLE_FTS5", "ENABLE_RTREE", "ENABLE_COLUMN_METADATA"] {
        assert!(options.iter().any(|known| known == option), "{option}");
    }
    let state = call(&mut session, "sqlite.txn_state", &(D, "main"));
    assert_eq!(state, row([0.into()]));
    let limit = call(&mut session, "sqlite.limit", &(D, 0, -1));
    assert_eq!(limit, row([1_000_000_000.into()]));
    let status = call(&mut session, "sqlite.db_status", &(D,));
    assert!(status.at(0).unwrap().get("cache_used").unwrap().get("current").is_some());
    let status = call(&mut session, "sqlite.status", &NOTHING);
    assert!(status.at(0).unwrap().get("memory_used").unwrap().get("current").unwrap().as_i64() > Some(0));
    let like = call(&mut session, "sqlite.strlike", &("a%", "Abc"));
    assert_eq!(like, row([0.into()]));
    assert_eq!(rows(&mut session, "pragma foreign_keys"), [row([0.into()])]);
}
