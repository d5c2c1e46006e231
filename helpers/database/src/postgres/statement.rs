//! A statement of a session: its SQL, its columns, and its rows on the way into a reply.

use std::sync::Arc;

use daemon::HandlePermit;
use storable::{RowWriter, Writer};

use super::connection::Connection;
use super::limits::{BATCH_GROWTH, FIRST_BATCH_BYTES, FIRST_BATCH_ROWS, MAX_BATCH_BYTES};
use super::plans::Key;
use super::trouble::{Result, Trouble};
use super::wire::{Columns, Decoding, Tag, write_row};
use crate::spill::{Spill, SpillLimits};
use crate::sqlite::{BatchLimits, RowShape};

/// A statement.
#[derive(Debug)]
pub struct Statement {
    /// The client's number.
    pub number: u32,
    /// Its SQL.
    pub sql: Arc<[u8]>,
    /// The types of its parameters.
    pub types: Arc<[u32]>,
    /// What the connection remembers it by.
    pub plan: Option<u32>,
    /// Its columns, if it has some.
    pub columns: Option<Arc<Columns>>,
    /// Those that the client knows.
    pub told_columns: Option<Arc<Columns>>,
    /// The command that the client knows.
    pub told_command: String,
    /// What it did, once that is known.
    pub tag: Tag,
    /// Its rows are on the link.
    pub is_live: bool,
    /// So often `ReadyForQuery` comes before the link is free of it.
    pub ready: usize,
    /// Rows that were put aside.
    pub store: Spill,
    /// How many rows there are in all, once that is known.
    pub total: Option<u64>,
    /// Rows that were given out.
    pub given: u64,
    /// The server has begun to run it: what fails now may have done something before, in a procedure that commits.
    pub is_bound: bool,
    /// There was nothing in its SQL.
    pub is_empty: bool,
    /// An error to be told after the rows before it.
    pub deferred: Option<Trouble>,
    ramp: BatchLimits,
    _permit: Option<HandlePermit>,
}

impl Statement {
    /// A new one.
    pub fn new(number: u32, sql: impl Into<Arc<[u8]>>, permit: impl Into<Option<HandlePermit>>) -> Self {
        Self {
            number,
            sql: sql.into(),
            types: Arc::from([]),
            plan: None,
            columns: None,
            told_columns: None,
            told_command: String::new(),
            tag: Tag::default(),
            is_live: false,
            ready: 0,
            store: Spill::new(&SpillLimits::configured()),
            total: None,
            given: 0,
            is_bound: false,
            is_empty: false,
            deferred: None,
            ramp: BatchLimits::default(),
            _permit: permit.into(),
        }
    }

    /// SQL and types.
    pub fn key(&self) -> Key {
        (Arc::clone(&self.sql), Arc::clone(&self.types))
    }

    /// Ready for another run. Its rows must not be on the link.
    pub fn rewind(&mut self) {
        if !self.store.is_empty() {
            self.store = Spill::new(&SpillLimits::configured());
        }
        self.tag = Tag::default();
        (self.total, self.given, self.is_empty, self.deferred) = (None, 0, false, None);
        self.ramp = BatchLimits { rows: FIRST_BATCH_ROWS, bytes: FIRST_BATCH_BYTES };
    }

    /// Whether there is nothing to fetch any more.
    pub fn is_done(&self) -> bool {
        !self.is_live && self.store.is_empty() && self.deferred.is_none()
    }

    /// What `execute` answers: rows affected, or rows of the result; -1 if that is not known.
    pub fn count(&self) -> i64 {
        let count = if self.columns.is_some() { self.total } else { self.tag.rows };
        count.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1)
    }

    /// The limits of this batch; the ramp goes on.
    fn batch(&mut self, asked: BatchLimits) -> BatchLimits {
        let or = |asked: usize, own: usize| if asked == 0 { own } else { asked };
        let limits = BatchLimits {
            rows: or(asked.rows, if asked.bytes == 0 { self.ramp.rows } else { usize::MAX }),
            bytes: or(asked.bytes, if asked.rows == 0 { self.ramp.bytes } else { usize::MAX }),
        };
        self.ramp.rows = usize::MAX;
        self.ramp.bytes = (self.ramp.bytes * BATCH_GROWTH).min(MAX_BATCH_BYTES);
        limits
    }
}

