//! Connecting, closing, settings, and what there is to know of a connection.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use daemon::{Call, Client, Error, Secret, Session};
use protocol::code;
use serde::Deserialize;
use storable::{Key as HashKey, ValueRef};

use super::reply::{self, Extra};
use crate::pool::{Asker, Key, Lease, Limits, Pool};
use crate::postgres::conn::Conn;
use crate::postgres::connection::{Connection, Settings};
use crate::postgres::desk::{tables, work};
use crate::postgres::params::Params;
use crate::postgres::pq::{self, ConnectError, Keyword};
use crate::postgres::wire::{Link, Transaction};

static POOL: std::sync::LazyLock<Pool<Conn>> = std::sync::LazyLock::new(|| Pool::new("Pg"));

/// `CONNECTION_BAD`: what `err` is when there is no connection.
const CONNECTION_BAD: i64 = 1;
/// What the server says when it has no room for another connection.
const TOO_MANY: [&str; 3] = ["too many clients", "too many connections", "remaining connection slots"];
/// A server whose client has gone needs a moment to notice; how often it is asked again, and after what time.
const TRY_AGAIN: (u32, Duration) = (10, Duration::from_millis(20));
/// Files of passwords and certificates are not longer than this.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// How long is waited for idle connections to close when the server has no room.
const MAKE_ROOM: Duration = Duration::from_secs(2);

/// What a server reports when it is connected to.
const REPORTED: &[&str] = &[
    "server_version",
    "server_encoding",
    "client_encoding",
    "application_name",
    "default_transaction_read_only",
    "in_hot_standby",
    "is_superuser",
    "session_authorization",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "integer_datetimes",
    "standard_conforming_strings",
    "scram_iterations",
    "search_path",
];

#[derive(Deserialize)]
struct Connect<'a> {
    d: u32,
    #[serde(borrow)]
    params: ValueRef<'a>,
    #[serde(default)]
    options: Option<Options>,
}

/// Settings of a connection.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Options {
    begin: Option<i64>,
    utf8: Option<i64>,
    bool_tf: Option<bool>,
    expand_array: Option<bool>,
    errorlevel: Option<i64>,
    readahead: Option<usize>,
    pool: Option<bool>,
    env: Option<BTreeMap<String, String>>,
}

impl Options {
    fn set(&self, connection: &mut Connection) {
        let settings = &mut connection.settings;
        match self.begin {
            Some(0) => settings.begin = None,
            Some(2) => settings.begin = Some(b"BEGIN READ ONLY"),
            Some(_) => settings.begin = Some(b"BEGIN"),
            None => {}
        }
        if let Some(yes) = self.bool_tf {
            settings.decoding.bool_tf = yes;
        }
        if let Some(yes) = self.expand_array {
            settings.decoding.expand_array = yes;
        }
        if let Some(level) = self.errorlevel {
            settings.level = reply::level(level);
        }
        if let Some(bytes) = self.readahead {
            settings.read_ahead = bytes.min(crate::postgres::limits::MAX_MESSAGE_BYTES);
        }
        if let Some(wish) = self.utf8 {
            connection.set_utf8(wish);
        }
    }
}

pub fn connect(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Connect { d, params, options } = call.params()?;
    let options = options.unwrap_or_default();
    let client = std::sync::Arc::clone(session.client());
    let mut params = Params::new(keywords(&params)?);
    params.complete(&client, options.env.as_ref()).map_err(|text| refused(&text))?;
    let permit = session.handle_permit("connection")?;
    let conn = checkout(session, &client, &params, options.pool.unwrap_or(true))?;
    let mut connection = Connection::new(conn, Settings::default());
    connection.set_utf8(options.utf8.unwrap_or(-1));
    options.set(&mut connection);
    connection.link().changed.clear();
    let mut writer = call.writer();
    writer.begin_array(1);
    write_facts(&mut writer, &mut connection);
    writer.finish().map_err(Error::internal)?;
    tables(session).insert(d, connection, permit);
    call.finish()
}

