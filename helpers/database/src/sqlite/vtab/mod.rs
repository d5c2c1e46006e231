//! Virtual tables that the client computes.
//!
//! The client's one function gets a method and what it is about. Tables and cursors are numbers, chosen here. Rows
//! come in batches, with just the columns that the plan uses (`cursor.rs`); `plan.rs` is the choice of a plan.
//!
//! | method                           | with                                            | answers                     |
//! |----------------------------------|-------------------------------------------------|-----------------------------|
//! | `create`, `connect`              | table, module, database, name, `[args]`         | `[CREATE TABLE …]`          |
//! | `drop`, `disconnect`             | table                                           | nothing                     |
//! | `best_index`                     | table, constraints, orders                      | the plan                    |
//! | `open`, `close`                  | table, cursor                                   | nothing                     |
//! | `filter`                         | table, cursor, number, string, values, columns, rows at most | `[done, rows]` |
//! | `next`                           | table, cursor, rows at most                     | `[done, rows]`              |
//! | `update`                         | table, arguments of `xUpdate`                   | `[rowid]`                   |
//! | `begin` `sync` `commit` `rollback` | table                                         | nothing                     |
//! | `savepoint` `release` `rollback_to` | table, number                                | nothing                     |
//! | `rename`                         | table, name                                     | nothing                     |
//! | `find_function`                  | table, number of arguments, name                | `[callback]`                |
//! | `destroy_module`                 |                                                 | nothing                     |

mod cursor;
mod plan;

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::rc::Rc;

use libsqlite3_sys as ffi;
use storable::Value;

use super::connection::{Connection, c_string};
use super::error::{self, Result};
use super::function::{Function, scalar};
use super::shared::{CallbackId, Shared};
use super::{host, value};

/// A module of the client's, under which tables are made.
struct Module {
    id: CallbackId,
    shared: Rc<Shared>,
}

/// A table. SQLite fills in and reads the first field.
#[repr(C)]
struct Table {
    base: ffi::sqlite3_vtab,
    number: u32,
    id: CallbackId,
    shared: Rc<Shared>,
    /// The declaration; its columns are counted when a plan needs to know.
    declaration: String,
    columns: Cell<Option<usize>>,
    cursors: Cell<u32>,
    /// Functions that the table overloads; SQLite keeps pointers to them.
    #[allow(clippy::vec_box)] // they must not move
    functions: RefCell<Vec<Box<Function>>>,
}

impl Connection {
    /// Registers a module; without a callback it is removed.
    pub fn create_module(&self, name: &[u8], id: CallbackId) -> Result<()> {
        let name = c_string(name, "the name of a module")?;
        let module = Box::new(Module { id, shared: Rc::clone(&self.shared) });
        let methods: *const ffi::sqlite3_module = if id == 0 { std::ptr::null() } else { &raw const METHODS };
        // SAFETY: `db` is open; the methods are static; SQLite calls `drop_module` when the module goes, also when
        // this call fails.
        let rc = unsafe {
            ffi::sqlite3_create_module_v2(
                self.db,
                name.as_ptr(),
                methods,
                Box::into_raw(module).cast(),
                Some(drop_module),
            )
        };
        self.check(rc)
    }
}

static METHODS: ffi::sqlite3_module = ffi::sqlite3_module {
    iVersion: 2,
    xCreate: Some(create),
    xConnect: Some(connect),
    xBestIndex: Some(plan::best_index),
    xDisconnect: Some(disconnect),
    xDestroy: Some(destroy),
    xOpen: Some(cursor::open),
    xClose: Some(cursor::close),
    xFilter: Some(cursor::filter),
    xNext: Some(cursor::next),
    xEof: Some(cursor::eof),
    xColumn: Some(cursor::column),
    xRowid: Some(cursor::rowid),
    xUpdate: Some(update),
    xBegin: Some(begin),
    xSync: Some(sync),
    xCommit: Some(commit),
    xRollback: Some(rollback),
    xFindFunction: Some(find_function),
    xRename: Some(rename),
    xSavepoint: Some(savepoint),
    xRelease: Some(release),
    xRollbackTo: Some(rollback_to),
    xShadowName: None,
    xIntegrity: None,
};

