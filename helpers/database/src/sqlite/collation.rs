//! Collations: the client's, and `perl`, which needs no client.

use std::cmp::Ordering;
use std::ffi::{c_int, c_void};
use std::rc::Rc;

use libsqlite3_sys as ffi;

use super::connection::{Connection, c_string};
use super::error::{self, Result};
use super::shared::{CallbackId, Shared};
use super::value;

/// A collation that the client computes.
struct Collation {
    id: CallbackId,
    shared: Rc<Shared>,
}

/// Makes `perl` (Perl's `cmp`) known: it compares characters, which in UTF-8 is to compare bytes.
pub(super) fn register_perl(connection: &Connection) -> Result<()> {
    register(connection, b"perl", None)
}

impl Connection {
    /// Registers a collation; without a callback, the comparison of bytes.
    pub fn create_collation(&self, name: &[u8], id: CallbackId) -> Result<()> {
        let collation = (id != 0).then(|| Collation { id, shared: Rc::clone(&self.shared) });
        register(self, name, collation)
    }

    /// Sets what is called when a statement names a collation that is not known; 0 for nothing.
    pub fn collation_needed(&self, id: CallbackId) -> Result<()> {
        self.shared.collation_needed.set(id);
        let callback: Option<unsafe extern "C" fn(*mut c_void, *mut ffi::sqlite3, c_int, *const std::ffi::c_char)> =
            if id == 0 { None } else { Some(needed) };
        // SAFETY: `db` is open; `shared` lives as long as the connection.
        let rc =
            unsafe { ffi::sqlite3_collation_needed(self.db, Rc::as_ptr(&self.shared).cast_mut().cast(), callback) };
        self.check(rc)
    }
}

fn register(connection: &Connection, name: &[u8], collation: Option<Collation>) -> Result<()> {
    let name = c_string(name, "the name of a collation")?;
    let (data, compare, destroy): (*mut c_void, Compare, Option<unsafe extern "C" fn(*mut c_void)>) = match collation {
        None => (std::ptr::null_mut(), by_bytes, None),
        Some(collation) => (Box::into_raw(Box::new(collation)).cast(), by_client, Some(drop_collation)),
    };
    // SAFETY: `db` is open; SQLite calls `destroy` when the collation is replaced or the connection closed.
    let rc = unsafe {
        ffi::sqlite3_create_collation_v2(connection.db, name.as_ptr(), ffi::SQLITE_UTF8, data, Some(compare), destroy)
    };
    if rc != ffi::SQLITE_OK
        && let Some(destroy) = destroy
    {
        // SAFETY: SQLite does not call `destroy` for a collation that it refused (its manual, on this function).
        unsafe { destroy(data) };
    }
    connection.check(rc)
}

type Compare = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, c_int, *const c_void) -> c_int;

unsafe extern "C" fn drop_collation(data: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `register`.
    drop(unsafe { Box::from_raw(data.cast::<Collation>()) });
}

/// # Safety
/// `text` has `len` bytes.
unsafe fn slice<'t>(text: *const c_void, len: c_int) -> &'t [u8] {
    match usize::try_from(len) {
        // SAFETY: the caller's promise.
        Ok(len) if len > 0 => unsafe { std::slice::from_raw_parts(text.cast(), len) },
        _ => &[],
    }
}

unsafe extern "C" fn by_bytes(_: *mut c_void, a_len: c_int, a: *const c_void, b_len: c_int, b: *const c_void) -> c_int {
    // SAFETY: SQLite gives two texts with their lengths.
    let (a, b) = unsafe { (slice(a, a_len), slice(b, b_len)) };
    a.cmp(b) as c_int
}

unsafe extern "C" fn by_client(
    data: *mut c_void,
    a_len: c_int,
    a: *const c_void,
    b_len: c_int,
    b: *const c_void,
) -> c_int {
    // SAFETY: `data` is the collation of `register`, not dropped while SQLite uses it; two texts with their lengths.
    let (collation, a, b) = unsafe { (&*data.cast::<Collation>(), slice(a, a_len), slice(b, b_len)) };
    let args = [value::string(a, &collation.shared), value::string(b, &collation.shared)];
    // A failure has been kept as the call's error, and ends it (see `hooks::progress`).
    let Some(answer) = collation.shared.ask(collation.id, &args) else { return 0 };
    let answer = answer.at(0).unwrap_or(&answer).as_f64().unwrap_or(0.0);
    match answer.partial_cmp(&0.0) {
        Some(Ordering::Less) => -1,
        Some(Ordering::Greater) => 1,
        _ => 0,
    }
}

unsafe extern "C" fn needed(data: *mut c_void, _: *mut ffi::sqlite3, _: c_int, name: *const std::ffi::c_char) {
    // SAFETY: `data` is the connection's `Shared`, which lives as long as it; a NUL-terminated name.
    let (shared, name) = unsafe { (&*data.cast::<Shared>(), error::bytes(name)) };
    if let Some(name) = name {
        // The client registers the collation by a call of its own meanwhile.
        shared.ask(shared.collation_needed.get(), &[value::string(&name, shared)]);
    }
}
