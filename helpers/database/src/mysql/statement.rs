//! A statement: its SQL, its values, its result.

use std::sync::Arc;

use daemon::HandlePermit;
use storable::{RowWriter, ValueRef, Writer};

use super::backlog::{Backlog, Next};
use super::error::{Error, Result};
use super::rows::{self, Columns, Limits, Protocol, Stop};
use super::sql::{Bind, Style, Template};
use super::wire::End;

/// The first batch of rows: small, most scripts look at the first row only.
pub const FIRST_BATCH_ROWS: usize = 64;
/// The first batch in bytes.
pub const FIRST_BATCH_BYTES: usize = 16 * 1024;
/// Each batch is so many times as large as the one before it, …
const BATCH_GROWTH: usize = 4;
/// … up to this many bytes.
const MAX_BATCH_BYTES: usize = 128 * 1024;
/// A batch of so many bytes is not kept back while more rows are on the way.
const GOOD_BATCH_BYTES: usize = 32 * 1024;

/// How rows are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Arrays.
    Arrays,
    /// One array of all values.
    Flat,
    /// Hashes.
    Hashes,
}

impl Shape {
    /// From the client's letter; `None`: no rows.
    pub fn from_mode(mode: Option<&str>) -> Option<Self> {
        match mode {
            Some("h") => Some(Self::Hashes),
            Some("f") => Some(Self::Flat),
            Some("0") => None,
            _ => Some(Self::Arrays),
        }
    }
}

/// A statement that the server has prepared.
#[derive(Debug, Clone, Copy)]
pub struct Prepared {
    /// The server's number for it.
    pub id: u32,
    /// How many values it takes.
    pub parameters: usize,
    /// The connection it was made on (they change with a reconnect).
    pub thread_id: u32,
}

/// Where the rows of a result are.
#[derive(Debug, Default)]
pub enum Source {
    /// Nowhere: there are none, or no more.
    #[default]
    Nothing,
    /// They come straight from the connection, when they are asked for.
    Connection,
    /// They have been read, or are being read.
    Backlog(Arc<Backlog>),
}

/// A statement of a session.
#[derive(Debug)]
pub struct Statement {
    /// The number of its connection.
    pub d: u32,
    /// Its SQL.
    pub template: Template,
    /// Whether the server is to prepare it.
    pub wants_server: bool,
    /// Whether it is prepared by the server.
    pub prepared: Option<Prepared>,
    /// Why it is not, though it should be.
    pub fallback: Option<String>,
    /// Whether rows are left at the server until they are asked for.
    pub use_result: bool,
    binds: Vec<Bind<'static>>,
    /// The longest value of each column, over the rows of the first batch; and how many rows these were.
    lengths: (Vec<u64>, u64),
    /// The columns of its result.
    pub columns: Columns,
    /// Where its rows are.
    pub source: Source,
    /// Rows written so far.
    pub written: u64,
    /// How its result ended.
    pub end: Option<End>,
    /// The rows in all, once known.
    pub total: Option<u64>,
    /// An error to be told after the rows before it.
    deferred: Option<Error>,
    piece: Vec<u8>,
    at: usize,
    ramp: Limits,
    large: Vec<u8>,
    _permit: HandlePermit,
}

impl Statement {
    /// A statement of the connection `d`.
    pub fn new(d: u32, template: Template, wants_server: bool, use_result: bool, permit: HandlePermit) -> Self {
        Self {
            d,
            template,
            wants_server,
            prepared: None,
            fallback: None,
            use_result,
            binds: Vec::new(),
            lengths: (Vec::new(), 0),
            columns: Columns::default(),
            source: Source::Nothing,
            written: 0,
            end: None,
            total: None,
            deferred: None,
            piece: Vec::new(),
            at: 0,
            ramp: Limits { rows: FIRST_BATCH_ROWS, bytes: FIRST_BATCH_BYTES },
            large: Vec::new(),
            _permit: permit,
        }
    }

