//! What `system` tells about the daemon: the shapes, for those who ask and those who answer, and how helpers take part.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What `system.info` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Info {
    /// "cpan-bridge".
    pub name: String,
    /// As in "0.1.0".
    pub version: String,
    /// Larger is newer; 0 is unknown.
    pub build: u64,
    /// Of the frames.
    pub protocol: u32,
    /// The daemon's process.
    pub pid: u32,
    /// Whose daemon it is.
    pub uid: u32,
    /// In seconds since 1970.
    pub started_at: u64,
    /// For how long it has been running.
    pub uptime_seconds: f64,
    /// The names of its modules.
    pub modules: Vec<String>,
}

/// What `system.stats` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stats {
    /// For how long it has been running.
    pub uptime_seconds: f64,
    /// Sessions there are.
    pub sessions: u64,
    /// Sessions there were, in all.
    pub sessions_total: u64,
    /// Sessions of JSON clients that wait for the next request.
    pub parked_sessions: u64,
    /// Calls so far.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Requests of JSON clients so far.
    pub json_requests: u64,
    /// Memory in use.
    pub memory_bytes: u64,
    /// The most memory that was in use.
    pub peak_memory_bytes: u64,
    /// Threads there are.
    pub threads: u64,
    /// The functions that were called.
    pub functions: BTreeMap<String, FunctionStats>,
}

/// A function's counters.
#[derive(Debug, Serialize, Deserialize)]
pub struct FunctionStats {
    /// How often it was called.
    pub calls: u64,
    /// How often it failed.
    pub errors: u64,
    /// How long it ran in all.
    pub seconds: f64,
}

/// One of what `system.sessions` answers.
#[derive(Debug, Serialize, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names that callers know")]
pub struct SessionStatus {
    /// Its number.
    pub session: u64,
    /// What the client is written in.
    pub client: String,
    /// The client's process.
    pub pid: u32,
    /// The client's name.
    pub script: String,
    /// For how long it has been there.
    pub seconds: f64,
    /// Its calls so far.
    pub calls: u64,
    /// Those that failed.
    pub errors: u64,
    /// Handles it holds.
    pub handles: u64,
    /// The function that runs.
    pub running: Option<String>,
    /// How long ago the last call ended.
    pub quiet_seconds: f64,
    /// Bytes from the client.
    pub received_bytes: u64,
    /// Bytes to the client.
    pub sent_bytes: u64,
}

/// One of what `system.pools` answers: connections of one user to one server that are kept for the next script. Nothing
/// in it tells a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// What speaks to the server, as in "Pg".
    pub driver: String,
    /// What is connected to.
    pub target: String,
    /// The user there.
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

/// What a helper says about its pools.
pub type Pools = fn() -> Vec<PoolStatus>;

fn offered() -> MutexGuard<'static, BTreeMap<&'static str, Pools>> {
    static OFFERED: Mutex<BTreeMap<&'static str, Pools>> = Mutex::new(BTreeMap::new());
    OFFERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on `system.pools` asks `pools` of the helper of this name, too.
pub fn offer_pools(helper: &'static str, pools: Pools) {
    offered().insert(helper, pools);
}

/// The pools of all helpers.
pub fn pools() -> Vec<PoolStatus> {
    let asked: Vec<Pools> = offered().values().copied().collect();
    asked.iter().flat_map(|pools| pools()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_offers_twice_is_asked_once() {
        fn none() -> Vec<PoolStatus> {
            Vec::new()
        }
        fn one() -> Vec<PoolStatus> {
            vec![serde_json::from_value(serde_json::json!({
                "driver": "Pg", "target": "host=a", "user": "u", "uid": 1, "size": 2, "open": 1, "idle": 1, "in_use": 0,
                "resetting": 0, "waiting": 0, "created": 1, "reused": 0, "resets": 1, "reset_failures": 0, "dead": 0,
                "expired": 0, "beyond": 0, "refused": 0,
            }))
            .unwrap()]
        }
        offer_pools("tried", none);
        offer_pools("tried", one);
        offer_pools("another", none);
        assert_eq!(pools(), one());
    }
}
