//! What SQLite says about itself, its connections and their tables; limits, switches, extensions.

use std::ffi::{CStr, c_char, c_int};

use libsqlite3_sys as ffi;
use storable::Value;

use super::connection::{Connection, c_string};
use super::error::{self, Error, Result};
use super::statement::Statement;

/// What is known about a column of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct ColumnMetadata {
    /// Declared type.
    pub data_type: Option<String>,
    /// Collation.
    pub collation: Option<String>,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Whether it is in the primary key.
    pub primary: bool,
    /// Whether it is AUTOINCREMENT.
    pub auto_increment: bool,
}

/// A status counter: what it is now, and the most it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Now.
    pub current: i64,
    /// At most.
    pub highwater: i64,
}

/// SQLite's version, as text and as a number.
pub fn version() -> (String, i32) {
    // SAFETY: both are always there.
    unsafe { (error::text(ffi::sqlite3_libversion()).unwrap_or_default(), ffi::sqlite3_libversion_number()) }
}

/// The options SQLite was compiled with.
pub fn compile_options() -> Vec<String> {
    // SAFETY: answers null after the last option.
    (0..).map_while(|index| unsafe { error::text(ffi::sqlite3_compileoption_get(index)) }).collect()
}

/// A counter of the whole process, `SQLITE_STATUS_*`.
pub fn library_status(counter: i32, reset: bool) -> Option<Counter> {
    let (mut current, mut highwater) = (0, 0);
    // SAFETY: places for both results.
    let rc = unsafe { ffi::sqlite3_status64(counter, &raw mut current, &raw mut highwater, c_int::from(reset)) };
    (rc == ffi::SQLITE_OK).then_some(Counter { current, highwater })
}

/// `sqlite3_strlike`: 0 when `text` matches the LIKE pattern.
pub fn strlike(pattern: &[u8], text: &[u8], escape: Option<char>) -> Result<i32> {
    let (pattern, text) = (c_string(pattern, "the pattern")?, c_string(text, "the text")?);
    let escape = escape.map_or(0, u32::from);
    // SAFETY: two NUL-terminated strings.
    Ok(unsafe { ffi::sqlite3_strlike(pattern.as_ptr(), text.as_ptr(), escape) })
}

/// `sqlite3_strglob`: 0 when `text` matches the GLOB pattern.
pub fn strglob(pattern: &[u8], text: &[u8]) -> Result<i32> {
    let (pattern, text) = (c_string(pattern, "the pattern")?, c_string(text, "the text")?);
    // SAFETY: two NUL-terminated strings.
    Ok(unsafe { ffi::sqlite3_strglob(pattern.as_ptr(), text.as_ptr()) })
}

/// Whether SQL ends with a whole statement.
pub fn complete(sql: &[u8]) -> Result<bool> {
    let sql = c_string(sql, "the SQL")?;
    // SAFETY: a NUL-terminated string.
    Ok(unsafe { ffi::sqlite3_complete(sql.as_ptr()) } == 1)
}