/// The parameters that the script gave: a hash of them, in which `conninfo` may be a whole string of them.
fn keywords(params: &ValueRef<'_>) -> Result<Vec<Keyword>, Error> {
    let ValueRef::Hash(entries) = params else {
        return Err(Error::bad_params("params: a hash of libpq's parameters is needed"));
    };
    let mut given = Vec::new();
    let mut conninfo = None;
    for (key, value) in entries {
        let name = match key.as_ref() {
            HashKey::Text(text) => text.clone(),
            HashKey::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        if value.is_undef() {
            continue;
        }
        let text = String::from_utf8(crate::postgres::bind::string(value, true))
            .map_err(|_| Error::bad_params(format!("params: the value of {name} is not text")))?;
        if name == "conninfo" {
            conninfo = Some(Secret::new(text));
        } else {
            given.push(Keyword { name, value: Secret::new(text) });
        }
    }
    if let Some(conninfo) = conninfo {
        let parsed = pq::parse_conninfo(conninfo.expose()).map_err(|text| refused(&text))?;
        given.extend(
            parsed
                .into_iter()
                .filter(|keyword| given.iter().all(|other| other.name != keyword.name))
                .collect::<Vec<_>>(),
        );
    }
    Ok(given)
}

/// An error of connecting, in libpq's words.
fn refused(text: &str) -> Error {
    Error::new(code::DATABASE, text.trim_end_matches('\n')).err(CONNECTION_BAD).state("08006")
}

/// A connection of the pool, or a new one.
fn checkout(session: &Session, client: &Client, params: &Params, is_pooled: bool) -> Result<Lease<Conn>, Error> {
    let slot = session.cancel_slot();
    let open = || -> Result<Conn, Error> {
        let is_cancelled = || slot.is_cancelled();
        let mut result = pq::connect(params.keywords(), &is_cancelled);
        if is_full(&result) && POOL.close_idle(client.uid, MAKE_ROOM) > 0 {
            for _ in 0..TRY_AGAIN.0 {
                result = pq::connect(params.keywords(), &is_cancelled);
                if !is_full(&result) {
                    break;
                }
                std::thread::sleep(TRY_AGAIN.1);
            }
        }
        match result {
            Ok(transport) => {
                let mut link = Link::new(transport);
                for name in REPORTED {
                    if let Some(value) = link.transport().parameter(name) {
                        link.parameters.insert((*name).to_owned(), value);
                    }
                }
                Ok(Conn::new(link))
            }
            Err(ConnectError::Failed(text)) => Err(refused(&text)),
            Err(ConnectError::Cancelled) => Err(Error::cancelled()),
        }
    };
    let target = params.target();
    let user = params.get("user").unwrap_or_default();
    let mut limits = Limits::configured("Pg", &target);
    // A connection for replication cannot be reset.
    limits.enabled &= is_pooled && params.get("replication").is_none_or(str::is_empty);
    let hidden = (params.secrets(), file_state(params));
    let key = Key::new("Pg", client.uid, &target, user, &hidden);
    POOL.checkout(&Asker::of(session), &key, &limits, open)
}

/// Whether the server had no room for another connection.
fn is_full(result: &Result<pq::Transport, ConnectError>) -> bool {
    matches!(result, Err(ConnectError::Failed(text)) if TOO_MANY.iter().any(|words| text.contains(words)))
}

/// What the files say that decide who may connect: another password there is another connection.
fn file_state(params: &Params) -> Vec<Option<Vec<u8>>> {
    ["passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"]
        .iter()
        .map(|name| params.get(name).and_then(|path| contents(Path::new(path))))
        .collect()
}

/// What is in a file, if it is one: reading a pipe or a device would not end.
fn contents(path: &Path) -> Option<Vec<u8>> {
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= MAX_FILE_BYTES);
    if is_file { std::fs::read(path).ok() } else { None }
}

/// Closes the connections of a user that wait in the pool.
pub fn close_idle(uid: u32) {
    POOL.close_idle(uid, MAKE_ROOM);
}

fn write_facts(writer: &mut storable::Writer<'_>, connection: &mut Connection) {
    let was_pooled = connection.conn.was_pooled();
    let utf8 = connection.settings.decoding.utf8;
    let link = connection.link();
    let facts = link.transport().facts();
    let mut hash = writer.begin_hash(0);
    let numbers = [
        ("server_version", facts.server_version),
        ("lib_version", pq::lib_version()),
        ("protocol", 3),
        ("pid", facts.pid),
        ("socket", facts.socket),
        ("utf8", utf8.into()),
        ("ssl", facts.tls.into()),
        ("tx", link.transaction as i32),
        ("pooled", was_pooled.into()),
        ("scs", (link.parameters.get("standard_conforming_strings").map(String::as_str) == Some("on")).into()),
    ];
    for (name, number) in numbers {
        writer.int(number.into());
        writer.key(&mut hash, name);
    }
    let encoding = link.parameters.get("client_encoding").cloned().unwrap_or_default();
    let texts = [
        ("db", &facts.db),
        ("user", &facts.user),
        ("host", &facts.host),
        ("port", &facts.port),
        ("options", &facts.options),
        ("encoding", &encoding),
    ];
    for (name, text) in texts {
        writer.text(text);
        writer.key(&mut hash, name);
    }
    writer.text("5432");
    writer.key(&mut hash, "default_port");
    write_parameters(writer, link);
    writer.key(&mut hash, "params");
    writer.end_hash(hash);
}

