//! Statements in numbers, statements that are not waited for, asynchronous ones.

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::{ValueRef, Writer};

use super::desk::{tables, work, work_on};
use super::reply::{self, Extra};
use super::run::{Options, drop_statement, prepare_statement, write_asynchronous};
use crate::mysql::error;
use crate::mysql::many::Status;
use crate::mysql::statement::owned;

#[derive(Deserialize)]
struct ExecuteMany<'a> {
    d: u32,
    s: u32,
    #[serde(borrow, default)]
    sql: Option<ValueRef<'a>>,
    tuples: Vec<Vec<ValueRef<'a>>>,
    #[serde(default)]
    stop_on_error: Option<bool>,
    #[serde(default)]
    options: Option<Options>,
}

pub fn execute_many(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let ExecuteMany { d, s, sql, tuples, stop_on_error, options } = call.params()?;
    if let Some(sql) = sql.filter(|sql| !sql.is_undef()) {
        drop_statement(session, s)?;
        let statement = prepare_statement(session, d, &sql, options, false)?;
        tables(session).statements.insert(s, statement);
    }
    let slot = session.cancel_slot();
    let mut writer = call.writer();
    work_on(session, s, |connection, statement, statements| {
        let style = connection.style();
        let tuples = tuples.iter().map(|tuple| owned(tuple, style)).collect::<Result<Vec<_>, _>>()?;
        connection.give_up(s, statement)?;
        statement.begin();
        connection.ready(statements)?;
        let one_by_one = stop_on_error.unwrap_or(false);
        let statuses = connection.execute_many(s, statement, tuples, one_by_one, &|| slot.is_cancelled())?;
        writer.begin_array(3);
        writer.begin_array(statuses.len());
        let mut insert_id = 0;
        for status in &statuses {
            match status {
                Status::Done(count, id) => {
                    writer.uint(*count);
                    insert_id = if *id == 0 { insert_id } else { *id };
                }
                Status::Failed(error) => write_failure(&mut writer, error),
            }
        }
        Extra { fallback: statement.fallback.as_deref(), ..Extra::default() }.write(&mut writer, connection);
        reply::insert_id(&mut writer, insert_id);
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

fn write_failure(writer: &mut Writer<'_>, error: &error::Error) {
    writer.begin_array(3);
    writer.int(error.number.into());
    writer.text(&error.message);
    writer.text(&error.state);
}

#[derive(Deserialize)]
struct Queue<'a> {
    d: u32,
    #[serde(default)]
    s: Option<u32>,
    #[serde(borrow, default)]
    sql: Option<ValueRef<'a>>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    options: Option<Options>,
}

pub fn queue(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Queue { d, s, sql, binds, options } = call.params()?;
    let new = match sql.filter(|sql| !sql.is_undef()) {
        Some(sql) => Some(prepare_statement(session, d, &sql, options, binds.is_none())?),
        None => None,
    };
    match (s, new) {
        (None, None) => return Err(Error::bad_params("neither a statement nor SQL to queue")),
        (None, Some(mut statement)) => work(session, d, |connection, statements| {
            statement.bind(binds.as_deref().unwrap_or_default(), connection.style())?;
            connection.queue(&mut statement, statements);
            connection.close_later(&mut statement);
            Ok(())
        })?,
        (Some(s), new) => {
            if let Some(statement) = new {
                drop_statement(session, s)?;
                tables(session).statements.insert(s, statement);
            }
            work_on(session, s, |connection, statement, statements| {
                if let Some(binds) = &binds {
                    statement.bind(binds, connection.style())?;
                }
                connection.give_up(s, statement)?;
                statement.begin();
                connection.queue(statement, statements);
                Ok(())
            })?;
        }
    }
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct OfConnection {
    d: u32,
}

pub fn sync(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let mut writer = call.writer();
    work(session, d, |connection, _| {
        let outcomes = connection.collect();
        writer.begin_array(3);
        writer.begin_array(outcomes.failures.len());
        for (index, error) in &outcomes.failures {
            writer.begin_array(4);
            writer.uint(*index);
            writer.int(error.number.into());
            writer.text(&error.message);
            writer.text(&error.state);
        }
        Extra::default().write(&mut writer, connection);
        reply::insert_id(&mut writer, outcomes.insert_id);
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn async_ready(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let ready = work(session, d, |connection, _| {
        connection
            .is_pending_ready()
            .ok_or_else(|| error::Error::client(error::CR_UNKNOWN_ERROR, "Handle is not in asynchronous mode"))
    })?;
    call.reply(&(i32::from(ready),))
}

#[derive(Deserialize)]
struct AsyncResult<'a> {
    d: u32,
    #[serde(default)]
    s: Option<u32>,
    #[serde(borrow, default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
}

pub fn async_result(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let AsyncResult { d, s, mode, max_rows } = call.params()?;
    let mut writer = call.writer();
    match s {
        Some(s) => {
            work_on(session, s, |connection, statement, _| {
                write_asynchronous(&mut writer, connection, s, statement, mode, max_rows)
            })?;
        }
        None => work(session, d, |connection, _| {
            let summary = connection.pending_summary()?;
            writer.begin_array(5);
            writer.uint(summary.ok.affected);
            writer.int(1);
            writer.undef();
            Extra::of(&summary.ok, false).write(&mut writer, connection);
            reply::insert_id(&mut writer, summary.ok.insert_id);
            Ok(())
        })?,
    }
    writer.finish().map_err(Error::internal)?;
    call.finish()
}
