//! Connections and transactions.

use std::rc::Rc;

use daemon::{Call, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};

use super::cache::{self, Key};
use super::dsn::{Attributes, Source};
use crate::desk::{self, tables, work};
use crate::sqlite::{AutoBegin, Connection};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Connect {
    dsn: String,
    username: Option<String>,
    password: Option<String>,
    attributes: Option<Attributes>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names)] // the names that callers know
struct Connected {
    success: u8,
    connection_id: String,
    connected: u8,
}

/// The result of what has none.
#[derive(Serialize)]
pub struct Success {
    success: u8,
}

/// `{success: 1}`.
pub const SUCCESS: Success = Success { success: 1 };

pub fn connect(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let connect: Connect = call.params()?;
    let connection_id = open(session, &connect, None)?;
    call.reply(&Connected { success: 1, connection_id, connected: 1 })
}

pub fn connect_cached(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let connect: Connect = call.params()?;
    let attributes = format!("{:?}", connect.attributes);
    let params = (&connect.dsn, &connect.username, &connect.password, attributes, &session.client().cwd);
    let key = Key::new(session.client().uid, &params);
    // A JSON request has a session of its own; what it opened before is in others.
    let is_json = !session.has_callbacks();
    let earlier = if is_json { cache::find(session, key) } else { None };
    let connection_id = match earlier.or_else(|| tables(session).api.cached(key)) {
        Some(id) => id,
        None => open(session, &connect, Some(key))?,
    };
    if is_json {
        cache::remember(session, key, &connection_id);
    }
    call.reply(&Connected { success: 1, connection_id, connected: 1 })
}

fn open(session: &mut Session, connect: &Connect, cached_as: Option<Key>) -> Result<String, Error> {
    let attributes = connect.attributes.as_ref();
    let source = match attributes {
        Some(attributes) => Source::parse(&connect.dsn, attributes)?,
        None => Source::parse(&connect.dsn, &Attributes::new())?,
    };
    let permit = session.handle_permit("database connection")?;
    let connection = work(session, None, || {
        let connection = Connection::open(source.filename.as_bytes(), source.flags, source.busy_timeout_ms)?;
        connection.shared().string_mode.set(source.string_mode);
        connection.set_auto_begin(source.begin);
        Ok(connection)
    })?;
    let id = session.publish_new_handle()?;
    tables(session).api.insert(id.clone(), connection, permit, cached_as);
    Ok(id)
}

#[derive(Deserialize)]
struct OfConnection {
    connection_id: String,
}

fn connection(session: &mut Session, call: &Call<'_>) -> Result<(String, Rc<Connection>), Error> {
    let OfConnection { connection_id } = call.params()?;
    let connection = tables(session).api.connection(&connection_id)?;
    Ok((connection_id, connection))
}

pub fn disconnect(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let (id, _) = connection(session, &call)?;
    drop(tables(session).api.remove(&id));
    session.withdraw_handle(&id);
    call.reply(&SUCCESS)
}

pub fn begin_transaction(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let (_, connection) = connection(session, &call)?;
    let sql = AutoBegin::Immediate.sql().unwrap_or("BEGIN");
    work(session, Some(&connection), || desk::run(&connection, sql))?;
    call.reply(&SUCCESS)
}

/// Ends the transaction; without one there is nothing to do, as in DBI.
fn end(session: &mut Session, call: Call<'_>, sql: &str) -> Result<(), Error> {
    let (_, connection) = connection(session, &call)?;
    if !connection.autocommit() {
        work(session, Some(&connection), || desk::run(&connection, sql))?;
    }
    call.reply(&SUCCESS)
}

pub fn commit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    end(session, call, "COMMIT")
}

pub fn rollback(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    end(session, call, "ROLLBACK")
}

#[derive(Serialize)]
struct LastInsertId {
    success: u8,
    last_insert_id: i64,
}

pub fn last_insert_id(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let (_, connection) = connection(session, &call)?;
    call.reply(&LastInsertId { success: 1, last_insert_id: connection.last_insert_rowid() })
}
