//! execute, fetch, do, select and what belongs to them.

use daemon::{Call, Error, Session};
use serde::Deserialize;
use storable::ValueRef;

use super::reply::{Extra, names};
use crate::driver::{limit, shape};
use crate::postgres::bind;
use crate::postgres::connection::Connection;
use crate::postgres::desk::{owner, tables, work, work_on};
use crate::postgres::execute::{How, Run};
use crate::postgres::statement::Statement;
use crate::postgres::trouble::{Result as Tried, Trouble};
use crate::sqlite::{BatchLimits, RowShape};

/// The number that statements of `do` have.
pub const NO_STATEMENT: u32 = u32::MAX;

/// How a statement is to be run.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Options {
    how: Option<String>,
    via: Option<String>,
    types: Option<Vec<Option<u32>>>,
    pub name: Option<String>,
    #[serde(rename = "async")]
    pub asynchronous: Option<bool>,
}

impl Options {
    pub fn how(&self) -> How {
        match self.how.as_deref().or(self.via.as_deref()) {
            Some("s") => How::Simple,
            Some("p") => How::Unnamed,
            Some("n") => How::Named,
            _ => How::Auto,
        }
    }

    /// Sets the types of a statement's parameters, if they are given.
    pub fn set_types(&self, statement: &mut Statement) {
        let Some(types) = &self.types else { return };
        let types = types.iter().map(|oid| oid.unwrap_or(0));
        if !types.clone().eq(statement.types.iter().copied()) {
            statement.types = types.collect();
            statement.plan = None;
        }
    }
}

/// Types that come with the values count for the statement, too.
fn bound_types(statement: &mut Statement, binds: &[ValueRef<'_>]) {
    if !binds.iter().any(|value| matches!(value, ValueRef::Array(_))) {
        return;
    }
    let known = statement.types.clone();
    let types = binds.iter().enumerate().map(|(index, value)| match bind::typed(value) {
        (_, 0) => known.get(index).copied().unwrap_or(0),
        (_, oid) => oid,
    });
    if !types.clone().eq(known.iter().copied()) {
        statement.types = types.collect();
        statement.plan = None;
    }
}

/// The client's SQL in the server's encoding.
pub fn encode(session: &mut Session, d: u32, sql: &ValueRef<'_>) -> Vec<u8> {
    let utf8 = tables(session).get(d).is_none_or(|connection| connection.settings.decoding.utf8);
    bind::string(sql, utf8)
}

#[derive(Deserialize)]
pub struct Execute<'a> {
    pub d: u32,
    pub s: u32,
    #[serde(borrow, default)]
    pub sql: Option<ValueRef<'a>>,
    #[serde(default)]
    pub binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    pub mode: Option<&'a str>,
    #[serde(default)]
    pub max_rows: Option<i64>,
    #[serde(default)]
    pub opts: Option<Options>,
}

