//! Values between SQLite's functions and the client's.

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use storable::Value;

use super::bind::UTF8;
use super::error::{Error, Result};
use super::number::{self, Number};
use super::shared::Shared;
use super::text::{INVALID_UTF8, StringMode, downgrade};

/// The bytes of a value that is TEXT or BLOB.
///
/// # Safety
/// `value` is a value that SQLite gave out; the bytes are used before anything else is done with it.
pub(super) unsafe fn bytes<'v>(value: *mut ffi::sqlite3_value, is_text: bool) -> &'v [u8] {
    // SAFETY: the caller's promise; the pointer first, then the length, as the manual wants it.
    unsafe {
        let start: *const u8 =
            if is_text { ffi::sqlite3_value_text(value) } else { ffi::sqlite3_value_blob(value).cast() };
        let len = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or(0);
        if start.is_null() || len == 0 { &[] } else { std::slice::from_raw_parts(start, len) }
    }
}

/// Bytes of SQLite as a string for the client's function.
pub(super) fn string(bytes: &[u8], shared: &Shared) -> Value {
    if !shared.string_mode.get().is_unicode() {
        return Value::Bytes(bytes.to_vec());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Value::Text(text.to_owned());
    }
    if shared.string_mode.get() != StringMode::UnicodeNaive {
        shared.warn(INVALID_UTF8);
    }
    Value::Bytes(bytes.to_vec())
}

/// A value of SQLite for the client's function.
///
/// # Safety
/// `value` is an argument of the function that SQLite calls at the moment.
pub(super) unsafe fn to_client(value: *mut ffi::sqlite3_value, shared: &Shared) -> Value {
    // SAFETY: the caller's promise.
    unsafe {
        match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => Value::Int(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => Value::Double(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => string(bytes(value, true), shared),
            ffi::SQLITE_BLOB => Value::Bytes(bytes(value, false).to_vec()),
            _ => Value::Undef,
        }
    }
}

/// The arguments of a function for the client's function.
///
/// # Safety
/// What SQLite gave to the function that it calls at the moment.
pub(super) unsafe fn arguments(
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
    shared: &Shared,
) -> impl Iterator<Item = Value> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: SQLite gives an array of `count` values.
    (0..count).map(move |index| unsafe { to_client(*values.add(index), shared) })
}

/// What a function of the client's answers.
#[derive(Debug, PartialEq)]
enum Answer {
    Null,
    Int(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// Reads an answer: `[class, value]` with the classes of binds, or a plain scalar.
fn answer(value: &Value, mode: StringMode) -> Result<Answer> {
    match value.as_array() {
        Some([class, value]) if !value.is_undef() => {
            let number = || value.as_bytes().and_then(|bytes| number::parse(bytes, true));
            match class.as_i64() {
                Some(2) if real(value).is_some() => Ok(Answer::Real(real(value).unwrap_or_default())),
                Some(1 | 2) => match value {
                    Value::Int(int) => Ok(Answer::Int(*int)),
                    Value::Double(real) => Ok(Answer::Real(*real)),
                    _ => match number() {
                        Some(Number::Int(int)) => Ok(Answer::Int(int)),
                        Some(Number::Real(real)) => Ok(Answer::Real(real)),
                        None => encode(value, mode).map(Answer::Text),
                    },
                },
                Some(4) => match value {
                    Value::Text(text) => Ok(Answer::Blob(downgrade(text)?.into_owned())),
                    value => Ok(Answer::Blob(encode(value, StringMode::Pv)?)),
                },
                Some(5) => Ok(Answer::Null),
                _ => encode(value, mode).map(Answer::Text),
            }
        }
        Some(_) => Ok(Answer::Null),
        None => match value {
            Value::Undef => Ok(Answer::Null),
            Value::Int(int) => Ok(Answer::Int(*int)),
            Value::Bool(bool) => Ok(Answer::Int((*bool).into())),
            Value::Double(real) => Ok(Answer::Real(*real)),
            value => encode(value, mode).map(Answer::Text),
        },
    }
}

/// A double that came as text, in any form a double is written in (`1.5`, `1e+20`, `0`).
fn real(value: &Value) -> Option<f64> {
    std::str::from_utf8(value.as_bytes()?).ok()?.parse().ok()
}

fn encode(value: &Value, mode: StringMode) -> Result<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Ok(mode.encode_bytes(bytes).into_owned()),
        Value::Text(text) => Ok(mode.encode_text(text)?.into_owned()),
        Value::Int(int) => Ok(int.to_string().into_bytes()),
        Value::UInt(int) => Ok(int.to_string().into_bytes()),
        Value::Double(real) => Ok(storable::perl_number(*real).into_bytes()),
        Value::Bool(bool) => Ok(u8::from(*bool).to_string().into_bytes()),
        Value::Undef => Ok(Vec::new()),
        Value::Array(_) | Value::Hash(_) => {
            Err(Error::Callback("a function may return a string, a number or undef, not a reference".into()))
        }
    }
}

/// Makes the client's answer the result of the SQL function.
///
/// # Safety
/// `context` is that of the function that SQLite calls at the moment.
pub(super) unsafe fn set_result(
    context: *mut ffi::sqlite3_context,
    result: std::result::Result<&Value, &String>,
    shared: &Shared,
) {
    let answer = match result {
        Ok(value) => answer(value, shared.string_mode.get()).map_err(|error| error.to_string()),
        Err(text) => Err(text.clone()),
    };
    // SAFETY: the caller's promise; SQLite copies strings.
    unsafe {
        match answer {
            Ok(Answer::Null) => ffi::sqlite3_result_null(context),
            Ok(Answer::Int(int)) => ffi::sqlite3_result_int64(context, int),
            Ok(Answer::Real(real)) => ffi::sqlite3_result_double(context, real),
            Ok(Answer::Text(text)) => ffi::sqlite3_result_text64(
                context,
                text.as_ptr().cast(),
                text.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                UTF8,
            ),
            Ok(Answer::Blob(blob)) => {
                ffi::sqlite3_result_blob64(context, blob.as_ptr().cast(), blob.len() as u64, ffi::SQLITE_TRANSIENT());
            }
            Err(text) => {
                let len = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
                ffi::sqlite3_result_error(context, text.as_ptr().cast(), len);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_typed() {
        let of = |value: Value| answer(&value, StringMode::Pv).unwrap();
        assert_eq!(of(Value::Undef), Answer::Null);
        assert_eq!(of(Value::array([Value::Int(1), Value::from("42")])), Answer::Int(42));
        assert_eq!(of(Value::array([Value::Int(1), Value::from("5x")])), Answer::Text(b"5x".into()));
        assert_eq!(of(Value::array([Value::Int(2), Value::Double(1.5)])), Answer::Real(1.5));
        assert_eq!(of(Value::array([Value::Int(3), Value::Int(5)])), Answer::Text(b"5".into()));
        assert_eq!(of(Value::array([Value::Int(4), Value::from("\u{e9}")])), Answer::Blob(b"\xe9".into()));
        assert_eq!(of(Value::array([Value::Int(3), Value::Undef])), Answer::Null);
    }

    #[test]
    fn a_reference_is_no_answer() {
        let hash = Value::hash([("a", 1)]);
        assert!(answer(&hash, StringMode::Pv).is_err());
    }
}
