//! Working on SQLite for a session: its tables of handles, cancelling, calling back, errors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use daemon::{HandlePermit, Session};
use protocol::{Error, code};
use storable::Value;

use crate::sqlite::host::{self, Client, Host};
use crate::sqlite::{self, Confined, Connection, Interrupter, Statement};

/// Code of an error that the driver throws as an exception, without an error state in the handle.
pub const CROAK: &str = "croak";

/// A call that is to end does so by itself when SQLite next looks whether it is (see `hooks::progress`): only that
/// call ends. After so many requests it is interrupted, which also ends the connection's other statements.
const PATIENCE_REQUESTS: u32 = 4;

/// A statement of a session.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// It; borrowed while a call works on it.
    pub statement: Rc<RefCell<Statement>>,
    /// Its connection.
    pub connection: Rc<Connection>,
    /// Whether its SQL opens a transaction itself.
    pub opens_transaction: bool,
    _permit: Rc<HandlePermit>,
}

/// Everything a session has opened.
#[derive(Debug, Default)]
pub struct Tables {
    statements: HashMap<u32, Prepared>,
    connections: HashMap<u32, (Rc<Connection>, HandlePermit)>,
    /// Of the module `database`.
    pub api: crate::api::Names,
    desk: Option<Desk>,
}

/// What all calls of a session need.
#[derive(Debug, Clone)]
struct Desk {
    client: Rc<Client>,
    /// What the running call works on.
    running: Arc<Mutex<Option<Interrupter>>>,
    cancelled: Arc<AtomicBool>,
    /// How often the running call was asked to end.
    asked: Arc<AtomicU32>,
}

/// The session's tables.
pub fn tables(session: &mut Session) -> &mut Tables {
    session.state::<Confined<Tables>>().get()
}

impl Tables {
    /// The connection `d`.
    pub fn connection(&self, d: u32) -> Result<Rc<Connection>, Error> {
        match self.connections.get(&d) {
            Some((connection, _)) => Ok(Rc::clone(connection)),
            None => Err(unknown(format!("database handle {d} is not open in this session"))),
        }
    }

    /// The statement `s`.
    pub fn statement(&self, s: u32) -> Result<Prepared, Error> {
        match self.statements.get(&s) {
            Some(prepared) => Ok(prepared.clone()),
            None => Err(unknown(format!("statement handle {s} is not there in this session, or was finished"))),
        }
    }

    /// Files a connection under `d`.
    pub fn insert_connection(&mut self, d: u32, connection: Rc<Connection>, permit: HandlePermit) {
        drop(self.close(d));
        self.connections.insert(d, (connection, permit));
    }

    /// Files a statement under `s`.
    pub fn insert_statement(&mut self, s: u32, statement: Statement, permit: HandlePermit) -> Prepared {
        let prepared = Prepared {
            connection: Rc::clone(statement.connection()),
            opens_transaction: opens_transaction(&statement.sql()),
            statement: Rc::new(RefCell::new(statement)),
            _permit: Rc::new(permit),
        };
        self.statements.insert(s, prepared.clone());
        prepared
    }

    /// Takes the statement `s` out; dropping it finalizes it.
    pub fn remove_statement(&mut self, s: u32) -> Option<Prepared> {
        self.statements.remove(&s)
    }

    /// Whether there is a connection `d`.
    pub fn has_connection(&self, d: u32) -> bool {
        self.connections.contains_key(&d)
    }

    /// Takes the connection `d` and its statements out. Dropping them finalizes the statements and closes it, which may
    /// call back (virtual tables), so do that in [`work`].
    pub fn close(&mut self, d: u32) -> Option<Closing> {
        let (connection, permit) = self.connections.remove(&d)?;
        let (own, others) = std::mem::take(&mut self.statements)
            .into_iter()
            .partition(|(_, prepared)| Rc::ptr_eq(&prepared.connection, &connection));
        self.statements = others;
        Some(Closing { _statements: own, _connection: connection, _permit: permit })
    }
}

/// A connection on its way out; its fields are dropped in this order.
#[derive(Debug)]
pub struct Closing {
    _statements: HashMap<u32, Prepared>,
    _connection: Rc<Connection>,
    _permit: HandlePermit,
}

/// An error about a handle that is not there.
fn unknown(message: String) -> Error {
    Error::new(code::UNKNOWN_HANDLE, message)
}

/// Runs `task`, which uses `connection` (`None` while one is being opened), so that it can be cancelled and can call
/// back into the client.
pub fn work<R>(
    session: &mut Session,
    connection: Option<&Connection>,
    task: impl FnOnce() -> sqlite::Result<R>,
) -> Result<R, Error> {
    let desk = desk(session);
    desk.cancelled.store(session.cancel_slot().is_cancelled(), Ordering::Relaxed);
    desk.asked.store(0, Ordering::Relaxed);
    let before = desk.run(connection.map(Connection::interrupter));
    let result = host::enter(&mut Callbacks(session), &desk.client, || match connection {
        Some(connection) => connection.while_current(task),
        None => task(),
    });
    desk.run(before);
    result.map_err(error)
}

/// Runs `task` on a statement.
pub fn work_on<R>(
    session: &mut Session,
    prepared: &Prepared,
    task: impl FnOnce(&mut Statement) -> sqlite::Result<R>,
) -> Result<R, Error> {
    let mut statement = prepared.statement.try_borrow_mut().map_err(|_| in_use())?;
    work(session, Some(&prepared.connection), || task(&mut statement))
}

