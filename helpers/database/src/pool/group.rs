//! The connections of one key: who is next, what is free. No locks and no threads here.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar};
use std::time::{Duration, Instant};

use super::Limits;
use super::limits::{RESET_GRACE_MILLISECONDS, WhenFull};

/// A connection of a pool.
pub(super) struct Member<T> {
    pub(super) connection: T,
    pub(super) opened: Instant,
}

/// A connection that waits for a script.
pub(super) struct Idle<T> {
    pub(super) member: Member<T>,
    pub(super) since: Instant,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) reused: u64,
    pub(super) resets: u64,
    pub(super) failures: u64,
    pub(super) dead: u64,
    pub(super) expired: u64,
    pub(super) beyond: u64,
    pub(super) refused: u64,
}

/// The connections of one key.
pub(super) struct Group<T> {
    pub(super) limits: Limits,
    /// The one given back last is taken first: the others grow old and are closed.
    pub(super) idle: Vec<Idle<T>>,
    /// With sessions, or being opened for one.
    pub(super) in_use: usize,
    /// On their way back.
    pub(super) resetting: usize,
    /// On their way out.
    pub(super) closing: usize,
    queue: VecDeque<Arc<Condvar>>,
    /// When a connection last became free, or one was given out within the size.
    progress: Instant,
    /// When connections beyond the size were last begun to be opened, and how many since.
    wave: Option<(Instant, usize)>,
    pub(super) counts: Counts,
}

/// Somebody who wants a connection.
pub(super) struct Waiter {
    pub(super) bell: Arc<Condvar>,
    /// He does not wait for others, as they may be waiting for him.
    pub(super) hurry: bool,
    pub(super) grace_until: Instant,
    pub(super) wait_until: Instant,
}

/// What a waiter is to do.
pub(super) enum Turn<T> {
    /// Use this one.
    Take(Member<T>),
    /// Open one; it is counted already.
    Open,
    /// Give up.
    Refuse,
    /// Sleep until the bell or this time.
    Wait(Instant),
}

impl Waiter {
    pub(super) fn new(limits: &Limits, hurry: bool, now: Instant) -> Self {
        let grace = Duration::from_millis(RESET_GRACE_MILLISECONDS);
        let wait_until = now.checked_add(limits.wait).unwrap_or(now + Duration::from_secs(u64::from(u32::MAX)));
        Self { bell: Arc::default(), hurry, grace_until: now + grace, wait_until }
    }
}

