//! All groups of a driver under one lock; taking connections and giving them back.
//!
//! Nothing of a driver's runs under the lock.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use daemon::status::PoolStatus;
use protocol::{Error, code};

use super::asker::Asker;
use super::group::{Group, Member, Turn, Waiter};
use super::worker::{self, Job, Task, Workers};
use super::{Key, Limits, Pooled, status};

/// Groups that have no connection are forgotten when there are so many groups.
const MAX_REMEMBERED: usize = 256;
/// A wait that has just ended is not begun anew in a hurry.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// What the sessions and the threads of a pool share.
pub(super) struct Shared<T: Pooled> {
    pub(super) driver: &'static str,
    state: Mutex<State<T>>,
    /// There is work for the threads, or some is done.
    pub(super) work: Condvar,
    pub(super) done: Condvar,
}

pub(super) struct State<T> {
    pub(super) groups: HashMap<Key, Group<T>>,
    pub(super) jobs: VecDeque<Job<T>>,
    pub(super) workers: Workers,
    /// The daemon is about to end.
    pub(super) closed: bool,
}

/// What [`Shared::take`] found.
pub(super) enum Taken<T: Pooled> {
    Ready(Member<T>),
    Open(Opening<T>),
}

/// The right to open a connection, given back when that fails.
pub(super) struct Opening<T: Pooled>(Option<(Arc<Shared<T>>, Key)>);

impl<T: Pooled> Opening<T> {
    /// It is open.
    pub(super) fn done(mut self, connection: T) -> Member<T> {
        if let Some((shared, key)) = self.0.take()
            && let Some(group) = shared.lock().groups.get_mut(&key)
        {
            group.counts.created += 1;
        }
        Member { connection, opened: Instant::now() }
    }
}

impl<T: Pooled> Drop for Opening<T> {
    fn drop(&mut self) {
        let Some((shared, key)) = self.0.take() else { return };
        let mut state = shared.lock();
        let Some(group) = state.groups.get_mut(&key) else { return };
        group.in_use -= 1;
        group.has_room(Instant::now());
        // A wrong password is not worth remembering.
        if group.is_unused() && group.counts.created == 0 {
            state.groups.remove(&key);
        }
    }
}

