//! Result rows straight into an image: the hot path.
//!
//! What every row begins with, and the keys of a row that is a hash, are encoded
//! once; a cell is then an opcode, a length and a copy.
//!
//! # What rows cost
//!
//! Measured with perl 5.36 on x86-64, rows of five columns, microseconds per row. Writing one
//! here takes 0.03 to 0.05 (`examples/rows.rs`); `thaw` and freeing what it made take:
//!
//! | five columns of                     | as an array | as a hash |
//! |-------------------------------------|-------------|-----------|
//! | nothing (no columns)                | 0.07        |           |
//! | undef                               | 0.20        | 0.33      |
//! | small integers (`SX_BYTE`)          | 0.21        | 0.33      |
//! | integers (`SX_NETINT`, `SX_INTEGER`)| 0.21        |           |
//! | doubles (`SX_DOUBLE`)               | 0.21        |           |
//! | doubles as decimal strings          | 0.41        |           |
//! | strings of 2 to 60 bytes, UTF-8 too | 0.43        | 0.55      |
//! | the same, hash with UTF-8 keys      |             | 0.57      |
//! | a mixture, as in the example        | 0.30        | 0.42      |
//!
//! So numbers go as numbers: half the cost of a string, before anything is parsed. `SX_SCALAR` and
//! `SX_LSCALAR` cost the same, and the shorter one is used. A hash gets the flagged form only when
//! one of its keys needs it.

use crate::error::Error;
use crate::format as f;
use crate::writer::{ArraySlot, Writer, put_double, put_int, put_string, put_text};

/// One column of a row, borrowed from where the driver has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL: undef.
    Null,
    /// An integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A byte string.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// Text that is known to be UTF-8, without a check here. (Perl believes it.)
    TextBytes(&'a [u8]),
}

/// The keys of rows that are hashes, encoded once per statement.
#[derive(Debug, Clone)]
pub struct RowKeys {
    /// What a row begins with.
    head: Vec<u8>,
    /// What follows each value: perhaps a flag byte, the length and the key, one after the other.
    keys: Vec<u8>,
    /// Where each key ends in `keys`.
    ends: Vec<usize>,
}

impl RowKeys {
    /// Keys in the order of the columns. With the same key twice, the later column wins, as in
    /// `fetchrow_hashref`.
    pub fn new<K: AsRef<str>>(keys: &[K]) -> Self {
        Self::of(keys.iter().map(|key| (key.as_ref().as_bytes(), !key.as_ref().is_ascii())))
    }

    /// Keys as bytes, without the UTF-8 flag.
    pub fn from_bytes<K: AsRef<[u8]>>(keys: &[K]) -> Self {
        Self::of(keys.iter().map(|key| (key.as_ref(), false)))
    }

    fn of<'k>(names: impl ExactSizeIterator<Item = (&'k [u8], bool)> + Clone) -> Self {
        let flagged = names.clone().any(|(_, text)| text);
        let mut head = vec![f::SX_REF];
        head.extend_from_slice(if flagged { &[f::SX_FLAG_HASH, 0] } else { &[f::SX_HASH] });
        head.extend_from_slice(&count(names.len()));
        let mut keys = Vec::new();
        let mut ends = Vec::with_capacity(names.len());
        for (name, text) in names {
            if flagged {
                keys.push(if text { f::KEY_UTF8 } else { 0 });
            }
            keys.extend_from_slice(&count(name.len()));
            keys.extend_from_slice(name);
            ends.push(keys.len());
        }
        Self { head, keys, ends }
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Counts of columns and lengths of their names: far below the format's 31 bits.
fn count(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

#[derive(Debug)]
enum Shape<'k> {
    Flat,
    Arrays([u8; 6]),
    Hashes(&'k RowKeys),
}

/// Writes an array of rows as one value of a [`Writer`]'s image.
///
/// ```
/// use storable::{Cell, RowKeys, Writer};
///
/// let mut image = Vec::new();
/// let mut w = Writer::begin_image(&mut image);
/// w.begin_array(1); // [ rows ]
/// let keys = RowKeys::new(&["id", "name"]);
/// let mut rows = w.hash_rows(&keys);
/// rows.row([Cell::Int(1), Cell::Text("one")]);
/// rows.row([Cell::Int(2), Cell::Null]);
/// assert_eq!(rows.finish(), 2);
/// w.finish()?;
/// # Ok::<(), storable::Error>(())
/// ```
///
/// A row has to have as many cells as there are columns; otherwise [`Writer::finish`] is an error.
#[derive(Debug)]
#[must_use = "finish() sets the number of rows"]
pub struct RowWriter<'w, 'a, 'k> {
    writer: &'w mut Writer<'a>,
    slot: ArraySlot,
    shape: Shape<'k>,
    rows: usize,
    /// Where the first row and the current row begin.
    first: usize,
    current: usize,
    columns: usize,
    /// The next column of the current row.
    column: usize,
}

impl<'a> Writer<'a> {
    /// Begins an array of rows that are arrays of `columns` elements.
    pub fn array_rows(&mut self, columns: usize) -> RowWriter<'_, 'a, 'static> {
        let [a, b, c, d] = count(columns);
        self.rows(Shape::Arrays([f::SX_REF, f::SX_ARRAY, a, b, c, d]), columns)
    }

    /// Begins one array of all cells, row after row: what thaws fastest.
    pub fn flat_rows(&mut self, columns: usize) -> RowWriter<'_, 'a, 'static> {
        self.rows(Shape::Flat, columns)
    }

    /// Begins an array of rows that are hashes.
    pub fn hash_rows<'k>(&mut self, keys: &'k RowKeys) -> RowWriter<'_, 'a, 'k> {
        self.rows(Shape::Hashes(keys), keys.len())
    }

    fn rows<'k>(&mut self, shape: Shape<'k>, columns: usize) -> RowWriter<'_, 'a, 'k> {
        let slot = self.reserve_array();
        let first = self.out.len();
        RowWriter { writer: self, slot, shape, rows: 0, first, current: first, columns, column: columns }
    }
}

