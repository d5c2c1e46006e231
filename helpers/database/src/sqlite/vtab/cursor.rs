//! Cursors of virtual tables: rows from the client, in batches.

use std::ffi::{CStr, c_char, c_int};

use libsqlite3_sys as ffi;
use storable::Value;

use super::{Table, plan, table};
use crate::sqlite::value;

/// Rows of the first batch.
const FIRST_ROWS: u32 = 16;
/// Rows of a batch at most.
const MAX_ROWS: u32 = 256;

/// A cursor. SQLite fills in and reads the first field.
#[repr(C)]
struct Cursor {
    base: ffi::sqlite3_vtab_cursor,
    number: u32,
    /// The columns that rows have after their rowid.
    columns: Vec<usize>,
    rows: Vec<Value>,
    at: usize,
    /// Whether no rows follow those that are here.
    done: bool,
    batch: u32,
}

/// # Safety
/// `cursor` was made by `open`, and is not yet closed.
unsafe fn cursor<'c>(cursor: *mut ffi::sqlite3_vtab_cursor) -> (&'c mut Cursor, &'c Table) {
    // SAFETY: the caller's promise; `base` is the first field, and points to the cursor's table.
    unsafe {
        let cursor = &mut *cursor.cast::<Cursor>();
        let table = table(cursor.base.pVtab);
        (cursor, table)
    }
}

pub(super) unsafe extern "C" fn open(
    pointer: *mut ffi::sqlite3_vtab,
    out: *mut *mut ffi::sqlite3_vtab_cursor,
) -> c_int {
    // SAFETY: a table of ours, a place for the result; `close` frees it.
    unsafe {
        let table = table(pointer);
        let number = table.cursors.get().wrapping_add(1);
        table.cursors.set(number);
        let rc = table.run("open", [number.into()]);
        if rc == ffi::SQLITE_OK {
            let cursor = Box::new(Cursor {
                base: ffi::sqlite3_vtab_cursor { pVtab: pointer },
                number,
                columns: Vec::new(),
                rows: Vec::new(),
                at: 0,
                done: true,
                batch: FIRST_ROWS,
            });
            *out = Box::into_raw(cursor).cast();
        }
        rc
    }
}

pub(super) unsafe extern "C" fn close(pointer: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: a cursor of ours, not used after this.
    unsafe {
        let (this, table) = cursor(pointer);
        table.tell("close", [this.number.into()]);
        drop(Box::from_raw(pointer.cast::<Cursor>()));
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn filter(
    pointer: *mut ffi::sqlite3_vtab_cursor,
    number: c_int,
    text: *const c_char,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) -> c_int {
    // SAFETY: a cursor of ours, the plan that `best_index` made, `count` values.
    unsafe {
        let (this, table) = cursor(pointer);
        let (columns, text) = plan::decode(if text.is_null() { c"" } else { CStr::from_ptr(text) }, table);
        this.columns = columns;
        this.batch = FIRST_ROWS;
        let args = [
            this.number.into(),
            number.into(),
            text,
            Value::Array(value::arguments(count, values, &table.shared).collect()),
            Value::array(this.columns.iter().map(|&column| column as u64)),
            this.batch.into(),
        ];
        this.take(table, "filter", args)
    }
}

impl Cursor {
    /// Asks for rows and keeps them.
    fn take(&mut self, table: &Table, method: &str, args: impl IntoIterator<Item = Value>) -> c_int {
        self.rows.clear();
        self.at = 0;
        self.done = true;
        let answer = match table.call(method, args) {
            Ok(answer) => answer,
            Err(code) => return code,
        };
        let Value::Array(answer) = answer else {
            return table.fail("a virtual table's rows must come as [done, rows]");
        };
        let mut answer = answer.into_iter();
        self.done = answer.next().is_none_or(|done| done.is_true());
        if let Some(Value::Array(rows)) = answer.next() {
            self.rows = rows;
        }
        // Nothing, but not done: there is no progress to wait for.
        self.done |= self.rows.is_empty();
        self.batch = (self.batch * 4).min(MAX_ROWS);
        ffi::SQLITE_OK
    }
}

pub(super) unsafe extern "C" fn next(pointer: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: a cursor of ours.
    let (this, table) = unsafe { cursor(pointer) };
    this.at += 1;
    if this.at < this.rows.len() || this.done {
        return ffi::SQLITE_OK;
    }
    this.take(table, "next", [this.number.into(), this.batch.into()])
}

pub(super) unsafe extern "C" fn eof(pointer: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: a cursor of ours.
    let (this, _) = unsafe { cursor(pointer) };
    (this.at >= this.rows.len()).into()
}

pub(super) unsafe extern "C" fn column(
    pointer: *mut ffi::sqlite3_vtab_cursor,
    context: *mut ffi::sqlite3_context,
    column: c_int,
) -> c_int {
    // SAFETY: a cursor of ours; the context of this call.
    unsafe {
        let (this, table) = cursor(pointer);
        let place = usize::try_from(column).ok().and_then(|column| this.columns.binary_search(&column).ok());
        let cell = place.and_then(|place| this.rows.get(this.at)?.at(place + 1));
        match cell {
            Some(cell) => value::set_result(context, Ok(cell), &table.shared),
            None => ffi::sqlite3_result_null(context),
        }
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn rowid(pointer: *mut ffi::sqlite3_vtab_cursor, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: a cursor of ours; a place for the result.
    unsafe {
        let (this, table) = cursor(pointer);
        match this.rows.get(this.at).and_then(|row| row.at(0)).and_then(Value::as_i64) {
            Some(rowid) => {
                *out = rowid;
                ffi::SQLITE_OK
            }
            None => table.fail("a row of a virtual table has no rowid"),
        }
    }
}
