//! The threads of a pool: they reset and close what comes back, close what has grown old, and end what takes too long.
//!
//! They come when there is work and go when there is none and nothing will be. One more than those that work is there
//! to watch, so that a reset that hangs is noticed however many hang.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::Shutdown;

use super::group::Member;
use super::limits::{LINGER_SECONDS, RESET_SECONDS, RESET_THREADS};
use super::shared::{Shared, State};
use super::{Key, Pooled};

/// Something that came back.
pub(super) struct Job<T> {
    pub(super) key: Key,
    pub(super) member: Member<T>,
    pub(super) task: Task,
    pub(super) socket: Option<OwnedFd>,
}

/// What is to be done with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Reset,
    Close,
}

/// The threads.
#[derive(Default)]
pub(super) struct Workers {
    threads: usize,
    waiting: usize,
    running: HashMap<u64, Running>,
    next: u64,
}

/// A job that is being done.
struct Running {
    until: Instant,
    socket: Option<OwnedFd>,
}

impl Workers {
    /// Shuts down the sockets of jobs that are late; when the next one will be.
    fn cut_late(&mut self, now: Instant) -> Option<Instant> {
        for running in self.running.values_mut().filter(|running| running.until <= now) {
            if let Some(socket) = running.socket.take() {
                let _ = rustix::net::shutdown(&socket, Shutdown::Both);
            }
        }
        self.running.values().filter(|running| running.socket.is_some()).map(|running| running.until).min()
    }
}

/// Has the jobs done, by a thread that waits or by a new one.
pub(super) fn summon<T: Pooled>(shared: &Arc<Shared<T>>, mut state: MutexGuard<'_, State<T>>) {
    if state.workers.waiting >= state.jobs.len() || state.workers.threads > RESET_THREADS {
        shared.work.notify_one();
        return;
    }
    state.workers.threads += 1;
    drop(state);
    let own = Arc::clone(shared);
    let name = format!("pool {}", shared.driver);
    if let Err(error) = thread::Builder::new().name(name).spawn(move || run(&own)) {
        tracing::error!("cannot start a thread for a pool: {error}");
        let mut state = shared.lock();
        state.workers.threads -= 1;
        if state.workers.threads == 0
            && let Some(job) = state.jobs.pop_front()
        {
            drop(work(shared, state, job));
        }
    }
}

/// A thread's life.
fn run<T: Pooled>(shared: &Arc<Shared<T>>) {
    let linger = Duration::from_secs(LINGER_SECONDS);
    let mut state = shared.lock();
    let mut idle_since = Instant::now();
    loop {
        if state.workers.running.len() < RESET_THREADS
            && let Some(job) = state.jobs.pop_front()
        {
            state = work(shared, state, job);
            idle_since = Instant::now();
            continue;
        }
        let now = Instant::now();
        let next = [state.workers.cut_late(now), state.expire(now)].into_iter().flatten().min();
        if !state.jobs.is_empty() && state.workers.running.len() < RESET_THREADS {
            continue;
        }
        let is_needed = state.workers.waiting == 0 && (next.is_some() || !state.workers.running.is_empty());
        let lingered = now.saturating_duration_since(idle_since);
        if !is_needed && lingered >= linger {
            state.workers.threads -= 1;
            return;
        }
        let time = next.map_or(linger, |next| next.saturating_duration_since(now));
        let time = if is_needed { time } else { time.min(linger.saturating_sub(lingered)) };
        state.workers.waiting += 1;
        state = shared.work.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0;
        state.workers.waiting -= 1;
    }
}

/// Does a job; the lock is free meanwhile.
fn work<'s, T: Pooled>(
    shared: &'s Arc<Shared<T>>,
    mut state: MutexGuard<'s, State<T>>,
    job: Job<T>,
) -> MutexGuard<'s, State<T>> {
    let Job { key, mut member, task, socket } = job;
    let until = Instant::now() + Duration::from_secs(RESET_SECONDS);
    let number = state.workers.next;
    state.workers.next += 1;
    state.workers.running.insert(number, Running { until, socket });
    // The first of several ends first; whoever watches wakes up for it and sees the others.
    if state.workers.waiting == 0 {
        summon_watcher(shared, state);
    } else if state.workers.running.len() == 1 {
        shared.work.notify_one();
        drop(state);
    } else {
        drop(state);
    }
    if task == Task::Close {
        close(member);
        state = shared.lock();
        state.is_closed(&key);
    } else {
        let outcome = catch_unwind(AssertUnwindSafe(|| member.connection.reset(until)));
        let usable = match &outcome {
            Ok(Ok(())) => Instant::now() < until,
            Ok(Err(error)) => {
                tracing::info!(driver = key.driver(), target = key.target(), "a connection is not kept: {error}");
                false
            }
            Err(_) => {
                tracing::error!(driver = key.driver(), "resetting a connection panicked");
                false
            }
        };
        state = settle(shared, &key, member, usable);
    }
    state.workers.running.remove(&number);
    shared.done.notify_all();
    state
}

/// Files a connection that was reset, or closes it.
fn settle<'s, T: Pooled>(
    shared: &'s Arc<Shared<T>>,
    key: &Key,
    member: Member<T>,
    usable: bool,
) -> MutexGuard<'s, State<T>> {
    let now = Instant::now();
    let mut state = shared.lock();
    let closed = state.closed;
    if let Some(group) = state.groups.get_mut(key) {
        let keep = usable && !closed && group.keeps(&member, now);
        group.resetting -= 1;
        group.counts.resets += 1;
        group.counts.failures += u64::from(!usable);
        if keep {
            group.becomes_idle(member, now);
            return state;
        }
        group.closing += 1;
    }
    drop(state);
    close(member);
    state = shared.lock();
    state.is_closed(key);
    state
}

/// Starts a thread that watches over what runs.
fn summon_watcher<T: Pooled>(shared: &Arc<Shared<T>>, mut state: MutexGuard<'_, State<T>>) {
    if state.workers.threads > RESET_THREADS {
        return;
    }
    state.workers.threads += 1;
    drop(state);
    let own = Arc::clone(shared);
    if thread::Builder::new().name(format!("pool {}", shared.driver)).spawn(move || run(&own)).is_err() {
        shared.lock().workers.threads -= 1;
    }
}

/// Closes a connection.
pub(super) fn close<T>(member: Member<T>) {
    if catch_unwind(AssertUnwindSafe(|| drop(member))).is_err() {
        tracing::error!("closing a connection panicked");
    }
}

impl<T> State<T> {
    /// Has closed what is idle for too long; when to look again.
    fn expire(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (key, group) in &mut self.groups {
            let (expired, look) = group.expire(now);
            group.closing += expired.len();
            let jobs = expired.into_iter();
            self.jobs.extend(jobs.map(|member| Job { key: key.clone(), member, task: Task::Close, socket: None }));
            next = [next, look].into_iter().flatten().min();
        }
        next
    }
}
