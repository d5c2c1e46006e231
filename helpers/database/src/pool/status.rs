//! What `cpan-bridge status` shows of the pools.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use daemon::status::PoolStatus;

use super::group::Group;
use super::shared::Shared;
use super::{Key, Pooled};

/// What a key has. No password is in it, as none is in the key.
pub(super) fn of<T>(key: &Key, group: &Group<T>) -> PoolStatus {
    let counts = group.counts;
    PoolStatus {
        driver: key.driver().into(),
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

/// A pool of any driver.
trait AnyPool: Send + Sync {
    fn groups(&self) -> Vec<PoolStatus>;
    fn end(&self, until: Instant);
}

impl<T: Pooled> AnyPool for Shared<T> {
    fn groups(&self) -> Vec<PoolStatus> {
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
pub(super) fn all() -> Vec<PoolStatus> {
    living().iter().flat_map(|pool| pool.groups()).collect()
}

/// Closes what all pools have, one pool after another.
pub(super) fn close_all(until: Instant) {
    for pool in living() {
        pool.end(until);
    }
}