    /// Keeps values for this execution and those after it.
    pub fn bind(&mut self, values: &[ValueRef<'_>], style: Style) -> Result<()> {
        self.binds = owned(values, style)?;
        Ok(())
    }

    /// Keeps these values.
    pub fn set_binds(&mut self, binds: Vec<Bind<'static>>) {
        self.binds = binds;
    }

    /// The values that are kept.
    pub fn binds(&self) -> &[Bind<'static>] {
        &self.binds
    }

    /// Its result begins.
    pub fn begin(&mut self) {
        self.source = Source::Nothing;
        (self.written, self.end, self.total, self.deferred) = (0, None, None, None);
        self.lengths = (Vec::new(), 0);
        self.piece = Vec::new();
        self.at = 0;
        self.ramp = Limits { rows: FIRST_BATCH_ROWS, bytes: FIRST_BATCH_BYTES };
    }

    /// Which protocol its rows come in.
    pub fn protocol(&self) -> Protocol {
        if self.prepared.is_some() { Protocol::Binary } else { Protocol::Text }
    }

    /// Whether all its rows were written.
    pub fn is_done(&self) -> bool {
        matches!(self.source, Source::Nothing) && self.deferred.is_none()
    }

    /// The limits of the next batch; the ramp goes on.
    pub fn limits(&mut self, max_rows: Option<usize>) -> Limits {
        let limits = match max_rows {
            Some(rows) => Limits { rows, bytes: usize::MAX },
            None => self.ramp,
        };
        self.ramp = Limits { rows: usize::MAX, bytes: (self.ramp.bytes * BATCH_GROWTH).min(MAX_BATCH_BYTES) };
        limits
    }

    /// The result is over.
    pub fn ended(&mut self, end: End) {
        self.source = Source::Nothing;
        self.end = Some(end);
    }

    /// Keeps an error for after the rows that are being written, if there are any.
    pub fn defer(&mut self, error: Error, any: bool) -> Result<()> {
        self.source = Source::Nothing;
        if any {
            self.deferred = Some(error);
            return Ok(());
        }
        Err(error)
    }

    /// The error that waits.
    pub fn deferred(&mut self) -> Result<()> {
        self.deferred.take().map_or(Ok(()), Err)
    }

    /// Writes a batch of rows with `fill`.
    pub fn write(
        &mut self,
        writer: &mut Writer<'_>,
        shape: Shape,
        fill: impl FnOnce(&mut Self, &mut RowWriter<'_, '_, '_>) -> Result<()>,
    ) -> Result<()> {
        let keys = (shape == Shape::Hashes).then(|| self.columns.take_keys());
        let mut rows = match &keys {
            Some(keys) => writer.hash_rows(keys),
            None if shape == Shape::Flat => writer.flat_rows(self.columns.list.len()),
            None => writer.array_rows(self.columns.list.len()),
        };
        let result = fill(self, &mut rows);
        let count = rows.finish();
        self.written += count as u64;
        self.columns.keep_keys(keys);
        if let (Source::Nothing, Some(_)) = (&self.source, self.end) {
            self.total = Some(self.written);
        }
        match result {
            Ok(()) => Ok(()),
            Err(error) => self.defer(error, count > 0),
        }
    }

    /// Writes rows that `bytes` begins with; how many bytes they took.
    pub fn write_from(
        &mut self,
        rows: &mut RowWriter<'_, '_, '_>,
        bytes: &[u8],
        limits: Limits,
        capabilities: u32,
    ) -> Result<(usize, Stop)> {
        rows::write(rows, bytes, &self.columns, limits, capabilities, &mut self.large)
    }

    /// Notes how long the values are in the rows that `bytes` begins with.
    pub fn measure(&mut self, bytes: &[u8]) {
        if self.protocol() == Protocol::Text {
            self.lengths.0.resize(self.columns.list.len(), 0);
            self.lengths.1 += rows::measure(bytes, &mut self.lengths.0);
        }
    }

    /// The longest value of each column, where all rows have been looked at.
    pub fn max_lengths(&self) -> Option<&[u64]> {
        let (lengths, rows) = &self.lengths;
        (self.total == Some(*rows)).then_some(&lengths[..])
    }

    /// Writes rows that have been read already.
    pub fn fill_from_backlog(&mut self, rows: &mut RowWriter<'_, '_, '_>, limits: Limits) -> Result<()> {
        let Source::Backlog(backlog) = &self.source else { return Ok(()) };
        let backlog = Arc::clone(backlog);
        loop {
            if self.at == self.piece.len() {
                let is_good = rows.bytes() >= GOOD_BATCH_BYTES.min(limits.bytes);
                match backlog.next(&mut self.piece, !is_good)? {
                    Next::Piece => self.at = 0,
                    Next::Nothing => return Ok(()),
                    Next::End(end) => {
                        self.source = Source::Nothing;
                        (self.piece, self.at) = (Vec::new(), 0);
                        self.end = Some(end?);
                        return Ok(());
                    }
                }
            }
            let (used, stop) = rows::write(rows, &self.piece[self.at..], &self.columns, limits, 0, &mut self.large)?;
            self.at += used;
            match stop {
                Stop::Full => {
                    // The last row may have been written: the client need not ask to hear that.
                    if self.at == self.piece.len()
                        && let Next::End(Ok(end)) = backlog.peek()
                    {
                        self.source = Source::Nothing;
                        self.end = Some(end);
                    }
                    return Ok(());
                }
                Stop::Starved if self.at == self.piece.len() => {}
                Stop::Starved | Stop::End(_) => return Err(Error::malformed("rows in pieces")),
            }
        }
    }
}

/// Values that are kept beyond the call they came with.
pub fn owned(values: &[ValueRef<'_>], style: Style) -> Result<Vec<Bind<'static>>> {
    values.iter().map(|value| Ok(Bind::new(value, style)?.into_owned())).collect()
}