impl<T: Pooled> Shared<T> {
    pub(super) fn new(driver: &'static str) -> Self {
        let state = State { groups: HashMap::new(), jobs: VecDeque::new(), workers: Workers::default(), closed: false };
        Self { driver, state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that can be used, or the right to open one.
    pub(super) fn take(this: &Arc<Self>, asker: &Asker, key: &Key, limits: &Limits) -> Result<Taken<T>, Error> {
        let mut found = Self::next_turn(this, asker, key, limits, asker.holds_some())?;
        while let Some(mut member) = found {
            let usable = catch_unwind(AssertUnwindSafe(|| member.connection.is_alive())).unwrap_or(false);
            if usable && !this.is_old(key, &member) {
                return Ok(Taken::Ready(member));
            }
            found = this.replace(key, member, usable);
        }
        Ok(Taken::Open(Opening(Some((Arc::clone(this), key.clone())))))
    }

    /// Waits until it is this one's turn; nothing means that he is to open a connection.
    fn next_turn(
        this: &Arc<Self>,
        asker: &Asker,
        key: &Key,
        limits: &Limits,
        hurry: bool,
    ) -> Result<Option<Member<T>>, Error> {
        let now = Instant::now();
        let waiter = Waiter::new(limits, hurry, now);
        match this.lock().group(key, limits, now).turn(&waiter, now) {
            Turn::Take(member) => return Ok(Some(member)),
            Turn::Open => return Ok(None),
            Turn::Refuse => return Err(full(key, limits)),
            Turn::Wait(_) => {}
        }
        // Rings when the call is cancelled. It takes the lock for that, so the guard has to go after the lock.
        let (pool, bell) = (Arc::downgrade(this), Arc::clone(&waiter.bell));
        let _guard = asker.slot.guard(Box::new(move || {
            if let Some(pool) = pool.upgrade() {
                drop(pool.lock());
                bell.notify_all();
            }
        }));
        let mut state = this.lock();
        loop {
            let now = Instant::now();
            let group = state.group(key, limits, now);
            if asker.slot.is_cancelled() {
                group.leave(&waiter);
                group.ring();
                return Err(Error::cancelled());
            }
            match group.turn(&waiter, now) {
                Turn::Take(member) => return Ok(Some(member)),
                Turn::Open => return Ok(None),
                Turn::Refuse => return Err(full(key, limits)),
                Turn::Wait(until) => {
                    let time = until.saturating_duration_since(now).max(SHORTEST_WAIT);
                    let slept = waiter.bell.wait_timeout(state, time);
                    state = slept.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn is_old(&self, key: &Key, member: &Member<T>) -> bool {
        self.lock().groups.get(key).is_none_or(|group| group.is_old(member, Instant::now()))
    }

    /// Closes a connection that was taken and cannot be used; another one in its place, which stays taken.
    fn replace(&self, key: &Key, member: Member<T>, alive: bool) -> Option<Member<T>> {
        worker::close(member);
        let mut state = self.lock();
        let group = state.groups.get_mut(key)?;
        let count = if alive { &mut group.counts.expired } else { &mut group.counts.dead };
        *count += 1;
        let other = group.idle.pop();
        match other {
            Some(_) => group.has_room(Instant::now()),
            None => group.counts.reused -= 1,
        }
        other.map(|idle| idle.member)
    }

    /// Takes back what a session had.
    pub(super) fn give_back(this: &Arc<Self>, key: &Key, member: Member<T>, spoiled: bool) {
        let socket = catch_unwind(AssertUnwindSafe(|| member.connection.socket())).unwrap_or_default();
        let now = Instant::now();
        let mut state = this.lock();
        let closed = state.closed;
        let Some(group) = state.groups.get_mut(key) else { return };
        let task = if !spoiled && !closed && group.keeps(&member, now) {
            group.comes_back(now);
            Task::Reset
        } else {
            group.in_use -= 1;
            group.closing += 1;
            Task::Close
        };
        state.jobs.push_back(Job { key: key.clone(), member, task, socket });
        worker::summon(this, state);
    }

    /// Closes what is idle, and what is on its way to be; how many it were.
    pub(super) fn close_idle(&self, uid: Option<u32>, until: Instant) -> usize {
        let mut count = 0;
        let mut state = self.lock();
        loop {
            let (mut taken, mut coming) = (Vec::new(), false);
            for (key, group) in &mut state.groups {
                if uid.is_none_or(|uid| uid == key.uid()) {
                    group.closing += group.idle.len();
                    taken.extend(group.idle.drain(..).map(|idle| (key.clone(), idle.member)));
                    coming |= group.resetting > 0 || group.closing > 0;
                }
            }
            if !taken.is_empty() {
                drop(state);
                count += taken.len();
                let keys: Vec<_> = taken.into_iter().map(|(key, member)| (key, worker::close(member)).0).collect();
                state = self.lock();
                for key in &keys {
                    state.is_closed(key);
                }
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            if !coming || left.is_zero() {
                return count;
            }
            state = self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// From now on nothing is kept.
    pub(super) fn end(&self, until: Instant) {
        self.lock().closed = true;
        self.close_idle(None, until);
    }

    pub(super) fn status(&self) -> Vec<PoolStatus> {
        let state = self.lock();
        let mut groups: Vec<_> = state.groups.iter().map(|(key, group)| status::of(key, group)).collect();
        groups.sort_by(|a, b| (&a.target, &a.user, a.uid).cmp(&(&b.target, &b.user, b.uid)));
        groups
    }
}

impl<T> State<T> {
    /// The group of a key, as its limits are now.
    fn group(&mut self, key: &Key, limits: &Limits, now: Instant) -> &mut Group<T> {
        if self.groups.len() >= MAX_REMEMBERED && !self.groups.contains_key(key) {
            self.groups.retain(|_, group| !group.is_unused());
        }
        let group = self.groups.entry(key.clone()).or_insert_with(|| Group::new(limits, now));
        if group.limits != *limits {
            group.limits = limits.clone();
        }
        group
    }

    /// A connection that was on its way out is closed.
    pub(super) fn is_closed(&mut self, key: &Key) {
        if let Some(group) = self.groups.get_mut(key) {
            group.closing -= 1;
            group.has_room(Instant::now());
        }
    }
}

fn full(key: &Key, limits: &Limits) -> Error {
    let text = format!(
        "no connection to {} for user {:?} came free within {} s: the pool has reached pool.size ({}), and \
         pool.when_full is \"error\"",
        key.target(),
        key.user(),
        limits.wait.as_secs(),
        limits.size
    );
    Error::new(code::LIMIT, text).retryable()
}
