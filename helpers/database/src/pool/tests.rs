//! Pools of connections to nothing.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Barrier, Mutex};
use std::thread;

use super::*;
use std::panic::AssertUnwindSafe;

/// What the connections of a test have in common: the server, so to speak.
#[derive(Default)]
struct World {
    open: AtomicUsize,
    most: AtomicUsize,
    made: AtomicUsize,
    /// Connections made before this number are dead.
    dead_below: AtomicUsize,
    resets_fail: AtomicBool,
    resets_panic: AtomicBool,
    resets_hang: AtomicBool,
    gate: Mutex<()>,
}

struct Fake {
    world: Arc<World>,
    number: usize,
    /// What the last user has left.
    dirty: bool,
    socket: UnixStream,
    _other_end: UnixStream,
}

impl Pooled for Fake {
    fn is_alive(&mut self) -> bool {
        self.number >= self.world.dead_below.load(SeqCst)
    }

    fn reset(&mut self, _until: Instant) -> Result<(), Error> {
        drop(self.world.gate.lock());
        assert!(!self.world.resets_panic.load(SeqCst), "a bug in a driver");
        if self.world.resets_hang.load(SeqCst) {
            // Nothing ever comes; this ends when somebody shuts the socket down.
            let _ = self.socket.read(&mut [0]);
            return Ok(());
        }
        self.dirty = false;
        if self.world.resets_fail.load(SeqCst) { Err(Error::internal("no")) } else { Ok(()) }
    }

    fn socket(&self) -> Option<OwnedFd> {
        self.socket.try_clone().ok().map(OwnedFd::from)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.world.open.fetch_sub(1, SeqCst);
    }
}

/// A pool, its server, and one key.
struct Tried {
    world: Arc<World>,
    pool: Pool<Fake>,
    key: Key,
    limits: Limits,
}

impl Tried {
    fn new(size: usize) -> Self {
        let key = Key::new("Fake", 1, "nowhere", "nobody", "pw");
        let limits = Limits { size, patience: HOUR, ..Limits::default() };
        Self { world: Arc::default(), pool: Pool::new("Fake"), key, limits }
    }

    fn connect(&self) -> Fake {
        let number = self.world.made.fetch_add(1, SeqCst);
        let open = self.world.open.fetch_add(1, SeqCst) + 1;
        self.world.most.fetch_max(open, SeqCst);
        let (socket, other) = UnixStream::pair().unwrap();
        Fake { world: Arc::clone(&self.world), number, dirty: false, socket, _other_end: other }
    }

    fn get(&self, session: u64) -> Lease<Fake> {
        self.try_get(&Asker::numbered(session)).unwrap()
    }

    fn try_get(&self, asker: &Asker) -> Result<Lease<Fake>, Error> {
        self.pool.checkout(asker, &self.key, &self.limits, || Ok(self.connect()))
    }

    fn status(&self) -> PoolStatus {
        self.pool.status().pop().unwrap()
    }

