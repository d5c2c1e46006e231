//! What SQLite calls back in the middle of a statement, with a client played by the test.
#![allow(clippy::unwrap_used)]

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use database::sqlite::host::{self, Client, Host};
use database::sqlite::{Connection, DEFAULT_FLAGS, Error, Result, Statement};
use storable::Value;

/// A client: what it was called with, and how it answers.
struct Played<F> {
    seen: Vec<(u32, Vec<Value>)>,
    answer: F,
}

impl<F: FnMut(u32, &[Value]) -> std::result::Result<Value, String>> Host for Played<F> {
    fn call(&mut self, id: u32, args: &[Value]) -> std::result::Result<Value, String> {
        self.seen.push((id, args.to_vec()));
        (self.answer)(id, args)
    }

    fn notify(&mut self, id: u32, args: &[Value]) {
        self.seen.push((id, args.to_vec()));
    }
}

fn open() -> Rc<Connection> {
    let connection = Connection::open(b":memory:", DEFAULT_FLAGS, 0).unwrap();
    run(&connection, "create table t(a)").unwrap();
    run(&connection, "insert into t values (1),(2),(3)").unwrap();
    connection
}

type Rows = Vec<Vec<Value>>;

fn run(connection: &Rc<Connection>, sql: &str) -> Result<Rows> {
    let (mut statement, _) = Statement::prepare(connection, sql.as_bytes())?;
    statement.start()?;
    let mut rows = Vec::new();
    while let Some(row) = statement.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

/// Runs SQL for a client that answers with `answer`; the rows, and what the client was called with.
fn play(
    connection: &Rc<Connection>,
    sql: &str,
    answer: impl FnMut(u32, &[Value]) -> std::result::Result<Value, String>,
) -> (Result<Rows>, Vec<(u32, Vec<Value>)>) {
    let mut client = Played { seen: Vec::new(), answer };
    let result = host::enter(&mut client, &Rc::new(Client::default()), || run(connection, sql));
    (result, client.seen)
}

fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

#[test]
fn a_function_gets_its_arguments_and_gives_its_value() {
    let connection = open();
    connection.create_function(b"f", -1, 5, 0).unwrap();
    let (rows, seen) = play(&connection, "select f(a, 'x', null, 1.5) from t limit 1", |_, args| {
        Ok(Value::array([Value::Int(3), Value::Text(format!("{} arguments", args.len()))]))
    });
    assert_eq!(rows.unwrap(), [[bytes("4 arguments")]]);
    assert_eq!(seen, [(5, vec![1.into(), bytes("x"), Value::Undef, 1.5.into()])]);
    let (rows, _) = play(&connection, "select f()", |_, _| Err("ouch\n".into()));
    assert_eq!(rows, Err(Error::with_code(1, "ouch\n")));
    connection.create_function(b"f", -1, 0, 0).unwrap();
    assert_eq!(run(&connection, "select f()").unwrap_err().to_string(), "no such function: f");
}

#[test]
fn a_function_may_use_the_connection() {
    let connection = open();
    connection.create_function(b"f", 1, 5, 0).unwrap();
    let inner = Rc::clone(&connection);
    let (rows, _) = play(&connection, "select f(a) from t", move |_, _| {
        let count = run(&inner, "select count(*) from t").unwrap();
        Ok(count[0][0].clone())
    });
    assert_eq!(rows.unwrap(), [[Value::Int(3)], [Value::Int(3)], [Value::Int(3)]]);
}

#[test]
fn an_aggregate_gets_its_rows_group_by_group() {
    let connection = open();
    connection.create_aggregate(b"ag", 1, 9, 0).unwrap();
    let (rows, seen) = play(&connection, "select ag(a) from t group by a % 2 order by 1", |_, args| {
        Ok(Value::Int(i64::try_from(args[2].as_array().unwrap().len()).unwrap()))
    });
    assert_eq!(rows.unwrap(), [[Value::Int(1)], [Value::Int(2)]]);
    let groups: Vec<_> = seen.iter().map(|(_, args)| (args[0].as_str().unwrap(), args[1].as_i64().unwrap())).collect();
    assert_eq!(groups, [("final", 1), ("final", 2)]);
    let (rows, seen) = play(&connection, "select ag(a) from t where 0", |_, _| Ok(Value::Undef));
    assert_eq!((rows.unwrap(), seen.len()), (vec![vec![Value::Undef]], 1));
}

#[test]
fn many_steps_of_an_aggregate_travel_together() {
    let connection = open();
    connection.create_aggregate(b"ag", 1, 9, 0).unwrap();
    let sql = "with recursive c(x) as (select 1 union all select x+1 from c where x<1000) select ag(x) from c";
    let (rows, seen) = play(&connection, sql, |_, _| Ok(Value::Int(1)));
    assert_eq!(rows.unwrap(), [[Value::Int(1)]]);
    assert!(seen.len() < 20, "{} callbacks", seen.len());
    let steps: usize = seen.iter().map(|(_, args)| args[2].as_array().unwrap().len()).sum();
    assert_eq!(steps, 1000);
}

#[test]
fn a_group_always_ends() {
    let connection = open();
    connection.create_aggregate(b"ag", 1, 9, 0).unwrap();
    // The second row fails in the middle of the group.
    let sql = "select ag(a), sum(abs(-9223372036854775806 - a)) from t";
    let (rows, seen) = play(&connection, sql, |_, _| Ok(Value::Int(1)));
    assert_eq!(rows.unwrap_err().to_string(), "integer overflow");
    let ends = seen.iter().filter(|(_, args)| matches!(args[0].as_str(), Some("final" | "drop"))).count();
    assert_eq!(ends, 1, "{seen:?}");
}

#[test]
fn a_collation_orders() {
    let connection = open();
    connection.create_collation(b"backwards", 4).unwrap();
    let backwards = |_: u32, args: &[Value]| match args {
        [Value::Bytes(a), Value::Bytes(b)] => Ok(Value::Int(b.cmp(a) as i64)),
        _ => Err("two strings were expected".into()),
    };
    let sql = "select cast(a as text) from t order by 1 collate backwards";
    let (rows, _) = play(&connection, sql, backwards);
    assert_eq!(rows.unwrap(), [[bytes("3")], [bytes("2")], [bytes("1")]]);
    let (rows, seen) = play(&connection, sql, |_, _| Err("no order".into()));
    assert_eq!((rows, seen.len()), (Err(Error::Callback("no order".into())), 1));
    // Nothing of it is left.
    assert_eq!(run(&connection, "select 1").unwrap(), [[Value::Int(1)]]);
}

#[test]
fn perl_is_a_collation_without_a_client() {
    let connection = open();
    assert_eq!(
        run(&connection, "select 'a' < 'B' collate perl, 'a' < 'b' collate perl").unwrap(),
        [[Value::Int(0), Value::Int(1)]]
    );
}

#[test]
fn an_unknown_collation_is_asked_for() {
    let connection = open();
    connection.collation_needed(8).unwrap();
    let inner = Rc::clone(&connection);
    let (rows, seen) = play(&connection, "select 'a' < 'b' collate late", move |id, args| {
        assert_eq!((id, args), (8, &[bytes("late")][..]));
        inner.create_collation(b"late", 0).unwrap();
        Ok(Value::Undef)
    });
    assert_eq!((rows.unwrap(), seen.len()), (vec![vec![Value::Int(1)]], 1));
    let (rows, _) = play(&connection, "select 'a' < 'b' collate later", |_, _| Ok(Value::Undef));
    assert_eq!(rows.unwrap_err().to_string(), "no such collation sequence: later");
}

#[test]
fn a_commit_can_be_refused() {
    let connection = open();
    connection.commit_hook(1);
    connection.rollback_hook(2);
    let (result, seen) = play(&connection, "insert into t values (4)", |_, _| Ok(Value::Int(1)));
    assert_eq!(result, Err(Error::with_code(19, "constraint failed")));
    assert_eq!(seen, [(1, vec![]), (2, vec![])]);
    let (result, _) = play(&connection, "insert into t values (4)", |_, _| Ok(Value::Int(0)));
    assert_eq!(result, Ok(vec![]));
    let (result, _) = play(&connection, "insert into t values (5)", |_, _| Err("not now".into()));
    assert_eq!(result, Err(Error::Callback("not now".into())));
    connection.commit_hook(0);
    assert_eq!(run(&connection, "select count(*) from t").unwrap(), [[Value::Int(4)]]);
}

#[test]
fn changes_are_told() {
    let connection = open();
    connection.update_hook(3);
    let (_, seen) = play(&connection, "delete from t where a = 2", |_, _| Ok(Value::Undef));
    assert_eq!(seen, [(3, vec![9.into(), bytes("main"), bytes("t"), 2.into()])]);
}

#[test]
fn an_authorizer_decides() {
    let connection = open();
    connection.set_authorizer(6).unwrap();
    let (rows, seen) = play(&connection, "select a from t limit 1", |_, _| Ok(Value::Int(0)));
    assert_eq!(rows.unwrap(), [[Value::Int(1)]]);
    assert_eq!(seen[1].1, [20.into(), bytes("t"), bytes("a"), bytes("main"), Value::Undef]);
    let (rows, _) = play(&connection, "select a from t", |_, _| Ok(Value::Int(1)));
    assert_eq!(rows, Err(Error::with_code(23, "not authorized")));
    let (rows, _) = play(&connection, "select a from t", |_, _| Ok(Value::Int(77)));
    assert_eq!(rows.unwrap_err().to_string(), "authorizer malfunction");
    let (rows, _) = play(&connection, "select a from t", |_, _| Err("who asks".into()));
    assert_eq!(rows, Err(Error::Callback("who asks".into())));
}

/// A query that takes long.
const LONG: &str =
    "with recursive c(x) as (select 1 union all select x+1 from c where x<100000000) select count(*) from c";

#[test]
fn progress_can_interrupt() {
    let connection = open();
    connection.progress_handler(1000, 7);
    let mut calls = 0;
    let (rows, _) = play(&connection, LONG, |_, _| {
        calls += 1;
        Ok(Value::Int(i64::from(calls == 3)))
    });
    assert_eq!((rows, calls), (Err(Error::with_code(9, "interrupted")), 3));
}

#[test]
fn statements_are_traced() {
    let connection = open();
    connection.trace(1);
    connection.profile(2);
    let mut client = Played { seen: Vec::new(), answer: |_: u32, _: &[Value]| Ok(Value::Undef) };
    host::enter(&mut client, &Rc::new(Client::default()), || {
        let (mut statement, _) = Statement::prepare(&connection, b"select * from t where a = ?").unwrap();
        statement.bind(&[storable::ValueRef::Text("it's")]).unwrap();
        statement.start().unwrap();
    });
    assert_eq!(client.seen[0], (1, vec![bytes("select * from t where a = 'it''s'")]));
    assert_eq!((client.seen[1].0, &client.seen[1].1[0]), (2, &bytes("select * from t where a = ?")));
}

#[test]
fn another_thread_can_interrupt() {
    let connection = open();
    let cancelled = Arc::new(AtomicBool::new(false));
    let client = Rc::new(Client { cancelled: Arc::clone(&cancelled), ..Client::default() });
    let interrupter = connection.interrupter();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        cancelled.store(true, Ordering::Relaxed);
        interrupter.interrupt();
    });
    let mut host = Played { seen: Vec::new(), answer: |_: u32, _: &[Value]| Ok(Value::Undef) };
    let began = Instant::now();
    let result = host::enter(&mut host, &client, || run(&connection, LONG));
    other.join().unwrap();
    assert_eq!(result, Err(Error::Cancelled));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(run(&connection, "select 1").unwrap(), [[Value::Int(1)]]);
}

