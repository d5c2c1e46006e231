//! A prepared statement, and its rows on the way into a reply.

use std::ffi::{CStr, c_int};
use std::rc::Rc;

use libsqlite3_sys as ffi;
use storable::{Cell, RowKeys, RowWriter, Value, ValueRef, Writer};

use super::connection::{Connection, Version};
use super::error::{self, Error, Result};
use super::text::{INVALID_UTF8, StringMode};
use super::{bind, value};

/// The first batch of rows: small, most scripts look at the first row only.
const FIRST_BATCH_ROWS: usize = 64;
/// The first batch in bytes.
const FIRST_BATCH_BYTES: usize = 16 * 1024;
/// Each batch is so many times as large as the one before it, …
const BATCH_GROWTH: usize = 4;
/// … up to this many bytes.
const MAX_BATCH_BYTES: usize = 128 * 1024;

/// How rows are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowShape {
    /// Arrays.
    Arrays,
    /// One array of all cells.
    Flat,
    /// Hashes, by the names of the columns.
    Hashes,
}

/// How much one batch may hold; 0 is the statement's own ramp.
#[derive(Debug, Clone, Copy, Default)]
pub struct BatchLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes of the image; a batch ends after the row that goes over it.
    pub bytes: usize,
}

/// A column's origin.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ColumnOrigin {
    /// The declared type.
    pub decltype: Option<String>,
    /// Attached database.
    pub database: Option<Vec<u8>>,
    /// Table.
    pub table: Option<Vec<u8>>,
    /// Column of the table.
    pub origin: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not begun, or reset.
    Idle,
    /// On a row that was not written yet.
    OnRow,
    /// On a row that was written: the next step is made when the next row is wanted.
    Written,
    /// At its end, reset.
    Done,
}

/// A prepared statement. Of SQL with nothing in it (comments, blanks) it is a statement that does nothing.
#[derive(Debug)]
pub struct Statement {
    pub(super) raw: *mut ffi::sqlite3_stmt,
    connection: Rc<Connection>,
    state: State,
    /// An error to be told after the rows before it.
    deferred: Option<Error>,
    names: Vec<Vec<u8>>,
    keys: Option<RowKeys>,
    reprepared: c_int,
    ramp: BatchLimits,
    /// What the database was when its run began.
    began: Version,
    /// It does not step before the row is wanted, and gives one row at a time.
    is_lazy: bool,
}

