//! COPY and large objects.

use std::path::Path;

use daemon::{Call, Error, Session};
use serde::Deserialize;
use storable::ValueRef;

use super::reply::{self, Extra};
use crate::postgres::bind;
use crate::postgres::connection::Connection;
use crate::postgres::desk::work;
use crate::postgres::limits::MAX_BATCH_BYTES;
use crate::postgres::trouble::Result as Tried;

#[derive(Deserialize)]
struct Put<'a> {
    d: u32,
    #[serde(borrow)]
    data: ValueRef<'a>,
}

pub fn copy_put(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Put { d, data } = call.params()?;
    work(session, d, |connection| {
        let is_binary = connection.copy.is_some_and(|copy| copy.is_binary);
        let utf8 = connection.settings.decoding.utf8 && !is_binary;
        let mut bytes = Vec::new();
        bind::write(&data, if is_binary { bind::BYTEA } else { 0 }, utf8, &mut bytes);
        connection.copy_put(&bytes)
    })?;
    call.reply(&(1,))
}

#[derive(Deserialize)]
struct End<'a> {
    d: u32,
    #[serde(borrow, default)]
    reason: Option<ValueRef<'a>>,
}

pub fn copy_end(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let End { d, reason } = call.params()?;
    let mut writer = call.writer();
    work(session, d, |connection| {
        let reason = reason.as_ref().filter(|reason| !reason.is_undef()).map(|reason| bind::string(reason, true));
        let tag = connection.copy_end(reason.as_deref())?;
        writer.begin_array(2);
        writer.int(tag.rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1));
        connection.write_extra(&mut writer, Extra::default());
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Get {
    d: u32,
    #[serde(default)]
    max_bytes: Option<usize>,
    #[serde(default)]
    wait: Option<bool>,
}

pub fn copy_get(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Get { d, max_bytes, wait } = call.params()?;
    let bytes = max_bytes.filter(|bytes| *bytes > 0).unwrap_or(MAX_BATCH_BYTES);
    let mut writer = call.writer();
    work(session, d, |connection| {
        writer.begin_array(3);
        let done = writer.reserve_int();
        let slot = writer.reserve_array();
        let utf8 = connection.settings.decoding.utf8 && !connection.copy.is_some_and(|copy| copy.is_binary);
        let mut lines = 0;
        let is_done = connection.copy_get(bytes, wait.unwrap_or(true), |line| {
            lines += 1;
            reply::string(&mut writer, line, utf8);
        })?;
        writer.patch(slot, lines);
        writer.patch_int(done, is_done.into());
        connection.write_extra(&mut writer, Extra::default());
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

/// Parameters of most functions of large objects: a connection and up to three numbers.
#[derive(Deserialize)]
struct Numbers {
    d: u32,
    a: i64,
    #[serde(default)]
    b: Option<i64>,
    #[serde(default)]
    c: Option<i64>,
}

fn number(
    session: &mut Session,
    call: Call<'_>,
    task: impl FnOnce(&mut Connection, i64, i64, i64) -> Tried<i64>,
) -> Result<(), Error> {
    let Numbers { d, a, b, c } = call.params()?;
    let answer = work(session, d, |connection| task(connection, a, b.unwrap_or(0), c.unwrap_or(0)))?;
    call.reply(&(answer,))
}

pub fn lo_creat(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, mode, _, _| connection.lo_creat(mode))
}

pub fn lo_create(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, oid, _, _| connection.lo_create(oid))
}

pub fn lo_open(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, oid, mode, _| connection.lo_open(oid, mode))
}

pub fn lo_lseek(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, Connection::lo_lseek)
}

pub fn lo_tell(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, fd, _, _| connection.lo_tell(fd))
}

pub fn lo_truncate(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, fd, len, _| connection.lo_truncate(fd, len))
}

pub fn lo_close(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, fd, _, _| connection.lo_close(fd))
}

pub fn lo_unlink(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    number(session, call, |connection, oid, _, _| connection.lo_unlink(oid))
}

#[derive(Deserialize)]
struct LoWrite<'a> {
    d: u32,
    fd: i64,
    #[serde(borrow)]
    data: ValueRef<'a>,
}

pub fn lo_write(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let LoWrite { d, fd, data } = call.params()?;
    let mut bytes = Vec::new();
    bind::write(&data, bind::BYTEA, false, &mut bytes);
    let written = work(session, d, |connection| connection.lo_write(fd, &bytes))?;
    call.reply(&(written,))
}

pub fn lo_read(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Numbers { d, a, b, .. } = call.params()?;
    let bytes = work(session, d, |connection| connection.lo_read(a, b.unwrap_or(0)))?;
    let mut writer = call.writer();
    writer.begin_array(1);
    writer.bytes(&bytes);
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

#[derive(Deserialize)]
struct Import {
    d: u32,
    path: String,
    #[serde(default)]
    oid: Option<i64>,
}

pub fn lo_import(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Import { d, path, oid } = call.params()?;
    let file = session.resolve_path(Path::new(&path));
    let oid = work(session, d, |connection| connection.lo_import(&file, &path, oid.unwrap_or(0)))?;
    call.reply(&(oid,))
}

#[derive(Deserialize)]
struct Export {
    d: u32,
    oid: i64,
    path: String,
}

pub fn lo_export(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Export { d, oid, path } = call.params()?;
    let file = session.resolve_path(Path::new(&path));
    let mode = 0o666 & !session.client().umask;
    let done = work(session, d, |connection| connection.lo_export(oid, &file, &path, mode))?;
    call.reply(&(done,))
}
