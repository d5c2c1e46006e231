//! The configuration: what the daemon and its helpers can be told, from TOML files.
//!
//! | file          | what lives there                                                          |
//! |---------------|---------------------------------------------------------------------------|
//! | `settings.rs` | the table of all keys: type, bounds, default. Everything else is made of it |
//! | `find.rs`     | which files are read, and from whom they are accepted                     |
//! | `read.rs`     | TOML into values; what is wrong is told with file, line and key           |
//! | `show.rs`     | the configuration in effect, as a file                                    |
//!
//! A new setting is a constant in `settings.rs`, its name in `ALL`, and a row in docs/configuration.md (a test compares
//! the two). Code asks with [`get`]: `config::get().count(&settings::POOL_SIZE)`.
//!
//! The daemon reads the files once, when it starts. The files are merged key by key, later ones before earlier ones.

mod find;
mod read;
pub mod settings;
mod show;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use find::{FILE_VARIABLE, MAX_CONFIG_BYTES};
pub use settings::{ALL, Kind, Setting, Value};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of a file.
    File(Arc<Path>, usize),
    /// A variable.
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
        }
    }
}

/// A value that somebody gave.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    setting: &'static Setting,
    value: Value,
    origin: Origin,
}

/// What is said of the databases whose names a pattern fits.
#[derive(Debug, Clone, PartialEq)]
struct Special {
    pattern: String,
    given: Vec<Given>,
}

/// All settings. What nobody gave has its default.
#[derive(Debug, Clone, Default)]
pub struct Config {
    files: Vec<PathBuf>,
    given: Vec<Given>,
    special: Vec<Special>,
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Option<Origin>,
    /// What.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, thiserror::Error)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Config {
    /// What the files say that count for this user, and the environment.
    pub fn load() -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        for place in find::places() {
            // The daemon's working directory is not the script's.
            if place.path.is_relative() {
                let text = format!("{FILE_VARIABLE} must be an absolute path, not {}", place.path.display());
                problems.push(Problem { origin: None, text });
                continue;
            }
            match find::read(&place) {
                Ok(Some(text)) => config.merge(&place.path, &text, &mut problems),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        config.merge_environment(&mut problems);
        config.checked(problems)
    }

    /// What one file says, and nothing else.
    pub fn of_file(path: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        match find::read(&find::Place { path: path.to_owned(), required: true }) {
            Ok(text) => config.merge(path, &text.unwrap_or_default(), &mut problems),
            Err(problem) => problems.push(problem),
        }
        config.checked(problems)
    }

    fn merge(&mut self, path: &Path, text: &str, problems: &mut Vec<Problem>) {
        self.files.push(path.to_owned());
        read::read(path, text, self, problems);
    }

    fn merge_environment(&mut self, problems: &mut Vec<Problem>) {
        for setting in ALL {
            let Some(name) = setting.variable else { continue };
            let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else { continue };
            let origin = Origin::Environment(name);
            match setting.parse(&text.to_string_lossy()) {
                Ok(value) => self.give(Given { setting, value, origin }),
                Err(text) => problems.push(Problem { origin: Some(origin), text }),
            }
        }
    }

    fn checked(self, problems: Vec<Problem>) -> Result<Self, ConfigError> {
        if problems.is_empty() { Ok(self) } else { Err(ConfigError(problems)) }
    }

    fn give(&mut self, given: Given) {
        self.given.retain(|known| known.setting != given.setting);
        self.given.push(given);
    }

    /// The files that were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The files that would be read if they were there.
    pub fn places() -> Vec<PathBuf> {
        find::places().into_iter().map(|place| place.path).collect()
    }

    fn given(&self, setting: &Setting) -> Option<&Given> {
        self.given.iter().find(|given| given.setting == setting)
    }

    /// A setting's value.
    pub fn value(&self, setting: &'static Setting) -> &Value {
        self.given(setting).map_or(&setting.default, |given| &given.value)
    }

    /// The value for a database, named as in "dbi:Pg:dbname=sales host=db1". Of several patterns that fit it, the last one counts.
    pub fn value_for(&self, setting: &'static Setting, dsn: &str) -> &Value {
        let fitting = self.special.iter().rev().filter(|special| read::fits(&special.pattern, dsn));
        let given = fitting.flat_map(|special| &special.given).find(|given| given.setting == setting);
        given.map_or_else(|| self.value(setting), |given| &given.value)
    }

    /// A number.
    pub fn count(&self, setting: &'static Setting) -> u64 {
        self.value(setting).count()
    }

    /// A time.
    pub fn time(&self, setting: &'static Setting) -> Duration {
        self.value(setting).time()
    }

    /// A text.
    pub fn text(&self, setting: &'static Setting) -> &str {
        self.value(setting).text()
    }

    /// A path; `None` if it is empty.
    pub fn path(&self, setting: &'static Setting) -> Option<PathBuf> {
        let text = self.text(setting);
        (!text.is_empty()).then(|| text.into())
    }
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// Makes this the configuration of the process; it can be set once.
pub fn install(config: Config) {
    if CONFIG.set(config).is_err() {
        tracing::error!("the configuration was set before");
    }
}

/// The configuration of the process; the defaults until one is installed.
pub fn get() -> &'static Config {
    static DEFAULT: OnceLock<Config> = OnceLock::new();
    CONFIG.get().unwrap_or_else(|| DEFAULT.get_or_init(Config::default))
}
