//! Sizes and times of pools.

use std::time::Duration;

use daemon::config::{self, Config, settings};

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
    /// What the configuration says for this driver ("Pg", "mysql") and target, as they are in the [`Key`](super::Key).
    pub fn configured(driver: &str, target: &str) -> Self {
        Self::of(config::get(), &format!("dbi:{driver}:{target}"))
    }

    fn of(config: &Config, dsn: &str) -> Self {
        let count = |setting| usize::try_from(config.value_for(setting, dsn).count()).unwrap_or(usize::MAX);
        let time = |setting| config.value_for(setting, dsn).time();
        Self {
            enabled: config.value_for(&settings::POOL_ENABLED, dsn).flag(),
            size: count(&settings::POOL_SIZE),
            min_idle: count(&settings::POOL_MIN_IDLE),
            idle_time: time(&settings::POOL_IDLE),
            max_age: time(&settings::POOL_MAX_AGE),
            wait: time(&settings::POOL_WAIT),
            patience: time(&settings::POOL_PATIENCE),
            when_full: match config.value_for(&settings::POOL_WHEN_FULL, dsn).text() {
                "error" => WhenFull::Error,
                _ => WhenFull::Open,
            },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&Config::default(), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_source_name_may_have_limits_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("c.toml");
        let text = "[pool]\nsize = 9\n[pool.\"dbi:Pg:*host=db1*\"]\nsize = 3\nwhen_full = \"error\"\nenabled = false\n";
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let config = Config::of_file(&path).unwrap();
        let general = Limits { size: 9, ..Limits::default() };
        assert_eq!(Limits::of(&config, "dbi:Pg:host=db2"), general);
        let special = Limits { size: 3, when_full: WhenFull::Error, enabled: false, ..Limits::default() };
        assert_eq!(Limits::of(&config, "dbi:Pg:dbname=x;host=db1"), special);
    }
}
