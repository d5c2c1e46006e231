//! What `connect_cached` has opened for JSON clients, whose requests come in sessions of their own.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use daemon::Session;

/// So many connections are remembered before those that are gone are looked for.
const MAX_REMEMBERED: usize = 256;

/// What a connection was opened with, without its password: hashes that only this process can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u64; 2]);

impl Key {
    /// The key of a user's parameters.
    pub fn new(uid: u32, params: &impl Hash) -> Self {
        static STATES: OnceLock<[RandomState; 2]> = OnceLock::new();
        let states = STATES.get_or_init(|| [RandomState::new(), RandomState::new()]);
        Self([states[0].hash_one((uid, params)), states[1].hash_one((uid, params))])
    }
}

fn remembered() -> MutexGuard<'static, HashMap<Key, String>> {
    static REMEMBERED: OnceLock<Mutex<HashMap<Key, String>>> = OnceLock::new();
    REMEMBERED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The id of a connection that an earlier JSON request has opened with the same parameters, if it is still open.
pub fn find(session: &Session, key: Key) -> Option<String> {
    let id = remembered().get(&key).cloned()?;
    if session.is_parked(&id) {
        return Some(id);
    }
    remembered().remove(&key);
    None
}

/// Remembers a connection.
pub fn remember(session: &Session, key: Key, id: &str) {
    let mut remembered = remembered();
    if remembered.len() >= MAX_REMEMBERED {
        remembered.retain(|_, id| session.is_parked(id));
    }
    remembered.insert(key, id.to_owned());
}
