//! `LOAD DATA LOCAL INFILE`: a file of the client's, for the server that asks for it.
//!
//! A server can ask for any file at any time. It gets one only when the connection allows that, and only the one that the
//! running SQL names.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::link::Link;
use super::wire::{OkReply, reply};

/// A packet of a file.
const PIECE_BYTES: usize = 64 * 1024;
/// `EE_FILENOTFOUND`
const EE_FILENOTFOUND: u32 = 29;
/// `CR_LOAD_DATA_LOCAL_INFILE_REJECTED`
const CR_LOAD_DATA_LOCAL_INFILE_REJECTED: u32 = 2068;

/// What a server may be given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Permission {
    /// Nothing.
    #[default]
    Nothing,
    /// What the SQL names; where relative names begin, and the name in the running SQL.
    Named(PathBuf, Option<Vec<u8>>),
}

impl Permission {
    /// Notes the file that `sql` names.
    pub fn note(&mut self, sql: &[u8]) {
        if let Self::Named(_, name) = self {
            *name = named_file(sql);
        }
    }

    fn allows(&self, asked: &[u8]) -> Option<PathBuf> {
        match self {
            Self::Named(folder, Some(name)) if name == asked => Some(folder.join(Path::new(OsStr::from_bytes(name)))),
            _ => None,
        }
    }
}

/// The file of a `LOAD DATA LOCAL INFILE 'file'`.
fn named_file(sql: &[u8]) -> Option<Vec<u8>> {
    const WORD: &[u8] = b"INFILE";
    let is_load = sql.trim_ascii_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"LOAD"));
    if !is_load {
        return None;
    }
    let at = sql.windows(WORD.len()).position(|here| here.eq_ignore_ascii_case(WORD))?;
    let before = sql[..at].trim_ascii_end();
    let is_local = before.len() >= 5 && before[before.len() - 5..].eq_ignore_ascii_case(b"LOCAL");
    let (&quote, literal) = sql[at + WORD.len()..].trim_ascii_start().split_first()?;
    if !is_local || !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let mut name = Vec::new();
    let mut bytes = literal.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if byte == quote && bytes.next_if(|&&next| next == quote).is_none() {
            return Some(name);
        }
        name.push(match byte {
            b'\\' => match *bytes.next()? {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'0' => 0,
                b'Z' => 0x1a,
                other => other,
            },
            byte => byte,
        });
    }
    None
}

impl Link {
    /// The server asks for a file.
    pub fn send_file(&mut self, asked: &[u8]) -> Result<OkReply> {
        let shown = String::from_utf8_lossy(asked).into_owned();
        let sent = match self.files.allows(asked) {
            Some(path) => self.send_contents(&path).map_err(|failed| match failed {
                Failed::Reading(error) => {
                    let number = error.raw_os_error().unwrap_or(0);
                    let text = format!("File '{shown}' not found (Errcode: {number})");
                    Error::client(u32::try_from(number).unwrap_or(EE_FILENOTFOUND), text)
                }
                Failed::Sending(error) => error,
            }),
            None => Err(Error::client(
                CR_LOAD_DATA_LOCAL_INFILE_REJECTED,
                format!("LOAD DATA LOCAL INFILE of '{shown}' is rejected: it is not allowed, or no file the SQL names"),
            )),
        };
        if sent.as_ref().is_err_and(|error| error.lost) {
            return Err(sent.err().unwrap_or_else(Error::gone));
        }
        // An empty packet is the end.
        self.wire.begin_packet();
        self.wire.end_packet()?;
        self.wire.flush()?;
        let answer = reply::ok(self.wire.packet()?);
        sent.and(answer)
    }

    fn send_contents(&mut self, path: &Path) -> Result<(), Failed> {
        let mut file = File::open(path).map_err(Failed::Reading)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let len = file.read(&mut piece).map_err(Failed::Reading)?;
            if len == 0 {
                return Ok(());
            }
            self.wire.begin_packet().extend_from_slice(&piece[..len]);
            self.wire.end_packet().and_then(|()| self.wire.flush()).map_err(Failed::Sending)?;
        }
    }
}

enum Failed {
    Reading(std::io::Error),
    Sending(Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_file_is_given() {
        let mut files = Permission::Named("/home/a".into(), None);
        files.note(b"load data local infile 'x.csv' into table t");
        assert_eq!(files.allows(b"x.csv"), Some("/home/a/x.csv".into()));
        assert_eq!(files.allows(b"/etc/passwd"), None);
        files.note(b"LOAD DATA LOCAL INFILE \"/tmp/it\\'s \"\"a\"\"\" INTO TABLE t");
        assert_eq!(files.allows(b"/tmp/it's \"a\""), Some("/tmp/it's \"a\"".into()));
        for sql in [
            &b"select 'local infile \"/etc/passwd\"'"[..],
            b"load data infile '/etc/passwd'",
            b"select 1",
            b"local infile '/x",
        ] {
            files.note(sql);
            assert!(files.allows(b"/etc/passwd").is_none() && files.allows(b"/x").is_none());
        }
        let mut nothing = Permission::Nothing;
        nothing.note(b"load data local infile 'x' into table t");
        assert_eq!(nothing.allows(b"x"), None);
    }
}
