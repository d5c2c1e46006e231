//! Connections: connect, close, settings, transactions.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use daemon::{Call, Patience, Session};
use protocol::Error;
use serde::Deserialize;
use storable::ValueRef;

use super::desk::{tables, work};
use super::reply::Extra;
use crate::mysql::connection::Connection;
use crate::mysql::error::Result;
use crate::mysql::infile::Permission;
use crate::mysql::link::Link;
use crate::mysql::params::{Params, check_name};
use crate::mysql::settings::{Changes, Settings};
use crate::mysql::sql;
use crate::mysql::target::{Address, Target};
use crate::mysql::wire::auth::expose;
use crate::mysql::wire::constants::{capability, command, status};
use crate::pool::{Asker, Key, Lease, Limits, Pool};

/// `ER_CON_COUNT_ERROR`, `ER_TOO_MANY_USER_CONNECTIONS`: idle connections of ours may be what is too many.
const TOO_MANY: [u32; 2] = [1040, 1203];
/// How long to wait until idle connections are closed.
const CLOSE_IDLE_SECONDS: u64 = 2;
/// The client library that this one behaves like.
const CLIENT_INFO: &str = "3.3.20";
const CLIENT_VERSION: u32 = 30_320;

static POOL: LazyLock<Pool<Link>> = LazyLock::new(|| Pool::new("mysql"));

/// What makes a connection another one, beyond what is shown.
struct Hidden<'t>(&'t Target);

impl Hash for Hidden<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        expose(&self.0.login.password).hash(state);
        // Every field; the password shows as stars.
        format!("{:?}", self.0).hash(state);
    }
}

#[derive(Deserialize)]
struct Connect<'a> {
    d: u32,
    #[serde(borrow, default)]
    params: Option<Params<'a>>,
    #[serde(borrow, default)]
    options: Option<Changes<'a>>,
}

pub fn connect(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Connect { d, params, options } = call.params()?;
    if tables(session).connections.contains_key(&d) {
        return Err(Error::bad_params(format!("there is a database handle {d} in this session already")));
    }
    let permit = session.handle_permit("database handle")?;
    let params = params.unwrap_or_default();
    let mut settings = Settings::default();
    settings.change(&options.unwrap_or_default());
    let target = Arc::new(params.target(session, settings.rules)?);
    let mut link = checkout(session, &target, params.pool.unwrap_or(true))?;
    link.wire.wait_with(Patience::of(session));
    link.files = match target.login.capabilities & capability::LOCAL_FILES {
        0 => Permission::Nothing,
        _ => Permission::Named(session.client().cwd.clone(), None),
    };
    let pooled = link.was_pooled();
    let mut connection = Connection::new(link, target, settings, session.cancel_slot(), permit);
    begin(&mut connection, params.autocommit.unwrap_or(true))?;
    write_facts(call, &mut connection, pooled)?;
    tables(session).connections.insert(d, connection);
    Ok(())
}

/// A connection of the pool, or a new one.
fn checkout(session: &Session, target: &Arc<Target>, is_pooled: bool) -> Result<Lease<Link>, Error> {
    let address = match &target.address {
        Address::Tcp(host, port) => format!("{host}:{port}"),
        Address::Unix(path) => path.display().to_string(),
    };
    let database = String::from_utf8_lossy(target.login.database.as_deref().unwrap_or_default());
    let (shown, user) = (format!("{address}/{database}"), String::from_utf8_lossy(&target.login.user));
    let uid = session.client().uid;
    let key = Key::new("mysql", uid, &shown, &user, &Hidden(target));
    let mut limits = Limits::configured("mysql", &shown);
    limits.enabled &= is_pooled;
    POOL.checkout(&Asker::of(session), &key, &limits, || {
        let slot = session.cancel_slot();
        let link = target.connect(Some(&slot)).or_else(|error| {
            let patience = Duration::from_secs(CLOSE_IDLE_SECONDS);
            if TOO_MANY.contains(&error.number) && POOL.close_idle(uid, patience) > 0 {
                target.connect(Some(&slot))
            } else {
                Err(error)
            }
        })?;
        Ok::<_, Error>(link.restored_by(target))
    })
}

/// What every script finds at the beginning, also on a connection that another one has used.
fn begin(connection: &mut Connection, autocommit: bool) -> Result<(), Error> {
    for command in connection.target.init_commands.clone() {
        connection.link.simple_query(&command)?;
    }
    set_autocommit(connection, autocommit)?;
    Ok(())
}

fn set_autocommit(connection: &mut Connection, on: bool) -> Result<()> {
    if (connection.link.status & status::AUTOCOMMIT != 0) == on {
        return Ok(());
    }
    connection.link.simple_query(if on { b"SET autocommit=1" } else { b"SET autocommit=0" })
}