fn in_use() -> Error {
    let text = "this statement is running already; a function called back by it cannot use it";
    error(sqlite::Error::misuse(text))
}

impl Desk {
    /// Notes what the running call works on; what was noted before.
    fn run(&self, interrupter: Option<Interrupter>) -> Option<Interrupter> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *running, interrupter)
    }
}

/// Notes where the client is now, and its umask, if it told.
pub fn client_moved(session: &mut Session, folder: Option<PathBuf>, umask: Option<u32>) {
    let desk = desk(session);
    if let Some(folder) = folder.filter(|folder| folder.is_absolute()) {
        *desk.client.folder.borrow_mut() = folder;
    }
    if let Some(umask) = umask {
        desk.client.umask.set(umask & 0o777);
    }
}

/// The session's desk, set up on first use.
fn desk(session: &mut Session) -> Desk {
    if let Some(desk) = &tables(session).desk {
        return desk.clone();
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let running: Arc<Mutex<Option<Interrupter>>> = Arc::default();
    let client = session.client();
    let temporary = ["SQLITE_TMPDIR", "TMPDIR"].iter().find_map(|name| client.env(name)).map(PathBuf::from);
    let facts = Client {
        folder: client.cwd.clone().into(),
        umask: client.umask.into(),
        temporary: temporary.filter(|folder| folder.is_absolute()),
        cancelled: Arc::clone(&cancelled),
    };
    let asked: Arc<AtomicU32> = Arc::default();
    let desk = Desk {
        client: Rc::new(facts),
        running: Arc::clone(&running),
        cancelled: Arc::clone(&cancelled),
        asked: Arc::clone(&asked),
    };
    session.cancel_slot().set(Box::new(move || {
        cancelled.store(true, Ordering::Relaxed);
        if asked.fetch_add(1, Ordering::Relaxed) < PATIENCE_REQUESTS {
            return;
        }
        if let Some(running) = &*running.lock().unwrap_or_else(PoisonError::into_inner) {
            running.interrupt();
        }
    }));
    tables(session).desk = Some(desk.clone());
    desk
}

/// Callbacks go to the session's client.
struct Callbacks<'s>(&'s mut Session);

impl Host for Callbacks<'_> {
    fn call(&mut self, id: u32, args: &[Value]) -> Result<Value, String> {
        self.0.callback(id, args).map_err(|error| error.message.clone())
    }

    fn notify(&mut self, id: u32, args: &[Value]) {
        if let Err(error) = self.0.inform(id, args) {
            tracing::debug!("a notice to the client was lost: {error}");
        }
    }
}

/// An error of SQLite's as the client gets it.
pub fn error(error: sqlite::Error) -> Error {
    let number = i64::from(error.code());
    match error {
        sqlite::Error::Sqlite { message, .. } => Error::new(code::DATABASE, message).err(number),
        sqlite::Error::Callback(text) => Error::new(code::CALLBACK, text).err(number),
        sqlite::Error::Croak(text) => Error::new(CROAK, text).err(number),
        sqlite::Error::Cancelled => Error::cancelled().err(number),
    }
}

/// Whether SQL opens a transaction itself, so that none is to be begun before it.
pub fn opens_transaction(sql: &[u8]) -> bool {
    const WORDS: [&[u8]; 2] = [b"BEGIN", b"SAVEPOINT"];
    let sql = skip_blanks(sql);
    let word = sql.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    WORDS.iter().any(|opens| sql[..word].eq_ignore_ascii_case(opens))
}

/// What follows blanks and comments.
fn skip_blanks(mut sql: &[u8]) -> &[u8] {
    loop {
        sql = sql.trim_ascii_start();
        let skip = if sql.starts_with(b"--") {
            sql.iter().position(|&byte| byte == b'\n')
        } else if sql.starts_with(b"/*") {
            sql.windows(2).skip(2).position(|end| end == b"*/").map(|at| at + 3)
        } else {
            return sql;
        };
        sql = &sql[skip.map_or(sql.len(), |last| last + 1)..];
    }
}

/// Begins a transaction before a statement, where the connection asks for it and none is open.
pub fn begin_before(connection: &Rc<Connection>, opens_transaction: bool) -> sqlite::Result<()> {
    match connection.auto_begin().sql() {
        Some(sql) if !opens_transaction && connection.autocommit() => {
            connection.forget_autocommit_told();
            run(connection, sql)
        }
        _ => Ok(()),
    }
}

/// Runs SQL that returns nothing.
pub fn run(connection: &Rc<Connection>, sql: &str) -> sqlite::Result<()> {
    let (mut statement, _) = Statement::prepare(connection, sql.as_bytes())?;
    statement.start()?;
    statement.run_out()
}

/// Prepares the first statement of `sql` and says whether it opens a transaction.
pub fn prepare<'s>(connection: &Rc<Connection>, sql: &'s [u8]) -> sqlite::Result<(Statement, &'s [u8], bool)> {
    let (statement, tail) = Statement::prepare(connection, sql)?;
    let used = &sql[..sql.len() - tail.len()];
    Ok((statement, tail, opens_transaction(used)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begin_is_seen_behind_comments() {
        for (sql, opens) in [
            ("begin", true),
            ("  -- x\n /* y */SavePoint a;", true),
            ("/**/begin immediate", true),
            ("commit", false),
            ("/* open", false),
            ("-- begin", false),
            ("select 1", false),
            ("beginning", false),
            ("", false),
        ] {
            assert_eq!(opens_transaction(sql.as_bytes()), opens, "{sql}");
        }
    }
}
