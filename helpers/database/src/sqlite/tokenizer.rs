//! Tokenizers of FTS3 and FTS4 that the client computes: `tokenize=perl 'Some::function'`.
//!
//! The structures are those of `fts3_tokenizer.h`, as SQLite's manual shows them (<https://sqlite.org/fts3.html>,
//! "Custom Tokenizers"). A tokenizer is made without any data of ours at hand, so it takes the connection that this
//! thread is working on.

use std::ffi::{CStr, c_char, c_int};
use std::rc::Rc;

use libsqlite3_sys as ffi;
use storable::Value;

use super::connection::Connection;
use super::error::{Error, Result};
use super::shared::{self, CallbackId, Shared};
use super::value;

/// The name of the tokenizer in SQL.
const NAME: &[u8] = b"perl";

#[repr(C)]
struct Module {
    version: c_int,
    create: unsafe extern "C" fn(c_int, *const *const c_char, *mut *mut Tokenizer) -> c_int,
    destroy: unsafe extern "C" fn(*mut Tokenizer) -> c_int,
    open: unsafe extern "C" fn(*mut Tokenizer, *const c_char, c_int, *mut *mut Cursor) -> c_int,
    close: unsafe extern "C" fn(*mut Cursor) -> c_int,
    next:
        unsafe extern "C" fn(*mut Cursor, *mut *const c_char, *mut c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int,
}

static MODULE: Module = Module { version: 0, create, destroy, open, close, next };

/// A tokenizer of one table. SQLite fills in the first field.
#[repr(C)]
struct Tokenizer {
    module: *const Module,
    id: CallbackId,
    /// What stands behind `perl` in SQL.
    name: Value,
    shared: Rc<Shared>,
}

/// A text that is being tokenized. SQLite fills in the first field.
#[repr(C)]
struct Cursor {
    tokenizer: *mut Tokenizer,
    tokens: Vec<Token>,
    at: usize,
}

struct Token {
    term: Vec<u8>,
    start: c_int,
    end: c_int,
    position: c_int,
}

impl Connection {
    /// Registers the tokenizer `perl`: `create`, name; `tokenize`, name, text for `[term, start, end, position]`….
    pub fn register_tokenizer(&self, id: CallbackId) -> Result<()> {
        self.shared.tokenizer.set(id);
        let module: *const Module = &raw const MODULE;
        let address = (module as usize).to_ne_bytes();
        let sql = c"select fts3_tokenizer(?, ?)";
        let mut statement = std::ptr::null_mut();
        // SAFETY: `db` is open; bound values are copied; the statement is finalized here. The module that the address
        // leads to is static.
        let rc = unsafe {
            let mut rc = ffi::sqlite3_prepare_v2(self.db, sql.as_ptr(), -1, &raw mut statement, std::ptr::null_mut());
            if rc == ffi::SQLITE_OK {
                let transient = ffi::SQLITE_TRANSIENT();
                ffi::sqlite3_bind_text(statement, 1, NAME.as_ptr().cast(), len(NAME), transient);
                ffi::sqlite3_bind_blob(statement, 2, address.as_ptr().cast(), len(&address), transient);
                ffi::sqlite3_step(statement);
                rc = ffi::sqlite3_finalize(statement);
            }
            rc
        };
        self.check(rc)
    }
}

fn len(bytes: &[u8]) -> c_int {
    c_int::try_from(bytes.len()).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn create(count: c_int, args: *const *const c_char, out: *mut *mut Tokenizer) -> c_int {
    let Some(shared) = shared::current() else { return ffi::SQLITE_ERROR };
    let id = shared.tokenizer.get();
    let name = if count > 0 {
        // SAFETY: FTS gives `count` NUL-terminated arguments.
        unsafe { value::string(CStr::from_ptr(*args).to_bytes(), &shared) }
    } else {
        Value::Undef
    };
    if shared.ask(id, &["create".into(), name.clone()]).is_none() {
        return ffi::SQLITE_ERROR;
    }
    let tokenizer = Box::new(Tokenizer { module: &raw const MODULE, id, name, shared });
    // SAFETY: a place for the result; `destroy` frees it.
    unsafe { *out = Box::into_raw(tokenizer) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn destroy(tokenizer: *mut Tokenizer) -> c_int {
    // SAFETY: made by `create`, destroyed once.
    drop(unsafe { Box::from_raw(tokenizer) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn open(
    tokenizer: *mut Tokenizer,
    input: *const c_char,
    size: c_int,
    out: *mut *mut Cursor,
) -> c_int {
    // SAFETY: a tokenizer of ours; text of `size` bytes, or up to its NUL if that is negative.
    let (this, text) = unsafe {
        let text = match usize::try_from(size) {
            _ if input.is_null() => &[][..],
            Ok(size) => std::slice::from_raw_parts(input.cast::<u8>(), size),
            Err(_) => CStr::from_ptr(input).to_bytes(),
        };
        (&*tokenizer, text)
    };
    let args = ["tokenize".into(), this.name.clone(), value::string(text, &this.shared)];
    let Some(answer) = this.shared.ask(this.id, &args) else { return ffi::SQLITE_ERROR };
    match tokens(&answer) {
        Ok(tokens) => {
            let cursor = Box::new(Cursor { tokenizer, tokens, at: 0 });
            // SAFETY: a place for the result; `close` frees it.
            unsafe { *out = Box::into_raw(cursor) };
            ffi::SQLITE_OK
        }
        Err(error) => {
            this.shared.fail(error.to_string());
            ffi::SQLITE_ERROR
        }
    }
}

/// Reads `[[term, start, end, position]…]`.
fn tokens(answer: &Value) -> Result<Vec<Token>> {
    let wrong = || Error::Callback("a tokenizer must return [term, start, end, position] for each token".into());
    let number = |token: &Value, at: usize| {
        token.at(at).and_then(Value::as_i64).and_then(|number| c_int::try_from(number).ok()).ok_or_else(wrong)
    };
    answer
        .as_array()
        .ok_or_else(wrong)?
        .iter()
        .map(|token| {
            let term = match token.at(0) {
                Some(Value::Int(int)) => int.to_string().into_bytes(),
                Some(term) => term.as_bytes().ok_or_else(wrong)?.to_vec(),
                None => return Err(wrong()),
            };
            Ok(Token { term, start: number(token, 1)?, end: number(token, 2)?, position: number(token, 3)? })
        })
        .collect()
}

unsafe extern "C" fn close(cursor: *mut Cursor) -> c_int {
    // SAFETY: made by `open`, closed once.
    drop(unsafe { Box::from_raw(cursor) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn next(
    cursor: *mut Cursor,
    term: *mut *const c_char,
    size: *mut c_int,
    start: *mut c_int,
    end: *mut c_int,
    position: *mut c_int,
) -> c_int {
    // SAFETY: a cursor of ours; places for the results. The term lives until the cursor is closed.
    unsafe {
        let this = &mut *cursor;
        let Some(token) = this.tokens.get(this.at) else { return ffi::SQLITE_DONE };
        this.at += 1;
        *term = token.term.as_ptr().cast();
        *size = len(&token.term);
        *start = token.start;
        *end = token.end;
        *position = token.position;
    }
    ffi::SQLITE_OK
}
