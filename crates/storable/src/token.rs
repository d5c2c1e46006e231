//! The head of one value in an image that has been scanned.

use crate::error::{Error, Result};
use crate::format as f;

/// One value: a whole scalar, or the head of an array or hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'de> {
    Undef,
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'de [u8]),
    Text(&'de str),
    Array(u32),
    Hash { len: u32, flagged: bool },
}

/// A position in an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'de> {
    pub image: &'de [u8],
    pub at: usize,
}

impl<'de> Cursor<'de> {
    fn truncated(self) -> Error {
        Error::Truncated { len: self.image.len() }
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let rest = self.image.get(self.at..).and_then(<[u8]>::first_chunk::<N>);
        let bytes = *rest.ok_or_else(|| self.truncated())?;
        self.at += N;
        Ok(bytes)
    }

    pub fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn len(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'de [u8]> {
        let end = self.at.saturating_add(len);
        let bytes = self.image.get(self.at..end).ok_or_else(|| self.truncated())?;
        self.at = end;
        Ok(bytes)
    }

    fn short(&mut self) -> Result<&'de [u8]> {
        let len = self.byte()?;
        self.bytes(len.into())
    }

    fn long(&mut self) -> Result<&'de [u8]> {
        let len = self.len()?;
        self.bytes(len as usize)
    }

    /// Bytes flagged as UTF-8 as text.
    pub fn text(self, bytes: &'de [u8]) -> Result<&'de str> {
        std::str::from_utf8(bytes).map_err(|_| Error::Utf8 { at: self.at - bytes.len() })
    }

    /// Reads a token; references are no tokens of their own.
    pub fn token(&mut self) -> Result<Token<'de>> {
        loop {
            let at = self.at;
            return Ok(match self.byte()? {
                f::SX_REF | f::SX_WEAKREF => continue,
                f::SX_SCALAR => Token::Bytes(self.short()?),
                f::SX_UTF8STR => {
                    let bytes = self.short()?;
                    Token::Text(self.text(bytes)?)
                }
                f::SX_BYTE => Token::Int(i64::from(self.byte()?) - 128),
                f::SX_NETINT => match i32::from_be_bytes(self.array()?) {
                    // Only this crate writes these two so: they are its booleans.
                    0 => Token::Bool(false),
                    1 => Token::Bool(true),
                    int => Token::Int(int.into()),
                },
                f::SX_INTEGER => Token::Int(i64::from_ne_bytes(self.array()?)),
                f::SX_DOUBLE => Token::Double(f64::from_ne_bytes(self.array()?)),
                f::SX_LSCALAR => Token::Bytes(self.long()?),
                f::SX_LUTF8STR => {
                    let bytes = self.long()?;
                    Token::Text(self.text(bytes)?)
                }
                f::SX_UNDEF | f::SX_SV_UNDEF | f::SX_SVUNDEF_ELEM => Token::Undef,
                f::SX_SV_YES | f::SX_BOOLEAN_TRUE => Token::Bool(true),
                f::SX_SV_NO | f::SX_BOOLEAN_FALSE => Token::Bool(false),
                f::SX_VSTRING => {
                    self.short()?;
                    continue;
                }
                f::SX_LVSTRING => {
                    self.long()?;
                    continue;
                }
                f::SX_ARRAY => Token::Array(self.len()?),
                f::SX_HASH => Token::Hash { len: self.len()?, flagged: false },
                f::SX_FLAG_HASH => {
                    self.byte()?;
                    Token::Hash { len: self.len()?, flagged: true }
                }
                _ => {
                    return Err(Error::Malformed { what: "an unknown type of value", at });
                }
            });
        }
    }
}

impl Token<'_> {
    /// What it is, for error messages.
    pub fn what(&self) -> String {
        match self {
            Self::Undef => "undef".into(),
            Self::Bool(bool) => format!("boolean `{bool}`"),
            Self::Int(int) => format!("integer `{int}`"),
            Self::Double(double) => format!("number `{}`", crate::perl_number(*double)),
            Self::Bytes(bytes) => excerpt(&String::from_utf8_lossy(bytes)),
            Self::Text(text) => excerpt(text),
            Self::Array(len) => format!("an array of {len}"),
            Self::Hash { .. } => "a hash".into(),
        }
    }
}

/// Longest part of a string shown in an error, in characters.
const MAX_EXCERPT_CHARS: usize = 40;

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("string {:?}...", &text[..end]),
        None => format!("string {text:?}"),
    }
}
