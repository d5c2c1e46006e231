//! The parts of results.

use storable::Writer;

use crate::postgres::connection::Connection;
use crate::postgres::copy::Direction;
use crate::postgres::statement::Statement;
use crate::postgres::wire::{Columns, Level};

/// A string of the server.
pub fn string(writer: &mut Writer<'_>, bytes: &[u8], utf8: bool) {
    if utf8 && std::str::from_utf8(bytes).is_ok() { writer.text_bytes(bytes) } else { writer.bytes(bytes) }
}

/// Names of columns, or undef.
pub fn names(writer: &mut Writer<'_>, columns: Option<&Columns>, utf8: bool) {
    let Some(columns) = columns else {
        writer.undef();
        return;
    };
    writer.begin_array(columns.len());
    for name in &columns.names {
        string(writer, name, utf8);
    }
}

/// What the extra part of a result is to have.
#[derive(Debug, Default, Clone, Copy)]
pub struct Extra<'s> {
    /// Columns, if they are not known yet, and the command.
    pub statement: Option<&'s Statement>,
    /// Columns in any case.
    pub all: bool,
}

impl Connection {
    /// The extra part of a result: what the client does not know yet.
    pub fn write_extra(&mut self, writer: &mut Writer<'_>, extra: Extra<'_>) {
        let utf8 = self.settings.decoding.utf8;
        let columns = extra.statement.and_then(|statement| {
            let columns = statement.columns.as_ref()?;
            let is_known = statement.told_columns.as_ref().is_some_and(|told| std::sync::Arc::ptr_eq(told, columns));
            (extra.all || !is_known).then_some(columns)
        });
        let command = extra.statement.filter(|statement| {
            !statement.tag.command.is_empty() && (extra.all || statement.tag.command != statement.told_command)
        });
        let transaction = self.conn.link.transaction;
        let link = &mut self.conn.link;
        let is_changed = transaction != self.told;
        let nothing = columns.is_none()
            && command.is_none()
            && !is_changed
            && link.notices.is_empty()
            && link.changed.is_empty()
            && self.copy.is_none();
        if nothing {
            writer.undef();
            return;
        }
        let mut hash = writer.begin_hash(0);
        if let Some(columns) = columns {
            names(writer, Some(columns), utf8);
            writer.key(&mut hash, "columns");
            numbers(writer, columns.types.iter().map(|&oid| i64::from(oid)));
            writer.key(&mut hash, "types");
            numbers(writer, columns.sizes.iter().map(|&size| i64::from(size)));
            writer.key(&mut hash, "sizes");
            numbers(writer, columns.mods.iter().map(|&modifier| i64::from(modifier)));
            writer.key(&mut hash, "mods");
            writer.begin_array(columns.len());
            for &(table, column) in &columns.origins {
                numbers(writer, [i64::from(table), i64::from(column)].into_iter());
            }
            writer.key(&mut hash, "tables");
        }
        if let Some(statement) = command {
            writer.text(&statement.tag.command);
            writer.key(&mut hash, "cmd");
        }
        if is_changed {
            writer.int(transaction as i64);
            writer.key(&mut hash, "tx");
            self.told = transaction;
            if link.is_lost() {
                writer.int(1);
                writer.key(&mut hash, "lost");
            }
        }
        if !link.notices.is_empty() {
            writer.begin_array(link.notices.len());
            for notice in link.notices.drain(..) {
                writer.text(&notice.words(self.settings.level, None, false));
            }
            writer.key(&mut hash, "warn");
        }
        if !link.changed.is_empty() {
            let mut changed = writer.begin_hash(0);
            let mut names = std::mem::take(&mut link.changed);
            names.sort();
            names.dedup();
            for name in &names {
                writer.text(link.parameters.get(name).map_or("", String::as_str));
                writer.key(&mut changed, name);
            }
            writer.end_hash(changed);
            writer.key(&mut hash, "params");
        }
        if let Some(copy) = &self.copy {
            writer.text(if copy.direction == Direction::In { "in" } else { "out" });
            writer.key(&mut hash, "copy");
        }
        writer.end_hash(hash);
    }
}

impl Statement {
    /// The client knows now what the extra part has told.
    pub fn told(&mut self) {
        self.told_columns.clone_from(&self.columns);
        if !self.tag.command.is_empty() {
            self.told_command.clone_from(&self.tag.command);
        }
    }
}

fn numbers(writer: &mut Writer<'_>, numbers: impl ExactSizeIterator<Item = i64>) {
    writer.begin_array(numbers.len());
    for number in numbers {
        writer.int(number);
    }
}

/// The fields of the last error.
pub fn error_fields(writer: &mut Writer<'_>, connection: &Connection) {
    let Some(notice) = &connection.last_error else {
        writer.undef();
        return;
    };
    let mut hash = writer.begin_hash(0);
    for (name, value) in notice.named() {
        writer.text(value);
        writer.key(&mut hash, name);
    }
    writer.end_hash(hash);
}

/// `pg_errorlevel` as a level.
pub fn level(number: i64) -> Level {
    Level::of(number)
}
