//! Hooks of a connection that the client answers: commits, changes, authorization, progress, traces.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::rc::Rc;

use libsqlite3_sys as ffi;
use storable::Value;

use super::connection::Connection;
use super::error;
use super::host;
use super::shared::{CallbackId, Shared};
use super::value;

/// A running statement looks this often whether its call was cancelled.
const CANCEL_INSTRUCTIONS: i32 = 2_000;

impl Connection {
    /// What hooks get: lives as long as the connection.
    fn hook_data(&self) -> *mut c_void {
        Rc::as_ptr(&self.shared).cast_mut().cast()
    }

    /// Called before a commit; a true answer makes it a rollback. 0: none.
    pub fn commit_hook(&self, id: CallbackId) {
        self.shared.commit_hook.set(id);
        let hook: Option<unsafe extern "C" fn(*mut c_void) -> c_int> = if id == 0 { None } else { Some(commit) };
        // SAFETY: `db` is open; the data lives as long as it.
        unsafe { ffi::sqlite3_commit_hook(self.db, hook, self.hook_data()) };
    }

    /// Called when a transaction rolls back.
    pub fn rollback_hook(&self, id: CallbackId) {
        self.shared.rollback_hook.set(id);
        let hook: Option<unsafe extern "C" fn(*mut c_void)> = if id == 0 { None } else { Some(rollback) };
        // SAFETY: as above.
        unsafe { ffi::sqlite3_rollback_hook(self.db, hook, self.hook_data()) };
    }

    /// Called for each row that changes.
    pub fn update_hook(&self, id: CallbackId) {
        self.shared.update_hook.set(id);
        let hook: Option<Update> = if id == 0 { None } else { Some(update) };
        // SAFETY: as above.
        unsafe { ffi::sqlite3_update_hook(self.db, hook, self.hook_data()) };
    }

    /// Asked while a statement is compiled.
    pub fn set_authorizer(&self, id: CallbackId) -> error::Result<()> {
        self.shared.authorizer.set(id);
        let hook: Option<Authorize> = if id == 0 { None } else { Some(authorize) };
        // SAFETY: as above.
        let rc = unsafe { ffi::sqlite3_set_authorizer(self.db, hook, self.hook_data()) };
        self.check(rc)
    }

    /// Asked every so many instructions; a true answer interrupts.
    pub fn progress_handler(&self, instructions: i32, id: CallbackId) {
        let id = if instructions > 0 { id } else { 0 };
        self.shared.progress.set(id);
        // There is always one: it also ends cancelled calls.
        let instructions = if id == 0 { CANCEL_INSTRUCTIONS } else { instructions };
        // SAFETY: as above.
        unsafe { ffi::sqlite3_progress_handler(self.db, instructions, Some(progress), self.hook_data()) };
    }

    /// Told each statement as it begins.
    pub fn trace(&self, id: CallbackId) {
        self.shared.trace.set(id);
        self.set_trace();
    }

    /// Told each statement as it ends, with the nanoseconds it took.
    pub fn profile(&self, id: CallbackId) {
        self.shared.profile.set(id);
        self.set_trace();
    }

    fn set_trace(&self) {
        let mut mask = 0;
        if self.shared.trace.get() != 0 {
            mask |= ffi::SQLITE_TRACE_STMT;
        }
        if self.shared.profile.get() != 0 {
            mask |= ffi::SQLITE_TRACE_PROFILE;
        }
        let hook: Option<Trace> = if mask == 0 { None } else { Some(trace) };
        // SAFETY: as above.
        unsafe { ffi::sqlite3_trace_v2(self.db, mask, hook, self.hook_data()) };
    }
}

type Update = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, ffi::sqlite3_int64);
type Authorize =
    unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, *const c_char, *const c_char) -> c_int;
type Trace = unsafe extern "C" fn(c_uint, *mut c_void, *mut c_void, *mut c_void) -> c_int;

/// # Safety
/// `data` is what `hook_data` gave, of a connection that is open.
unsafe fn shared<'s>(data: *mut c_void) -> &'s Shared {
    // SAFETY: the caller's promise.
    unsafe { &*data.cast() }
}