pub fn execute(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Execute { d, s, sql, binds, mode, max_rows, opts } = call.params()?;
    let opts = opts.unwrap_or_default();
    let sql = sql.map(|sql| encode(session, d, &sql));
    let mut writer = call.writer();
    let limits = BatchLimits { rows: limit(max_rows), bytes: 0 };
    work_on(session, d, s, sql, |connection, statement| {
        let binds = binds.as_deref().unwrap_or_default();
        prepare_run(connection, statement, &opts, binds)?;
        let run = Run { binds, how: opts.how(), name: opts.name.as_deref() };
        if opts.asynchronous == Some(true) {
            connection.start(statement, run)?;
            writer.begin_array(5);
            writer.int(0);
            writer.int(1);
            writer.undef();
            connection.write_extra(&mut writer, Extra::default());
            writer.undef();
            return Ok(());
        }
        connection.run(statement, run)?;
        write_execution(&mut writer, connection, statement, shape(mode), limits)
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// What has to be done before a statement is run again.
pub fn prepare_run(
    connection: &mut Connection,
    statement: &mut Statement,
    opts: &Options,
    binds: &[ValueRef<'_>],
) -> Tried<()> {
    if connection.running.is_some() {
        return Err(Trouble::Usage("another command is already in progress\n".into()));
    }
    connection.throw_away(statement)?;
    opts.set_types(statement);
    bound_types(statement, binds);
    Ok(())
}

/// Writes `[count, done, rows, extra, undef]` of a statement that has been run.
pub fn write_execution(
    writer: &mut storable::Writer<'_>,
    connection: &mut Connection,
    statement: &mut Statement,
    shape: Option<RowShape>,
    limits: BatchLimits,
) -> Tried<()> {
    writer.begin_array(5);
    writer.int(statement.count());
    let done = writer.reserve_int();
    match shape {
        Some(shape) if statement.columns.is_some() => connection.write_rows(statement, writer, shape, limits)?,
        _ => writer.undef(),
    }
    writer.patch_int(done, statement.is_done().into());
    connection.write_extra(writer, Extra { statement: Some(statement), all: false });
    statement.told();
    writer.undef();
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
    let d = owner(session, s)?;
    let limits = BatchLimits { rows: limit(max_rows), bytes: 0 };
    let mut writer = call.writer();
    work_on(session, d, s, None, |connection, statement| {
        writer.begin_array(3);
        let done = writer.reserve_int();
        let shape = shape(mode).unwrap_or(RowShape::Arrays);
        connection.write_rows(statement, &mut writer, shape, limits)?;
        writer.patch_int(done, statement.is_done().into());
        connection.write_extra(&mut writer, Extra { statement: Some(statement), all: false });
        statement.told();
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct OfStatement {
    s: u32,
}

pub fn rows(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let d = owner(session, s)?;
    let count = work_on(session, d, s, None, Connection::count_rows)?;
    call.reply(&(count,))
}

pub fn reset(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    if let Some(d) = tables(session).owner(s) {
        work_on(session, d, s, None, |connection, statement| {
            connection.throw_away(statement)?;
            statement.rewind();
            Ok(())
        })?;
    }
    call.reply(&(1,))
}

pub fn finalize(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    if let Some(d) = tables(session).owner(s) {
        tables(session).disown(s);
        work(session, d, |connection| {
            if connection.running == Some(s) {
                return Ok(()); // its answer is still to come
            }
            match connection.statements.remove(&s) {
                Some(mut statement) => connection.throw_away(&mut statement),
                None => Ok(()),
            }
        })?;
    }
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct Do<'a> {
    d: u32,
    #[serde(borrow)]
    sql: ValueRef<'a>,
    #[serde(default)]
    binds: Option<Vec<ValueRef<'a>>>,
    #[serde(default)]
    opts: Option<Options>,
}

pub fn do_sql(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Do { d, sql, binds, opts } = call.params()?;
    let is_plain = binds.is_none() && opts.is_none();
    let opts = opts.unwrap_or_default();
    let how = match opts.how() {
        How::Auto if is_plain || (binds.is_none() && opts.name.is_none()) => How::Simple,
        How::Auto => How::Unnamed,
        how => how,
    };
    let sql = encode(session, d, &sql);
    before_drop(session, &sql);
    let permit = session.handle_permit("statement")?;
    let mut writer = call.writer();
    work(session, d, |connection| {
        let mut statement = Statement::new(NO_STATEMENT, sql, permit);
        let binds = binds.as_deref().unwrap_or_default();
        prepare_run(connection, &mut statement, &opts, binds)?;
        let run = Run { binds, how, name: opts.name.as_deref() };
        if opts.asynchronous == Some(true) {
            connection.start(&mut statement, run)?;
            connection.statements.insert(NO_STATEMENT, statement);
            writer.begin_array(4);
            writer.int(0);
            writer.int(0);
            connection.write_extra(&mut writer, Extra::default());
            writer.undef();
            return Ok(());
        }
        connection.run(&mut statement, run)?;
        let total = if statement.columns.is_some() { Some(connection.count_away(&mut statement)?) } else { None };
        writer.begin_array(4);
        match total {
            Some(total) => writer.uint(total),
            None if statement.is_empty => writer.undef(),
            None => writer.int(statement.count()),
        }
        writer.uint(statement.columns.as_ref().map_or(0, |columns| columns.len()) as u64);
        connection.write_extra(&mut writer, Extra { statement: Some(&statement), all: true });
        writer.undef();
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// Connections that wait in the pool would keep a database from being dropped.
fn before_drop(session: &Session, sql: &[u8]) {
    let words: Vec<_> = sql.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(2).collect();
    let is = |index: usize, word: &[u8]| words.get(index).is_some_and(|found| found.eq_ignore_ascii_case(word));
    if is(1, b"database") && (is(0, b"drop") || is(0, b"create") || is(0, b"alter")) {
        super::open::close_idle(session.client().uid);
    }
}

impl Connection {
    /// The number of rows of a statement whose rows nobody wants.
    fn count_away(&mut self, statement: &mut Statement) -> Tried<u64> {
        let mut count = 0;
        if !statement.is_live {
            return Ok(statement.total.unwrap_or(statement.store.len()));
        }
        while statement.is_live {
            let message = self.conn.link.receive()?;
            if message.kind == b'D' {
                count += 1;
            } else if self.ends_rows(statement, &message) {
                statement.is_live = false;
            }
        }
        statement.deferred.take().map_or(Ok(count), Err)
    }
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
    opts: Option<Options>,
}

pub fn select(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Select { d, s, sql, binds, mode, max_rows, opts } = call.params()?;
    let opts = opts.unwrap_or_default();
    // A negative number: so many rows in all, and the statement ends with them.
    let in_all = max_rows.filter(|rows| *rows < 0).map(i64::unsigned_abs);
    let limits = match in_all {
        Some(rows) => BatchLimits { rows: usize::try_from(rows).unwrap_or(usize::MAX), bytes: usize::MAX },
        None => BatchLimits { rows: limit(max_rows), bytes: 0 },
    };
    let sql = encode(session, d, &sql);
    let permit = session.handle_permit("statement")?;
    let mut writer = call.writer();
    let is_kept = work(session, d, |connection| {
        if let Some(mut old) = connection.statements.remove(&s) {
            connection.throw_away(&mut old)?;
        }
        let mut statement = Statement::new(s, sql, permit);
        let binds = binds.as_deref().unwrap_or_default();
        prepare_run(connection, &mut statement, &opts, binds)?;
        connection.run(&mut statement, Run { binds, how: opts.how(), name: opts.name.as_deref() })?;
        writer.begin_array(6);
        names(&mut writer, statement.columns.as_deref(), connection.settings.decoding.utf8);
        let done = writer.reserve_int();
        connection.write_rows(&mut statement, &mut writer, shape(mode).unwrap_or(RowShape::Arrays), limits)?;
        if in_all.is_some() {
            connection.throw_away(&mut statement)?;
        }
        let is_done = in_all.is_some() || statement.is_done();
        writer.patch_int(done, is_done.into());
        connection.write_extra(&mut writer, Extra { statement: Some(&statement), all: true });
        writer.int(statement.count());
        writer.undef();
        if !is_done {
            statement.told();
            connection.statements.insert(s, statement);
        }
        Ok(!is_done)
    })?;
    writer.finish().map_err(Error::internal)?;
    if is_kept {
        tables(session).own(s, d);
    } else {
        tables(session).disown(s);
    }
    call.finish()
}

#[derive(Deserialize)]
struct Prepare<'a> {
    d: u32,
    s: u32,
    #[serde(borrow, default)]
    sql: Option<ValueRef<'a>>,
    #[serde(default)]
    opts: Option<Options>,
}

pub fn prepare(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Prepare { d, s, sql, opts } = call.params()?;
    let opts = opts.unwrap_or_default();
    let sql = sql.map(|sql| encode(session, d, &sql));
    let mut writer = call.writer();
    work_on(session, d, s, sql, |connection, statement| {
        prepare_run(connection, statement, &opts, &[])?;
        let types = connection.describe(statement)?;
        writer.begin_array(2);
        writer.begin_array(types.len());
        for oid in types {
            writer.uint(oid.into());
        }
        connection.write_extra(&mut writer, Extra { statement: Some(statement), all: true });
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}
