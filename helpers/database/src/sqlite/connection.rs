//! An open database.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use libsqlite3_sys as ffi;

use super::error::{self, Error, Result};
use super::shared::{self, Shared};
use super::statement::Statement;
use super::text::StringMode;
use super::{collation, vfs};

/// `sqlite3_open_v2` flags when the client gives none.
pub const DEFAULT_FLAGS: i32 = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;

/// What to begin before a statement runs outside of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AutoBegin {
    /// Nothing: every statement is a transaction of its own.
    #[default]
    None,
    /// `BEGIN TRANSACTION`.
    Deferred,
    /// `BEGIN IMMEDIATE TRANSACTION`.
    Immediate,
}

impl AutoBegin {
    /// From the driver's number: 0, 1 or 2.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Deferred,
            2 => Self::Immediate,
            _ => Self::None,
        }
    }

    /// The SQL, if any.
    pub fn sql(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Deferred => Some("BEGIN TRANSACTION"),
            Self::Immediate => Some("BEGIN IMMEDIATE TRANSACTION"),
        }
    }
}

/// A pointer that other threads may only hand to `sqlite3_interrupt`.
struct Interruptible(*mut ffi::sqlite3);

// SAFETY: `sqlite3_interrupt` may be called from any thread while the connection is open, which the mutex around this
// pointer sees to.
unsafe impl Send for Interruptible {}

/// Stops what a connection is doing, from any thread.
#[derive(Clone)]
pub struct Interrupter(Arc<Mutex<Option<Interruptible>>>);

impl Interrupter {
    /// Makes the running statement, if any, end with `SQLITE_INTERRUPT`.
    pub fn interrupt(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = &*open {
            // SAFETY: the connection is open: closing it takes this lock and removes the pointer first.
            unsafe { ffi::sqlite3_interrupt(db.0) };
        }
    }
}

impl std::fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupter")
    }
}

/// Tells states of a database apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Version {
    /// Changes with every change by others.
    pub(super) data: u32,
    /// Rows changed by this connection.
    pub(super) changes: i64,
}

/// An open database. Shared by its statements; closed when the last of them is gone.
#[derive(Debug)]
pub struct Connection {
    pub(super) db: *mut ffi::sqlite3,
    pub(super) shared: Rc<Shared>,
    interrupter: Interrupter,
    begin: Cell<AutoBegin>,
    busy_timeout_ms: Cell<i32>,
    autocommit_told: Cell<Option<bool>>,
}

impl Connection {
    /// Opens `filename` (a path, `:memory:`, the empty name of a temporary database, or a URI).
    pub fn open(filename: &[u8], flags: i32, busy_timeout_ms: i32) -> Result<Rc<Self>> {
        let registered = vfs::register();
        if registered != ffi::SQLITE_OK {
            return Err(Error::from_code(registered));
        }
        let filename = c_string(filename, "the name of the database")?;
        let flags = if flags & (ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_READONLY) == 0 {
            flags | DEFAULT_FLAGS
        } else {
            flags
        };
        // One thread at a time uses a connection (see `confined`), so it needs no mutex.
        let flags = flags & !ffi::SQLITE_OPEN_FULLMUTEX | ffi::SQLITE_OPEN_NOMUTEX;
        let mut db = std::ptr::null_mut();
        // SAFETY: a NUL-terminated name, a place for the handle, the default VFS.
        let rc = unsafe { ffi::sqlite3_open_v2(filename.as_ptr(), &raw mut db, flags, std::ptr::null()) };
        if rc != ffi::SQLITE_OK {
            let error = Error::last(db, rc);
            // SAFETY: a handle that failed to open has to be closed all the same; null is allowed.
            unsafe { ffi::sqlite3_close(db) };
            return Err(error);
        }
        let interrupter = Interrupter(Arc::new(Mutex::new(Some(Interruptible(db)))));
        let connection = Rc::new(Self {
            db,
            shared: Rc::default(),
            interrupter,
            begin: Cell::default(),
            busy_timeout_ms: Cell::new(0),
            autocommit_told: Cell::new(Some(true)),
        });
        connection.set_busy_timeout(busy_timeout_ms);
        connection.progress_handler(0, 0);
        collation::register_perl(&connection)?;
        Ok(connection)
    }

    /// The settings and what waits for the client.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Runs `work` with this as the connection that the thread works on, for callbacks that are not told which.
    pub fn while_current<R>(&self, work: impl FnOnce() -> R) -> R {
        shared::while_current(&self.shared, work)
    }

    /// For stopping it from another thread.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// How text passes.
    pub fn string_mode(&self) -> StringMode {
        self.shared.string_mode.get()
    }

    /// What to begin before statements.
    pub fn auto_begin(&self) -> AutoBegin {
        self.begin.get()
    }

    /// Sets what to begin before statements.
    pub fn set_auto_begin(&self, begin: AutoBegin) {
        self.begin.set(begin);
    }

    /// How long to wait for locks.
    pub fn busy_timeout_ms(&self) -> i32 {
        self.busy_timeout_ms.get()
    }

