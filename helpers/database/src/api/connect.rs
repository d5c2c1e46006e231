//! Connections and transactions.

use std::rc::Rc;

use daemon::{Call, Secret, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};

use super::cache::{self, Key};
use super::database::Database;
use super::dsn::{Attributes, Source};
use super::{server, sqlite};
use crate::desk::{tables, work};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Connect {
    dsn: String,
    username: Option<String>,
    password: Option<Secret>,
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
    let password = connect.password.as_ref().map(Secret::expose);
    let params = (&connect.dsn, &connect.username, password, attributes, &session.client().cwd);
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
    let none = Attributes::new();
    let source = Source::parse(&connect.dsn, connect.attributes.as_ref().unwrap_or(&none))?;
    let permit = session.handle_permit("database connection")?;
    let database = match &source {
        Source::Sqlite(source) => sqlite::open(session, source)?,
        Source::Server(source) => {
            let password = connect.password.as_ref().map(Secret::expose);
            server::open(session, source, connect.username.as_deref(), password)?
        }
    };
    let id = session.publish_new_handle()?;
    tables(session).api.insert(id.clone(), database, permit, cached_as);
    Ok(id)
}

#[derive(Deserialize)]
struct OfConnection {
    connection_id: String,
}

fn database(session: &mut Session, call: &Call<'_>) -> Result<(String, Rc<dyn Database>), Error> {
    let OfConnection { connection_id } = call.params()?;
    let database = tables(session).api.connection(&connection_id)?;
    Ok((connection_id, database))
}

pub fn disconnect(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let (id, database) = database(session, &call)?;
    let opened = tables(session).api.remove(&id);
    database.close(session);
    // SQLite may call back when statements and connections go.
    work(session, None, || {
        drop((opened, database));
        Ok(())
    })?;
    session.withdraw_handle(&id);
    call.reply(&SUCCESS)
}

pub fn begin_transaction(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    database(session, &call)?.1.begin(session)?;
    call.reply(&SUCCESS)
}

pub fn commit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    database(session, &call)?.1.commit(session)?;
    call.reply(&SUCCESS)
}

pub fn rollback(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    database(session, &call)?.1.rollback(session)?;
    call.reply(&SUCCESS)
}

#[derive(Serialize)]
struct LastInsertId {
    success: u8,
    last_insert_id: i64,
}

pub fn last_insert_id(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let last_insert_id = database(session, &call)?.1.last_insert_id(session)?;
    call.reply(&LastInsertId { success: 1, last_insert_id })
}
