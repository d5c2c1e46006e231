//! Polling before sleeping: the shortest answer time while a conversation is hot.
//!
//! Waking a sleeping thread takes longer than a small call. So after a reply a session
//! polls its socket for [`SPIN`] before it sleeps in `recv`, but only while
//!
//! * the conversation is hot: the last request came within that time;
//! * a core is free for it: fewer sessions are active than there are cores;
//! * nobody else wanted the core: each round of the loop offers it (`sched_yield`), and
//!   a round that took long means that somebody took it; a request that comes as soon as
//!   the session sleeps means that the client had waited for this very core. Then the session
//!   does not poll for a while, and for twice as long each further time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::limits::SPIN;

/// A round of the loop (one `recv` without waiting, one `sched_yield`) that takes longer than
/// this has run another thread.
const PREEMPTED: Duration = Duration::from_micros(2);
/// Requests that are waited for asleep after the core was wanted by others, at first and at most.
const MIN_REST: u32 = 16;
const MAX_REST: u32 = 4096;
/// What waking up takes: a request that came in this time after [`SPIN`] would have been met
/// by polling.
const WAKE_UP: Duration = Duration::from_micros(25);

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
#[derive(Debug)]
pub(crate) struct Spinner {
    /// The last request came soon.
    hot: bool,
    /// It was polled for in vain before this sleep.
    polled: bool,
    /// Requests not to poll for, because the core is wanted by others.
    rest: u32,
    /// How long the next such rest is.
    next_rest: u32,
}

impl Default for Spinner {
    fn default() -> Self {
        Self { hot: false, polled: false, rest: 0, next_rest: MIN_REST }
    }
}

impl Spinner {
    /// Polls with `ready` until it gives something, or polling is not worth it (any more).
    pub(crate) fn poll<T>(
        &mut self,
        load: &Load,
        since: Instant,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Option<(T, Instant)> {
        if !self.hot || !load.core_free() {
            return None;
        }
        let mut last = Instant::now();
        loop {
            if let Some(value) = ready() {
                self.next_rest = (self.next_rest - self.next_rest / 8).max(MIN_REST);
                return Some((value, Instant::now()));
            }
            rustix::thread::sched_yield();
            let now = Instant::now();
            if now - last > PREEMPTED {
                self.take_rest();
                self.hot = false;
                return None;
            }
            if now - since > SPIN {
                self.polled = true;
                return None;
            }
            last = now;
        }
    }

    /// A request came after `waited`, while this session slept.
    pub(crate) fn slept(&mut self, waited: Duration) {
        if std::mem::take(&mut self.polled) && waited < SPIN + WAKE_UP {
            self.take_rest();
        }
        self.rest = self.rest.saturating_sub(1);
        self.hot = self.rest == 0 && waited < SPIN + WAKE_UP;
    }

    fn take_rest(&mut self) {
        self.rest = self.next_rest;
        self.next_rest = (self.next_rest * 2).min(MAX_REST);
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
        assert_eq!(spinner.poll(&load(2), Instant::now(), || Some(1)).map(|(value, _)| value), Some(1));
    }

    #[test]
    fn polling_ends_and_leaves_the_conversation_cold() {
        let mut spinner = hot();
        assert!(spinner.poll(&load(2), Instant::now(), || None::<()>).is_none());
        spinner.slept(SPIN * 5);
        assert!(spinner.poll(&load(2), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn nobody_polls_when_every_core_has_its_session() {
        let mut spinner = hot();
        assert!(spinner.poll(&load(1), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn whoever_was_interrupted_rests() {
        let mut spinner = hot();
        let slow = || {
            std::thread::sleep(PREEMPTED * 2);
            None::<()>
        };
        assert!(spinner.poll(&load(2), Instant::now(), slow).is_none());
        assert_eq!(requests_until_hot(&mut spinner), MIN_REST);
        assert!(spinner.poll(&load(2), Instant::now(), slow).is_none());
        assert_eq!(requests_until_hot(&mut spinner), MIN_REST * 2);
    }

    #[test]
    fn whoever_kept_the_client_from_running_rests() {
        let mut spinner = hot();
        spinner.polled = true;
        spinner.slept(SPIN + Duration::from_micros(3));
        assert!(!spinner.hot);
        assert_eq!(requests_until_hot(&mut spinner), MIN_REST - 1);
    }

    fn hot() -> Spinner {
        Spinner { hot: true, ..Spinner::default() }
    }

    fn requests_until_hot(spinner: &mut Spinner) -> u32 {
        spinner.hot = false;
        let mut count = 0;
        while !spinner.hot {
            spinner.slept(Duration::ZERO);
            count += 1;
        }
        count
    }
}
