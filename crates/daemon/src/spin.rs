//! Polling before sleeping: the shortest answer time while a conversation is hot.
//!
//! A thread that sleeps has to be woken up, and on another core that takes longer than a small
//! call, several times as long on a virtual machine. So after a reply a session may poll its socket for
//! [`SPIN`] before it sleeps in `recv`, but only while
//!
//! * the conversation is hot: the last request came within that time;
//! * a core is free for it ([`Load`]);
//! * it is of use: after polling in vain once, twice, three times in a row, 0, 1, 2, 4 … requests
//!   are slept for.
//!
//! Each round of the loop offers the core to others (`sched_yield`): where the scheduler has put client and
//! session on one core, the client then runs at once. That is noticed too (the round takes long, and brings the request),
//! and counts as in vain: there, sleeping is what costs least.
//!
//! The client does the same on its side (`_look` in `CPANBridge::Session`). What both gain: docs/benchmarks.md.

use std::time::{Duration, Instant};

use crate::limits::SPIN;
use crate::load::Load;

/// What waking up takes: a request that came in this time after [`SPIN`] would have been met
/// by polling.
const WAKE_UP: Duration = Duration::from_micros(25);
/// A round of the loop that takes longer has run somebody else on this core.
const SHARED: Duration = Duration::from_micros(3);
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
    /// With what came: when.
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
        let mut last = None;
        loop {
            let value = ready();
            let now = Instant::now();
            if let Some(value) = value {
                match last {
                    None => {} // it was there already, which says nothing
                    Some(last) if now - last > SHARED => self.in_vain(),
                    Some(_) => self.penalty = 0,
                }
                return Some((value, now));
            }
            if now - since > SPIN {
                self.in_vain();
                return None;
            }
            last = Some(now);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load(cores: usize) -> Load {
        let load = Load::of(cores, cores);
        load.wake();
        load
    }

    /// Polls of the next `requests`, all of them in vain or not; how many were polled for.
    fn polls(spinner: &mut Spinner, requests: u32, vain: bool) -> u32 {
        let mut polled = 0;
        // So long ago that the time is up after the first look.
        let since = Instant::now().checked_sub(SPIN * 2).unwrap();
        for _ in 0..requests {
            let mut looked = false;
            spinner.poll(&load(2), since, || {
                looked = true;
                (!vain).then_some(())
            });
            polled += u32::from(looked);
        }
        polled
    }

    fn hot() -> Spinner {
        let mut spinner = Spinner::default();
        spinner.slept(SPIN);
        spinner
    }

    #[test]
    fn what_is_of_use_is_done_for_every_request() {
        assert_eq!(polls(&mut hot(), 1000, false), 1000);
    }

    #[test]
    fn what_is_in_vain_is_only_tried() {
        let mut spinner = hot();
        assert_eq!(polls(&mut spinner, 3, true), 2); // then none, then one is skipped
        polls(&mut spinner, 1000, true);
        assert!(polls(&mut spinner, 10 * MAX_SKIP_COUNT, true) <= 10);
    }

    #[test]
    fn a_change_for_the_better_is_noticed_soon() {
        let mut spinner = hot();
        polls(&mut spinner, 10_000, true);
        assert!(polls(&mut spinner, 1000, false) >= 1000 - MAX_SKIP_COUNT);
    }

    #[test]
    fn a_cold_conversation_is_not_polled() {
        let mut spinner = Spinner::default();
        assert_eq!(polls(&mut spinner, 1, false), 0);
        spinner.slept(SPIN * 5);
        assert_eq!(polls(&mut spinner, 1, false), 0);
        spinner.slept(Duration::from_micros(20));
        assert_eq!(polls(&mut spinner, 1, false), 1);
    }

    #[test]
    fn nobody_polls_when_every_core_has_its_session() {
        assert!(hot().poll(&load(1), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn on_a_core_that_is_shared_with_the_client_polling_is_only_tried() {
        let mut spinner = hot();
        let mut polled = 0;
        for _ in 0..50 {
            let mut looks = 0;
            spinner.poll(&load(2), Instant::now(), || {
                looks += 1;
                if looks == 2 {
                    std::thread::sleep(SHARED);
                }
                (looks == 2).then_some(())
            });
            polled += u32::from(looks > 0);
        }
        assert!(polled < 15, "{polled}");
    }

    #[test]
    fn what_comes_meanwhile_is_taken() {
        let mut looks = 0;
        let found = hot().poll(&load(2), Instant::now(), || {
            looks += 1;
            (looks == 3).then_some("it")
        });
        // On a machine that stands still for so long, polling ends before.
        assert!(found.is_none_or(|(found, _)| found == "it" && looks == 3));
    }
}
