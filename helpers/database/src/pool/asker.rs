//! The session that wants a connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use daemon::{CancelSlot, Session};

/// Who asks for a connection: what the pool has to know of a session.
#[derive(Clone)]
pub struct Asker {
    session: u64,
    pub(super) slot: Arc<CancelSlot>,
}

/// How many connections each session holds, of all pools.
fn holders() -> MutexGuard<'static, HashMap<u64, usize>> {
    static HOLDERS: OnceLock<Mutex<HashMap<u64, usize>>> = OnceLock::new();
    HOLDERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asker {
    /// This session.
    pub fn of(session: &Session) -> Self {
        Self { session: session.id(), slot: session.cancel_slot() }
    }

    #[cfg(test)]
    pub(super) fn numbered(session: u64) -> Self {
        Self { session, slot: Arc::default() }
    }

    /// Whether others may be waiting for what this session has.
    pub(super) fn holds_some(&self) -> bool {
        holders().contains_key(&self.session)
    }

    pub(super) fn hold(&self) -> Held {
        *holders().entry(self.session).or_default() += 1;
        Held(self.session)
    }
}

/// A session holds a connection for as long as this lives.
pub(super) struct Held(u64);

impl Drop for Held {
    fn drop(&mut self) {
        let mut holders = holders();
        if let Some(count) = holders.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                holders.remove(&self.0);
            }
        }
    }
}