impl<T> Group<T> {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            limits: limits.clone(),
            idle: Vec::new(),
            in_use: 0,
            resetting: 0,
            closing: 0,
            queue: VecDeque::new(),
            progress: now,
            wave: None,
            counts: Counts::default(),
        }
    }

    /// All that the server sees, or soon will.
    pub(super) fn open(&self) -> usize {
        self.idle.len() + self.in_use + self.resetting + self.closing
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Nothing is left to remember but the counts.
    pub(super) fn is_unused(&self) -> bool {
        self.open() == 0 && self.queue.is_empty()
    }

    /// What `waiter` is to do now. He is in the queue exactly as long as the answer is to wait.
    pub(super) fn turn(&mut self, waiter: &Waiter, now: Instant) -> Turn<T> {
        let place = self.queue.iter().position(|bell| Arc::ptr_eq(bell, &waiter.bell));
        let first = match place {
            Some(place) => place == 0,
            None => waiter.hurry || self.queue.is_empty(),
        };
        if first {
            if let Some(idle) = self.idle.pop() {
                self.leave(waiter);
                self.given_out(now);
                self.counts.reused += 1;
                return Turn::Take(idle.member);
            }
            let has_room = waiter.hurry || self.open() < self.limits.size;
            if has_room && (self.resetting == 0 || now >= waiter.grace_until) {
                self.leave(waiter);
                if self.open() >= self.limits.size {
                    self.counts.beyond += 1;
                }
                self.given_out(now);
                return Turn::Open;
            }
        }
        let (over, next) = self.end_of_wait(waiter, first);
        if now < over {
            self.enter(waiter, place);
            return Turn::Wait(next.max(now));
        }
        self.leave(waiter);
        if self.limits.when_full == WhenFull::Error {
            self.counts.refused += 1;
            self.ring();
            return Turn::Refuse;
        }
        self.wave = match self.wave {
            Some((began, count)) if now < began + self.limits.patience => Some((began, count + 1)),
            _ => Some((now, 1)),
        };
        self.counts.beyond += 1;
        self.in_use += 1;
        self.ring();
        Turn::Open
    }

    /// From when on a connection may be opened beyond the size, because nobody gives one back. Not all who wait may do so
    /// at the same time, which might be more than the server takes: in each span of `patience` as many as the size.
    fn stalled_at(&self) -> Instant {
        let stalled = self.progress + self.limits.patience;
        match self.wave {
            Some((began, count)) if count >= self.limits.size => stalled.max(began + self.limits.patience),
            _ => stalled,
        }
    }

    /// When the wait is over, and when to look again.
    fn end_of_wait(&self, waiter: &Waiter, first: bool) -> (Instant, Instant) {
        let stalled = (self.limits.when_full == WhenFull::Open).then(|| self.stalled_at());
        let over = stalled.map_or(waiter.wait_until, |stalled| stalled.min(waiter.wait_until));
        let may_open_soon = first && self.resetting > 0 && (waiter.hurry || self.open() < self.limits.size);
        (
            if may_open_soon { over.max(waiter.grace_until) } else { over },
            if may_open_soon { waiter.grace_until } else { over },
        )
    }

    fn enter(&mut self, waiter: &Waiter, place: Option<usize>) {
        match place {
            Some(_) => {}
            None if waiter.hurry => self.queue.push_front(Arc::clone(&waiter.bell)),
            None => self.queue.push_back(Arc::clone(&waiter.bell)),
        }
    }

    /// Takes a waiter out of the queue.
    pub(super) fn leave(&mut self, waiter: &Waiter) {
        self.queue.retain(|bell| !Arc::ptr_eq(bell, &waiter.bell));
    }

    fn given_out(&mut self, now: Instant) {
        self.in_use += 1;
        if self.open() <= self.limits.size {
            self.progress = now;
        }
        self.ring();
    }

    /// Something is free: whoever is first looks.
    pub(super) fn ring(&self) {
        if let Some(bell) = self.queue.front() {
            bell.notify_all();
        }
    }

    /// A connection is as good as new.
    pub(super) fn becomes_idle(&mut self, member: Member<T>, now: Instant) {
        self.idle.push(Idle { member, since: now });
        self.progress = now;
        self.ring();
    }

    /// A connection comes back, to be reset.
    pub(super) fn comes_back(&mut self, now: Instant) {
        self.in_use -= 1;
        self.resetting += 1;
        self.progress = now;
    }

    /// One less is open.
    pub(super) fn has_room(&mut self, now: Instant) {
        if self.open() < self.limits.size {
            self.progress = now;
        }
        self.ring();
    }

    /// Whether a connection that comes back is to be kept.
    pub(super) fn keeps(&self, member: &Member<T>, now: Instant) -> bool {
        self.limits.enabled && self.open() - self.closing <= self.limits.size && !self.is_old(member, now)
    }

    /// Whether a connection has been used for long enough.
    pub(super) fn is_old(&self, member: &Member<T>, now: Instant) -> bool {
        now.saturating_duration_since(member.opened) >= self.limits.max_age
    }

    /// Takes out what is idle for too long, or too old; and when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<Member<T>>, Option<Instant>) {
        let mut expired = Vec::new();
        let mut kept = Vec::with_capacity(self.idle.len());
        let spare = self.idle.len().saturating_sub(self.limits.min_idle);
        // The first ones have been idle for the longest time.
        for (place, idle) in std::mem::take(&mut self.idle).into_iter().enumerate() {
            let unwanted = place < spare && now.saturating_duration_since(idle.since) >= self.limits.idle_time;
            if unwanted || self.is_old(&idle.member, now) {
                expired.push(idle.member);
            } else {
                kept.push(idle);
            }
        }
        self.idle = kept;
        self.counts.expired += expired.len() as u64;
        (expired, self.next_expiry())
    }

    fn next_expiry(&self) -> Option<Instant> {
        let spare = self.idle.len().saturating_sub(self.limits.min_idle);
        let unwanted = self.idle.iter().take(spare).filter_map(|idle| idle.since.checked_add(self.limits.idle_time));
        let old = self.idle.iter().filter_map(|idle| idle.member.opened.checked_add(self.limits.max_age));
        unwanted.chain(old).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(size: usize) -> Limits {
        Limits { size, patience: Duration::from_secs(5), wait: Duration::from_secs(30), ..Limits::default() }
    }

    /// What a newcomer is told at a time.
    fn told(group: &mut Group<()>, now: Instant) -> (Waiter, Turn<()>) {
        let waiter = Waiter::new(&group.limits, false, now);
        let turn = group.turn(&waiter, now);
        (waiter, turn)
    }

    #[test]
    fn where_nothing_comes_back_the_size_is_exceeded_in_waves() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut group: Group<()> = Group::new(&limits(2), start);
        for _ in 0..2 {
            assert!(matches!(told(&mut group, start).1, Turn::Open));
        }
        let waiters: Vec<_> = (0..6).map(|_| told(&mut group, after(1)).0).collect();
        assert_eq!((group.waiting(), group.open()), (6, 2));
        for (second, waiting, open) in [(4, 6, 2), (5, 4, 4), (9, 4, 4), (10, 2, 6), (15, 0, 8)] {
            for waiter in &waiters {
                if group.queue.iter().any(|bell| Arc::ptr_eq(bell, &waiter.bell)) {
                    group.turn(waiter, after(second));
                }
            }
            assert_eq!((group.waiting(), group.open()), (waiting, open), "after {second} s");
        }
        assert_eq!(group.counts.beyond, 6);
        // Whoever comes when all has been quiet for long does not wait at all.
        assert!(matches!(told(&mut group, after(100)).1, Turn::Open));
    }

    #[test]
    fn the_end_of_the_wait_is_the_end() {
        let start = Instant::now();
        let mut group: Group<()> = Group::new(&limits(1), start);
        assert!(matches!(told(&mut group, start).1, Turn::Open));
        group.limits.patience = Duration::from_secs(1000);
        let (waiter, turn) = told(&mut group, start);
        assert!(matches!(turn, Turn::Wait(until) if until == start + Duration::from_secs(30)));
        assert!(matches!(group.turn(&waiter, start + Duration::from_secs(29)), Turn::Wait(_)));
        assert!(matches!(group.turn(&waiter, start + Duration::from_secs(30)), Turn::Open));
        group.limits.when_full = WhenFull::Error;
        let (waiter, _) = told(&mut group, start);
        assert!(matches!(group.turn(&waiter, start + Duration::from_secs(30)), Turn::Refuse));
        assert_eq!((group.waiting(), group.counts.refused), (0, 1));
    }

    #[test]
    fn a_reset_under_way_is_worth_a_moment() {
        let start = Instant::now();
        let mut group: Group<()> = Group::new(&limits(5), start);
        assert!(matches!(told(&mut group, start).1, Turn::Open));
        group.comes_back(start);
        let (waiter, turn) = told(&mut group, start);
        let grace = Duration::from_millis(RESET_GRACE_MILLISECONDS);
        assert!(matches!(turn, Turn::Wait(until) if until == start + grace));
        assert!(matches!(group.turn(&waiter, start + grace), Turn::Open));
        let (waiter, _) = told(&mut group, start);
        group.resetting -= 1;
        group.becomes_idle(Member { connection: (), opened: start }, start);
        assert!(matches!(group.turn(&waiter, start), Turn::Take(_)));
    }
}