    /// Waits until the pool is as it should be.
    fn until(&self, what: impl Fn(&PoolStatus) -> bool) -> PoolStatus {
        let give_up = Instant::now() + HOUR / 60;
        loop {
            let status = self.status();
            if what(&status) {
                return status;
            }
            assert!(Instant::now() < give_up, "{status:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// Session numbers that no other test uses: who holds what is known across pools.
fn sessions(count: u64) -> std::ops::Range<u64> {
    static NEXT: AtomicUsize = AtomicUsize::new(1000);
    let first = NEXT.fetch_add(usize::try_from(count).unwrap(), SeqCst) as u64;
    first..first + count
}

#[test]
fn a_connection_is_reset_and_used_again() {
    let tried = Tried::new(2);
    let session = sessions(2);
    let mut lease = tried.get(session.start);
    assert!(!lease.was_pooled());
    lease.dirty = true;
    drop(lease);
    tried.until(|status| status.idle == 1);
    let lease = tried.get(session.start + 1);
    assert!(lease.was_pooled() && !lease.dirty);
    assert_eq!((lease.number, tried.world.made.load(SeqCst)), (0, 1));
}

#[test]
fn many_scripts_share_few_connections_and_all_succeed() {
    let tried = Tried::new(5);
    let start = Barrier::new(200);
    thread::scope(|scope| {
        for session in sessions(200) {
            let (tried, start) = (&tried, &start);
            scope.spawn(move || {
                start.wait();
                let mut lease = tried.get(session);
                assert!(
                    !std::mem::replace(&mut lease.dirty, true),
                    "somebody else has it, or has left something in it"
                );
                thread::sleep(Duration::from_micros(200));
            });
        }
    });
    let status = tried.until(|status| status.in_use + status.resetting == 0);
    assert!(tried.world.most.load(SeqCst) <= 5);
    assert_eq!((status.beyond, status.created + status.reused), (0, 200));
}

#[test]
fn who_waits_longest_is_next() {
    let tried = Tried::new(1);
    let all: Vec<_> = sessions(6).collect();
    let first = tried.get(all[0]);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for (place, &session) in all[1..].iter().enumerate() {
            let (tried, tell) = (&tried, tell.clone());
            scope.spawn(move || {
                let lease = tried.get(session);
                tell.send(place).unwrap();
                drop(lease);
            });
            tried.until(|status| status.waiting == place + 1);
        }
        drop(first);
    });
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn dead_ones_are_replaced_before_anybody_notices() {
    let tried = Tried::new(3);
    let session = sessions(3);
    let leases: Vec<_> = session.clone().map(|session| tried.get(session)).collect();
    drop(leases);
    tried.until(|status| status.idle == 3);
    tried.world.dead_below.store(3, SeqCst);
    let lease = tried.get(session.start);
    assert!(!lease.was_pooled());
    assert_eq!(lease.number, 3);
    let status = tried.status();
    assert_eq!((status.dead, status.idle, status.in_use, status.reused), (3, 0, 1, 0));
    assert_eq!(tried.world.open.load(SeqCst), 1);
}

#[test]
fn one_whose_reset_fails_panics_or_hangs_is_closed() {
    for part in [0, 1, 2] {
        let tried = Tried::new(1);
        let bad = [&tried.world.resets_fail, &tried.world.resets_panic, &tried.world.resets_hang][part];
        bad.store(true, SeqCst);
        let session = sessions(2);
        drop(tried.get(session.start));
        let status = tried.until(|status| status.reset_failures == 1 && status.open == 0);
        assert_eq!(status.resets, 1);
        assert_eq!(tried.world.open.load(SeqCst), 0);
        bad.store(false, SeqCst);
        assert_eq!(tried.get(session.start + 1).number, 1);
    }
}

#[test]
fn hanging_resets_do_not_stop_the_others() {
    let tried = Tried::new(50);
    let held = tried.world.gate.lock().unwrap();
    let leases: Vec<_> = sessions(10).map(|session| tried.get(session)).collect();
    drop(leases);
    // All threads are busy; who comes opens a connection soon.
    assert!(!tried.get(sessions(1).start).was_pooled());
    drop(held);
    tried.until(|status| status.idle == 11);
}

#[test]
fn a_spoiled_one_is_closed() {
    let tried = Tried::new(1);
    let session = sessions(1).start;
    tried.get(session).discard();
    tried.until(|status| status.open == 0);
    let mut lease = tried.get(session);
    lease.spoil();
    drop(lease);
    let status = tried.until(|status| status.open == 0);
    assert_eq!((status.created, status.resets), (2, 0));
}

#[test]
fn who_has_one_does_not_wait_for_another() {
    let tried = Tried::new(1);
    let session = sessions(1).start;
    let one = tried.get(session);
    let two = tried.get(session);
    assert_eq!(tried.status().beyond, 1);
    drop((one, two));
    let status = tried.until(|status| status.in_use + status.resetting == 0 && status.open == 1);
    assert_eq!(status.idle, 1, "what was beyond the size is closed");
}

#[test]
fn where_nothing_comes_back_nobody_waits_for_long() {
    let mut tried = Tried::new(1);
    tried.limits.patience = Duration::from_millis(10);
    let sessions = sessions(3);
    let _long = tried.get(sessions.start);
    let beyond = tried.get(sessions.start + 1);
    assert_eq!(tried.status().beyond, 1);
    drop(beyond);
    tried.until(|status| status.open == 1);
    let _again = tried.get(sessions.start + 2);
    assert_eq!(tried.status().beyond, 2);
}

#[test]
fn a_full_pool_can_refuse() {
    let mut tried = Tried::new(1);
    tried.limits.wait = Duration::from_millis(10);
    tried.limits.when_full = WhenFull::Error;
    let sessions = sessions(2);
    let lease = tried.get(sessions.start);
    let asker = Asker::numbered(sessions.start + 1);
    let Err(error) = tried.try_get(&asker) else { panic!("it was to fail") };
    assert_eq!(error.code, "limit");
    assert!(error.message.contains("pool.size (1)") && !error.message.contains("pw"), "{error}");
    drop(lease);
    tried.until(|status| status.idle == 1);
    assert!(tried.try_get(&asker).unwrap().was_pooled());
}

#[test]
fn a_failed_connect_makes_room() {
    let tried = Tried::new(1);
    let asker = Asker::numbered(sessions(1).start);
    let failed = tried.pool.checkout(&asker, &tried.key, &tried.limits, || Err::<Fake, _>(Error::internal("down")));
    assert_eq!(failed.err().unwrap().message, "down");
    assert!(tried.pool.status().is_empty(), "what never was is not shown");
    let before = tried.get(sessions(1).start);
    drop(before);
    tried.until(|status| status.idle == 1);
    tried.world.dead_below.store(usize::MAX, SeqCst);
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
        tried.pool.checkout(&asker, &tried.key, &tried.limits, || -> Result<Fake, Error> { panic!("a bug") })
    }));
    assert!(caught.is_err());
    assert_eq!(tried.status().open, 0);
}