#[test]
fn a_wait_for_a_lock_ends_when_cancelled() {
    let file = std::env::temp_dir().join(format!("cpan-bridge-lock-{}.db", std::process::id()));
    let name = file.to_str().unwrap().as_bytes();
    let one = Connection::open(name, DEFAULT_FLAGS, 0).unwrap();
    run(&one, "create table t(a)").unwrap();
    run(&one, "begin immediate").unwrap();
    let other = Connection::open(name, DEFAULT_FLAGS, 30_000).unwrap();
    let cancelled = Arc::new(AtomicBool::new(false));
    let client = Rc::new(Client { cancelled: Arc::clone(&cancelled), ..Client::default() });
    let interrupter = other.interrupter();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        cancelled.store(true, Ordering::Relaxed);
        interrupter.interrupt();
    });
    let mut host = Played { seen: Vec::new(), answer: |_: u32, _: &[Value]| Ok(Value::Undef) };
    let began = Instant::now();
    let result = host::enter(&mut host, &client, || run(&other, "insert into t values(1)"));
    thread.join().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(result, Err(Error::Cancelled));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_panic_of_the_host_ends_the_statement_only() {
    let connection = open();
    connection.create_function(b"f", 0, 1, 0).unwrap();
    let (rows, _) = play(&connection, "select f()", |_, _| panic!("on purpose"));
    assert_eq!(rows.unwrap_err().to_string(), "internal error in a callback");
    let (rows, _) = play(&connection, "select f()", |_, _| Ok(Value::Int(1)));
    assert_eq!(rows.unwrap(), [[Value::Int(1)]]);
}

