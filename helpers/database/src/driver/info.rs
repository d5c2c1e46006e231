//! Counters, limits, switches, metadata, status.

use std::collections::BTreeMap;

use daemon::{Call, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};
use storable::{Value, ValueRef};

use super::{name, reply};
use crate::desk::{self, tables, work};
use crate::sqlite::{self, Connection, Counter};

#[derive(Deserialize)]
struct OfConnection {
    d: u32,
}

macro_rules! questions {
    ($($name:ident => $ask:expr,)*) => {
        $(pub fn $name(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
            let OfConnection { d } = call.params()?;
            let connection = tables(session).connection(d)?;
            let ask: fn(&Connection) -> i64 = $ask;
            call.reply(&(ask(&connection),))
        })*
    };
}

questions! {
    changes => Connection::changes,
    total_changes => Connection::total_changes,
    last_insert_rowid => Connection::last_insert_rowid,
    get_autocommit => |connection| {
        connection.autocommit_news(); // it is reported by this
        connection.autocommit().into()
    },
    error_offset => |connection| connection.error_offset().into(),
    interrupt => |connection| { connection.interrupter().interrupt(); 1 },
}

#[derive(Deserialize)]
struct OfSchema<'a> {
    d: u32,
    #[serde(borrow, default)]
    schema: ValueRef<'a>,
}

pub fn txn_state(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfSchema { d, schema } = call.params()?;
    let connection = tables(session).connection(d)?;
    let schema = if schema.is_undef() { None } else { Some(name(&schema).map_err(desk::error)?) };
    let state = connection.txn_state(schema.as_deref()).map_err(desk::error)?;
    call.reply(&(state,))
}

pub fn db_filename(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfSchema { d, schema } = call.params()?;
    let connection = tables(session).connection(d)?;
    let schema = if schema.is_undef() { b"main"[..].into() } else { name(&schema).map_err(desk::error)? };
    let filename = connection.filename(&schema).map_err(desk::error)?;
    let mut writer = call.writer();
    writer.begin_array(1);
    reply::optional(&mut writer, filename.as_deref(), connection.string_mode());
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct BusyTimeout {
    d: u32,
    #[serde(default)]
    ms: Option<i64>,
}

pub fn busy_timeout(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let BusyTimeout { d, ms } = call.params()?;
    let connection = tables(session).connection(d)?;
    if let Some(ms) = ms {
        connection.set_busy_timeout(i32::try_from(ms).unwrap_or(i32::MAX));
    }
    call.reply(&(connection.busy_timeout_ms(),))
}

#[derive(Deserialize)]
struct Setting {
    d: u32,
    id: i32,
    #[serde(default)]
    value: Option<i32>,
}

pub fn limit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Setting { d, id, value } = call.params()?;
    let connection = tables(session).connection(d)?;
    call.reply(&(connection.limit(id, value.unwrap_or(-1)),))
}

pub fn db_config(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Setting { d, id, value } = call.params()?;
    let connection = tables(session).connection(d)?;
    let now = connection.db_config(id, value.unwrap_or(-1)).map_err(desk::error)?;
    call.reply(&(now,))
}

#[derive(Deserialize)]
struct OfTable<'a> {
    d: u32,
    #[serde(borrow)]
    schema: ValueRef<'a>,
    table: ValueRef<'a>,
    column: ValueRef<'a>,
}

pub fn table_column_metadata(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfTable { d, schema, table, column } = call.params()?;
    let connection = tables(session).connection(d)?;
    let known = work(session, Some(&connection), || {
        let schema = if schema.is_undef() { None } else { Some(name(&schema)?) };
        connection.column_metadata(schema.as_deref(), &name(&table)?, &name(&column)?)
    })?;
    let flags = [known.not_null, known.primary, known.auto_increment].map(u8::from);
    call.reply(&[(known.data_type, known.collation, flags[0], flags[1], flags[2])])
}

#[derive(Deserialize)]
struct EnableLoadExtension {
    d: u32,
    #[serde(default)]
    on: Option<bool>,
}

pub fn enable_load_extension(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let EnableLoadExtension { d, on } = call.params()?;
    let connection = tables(session).connection(d)?;
    connection.enable_load_extension(on.unwrap_or(false)).map_err(desk::error)?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct LoadExtension<'a> {
    d: u32,
    #[serde(borrow)]
    file: ValueRef<'a>,
    #[serde(default)]
    entry: ValueRef<'a>,
}