impl<'a> RowWriter<'_, 'a, '_> {
    /// The next cell of the row, of any shape: `write` writes one value.
    pub fn nested(&mut self, write: impl FnOnce(&mut Writer<'a>)) {
        write(self.writer);
        self.end_cell();
    }
}

impl RowWriter<'_, '_, '_> {
    /// A whole row.
    #[inline]
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        self.begin_row();
        for cell in cells {
            self.cell(cell);
        }
    }

    /// Begins a row; its cells follow.
    #[inline]
    pub fn begin_row(&mut self) {
        self.check_row();
        self.current = self.writer.out.len();
        self.column = 0;
        self.rows += 1;
        match &self.shape {
            Shape::Flat => {}
            Shape::Arrays(head) => self.writer.out.extend_from_slice(head),
            Shape::Hashes(keys) => self.writer.out.extend_from_slice(&keys.head),
        }
    }

    /// The next cell of the row.
    #[inline]
    pub fn cell(&mut self, cell: Cell<'_>) {
        let options = self.writer.options;
        let out = &mut *self.writer.out;
        let fits = match cell {
            Cell::Null => {
                out.push(f::SX_UNDEF);
                true
            }
            Cell::Int(int) => {
                put_int(out, int, options.numbers);
                true
            }
            Cell::Double(double) => {
                put_double(out, double, options.numbers);
                true
            }
            Cell::Bytes(bytes) => put_string(out, bytes, f::SX_SCALAR, f::SX_LSCALAR),
            Cell::Text(text) => put_text(out, text.as_bytes(), options.flag_ascii),
            Cell::TextBytes(text) => put_text(out, text, options.flag_ascii),
        };
        self.end_cell();
        if !fits {
            self.writer.too_long("a column value", f::MAX_LEN + 1);
        }
    }

    /// What follows a cell.
    #[inline]
    fn end_cell(&mut self) {
        if let Shape::Hashes(keys) = &self.shape {
            let start = self.column.checked_sub(1).map_or(Some(0), |last| keys.ends.get(last).copied());
            let end = keys.ends.get(self.column).copied();
            if let Some(key) = start.zip(end).and_then(|(start, end)| keys.keys.get(start..end)) {
                self.writer.out.extend_from_slice(key);
            }
        }
        self.column += 1;
    }

    /// A row with too few or too many cells would make the image unreadable.
    #[inline]
    fn check_row(&mut self) {
        if self.column != self.columns {
            self.writer.fail(Error::data(format_args!(
                "a row of {} cells in a result of {} columns",
                self.column, self.columns
            )));
        }
    }

    /// Takes back the current row, for an error in the middle of it.
    pub fn abort_row(&mut self) {
        // A row of a flat list has nothing in front of its first cell.
        if self.current < self.writer.out.len() || self.column != self.columns {
            self.writer.out.truncate(self.current);
            self.rows -= 1;
            self.column = self.columns;
        }
    }

    /// Rows so far, the current one included.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes of the rows so far.
    pub fn bytes(&self) -> usize {
        self.writer.out.len() - self.first
    }

    /// The end of the array; the number of rows.
    pub fn finish(mut self) -> usize {
        self.check_row();
        let elements = match self.shape {
            Shape::Flat => self.rows * self.columns,
            Shape::Arrays(_) | Shape::Hashes(_) => self.rows,
        };
        self.writer.patch(self.slot, elements);
        self.rows
    }
}
