//! Do and select: several steps in one trip.

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::ValueRef;

use super::desk::{tables, work};
use super::reply::{self, Extra};
use super::run::{Options, begin, drop_statement, extra_of_rows, limit, prepare_statement, write_rows};
use crate::mysql::connection::Outcome;
use crate::mysql::queue::Pending;
use crate::mysql::statement::Shape;

#[derive(Deserialize)]
struct Do<'a> {
    d: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    options: Option<Options>,
}

pub fn do_sql(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Do { d, sql, binds, options } = call.params()?;
    let mut statement = prepare_statement(session, d, &sql, options, binds.is_none())?;
    let mut writer = call.writer();
    work(session, d, |connection, statements| {
        statement.bind(binds.as_deref().unwrap_or_default(), connection.style())?;
        connection.ready(statements)?;
        connection.send(&mut statement)?;
        connection.close_later(&mut statement);
        if options.is_some_and(|options| options.is_async) {
            connection.expect(Pending::Do);
            writer.begin_array(4);
            writer.int(0);
            writer.int(0);
            Extra { is_async: true, ..Extra::default() }.write(&mut writer, connection);
            writer.undef();
            return Ok(());
        }
        let summary = connection.link.read_results()?;
        writer.begin_array(4);
        writer.uint(summary.ok.affected);
        writer.uint(summary.columns as u64);
        Extra::of(&summary.ok, false).write(&mut writer, connection);
        reply::insert_id(&mut writer, connection.insert_id(summary.ok.insert_id));
        Ok(())
    })?;
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
    #[serde(default)]
    options: Option<Options>,
}

pub fn select(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Select { d, s, sql, binds, mode, max_rows, options } = call.params()?;
    drop_statement(session, s)?;
    let mut statement = prepare_statement(session, d, &sql, options, binds.is_none())?;
    // A negative number: so many rows in all, and the statement ends with them.
    let in_all =
        max_rows.filter(|rows| *rows < 0).map(|rows| usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX));
    let mut writer = call.writer();
    work(session, d, |connection, statements| {
        statement.bind(binds.as_deref().unwrap_or_default(), connection.style())?;
        begin(connection, s, &mut statement, statements)?;
        let outcome = connection.outcome(s, &mut statement)?;
        writer.begin_array(6);
        if let Outcome::Done(ok) = &outcome {
            writer.undef();
            writer.int(1);
            writer.begin_array(0);
            Extra::of(ok, connection.has_more(s)).write(&mut writer, connection);
            writer.uint(ok.affected);
            reply::insert_id(&mut writer, connection.insert_id(ok.insert_id));
            return Ok(());
        }
        reply::names(&mut writer, &statement.columns);
        let done = writer.reserve_int();
        let shape = Shape::from_mode(mode).unwrap_or(Shape::Arrays);
        write_rows(&mut writer, connection, s, &mut statement, shape, in_all.or(limit(max_rows)))?;
        if in_all.is_none() {
            connection.read_ahead(s, &mut statement)?;
        } else {
            connection.give_up(s, &mut statement)?;
            statement.deferred()?;
        }
        writer.patch_int(done, (in_all.is_some() || statement.is_done()).into());
        extra_of_rows(connection, s, &statement, Some(())).write(&mut writer, connection);
        writer.int(statement.total.and_then(|total| i64::try_from(total).ok()).unwrap_or(-1));
        writer.undef();
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    if in_all.is_none() && !statement.is_done() {
        tables(session).statements.insert(s, statement);
    } else if statement.prepared.is_some() {
        work(session, d, |connection, _| {
            connection.close_later(&mut statement);
            Ok(())
        })?;
    }
    call.finish()
}