fn write_facts(mut call: Call<'_>, connection: &mut Connection, pooled: bool) -> Result<(), Error> {
    let status = connection.status_news().unwrap_or_default();
    let link = &mut *connection.link;
    let cipher = link.wire.stream()?.cipher();
    let mut writer = call.writer();
    writer.begin_array(1);
    let mut hash = writer.begin_hash(14);
    macro_rules! fact {
        ($name:literal, $method:ident, $value:expr) => {
            writer.$method($value);
            writer.key(&mut hash, $name);
        };
    }
    fact!("version", text, &link.version);
    fact!("version_number", int, link.version_number.into());
    fact!("is_mariadb", int, link.is_mariadb.into());
    fact!("thread_id", int, link.thread_id.into());
    fact!("hostinfo", text, &connection.target.host_info());
    fact!("protoinfo", int, 10);
    fact!("client_info", text, CLIENT_INFO);
    fact!("client_version", int, CLIENT_VERSION.into());
    match &cipher {
        Some(cipher) => writer.text(cipher),
        None => writer.undef(),
    }
    writer.key(&mut hash, "ssl_cipher");
    fact!("charset", text, connection.target.charset.as_deref().unwrap_or_default());
    fact!("no_backslash_escapes", int, (status & status::NO_BACKSLASH_ESCAPES != 0).into());
    fact!("autocommit", int, (status & status::AUTOCOMMIT != 0).into());
    fact!("pooled", int, pooled.into());
    match &connection.target.login.database {
        Some(database) => writer.bytes(database),
        None => writer.undef(),
    }
    writer.key(&mut hash, "database");
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct OfConnection {
    d: u32,
}

pub fn close(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let tables = tables(session);
    tables.statements.retain(|_, statement| statement.d != d);
    drop(tables.connections.remove(&d));
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct Config<'a> {
    d: u32,
    #[serde(borrow)]
    options: Changes<'a>,
}

pub fn config(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Config { d, options } = call.params()?;
    work(session, d, |connection, _| {
        connection.settings.change(&options);
        if let (Some(cwd), Permission::Named(folder, _)) = (options.cwd, &mut connection.link.files) {
            *folder = PathBuf::from(cwd);
        }
        Ok(())
    })?;
    call.reply(&(1,))
}

pub fn ping(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let answer = work(session, d, |connection, statements| {
        // What queued statements came to is not for the ears of somebody who only asks whether the server is there.
        let earlier = connection.collect();
        let answer = connection.ready(statements).and_then(|()| connection.link.command(command::PING, &[]));
        connection.queued.tell_later(earlier);
        answer
    });
    call.reply(&(i32::from(answer.is_ok()),))
}

/// Sends a command that has no rows, and answers with what changed.
fn command_and_reply(
    session: &mut Session,
    mut call: Call<'_>,
    d: u32,
    task: impl FnOnce(&mut Connection) -> Result<()>,
) -> Result<(), Error> {
    let mut writer = call.writer();
    work(session, d, |connection, statements| {
        connection.ready(statements)?;
        task(connection)?;
        writer.begin_array(1);
        Extra::default().write(&mut writer, connection);
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn begin_transaction(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    command_and_reply(session, call, d, |connection| connection.link.simple_query(b"BEGIN"))
}

pub fn commit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    command_and_reply(session, call, d, |connection| connection.link.simple_query(b"COMMIT"))
}

pub fn rollback(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    work(session, d, |connection, _| {
        // What has failed is undone with all else. Were it told now, the rest of the transaction would stay open.
        for (_, error) in connection.collect().failures {
            if error.lost {
                return Err(error);
            }
            tracing::debug!("a queued statement had failed before the rollback: {error}");
        }
        Ok(())
    })?;
    command_and_reply(session, call, d, |connection| connection.link.simple_query(b"ROLLBACK"))
}

#[derive(Deserialize)]
struct Switch {
    d: u32,
    on: bool,
}

pub fn autocommit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Switch { d, on } = call.params()?;
    command_and_reply(session, call, d, |connection| set_autocommit(connection, on))
}

#[derive(Deserialize)]
struct Named<'a> {
    d: u32,
    #[serde(borrow)]
    name: ValueRef<'a>,
}

pub fn select_db(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Named { d, name } = call.params()?;
    command_and_reply(session, call, d, |connection| {
        let name = sql::bytes(&name, connection.settings.characters, false)?;
        connection.link.command(command::INIT_DB, &name).map(drop)
    })
}

pub fn set_charset(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Named { d, name } = call.params()?;
    command_and_reply(session, call, d, |connection| {
        let name = String::from_utf8_lossy(&sql::bytes(&name, false, false)?).into_owned();
        check_name(&name)?;
        connection.link.simple_query(format!("SET NAMES {name}").as_bytes())?;
        let mut target = Target::clone(&connection.target);
        // The connection is another one now; the pool's next user wants that of the beginning, and gets it from `restore`.
        target.charset = Some(name);
        connection.target = Arc::new(target);
        Ok(())
    })
}

pub fn stat(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let text = work(session, d, |connection, statements| {
        connection.ready(statements)?;
        connection.link.statistics()
    })?;
    call.reply(&(text,))
}
