//! Hashes of a [`Writer`].
//!
//! A hash is begun in the plain form, whose keys are bytes. The first key that
//! needs the UTF-8 flag turns it into the flagged form, with one more byte in
//! its head and before every key. That is rare, so it may cost a move of what was
//! written; the plain form is smaller and thaws faster.

use crate::format as f;
use crate::key::Key;
use crate::token::{Cursor, Token};
use crate::writer::Writer;

/// A hash that is being written: needed for each of its keys.
#[derive(Debug)]
#[must_use = "the keys of the hash need it"]
pub struct HashMark {
    /// Offset of its opcode in the writer's buffer.
    at: usize,
    flagged: bool,
    /// Entries written so far.
    entries: usize,
}

impl Writer<'_> {
    /// A hash of `len` entries; each is its value and **then** its key.
    pub fn begin_hash(&mut self, len: usize) -> HashMark {
        self.reference();
        let at = self.out.len();
        self.out.extend_from_slice(&[f::SX_HASH, 0, 0, 0, 0]);
        self.put_count(at + 1, len);
        HashMark { at, flagged: false, entries: 0 }
    }

    /// A key of characters, after its value.
    #[inline]
    pub fn key(&mut self, hash: &mut HashMark, key: &str) {
        let flags = if key.is_ascii() { 0 } else { f::KEY_UTF8 };
        self.put_key(hash, key.as_bytes(), flags);
    }

    /// A key of bytes, after its value.
    #[inline]
    pub fn key_bytes(&mut self, hash: &mut HashMark, key: &[u8]) {
        self.put_key(hash, key, 0);
    }

    /// A key of either kind, after its value.
    pub fn any_key(&mut self, hash: &mut HashMark, key: &Key) {
        match key {
            Key::Text(text) => self.key(hash, text),
            Key::Bytes(bytes) => self.key_bytes(hash, bytes),
        }
    }

    /// Sets the number of entries to those written so far; for a hash begun with
    /// another number.
    #[allow(clippy::needless_pass_by_value)] // the hash is complete
    pub fn end_hash(&mut self, hash: HashMark) {
        self.put_count(hash.at + 1 + usize::from(hash.flagged), hash.entries);
    }

    fn put_key(&mut self, hash: &mut HashMark, key: &[u8], flags: u8) {
        if flags != 0 && !hash.flagged {
            self.flag_hash(hash);
        }
        hash.entries += 1;
        if hash.flagged {
            self.out.push(flags);
        }
        let len = i32::try_from(key.len()).unwrap_or_else(|_| {
            self.too_long("a hash key", key.len());
            0
        });
        self.out.extend_from_slice(&len.to_be_bytes());
        if len != 0 {
            self.out.extend_from_slice(key);
        }
    }

    /// Rewrites a plain hash, whose last value has no key yet, as a flagged one.
    #[cold]
    fn flag_hash(&mut self, hash: &mut HashMark) {
        let old = self.out.split_off(hash.at);
        self.out.extend_from_slice(&[f::SX_FLAG_HASH, 0]);
        self.out.extend_from_slice(&old[1..5]);
        let mut from = 5;
        let mut cursor = Cursor { image: &old, at: from };
        for _ in 0..hash.entries {
            if skip_value(&mut cursor).is_err() {
                break;
            }
            self.out.extend_from_slice(&old[from..cursor.at]);
            self.out.push(0);
            from = cursor.at;
            let len = cursor.len().unwrap_or(0);
            let _ = cursor.bytes(len as usize);
        }
        self.out.extend_from_slice(&old[from..]);
        hash.flagged = true;
    }
}

/// Steps over a value without a scan before it: this crate has just written it.
fn skip_value(cursor: &mut Cursor<'_>) -> crate::Result<()> {
    // (elements to go, what comes after each: nothing, a key, or a flag and a key)
    let mut open: Vec<(u32, u8)> = Vec::new();
    loop {
        match skip_token(cursor)? {
            Token::Array(len) => open.push((len, 0)),
            Token::Hash { len, flagged } => open.push((len, 1 + u8::from(flagged))),
            _ => end_element(cursor, &mut open)?,
        }
        while open.last().is_some_and(|top| top.0 == 0) {
            open.pop();
            end_element(cursor, &mut open)?;
        }
        if open.is_empty() {
            return Ok(());
        }
    }
}

/// A token; text is not validated again.
fn skip_token<'de>(cursor: &mut Cursor<'de>) -> crate::Result<Token<'de>> {
    match cursor.token() {
        Err(crate::Error::Utf8 { .. }) => Ok(Token::Undef),
        token => token,
    }
}

fn end_element(cursor: &mut Cursor<'_>, open: &mut [(u32, u8)]) -> crate::Result<()> {
    let Some(top) = open.last_mut() else {
        return Ok(());
    };
    top.0 -= 1;
    if top.1 > 0 {
        let flag = usize::from(top.1 - 1);
        cursor.bytes(flag)?;
        let len = cursor.len()?;
        cursor.bytes(len as usize)?;
    }
    Ok(())
}