unsafe extern "C" fn drop_module(data: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `create_module`.
    let module = unsafe { Box::from_raw(data.cast::<Module>()) };
    if module.id != 0 {
        host::notify(module.id, &["destroy_module".into()]);
    }
}

/// The table behind SQLite's pointer.
///
/// # Safety
/// `table` was made by `make`, and is not yet destroyed.
unsafe fn table<'t>(table: *mut ffi::sqlite3_vtab) -> &'t Table {
    // SAFETY: the caller's promise; `base` is the first field.
    unsafe { &*table.cast() }
}

/// Text in memory of SQLite's, which it frees.
fn sqlite_text(text: &str) -> *mut c_char {
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    // SAFETY: a format for one NUL-terminated string.
    unsafe { ffi::sqlite3_mprintf(c"%s".as_ptr(), text.as_ptr()) }
}

impl Table {
    /// Calls a method; an exception becomes SQLite's error text for this table.
    fn call(&self, method: &str, args: impl IntoIterator<Item = Value>) -> std::result::Result<Value, c_int> {
        let mut message = vec![method.into(), self.number.into()];
        message.extend(args);
        host::call(self.id, &message).map_err(|text| self.fail(&text))
    }

    /// The same for the methods whose answer is only a result code.
    fn run(&self, method: &str, args: impl IntoIterator<Item = Value>) -> c_int {
        self.call(method, args).map_or_else(|code| code, |_| ffi::SQLITE_OK)
    }

    /// Leaves a text for SQLite's error.
    fn fail(&self, text: &str) -> c_int {
        let base: *mut ffi::sqlite3_vtab = (&raw const self.base).cast_mut();
        // SAFETY: SQLite shares this field with us: its text is freed by whoever replaces it. We are inside a method
        // of this table, so nobody else looks at it.
        unsafe {
            ffi::sqlite3_free((*base).zErrMsg.cast());
            (*base).zErrMsg = sqlite_text(text);
        }
        ffi::SQLITE_ERROR
    }

    /// Tells the client something that it cannot refuse.
    fn tell(&self, method: &str, args: impl IntoIterator<Item = Value>) {
        let mut message = vec![method.into(), self.number.into()];
        message.extend(args);
        host::notify(self.id, &message);
    }
}

unsafe extern "C" fn create(
    db: *mut ffi::sqlite3,
    data: *mut c_void,
    count: c_int,
    args: *const *const c_char,
    out: *mut *mut ffi::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    // SAFETY: SQLite's arguments, handed on.
    unsafe { make("create", db, data, count, args, out, message) }
}

unsafe extern "C" fn connect(
    db: *mut ffi::sqlite3,
    data: *mut c_void,
    count: c_int,
    args: *const *const c_char,
    out: *mut *mut ffi::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    // SAFETY: SQLite's arguments, handed on.
    unsafe { make("connect", db, data, count, args, out, message) }
}

