//! Statements: execute, fetch, further results.

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::{ValueRef, Writer};

use super::desk::{tables, unknown_connection, work, work_on};
use super::reply::{self, Extra};
use crate::mysql::connection::{Connection, Outcome, Statements};
use crate::mysql::error::Result;
use crate::mysql::queue::Pending;
use crate::mysql::sql::{self, Template};
use crate::mysql::statement::{Shape, Source, Statement};
use crate::mysql::wire::{End, OkReply};

/// Options of a statement; what is left out is as the connection has it.
#[derive(Debug, Deserialize, Default, Clone, Copy)]
#[serde(default)]
pub struct Options {
    pub server_prepare: Option<bool>,
    pub use_result: Option<bool>,
    #[serde(rename = "async")]
    pub is_async: bool,
}

/// A number of rows; a negative one, or none, leaves it to the ramp.
pub(super) fn limit(asked: Option<i64>) -> Option<usize> {
    asked.and_then(|asked| usize::try_from(asked).ok()).filter(|&rows| rows > 0)
}

/// A new statement of the connection `d`; a raw one has no placeholders, whatever it looks like.
pub fn prepare_statement(
    session: &mut Session,
    d: u32,
    sql: &ValueRef<'_>,
    options: Option<Options>,
    is_raw: bool,
) -> Result<Statement, Error> {
    let permit = session.handle_permit("statement")?;
    let Some(connection) = tables(session).connections.get(&d) else { return Err(unknown_connection(d)) };
    let settings = &connection.settings;
    let options = options.unwrap_or_default();
    let sql = sql::bytes(sql, settings.characters, false)?.into_owned();
    let template =
        if is_raw { Template::raw(sql) } else { Template::new(sql, settings.rules, settings.comment_placeholders) };
    let wants_server = options.server_prepare.unwrap_or(settings.server_prepare);
    let use_result = options.use_result.unwrap_or(settings.use_result);
    Ok(Statement::new(d, template, wants_server, use_result, permit))
}

/// Takes the statement `s` away from wherever it is used.
pub fn drop_statement(session: &mut Session, s: u32) -> Result<(), Error> {
    let Some(mut statement) = tables(session).statements.remove(&s) else { return Ok(()) };
    work(session, statement.d, |connection, _| {
        connection.forget_pending(s);
        connection.close_later(&mut statement);
        connection.give_up(s, &mut statement)
    })
}

#[derive(Deserialize)]
struct Execute<'a> {
    d: u32,
    s: u32,
    #[serde(borrow, default)]
    sql: Option<ValueRef<'a>>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
    #[serde(default)]
    options: Option<Options>,
}

