//! Statements and rows.

use std::cell::RefCell;
use std::rc::Rc;

use daemon::{Call, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};
use storable::{Key, Value, ValueRef};

use super::connect::SUCCESS;
use super::names::Named;
use crate::desk::{self, begin_before, tables, work};
use crate::sqlite::{self, BatchLimits, Connection, RowShape, Statement};

/// The classes of binds, as in `sqlite::bind`.
const INTEGER: i64 = 1;
const REAL: i64 = 2;
const TEXT: i64 = 3;
const BLOB: i64 = 4;

#[derive(Deserialize)]
struct Prepare {
    connection_id: String,
    sql: String,
}

#[derive(Serialize)]
struct Prepared {
    success: u8,
    statement_id: String,
}

pub fn prepare(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Prepare { connection_id, sql } = call.params()?;
    let connection = tables(session).api.connection(&connection_id)?;
    let permit = Rc::new(session.handle_permit("statement")?);
    let statement = work(session, Some(&connection), || Ok(Statement::prepare(&connection, sql.as_bytes())?.0))?;
    let statement_id = daemon::unguessable_id()?;
    let named = Named { statement: Rc::new(RefCell::new(statement)), _permit: permit };
    tables(session).api.insert_statement(&connection_id, statement_id.clone(), named)?;
    call.reply(&Prepared { success: 1, statement_id })
}

/// Runs `task` on a statement of the connection.
fn work_on<R>(
    session: &mut Session,
    connection_id: &str,
    statement_id: &str,
    task: impl FnOnce(&mut Statement) -> sqlite::Result<R>,
) -> Result<R, Error> {
    let (connection, named) = tables(session).api.statement(connection_id, statement_id)?;
    let mut statement = named.statement.try_borrow_mut().map_err(|_| Error::bad_params("the statement is in use"))?;
    work(session, Some(&connection), || task(&mut statement))
}

#[derive(Deserialize)]
struct Execute {
    connection_id: String,
    statement_id: String,
    #[serde(default)]
    bind_values: Option<Vec<Value>>,
    #[serde(default)]
    bind_params: Option<Value>,
}

#[derive(Serialize)]
struct Executed {
    success: u8,
    rows_affected: i64,
    column_names: Vec<String>,
    column_types: Vec<Option<String>>,
}

pub fn execute_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Execute { connection_id, statement_id, bind_values, bind_params } = call.params()?;
    let executed = work_on(session, &connection_id, &statement_id, |statement| {
        let binds = all_binds(statement, bind_values.as_deref().unwrap_or_default(), bind_params.as_ref())?;
        let rows_affected = run(statement, &binds)?;
        statement.refresh_names();
        let columns = statement.names().len();
        Ok(Executed {
            success: 1,
            rows_affected,
            column_names: statement.names().iter().map(|name| text(name)).collect(),
            column_types: (0..columns).map(|column| statement.column_origin(column).decltype).collect(),
        })
    })?;
    call.reply(&executed)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Begins a statement; the number of rows it changed, -1 if it returns rows.
fn run(statement: &mut Statement, binds: &[Value]) -> sqlite::Result<i64> {
    let connection = Rc::clone(statement.connection());
    let binds: Vec<_> = binds.iter().map(ValueRef::from).collect();
    statement.bind(&binds)?;
    begin_before(&connection, desk::opens_transaction(&statement.sql()))?;
    let before = connection.total_changes();
    statement.start()?;
    Ok(affected(statement, &connection, before))
}

fn affected(statement: &Statement, connection: &Connection, before: i64) -> i64 {
    if statement.has_columns() && statement.is_readonly() {
        -1
    } else if connection.total_changes() == before {
        0
    } else {
        connection.changes()
    }
}

/// The values by position, then those by number or name.
fn all_binds(statement: &Statement, values: &[Value], params: Option<&Value>) -> sqlite::Result<Vec<Value>> {
    let mut binds: Vec<Value> = values.iter().map(natural).collect();
    for (key, value) in params.and_then(Value::as_hash).unwrap_or_default() {
        let index = placeholder(statement, key)?;
        if binds.len() <= index {
            binds.resize(index + 1, Value::Undef);
        }
        binds[index] = typed(value);
    }
    Ok(binds)
}

/// A placeholder by number (from 1), or by name with or without its sign.
fn placeholder(statement: &Statement, key: &Key) -> sqlite::Result<usize> {
    let key = key.to_text();
    let count = statement.parameters();
    let number = key.parse::<usize>().ok().filter(|number| (1..=count).contains(number));
    let named = || {
        (0..count).find(|&index| {
            let name = statement.parameter_name(index).unwrap_or_default();
            !name.is_empty() && (name == key.as_bytes() || &name[1..] == key.as_bytes())
        })
    };
    number
        .map(|number| number - 1)
        .or_else(named)
        .ok_or_else(|| sqlite::Error::misuse(format!("the statement has no placeholder {key:?}")))
}