impl Statement {
    /// Prepares the first statement of `sql`; the rest comes back with it.
    pub fn prepare<'s>(connection: &Rc<Connection>, sql: &'s [u8]) -> Result<(Self, &'s [u8])> {
        let len = c_int::try_from(sql.len()).map_err(|_| Error::from_code(ffi::SQLITE_TOOBIG))?;
        let mut raw = std::ptr::null_mut();
        let mut tail = std::ptr::null();
        let start = sql.as_ptr().cast();
        // SAFETY: `db` is open; `sql` is read within its length; places for both results.
        let rc = unsafe { ffi::sqlite3_prepare_v3(connection.db, start, len, 0, &raw mut raw, &raw mut tail) };
        if let Err(error) = connection.check(rc) {
            // SAFETY: what was prepared, or null.
            unsafe { ffi::sqlite3_finalize(raw) };
            return Err(error);
        }
        // `tail` points into `sql`, or nowhere.
        let used =
            if tail.is_null() { sql.len() } else { (tail as usize).saturating_sub(start as usize).min(sql.len()) };
        let mut statement = Self {
            raw,
            connection: Rc::clone(connection),
            state: State::Idle,
            deferred: None,
            names: Vec::new(),
            keys: None,
            reprepared: 0,
            ramp: BatchLimits::default(),
            began: Version::default(),
            is_lazy: false,
        };
        statement.read_names();
        Ok((statement, &sql[used..]))
    }

    /// The connection it belongs to.
    pub fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Whether its SQL had nothing in it.
    pub fn is_empty(&self) -> bool {
        self.raw.is_null()
    }

    /// The names of its columns.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Whether it returns rows.
    pub fn has_columns(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether it leaves the database as it is.
    pub fn is_readonly(&self) -> bool {
        // SAFETY: a statement of ours, or null, which counts as read-only.
        self.raw.is_null() || unsafe { ffi::sqlite3_stmt_readonly(self.raw) != 0 }
    }

    /// The number of its parameters.
    pub fn parameters(&self) -> usize {
        // SAFETY: a statement of ours; null has none.
        usize::try_from(unsafe { ffi::sqlite3_bind_parameter_count(self.raw) }).unwrap_or(0)
    }

    /// The name of a parameter (from 0), as `:a` or `?7`; a plain `?` has none.
    pub fn parameter_name(&self, index: usize) -> Option<Vec<u8>> {
        let number = c_int::try_from(index + 1).ok()?;
        // SAFETY: a statement of ours; the name lives as long as it.
        unsafe { error::bytes(ffi::sqlite3_bind_parameter_name(self.raw, number)) }
    }

    /// Where a column comes from.
    pub fn column_origin(&self, index: usize) -> ColumnOrigin {
        let Ok(column) = c_int::try_from(index) else { return ColumnOrigin::default() };
        // SAFETY: a statement of ours; SQLite answers null for what it does not know; names are copied at once.
        unsafe {
            ColumnOrigin {
                decltype: error::text(ffi::sqlite3_column_decltype(self.raw, column)),
                database: error::bytes(ffi::sqlite3_column_database_name(self.raw, column)),
                table: error::bytes(ffi::sqlite3_column_table_name(self.raw, column)),
                origin: error::bytes(ffi::sqlite3_column_origin_name(self.raw, column)),
            }
        }
    }

    /// Binds parameters from the first on; the rest keep what they have. The statement is reset first.
    pub fn bind(&mut self, values: &[ValueRef<'_>]) -> Result<()> {
        self.reset();
        if values.len() > self.parameters() {
            return Err(Error::with_code(
                ffi::SQLITE_RANGE,
                format!("called with {} bind variables when {} are needed", values.len(), self.parameters()),
            ));
        }
        for (index, value) in values.iter().enumerate() {
            // SAFETY: just reset; this thread's.
            let rc = unsafe { bind::bind(self.raw, index, value, &self.connection.shared)? };
            self.connection.check(rc)?;
        }
        Ok(())
    }

    /// Begins it anew. With columns it stops at the first row, without it runs to its end.
    pub fn start(&mut self) -> Result<()> {
        self.reset();
        self.is_lazy = false;
        self.ramp = BatchLimits { rows: FIRST_BATCH_ROWS, bytes: FIRST_BATCH_BYTES };
        if self.raw.is_null() {
            self.state = State::Done;
            return Ok(());
        }
        self.advance()?;
        if !self.names.is_empty() {
            self.began = self.connection.version();
        }
        while self.names.is_empty() && self.state == State::OnRow {
            self.advance()?;
        }
        Ok(())
    }

    /// Goes back to where it was before it ran ahead: begins anew and steps over the `seen` rows that the client's script
    /// has had. Only if it finds what it found before: it changes nothing itself, and nothing was changed since it began.
    /// `false`: it stays where it is. From then on it gives row by row, and steps when a row is wanted.
    pub fn rewind(&mut self, seen: u64) -> Result<bool> {
        if !self.has_columns() || !self.is_readonly() || self.state == State::Idle || self.deferred.is_some() {
            return Ok(false);
        }
        let began = self.began;
        if self.connection.version().changes != began.changes {
            return Ok(false);
        }
        // While it is on a row it holds a snapshot, which must not end with its reset.
        let _snapshot = if self.is_on_row() { Some(self.connection.hold_snapshot()?) } else { None };
        self.start()?;
        if self.began != began {
            self.reset();
            self.state = State::Done;
            return Ok(false);
        }
        for _ in 0..seen {
            if self.state != State::OnRow {
                break;
            }
            self.advance()?;
        }
        self.is_lazy = true;
        Ok(true)
    }

    /// Before a change: the step that is due, so that the row is one from before it. An error waits for the next batch.
    pub fn step_ahead(&mut self) {
        if self.state == State::Written
            && let Err(error) = self.advance()
        {
            self.deferred = Some(error);
        }
    }

    fn is_on_row(&self) -> bool {
        matches!(self.state, State::OnRow | State::Written)
    }

    /// Whether its names changed in `start`, because the schema did.
    pub fn refresh_names(&mut self) -> bool {
        if self.raw.is_null() {
            return false;
        }
        // SAFETY: a statement of ours.
        let reprepared = unsafe { ffi::sqlite3_stmt_status(self.raw, ffi::SQLITE_STMTSTATUS_REPREPARE, 0) };
        if reprepared == self.reprepared {
            return false;
        }
        self.reprepared = reprepared;
        let before = std::mem::take(&mut self.names);
        self.read_names();
        before != self.names
    }

    fn read_names(&mut self) {
        self.keys = None;
        // SAFETY: a statement of ours, or null, which has no columns; names are copied at once.
        self.names = unsafe {
            (0..ffi::sqlite3_column_count(self.raw))
                .map(|column| error::bytes(ffi::sqlite3_column_name(self.raw, column)).unwrap_or_default())
                .collect()
        };
    }

    /// One step; at the end it resets.
    fn advance(&mut self) -> Result<()> {
        // SAFETY: a statement of ours, not null (checked by `start`), used by this thread only.
        let rc = unsafe { ffi::sqlite3_step(self.raw) };
        if rc == ffi::SQLITE_ROW && self.connection.shared.failed.borrow().is_none() {
            self.state = State::OnRow;
            return Ok(());
        }
        let result = self.connection.check(rc);
        self.reset_raw();
        self.state = State::Done;
        result
    }

    /// The error that waits for the next batch.
    pub fn deferred_error(&mut self) -> Result<()> {
        self.deferred.take().map_or(Ok(()), Err)
    }

    /// Whether an error waits for the next batch.
    pub fn has_deferred_error(&self) -> bool {
        self.deferred.is_some()
    }

    /// Steps over what is left of its rows.
    pub fn run_out(&mut self) -> Result<()> {
        while self.state == State::OnRow {
            self.advance()?;
        }
        Ok(())
    }

    /// Whether there is nothing to fetch any more.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done | State::Idle) && self.deferred.is_none()
    }

    /// Ends a run; the values that are bound stay.
    pub fn reset(&mut self) {
        self.deferred = None;
        if self.is_on_row() {
            self.reset_raw();
        }
        self.state = State::Idle;
    }

    fn reset_raw(&self) {
        let raw = self.raw;
        // SAFETY: a statement of ours, or null. The result repeats the error of the last step.
        self.connection.shared.clean(|| unsafe { ffi::sqlite3_reset(raw) });
    }

    /// Writes the next batch of rows; an error after the first row waits for the next call.
    pub fn write_rows(&mut self, writer: &mut Writer<'_>, shape: RowShape, limits: BatchLimits) -> Result<()> {
        self.deferred_error()?;
        let limits = self.batch(limits);
        let mode = self.connection.string_mode();
        writer.flag_ascii(mode.is_unicode());
        let keys = (shape == RowShape::Hashes).then(|| self.take_keys());
        let columns = self.names.len();
        let mut rows = match &keys {
            Some(keys) => writer.hash_rows(keys),
            None if shape == RowShape::Flat => writer.flat_rows(columns),
            None => writer.array_rows(columns),
        };
        let result = self.fill(&mut rows, columns, mode, limits);
        let any = !rows.is_empty();
        rows.finish();
        self.keys = keys.or(self.keys.take());
        match result {
            Err(error) if any => {
                self.deferred = Some(error);
                Ok(())
            }
            result => result,
        }
    }

    fn fill(
        &mut self,
        rows: &mut RowWriter<'_, '_, '_>,
        columns: usize,
        mode: StringMode,
        limits: BatchLimits,
    ) -> Result<()> {
        if self.state == State::Written {
            self.advance()?;
        }
        while self.state == State::OnRow && rows.len() < limits.rows && rows.bytes() < limits.bytes {
            rows.begin_row();
            // SAFETY: on a row, whose statement has `columns` columns (names are refreshed when the schema changes,
            // which cannot happen while it runs).
            if let Err(error) = unsafe { write_row(self.raw, rows, columns, mode, &self.connection) } {
                rows.abort_row();
                self.reset();
                self.state = State::Done;
                return Err(error);
            }
            if self.is_lazy {
                self.state = State::Written;
            } else {
                self.advance()?;
            }
        }
        Ok(())
    }

    /// The next row as values; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Vec<Value>>> {
        if self.state != State::OnRow {
            return Ok(None);
        }
        let shared = &self.connection.shared;
        // SAFETY: on a row of so many columns; the values are copied before the next step.
        let row = (0..self.names.len())
            .map(|column| unsafe {
                #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // counted in 16 bits
                value::to_client(ffi::sqlite3_column_value(self.raw, column as c_int), shared)
            })
            .collect();
        self.advance()?;
        Ok(Some(row))
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

    fn take_keys(&mut self) -> RowKeys {
        match self.keys.take() {
            Some(keys) => keys,
            None if self.connection.string_mode().is_unicode() => {
                let names: Vec<_> = self.names.iter().map(|name| String::from_utf8_lossy(name)).collect();
                RowKeys::new(&names)
            }
            None => RowKeys::from_bytes(&self.names),
        }
    }

    /// A counter of `sqlite3_stmt_status`.
    pub fn status(&self, counter: i32, reset: bool) -> i32 {
        if self.raw.is_null() {
            return 0;
        }
        // SAFETY: a statement of ours; unknown counters are answered with 0 or refused by SQLite.
        unsafe { ffi::sqlite3_stmt_status(self.raw, counter, c_int::from(reset)) }
    }

    /// Its SQL.
    pub fn sql(&self) -> Vec<u8> {
        // SAFETY: a statement of ours, or null; the text lives as long as it.
        let sql = unsafe { ffi::sqlite3_sql(self.raw) };
        if sql.is_null() {
            return Vec::new();
        }
        // SAFETY: a NUL-terminated string.
        unsafe { CStr::from_ptr(sql) }.to_bytes().to_vec()
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        let raw = self.raw;
        // SAFETY: a statement of ours, or null, and the last use of it.
        self.connection.shared.clean(|| unsafe { ffi::sqlite3_finalize(raw) });
    }
}

