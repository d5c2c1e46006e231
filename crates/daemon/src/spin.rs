//! Polling before sleeping: the shortest answer time while a conversation is hot.
//!
//! Waking a sleeping thread takes longer than a small call. So after a reply a session
//! polls its socket for [`SPIN`] before it sleeps in `recv`, but only while
//!
//! * the conversation is hot: the last request came within that time;
//! * a core is free for it: fewer sessions are active than there are cores;
//! * nobody else wanted the core: each round of the loop offers it (`sched_yield`), and
//!   a round that took long means that somebody took it. Then the session does not
//!   poll again for a while.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::limits::SPIN;

/// A round of the loop that takes longer was interrupted by another thread.
const PREEMPTED: Duration = Duration::from_micros(8);
/// Requests that are waited for asleep after the core was wanted by others.
const REST: u32 = 64;

/// How many sessions are awake, against the number of cores.
#[derive(Debug)]
pub(crate) struct Load {
    active: AtomicUsize,
    cores: usize,
}

impl Load {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { active: AtomicUsize::new(0), cores }
    }

    /// A session wakes up.
    pub(crate) fn wake(&self) {
        self.active.fetch_add(1, Relaxed);
    }

    /// A session goes to sleep.
    pub(crate) fn sleep(&self) {
        self.active.fetch_sub(1, Relaxed);
    }

    /// Whether a core is left for the client when this session keeps its own.
    fn core_free(&self) -> bool {
        self.active.load(Relaxed) < self.cores
    }
}

/// Whether one session should poll.
#[derive(Debug, Default)]
pub(crate) struct Spinner {
    hot: bool,
    rest: u32,
}

impl Spinner {
    /// Polls with `ready` until it gives something, or polling is not worth it (any more).
    pub(crate) fn poll<T>(&mut self, load: &Load, since: Instant, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        if !self.hot || !load.core_free() {
            return None;
        }
        let mut last = since;
        loop {
            if let Some(value) = ready() {
                return Some(value);
            }
            rustix::thread::sched_yield();
            let now = Instant::now();
            if now - last > PREEMPTED {
                self.rest = REST;
                self.hot = false;
                return None;
            }
            if now - since > SPIN {
                self.hot = false;
                return None;
            }
            last = now;
        }
    }

    /// A request came after `waited`, while this session slept.
    pub(crate) fn slept(&mut self, waited: Duration) {
        self.rest = self.rest.saturating_sub(1);
        // Waking up is part of what was waited for; polling would have met it earlier.
        self.hot = self.rest == 0 && waited < SPIN * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(cores: usize) -> Load {
        let load = Load { active: AtomicUsize::new(0), cores };
        load.wake();
        load
    }

    #[test]
    fn a_cold_conversation_is_not_polled() {
        let mut spinner = Spinner::default();
        assert!(spinner.poll(&load(2), Instant::now(), || Some(1)).is_none());
        spinner.slept(Duration::from_micros(20));
        assert_eq!(spinner.poll(&load(2), Instant::now(), || Some(1)), Some(1));
    }

    #[test]
    fn polling_ends_and_leaves_the_conversation_cold() {
        let mut spinner = Spinner { hot: true, rest: 0 };
        assert!(spinner.poll(&load(2), Instant::now(), || None::<()>).is_none());
        assert!(spinner.poll(&load(2), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn nobody_polls_when_every_core_has_its_session() {
        let mut spinner = Spinner { hot: true, rest: 0 };
        assert!(spinner.poll(&load(1), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn whoever_was_interrupted_rests() {
        let mut spinner = Spinner { hot: true, rest: 0 };
        let slow = || {
            std::thread::sleep(PREEMPTED * 2);
            None::<()>
        };
        assert!(spinner.poll(&load(2), Instant::now(), slow).is_none());
        for _ in 1..REST {
            spinner.slept(Duration::ZERO);
            assert!(!spinner.hot);
        }
        spinner.slept(Duration::ZERO);
        assert!(spinner.hot);
    }
}