pub fn load_extension(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let LoadExtension { d, file, entry } = call.params()?;
    let connection = tables(session).connection(d)?;
    work(session, Some(&connection), || {
        let entry = if entry.is_undef() { None } else { Some(name(&entry)?) };
        connection.load_extension(&name(&file)?, entry.as_deref())
    })?;
    call.reply(&(1,))
}

/// A counter as `{current, highwater}`.
#[derive(Serialize)]
struct Both {
    current: i64,
    highwater: i64,
}

fn counters(names: &[(&'static str, i32)], read: impl Fn(i32) -> Option<Counter>) -> [BTreeMap<&'static str, Both>; 1] {
    let known = names
        .iter()
        .filter_map(|&(name, id)| read(id).map(|Counter { current, highwater }| (name, Both { current, highwater })));
    [known.collect()]
}

#[derive(Deserialize)]
struct DbStatus {
    d: u32,
    #[serde(default)]
    reset: Option<bool>,
}

/// `SQLITE_DBSTATUS_*`.
const DB_COUNTERS: [(&str, i32); 13] = [
    ("lookaside_used", 0),
    ("cache_used", 1),
    ("schema_used", 2),
    ("stmt_used", 3),
    ("lookaside_hit", 4),
    ("lookaside_miss_size", 5),
    ("lookaside_miss_full", 6),
    ("cache_hit", 7),
    ("cache_miss", 8),
    ("cache_write", 9),
    ("deferred_fks", 10),
    ("cache_used_shared", 11),
    ("cache_spill", 12),
];

pub fn db_status(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let DbStatus { d, reset } = call.params()?;
    let connection = tables(session).connection(d)?;
    call.reply(&counters(&DB_COUNTERS, |id| connection.status(id, reset.unwrap_or(false))))
}

#[derive(Deserialize)]
struct StStatus {
    s: u32,
    #[serde(default)]
    reset: Option<bool>,
}

/// `SQLITE_STMTSTATUS_*`.
const STATEMENT_COUNTERS: [(&str, i32); 9] = [
    ("fullscan_step", 1),
    ("sort", 2),
    ("autoindex", 3),
    ("vm_step", 4),
    ("reprepare", 5),
    ("run", 6),
    ("filter_miss", 7),
    ("filter_hit", 8),
    ("memused", 99),
];

pub fn st_status(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let StStatus { s, reset } = call.params()?;
    let prepared = tables(session).statement(s)?;
    let counters: BTreeMap<_, _> = desk::work_on(session, &prepared, |statement| {
        let read = |&(name, id): &(&'static str, i32)| (name, statement.status(id, reset.unwrap_or(false)));
        Ok(STATEMENT_COUNTERS.iter().map(read).collect())
    })?;
    call.reply(&[counters])
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    reset: Option<bool>,
}

/// `SQLITE_STATUS_*`.
const LIBRARY_COUNTERS: [(&str, i32); 10] = [
    ("memory_used", 0),
    ("pagecache_used", 1),
    ("pagecache_overflow", 2),
    ("scratch_used", 3),
    ("scratch_overflow", 4),
    ("malloc_size", 5),
    ("parser_stack", 6),
    ("pagecache_size", 7),
    ("scratch_size", 8),
    ("malloc_count", 9),
];

pub fn status(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Status { reset } = call.params()?;
    call.reply(&counters(&LIBRARY_COUNTERS, |id| sqlite::library_status(id, reset.unwrap_or(false))))
}

pub fn compile_options(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    call.reply(&sqlite::compile_options())
}

pub fn libversion(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    call.reply(&sqlite::version())
}

#[derive(Deserialize)]
struct Match<'a> {
    #[serde(borrow)]
    pattern: ValueRef<'a>,
    text: ValueRef<'a>,
    #[serde(default)]
    escape: Value,
}

pub fn strlike(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Match { pattern, text, escape } = call.params()?;
    let escape = escape.as_str().and_then(|escape| escape.chars().next());
    let compare = || sqlite::strlike(&name(&pattern)?, &name(&text)?, escape);
    call.reply(&(compare().map_err(desk::error)?,))
}

pub fn strglob(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Match { pattern, text, .. } = call.params()?;
    let compare = || sqlite::strglob(&name(&pattern)?, &name(&text)?);
    call.reply(&(compare().map_err(desk::error)?,))
}

#[derive(Deserialize)]
struct Complete<'a> {
    #[serde(borrow)]
    sql: ValueRef<'a>,
}

pub fn complete(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Complete { sql } = call.params()?;
    let complete = name(&sql).and_then(|sql| sqlite::complete(&sql)).map_err(desk::error)?;
    call.reply(&(u8::from(complete),))
}
