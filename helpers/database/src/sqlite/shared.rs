//! What a connection shares with the functions and hooks that SQLite calls: settings and ids of callbacks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use storable::Value;

use super::host;
use super::text::StringMode;

/// The number of a client's function to call back; 0 means none.
pub type CallbackId = u32;

/// Warnings that wait for the next reply are not kept beyond this many.
const MAX_WARNINGS: usize = 100;

/// The part of a connection that callbacks see.
#[derive(Debug, Default)]
pub struct Shared {
    /// How text passes.
    pub string_mode: Cell<StringMode>,
    /// Whether binds without a type that look like numbers are bound as numbers.
    pub see_number: Cell<bool>,
    /// The text of an exception that SQLite had no place for; becomes the error of the running call.
    pub(super) failed: RefCell<Option<String>>,
    /// What the client should be warned about.
    warnings: RefCell<Vec<String>>,
    /// A statement is being reset: SQLite only cleans up, results are of no use.
    pub(super) cleaning: Cell<bool>,
    /// The number of the last aggregate instance.
    instances: Cell<u32>,
    pub(super) commit_hook: Cell<CallbackId>,
    pub(super) rollback_hook: Cell<CallbackId>,
    pub(super) update_hook: Cell<CallbackId>,
    pub(super) authorizer: Cell<CallbackId>,
    pub(super) progress: Cell<CallbackId>,
    pub(super) trace: Cell<CallbackId>,
    pub(super) profile: Cell<CallbackId>,
    pub(super) collation_needed: Cell<CallbackId>,
    pub(super) tokenizer: Cell<CallbackId>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

/// The connection that this thread works on; see [`Connection::while_current`](super::Connection::while_current).
pub(super) fn current() -> Option<Rc<Shared>> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Puts back what was current before, also when a panic passes.
struct Restore(Option<Rc<Shared>>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        CURRENT.with(|current| *current.borrow_mut() = before);
    }
}

/// Runs `work` with `shared` as the current connection of this thread.
pub(super) fn while_current<R>(shared: &Rc<Shared>, work: impl FnOnce() -> R) -> R {
    let _restore = Restore(CURRENT.with(|current| current.borrow_mut().replace(Rc::clone(shared))));
    work()
}

impl Shared {
    /// Keeps a warning for the client.
    pub fn warn(&self, text: impl Into<String>) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MAX_WARNINGS {
            warnings.push(text.into());
        }
    }

    /// The warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// A new number for an aggregate instance.
    pub(super) fn next_instance(&self) -> u32 {
        let next = self.instances.get().wrapping_add(1);
        self.instances.set(next);
        next
    }

    /// Keeps an error that SQLite has no place for as the error of the running call; the first one counts.
    pub(super) fn fail(&self, text: String) {
        self.failed.borrow_mut().get_or_insert(text);
    }

    /// Calls back for an answer; an exception is kept as the error of the running call.
    pub(super) fn ask(&self, id: CallbackId, args: &[Value]) -> Option<Value> {
        if self.failed.borrow().is_some() {
            return None;
        }
        match host::call(id, args) {
            Ok(answer) => Some(answer),
            Err(text) => {
                self.fail(text);
                None
            }
        }
    }

    /// Runs what makes SQLite clean up a statement.
    pub(super) fn clean<R>(self: &Rc<Self>, work: impl FnOnce() -> R) -> R {
        let before = self.cleaning.replace(true);
        let result = work();
        self.cleaning.set(before);
        result
    }
}
