//! Polling before sleeping: the shortest answer time while a conversation is hot.
//!
//! Waking a thread on another core takes longer than a small call. So after a reply a
//! session may poll its socket for [`SPIN`] before it sleeps in `recv`, but only while
//!
//! * the conversation is hot: the last request came within that time;
//! * a core is free for it: fewer sessions are active than there are cores;
//! * nobody else wants the core: each round of the loop offers it (`sched_yield`), and ends
//!   the loop when somebody took it;
//! * polling is what makes requests come sooner. Where the scheduler has put client and session on
//!   one core, sleeping is faster; so both are tried now and then, for a few requests, and
//!   what was faster is done for the next many.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::limits::SPIN;

/// A round of the loop (one `recv` without waiting, one `sched_yield`) that takes longer than
/// this has run another thread, and for long.
const PREEMPTED: Duration = Duration::from_micros(8);
/// What waking up takes: a request that came in this time after [`SPIN`] would have been met
/// by polling.
const WAKE_UP: Duration = Duration::from_micros(25);
/// The most that one request counts; also what polling counts that was in others' way.
const CLIP: Duration = Duration::from_micros(100);
/// Requests of a trial.
const TRIAL_COUNT: u32 = 16;
/// Requests between two trials, at first and at most.
const MIN_INTERVAL_COUNT: u32 = 512;
const MAX_INTERVAL_COUNT: u32 = 32 * 1024;

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

/// How a session waits for its next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Sleep = 0,
    Poll = 1,
}

impl Mode {
    fn other(self) -> Self {
        if self == Self::Sleep { Self::Poll } else { Self::Sleep }
    }
}

/// Decides how one session waits.
#[derive(Debug)]
pub(crate) struct Spinner {
    /// The last request came soon.
    hot: bool,
    /// It was polled for in vain before this sleep.
    polled: bool,
    mode: Mode,
    /// The mode is being tried; the other one was faster the last time.
    trial: bool,
    /// Requests until the next decision.
    left: u32,
    /// Requests from this decision to the next trial.
    interval: u32,
    /// Mean time until a request came, by mode; recent ones weigh more.
    mean: [Option<Duration>; 2],
    /// That of the mode when it was decided for.
    decided: Duration,
}

impl Default for Spinner {
    fn default() -> Self {
        Self {
            hot: false,
            polled: false,
            mode: Mode::Sleep,
            trial: false,
            left: TRIAL_COUNT,
            interval: MIN_INTERVAL_COUNT,
            mean: [None; 2],
            decided: CLIP,
        }
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
        if self.mode != Mode::Poll || !self.hot || !load.core_free() {
            return None;
        }
        let mut value = ready();
        let mut last = Instant::now();
        loop {
            if let Some(value) = value {
                self.count(Mode::Poll, last - since);
                return Some((value, last));
            }
            rustix::thread::sched_yield();
            value = ready();
            let now = Instant::now();
            if now - last > PREEMPTED && value.is_none() {
                self.count(Mode::Poll, CLIP);
                return None;
            }
            if now - since > SPIN && value.is_none() {
                self.polled = true;
                return None;
            }
            last = now;
        }
    }

    /// A request came after `waited`, while this session slept.
    pub(crate) fn slept(&mut self, waited: Duration) {
        self.hot = waited < SPIN + WAKE_UP;
        if std::mem::take(&mut self.polled) {
            // It came as soon as this session slept: its sender had waited for this very core.
            if self.hot {
                self.count(Mode::Poll, CLIP);
            }
        } else if self.mode == Mode::Sleep && waited < CLIP {
            self.hot = true;
            self.count(Mode::Sleep, waited);
        }
    }

