//! Large objects, through the server's functions.

use std::io::{Read, Write};
use std::path::Path;

use daemon::Error;
use protocol::code;
use storable::ValueRef;

use super::connection::Connection;
use super::execute::{How, Run};
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::Transaction;

/// How much of a file goes to or from the server at once.
const PIECE_BYTES: usize = 1 << 20;
/// `INV_READ` and `INV_WRITE`.
const READ: i64 = 0x40000;
const WRITE: i64 = 0x20000;

const INT4: u32 = 23;
const INT8: u32 = 20;
const OID: u32 = 26;
const BYTEA: u32 = 17;

/// The number of a statement that nobody sees.
const INNER: u32 = u32::MAX - 1;

impl Connection {
    /// Calls a function of the server; its value.
    fn function(&mut self, call: &str, args: &[(ValueRef<'_>, u32)]) -> Result<Option<Vec<u8>>> {
        self.make_idle()?;
        let sql = format!("select pg_catalog.{call}");
        let mut statement = Statement::new(INNER, sql.into_bytes(), None);
        statement.types = args.iter().map(|arg| arg.1).collect();
        let binds: Vec<_> = args.iter().map(|arg| arg.0.clone()).collect();
        self.run(&mut statement, Run { binds: &binds, how: How::Auto, name: None })?;
        let mut value = None;
        while statement.is_live {
            let message = self.conn.link.receive()?;
            if message.kind == b'D' {
                value = first_value(self.conn.link.body(&message));
            } else if self.ends_rows(&mut statement, &message) {
                statement.is_live = false;
            }
        }
        statement.deferred.take().map_or(Ok(value), Err)
    }

    fn number(&mut self, call: &str, args: &[(ValueRef<'_>, u32)]) -> Result<i64> {
        let value = self.function(call, args)?;
        let number = value.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok());
        number.ok_or_else(|| Trouble::Usage(format!("{call} gave no number")))
    }

    /// Makes a large object; a mode means nothing any more.
    pub fn lo_creat(&mut self, mode: i64) -> Result<i64> {
        self.number("lo_creat($1)", &[(ValueRef::Int(mode), INT4)])
    }

    /// Makes a large object of this number, or any for 0.
    pub fn lo_create(&mut self, oid: i64) -> Result<i64> {
        self.number("lo_create($1)", &[(ValueRef::Int(oid), OID)])
    }

    /// Opens one.
    pub fn lo_open(&mut self, oid: i64, mode: i64) -> Result<i64> {
        self.number("lo_open($1, $2)", &[(ValueRef::Int(oid), OID), (ValueRef::Int(mode), INT4)])
    }

    /// Writes to one that is open; how much.
    pub fn lo_write(&mut self, fd: i64, bytes: &[u8]) -> Result<i64> {
        self.number("lowrite($1, $2)", &[(ValueRef::Int(fd), INT4), (ValueRef::Bytes(bytes), BYTEA)])
    }

    /// Reads from one that is open.
    pub fn lo_read(&mut self, fd: i64, len: i64) -> Result<Vec<u8>> {
        let args = [(ValueRef::Int(fd), INT4), (ValueRef::Int(len), INT4)];
        let value = self.function("encode(pg_catalog.loread($1, $2), 'hex')", &args)?;
        Ok(super::wire::from_hex(&value.unwrap_or_default()).unwrap_or_default())
    }

    /// Moves to a place.
    pub fn lo_lseek(&mut self, fd: i64, offset: i64, whence: i64) -> Result<i64> {
        let args = [(ValueRef::Int(fd), INT4), (ValueRef::Int(offset), INT8), (ValueRef::Int(whence), INT4)];
        self.number("lo_lseek64($1, $2, $3)", &args)
    }

    /// Where one is.
    pub fn lo_tell(&mut self, fd: i64) -> Result<i64> {
        self.number("lo_tell64($1)", &[(ValueRef::Int(fd), INT4)])
    }

    /// Cuts one, or makes it longer.
    pub fn lo_truncate(&mut self, fd: i64, len: i64) -> Result<i64> {
        self.number("lo_truncate64($1, $2)", &[(ValueRef::Int(fd), INT4), (ValueRef::Int(len), INT8)])
    }

    /// Closes one.
    pub fn lo_close(&mut self, fd: i64) -> Result<i64> {
        self.number("lo_close($1)", &[(ValueRef::Int(fd), INT4)])
    }

    /// Takes one away.
    pub fn lo_unlink(&mut self, oid: i64) -> Result<i64> {
        self.number("lo_unlink($1)", &[(ValueRef::Int(oid), OID)])
    }

    /// In a transaction: the open one, or one of its own, as large objects are open in one only.
    fn in_transaction<R>(&mut self, task: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        self.make_idle()?;
        let is_own = self.settings.begin.is_none() && self.conn.link.transaction == Transaction::Idle;
        if !is_own {
            return task(self);
        }
        self.command("begin")?;
        let result = task(self);
        self.command(if result.is_ok() { "commit" } else { "rollback" })?;
        result
    }

    /// A file as a large object; `shown` is its name as the script knows it.
    pub fn lo_import(&mut self, path: &Path, shown: &str, oid: i64) -> Result<i64> {
        let failed = |what, error| file_error(what, shown, &error);
        let mut file = std::fs::File::open(path).map_err(|error| failed("open", error))?;
        self.in_transaction(|connection| {
            let oid = connection.lo_create(oid)?;
            let fd = connection.lo_open(oid, READ | WRITE)?;
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let len = file.read(&mut piece).map_err(|error| failed("read from", error))?;
                if len == 0 {
                    break;
                }
                connection.lo_write(fd, &piece[..len])?;
            }
            connection.lo_close(fd)?;
            Ok(oid)
        })
    }

    /// A large object as a file.
    pub fn lo_export(&mut self, oid: i64, path: &Path, shown: &str, mode: u32) -> Result<i64> {
        use std::os::unix::fs::OpenOptionsExt;
        let failed = |what, error| file_error(what, shown, &error);
        self.in_transaction(|connection| {
            let fd = connection.lo_open(oid, READ)?;
            let mut file = (std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path))
                .map_err(|error| failed("open", error))?;
            loop {
                let piece = connection.lo_read(fd, i64::try_from(PIECE_BYTES).unwrap_or(i64::MAX))?;
                if piece.is_empty() {
                    break;
                }
                file.write_all(&piece).map_err(|error| failed("write to", error))?;
            }
            connection.lo_close(fd)?;
            Ok(1)
        })
    }
}

/// As libpq says it.
fn file_error(what: &str, shown: &str, error: &std::io::Error) -> Trouble {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Error::new(code::DATABASE, format!("could not {what} file \"{shown}\": {text}")).err(7).into()
}

/// The first value of a row.
fn first_value(body: &[u8]) -> Option<Vec<u8>> {
    let (len, rest) = body.get(2..)?.split_first_chunk::<4>()?;
    let len = usize::try_from(i32::from_be_bytes(*len)).ok()?;
    rest.get(..len).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_read() {
        assert_eq!(first_value(b"\0\x01\0\0\0\x02ab"), Some(b"ab".to_vec()));
        assert_eq!(first_value(b"\0\x01\xff\xff\xff\xff"), None);
        assert_eq!(first_value(b"\0\x01\0\0\0\x02a"), None);
        assert_eq!(first_value(b""), None);
    }
}
