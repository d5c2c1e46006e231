//! The ids of a session's handles.

use std::collections::HashMap;
use std::rc::Rc;

use daemon::HandlePermit;
use protocol::{Error, code};

use super::cache::Key;
use super::database::{Database, Prepared};

/// A statement, and the right to hold it.
#[derive(Clone)]
pub struct Named {
    pub statement: Rc<dyn Prepared>,
    pub _permit: Rc<HandlePermit>,
}

/// A connection, the right to hold it, and its statements.
struct Opened {
    // Dropped in this order: statements before their connection.
    statements: HashMap<String, Named>,
    connection: Rc<dyn Database>,
    _permit: HandlePermit,
    /// What it was opened with, if `connect_cached` may give it again.
    cached_as: Option<Key>,
}

/// What this module has opened in a session.
#[derive(Default)]
pub struct Names(HashMap<String, Opened>);

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} connections", self.0.len())
    }
}

impl Names {
    /// Files a connection.
    pub fn insert(&mut self, id: String, connection: Rc<dyn Database>, permit: HandlePermit, cached_as: Option<Key>) {
        let opened = Opened { statements: HashMap::new(), connection, _permit: permit, cached_as };
        self.0.insert(id, opened);
    }

    /// The id of the connection that was filed with this key.
    pub fn cached(&self, key: Key) -> Option<String> {
        let found = self.0.iter().find(|(_, opened)| opened.cached_as == Some(key));
        found.map(|(id, _)| id.clone())
    }

    /// The connection of this id.
    pub fn connection(&self, id: &str) -> Result<Rc<dyn Database>, Error> {
        self.opened(id).map(|opened| Rc::clone(&opened.connection))
    }

    fn opened(&self, id: &str) -> Result<&Opened, Error> {
        self.0.get(id).ok_or_else(|| unknown("connection", id))
    }

    /// Takes a connection out; dropping the result closes it.
    #[must_use]
    pub fn remove(&mut self, id: &str) -> Option<impl Drop + use<>> {
        self.0.remove(id).map(Closing)
    }

    /// Files a statement of the connection.
    pub fn insert_statement(&mut self, connection: &str, id: String, named: Named) -> Result<(), Error> {
        let opened = self.0.get_mut(connection).ok_or_else(|| unknown("connection", connection))?;
        opened.statements.insert(id, named);
        Ok(())
    }

    /// The statement of this id.
    pub fn statement(&self, connection: &str, id: &str) -> Result<Named, Error> {
        let found = self.opened(connection)?.statements.get(id);
        found.cloned().ok_or_else(|| unknown("statement", id))
    }

    /// Takes a statement out; dropping it finalizes it.
    pub fn remove_statement(&mut self, connection: &str, id: &str) -> Option<Named> {
        self.0.get_mut(connection)?.statements.remove(id)
    }
}

/// A connection on its way out.
struct Closing(#[allow(dead_code)] Opened);

impl Drop for Closing {
    fn drop(&mut self) {}
}

fn unknown(what: &str, id: &str) -> Error {
    let shown: String = id.chars().take(8).collect();
    let text = format!("there is no {what} {shown}…; it was closed, has expired, or belongs to another connection");
    Error::new(code::UNKNOWN_HANDLE, text)
}
