//! SQL functions and aggregates that the client computes.

use std::ffi::{c_int, c_void};
use std::rc::Rc;

use libsqlite3_sys as ffi;
use storable::Value;

use super::connection::{Connection, c_string};
use super::error::Result;
use super::shared::{CallbackId, Shared};
use super::{host, value};

/// Steps of an aggregate go to the client in batches of so many rows.
const STEPS_PER_CALLBACK: usize = 64;

/// A function or aggregate of the client's.
#[derive(Debug)]
pub(super) struct Function {
    id: CallbackId,
    shared: Rc<Shared>,
}

impl Function {
    pub(super) fn new(id: CallbackId, shared: &Rc<Shared>) -> Self {
        Self { id, shared: Rc::clone(shared) }
    }
}

/// One group that an aggregate works on.
#[derive(Debug)]
struct Group {
    instance: u32,
    steps: Vec<Value>,
}

impl Connection {
    /// Registers a function: `args…` to the client, the value back. Without a callback it is removed.
    pub fn create_function(&self, name: &[u8], args: i32, id: CallbackId, flags: i32) -> Result<()> {
        let call: Option<Call> = if id == 0 { None } else { Some(scalar) };
        self.register(name, args, flags, id, call, None, None)
    }

    /// Registers an aggregate: `step`, group, rows…; `final`, group, rows… for the value; `drop`, group.
    pub fn create_aggregate(&self, name: &[u8], args: i32, id: CallbackId, flags: i32) -> Result<()> {
        if id == 0 {
            return self.register(name, args, flags, id, None, None, None);
        }
        self.register(name, args, flags, id, None, Some(step), Some(finalize))
    }

    #[allow(clippy::too_many_arguments)] // those of the C function
    fn register(
        &self,
        name: &[u8],
        args: i32,
        flags: i32,
        id: CallbackId,
        call: Option<Call>,
        step: Option<Call>,
        finalize: Option<unsafe extern "C" fn(*mut ffi::sqlite3_context)>,
    ) -> Result<()> {
        let name = c_string(name, "the name of a function")?;
        let function = Box::new(Function::new(id, &self.shared));
        // SAFETY: `db` is open; SQLite calls `drop_function` when the function is replaced, the connection closed, or
        // this call fails.
        let rc = unsafe {
            ffi::sqlite3_create_function_v2(
                self.db,
                name.as_ptr(),
                args,
                ffi::SQLITE_UTF8 | flags,
                Box::into_raw(function).cast(),
                call,
                step,
                finalize,
                Some(drop_function),
            )
        };
        self.check(rc)
    }
}

type Call = unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value);

unsafe extern "C" fn drop_function(data: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `register`.
    drop(unsafe { Box::from_raw(data.cast::<Function>()) });
}

/// The function that SQLite calls.
///
/// # Safety
/// `context` is that of a call of a function made by `register`.
unsafe fn function<'f>(context: *mut ffi::sqlite3_context) -> &'f Function {
    // SAFETY: the data given to SQLite in `register`, alive as long as the function is registered.
    unsafe { &*ffi::sqlite3_user_data(context).cast() }
}

/// A scalar function; its user data is a [`Function`].
pub(super) unsafe extern "C" fn scalar(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: what SQLite gives to a function.
    unsafe {
        let function = function(context);
        let args: Vec<Value> = value::arguments(count, values, &function.shared).collect();
        value::set_result(context, host::call(function.id, &args).as_ref(), &function.shared);
    }
}

/// The group of this call; made on its first use.
///
/// # Safety
/// `context` is that of a call of an aggregate made by `register`. The group is used only during that call.
unsafe fn group<'g>(context: *mut ffi::sqlite3_context, shared: &Shared) -> Option<&'g mut Group> {
    let size = c_int::try_from(size_of::<*mut Group>()).unwrap_or(8);
    // SAFETY: SQLite keeps so many bytes for the group, zeros at first; we keep a pointer to a box there.
    unsafe {
        let place: *mut *mut Group = ffi::sqlite3_aggregate_context(context, size).cast();
        if place.is_null() {
            return None;
        }
        if (*place).is_null() {
            let group = Group { instance: shared.next_instance(), steps: Vec::new() };
            *place = Box::into_raw(Box::new(group));
        }
        (*place).as_mut()
    }
}

impl Group {
    /// The message to the client: what to do, for which group, with the rows that have come since the last one.
    fn message(&mut self, what: &str) -> Vec<Value> {
        vec![what.into(), self.instance.into(), Value::Array(std::mem::take(&mut self.steps))]
    }
}

unsafe extern "C" fn step(context: *mut ffi::sqlite3_context, count: c_int, values: *mut *mut ffi::sqlite3_value) {
    // SAFETY: what SQLite gives to an aggregate's step.
    unsafe {
        let function = function(context);
        let Some(group) = group(context, &function.shared) else {
            return ffi::sqlite3_result_error_nomem(context);
        };
        group.steps.push(Value::Array(value::arguments(count, values, &function.shared).collect()));
        if group.steps.len() >= STEPS_PER_CALLBACK {
            let message = group.message("step");
            host::notify(function.id, &message);
        }
    }
}

unsafe extern "C" fn finalize(context: *mut ffi::sqlite3_context) {
    // SAFETY: what SQLite gives to an aggregate's end; it is called once for each group, which goes with it.
    unsafe {
        let function = function(context);
        let Some(group) = group(context, &function.shared) else {
            return ffi::sqlite3_result_error_nomem(context);
        };
        let mut group = Box::from_raw(std::ptr::from_mut(group));
        let place: *mut *mut Group = ffi::sqlite3_aggregate_context(context, 0).cast();
        if !place.is_null() {
            *place = std::ptr::null_mut();
        }
        if function.shared.cleaning.get() {
            group.steps.clear();
            return host::notify(function.id, &group.message("drop"));
        }
        let result = host::call(function.id, &group.message("final"));
        value::set_result(context, result.as_ref(), &function.shared);
    }
}
