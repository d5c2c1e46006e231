//! Cancel requests: a connection of their own to the server, so from a thread of their own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A copy of what a cancel request needs to know of a connection.
#[derive(Debug)]
struct Raw(*mut pq_sys::PGcancelConn);

// SAFETY: used under a mutex; it shares nothing with the connection it was made from.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: made by PQcancelCreate, the last use.
        unsafe { pq_sys::PQcancelFinish(self.0) };
    }
}

#[derive(Debug, Default)]
struct State {
    /// A request is on its way.
    is_running: bool,
    /// Requests sent since the last look.
    sent: u32,
}

/// Cancels what a connection's server is doing.
#[derive(Debug)]
pub struct Canceller {
    raw: Mutex<Raw>,
    state: Mutex<State>,
    over: Condvar,
}

impl Canceller {
    /// For a connection.
    ///
    /// # Safety
    /// `connection` is an open connection that this thread uses alone.
    pub(super) unsafe fn new(connection: *mut pq_sys::PGconn) -> Arc<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { pq_sys::PQcancelCreate(connection) };
        Arc::new(Self { raw: Mutex::new(Raw(raw)), state: Mutex::default(), over: Condvar::new() })
    }

    /// Sends a request, without waiting for it; nothing while one is on its way.
    pub fn fire(self: &Arc<Self>) {
        let mut state = self.state();
        if state.is_running {
            return;
        }
        let canceller = Arc::clone(self);
        let started = std::thread::Builder::new().name("pg-cancel".into()).spawn(move || {
            canceller.send();
            canceller.state().is_running = false;
            canceller.over.notify_all();
        });
        if started.is_ok() {
            state.is_running = true;
            state.sent += 1;
        }
    }

    /// Sends a request and waits until the server has taken it, or refused it.
    pub fn send(&self) -> bool {
        let raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        if raw.0.is_null() {
            return false;
        }
        // SAFETY: made by PQcancelCreate, under the lock.
        unsafe {
            let sent = pq_sys::PQcancelBlocking(raw.0) != 0;
            if !sent {
                tracing::debug!("a cancel request failed: {}", super::text(pq_sys::PQcancelErrorMessage(raw.0)));
            }
            pq_sys::PQcancelReset(raw.0);
            sent
        }
    }

    /// Waits until no request is on its way; whether any was sent since the last time. `None` when that took too long.
    pub fn settle(&self, patience: Duration) -> Option<bool> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        while state.is_running {
            let left = deadline.checked_duration_since(Instant::now())?;
            state = self.over.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(std::mem::take(&mut state.sent) > 0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
