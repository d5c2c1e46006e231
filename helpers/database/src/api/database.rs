//! What a database can do for this module, whichever it is.

use std::rc::Rc;

use daemon::{Call, Session};
use protocol::Error;
use serde::Serialize;
use storable::{Key, Value};

/// How rows are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Array,
    Hash,
}

/// What a run of a statement is answered with.
#[derive(Debug, Serialize)]
pub struct Executed {
    pub success: u8,
    pub rows_affected: i64,
    pub column_names: Vec<String>,
    pub column_types: Vec<Option<String>>,
}

/// A connection.
pub trait Database {
    /// A statement; what is wrong with it may show only when it is run.
    fn prepare(&self, session: &mut Session, sql: &str) -> Result<Rc<dyn Prepared>, Error>;
    /// Runs SQL once; how many rows it changed.
    fn run(&self, session: &mut Session, sql: &str, values: &[Value]) -> Result<i64, Error>;
    fn begin(&self, session: &mut Session) -> Result<(), Error>;
    /// Without a transaction there is nothing to do, as in DBI.
    fn commit(&self, session: &mut Session) -> Result<(), Error>;
    fn rollback(&self, session: &mut Session) -> Result<(), Error>;
    fn last_insert_id(&self, session: &mut Session) -> Result<i64, Error>;
    /// Ends it, if dropping it is not enough.
    fn close(&self, session: &mut Session);
}

/// A statement.
pub trait Prepared {
    /// Runs it with values by position, and by number or name.
    fn execute(&self, session: &mut Session, values: &[Value], params: Option<&Value>) -> Result<Executed, Error>;
    /// The next row; undef at the end.
    fn next_row(&self, session: &mut Session, format: Format) -> Result<Value, Error>;
    /// Answers with `{success, rows}`: what is left.
    fn all_rows(&self, session: &mut Session, format: Format, call: Call<'_>) -> Result<(), Error>;
    /// Frees it, if dropping it is not enough.
    fn finish(&self, session: &mut Session);
}

/// A row by the names of the columns; of two with the same name, the later one.
pub fn by_name<'n>(names: impl Iterator<Item = impl Into<Key> + 'n>, row: Vec<Value>) -> Value {
    let mut entries: Vec<(Key, Value)> = Vec::with_capacity(row.len());
    for (name, value) in names.zip(row) {
        let key = name.into();
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Value::Hash(entries)
}
