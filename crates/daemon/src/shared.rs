//! What other threads may know of a session: the sentinel, `status`, the lifecycle.

use std::os::fd::OwnedFd;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, Release},
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::{CancelSlot, Running};
use crate::client::Client;
use crate::handles::HandleCount;

/// [`Shared::skip`]: the sentinel cannot know where the next frame begins.
pub(crate) const CANNOT_PEEK: usize = usize::MAX;

/// Adds to a counter that only the session's own thread writes: cheaper than `fetch_add`.
pub(crate) fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(by), Release);
}

/// One session, seen from outside of its thread.
pub(crate) struct Shared {
    pub(crate) id: u64,
    pub(crate) started: Instant,
    pub(crate) running: Running,
    pub(crate) slot: Arc<CancelSlot>,
    /// Calls so far; also tells the sentinel whether it is still the same call.
    pub(crate) calls: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    /// The running function's place in the registry.
    pub(crate) function: AtomicUsize,
    /// Bytes in the socket that belong to a frame the session has begun to receive.
    pub(crate) skip: AtomicUsize,
    /// The client closed its socket.
    pub(crate) vanished: AtomicBool,
    /// `calls` at the sentinel's last look.
    pub(crate) seen: AtomicU64,
    /// When the last call ended, in milliseconds after `started`.
    last_call: AtomicU64,
    pub(crate) handles: HandleCount,
    peer: Mutex<Option<Arc<OwnedFd>>>,
    client: Mutex<Arc<Client>>,
}

impl Shared {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            started: Instant::now(),
            running: Running::default(),
            slot: Arc::default(),
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            function: AtomicUsize::new(0),
            skip: AtomicUsize::new(0),
            vanished: AtomicBool::new(false),
            seen: AtomicU64::new(0),
            last_call: AtomicU64::new(0),
            handles: HandleCount::default(),
            peer: Mutex::default(),
            client: Mutex::default(),
        }
    }

    /// The socket of the client, while there is one.
    pub(crate) fn peer(&self) -> Option<Arc<OwnedFd>> {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_peer(&self, peer: Option<Arc<OwnedFd>>) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = peer;
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_client(&self, client: Arc<Client>) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    /// A call ended at `now`.
    pub(crate) fn call_ended(&self, now: Instant) {
        self.last_call.store(millis(now - self.started), Relaxed);
    }

    /// How long the session has not been in a call.
    pub(crate) fn quiet(&self) -> Duration {
        if self.running.seq().is_some() {
            return Duration::ZERO;
        }
        self.started.elapsed().saturating_sub(Duration::from_millis(self.last_call.load(Relaxed)))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