    /// Sets how long to wait for locks.
    pub fn set_busy_timeout(&self, milliseconds: i32) {
        self.busy_timeout_ms.set(milliseconds.max(0));
        // SAFETY: `db` is open as long as `self` lives.
        unsafe { ffi::sqlite3_busy_timeout(self.db, milliseconds) };
    }

    /// Whether errors carry extended result codes.
    pub fn set_extended_result_codes(&self, on: bool) {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_extended_result_codes(self.db, c_int::from(on)) };
    }

    /// Whether no transaction is open.
    pub fn autocommit(&self) -> bool {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_get_autocommit(self.db) != 0 }
    }

    /// The autocommit state, if the client does not know it yet.
    pub fn autocommit_news(&self) -> Option<bool> {
        let now = self.autocommit();
        (self.autocommit_told.replace(Some(now)) != Some(now)).then_some(now)
    }

    /// A transaction was begun for the client: its state is news even if the statement ends it at once.
    pub fn forget_autocommit_told(&self) {
        self.autocommit_told.set(None);
    }

    /// Rows changed by the last INSERT, UPDATE or DELETE.
    pub fn changes(&self) -> i64 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_changes64(self.db) }
    }

    /// Rows changed since the database was opened.
    pub fn total_changes(&self) -> i64 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_total_changes64(self.db) }
    }

    /// What the main database is now, as far as this connection has read of it.
    pub(super) fn version(&self) -> Version {
        let mut data: u32 = 0;
        // SAFETY: `db` is open; the file control writes an unsigned int.
        unsafe {
            ffi::sqlite3_file_control(
                self.db,
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_DATA_VERSION,
                (&raw mut data).cast(),
            );
        }
        Version { data, changes: self.total_changes() }
    }

    /// A statement on a row of the schema's table: the read transaction lasts at least as long as it.
    pub(super) fn hold_snapshot(self: &Rc<Self>) -> Result<Statement> {
        let (mut statement, _) = Statement::prepare(self, b"SELECT count(*) FROM main.sqlite_master")?;
        statement.start()?;
        Ok(statement)
    }

    /// The rowid of the last INSERT.
    pub fn last_insert_rowid(&self) -> i64 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.db) }
    }

    /// Byte offset of the token the last error is about, or -1.
    pub fn error_offset(&self) -> i32 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_error_offset(self.db) }
    }

    /// `SQLITE_TXN_*` of a database (`None`: the highest of all); -1 if there is none of that name.
    pub fn txn_state(&self, schema: Option<&[u8]>) -> Result<i32> {
        let schema = schema.map(|name| c_string(name, "the name of a schema")).transpose()?;
        let schema = schema.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: `db` is open; a NUL-terminated name or null.
        Ok(unsafe { ffi::sqlite3_txn_state(self.db, schema) })
    }

    /// The file of an attached database; `None` for temporary ones and unknown names.
    pub fn filename(&self, schema: &[u8]) -> Result<Option<Vec<u8>>> {
        let schema = c_string(schema, "the name of a schema")?;
        // SAFETY: `db` is open; the name it returns lives as long as the database is attached.
        Ok(unsafe { error::bytes(ffi::sqlite3_db_filename(self.db, schema.as_ptr())) })
    }

    /// Turns a result code into an error with this connection's message; an exception of a callback, or a cancelled
    /// call, goes first.
    pub(super) fn check(&self, rc: c_int) -> Result<()> {
        if let Some(text) = self.shared.failed.take() {
            return Err(Error::Callback(text));
        }
        match rc {
            ffi::SQLITE_OK | ffi::SQLITE_ROW | ffi::SQLITE_DONE => Ok(()),
            rc => Err(self.failure(rc)),
        }
    }

    #[cold]
    fn failure(&self, rc: c_int) -> Error {
        if super::host::is_cancelled() && matches!(rc & 0xff, ffi::SQLITE_INTERRUPT | ffi::SQLITE_BUSY) {
            return Error::Cancelled;
        }
        Error::last(self.db, rc)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // No interrupt from now on.
        self.interrupter.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.cleaning.set(true);
        // SAFETY: open until here, all our statements are gone (each holds an `Rc` of `self`). The first try ends the
        // virtual tables, with the statements of their own; what an extension left behind is finalized after it. An
        // open transaction rolls back.
        let rc = unsafe {
            let mut rc = ffi::sqlite3_close(self.db);
            if rc == ffi::SQLITE_BUSY {
                while let Some(left) = ffi::sqlite3_next_stmt(self.db, std::ptr::null_mut()).as_mut() {
                    ffi::sqlite3_finalize(left);
                }
                rc = ffi::sqlite3_close(self.db);
            }
            rc
        };
        if rc != ffi::SQLITE_OK {
            tracing::warn!("a SQLite connection could not be closed: {}", error::error_string(rc));
        }
    }
}

/// A NUL-terminated copy; `what` is for the error.
pub(super) fn c_string(bytes: &[u8], what: &str) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::misuse(format!("{what} has a NUL character in it")))
}