fn write_parameters(writer: &mut storable::Writer<'_>, link: &Link) {
    let mut hash = writer.begin_hash(0);
    for (name, value) in &link.parameters {
        writer.text(value);
        writer.key(&mut hash, name);
    }
    writer.end_hash(hash);
}

#[derive(Deserialize)]
struct OfConnection {
    d: u32,
}

pub fn close(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    tables(session).close(d);
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct Config {
    d: u32,
    options: Options,
}

pub fn config(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Config { d, options } = call.params()?;
    let connection = tables(session).get(d).ok_or_else(|| crate::postgres::desk::no_connection(d))?;
    options.set(connection);
    let utf8 = i32::from(connection.settings.decoding.utf8);
    call.reply(&[BTreeMap::from([("utf8", utf8)])])
}

/// What `ping` sends, for people who look at the server's activity.
const PING: &[u8] = b"/* DBD::Pg ping test v3.16.0 */";

pub fn ping(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    if tables(session).get(d).is_none() {
        return call.reply(&(-1,));
    }
    let state = work(session, d, |connection| {
        if connection.link().is_lost() {
            return Ok(-2);
        }
        if connection.copy.is_some() || connection.running.is_some() {
            return Ok(2);
        }
        // What queued statements came to is not for the ears of somebody who only asks whether the server is there.
        connection.await_queue()?;
        connection.settle()?;
        let level = connection.settings.level;
        connection.conn.command(PING, level)?;
        Ok(match connection.link().transaction {
            Transaction::Idle => 1,
            Transaction::Open => 3,
            Transaction::Failed => 4,
            Transaction::Unknown => -2,
        })
    });
    let lost = tables(session).get(d).is_none_or(|connection| connection.link().is_lost());
    match state {
        Ok(state) => call.reply(&(state,)),
        Err(_) if lost => call.reply(&(-2,)),
        Err(_) => call.reply(&(-3,)),
    }
}

pub fn error_fields(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let connection = tables(session).get(d).ok_or_else(|| crate::postgres::desk::no_connection(d))?;
    let mut writer = call.writer();
    writer.begin_array(1);
    reply::error_fields(&mut writer, connection);
    call.finish()
}

pub fn status(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let connection = tables(session).get(d).ok_or_else(|| crate::postgres::desk::no_connection(d))?;
    let mut writer = call.writer();
    writer.begin_array(1);
    let mut hash = writer.begin_hash(0);
    let asynchronous = connection.running.is_some();
    let utf8 = connection.settings.decoding.utf8;
    let link = connection.link();
    let numbers = [
        ("tx", link.transaction as i32),
        ("pid", link.transport().facts().pid),
        ("utf8", utf8.into()),
        ("async", asynchronous.into()),
        ("lost", link.is_lost().into()),
    ];
    for (name, number) in numbers {
        writer.int(number.into());
        writer.key(&mut hash, name);
    }
    write_parameters(&mut writer, link);
    writer.key(&mut hash, "params");
    writer.end_hash(hash);
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Parameter {
    d: u32,
    name: String,
}

pub fn parameter(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Parameter { d, name } = call.params()?;
    let connection = tables(session).get(d).ok_or_else(|| crate::postgres::desk::no_connection(d))?;
    let value = connection.link().parameters.get(&name).cloned();
    call.reply(&(value,))
}

pub fn notifies(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let mut writer = call.writer();
    work(session, d, |connection| {
        if connection.link().is_lost() {
            return Ok(connection.link().check()?);
        }
        connection.drain_queue()?;
        let link = connection.link();
        if link.pending().is_empty() {
            link.read_now()?;
        }
        link.peek_here()?;
        let notifications = std::mem::take(&mut link.notifications);
        writer.begin_array(notifications.len());
        for notification in notifications {
            writer.begin_array(3);
            writer.text(&notification.name);
            writer.int(notification.pid.into());
            writer.text(&notification.payload);
        }
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// Begins, commits or rolls back.
fn transact(session: &mut Session, mut call: Call<'_>, sql: &'static str) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let mut writer = call.writer();
    work(session, d, |connection| {
        if sql == "rollback" {
            // What has failed is undone with all else. Were it told now, the transaction would stay open.
            connection.forget_queue()?;
        }
        connection.make_ready()?;
        let is_idle = connection.link().transaction == Transaction::Idle;
        if is_idle == (sql == "begin") {
            connection.command(sql)?;
        }
        writer.begin_array(1);
        connection.write_extra(&mut writer, Extra::default());
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn begin(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    transact(session, call, "begin")
}

pub fn commit(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    transact(session, call, "commit")
}

pub fn rollback(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    transact(session, call, "rollback")
}

pub fn sync(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfConnection { d } = call.params()?;
    let mut writer = call.writer();
    work(session, d, |connection| {
        connection.drain_queue()?;
        writer.begin_array(1);
        connection.write_extra(&mut writer, Extra::default());
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}