/// Makes a table.
///
/// # Safety
/// The arguments of `xCreate` or `xConnect`.
unsafe fn make(
    method: &str,
    db: *mut ffi::sqlite3,
    data: *mut c_void,
    count: c_int,
    args: *const *const c_char,
    out: *mut *mut ffi::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    // SAFETY: the caller's promise: the module of `create_module`, `count` NUL-terminated arguments, places for results.
    unsafe {
        let module = &*data.cast::<Module>();
        let number = module.shared.next_instance();
        let count = usize::try_from(count).unwrap_or(0);
        let mut names =
            (0..count).map(|index| value::string(CStr::from_ptr(*args.add(index)).to_bytes(), &module.shared));
        let mut call = vec![method.into(), number.into()];
        call.extend(names.by_ref().take(3));
        call.push(Value::Array(names.collect()));
        let declaration = host::call(module.id, &call).and_then(|answer| {
            let text = answer.at(0).unwrap_or(&answer).as_str().map(str::to_owned);
            text.ok_or_else(|| "a virtual table must declare itself with CREATE TABLE".to_owned())
        });
        let declaration = match declaration {
            Ok(declaration) => declaration,
            Err(text) => {
                *message = sqlite_text(&text);
                return ffi::SQLITE_ERROR;
            }
        };
        let sql = CString::new(declaration.as_str()).unwrap_or_default();
        let rc = ffi::sqlite3_declare_vtab(db, sql.as_ptr());
        if rc != ffi::SQLITE_OK {
            *message = sqlite_text(&error::text(ffi::sqlite3_errmsg(db)).unwrap_or_default());
            return rc;
        }
        let table = Box::new(Table {
            base: ffi::sqlite3_vtab { pModule: std::ptr::null(), nRef: 0, zErrMsg: std::ptr::null_mut() },
            number,
            id: module.id,
            shared: Rc::clone(&module.shared),
            declaration,
            columns: Cell::new(None),
            cursors: Cell::new(0),
            functions: RefCell::default(),
        });
        *out = Box::into_raw(table).cast();
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn disconnect(pointer: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: a table of ours, not used after this.
    unsafe {
        table(pointer).tell("disconnect", []);
        drop(Box::from_raw(pointer.cast::<Table>()));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn destroy(pointer: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: a table of ours, not used after this if we say that it is gone.
    unsafe {
        let rc = table(pointer).run("drop", []);
        if rc == ffi::SQLITE_OK {
            drop(Box::from_raw(pointer.cast::<Table>()));
        }
        rc
    }
}

unsafe extern "C" fn update(
    pointer: *mut ffi::sqlite3_vtab,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
    rowid: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: a table of ours, `count` values, a place for the rowid.
    unsafe {
        let table = table(pointer);
        let args = value::arguments(count, values, &table.shared).collect();
        match table.call("update", [Value::Array(args)]) {
            Ok(answer) => {
                if let Some(number) = answer.at(0).unwrap_or(&answer).as_i64() {
                    *rowid = number;
                }
                ffi::SQLITE_OK
            }
            Err(code) => code,
        }
    }
}

macro_rules! plain {
    ($($name:ident $(, $number:ident)?;)*) => {
        $(unsafe extern "C" fn $name(pointer: *mut ffi::sqlite3_vtab $(, $number: c_int)?) -> c_int {
            // SAFETY: a table of ours.
            unsafe { table(pointer) }.run(stringify!($name), [$(Value::from($number))?])
        })*
    };
}

plain! {
    begin;
    sync;
    commit;
    rollback;
    savepoint, number;
    release, number;
    rollback_to, number;
}

unsafe extern "C" fn rename(pointer: *mut ffi::sqlite3_vtab, name: *const c_char) -> c_int {
    // SAFETY: a table of ours, a NUL-terminated name.
    unsafe {
        let table = table(pointer);
        let name = error::bytes(name).unwrap_or_default();
        table.run("rename", [value::string(&name, &table.shared)])
    }
}

type Scalar = unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value);

unsafe extern "C" fn find_function(
    pointer: *mut ffi::sqlite3_vtab,
    count: c_int,
    name: *const c_char,
    function: *mut Option<Scalar>,
    data: *mut *mut c_void,
) -> c_int {
    // SAFETY: a table of ours, a NUL-terminated name, places for results. The function's data lives as long as the
    // table, which is as long as SQLite may call it.
    unsafe {
        let table = table(pointer);
        let name = value::string(&error::bytes(name).unwrap_or_default(), &table.shared);
        let Ok(answer) = table.call("find_function", [count.into(), name]) else { return 0 };
        let id = answer.at(0).unwrap_or(&answer).as_i64().and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
        if id == 0 {
            return 0;
        }
        let found = Box::new(Function::new(id, &table.shared));
        *function = Some(scalar);
        *data = (&raw const *found).cast_mut().cast();
        table.functions.borrow_mut().push(found);
        1
    }
}
