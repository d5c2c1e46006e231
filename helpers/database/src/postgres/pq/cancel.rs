//! Cancel requests: a connection of their own to the server, so from a thread of their own.

use std::ffi::{c_char, c_int};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::library::{Cancel, Cancelling, Library, OldCancel};

/// A copy of what a cancel request needs to know of a connection, and the functions for it.
#[derive(Debug)]
enum Raw {
    New(*mut pq_sys::PGcancelConn, &'static Cancel),
    Old(*mut pq_sys::PGcancel, &'static OldCancel),
}

// SAFETY: used under a mutex; it shares nothing with the connection it was made from.
unsafe impl Send for Raw {}

impl Raw {
    /// # Safety
    /// `connection` is an open connection of `library` that this thread uses alone.
    unsafe fn new(library: &'static Library, connection: *mut pq_sys::PGconn) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match &library.cancelling {
                Cancelling::New(functions) => Self::New((functions.PQcancelCreate)(connection), functions),
                Cancelling::Old(functions) => Self::Old((functions.PQgetCancel)(connection), functions),
            }
        }
    }

    /// Sends a request and waits until the server has taken it, or refused it; what is wrong if it did not.
    fn send(&mut self) -> Result<(), String> {
        // SAFETY: made by these functions, and nobody else's: the mutex is held. The text is written within its length,
        // and ends with a NUL.
        unsafe {
            match *self {
                Self::New(raw, _) if raw.is_null() => Err("out of memory".into()),
                Self::Old(raw, _) if raw.is_null() => Err("out of memory".into()),
                Self::New(raw, functions) => {
                    let sent = (functions.PQcancelBlocking)(raw) != 0;
                    let result = if sent { Ok(()) } else { Err(super::text((functions.PQcancelErrorMessage)(raw))) };
                    (functions.PQcancelReset)(raw);
                    result
                }
                Self::Old(raw, functions) => {
                    const TEXT_BYTES: c_int = 256;
                    let mut text: [c_char; TEXT_BYTES as usize] = [0; TEXT_BYTES as usize];
                    let sent = (functions.PQcancel)(raw, text.as_mut_ptr(), TEXT_BYTES) != 0;
                    if sent { Ok(()) } else { Err(super::text(text.as_ptr())) }
                }
            }
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: made by these functions, the last use; null is allowed.
        unsafe {
            match *self {
                Self::New(raw, functions) => (functions.PQcancelFinish)(raw),
                Self::Old(raw, functions) => (functions.PQfreeCancel)(raw),
            }
        }
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
    /// `connection` is an open connection of `library` that this thread uses alone.
    pub(super) unsafe fn new(library: &'static Library, connection: *mut pq_sys::PGconn) -> Arc<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { Raw::new(library, connection) };
        Arc::new(Self { raw: Mutex::new(raw), state: Mutex::default(), over: Condvar::new() })
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
        let sent = self.raw.lock().unwrap_or_else(PoisonError::into_inner).send();
        sent.inspect_err(|text| tracing::debug!("a cancel request failed: {text}")).is_ok()
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