#[test]
fn temporary_files_go_where_the_client_wants() {
    let folder = std::env::temp_dir().join(format!("cpan-bridge-temporary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let client = Rc::new(Client { temporary: Some(folder.clone()), ..Client::default() });
    let mut host = Played { seen: Vec::new(), answer: |_: u32, _: &[Value]| Ok(Value::Undef) };
    let seen = host::enter(&mut host, &client, || {
        let connection = Connection::open(b"", DEFAULT_FLAGS, 0).unwrap();
        run(&connection, "pragma cache_size = 10").unwrap();
        run(&connection, "create table t as select randomblob(1000000) as a").unwrap();
        // The file has no name any more, but this process still has it open.
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()).any(|file| file.starts_with(&folder))
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(seen);
}

#[test]
fn files_are_the_clients() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("cpan-bridge-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let client = Rc::new(Client { folder: folder.clone().into(), umask: 0o027.into(), ..Client::default() });
    let mut host = Played { seen: Vec::new(), answer: |_: u32, _: &[Value]| Ok(Value::Undef) };
    let result = host::enter(&mut host, &client, || {
        let connection = Connection::open(b"own.db", DEFAULT_FLAGS, 0)?;
        run(&connection, "create table t(a)")?;
        run(&connection, "attach 'other.db' as o")?;
        run(&connection, "create table o.t(a)")
    });
    let mode = |name: &str| std::fs::metadata(folder.join(name)).map(|file| file.permissions().mode() & 0o777);
    let modes = (mode("own.db").ok(), mode("other.db").ok());
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(result, Ok(vec![]));
    assert_eq!(modes, (Some(0o640), Some(0o640)));
}

#[test]
fn a_tokenizer_splits_texts() {
    let connection = open();
    connection.register_tokenizer(11).unwrap();
    // Cuts at blanks, and gives every word backwards.
    let answer = |_: u32, args: &[Value]| {
        if args[0].as_str() == Some("create") {
            return Ok(Value::Undef);
        }
        let text = args[2].as_str().unwrap();
        let mut start = 0;
        let words = text.split(' ').enumerate().map(|(position, word)| {
            let term: String = word.chars().rev().collect();
            let token = [term.into(), start.into(), (start + word.len() as u64).into(), (position as u64).into()];
            start += word.len() as u64 + 1;
            Value::array::<Value>(token)
        });
        Ok(Value::Array(words.collect()))
    };
    let mut client = Played { seen: Vec::new(), answer };
    let found = host::enter(&mut client, &Rc::new(Client::default()), || {
        connection.while_current(|| {
            run(&connection, "create virtual table f using fts4(a, tokenize=perl 'Some::words')")?;
            run(&connection, "insert into f values ('good morning'), ('good night')")?;
            run(&connection, "select a, offsets(f) from f where f match 'night'")
        })
    });
    assert_eq!(found.unwrap(), [[bytes("good night"), bytes("0 0 5 5")]]);
    assert_eq!(client.seen[0].1, [Value::from("create"), bytes("Some::words")]);
}

/// A virtual table of ten squares, two rows a batch.
fn squares(args: &[Value]) -> std::result::Result<Value, String> {
    let rows = |from: i64| {
        let rows = (from..from + 2).map(|n| Value::array([n, n * n]));
        Value::array([Value::Int(i64::from(from == 9)), Value::array(rows)])
    };
    match args[0].as_str().unwrap() {
        "connect" | "create" => Ok(Value::array(["create table x(n, square, unused)"])),
        "best_index" => Ok(Value::array([
            Value::Int(7),
            "plan".into(),
            Value::Int(0),
            Value::Double(10.0),
            Value::Undef,
            Value::array(args[2].as_array().unwrap().iter().map(|_| Value::array([Value::Undef, Value::Int(0)]))),
        ])),
        "filter" => Ok(rows(1)),
        "next" => Ok(rows(NEXT.with(|next| next.replace(next.get() + 2)))),
        "update" => Err("squares do not change".into()),
        _ => Ok(Value::array([Value::Undef])),
    }
}

thread_local! {
    static NEXT: std::cell::Cell<i64> = const { std::cell::Cell::new(3) };
}

#[test]
fn a_virtual_table_is_read_in_batches() {
    let connection = open();
    connection.create_module(b"squares", 12).unwrap();
    let (made, seen) = play(&connection, "create virtual table s using squares(a, b = 'c')", |_, args| squares(args));
    assert_eq!(made, Ok(vec![]));
    let created = &seen[0].1;
    assert_eq!((created[0].as_str(), created[4].as_str()), (Some("create"), Some("s")));
    assert_eq!(created[5], Value::array([bytes("a"), bytes("b = 'c'")]));
    let (rows, seen) =
        play(&connection, "select sum(square), count(*) from s where square > 3", |_, args| squares(args));
    assert_eq!(rows.unwrap(), [[Value::Int(384), Value::Int(9)]]);
    let filter = seen.iter().find(|(_, args)| args[0].as_str() == Some("filter")).unwrap();
    assert_eq!((&filter.1[3], &filter.1[4], &filter.1[6]), (&Value::Int(7), &"plan".into(), &Value::array([1])));
    let methods: Vec<_> = seen.iter().filter_map(|(_, args)| args[0].as_str()).collect();
    assert_eq!(methods, ["best_index", "open", "filter", "next", "next", "next", "next", "close"]);
    NEXT.set(3);
    let (result, _) = play(&connection, "delete from s", |_, args| squares(args));
    assert_eq!(result.unwrap_err().to_string(), "squares do not change");
}
