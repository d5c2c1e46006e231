//! Working on PostgreSQL for a session: its connections, cancelling, errors.

use std::collections::HashMap;

use daemon::{Error, HandlePermit, Session};
use protocol::code;

use super::connection::Connection;
use super::limits::CANCEL_PATIENCE;
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::{Level, Transaction};

/// Everything a session has opened.
#[derive(Default)]
pub struct Tables {
    connections: HashMap<u32, (Box<Connection>, HandlePermit)>,
    /// Which connection a statement belongs to.
    owners: HashMap<u32, u32>,
}

/// The session's tables.
pub fn tables(session: &mut Session) -> &mut Tables {
    session.state::<Tables>()
}

impl Tables {
    /// Files a connection under `d`.
    pub fn insert(&mut self, d: u32, connection: Connection, permit: HandlePermit) {
        self.close(d);
        self.connections.insert(d, (Box::new(connection), permit));
    }

    /// Closes the connection `d`, if there is one.
    pub fn close(&mut self, d: u32) {
        self.owners.retain(|_, owner| *owner != d);
        self.connections.remove(&d);
    }

    /// The connection of the statement `s`.
    pub fn owner(&self, s: u32) -> Option<u32> {
        self.owners.get(&s).copied()
    }

    /// Notes the connection of a statement.
    pub fn own(&mut self, s: u32, d: u32) {
        self.owners.insert(s, d);
    }

    /// Forgets a statement's connection.
    pub fn disown(&mut self, s: u32) {
        self.owners.remove(&s);
    }

    /// A connection, to look at.
    pub fn get(&mut self, d: u32) -> Option<&mut Connection> {
        self.connections.get_mut(&d).map(|(connection, _)| &mut **connection)
    }
}

/// An error about a handle that is not there.
pub fn no_connection(d: u32) -> Error {
    Error::new(code::UNKNOWN_HANDLE, format!("database handle {d} is not open in this session"))
}

/// The connection of the statement `s`.
pub fn owner(session: &mut Session, s: u32) -> std::result::Result<u32, Error> {
    let message = || format!("statement handle {s} is not there in this session, or was finished");
    tables(session).owner(s).ok_or_else(|| Error::new(code::UNKNOWN_HANDLE, message()))
}

/// Runs `task` on the connection `d`, so that it can be cancelled. A panic in it closes the connection.
pub fn work<R>(
    session: &mut Session,
    d: u32,
    task: impl FnOnce(&mut Connection) -> Result<R>,
) -> std::result::Result<R, Error> {
    let (mut connection, permit) = tables(session).connections.remove(&d).ok_or_else(|| no_connection(d))?;
    let slot = session.cancel_slot();
    let canceller = connection.conn.link.transport().canceller().clone();
    let guard = slot.guard(Box::new(move || canceller.fire()));
    connection.conn.link.attend(Some(slot.clone()));
    let result = task(&mut connection);
    drop(guard);
    connection.conn.link.attend(None);
    if slot.is_cancelled() {
        connection.swallow_cancel();
    }
    if let Err(trouble) = &result {
        connection.note_error(trouble);
    }
    tables(session).connections.insert(d, (connection, permit));
    result.map_err(Trouble::into_error)
}

/// The same with the statement `s`, which is made of `sql` if it is not there.
pub fn work_on<R>(
    session: &mut Session,
    d: u32,
    s: u32,
    sql: Option<Vec<u8>>,
    task: impl FnOnce(&mut Connection, &mut Statement) -> Result<R>,
) -> std::result::Result<R, Error> {
    let permit = if sql.is_some() { Some(session.handle_permit("statement")?) } else { None };
    let known = tables(session).owner(s);
    if known.is_some_and(|known| known != d) {
        return Err(Error::bad_params(format!("statement handle {s} belongs to another database handle")));
    }
    if sql.is_some() {
        tables(session).own(s, d);
    }
    work(session, d, |connection| {
        let mut statement = match (connection.statements.remove(&s), sql.zip(permit)) {
            (Some(old), Some((sql, _))) if *old.sql == *sql => old,
            (old, Some((sql, permit))) => {
                if let Some(mut old) = old {
                    connection.throw_away(&mut old)?;
                }
                Statement::new(s, sql, permit)
            }
            (Some(old), None) => old,
            (None, None) => {
                let message = format!("statement handle {s} is not there in this session, or was finished");
                return Err(Trouble::Other(Error::new(code::UNKNOWN_HANDLE, message)));
            }
        };
        let result = task(connection, &mut statement);
        connection.statements.insert(s, statement);
        result
    })
}

impl Connection {
    /// After a cancelled call: the request must not hit what comes next.
    fn swallow_cancel(&mut self) {
        let settled = self.conn.link.transport().canceller().clone().settle(CANCEL_PATIENCE);
        match settled {
            Some(true) if self.live.is_none() && self.copy.is_none() && self.running.is_none() => {
                // The server takes the signal while it waits for commands, and forgets it.
                let is_fine = match self.conn.link.transaction {
                    Transaction::Unknown => false,
                    _ => self.echo().is_ok(),
                };
                if !is_fine {
                    self.conn.link.cut();
                }
            }
            Some(_) => {}
            None => self.conn.link.cut(),
        }
    }

    /// A trip to the server that does nothing.
    pub fn echo(&mut self) -> Result<()> {
        self.conn.link.check()?;
        self.conn.link.out.sync();
        match self.conn.run_out(1, Level::Terse, None) {
            // The request has come late, and has hit this.
            Err(trouble) if trouble.state() == "57014" => Ok(()),
            result => result.map(drop),
        }
    }
}
