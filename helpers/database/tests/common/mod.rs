//! What the tests of this crate share.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)] // only tests use this

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use daemon::testing::TestSession;
use protocol::Error;
use serde::Serialize;
use storable::Value;

/// The number of the connection that [`open`] opens.
pub const D: u32 = 1;

/// A session with an empty database in memory.
pub fn open() -> TestSession {
    open_file(":memory:")
}

/// A session with a database.
pub fn open_file(file: &str) -> TestSession {
    let mut session = session();
    call(&mut session, "sqlite.open", &(D, file));
    session
}

/// A session with nothing open.
pub fn session() -> TestSession {
    TestSession::new(&database::modules()).unwrap()
}

/// No parameters.
pub const NOTHING: [u8; 0] = [];

/// Calls a function that succeeds.
pub fn call(session: &mut TestSession, name: &str, params: &(impl Serialize + ?Sized)) -> Value {
    plain(session.call(name, params).unwrap())
}

/// The integers 1 and 0 in their long form are read as booleans; to Perl they are integers.
fn plain(value: Value) -> Value {
    match value {
        Value::Bool(bool) => Value::Int(bool.into()),
        Value::Array(elements) => Value::Array(elements.into_iter().map(plain).collect()),
        Value::Hash(entries) => Value::Hash(entries.into_iter().map(|(key, value)| (key, plain(value))).collect()),
        value => value,
    }
}

/// Runs SQL for its effect: `[changes, tail, extra, rowid]`.
pub fn run(session: &mut TestSession, sql: &str) -> Value {
    call(session, "sqlite.do", &(D, sql))
}

/// The rows of a SELECT.
pub fn rows(session: &mut TestSession, sql: &str) -> Vec<Value> {
    rows_with(session, sql, Vec::new())
}

/// The rows of a SELECT with values.
pub fn rows_with(session: &mut TestSession, sql: &str, binds: Vec<Value>) -> Vec<Value> {
    try_rows(session, sql, binds).unwrap()
}

/// The rows of a SELECT with values, or its error.
pub fn try_rows(session: &mut TestSession, sql: &str, binds: Vec<Value>) -> Result<Vec<Value>, Error> {
    let everything = i64::MIN;
    let result: Value = session.call("sqlite.select", &(D, 900, sql, binds, "a", everything))?;
    Ok(result.at(2).unwrap().as_array().unwrap().to_vec())
}

/// A row.
pub fn row<const N: usize>(values: [Value; N]) -> Value {
    Value::Array(values.into())
}

/// Bytes, as ASCII text comes back.
pub fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

/// A folder that is removed with everything in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("cpan-bridge-database-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
