//! Pools: connections to servers that outlive the script that opened them. Knows no driver.
//!
//! | file        | what lives there                                                                |
//! |-------------|---------------------------------------------------------------------------------|
//! | `key.rs`    | [`Key`]: whose connection to what; holds no password                            |
//! | `limits.rs` | [`Limits`]: sizes and times                                                     |
//! | `asker.rs`  | [`Asker`]: the session that wants a connection                                  |
//! | `group.rs`  | the connections of one key: who is next, what is free. No locks, no threads     |
//! | `shared.rs` | all groups of a driver under one lock; taking and giving back                   |
//! | `worker.rs` | the threads that reset, close and look for what has grown old                   |
//! | `lease.rs`  | [`Lease`]: a connection while a session has it                                  |
//! | `status.rs` | what `cpan-bridge status` shows                                                 |
//!
//! # For a driver
//!
//! ```
//! use std::sync::LazyLock;
//! use std::time::Instant;
//! use daemon::{Error, Session};
//! use database::pool::{Asker, Key, Lease, Limits, Pool, Pooled};
//!
//! struct Wire; // the driver's connection
//!
//! impl Pooled for Wire {
//!     fn is_alive(&mut self) -> bool {
//!         true // the socket is neither readable nor closed: no round trip
//!     }
//!     fn reset(&mut self, _until: Instant) -> Result<(), Error> {
//!         Ok(()) // ROLLBACK; DISCARD ALL
//!     }
//! }
//!
//! static POOL: LazyLock<Pool<Wire>> = LazyLock::new(|| Pool::new("Pg"));
//!
//! fn connect(session: &Session, password: &str) -> Result<Lease<Wire>, Error> {
//!     let uid = session.client().uid;
//!     let key = Key::new("Pg", uid, "dbname=sales host=db", "anna", &(password, "what else makes a difference"));
//!     POOL.checkout(&Asker::of(session), &key, &Limits::default(), || Ok(Wire))
//! }
//! # let tried = daemon::testing::TestSession::new(&[]);
//! # assert!(!connect(tried?.session(), "secret")?.was_pooled());
//! # Ok::<(), daemon::Error>(())
//! ```
//!
//! # The rules
//!
//! * A connection is reset when it is given back, on a thread of the pool: neither the script that leaves nor the one
//!   that comes waits for it. One whose reset fails or takes longer than `RESET_SECONDS` is closed.
//! * `connect` runs on the thread that calls `checkout`, and no lock is held meanwhile.
//! * Of one key at most `size` connections are open. Who comes then stands in a queue, first come first served, until one
//!   comes back. A session that holds a connection of any pool already does not wait: it would wait for itself, or in a
//!   circle. Nor does anybody when nothing has come back for `patience`: the connections are then with scripts that keep
//!   them, and waiting helps nobody. Of many who wait then, only `size` go ahead in each `patience`. What is opened in
//!   these cases is beyond the size, and closed when it is given back. With `WhenFull::Error` the end of the wait is an
//!   error instead.
//! * Connections are opened only when a script asks for one, as the pool knows no password.

mod asker;
mod group;
mod key;
mod lease;
mod limits;
mod shared;
mod status;
#[cfg(test)]
mod tests;
mod worker;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::status::PoolStatus;
use protocol::Error;

pub use asker::Asker;
pub use key::Key;
pub use lease::Lease;
pub use limits::{Limits, RESET_GRACE_MILLISECONDS, RESET_SECONDS, RESET_THREADS, WhenFull};

use shared::{Shared, Taken};

/// What a driver's connection can do for a pool.
pub trait Pooled: Send + 'static {
    /// Whether it can be used, as far as that is known without a round trip: its socket is open and has nothing to say.
    fn is_alive(&mut self) -> bool;

    /// Makes it as new: ends what it is doing, rolls back, and forgets settings, temporary tables, prepared statements,
    /// locks and subscriptions. Returns by `until`, or never when [`Pooled::socket`] gives the pool the means to end it.
    fn reset(&mut self, until: Instant) -> Result<(), Error>;

    /// A duplicate of its socket's descriptor. The pool shuts it down when [`Pooled::reset`] is late.
    fn socket(&self) -> Option<OwnedFd> {
        None
    }
}

/// The pool of a driver.
pub struct Pool<T: Pooled>(Arc<Shared<T>>);

impl<T: Pooled> Pool<T> {
    /// A pool, to be kept in a `static`; `driver` is for people, as in "Pg".
    pub fn new(driver: &'static str) -> Self {
        let shared = Arc::new(Shared::new(driver));
        status::enlist(&shared);
        Self(shared)
    }

    /// A connection of this key: one that is there, or what `connect` makes.
    ///
    /// Waits as the rules of this module say; the wait ends when the session's call is cancelled.
    pub fn checkout<E: From<Error>>(
        &self,
        asker: &Asker,
        key: &Key,
        limits: &Limits,
        connect: impl FnOnce() -> Result<T, E>,
    ) -> Result<Lease<T>, E> {
        if !limits.enabled {
            return connect().map(Lease::unpooled);
        }
        match Shared::take(&self.0, asker, key, limits)? {
            Taken::Ready(member) => Ok(Lease::of(&self.0, key, member, asker, true)),
            Taken::Open(opening) => {
                let connection = connect()?;
                Ok(Lease::of(&self.0, key, opening.done(connection), asker, false))
            }
        }
    }

    /// Closes what is idle of this user, and waits for it, so that the server sees it gone: for statements that fail while
    /// others are connected (`DROP DATABASE`), and when the server has no room for another connection. How many it were.
    pub fn close_idle(&self, uid: u32, wait: Duration) -> usize {
        self.0.close_idle(Some(uid), Instant::now() + wait)
    }

    /// What each key has.
    pub fn status(&self) -> Vec<PoolStatus> {
        self.0.status()
    }
}

/// Closes what is idle in all pools, for the end of the daemon; waits at most so long.
pub fn close_all(wait: Duration) {
    status::close_all(Instant::now() + wait);
}

/// What all pools of all drivers have.
pub fn status() -> Vec<PoolStatus> {
    status::all()
}