/// How many columns a CREATE TABLE declares; it is tried on a database of its own.
pub(super) fn columns_of(declaration: &str) -> Result<usize> {
    let scratch = Connection::open(b":memory:", 0, 0)?;
    Statement::prepare(&scratch, declaration.as_bytes())?.0.start()?;
    let sql = b"select count(*) from sqlite_schema, pragma_table_xinfo(sqlite_schema.name)";
    let mut statement = Statement::prepare(&scratch, sql)?.0;
    statement.start()?;
    let row = statement.next_row()?.unwrap_or_default();
    Ok(row.first().and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
}

impl Connection {
    /// What is known about a column; an error if there is none.
    pub fn column_metadata(&self, schema: Option<&[u8]>, table: &[u8], column: &[u8]) -> Result<ColumnMetadata> {
        let schema = schema.map(|name| c_string(name, "the name of a schema")).transpose()?;
        let (table, column) = (c_string(table, "the name of a table")?, c_string(column, "the name of a column")?);
        let (mut data_type, mut collation): (*const c_char, *const c_char) = (std::ptr::null(), std::ptr::null());
        let (mut not_null, mut primary, mut auto_increment) = (0, 0, 0);
        // SAFETY: `db` is open; NUL-terminated names, or null; places for the results.
        let rc = unsafe {
            ffi::sqlite3_table_column_metadata(
                self.db,
                schema.as_deref().map_or(std::ptr::null(), CStr::as_ptr),
                table.as_ptr(),
                column.as_ptr(),
                &raw mut data_type,
                &raw mut collation,
                &raw mut not_null,
                &raw mut primary,
                &raw mut auto_increment,
            )
        };
        self.check(rc)?;
        // SAFETY: null, or strings that live until the schema changes; copied here.
        let (data_type, collation) = unsafe { (error::text(data_type), error::text(collation)) };
        let (not_null, primary, auto_increment) = (not_null != 0, primary != 0, auto_increment != 0);
        Ok(ColumnMetadata { data_type, collation, not_null, primary, auto_increment })
    }

    /// Sets a run-time limit; what it was before. A negative value only asks.
    pub fn limit(&self, id: i32, value: i32) -> i32 {
        // SAFETY: `db` is open; unknown limits are answered with -1.
        unsafe { ffi::sqlite3_limit(self.db, id, value) }
    }

    /// Sets a switch (`SQLITE_DBCONFIG_*` that take an integer); what it is now. A negative value only asks.
    pub fn db_config(&self, id: i32, value: i32) -> Result<i32> {
        // The two that take pointers instead are MAINDBNAME and LOOKASIDE.
        if !(ffi::SQLITE_DBCONFIG_ENABLE_FKEY..=ffi::SQLITE_DBCONFIG_MAX).contains(&id) {
            return Err(Error::with_code(ffi::SQLITE_ERROR, format!("unsupported configuration option: {id}")));
        }
        let mut now: c_int = 0;
        // SAFETY: `db` is open; the options in this range take an integer and a place for one.
        let rc = unsafe { ffi::sqlite3_db_config(self.db, id, value, &raw mut now) };
        self.check(rc).map(|()| now)
    }

    /// A counter of this connection, `SQLITE_DBSTATUS_*`.
    pub fn status(&self, counter: i32, reset: bool) -> Option<Counter> {
        let (mut current, mut highwater) = (0, 0);
        // SAFETY: `db` is open; places for both results.
        let rc = unsafe {
            ffi::sqlite3_db_status(self.db, counter, &raw mut current, &raw mut highwater, c_int::from(reset))
        };
        (rc == ffi::SQLITE_OK).then_some(Counter { current: current.into(), highwater: highwater.into() })
    }

    /// Whether `load_extension` works, here and in SQL.
    pub fn enable_load_extension(&self, on: bool) -> Result<()> {
        // SAFETY: `db` is open.
        let rc = unsafe { ffi::sqlite3_enable_load_extension(self.db, c_int::from(on)) };
        self.check(rc)
    }

    /// Loads an extension from a file.
    pub fn load_extension(&self, file: &[u8], entry: Option<&[u8]>) -> Result<()> {
        let file = c_string(file, "the name of the extension")?;
        let entry = entry.map(|name| c_string(name, "the entry point")).transpose()?;
        let entry = entry.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
        let mut message = std::ptr::null_mut();
        // SAFETY: `db` is open; NUL-terminated names, or null; the message is ours to free.
        let (rc, message) = unsafe {
            let rc = ffi::sqlite3_load_extension(self.db, file.as_ptr(), entry, &raw mut message);
            let text = error::text(message);
            ffi::sqlite3_free(message.cast());
            (rc, text)
        };
        match message {
            Some(message) if rc != ffi::SQLITE_OK => Err(Error::with_code(rc, message)),
            _ => self.check(rc),
        }
    }
}
