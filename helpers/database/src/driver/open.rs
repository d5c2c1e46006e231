//! Connections: open, close, settings, backup.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::ValueRef;

use super::name;
use crate::desk::{self, tables, work};
use crate::sqlite::{self, AutoBegin, Connection, DEFAULT_FLAGS, StringMode, version};

/// How long a connection waits for locks unless told otherwise.
const BUSY_TIMEOUT_MILLISECONDS: i32 = 30_000;
/// `SQLITE_DBCONFIG_DEFENSIVE`.
const DEFENSIVE: i32 = 1010;
/// The name of a connection's own database.
const MAIN: &[u8] = b"main";

#[derive(Deserialize)]
struct Open<'a> {
    d: u32,
    #[serde(borrow)]
    filename: ValueRef<'a>,
    #[serde(borrow, default)]
    options: Option<Options<'a>>,
}

/// Settings of a connection; what is left out stays as it is.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Options<'a> {
    flags: Option<i32>,
    busy_timeout: Option<i32>,
    string_mode: Option<i64>,
    extended: Option<bool>,
    defensive: Option<bool>,
    see_number: Option<bool>,
    begin: Option<i64>,
    /// Where the client is now, if it has moved since it last told.
    #[serde(borrow)]
    cwd: Option<ValueRef<'a>>,
    /// Its umask.
    umask: Option<u32>,
    /// The client's function behind the operator REGEXP.
    regexp: Option<u32>,
    /// The client's function for unknown collations.
    collation_needed: Option<u32>,
}

impl Options<'_> {
    /// What is about the client, not about one connection.
    fn note_client(&self, session: &mut Session) -> Result<(), Error> {
        let folder = self.cwd.as_ref().map(name).transpose().map_err(desk::error)?;
        let folder = folder.map(|folder| PathBuf::from(OsString::from_vec(folder.into_owned())));
        desk::client_moved(session, folder, self.umask);
        Ok(())
    }

    fn apply(&self, connection: &Connection) -> sqlite::Result<()> {
        if let Some(milliseconds) = self.busy_timeout {
            connection.set_busy_timeout(milliseconds);
        }
        if let Some(mode) = self.string_mode {
            connection.shared().string_mode.set(StringMode::from_constant(mode));
        }
        if let Some(on) = self.extended {
            connection.set_extended_result_codes(on);
        }
        if let Some(on) = self.see_number {
            connection.shared().see_number.set(on);
        }
        if let Some(begin) = self.begin {
            connection.set_auto_begin(AutoBegin::from_number(begin));
        }
        if let Some(id) = self.regexp {
            connection.create_function(b"regexp", 2, id, 0)?;
        }
        if let Some(id) = self.collation_needed {
            connection.collation_needed(id)?;
        }
        if let Some(on) = self.defensive {
            connection.db_config(DEFENSIVE, on.into())?;
        }
        Ok(())
    }
}

pub fn open(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Open { d, filename, options } = call.params()?;
    if tables(session).has_connection(d) {
        return Err(Error::bad_params(format!("there is a database handle {d} in this session already")));
    }
    let permit = session.handle_permit("database handle")?;
    let options = options.unwrap_or_default();
    options.note_client(session)?;
    let connection = work(session, None, || {
        let filename = name(&filename)?;
        let timeout = options.busy_timeout.unwrap_or(BUSY_TIMEOUT_MILLISECONDS);
        let connection = Connection::open(&filename, options.flags.unwrap_or(DEFAULT_FLAGS), timeout)?;
        options.apply(&connection)?;
        Ok(connection)
    })?;
    tables(session).insert_connection(d, connection, permit);
    call.reply(&version())
}

#[derive(Deserialize)]
struct Close {
    d: u32,
}

pub fn close(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Close { d } = call.params()?;
    let closing = tables(session).close(d);
    work(session, None, || {
        drop(closing);
        Ok(())
    })?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct Config<'a> {
    d: u32,
    #[serde(borrow)]
    options: Options<'a>,
}

pub fn config(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Config { d, options } = call.params()?;
    options.note_client(session)?;
    let connection = tables(session).connection(d)?;
    options.apply(&connection).map_err(desk::error)?;
    call.reply(&(1,))
}

/// Which way a backup goes, seen from the connection.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Direction {
    From,
    To,
}

fn copy(direction: Direction, connection: &Connection, other: &Connection) -> sqlite::Result<()> {
    match direction {
        Direction::From => connection.backup(MAIN, other, MAIN),
        Direction::To => other.backup(MAIN, connection, MAIN),
    }
}

#[derive(Deserialize)]
struct Backup<'a> {
    d: u32,
    direction: Direction,
    #[serde(borrow)]
    filename: ValueRef<'a>,
}

pub fn backup(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Backup { d, direction, filename } = call.params()?;
    let connection = tables(session).connection(d)?;
    work(session, Some(&connection), || {
        let other = Connection::open(&name(&filename)?, DEFAULT_FLAGS, connection.busy_timeout_ms())?;
        copy(direction, &connection, &other)
    })?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct BackupDbh {
    d: u32,
    direction: Direction,
    other: u32,
}

pub fn backup_dbh(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let BackupDbh { d, direction, other } = call.params()?;
    let connection = tables(session).connection(d)?;
    let other = tables(session).connection(other)?;
    work(session, Some(&connection), || copy(direction, &connection, &other))?;
    call.reply(&(1,))
}
