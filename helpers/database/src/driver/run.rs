//! Statements: prepare, execute, fetch.

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::{ValueRef, Writer};

use super::{encode, reply};
use crate::desk::{self, Prepared, begin_before, tables, work, work_on};
use crate::sqlite::{self, BatchLimits, RowShape, Statement};

/// A negative number of rows or bytes, or none, leaves the size of a batch to the statement.
pub fn limit(asked: Option<i64>) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(0)
}

/// How rows are wanted; `None` for not at all.
pub fn shape(mode: Option<&str>) -> Option<RowShape> {
    match mode {
        Some("h") => Some(RowShape::Hashes),
        Some("f") => Some(RowShape::Flat),
        Some("0") => None,
        _ => Some(RowShape::Arrays),
    }
}

#[derive(Deserialize)]
struct Prepare<'a> {
    d: u32,
    s: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
}

pub fn prepare(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Prepare { d, s, sql } = call.params()?;
    let connection = tables(session).connection(d)?;
    let permit = session.handle_permit("statement")?;
    let (statement, tail) = work(session, Some(&connection), || {
        let sql = encode(&sql, connection.string_mode())?;
        let (statement, tail) = Statement::prepare(&connection, &sql)?;
        Ok((statement, tail.to_vec()))
    })?;
    write_prepared(&mut call.writer(), &statement, &tail);
    tables(session).insert_statement(s, statement, permit);
    call.finish()
}

fn write_prepared(writer: &mut Writer<'_>, statement: &Statement, tail: &[u8]) {
    let mode = statement.connection().string_mode();
    writer.begin_array(5);
    let parameters: Vec<_> = (0..statement.parameters()).map(|index| statement.parameter_name(index)).collect();
    writer.uint(parameters.len() as u64);
    if parameters.iter().all(Option::is_none) {
        writer.undef();
    } else {
        writer.begin_array(parameters.len());
        for name in &parameters {
            reply::optional(writer, name.as_deref(), mode);
        }
    }
    reply::names(writer, statement);
    writer.int(statement.is_readonly().into());
    reply::optional(writer, Some(tail).filter(|tail| !tail.is_empty()), mode);
}

#[derive(Deserialize)]
struct OfStatement {
    s: u32,
}

pub fn columns(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let prepared = tables(session).statement(s)?;
    let writer = &mut call.writer();
    work_on(session, &prepared, |statement| {
        let mode = statement.connection().string_mode();
        writer.begin_array(statement.names().len());
        for index in 0..statement.names().len() {
            let origin = statement.column_origin(index);
            writer.begin_array(7);
            reply::optional(writer, origin.decltype.as_deref().map(str::as_bytes), mode);
            reply::optional(writer, origin.database.as_deref(), mode);
            reply::optional(writer, origin.table.as_deref(), mode);
            reply::optional(writer, origin.origin.as_deref(), mode);
            let known = match (&origin.table, &origin.origin) {
                (Some(table), Some(column)) => {
                    statement.connection().column_metadata(origin.database.as_deref(), table, column).ok()
                }
                _ => None,
            };
            match known {
                Some(known) => {
                    writer.int(known.not_null.into());
                    writer.int(known.auto_increment.into());
                    writer.int(known.primary.into());
                }
                None => (0..3).for_each(|_| writer.undef()),
            }
        }
        Ok(())
    })?;
    call.finish()
}

#[derive(Deserialize)]
struct Execute<'a> {
    s: u32,
    #[serde(borrow, default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
    #[serde(default)]
    max_bytes: Option<i64>,
    #[serde(borrow, default)]
    ahead: Vec<Ahead<'a>>,
}

/// A select that goes row by row (`rewind`), whose next row is wanted with the answer of a change: its number, and how.
#[derive(Deserialize)]
pub struct Ahead<'a> {
    s: u32,
    #[serde(borrow)]
    mode: Option<&'a str>,
}

/// Before the change: such a row is one from before it.
pub fn step_ahead(session: &mut Session, ahead: &[Ahead<'_>]) -> Result<(), Error> {
    for Ahead { s, .. } in ahead {
        let prepared = tables(session).statement(*s)?;
        work_on(session, &prepared, |statement| {
            statement.step_ahead();
            Ok(())
        })?;
    }
    Ok(())
}

/// After the change, as one more element of the answer where any is wanted: `[[done, rows, extra]…]`.
pub fn write_ahead(session: &mut Session, writer: &mut Writer<'_>, ahead: &[Ahead<'_>]) -> Result<(), Error> {
    if ahead.is_empty() {
        return Ok(());
    }
    writer.begin_array(ahead.len());
    for Ahead { s, mode } in ahead {
        let prepared = tables(session).statement(*s)?;
        work_on(session, &prepared, |statement| {
            writer.begin_array(3);
            let done = writer.reserve_int();
            if statement.has_deferred_error() {
                writer.begin_array(0);
            } else {
                let limits = BatchLimits { rows: 1, bytes: 0 };
                statement.write_rows(writer, shape(*mode).unwrap_or(RowShape::Arrays), limits)?;
            }
            writer.patch_int(done, statement.is_done().into());
            writer.undef();
            Ok(())
        })?;
    }
    Ok(())
}

