//! Polling before sleeping: the shortest answer time while a conversation is hot.
//!
//! Waking a thread on another core takes longer than a small call. So after a reply a
//! session may poll its socket for [`SPIN`] before it sleeps in `recv`, but only while
//!
//! * the conversation is hot: the last request came within that time;
//! * a core is free for it ([`Load`]);
//! * nobody else wants this one: each round of the loop offers it (`sched_yield`), and ends the
//!   loop when somebody took it for long;
//! * it has been of use: after polling in vain once, twice, three times in a row the next 1, 2, 4 … requests
//!   are slept for.

use std::time::{Duration, Instant};

use crate::limits::SPIN;
use crate::load::Load;

/// A round of the loop (one `recv` without waiting, one `sched_yield`) that takes longer than
/// this and brings nothing has run somebody else, and for long.
const PREEMPTED: Duration = Duration::from_micros(100);
/// What waking up takes: a request that came in this time after [`SPIN`] would have been met
/// by polling.
const WAKE_UP: Duration = Duration::from_micros(25);
/// Requests that are slept for after polling in vain, at most.
const MAX_SKIP_COUNT: u32 = 256;

/// Decides how one session waits.
#[derive(Debug, Default)]
pub(crate) struct Spinner {
    /// The last request came soon.
    hot: bool,
    /// Requests to be slept for before the next is polled for.
    skip: u32,
    /// Requests to be slept for when polling is in vain once more.
    penalty: u32,
}

impl Spinner {
    /// Polls with `ready` until it gives something, or polling is not worth it (any more).
    pub(crate) fn poll<T>(
        &mut self,
        load: &Load,
        since: Instant,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Option<(T, Instant)> {
        if !self.hot || !load.core_free(since) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let mut last = since;
        loop {
            let value = ready();
            let now = Instant::now();
            if let Some(value) = value {
                self.penalty = 0;
                return Some((value, now));
            }
            if now - since > SPIN || now - last > PREEMPTED {
                self.in_vain();
                return None;
            }
            last = now;
            rustix::thread::sched_yield();
        }
    }

    fn in_vain(&mut self) {
        self.skip = self.penalty;
        self.penalty = (self.penalty * 2).clamp(1, MAX_SKIP_COUNT);
    }

    /// A request came after `waited`, while this session slept.
    pub(crate) fn slept(&mut self, waited: Duration) {
        self.hot = waited < SPIN + WAKE_UP;
    }
}
