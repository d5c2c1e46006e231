//! The parts of results.

use storable::Writer;

use crate::mysql::connection::Connection;
use crate::mysql::rows::{Columns, TextMode};
use crate::mysql::wire::{Column, OkReply};

/// Names of columns, or other texts of the server's, in the mode of the connection.
pub fn text(writer: &mut Writer<'_>, bytes: &[u8], mode: TextMode) {
    match std::str::from_utf8(bytes) {
        Ok(text) if mode == TextMode::Characters => writer.text(text),
        _ => writer.bytes(bytes),
    }
}

/// The names of columns; undef if there are none.
pub fn names(writer: &mut Writer<'_>, columns: &Columns) {
    if columns.list.is_empty() {
        return writer.undef();
    }
    writer.begin_array(columns.list.len());
    for column in &columns.list {
        text(writer, &column.name, columns.mode());
    }
}

/// What rides along with a result.
#[derive(Debug, Default)]
pub struct Extra<'e> {
    /// Columns the client does not know yet.
    pub columns: Option<&'e Columns>,
    /// The number of warnings.
    pub warnings: u16,
    /// The server's text about a statement.
    pub info: &'e [u8],
    /// Further results follow.
    pub more: bool,
    /// The rows in all, when that was not known before.
    pub count: Option<u64>,
    /// Why the server did not prepare a statement.
    pub fallback: Option<&'e str>,
    /// The answer is to be asked for.
    pub is_async: bool,
}

impl<'e> Extra<'e> {
    /// Of a statement without rows.
    pub fn of(ok: &'e OkReply, more: bool) -> Self {
        Self { warnings: ok.warnings, info: &ok.info, more, ..Self::default() }
    }

    /// Writes it, with the connection's own news: a hash, or undef.
    pub fn write(&self, writer: &mut Writer<'_>, connection: &mut Connection) {
        let status = connection.status_news();
        let reconnected = connection.reconnected.take();
        let entries = self.columns.map_or(0, |_| 7)
            + usize::from(self.warnings > 0)
            + usize::from(!self.info.is_empty())
            + usize::from(self.more)
            + usize::from(self.count.is_some())
            + usize::from(self.fallback.is_some())
            + usize::from(self.is_async)
            + usize::from(status.is_some())
            + 2 * usize::from(reconnected.is_some());
        if entries == 0 {
            return writer.undef();
        }
        let mut hash = writer.begin_hash(entries);
        let mut entry = |name: &str, write: &dyn Fn(&mut Writer<'_>)| {
            write(writer);
            writer.key(&mut hash, name);
        };
        if let Some(columns) = self.columns {
            entry("columns", &|w| names(w, columns));
            let mut numbers = |name: &str, number: fn(&Column) -> i64| {
                entry(name, &|w| {
                    w.begin_array(columns.list.len());
                    columns.list.iter().for_each(|column| w.int(number(column)));
                });
            };
            numbers("types", |column| column.kind.into());
            numbers("flags", |column| column.flags.into());
            numbers("lengths", |column| column.length.into());
            numbers("decimals", |column| column.decimals.into());
            numbers("charsets", |column| column.charset.into());
            entry("tables", &|w| {
                w.begin_array(columns.list.len());
                columns.list.iter().for_each(|column| text(w, &column.table, columns.mode()));
            });
        }
        if self.warnings > 0 {
            entry("warnings", &|w| w.int(self.warnings.into()));
        }
        if !self.info.is_empty() {
            entry("info", &|w| w.bytes(self.info));
        }
        if self.more {
            entry("more", &|w| w.int(1));
        }
        if let Some(count) = self.count {
            entry("count", &|w| w.uint(count));
        }
        if let Some(fallback) = self.fallback {
            entry("fallback", &|w| w.text(fallback));
        }
        if self.is_async {
            entry("async", &|w| w.int(1));
        }
        if let Some(status) = status {
            entry("status", &|w| w.int(status.into()));
        }
        if let Some(thread_id) = reconnected {
            entry("reconnected", &|w| w.int(1));
            entry("thread_id", &|w| w.int(thread_id.into()));
        }
    }
}

/// An insert id; undef if there was none.
pub fn insert_id(writer: &mut Writer<'_>, id: u64) {
    if id == 0 { writer.undef() } else { writer.uint(id) }
}
