//! How text passes between SQLite, which keeps bytes, and a client, which tells bytes from characters
//! (`sqlite_string_mode`).

use std::borrow::Cow;

use super::error::{Error, Result};

/// `sqlite_string_mode` of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StringMode {
    /// Out: bytes. In: a string's internal bytes.
    #[default]
    Pv,
    /// Out: bytes. In: bytes; characters above 255 are an error.
    Bytes,
    /// Out: characters, believed. In: characters as UTF-8.
    UnicodeNaive,
    /// Out: characters; bytes and a warning where it is not UTF-8. In: characters as UTF-8.
    UnicodeFallback,
    /// Out: characters; an error where it is not UTF-8. In: characters as UTF-8.
    UnicodeStrict,
}

/// What is said about text that is not UTF-8.
pub const INVALID_UTF8: &str = "Received invalid UTF-8 from SQLite; cannot decode!";
/// What Perl says about a character that does not fit a byte.
pub const WIDE_CHARACTER: &str = "Wide character in subroutine entry";

impl StringMode {
    /// The mode of a `DBD_SQLITE_STRING_MODE_*` constant; unknown numbers are the default mode.
    pub fn from_constant(constant: i64) -> Self {
        match constant {
            1 => Self::Bytes,
            4 => Self::UnicodeNaive,
            5 => Self::UnicodeFallback,
            6 => Self::UnicodeStrict,
            _ => Self::Pv,
        }
    }

    /// Whether text leaves as characters.
    pub fn is_unicode(self) -> bool {
        matches!(self, Self::UnicodeNaive | Self::UnicodeFallback | Self::UnicodeStrict)
    }

    /// The bytes that SQLite gets for a byte string (each byte a Latin-1 character).
    pub fn encode_bytes(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self.is_unicode() && !bytes.is_ascii() { Cow::Owned(latin1_to_utf8(bytes)) } else { Cow::Borrowed(bytes) }
    }

    /// The bytes that SQLite gets for a string of characters.
    pub fn encode_text(self, text: &str) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Bytes => downgrade(text),
            _ => Ok(Cow::Borrowed(text.as_bytes())),
        }
    }
}

/// Characters up to 255 as bytes.
pub fn downgrade(text: &str) -> Result<Cow<'_, [u8]>> {
    if text.is_ascii() {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let bytes: std::result::Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
    bytes.map(Cow::Owned).map_err(|_| Error::Croak(WIDE_CHARACTER.into()))
}

/// Latin-1 bytes as UTF-8.
fn latin1_to_utf8(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_go_in_by_mode() {
        assert_eq!(&*StringMode::Pv.encode_bytes(b"\xe9"), b"\xe9");
        assert_eq!(&*StringMode::Pv.encode_text("é").unwrap(), "é".as_bytes());
        assert_eq!(&*StringMode::Bytes.encode_text("é").unwrap(), b"\xe9");
        assert_eq!(&*StringMode::UnicodeStrict.encode_bytes(b"\xe9"), "é".as_bytes());
        assert_eq!(StringMode::Bytes.encode_text("☺"), Err(Error::Croak(WIDE_CHARACTER.into())));
    }
}