pub fn execute(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Execute { d, s, sql, binds, mode, max_rows, options } = call.params()?;
    if let Some(sql) = sql.filter(|sql| !sql.is_undef()) {
        drop_statement(session, s)?;
        let statement = prepare_statement(session, d, &sql, options, binds.is_none())?;
        tables(session).statements.insert(s, statement);
    }
    let mut writer = call.writer();
    work_on(session, s, |connection, statement, statements| {
        if let Some(binds) = &binds {
            statement.bind(binds, connection.style())?;
        }
        begin(connection, s, statement, statements)?;
        if options.is_some_and(|options| options.is_async) {
            connection.expect(Pending::Statement(s));
            write_expected(&mut writer, connection);
            return Ok(());
        }
        let outcome = connection.outcome(s, statement)?;
        write_execution(&mut writer, connection, s, statement, &outcome, Shape::from_mode(mode), limit(max_rows))
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// Sends a statement with the values it has.
pub(super) fn begin(
    connection: &mut Connection,
    s: u32,
    statement: &mut Statement,
    statements: &mut Statements,
) -> Result<()> {
    connection.give_up(s, statement)?;
    statement.begin();
    connection.ready(statements)?;
    connection.send(statement)
}

/// Writes the five values of a statement that is under way.
fn write_expected(writer: &mut Writer<'_>, connection: &mut Connection) {
    writer.begin_array(5);
    writer.int(0);
    writer.int(1);
    writer.undef();
    Extra { is_async: true, ..Extra::default() }.write(writer, connection);
    writer.undef();
}

/// Writes the outcome of a statement that was under way.
pub fn write_asynchronous(
    writer: &mut Writer<'_>,
    connection: &mut Connection,
    s: u32,
    statement: &mut Statement,
    mode: Option<&str>,
    max_rows: Option<i64>,
) -> Result<()> {
    connection.take_pending(Pending::Statement(s))?;
    let outcome = connection.outcome(s, statement)?;
    write_execution(writer, connection, s, statement, &outcome, Shape::from_mode(mode), limit(max_rows))
}

/// Writes `[count, done, rows, extra, insert id]` of a statement that was run.
fn write_execution(
    writer: &mut Writer<'_>,
    connection: &mut Connection,
    s: u32,
    statement: &mut Statement,
    outcome: &Outcome,
    shape: Option<Shape>,
    max_rows: Option<usize>,
) -> Result<()> {
    writer.begin_array(5);
    let new_columns = match outcome {
        Outcome::Done(ok) => {
            write_done(writer, connection, s, statement, ok);
            return Ok(());
        }
        Outcome::Rows { new_columns } => *new_columns,
    };
    let count = writer.reserve_int();
    let done = writer.reserve_int();
    match shape {
        Some(shape) => write_rows(writer, connection, s, statement, shape, max_rows)?,
        None => writer.undef(),
    }
    connection.read_ahead(s, statement)?;
    // A count that does not fit is asked for.
    writer.patch_int(count, statement.total.and_then(|total| i32::try_from(total).ok()).unwrap_or(-1));
    writer.patch_int(done, statement.is_done().into());
    extra_of_rows(connection, s, statement, new_columns.then_some(())).write(writer, connection);
    writer.undef();
    Ok(())
}

/// Writes the four or five values of a statement without rows.
fn write_done(writer: &mut Writer<'_>, connection: &mut Connection, s: u32, statement: &Statement, ok: &OkReply) {
    writer.uint(ok.affected);
    writer.int(1);
    writer.undef();
    let extra = Extra { fallback: statement.fallback.as_deref(), ..Extra::of(ok, connection.has_more(s)) };
    extra.write(writer, connection);
    reply::insert_id(writer, connection.insert_id(ok.insert_id));
}

/// What rides along with rows.
pub(super) fn extra_of_rows<'s>(
    connection: &Connection,
    s: u32,
    statement: &'s Statement,
    new_columns: Option<()>,
) -> Extra<'s> {
    Extra {
        columns: new_columns.map(|()| &statement.columns),
        warnings: statement.end.map_or(0, |end| end.warnings),
        more: connection.has_more(s) || statement.end.is_some_and(End::has_more),
        fallback: statement.fallback.as_deref(),
        ..Extra::default()
    }
}

/// Writes the next batch, wherever the rows are.
pub(super) fn write_rows(
    writer: &mut Writer<'_>,
    connection: &mut Connection,
    s: u32,
    statement: &mut Statement,
    shape: Shape,
    max_rows: Option<usize>,
) -> Result<()> {
    statement.deferred()?;
    let limits = statement.limits(max_rows);
    statement.write(writer, shape, |statement, rows| match statement.source {
        Source::Nothing => Ok(()),
        Source::Connection => connection.guarded(|connection| connection.fill(s, statement, rows, limits)),
        Source::Backlog(_) => statement.fill_from_backlog(rows, limits),
    })
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
    let shape = Shape::from_mode(mode).unwrap_or(Shape::Arrays);
    let mut writer = call.writer();
    work_on(session, s, |connection, statement, _| {
        writer.begin_array(3);
        let done = writer.reserve_int();
        write_rows(&mut writer, connection, s, statement, shape, limit(max_rows))?;
        writer.patch_int(done, statement.is_done().into());
        let total = statement.total.filter(|_| statement.is_done());
        Extra { count: total, ..extra_of_rows(connection, s, statement, None) }.write(&mut writer, connection);
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
pub(super) struct OfStatement {
    pub s: u32,
}

pub fn rows(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let count = work_on(session, s, |_, statement, _| match (statement.total, &statement.source) {
        (Some(total), _) => Ok(total),
        (None, Source::Backlog(backlog)) => {
            let total = backlog.count()?;
            statement.total = Some(total);
            Ok(total)
        }
        // Left at the server: as many as were fetched.
        (None, _) => Ok(statement.written),
    })?;
    call.reply(&(count,))
}

#[derive(Deserialize)]
struct MoreResults<'a> {
    s: u32,
    #[serde(borrow, default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
}

pub fn more_results(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let MoreResults { s, mode, max_rows } = call.params()?;
    let mut writer = call.writer();
    work_on(session, s, |connection, statement, _| {
        writer.begin_array(6);
        match connection.next_result(s, statement)? {
            None => {
                writer.int(0);
                writer.int(0);
                writer.int(1);
                writer.undef();
                Extra::default().write(&mut writer, connection);
                writer.undef();
            }
            Some(Outcome::Done(ok)) => {
                writer.int(1);
                write_done(&mut writer, connection, s, statement, &ok);
            }
            Some(Outcome::Rows { .. }) => {
                writer.int(1);
                let count = writer.reserve_int();
                let done = writer.reserve_int();
                let shape = Shape::from_mode(mode).unwrap_or(Shape::Arrays);
                write_rows(&mut writer, connection, s, statement, shape, limit(max_rows))?;
                connection.read_ahead(s, statement)?;
                writer.patch_int(count, statement.total.and_then(|total| i32::try_from(total).ok()).unwrap_or(-1));
                writer.patch_int(done, statement.is_done().into());
                // Another result: its columns are told in any case.
                extra_of_rows(connection, s, statement, Some(())).write(&mut writer, connection);
                writer.undef();
            }
        }
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn reset(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let mut insert_id = 0;
    if tables(session).statements.contains_key(&s) {
        insert_id = work_on(session, s, |connection, statement, _| {
            connection.give_up(s, statement)?;
            statement.begin();
            connection.drain_more(s)?;
            Ok(connection.insert_id(0))
        })?;
    }
    let mut writer = call.writer();
    writer.begin_array(2);
    writer.int(1);
    reply::insert_id(&mut writer, insert_id);
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn finalize(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    drop_statement(session, s)?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct Prepare<'a> {
    d: u32,
    s: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
    #[serde(default)]
    options: Option<Options>,
}

pub fn prepare(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Prepare { d, s, sql, options } = call.params()?;
    drop_statement(session, s)?;
    let mut statement = prepare_statement(session, d, &sql, options, false)?;
    let mut writer = call.writer();
    work(session, d, |connection, statements| {
        connection.ready(statements)?;
        connection.prepare(&mut statement)?;
        writer.begin_array(2);
        let own = statement.template.parameters();
        writer.uint(statement.prepared.map_or(own, |prepared| prepared.parameters) as u64);
        let extra = Extra { fallback: statement.fallback.as_deref(), ..Extra::default() };
        extra.write(&mut writer, connection);
        Ok(())
    })?;
    tables(session).statements.insert(s, statement);
    writer.finish().map_err(Error::internal)?;
    call.finish()
}