impl Connection {
    /// Writes the next batch of rows; an error after the first row waits for the next call.
    pub fn write_rows(
        &mut self,
        statement: &mut Statement,
        writer: &mut Writer<'_>,
        shape: RowShape,
        asked: BatchLimits,
    ) -> Result<()> {
        if !statement.is_live
            && statement.store.is_empty()
            && let Some(trouble) = statement.deferred.take()
        {
            return Err(trouble);
        }
        let Some(columns) = statement.columns.clone() else {
            writer.begin_array(0);
            return Ok(());
        };
        let limits = statement.batch(asked);
        let decoding = self.settings.decoding;
        writer.flag_ascii(decoding.utf8);
        let mut rows = match shape {
            RowShape::Hashes => writer.hash_rows(columns.keys(decoding.utf8)),
            RowShape::Flat => writer.flat_rows(columns.len()),
            RowShape::Arrays => writer.array_rows(columns.len()),
        };
        let result = if statement.store.is_empty() {
            self.write_live(statement, &mut rows, &columns, limits)
        } else {
            write_stored(statement, &mut rows, &columns, limits, decoding)
        };
        statement.given += rows.len() as u64;
        if matches!(result, Err(Trouble::Link(_))) {
            statement.is_live = false;
            self.live = None;
        }
        let any = !rows.is_empty();
        rows.finish();
        writer.flag_ascii(false);
        match result {
            Ok(()) if any || statement.is_live || !statement.store.is_empty() => Ok(()),
            Ok(()) => statement.deferred.take().map_or(Ok(()), Err),
            Err(trouble) if any => {
                statement.deferred = Some(trouble);
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// From the link.
    fn write_live(
        &mut self,
        statement: &mut Statement,
        rows: &mut RowWriter<'_, '_, '_>,
        columns: &Columns,
        limits: BatchLimits,
    ) -> Result<()> {
        let decoding = self.settings.decoding;
        if !statement.is_live {
            return Ok(());
        }
        while statement.is_live {
            let link = &mut self.conn.link;
            let is_full = rows.len() >= limits.rows || rows.bytes() >= limits.bytes;
            let Some((kind, len)) = link.peek_here()? else {
                if is_full {
                    return Ok(());
                }
                // What is there is given out when the server takes its time.
                let patience = (!rows.is_empty()).then_some(super::limits::ROWS_PATIENCE);
                match link.read_more(patience) {
                    Ok(true) => continue,
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            };
            if kind == b'D' {
                if is_full {
                    return Ok(());
                }
                if write_row(rows, &link.pending()[5..len], columns, decoding).is_none() {
                    link.cut();
                    statement.is_live = false;
                    self.live = None;
                    return Err(malformed());
                }
                link.take(len);
                continue;
            }
            let message = link.take_message(len);
            if self.ends_rows(statement, &message) {
                statement.is_live = false;
            } else {
                // The end of the group follows at once.
                self.conn.link.peek()?;
            }
        }
        statement.total = Some(statement.given + rows.len() as u64);
        Ok(())
    }
}

/// From what was put aside.
fn write_stored(
    statement: &mut Statement,
    rows: &mut RowWriter<'_, '_, '_>,
    columns: &Columns,
    limits: BatchLimits,
    decoding: Decoding,
) -> Result<()> {
    while rows.len() < limits.rows && rows.bytes() < limits.bytes {
        match statement.store.next()? {
            Some(row) => write_row(rows, row, columns, decoding).ok_or_else(malformed)?,
            None => break,
        }
    }
    Ok(())
}

fn malformed() -> Trouble {
    Trouble::Usage("unexpected field count or length in \"D\" message".into())
}
