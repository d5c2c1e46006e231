//! Online backup between two connections.

use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;

use super::connection::{Connection, c_string};
use super::error::{Error, Result};
use super::host;

/// Pages copied between two looks at whether the call was cancelled.
const PAGES_PER_STEP: i32 = 1024;
/// How long to wait before a locked database is tried again.
const RETRY_MILLISECONDS: u64 = 20;

impl Connection {
    /// Copies the database `from_schema` of `from` over `to_schema` of this connection. Waits for locks as long as
    /// this connection's busy timeout says.
    pub fn backup(&self, to_schema: &[u8], from: &Self, from_schema: &[u8]) -> Result<()> {
        let to_name = c_string(to_schema, "the name of a schema")?;
        let from_name = c_string(from_schema, "the name of a schema")?;
        // SAFETY: two open connections, used by this thread; NUL-terminated names.
        let backup = unsafe { ffi::sqlite3_backup_init(self.db, to_name.as_ptr(), from.db, from_name.as_ptr()) };
        if backup.is_null() {
            // SAFETY: `db` is open.
            let code = unsafe { ffi::sqlite3_extended_errcode(self.db) };
            return Err(Error::last(self.db, code));
        }
        let copied = self.copy(backup);
        // SAFETY: the backup made above, ended once.
        let rc = unsafe { ffi::sqlite3_backup_finish(backup) };
        copied.and_then(|()| self.check(rc))
    }

    fn copy(&self, backup: *mut ffi::sqlite3_backup) -> Result<()> {
        let patience = Duration::from_millis(u64::try_from(self.busy_timeout_ms()).unwrap_or(0));
        let begin = Instant::now();
        loop {
            // SAFETY: a backup that is not finished.
            let rc = unsafe { ffi::sqlite3_backup_step(backup, PAGES_PER_STEP) };
            if host::is_cancelled() {
                return Err(Error::Cancelled);
            }
            match rc {
                ffi::SQLITE_DONE => return Ok(()),
                ffi::SQLITE_OK => {}
                ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED if begin.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(RETRY_MILLISECONDS));
                }
                rc => return Err(Error::from_code(rc)),
            }
        }
    }
}
