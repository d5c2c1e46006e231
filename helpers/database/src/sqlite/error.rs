//! What can go wrong in SQLite, with the codes and texts that SQLite gives.

use std::ffi::CStr;

use libsqlite3_sys as ffi;

/// An error of the SQLite layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// SQLite said so: result code (extended, if the connection asked for those) and its message.
    #[error("{message}")]
    Sqlite {
        /// `SQLITE_BUSY`, `SQLITE_CONSTRAINT`, …
        code: i32,
        /// `sqlite3_errmsg`.
        message: String,
    },
    /// A callback into the client failed where SQLite has no place for its text (a collation, a hook, an authorizer).
    #[error("{0}")]
    Callback(String),
    /// The client's mistake, which the driver answers with an exception rather than with an error state.
    #[error("{0}")]
    Croak(String),
    /// The client vanished, or called the call off.
    #[error("interrupted")]
    Cancelled,
}

/// Results of this layer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with SQLite's own text for the code.
    pub fn from_code(code: i32) -> Self {
        Self::Sqlite { code, message: error_string(code) }
    }

    /// An error with a text of ours.
    pub fn with_code(code: i32, message: impl Into<String>) -> Self {
        Self::Sqlite { code, message: message.into() }
    }

    /// The use of SQLite in a wrong way, said by us.
    pub fn misuse(message: impl Into<String>) -> Self {
        Self::with_code(ffi::SQLITE_MISUSE, message)
    }

    /// The result code, where there is one.
    pub fn code(&self) -> i32 {
        match self {
            Self::Sqlite { code, .. } => *code,
            Self::Callback(_) => ffi::SQLITE_ERROR,
            Self::Croak(_) => -2,
            Self::Cancelled => ffi::SQLITE_INTERRUPT,
        }
    }

    /// What `db` says about its last failure, which had the result `code`.
    pub(super) fn last(db: *mut ffi::sqlite3, code: i32) -> Self {
        if db.is_null() {
            return Self::from_code(code);
        }
        // SAFETY: `db` is an open connection (or one that failed to open, not closed yet); the message is valid until
        // the next call on it, and copied here.
        let message = unsafe { text(ffi::sqlite3_errmsg(db)) };
        Self::Sqlite { code, message: message.unwrap_or_else(|| error_string(code)) }
    }
}

/// SQLite's text for a result code.
pub fn error_string(code: i32) -> String {
    // SAFETY: returns a static string for every code.
    unsafe { text(ffi::sqlite3_errstr(code)) }.unwrap_or_else(|| format!("SQLite error {code}"))
}

/// A C string as text.
///
/// # Safety
/// `string` is null or a NUL-terminated string that lives during the call.
pub(super) unsafe fn text(string: *const std::ffi::c_char) -> Option<String> {
    // SAFETY: the caller's promise.
    unsafe { bytes(string) }.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A C string as bytes.
///
/// # Safety
/// `string` is null or a NUL-terminated string that lives during the call.
pub(super) unsafe fn bytes(string: *const std::ffi::c_char) -> Option<Vec<u8>> {
    if string.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller's promise.
    Some(unsafe { CStr::from_ptr(string) }.to_bytes().to_vec())
}
