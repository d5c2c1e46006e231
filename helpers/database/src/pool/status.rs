//! What `cpan-bridge status` shows of the pools.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use serde::Serialize;

use super::group::Group;
use super::shared::Shared;
use super::{Key, Pooled};

/// What a key has. No password is in it, as none is in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupStatus {
    /// The driver, as in "Pg".
    pub driver: &'static str,
    /// What is connected to.
    pub target: String,
    /// The user of the database.
    pub user: String,
    /// The user of this machine.
    pub uid: u32,
    /// So many may be open.
    pub size: usize,
    /// So many are.
    pub open: usize,
    /// Ready for a script.
    pub idle: usize,
    /// With scripts, or being opened for one.
    pub in_use: usize,
    /// Being reset.
    pub resetting: usize,
    /// Scripts that wait.
    pub waiting: usize,
    /// Connections opened so far.
    pub created: u64,
    /// Scripts that were given one that was there.
    pub reused: u64,
    /// Resets so far.
    pub resets: u64,
    /// Resets that failed: the connection was closed.
    pub reset_failures: u64,
    /// Connections that had died while they were idle, and were replaced.
    pub dead: u64,
    /// Connections closed for being idle for too long, or too old.
    pub expired: u64,
    /// Connections opened beyond the size.
    pub beyond: u64,
    /// Scripts that were refused because the pool was full.
    pub refused: u64,
}

impl GroupStatus {
    pub(super) fn new<T>(key: &Key, group: &Group<T>) -> Self {
        let counts = group.counts;
        Self {
            driver: key.driver(),
            target: key.target().into(),
            user: key.user().into(),
            uid: key.uid(),
            size: group.limits.size,
            open: group.open(),
            idle: group.idle.len(),
            in_use: group.in_use,
            resetting: group.resetting,
            waiting: group.waiting(),
            created: counts.created,
            reused: counts.reused,
            resets: counts.resets,
            reset_failures: counts.failures,
            dead: counts.dead,
            expired: counts.expired,
            beyond: counts.beyond,
            refused: counts.refused,
        }
    }
}

/// A pool of any driver.
trait AnyPool: Send + Sync {
    fn groups(&self) -> Vec<GroupStatus>;
    fn end(&self, until: Instant);
}

impl<T: Pooled> AnyPool for Shared<T> {
    fn groups(&self) -> Vec<GroupStatus> {
        self.status()
    }

    fn end(&self, until: Instant) {
        Shared::end(self, until);
    }
}

fn pools() -> MutexGuard<'static, Vec<Weak<dyn AnyPool>>> {
    static POOLS: Mutex<Vec<Weak<dyn AnyPool>>> = Mutex::new(Vec::new());
    POOLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a pool.
pub(super) fn enlist<T: Pooled>(shared: &Arc<Shared<T>>) {
    let any: Arc<dyn AnyPool> = Arc::clone(shared) as _;
    let mut pools = pools();
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Arc::downgrade(&any));
}

fn living() -> Vec<Arc<dyn AnyPool>> {
    pools().iter().filter_map(Weak::upgrade).collect()
}

/// What all pools have.
pub(super) fn all() -> Vec<GroupStatus> {
    living().iter().flat_map(|pool| pool.groups()).collect()
}

/// Closes what all pools have, one pool after another.
pub(super) fn close_all(until: Instant) {
    for pool in living() {
        pool.end(until);
    }
}