/// A name from SQLite for the client.
///
/// # Safety
/// `name` is null or NUL-terminated.
unsafe fn name(name: *const c_char, shared: &Shared) -> Value {
    // SAFETY: the caller's promise.
    match unsafe { error::bytes(name) } {
        Some(name) => value::string(&name, shared),
        None => Value::Undef,
    }
}

/// An answer as an integer: alone, or the only element of an array.
fn integer(answer: &Value) -> Option<i64> {
    let answer = answer.at(0).unwrap_or(answer);
    answer.as_i64().or_else(|| answer.is_undef().then_some(0))
}

fn is_true(answer: &Value) -> bool {
    answer.at(0).unwrap_or(answer).is_true()
}

unsafe extern "C" fn commit(data: *mut c_void) -> c_int {
    // SAFETY: the data of this hook.
    let shared = unsafe { shared(data) };
    match shared.ask(shared.commit_hook.get(), &[]) {
        Some(answer) => is_true(&answer).into(),
        None => 1,
    }
}

unsafe extern "C" fn rollback(data: *mut c_void) {
    // SAFETY: the data of this hook.
    let shared = unsafe { shared(data) };
    host::notify(shared.rollback_hook.get(), &[]);
}

unsafe extern "C" fn update(
    data: *mut c_void,
    action: c_int,
    database: *const c_char,
    table: *const c_char,
    rowid: ffi::sqlite3_int64,
) {
    // SAFETY: the data of this hook; NUL-terminated names.
    unsafe {
        let shared = shared(data);
        let args = [Value::from(action), name(database, shared), name(table, shared), Value::from(rowid)];
        host::notify(shared.update_hook.get(), &args);
    }
}

unsafe extern "C" fn authorize(
    data: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    inner: *const c_char,
) -> c_int {
    // SAFETY: the data of this hook; NUL-terminated names, or null.
    unsafe {
        let shared = shared(data);
        let args = [
            Value::from(action),
            name(first, shared),
            name(second, shared),
            name(database, shared),
            name(inner, shared),
        ];
        match shared.ask(shared.authorizer.get(), &args) {
            // What is no code of SQLite's makes it say "authorizer malfunction".
            Some(answer) => integer(&answer).and_then(|code| c_int::try_from(code).ok()).unwrap_or(-1),
            None => ffi::SQLITE_DENY,
        }
    }
}

unsafe extern "C" fn progress(data: *mut c_void) -> c_int {
    // SAFETY: the data of this hook.
    let shared = unsafe { shared(data) };
    if host::is_cancelled() || shared.failed.borrow().is_some() {
        return 1;
    }
    let id = shared.progress.get();
    if id == 0 {
        return 0;
    }
    match shared.ask(id, &[]) {
        Some(answer) => is_true(&answer).into(),
        None => 1,
    }
}

unsafe extern "C" fn trace(what: c_uint, data: *mut c_void, statement: *mut c_void, detail: *mut c_void) -> c_int {
    // SAFETY: the data of this hook; a statement, and what the manual says that `detail` is for each event.
    unsafe {
        let shared = shared(data);
        if what == ffi::SQLITE_TRACE_STMT {
            let sql = began(statement.cast(), detail.cast());
            host::notify(shared.trace.get(), &[value::string(&sql, shared)]);
        } else if what == ffi::SQLITE_TRACE_PROFILE {
            let sql = name(ffi::sqlite3_sql(statement.cast()), shared);
            let nanoseconds = *detail.cast::<ffi::sqlite3_int64>();
            host::notify(shared.profile.get(), &[sql, Value::from(nanoseconds)]);
        }
    }
    0
}

/// The text of a statement that begins: with its bound values, or the comment that names a trigger.
///
/// # Safety
/// A statement that begins, and the text that comes with the event.
unsafe fn began(statement: *mut ffi::sqlite3_stmt, text: *const c_char) -> Vec<u8> {
    // SAFETY: the caller's promise; the expanded text is ours to free.
    unsafe {
        let plain = if text.is_null() { &[][..] } else { CStr::from_ptr(text).to_bytes() };
        if plain.starts_with(b"--") {
            return plain.to_vec();
        }
        let expanded = ffi::sqlite3_expanded_sql(statement);
        let sql = error::bytes(expanded).unwrap_or_else(|| plain.to_vec());
        ffi::sqlite3_free(expanded.cast());
        sql
    }
}
