//! The parts of results.

use storable::Writer;

use crate::sqlite::{Connection, Statement, StringMode};

/// A string of SQLite's in the string mode of the connection.
pub fn string(writer: &mut Writer<'_>, bytes: &[u8], mode: StringMode) {
    match std::str::from_utf8(bytes) {
        Ok(text) if mode.is_unicode() => writer.text(text),
        _ => writer.bytes(bytes),
    }
}

/// The same, or undef.
pub fn optional(writer: &mut Writer<'_>, bytes: Option<&[u8]>, mode: StringMode) {
    match bytes {
        Some(bytes) => string(writer, bytes, mode),
        None => writer.undef(),
    }
}

/// The names of a statement's columns; undef if it returns no rows.
pub fn names(writer: &mut Writer<'_>, statement: &Statement) {
    if !statement.has_columns() {
        return writer.undef();
    }
    let mode = statement.connection().string_mode();
    writer.begin_array(statement.names().len());
    for name in statement.names() {
        string(writer, name, mode);
    }
}

/// What rides along: the autocommit state and warnings, if there is news; `columns` of a statement whose names have
/// changed.
pub fn extra(writer: &mut Writer<'_>, connection: &Connection, columns: Option<&Statement>) {
    let autocommit = connection.autocommit_news();
    let warnings = connection.shared().take_warnings();
    let entries =
        usize::from(autocommit.is_some()) + usize::from(!warnings.is_empty()) + usize::from(columns.is_some());
    if entries == 0 {
        return writer.undef();
    }
    let mut hash = writer.begin_hash(entries);
    if let Some(autocommit) = autocommit {
        writer.int(autocommit.into());
        writer.key(&mut hash, "ac");
    }
    if !warnings.is_empty() {
        writer.begin_array(warnings.len());
        for warning in &warnings {
            writer.text(warning);
        }
        writer.key(&mut hash, "warn");
    }
    if let Some(statement) = columns {
        names(writer, statement);
        writer.key(&mut hash, "columns");
    }
}

/// A count of rows as the 32-bit integer it is in C.
pub fn count(changes: i64) -> i32 {
    i32::try_from(changes).unwrap_or(i32::MAX)
}
