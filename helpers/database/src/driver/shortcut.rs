//! Several steps in one trip.

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::{ValueRef, Writer};

use super::run::{self, limit, shape};
use super::{encode, reply};
use crate::desk::{self, begin_before, tables, work, work_on};
use crate::sqlite::{self, BatchLimits, RowShape};

#[derive(Deserialize)]
struct Do<'a> {
    d: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    multi: Option<bool>,
    #[serde(borrow, default)]
    ahead: Vec<run::Ahead<'a>>,
}

pub fn do_sql(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Do { d, sql, binds, multi, ahead } = call.params()?;
    run::step_ahead(session, &ahead)?;
    let connection = tables(session).connection(d)?;
    let multi = multi.unwrap_or(false);
    let mut writer = call.writer();
    work(session, Some(&connection), || {
        let sql = encode(&sql, connection.string_mode())?;
        let mut rest: &[u8] = &sql;
        let mut binds = binds.as_deref().unwrap_or_default();
        let mut has_written = false;
        let mut columns;
        let mut is_lone_semicolon;
        loop {
            let (mut statement, tail, opens) = desk::prepare(&connection, rest)?;
            is_lone_semicolon = !multi && statement.is_empty() && rest[..rest.len() - tail.len()].contains(&b';');
            rest = tail;
            let own = statement.parameters().min(binds.len()); // more than it takes are no error
            let (these, others) = binds.split_at(own);
            binds = others;
            statement.bind(these)?;
            if !statement.is_empty() {
                begin_before(&connection, opens)?;
            }
            statement.start()?;
            statement.run_out()?;
            has_written |= !statement.is_readonly();
            columns = statement.names().len();
            if !multi || rest.is_empty() {
                break;
            }
        }
        writer.begin_array(5 + usize::from(!ahead.is_empty()));
        // What the driver has always answered.
        writer.int(if is_lone_semicolon { -1 } else { reply::count(connection.changes()).into() });
        reply::optional(&mut writer, Some(rest).filter(|rest| !rest.is_empty()), connection.string_mode());
        reply::extra(&mut writer, &connection, None);
        if has_written {
            writer.int(connection.last_insert_rowid());
        } else {
            writer.undef();
        }
        writer.uint(columns as u64);
        Ok(())
    })?;
    run::write_ahead(session, &mut writer, &ahead)?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Select<'a> {
    d: u32,
    s: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    mode: Option<&'a str>,
    #[serde(default)]
    max_rows: Option<i64>,
}

pub fn select(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Select { d, s, sql, binds, mode, max_rows } = call.params()?;
    let connection = tables(session).connection(d)?;
    // A negative number: so many rows in all, and the statement ends with them.
    let in_all = max_rows.filter(|rows| *rows < 0).map(i64::unsigned_abs);
    let limits = match in_all {
        Some(rows) => BatchLimits { rows: usize::try_from(rows).unwrap_or(usize::MAX), bytes: usize::MAX },
        None => BatchLimits { rows: limit(max_rows), bytes: 0 },
    };
    let permit = session.handle_permit("statement")?;
    let mut writer = call.writer();
    let rest = work(session, Some(&connection), || {
        let sql = encode(&sql, connection.string_mode())?;
        let (mut statement, _, opens) = desk::prepare(&connection, &sql)?;
        statement.bind(binds.as_deref().unwrap_or_default())?;
        if !statement.is_empty() {
            begin_before(&connection, opens)?;
        }
        statement.start()?;
        statement.refresh_names();
        writer.begin_array(6);
        reply::names(&mut writer, &statement);
        let done = writer.reserve_int();
        let shape = shape(mode).unwrap_or(RowShape::Arrays);
        if statement.has_columns() {
            statement.write_rows(&mut writer, shape, limits)?;
        } else {
            writer.begin_array(0);
        }
        let is_done = in_all.is_some() || statement.is_done();
        writer.patch_int(done, is_done.into());
        reply::extra(&mut writer, &connection, None);
        writer.int(reply::count(connection.changes()).into());
        if statement.is_readonly() {
            writer.undef();
        } else {
            writer.int(connection.last_insert_rowid());
        }
        Ok((!is_done).then_some(statement))
    })?;
    writer.finish().map_err(Error::internal)?;
    if let Some(statement) = rest {
        tables(session).insert_statement(s, statement, permit);
    }
    call.finish()
}

#[derive(Deserialize)]
struct ExecuteMany<'a> {
    s: u32,
    #[serde(borrow)]
    tuples: Vec<Vec<ValueRef<'a>>>,
    #[serde(default)]
    stop_on_error: Option<bool>,
    #[serde(borrow, default)]
    ahead: Vec<run::Ahead<'a>>,
}

pub fn execute_many(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let ExecuteMany { s, tuples, stop_on_error, ahead } = call.params()?;
    run::step_ahead(session, &ahead)?;
    let stop_on_error = stop_on_error.unwrap_or(false);
    let prepared = tables(session).statement(s)?;
    let mut writer = call.writer();
    work_on(session, &prepared, |statement| {
        let connection = statement.connection().clone();
        writer.begin_array(4 + usize::from(!ahead.is_empty()));
        let slot = writer.reserve_array();
        let mut ran = 0;
        for tuple in &tuples {
            let result = run::begin(statement, &prepared, Some(tuple)).and_then(|()| statement.run_out());
            ran += 1;
            match result {
                Ok(()) => writer.int(reply::count(connection.changes()).into()),
                Err(error @ (sqlite::Error::Cancelled | sqlite::Error::Croak(_))) => return Err(error),
                Err(error) => {
                    write_failure(&mut writer, &error);
                    statement.reset();
                    if stop_on_error {
                        break;
                    }
                }
            }
        }
        writer.patch(slot, ran);
        reply::extra(&mut writer, &connection, None);
        writer.int(connection.last_insert_rowid());
        writer.int(connection.total_changes());
        Ok(())
    })?;
    run::write_ahead(session, &mut writer, &ahead)?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

fn write_failure(writer: &mut Writer<'_>, error: &sqlite::Error) {
    writer.begin_array(2);
    writer.int(error.code().into());
    writer.text(&error.to_string());
}
