//! How sessions and signals reach the lifecycle: a state, and a descriptor to wake it with.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// What the daemon is about to do. Only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Serves.
    Serving = 0,
    /// A newer daemon takes over: no new sessions, those that are there go on as long as they like.
    HandingOver = 1,
    /// Told to end: no new sessions, those that are there are given a bounded time.
    Stopping = 2,
}

/// The state, and the way to wake the lifecycle's thread.
#[derive(Debug)]
pub(crate) struct Control {
    phase: AtomicU8,
    withdrawn: AtomicBool,
    wake: OwnedFd,
    connections: AtomicUsize,
}

impl Control {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(Phase::Serving as u8),
            withdrawn: AtomicBool::new(false),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            connections: AtomicUsize::new(0),
        })
    }

    /// A connection was accepted.
    pub(crate) fn connection_begins(&self) {
        self.connections.fetch_add(1, Ordering::AcqRel);
    }

    /// A connection and its session are over.
    pub(crate) fn connection_ends(&self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
        self.wake();
    }

    /// How many connections are served.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Serving,
            1 => Phase::HandingOver,
            _ => Phase::Stopping,
        }
    }

    /// Asks the lifecycle for this phase, unless it is further already.
    pub(crate) fn ask(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
        self.wake();
    }

    /// Wakes the lifecycle's thread, so that it looks at the state and the sessions.
    pub(crate) fn wake(&self) {
        // Fails only when the counter is full, and then the thread is being woken already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// The other end of [`Control::wake`].
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Forgets what [`Control::wake`] has written.
    pub(crate) fn drain(&self) {
        let mut count = [0_u8; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
    }

    /// The socket is gone: whoever connects now does not reach this daemon.
    pub(crate) fn set_withdrawn(&self) {
        self.withdrawn.store(true, Ordering::Release);
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Acquire)
    }
}
