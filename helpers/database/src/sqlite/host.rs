//! Whom SQLite works for at the moment: the client whose call this thread runs.
//!
//! SQLite calls back into us from the middle of a step (functions, hooks, the VFS) with no place for a session among
//! the arguments. So a call [`enter`]s with its session as the [`Host`], and callbacks find it on their thread. While a
//! callback runs, the host belongs to it; the calls that the client makes meanwhile enter anew.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storable::Value;

/// Who answers callbacks.
pub trait Host {
    /// Calls the client's function `id`; its result, or the text of its exception.
    fn call(&mut self, id: u32, args: &[Value]) -> Result<Value, String>;
    /// Calls the client's function `id` without waiting for it.
    fn notify(&mut self, id: u32, args: &[Value]);
}

/// What SQLite has to know about the client besides its calls.
#[derive(Debug, Default)]
pub struct Client {
    /// Its working directory, as it last told.
    pub folder: RefCell<PathBuf>,
    /// Its umask, as it last told.
    pub umask: Cell<u32>,
    /// Its folder for temporary files, if it named one.
    pub temporary: Option<PathBuf>,
    /// Set when the running call is to end (by another thread).
    pub cancelled: Arc<AtomicBool>,
}

thread_local! {
    static HOST: Cell<Option<NonNull<dyn Host>>> = const { Cell::new(None) };
    static CLIENT: RefCell<Option<Rc<Client>>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also when a panic passes.
struct Restore {
    host: Option<NonNull<dyn Host>>,
    client: Option<Rc<Client>>,
}

impl Drop for Restore {
    fn drop(&mut self) {
        HOST.set(self.host.take());
        let client = self.client.take();
        CLIENT.with(|cell| *cell.borrow_mut() = client);
    }
}

/// Runs `work` for `client`, with `host` to answer its callbacks.
pub fn enter<R>(host: &mut dyn Host, client: &Rc<Client>, work: impl FnOnce() -> R) -> R {
    let pointer: NonNull<dyn Host + '_> = NonNull::from(host);
    // SAFETY: only the lifetime is forgotten. The pointer is out of reach again before `host` is, by `Restore`, and
    // nobody else uses `host` while `work` runs, because this function has it borrowed.
    let pointer: NonNull<dyn Host> = unsafe { std::mem::transmute(pointer) };
    let _restore = Restore {
        host: HOST.replace(Some(pointer)),
        client: CLIENT.with(|cell| cell.borrow_mut().replace(Rc::clone(client))),
    };
    work()
}

/// Gives a host back to the thread after a callback, also when a panic passes.
struct GiveBack(NonNull<dyn Host>);

impl Drop for GiveBack {
    fn drop(&mut self) {
        HOST.set(Some(self.0));
    }
}

/// Uses the host of this thread, if there is one and it is not in use by an outer callback. A panic ends here: it must
/// not pass through SQLite's frames, which would end the process.
fn with_host<R>(work: impl FnOnce(&mut dyn Host) -> R) -> Option<std::thread::Result<R>> {
    let pointer = HOST.take()?;
    let mut taken = GiveBack(pointer);
    Some(catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer comes from `enter`, which still runs below us; it was taken off the thread, so that
        // this is the only reference made of it.
        work(unsafe { taken.0.as_mut() })
    })))
}

/// Calls the client's function `id`.
pub(super) fn call(id: u32, args: &[Value]) -> Result<Value, String> {
    match with_host(|host| host.call(id, args)) {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Err("internal error in a callback".to_owned()),
        None => Err("the client of this database connection is gone".to_owned()),
    }
}

/// Calls the client's function `id` without waiting; nothing if the client is gone.
pub(super) fn notify(id: u32, args: &[Value]) {
    if let Some(Err(_)) = with_host(|host| host.notify(id, args)) {
        tracing::error!("a notice to the client was lost in a panic");
    }
}

/// A fact about the client.
pub(super) fn client<R>(fact: impl FnOnce(&Client) -> R) -> Option<R> {
    CLIENT.with(|cell| cell.borrow().as_deref().map(fact))
}

/// Whether the running call is to end.
pub(super) fn is_cancelled() -> bool {
    client(|client| client.cancelled.load(Ordering::Relaxed)).unwrap_or(false)
}
