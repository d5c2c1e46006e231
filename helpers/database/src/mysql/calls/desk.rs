//! A session's connections and statements, and working on them so that a call can be cancelled.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use daemon::Session;
use protocol::{Error, code};

use crate::mysql::connection::{Connection, Statements};
use crate::mysql::error::Result;
use crate::mysql::kill::Settled;
use crate::mysql::statement::Statement;

/// Everything a session has opened.
#[derive(Default)]
pub struct Tables {
    pub connections: HashMap<u32, Connection>,
    pub statements: Statements,
}

/// The session's tables.
pub fn tables(session: &mut Session) -> &mut Tables {
    session.state::<Tables>()
}

fn unknown(message: String) -> Error {
    Error::new(code::UNKNOWN_HANDLE, message)
}

/// An error about a connection that is not there.
pub fn unknown_connection(d: u32) -> Error {
    unknown(format!("database handle {d} is not open in this session"))
}

/// An error about a statement that is not there.
pub fn unknown_statement(s: u32) -> Error {
    unknown(format!("statement handle {s} is not there in this session, or was finished"))
}

impl Tables {
    /// The connection of a statement.
    pub fn connection_of(&self, s: u32) -> Result<u32, Error> {
        self.statements.get(&s).map(|statement| statement.d).ok_or_else(|| unknown_statement(s))
    }
}

/// Runs `task` on the connection `d` and the session's statements. If the client vanishes or cancels meanwhile, the
/// server is asked to end the query.
pub fn work<R>(
    session: &mut Session,
    d: u32,
    task: impl FnOnce(&mut Connection, &mut Statements) -> Result<R>,
) -> Result<R, Error> {
    let slot = session.cancel_slot();
    let Tables { connections, statements } = tables(session);
    let connection = connections.get_mut(&d).ok_or_else(|| unknown_connection(d))?;
    let killer = Arc::clone(&connection.killer);
    let fired = Arc::clone(&killer);
    let guard = slot.guard(Box::new(move || fired.fire()));
    let result = catch_unwind(AssertUnwindSafe(|| connection.guarded(|connection| task(connection, statements))));
    drop(guard);
    let result = result.unwrap_or_else(|panic| {
        // Answers may be on their way that nobody would tell from those to the next command.
        connection.link.wire.close();
        resume_unwind(panic)
    });
    match killer.settle() {
        Settled::Quiet => {}
        Settled::Asked => connection.is_killed = true,
        Settled::Late => connection.link.wire.close(),
    }
    Ok(result?)
}

/// Runs `task` on a statement and its connection.
pub fn work_on<R>(
    session: &mut Session,
    s: u32,
    task: impl FnOnce(&mut Connection, &mut Statement, &mut Statements) -> Result<R>,
) -> Result<R, Error> {
    let d = tables(session).connection_of(s)?;
    let Some(mut statement) = tables(session).statements.remove(&s) else { return Err(unknown_statement(s)) };
    let result = work(session, d, |connection, statements| task(connection, &mut statement, statements));
    tables(session).statements.insert(s, statement);
    result
}
