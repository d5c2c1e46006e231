//! Ending a query from another thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::target::Target;

/// Ends the running query of one connection, over another.
#[derive(Debug)]
pub struct Killer {
    target: Arc<Target>,
    thread_id: AtomicU32,
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    /// Whether the server was asked since this was last looked at.
    is_sent: bool,
}

impl Killer {
    /// For the connection `thread_id` to `target`.
    pub fn new(target: &Arc<Target>, thread_id: u32) -> Self {
        let target = Arc::clone(target);
        Self { target, thread_id: AtomicU32::new(thread_id), state: Mutex::default(), over: Condvar::new() }
    }

    /// The connection is another one now.
    pub fn follow(&self, thread_id: u32) {
        self.thread_id.store(thread_id, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the server to end the query. Does not wait: connecting may take time, and the thread that cancels watches
    /// other sessions too.
    pub fn fire(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.is_running {
            return;
        }
        let killer = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("mysql-kill".into()).spawn(move || {
            let thread_id = killer.thread_id.load(Ordering::Relaxed);
            if let Err(error) = killer.target.kill_query(thread_id) {
                tracing::warn!("a query could not be ended: {error}");
            }
            killer.lock().is_running = false;
            killer.over.notify_all();
        });
        match spawned {
            Ok(_) => (state.is_running, state.is_sent) = (true, true),
            Err(error) => tracing::warn!("no thread for ending a query: {error}"),
        }
    }

    /// Waits until no request is on its way, so that it cannot hit the next query. Whether there was one.
    pub fn settle(&self) -> bool {
        let mut state = self.lock();
        while state.is_running {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.is_sent)
    }
}