pub fn execute(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Execute { s, binds, mode, max_rows, max_bytes, ahead } = call.params()?;
    let prepared = tables(session).statement(s)?;
    step_ahead(session, &ahead)?;
    let limits = BatchLimits { rows: limit(max_rows), bytes: limit(max_bytes) };
    let mut writer = call.writer();
    work_on(session, &prepared, |statement| {
        begin(statement, &prepared, binds.as_deref())?;
        writer.begin_array(5 + usize::from(!ahead.is_empty()));
        write_execution(&mut writer, statement, shape(mode), limits)
    })?;
    write_ahead(session, &mut writer, &ahead)?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// Binds and begins a statement, after a BEGIN where one is due.
pub fn begin(statement: &mut Statement, prepared: &Prepared, binds: Option<&[ValueRef<'_>]>) -> sqlite::Result<()> {
    statement.bind(binds.unwrap_or_default())?;
    begin_before(&prepared.connection, prepared.opens_transaction)?;
    statement.start()
}

/// Writes `changes, done, rows, extra, rowid` of a statement that has begun.
fn write_execution(
    writer: &mut Writer<'_>,
    statement: &mut Statement,
    shape: Option<RowShape>,
    limits: BatchLimits,
) -> sqlite::Result<()> {
    let renamed = statement.refresh_names();
    let changes = writer.reserve_int();
    let done = writer.reserve_int();
    match shape {
        Some(shape) if statement.has_columns() => statement.write_rows(writer, shape, limits)?,
        _ => writer.undef(),
    }
    writer.patch_int(done, statement.is_done().into());
    let connection = statement.connection();
    writer.patch_int(changes, if statement.is_empty() { -1 } else { reply::count(connection.changes()) });
    reply::extra(writer, connection, renamed.then_some(&*statement));
    if statement.is_readonly() {
        writer.undef();
    } else {
        writer.int(connection.last_insert_rowid());
    }
    Ok(())
}

#[derive(Deserialize)]
struct Fetch<'a> {
    s: u32,
    #[serde(default)]
    max_rows: Option<i64>,
    #[serde(borrow, default)]
    mode: Option<&'a str>,
}

pub fn fetch(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Fetch { s, max_rows, mode } = call.params()?;
    let prepared = tables(session).statement(s)?;
    let limits = BatchLimits { rows: limit(max_rows), bytes: 0 };
    let mut writer = call.writer();
    work_on(session, &prepared, |statement| {
        writer.begin_array(3);
        let done = writer.reserve_int();
        statement.write_rows(&mut writer, shape(mode).unwrap_or(RowShape::Arrays), limits)?;
        writer.patch_int(done, statement.is_done().into());
        reply::extra(&mut writer, statement.connection(), None);
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Rewind {
    s: u32,
    seen: u64,
}

pub fn rewind(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Rewind { s, seen } = call.params()?;
    let prepared = tables(session).statement(s)?;
    let mut answer = (0, 0);
    work_on(session, &prepared, |statement| {
        answer = (statement.rewind(seen)?.into(), statement.is_done().into());
        Ok(())
    })?;
    let (is_back, is_done): (i64, i64) = answer;
    call.reply(&(is_back, is_done))
}

pub fn reset(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    if let Ok(prepared) = tables(session).statement(s) {
        work_on(session, &prepared, |statement| {
            statement.reset();
            Ok(())
        })?;
    }
    call.reply(&(1,))
}

pub fn finalize(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    finalize_statement(session, s)?;
    call.reply(&(1,))
}

/// Finalizes a statement, with the client at hand: an aggregate in it may have to be dropped there.
pub fn finalize_statement(session: &mut Session, s: u32) -> Result<(), Error> {
    if let Some(prepared) = tables(session).remove_statement(s) {
        let connection = prepared.connection.clone();
        desk::work(session, Some(&connection), || {
            drop(prepared);
            Ok(())
        })?;
    }
    Ok(())
}