/// A value with the class that its own type asks for.
fn natural(value: &Value) -> Value {
    match value {
        Value::Int(_) | Value::Bool(_) => Value::array([value.clone(), INTEGER.into()]),
        Value::Double(_) => Value::array([value.clone(), REAL.into()]),
        Value::Array(_) | Value::Hash(_) => typed(value),
        value => value.clone(),
    }
}

/// A value given alone, as `[value, type]`, or as `{value, type}`.
fn typed(value: &Value) -> Value {
    let (value, kind) = match value {
        Value::Array(pair) => (pair.first().unwrap_or(&Value::Undef), pair.get(1)),
        Value::Hash(_) => (value.get("value").unwrap_or(&Value::Undef), value.get("type")),
        value => (value, None),
    };
    match kind.and_then(class) {
        Some(class) => Value::array([value.clone(), class.into()]),
        None if matches!(value, Value::Array(_) | Value::Hash(_)) => value.clone(),
        None => natural(value),
    }
}

/// The class of an SQL type, by DBI's number or by name.
fn class(kind: &Value) -> Option<i64> {
    if let Some(number) = kind.as_i64() {
        return Some(match number {
            4 | 5 | 16 | -5 | -6 => INTEGER,
            6..=8 => REAL,
            30 | -2 | -3 | -4 | -7 => BLOB,
            _ => TEXT,
        });
    }
    let name = kind.as_str()?.to_ascii_uppercase();
    Some(match name.trim_start_matches("SQL_") {
        "INTEGER" | "INT" | "BIGINT" | "SMALLINT" | "TINYINT" | "BOOLEAN" => INTEGER,
        "REAL" | "FLOAT" | "DOUBLE" => REAL,
        "BLOB" | "BINARY" | "VARBINARY" | "LONGVARBINARY" | "BIT" => BLOB,
        _ => TEXT,
    })
}

#[derive(Deserialize)]
struct Fetch {
    connection_id: String,
    statement_id: String,
    #[serde(default)]
    format: Option<String>,
}

impl Fetch {
    fn shape(&self) -> Result<RowShape, Error> {
        match self.format.as_deref() {
            None | Some("" | "array" | "arrayref") => Ok(RowShape::Arrays),
            Some("hash" | "hashref") => Ok(RowShape::Hashes),
            Some(other) => Err(Error::bad_params(format!("format is \"array\" or \"hash\", not {other:?}"))),
        }
    }
}

#[derive(Serialize)]
struct Row {
    success: u8,
    row: Value,
}

pub fn fetch_row(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let fetch: Fetch = call.params()?;
    let shape = fetch.shape()?;
    let row = work_on(session, &fetch.connection_id, &fetch.statement_id, |statement| {
        let row = statement.next_row()?;
        Ok(match (row, shape) {
            (None, _) => Value::Undef,
            (Some(row), RowShape::Arrays | RowShape::Flat) => Value::Array(row),
            (Some(row), RowShape::Hashes) => hash(statement, row),
        })
    })?;
    call.reply(&Row { success: 1, row })
}

/// A row by the names of the columns; of two with the same name, the later one.
fn hash(statement: &Statement, row: Vec<Value>) -> Value {
    let mut entries: Vec<(Key, Value)> = Vec::with_capacity(row.len());
    for (name, value) in statement.names().iter().zip(row) {
        let key = Key::from(text(name));
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Value::Hash(entries)
}

pub fn fetch_all(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let fetch: Fetch = call.params()?;
    let shape = fetch.shape()?;
    let everything = BatchLimits { rows: usize::MAX, bytes: daemon::limits::MAX_FRAME_BYTES };
    let mut writer = call.writer();
    work_on(session, &fetch.connection_id, &fetch.statement_id, |statement| {
        let mut result = writer.begin_hash(2);
        writer.int(1);
        writer.key(&mut result, "success");
        statement.write_rows(&mut writer, shape, everything)?;
        writer.key(&mut result, "rows");
        statement.deferred_error()
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Finish {
    connection_id: String,
    statement_id: String,
}

pub fn finish_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Finish { connection_id, statement_id } = call.params()?;
    let (connection, named) = tables(session).api.statement(&connection_id, &statement_id)?;
    drop(tables(session).api.remove_statement(&connection_id, &statement_id));
    work(session, Some(&connection), || {
        drop(named);
        Ok(())
    })?;
    call.reply(&SUCCESS)
}

#[derive(Deserialize)]
struct Do {
    connection_id: String,
    sql: String,
    #[serde(default)]
    bind_values: Option<Vec<Value>>,
}

#[derive(Serialize)]
struct Done {
    success: u8,
    rows_affected: i64,
}

pub fn do_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Do { connection_id, sql, bind_values } = call.params()?;
    let connection = tables(session).api.connection(&connection_id)?;
    let rows_affected = work(session, Some(&connection), || {
        let (mut statement, _) = Statement::prepare(&connection, sql.as_bytes())?;
        let binds: Vec<_> = bind_values.unwrap_or_default().iter().map(natural).collect();
        let before = connection.total_changes();
        run(&mut statement, &binds)?;
        statement.run_out()?;
        Ok(affected(&statement, &connection, before))
    })?;
    call.reply(&Done { success: 1, rows_affected })
}