/// Writes the columns of the current row.
///
/// # Safety
/// `stmt` is on a row of `columns` columns, used by this thread only.
#[inline]
unsafe fn write_row(
    stmt: *mut ffi::sqlite3_stmt,
    rows: &mut RowWriter<'_, '_, '_>,
    columns: usize,
    mode: StringMode,
    connection: &Connection,
) -> Result<()> {
    for column in 0..columns {
        // SAFETY: the caller's promise. The value is valid until the next step; its connection has no mutex that
        // a "protected" value would need.
        let cell = unsafe {
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // SQLite counts columns in 16 bits
            let value = ffi::sqlite3_column_value(stmt, column as c_int);
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => Cell::Int(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Cell::Double(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_NULL => Cell::Null,
                ffi::SQLITE_BLOB => Cell::Bytes(value::bytes(value, false)),
                _ => text_cell(value::bytes(value, true), mode, connection)?,
            }
        };
        rows.cell(cell);
    }
    Ok(())
}

#[inline]
fn text_cell<'t>(text: &'t [u8], mode: StringMode, connection: &Connection) -> Result<Cell<'t>> {
    if !mode.is_unicode() {
        return Ok(Cell::Bytes(text));
    }
    match std::str::from_utf8(text) {
        Ok(text) => Ok(Cell::Text(text)),
        Err(_) => invalid_text(text, mode, connection),
    }
}

#[cold]
fn invalid_text<'t>(text: &'t [u8], mode: StringMode, connection: &Connection) -> Result<Cell<'t>> {
    match mode {
        StringMode::UnicodeStrict => return Err(Error::Croak(INVALID_UTF8.into())),
        StringMode::UnicodeFallback => connection.shared.warn(INVALID_UTF8),
        _ => {}
    }
    Ok(Cell::Bytes(text))
}