    /// Notes how long a request took to come, and decides how to wait for the next one.
    fn count(&mut self, mode: Mode, waited: Duration) {
        let waited = waited.min(CLIP);
        let mean = self.mean[mode as usize].map_or(waited, |mean| (mean * 7 + waited) / 8);
        self.mean[mode as usize] = Some(mean);
        self.left = self.left.saturating_sub(1);
        let other = self.mean[mode.other() as usize];
        if self.trial {
            let hopeless = other.is_some_and(|other| mean > other * 2);
            if self.left == 0 || hopeless {
                self.decide(mean, other.unwrap_or(CLIP));
            }
        } else if self.left == 0 {
            self.mode = self.mode.other();
            self.mean[self.mode as usize] = None;
            self.trial = true;
            self.left = TRIAL_COUNT;
        } else if mean > self.decided * 2 {
            // Things have changed: no use in waiting for the next trial.
            self.decided = mean;
            self.interval = MIN_INTERVAL_COUNT;
            self.left = self.left.min(TRIAL_COUNT);
        }
    }

    /// The end of a trial: the faster mode from now on.
    fn decide(&mut self, tried: Duration, other: Duration) {
        self.trial = false;
        if tried < other {
            self.interval = MIN_INTERVAL_COUNT;
        } else {
            self.mode = self.mode.other();
            self.interval = (self.interval * 2).min(MAX_INTERVAL_COUNT);
        }
        self.decided = tried.min(other);
        self.left = self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(5);
    const LATE: Duration = Duration::from_micros(40);

    fn load(cores: usize) -> Load {
        let load = Load { active: AtomicUsize::new(0), cores };
        load.wake();
        load
    }

    fn polling() -> Spinner {
        Spinner { hot: true, mode: Mode::Poll, ..Spinner::default() }
    }

    /// Serves requests that take `sleep` to come to a sleeper and `poll` to come to a poller;
    /// how many of them were polled for.
    fn serve(spinner: &mut Spinner, requests: u32, sleep: Duration, poll: Duration) -> u32 {
        let mut polled = 0;
        for _ in 0..requests {
            if spinner.mode == Mode::Poll {
                polled += 1;
                spinner.count(Mode::Poll, poll);
            } else {
                spinner.slept(sleep);
            }
        }
        polled
    }

    #[test]
    fn what_is_faster_is_done_and_the_other_only_tried() {
        let mut spinner = Spinner::default();
        assert!(serve(&mut spinner, 10_000, LATE, SOON) > 9_000);
        let mut spinner = Spinner::default();
        assert!(serve(&mut spinner, 10_000, SOON, LATE) < 200);
    }

    #[test]
    fn a_change_is_noticed_soon() {
        let mut spinner = Spinner::default();
        serve(&mut spinner, 100_000, SOON, LATE);
        assert_eq!(spinner.mode, Mode::Sleep);
        serve(&mut spinner, 200, LATE, SOON);
        assert_eq!(spinner.mode, Mode::Poll);
        serve(&mut spinner, 100_000, LATE, SOON);
        serve(&mut spinner, 200, SOON, LATE * 2);
        assert_eq!(spinner.mode, Mode::Sleep);
    }

    #[test]
    fn a_cold_conversation_is_not_polled() {
        let mut spinner = polling();
        spinner.slept(SPIN * 5);
        assert!(spinner.poll(&load(2), Instant::now(), || Some(1)).is_none());
        spinner.slept(Duration::from_micros(20));
        assert_eq!(spinner.poll(&load(2), Instant::now(), || Some(1)).map(|(value, _)| value), Some(1));
    }

    #[test]
    fn polling_ends_and_leaves_the_conversation_cold() {
        let mut spinner = polling();
        assert!(spinner.poll(&load(2), Instant::now(), || None::<()>).is_none());
        spinner.slept(SPIN * 5);
        assert!(spinner.poll(&load(2), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn nobody_polls_when_every_core_has_its_session() {
        assert!(polling().poll(&load(1), Instant::now(), || Some(1)).is_none());
    }

    #[test]
    fn polling_that_is_in_others_way_is_given_up() {
        let mut spinner = polling();
        spinner.trial = true;
        spinner.mean[Mode::Sleep as usize] = Some(LATE);
        let slow = || {
            std::thread::sleep(PREEMPTED * 2);
            None::<()>
        };
        assert!(spinner.poll(&load(2), Instant::now(), slow).is_none());
        assert_eq!(spinner.mode, Mode::Sleep);
    }
}
