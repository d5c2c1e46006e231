//! Many runs in one trip, runs that are not waited for, and runs beside the script.

use daemon::{Call, Error, Session};
use serde::Deserialize;
use storable::ValueRef;

use super::reply::Extra;
use super::run::{Execute, NO_STATEMENT, Options, encode, prepare_run, write_execution};
use crate::driver::{limit, shape};
use crate::postgres::connection::Connection;
use crate::postgres::desk::{tables, work, work_on};
use crate::postgres::execute::Run;
use crate::postgres::statement::Statement;
use crate::sqlite::BatchLimits;

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
    opts: Option<Options>,
}

pub fn execute_many(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let ExecuteMany { d, s, sql, tuples, stop_on_error, opts } = call.params()?;
    let opts = opts.unwrap_or_default();
    let sql = sql.map(|sql| encode(session, d, &sql));
    let mut writer = call.writer();
    work_on(session, d, s, sql, |connection, statement| {
        let first = tuples.first().map(Vec::as_slice).unwrap_or_default();
        prepare_run(connection, statement, &opts, first)?;
        writer.begin_array(3);
        let slot = writer.reserve_array();
        let mut ran = 0;
        connection.run_many(statement, opts.how(), &tuples, stop_on_error.unwrap_or(false), &mut |status| {
            ran += 1;
            match status {
                Ok(count) => writer.int(count.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1)),
                Err(trouble) => {
                    let (err, text, state) = trouble.triple();
                    writer.begin_array(3);
                    writer.int(err);
                    writer.text(&text);
                    writer.text(&state);
                }
            }
        })?;
        writer.patch(slot, ran);
        connection.write_extra(&mut writer, Extra { statement: Some(statement), all: false });
        statement.told();
        writer.undef();
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Queue<'a> {
    d: u32,
    s: u32,
    #[serde(borrow, default)]
    sql: Option<ValueRef<'a>>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    opts: Option<Options>,
}

pub fn queue(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Queue { d, s, sql, binds, opts } = call.params()?;
    let opts = opts.unwrap_or_default();
    let sql = sql.map(|sql| encode(session, d, &sql));
    let is_last = !session.has_more_frames();
    let send = |connection: &mut Connection, statement: &mut Statement| {
        let binds = binds.as_deref().unwrap_or_default();
        prepare_run(connection, statement, &opts, binds)?;
        connection.enqueue(statement, Run { binds, how: opts.how(), name: opts.name.as_deref() }, is_last)
    };
    let outcome = match sql {
        Some(sql) if s == 0 => work(session, d, |connection| {
            let mut statement = Statement::new(NO_STATEMENT, sql, None);
            send(connection, &mut statement)
        }),
        sql => work_on(session, d, s, sql, send),
    };
    match outcome {
        // Nobody hears of it now, so somebody has to later.
        Err(error) if call.seq() == 0 => {
            if let Some(connection) = tables(session).get(d) {
                connection.queue.fail(error.into());
            }
        }
        outcome => outcome?,
    }
    call.reply(&(1,))
}

/// As `execute` with `async`.
pub fn send(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Execute { d, s, sql, binds, opts, .. } = call.params()?;
    let opts = opts.unwrap_or_default();
    let sql = sql.map(|sql| encode(session, d, &sql));
    work_on(session, d, s, sql, |connection, statement| {
        let binds = binds.as_deref().unwrap_or_default();
        prepare_run(connection, statement, &opts, binds)?;
        connection.start(statement, Run { binds, how: opts.how(), name: opts.name.as_deref() })
    })?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct OfConnection {
    d: u32,
}

pub fn ready(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let is_ready = work(session, d, Connection::is_ready)?;
    call.reply(&(i32::from(is_ready),))
}

#[derive(Deserialize)]
struct OfResult<'a> {
    d: u32,
    #[serde(borrow, default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
}

pub fn result(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfResult { d, mode, max_rows } = call.params()?;
    let limits = BatchLimits { rows: limit(max_rows), bytes: 0 };
    let mut writer = call.writer();
    work(session, d, |connection| {
        let (mut statement, result) = connection.finish_running()?;
        let written =
            result.and_then(|()| write_execution(&mut writer, connection, &mut statement, shape(mode), limits));
        connection.statements.insert(statement.number, statement);
        written
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn cancel(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let cancelled = work(session, d, Connection::cancel_running)?;
    call.reply(&(i32::from(cancelled),))
}
