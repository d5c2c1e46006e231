//! Module `database`, as JSON clients and scripts of the first generation call it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, session};
use daemon::testing::TestSession;
use storable::Value;

fn text<'v>(result: &'v Value, key: &str) -> &'v str {
    result.get(key).and_then(Value::as_str).unwrap()
}

fn connect(session: &mut TestSession, dsn: &str) -> String {
    let result: Value = session.call("database.connect", &Value::hash([("dsn", dsn)])).unwrap();
    assert_eq!(result.get("success").and_then(Value::as_i64), Some(1));
    assert_eq!(result.get("connected").and_then(Value::as_i64), Some(1));
    text(&result, "connection_id").to_owned()
}

fn affected(result: &Value) -> i64 {
    assert_eq!(result.get("success").and_then(Value::as_i64), Some(1));
    result.get("rows_affected").and_then(Value::as_i64).unwrap()
}

#[test]
fn a_whole_conversation() {
    let mut session = session();
    let id = connect(&mut session, "dbi:SQLite:dbname=:memory:");
    assert_eq!(id.len(), 32);
    let result: Value = session.call("database.do_statement", &(&id, "create table t(a integer, b text)")).unwrap();
    assert_eq!(affected(&result), 0);
    let _: Value = session.call("database.begin_transaction", &(&id,)).unwrap();
    let insert = "insert into t values(?, ?)";
    let result: Value = session.call("database.execute_immediate", &(&id, insert, (1, "é"))).unwrap();
    assert_eq!(affected(&result), 1);
    let _: Value = session.call("database.commit", &(&id,)).unwrap();
    let _: Value = session.call("database.begin_transaction", &(&id,)).unwrap();
    let _: Value = session.call("database.execute_immediate", &(&id, insert, (2, "x"))).unwrap();
    let _: Value = session.call("database.rollback", &(&id,)).unwrap();
    let _: Value = session.call("database.execute_immediate", &(&id, insert, (3, ()))).unwrap();

    let prepared: Value =
        session.call("database.prepare", &(&id, "select a, b from t where a < ? order by a")).unwrap();
    let statement = text(&prepared, "statement_id").to_owned();
    let executed: Value = session.call("database.execute_statement", &(&id, &statement, [10])).unwrap();
    assert_eq!(executed.get("column_names"), Some(&Value::array(["a", "b"].map(|name| Value::Bytes(name.into())))));
    assert_eq!(executed.get("column_types").unwrap().at(0).unwrap().as_str(), Some("INTEGER"));
    let row: Value = session.call("database.fetch_row", &(&id, &statement, "hash")).unwrap();
    let row = row.get("row").unwrap();
    assert_eq!((row.get("a"), row.get("b")), (Some(&Value::Int(1)), Some(&Value::from("é"))));
    let row: Value = session.call("database.fetch_row", &(&id, &statement)).unwrap();
    assert_eq!(row.get("row"), Some(&Value::array([Value::Int(3), Value::Undef])));
    let row: Value = session.call("database.fetch_row", &(&id, &statement)).unwrap();
    assert_eq!(row.get("row"), Some(&Value::Undef));

    let by_name = Value::hash([("1", Value::hash([("value", "2"), ("type", "INTEGER")]))]);
    let _: Value = session.call("database.execute_statement", &(&id, &statement, (), by_name)).unwrap();
    let all: Value = session.call("database.fetch_all", &(&id, &statement, "hash")).unwrap();
    let rows = all.get("rows").and_then(Value::as_array).unwrap();
    assert_eq!((rows.len(), rows[0].get("a")), (1, Some(&Value::Int(1))));
    let _: Value = session.call("database.finish_statement", &(&id, &statement)).unwrap();
    assert_eq!(session.call::<Value>("database.fetch_row", &(&id, &statement)).unwrap_err().code, "unknown_handle");
    let _: Value = session.call("database.disconnect", &(&id,)).unwrap();
    assert_eq!(session.call::<Value>("database.commit", &(&id,)).unwrap_err().code, "unknown_handle");
}

#[test]
fn autocommit_off_begins_by_itself() {
    let folder = Folder::new();
    let dsn = format!("dbi:SQLite:dbname={}", folder.file("a.db"));
    let mut session = session();
    let attributes = Value::hash([("AutoCommit", 0)]);
    let result: Value = session.call("database.connect", &(&dsn, (), (), attributes)).unwrap();
    let id = text(&result, "connection_id").to_owned();
    let _: Value = session.call("database.do_statement", &(&id, "create table t(a)")).unwrap();
    let _: Value = session.call("database.commit", &(&id,)).unwrap();
    let _: Value = session.call("database.do_statement", &(&id, "insert into t values(1)")).unwrap();
    let _: Value = session.call("database.disconnect", &(&id,)).unwrap();
    let id = connect(&mut session, &dsn);
    let prepared: Value = session.call("database.prepare_statement", &(&id, "select count(*) from t")).unwrap();
    let statement = text(&prepared, "statement_id").to_owned();
    let _: Value = session.call("database.execute_statement", &(&id, &statement)).unwrap();
    let all: Value = session.call("database.fetch_all", &(&id, &statement)).unwrap();
    assert_eq!(all.get("rows"), Some(&Value::array([Value::array([0])])));
}

#[test]
fn connect_cached_gives_the_same_again() {
    let mut session = session();
    let mut cached = |dsn: &str| {
        let result: Value = session.call("database.connect_cached", &(dsn,)).unwrap();
        text(&result, "connection_id").to_owned()
    };
    let first = cached("dbi:SQLite::memory:");
    assert_eq!(cached("dbi:SQLite::memory:"), first);
    assert_ne!(cached("dbi:SQLite:"), first);
}

#[test]
fn failures_say_what_is_wrong() {
    let mut session = session();
    let id = connect(&mut session, "SQLite::memory:");
    for (function, params, code, text) in [
        ("connect", Value::array(["dbi:Oracle:x"]), "bad_params", "Oracle"),
        ("do_statement", Value::array([id.as_str(), "nope"]), "database", "near \"nope\": syntax error"),
        ("do_statement", Value::array(["feedfacefeedface", "select 1"]), "unknown_handle", "feedface"),
        ("fetch_row", Value::array([id.as_str(), "x"]), "unknown_handle", "no statement x"),
    ] {
        let error = session.call::<Value>(&format!("database.{function}"), &params).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
}
