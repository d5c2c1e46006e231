//! Cancelling a running call from another thread.
//!
//! A helper that is about to block leaves in its session's [`CancelSlot`] what ends
//! the blocking (SQLite's interrupt, a cancel request to a server). The sentinel
//! runs it when the client vanished or sent a cancel, and never after the call: the
//! state of [`Running`] goes `busy → firing → busy`, and a call that ends waits for
//! a firing to be over.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends what a helper blocks in. May run several times.
pub type CancelAction = Box<dyn Fn() + Send + Sync>;

/// Where a helper leaves the action that cancels its running call.
#[derive(Default)]
pub struct CancelSlot {
    action: Mutex<Option<CancelAction>>,
    cancelled: AtomicBool,
    ticks: AtomicU32,
}

impl CancelSlot {
    /// Sets the action; it stays until it is cleared or replaced, also over several calls.
    pub fn set(&self, action: CancelAction) {
        *self.lock() = Some(action);
    }

    /// Takes the action away. When this returns, it does not run and will not.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    /// Sets the action until the guard is dropped; then the one before it is back.
    pub fn guard(self: &Arc<Self>, action: CancelAction) -> CancelGuard {
        let before = self.lock().replace(action);
        CancelGuard { slot: Arc::clone(self), before }
    }

    /// Whether the running call was cancelled. Helpers that loop ask this now and then.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Called when a call begins.
    pub(crate) fn reset(&self) {
        if self.cancelled.load(Ordering::Relaxed) {
            self.cancelled.store(false, Ordering::Release);
            self.ticks.store(0, Ordering::Relaxed);
        }
    }

    /// Runs the action, if there is one.
    pub(crate) fn fire(&self) {
        self.cancelled.store(true, Ordering::Release);
        // Again and again, but ever more rarely: the action may have come before what it is to end.
        if self.ticks.fetch_add(1, Ordering::Relaxed).wrapping_add(1).is_power_of_two()
            && let Some(action) = &*self.lock()
        {
            action();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<CancelAction>> {
        self.action.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the action that was there before back when dropped.
#[must_use = "the action is taken away when the guard is dropped"]
pub struct CancelGuard {
    slot: Arc<CancelSlot>,
    before: Option<CancelAction>,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        *self.slot.lock() = self.before.take();
    }
}

/// Whether a session is in a call, and in which; shared with the sentinel.
#[derive(Debug, Default)]
pub(crate) struct Running(AtomicU64);

const BUSY: u64 = 1 << 32;
const FIRING: u64 = 1 << 33;

/// What was running before a (nested) call began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before(u64);

impl Running {
    /// The call `seq` begins.
    pub(crate) fn begin(&self, seq: u32) -> Before {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            let before = now & !FIRING;
            match self.0.compare_exchange(before, BUSY | u64::from(seq), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Before(before),
                Err(seen) => now = seen,
            }
            std::thread::yield_now();
        }
    }

    /// The call ends; what was running before is running again.
    pub(crate) fn end(&self, before: Before) {
        let mut now = self.0.load(Ordering::Relaxed) & !FIRING;
        while let Err(seen) = self.0.compare_exchange(now, before.0, Ordering::AcqRel, Ordering::Relaxed) {
            now = seen & !FIRING;
            std::thread::yield_now();
        }
    }

    /// The number of the running call.
    pub(crate) fn seq(&self) -> Option<u32> {
        let now = self.0.load(Ordering::Acquire);
        let [.., a, b, c, d] = now.to_be_bytes();
        (now & BUSY != 0).then_some(u32::from_be_bytes([a, b, c, d]))
    }

    /// Cancels the call `seq` if it is still the one that runs.
    pub(crate) fn fire(&self, seq: u32, slot: &CancelSlot) -> bool {
        let busy = BUSY | u64::from(seq);
        let held = self.0.compare_exchange(busy, busy | FIRING, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if held {
            slot.fire();
            self.0.store(busy, Ordering::Release);
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    #[test]
    fn only_the_running_call_is_cancelled() {
        let (running, slot, hits) =
            (Running::default(), Arc::new(CancelSlot::default()), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&hits);
        slot.set(Box::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        assert!(!running.fire(1, &slot));
        let outer = running.begin(1);
        let inner = running.begin(2);
        assert!(!running.fire(1, &slot));
        assert!(running.fire(2, &slot));
        running.end(inner);
        assert_eq!(running.seq(), Some(1));
        running.end(outer);
        assert_eq!(running.seq(), None);
        assert!(!running.fire(1, &slot));
        assert_eq!(hits.load(Ordering::Relaxed), 1);
        assert!(slot.is_cancelled());
        slot.reset();
        assert!(!slot.is_cancelled());
    }

    #[test]
    fn a_call_that_ends_waits_for_the_firing() {
        let (running, slot) = (Arc::new(Running::default()), Arc::new(CancelSlot::default()));
        let done = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&done);
        slot.set(Box::new(move || {
            std::thread::sleep(Duration::from_millis(30));
            mark.store(true, Ordering::Release);
        }));
        let before = running.begin(5);
        let firing = std::thread::spawn({
            let (running, slot) = (Arc::clone(&running), Arc::clone(&slot));
            move || running.fire(5, &slot)
        });
        while !slot.is_cancelled() {
            std::thread::yield_now();
        }
        running.end(before);
        assert!(done.load(Ordering::Acquire));
        assert!(firing.join().unwrap());
    }

    #[test]
    fn a_guard_brings_back_what_was_there() {
        let slot = Arc::new(CancelSlot::default());
        let hits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&hits);
        slot.set(Box::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        drop(slot.guard(Box::new(|| ())));
        slot.fire();
        assert_eq!(hits.load(Ordering::Relaxed), 1);
    }
}