#[test]
fn old_and_idle_ones_are_closed_and_some_stay() {
    let mut tried = Tried::new(4);
    tried.limits.idle_time = Duration::from_millis(20);
    tried.limits.min_idle = 1;
    let sessions = sessions(4);
    drop(sessions.clone().map(|session| tried.get(session)).collect::<Vec<_>>());
    let status = tried.until(|status| status.expired == 3);
    assert_eq!(status.idle, 1);
    tried.limits.max_age = Duration::from_millis(1);
    thread::sleep(Duration::from_millis(2));
    let lease = tried.get(sessions.start);
    assert!(!lease.was_pooled());
    thread::sleep(Duration::from_millis(2));
    drop(lease);
    tried.until(|status| status.open == 0);
    assert_eq!(tried.world.open.load(SeqCst), 0);
}

#[test]
fn a_cancelled_wait_ends() {
    let tried = Tried::new(1);
    let _lease = tried.get(sessions(1).start);
    let asker = Asker::numbered(sessions(1).start);
    let slot = Arc::clone(&asker.slot);
    thread::scope(|scope| {
        let waits = scope.spawn(|| tried.try_get(&asker).err().unwrap());
        tried.until(|status| status.waiting == 1);
        daemon::testing::cancel(&slot);
        assert_eq!(waits.join().unwrap().code, "cancelled");
    });
    assert_eq!(tried.status().waiting, 0);
}

#[test]
fn off_means_off() {
    let mut tried = Tried::new(1);
    tried.limits.enabled = false;
    drop(tried.get(sessions(1).start));
    assert_eq!(tried.world.open.load(SeqCst), 0);
    assert!(tried.pool.status().is_empty());
}

#[test]
fn what_is_idle_can_be_closed_at_once() {
    let tried = Tried::new(4);
    let held = tried.world.gate.lock().unwrap();
    let mut leases: Vec<_> = sessions(3).map(|session| tried.get(session)).collect();
    let stays = leases.pop();
    drop(leases);
    assert_eq!(tried.pool.close_idle(99, HOUR), 0, "another user's");
    thread::scope(|scope| {
        let closes = scope.spawn(|| tried.pool.close_idle(1, HOUR));
        // They are being reset.
        drop(held);
        assert_eq!(closes.join().unwrap(), 2);
    });
    assert_eq!((tried.world.open.load(SeqCst), tried.status().open), (1, 1));
    drop(stays);
    tried.until(|status| status.idle == 1);
}

#[test]
fn at_the_end_everything_is_closed_and_nothing_kept() {
    let tried = Tried::new(4);
    let sessions = sessions(2);
    let (one, two) = (tried.get(sessions.start), tried.get(sessions.start + 1));
    drop(one);
    tried.pool.0.end(Instant::now() + HOUR);
    assert_eq!(tried.world.open.load(SeqCst), 1);
    drop(two);
    tried.until(|status| status.open == 0);
    assert_eq!(tried.world.open.load(SeqCst), 0);
}

#[test]
fn different_passwords_never_share() {
    let tried = Tried::new(4);
    let sessions = sessions(2);
    drop(tried.get(sessions.start));
    tried.until(|status| status.idle == 1);
    let other = Key::new("Fake", 1, "nowhere", "nobody", "guessed");
    let asker = Asker::numbered(sessions.start + 1);
    let lease = tried.pool.checkout(&asker, &other, &tried.limits, || Ok::<_, Error>(tried.connect())).unwrap();
    assert!(!lease.was_pooled());
}
