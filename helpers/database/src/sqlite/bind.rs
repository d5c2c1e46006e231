//! Values from the client into a statement's parameters, by `DBD::SQLite`'s rules.

use std::borrow::Cow;
use std::ffi::c_int;

use libsqlite3_sys as ffi;
use storable::ValueRef;

use super::error::{Error, Result};
use super::number::{self, Number};
use super::shared::Shared;
use super::text::{WIDE_CHARACTER, downgrade};

/// How a value is to be bound: the class of its SQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// No type: text, or a number if the connection looks for numbers.
    Untyped,
    Integer,
    Real,
    Text,
    Blob,
    Null,
}

impl Class {
    fn from_number(number: Option<i64>) -> Self {
        match number {
            Some(1) => Self::Integer,
            Some(2) => Self::Real,
            Some(3) => Self::Text,
            Some(4) => Self::Blob,
            Some(5) => Self::Null,
            _ => Self::Untyped,
        }
    }
}

/// Binds `value`, a scalar or `[scalar, class]`, to the parameter `index` (from 0).
///
/// # Safety
/// `stmt` is a statement that is not running, used by this thread only.
pub(super) unsafe fn bind(
    stmt: *mut ffi::sqlite3_stmt,
    index: usize,
    value: &ValueRef<'_>,
    shared: &Shared,
) -> Result<c_int> {
    let (value, class) = match value {
        ValueRef::Array(pair) => {
            let class = pair.get(1).map(ValueRef::to_value).and_then(|class| class.as_i64());
            (pair.first().unwrap_or(&ValueRef::Undef), Class::from_number(class))
        }
        value => (value, Class::Untyped),
    };
    let number = c_int::try_from(index + 1).map_err(|_| Error::from_code(ffi::SQLITE_RANGE))?;
    let see_number = shared.see_number.get();
    let parsed = match (class, value) {
        (_, ValueRef::Undef) | (Class::Null, _) => {
            // SAFETY: the caller's promise; a wrong number is refused by SQLite.
            return Ok(unsafe { ffi::sqlite3_bind_null(stmt, number) });
        }
        (Class::Untyped, value) if see_number => parse(value, false),
        (Class::Integer | Class::Real, value) => parse(value, true),
        _ => None,
    };
    let rc = match (class, parsed) {
        (Class::Blob, _) => {
            let bytes = blob(value)?;
            // SAFETY: as above; SQLite copies the bytes. A pointer that is not null, so that no bytes are not NULL.
            unsafe {
                ffi::sqlite3_bind_blob64(stmt, number, bytes.as_ptr().cast(), len64(&bytes), ffi::SQLITE_TRANSIENT())
            }
        }
        // SAFETY: as above.
        (_, Some(Number::Int(int))) => unsafe { ffi::sqlite3_bind_int64(stmt, number, int) },
        // SAFETY: as above.
        (Class::Real | Class::Untyped, Some(Number::Real(real))) => unsafe {
            ffi::sqlite3_bind_double(stmt, number, real)
        },
        _ => {
            let bytes = text(value, shared)?;
            if matches!(class, Class::Integer | Class::Real) {
                mismatch(index, &bytes, class, shared);
            }
            // SAFETY: as above.
            unsafe {
                ffi::sqlite3_bind_text64(
                    stmt,
                    number,
                    bytes.as_ptr().cast(),
                    len64(&bytes),
                    ffi::SQLITE_TRANSIENT(),
                    UTF8,
                )
            }
        }
    };
    Ok(rc)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the constant is 1
pub(super) const UTF8: std::ffi::c_uchar = ffi::SQLITE_UTF8 as std::ffi::c_uchar;

fn len64(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

fn mismatch(index: usize, value: &[u8], class: Class, shared: &Shared) {
    let class = if class == Class::Integer { "integer" } else { "float" };
    let value = String::from_utf8_lossy(value);
    shared.warn(format!("datatype mismatch: bind param ({index}) {value} as {class}"));
}

/// A value as a number, if it is one.
fn parse(value: &ValueRef<'_>, blanks: bool) -> Option<Number> {
    match value {
        ValueRef::Int(int) => Some(Number::Int(*int)),
        ValueRef::Bool(true) => Some(Number::Int(1)),
        ValueRef::Double(double) => number::parse(storable::perl_number(*double).as_bytes(), blanks).map(|parsed| {
            // Its digits decided that it is a number; all of them count.
            if matches!(parsed, Number::Real(_)) { Number::Real(*double) } else { parsed }
        }),
        ValueRef::Bytes(bytes) => number::parse(bytes, blanks),
        ValueRef::Text(text) => number::parse(text.as_bytes(), blanks),
        _ => None,
    }
}

/// A value as the text that SQLite gets.
fn text<'v>(value: &'v ValueRef<'v>, shared: &Shared) -> Result<Cow<'v, [u8]>> {
    let mode = shared.string_mode.get();
    match value {
        ValueRef::Bytes(bytes) => Ok(mode.encode_bytes(bytes)),
        ValueRef::Text(text) => mode.encode_text(text),
        value => printed(value),
    }
}

/// A value as the bytes of a BLOB.
fn blob<'v>(value: &'v ValueRef<'v>) -> Result<Cow<'v, [u8]>> {
    match value {
        ValueRef::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        ValueRef::Text(text) => downgrade(text).map_err(|_| Error::Croak(WIDE_CHARACTER.into())),
        value => printed(value),
    }
}

/// A number as Perl prints it.
fn printed<'v>(value: &ValueRef<'_>) -> Result<Cow<'v, [u8]>> {
    let printed = match value {
        ValueRef::Int(int) => int.to_string(),
        ValueRef::UInt(int) => int.to_string(),
        // Perl's own true and false print as "1" and "".
        ValueRef::Bool(bool) => String::from(if *bool { "1" } else { "" }),
        ValueRef::Double(double) => storable::perl_number(*double),
        _ => return Err(Error::Croak("a bind value must be a string, a number or undef".into())),
    };
    Ok(Cow::Owned(printed.into_bytes()))
}
