//! The table of all settings.

use std::borrow::Cow;
use std::time::Duration;

use crate::limits::{DRAIN_SECONDS, IDLE_EXIT_SECONDS, MAX_LOG_BYTES, MAX_SESSIONS, PARKED_IDLE_SECONDS};

/// The longest time that can be given: ten years.
const MAX_SECONDS: f64 = 315_360_000.0;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// true or false.
    Flag,
    /// A whole number in these bounds.
    Count(u64, u64),
    /// Seconds, a whole number or a decimal one.
    Seconds,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An absolute path, or nothing.
    Path,
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a [`Kind::Flag`].
    Flag(bool),
    /// Of a [`Kind::Count`].
    Count(u64),
    /// Of a [`Kind::Seconds`].
    Seconds(f64),
    /// Of a [`Kind::Choice`] or [`Kind::Path`].
    Text(Cow<'static, str>),
}

impl Value {
    /// A flag.
    pub fn flag(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// A number; 0 for what is none.
    pub fn count(&self) -> u64 {
        if let Self::Count(count) = self { *count } else { 0 }
    }

    /// A time; none for what is none.
    pub fn time(&self) -> Duration {
        if let Self::Seconds(seconds) = self { Duration::from_secs_f64(*seconds) } else { Duration::ZERO }
    }

    /// A text; empty for what is none.
    pub fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// One key of the configuration.
#[derive(Debug)]
pub struct Setting {
    /// The table and the key, as in "pool.size".
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is when nobody says anything.
    pub default: Value,
    /// A variable that counts before the files.
    pub variable: Option<&'static str>,
    /// One line for people.
    pub summary: &'static str,
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Setting {
    const fn new(name: &'static str, kind: Kind, default: Value, summary: &'static str) -> Self {
        Self { name, kind, default, variable: None, summary }
    }

    const fn count(name: &'static str, default: u64, min: u64, max: u64, summary: &'static str) -> Self {
        Self::new(name, Kind::Count(min, max), Value::Count(default), summary)
    }

    const fn seconds(name: &'static str, default: f64, summary: &'static str) -> Self {
        Self::new(name, Kind::Seconds, Value::Seconds(default), summary)
    }

    const fn choice(
        name: &'static str,
        of: &'static [&'static str],
        default: &'static str,
        text: &'static str,
    ) -> Self {
        Self::new(name, Kind::Choice(of), Value::Text(Cow::Borrowed(default)), text)
    }

    const fn path(name: &'static str, default: &'static str, summary: &'static str) -> Self {
        Self::new(name, Kind::Path, Value::Text(Cow::Borrowed(default)), summary)
    }

    const fn or_variable(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    /// The table it is in.
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// Its key there.
    pub fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }

    /// What it takes, for people.
    pub fn takes(&self) -> String {
        match self.kind {
            Kind::Flag => "true or false".into(),
            Kind::Count(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Seconds => format!("a number of seconds from 0 to {MAX_SECONDS}"),
            Kind::Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::Path => "an absolute path, or \"\"".into(),
        }
    }

    fn refuse(&self, what: &str) -> String {
        format!("{} must be {}, not {what}", self.name, self.takes())
    }

    /// A value of a file.
    pub(super) fn accept(&self, found: &Found<'_>) -> Result<Value, String> {
        let accepted = match (self.kind, found) {
            (Kind::Flag, Found::Flag(flag)) => Some(Value::Flag(*flag)),
            (Kind::Count(min, max), Found::Integer(number)) => {
                u64::try_from(*number).ok().filter(|number| (min..=max).contains(number)).map(Value::Count)
            }
            #[allow(clippy::cast_precision_loss, reason = "numbers that are too large for it are refused")]
            (Kind::Seconds, Found::Integer(number)) => seconds(*number as f64),
            (Kind::Seconds, Found::Float(number)) => seconds(*number),
            (Kind::Choice(words), Found::Text(text)) => {
                words.iter().find(|word| *word == text).map(|word| Value::Text(Cow::Borrowed(word)))
            }
            (Kind::Path, Found::Text(text)) if text.is_empty() || (text.starts_with('/') && !text.contains('\0')) => {
                Some(Value::Text(Cow::Owned((*text).to_owned())))
            }
            _ => None,
        };
        accepted.ok_or_else(|| self.refuse(&found.shown()))
    }

    /// A value of a variable.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let accepted = match self.kind {
            Kind::Seconds => text.parse().ok().and_then(seconds),
            Kind::Choice(words) => {
                words.iter().find(|word| **word == lower).map(|word| Value::Text(Cow::Borrowed(word)))
            }
            Kind::Count(..) => text.parse().ok().map(Found::Integer).and_then(|found| self.accept(&found).ok()),
            Kind::Flag => text.parse().ok().map(Value::Flag),
            Kind::Path => self.accept(&Found::Text(text)).ok(),
        };
        accepted.ok_or_else(|| self.refuse(&format!("{text:?}")))
    }
}

fn seconds(number: f64) -> Option<Value> {
    (0.0..=MAX_SECONDS).contains(&number).then_some(Value::Seconds(number))
}

/// What a file has as a value.
pub(super) enum Found<'f> {
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(&'f str),
    /// Something that no setting takes: "a date", "an array" …
    Other(&'static str),
}

impl Found<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Other(what) => (*what).to_owned(),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "small")]
const fn as_seconds(seconds: u64) -> f64 {
    seconds as f64
}

macro_rules! settings {
    ($($constant:ident = $setting:expr;)*) => {
        $(#[doc = concat!("See docs/configuration.md.")] pub static $constant: Setting = $setting;)*
        /// All of the above.
        pub static ALL: &[&Setting] = &[$(&$constant),*];
    };
}

settings! {
    DAEMON_IDLE_EXIT = Setting::seconds("daemon.idle_exit_seconds", as_seconds(IDLE_EXIT_SECONDS),
        "the daemon leaves when there was no session for so long; 0: never").or_variable("CPAN_BRIDGE_IDLE_EXIT");
    DAEMON_MAX_SESSIONS = Setting::count("daemon.max_sessions", MAX_SESSIONS as u64, 1, 1_000_000,
        "scripts and other clients that are served at the same time");
    DAEMON_PARKED_IDLE = Setting::seconds("daemon.parked_idle_seconds", as_seconds(PARKED_IDLE_SECONDS),
        "a handle of JSON clients that was not used for so long is closed");
    DAEMON_DRAIN = Setting::seconds("daemon.drain_seconds", as_seconds(DRAIN_SECONDS),
        "how long sessions may go on after SIGTERM or `cpan-bridge stop`");
    LOG_LEVEL = Setting::choice("log.level", &["error", "warn", "info", "debug", "trace"], "info",
        "how much is logged").or_variable("CPAN_BRIDGE_LOG");
    LOG_FILE = Setting::path("log.file", "",
        "where; \"\": daemon.log in $XDG_STATE_HOME/cpan-bridge or beside the socket");
    LOG_MAX_BYTES = Setting::count("log.max_bytes", MAX_LOG_BYTES, 65_536, 1 << 40,
        "a log of this size is renamed, and a new one begun");
    POOL_ENABLED = Setting::new("pool.enabled", Kind::Flag, Value::Flag(true),
        "whether connections are kept for the next script");
    POOL_SIZE = Setting::count("pool.size", 20, 1, 100_000,
        "connections of one user to one database that are open at the same time");
    POOL_MIN_IDLE = Setting::count("pool.min_idle", 0, 0, 100_000,
        "so many of them stay open, however long they are idle");
    POOL_IDLE = Setting::seconds("pool.idle_seconds", 300.0,
        "a connection that no script wanted for so long is closed");
    POOL_MAX_AGE = Setting::seconds("pool.max_age_seconds", 3600.0,
        "a connection that is older is not given to another script");
    POOL_WAIT = Setting::seconds("pool.wait_seconds", 30.0,
        "how long a connect waits for a connection of a full pool");
    POOL_PATIENCE = Setting::seconds("pool.patience_seconds", 5.0,
        "when none has come back for so long, none is waited for");
    POOL_WHEN_FULL = Setting::choice("pool.when_full", &["open", "error"], "open",
        "at the end of the wait: open one beyond the size, or fail");
    SPILL_MEMORY = Setting::count("spill.memory_bytes", 8 << 20, 0, 1 << 40,
        "rows of one statement that are put aside in memory; more go to a file");
    SPILL_MAX = Setting::count("spill.max_bytes", 8 << 30, 0, 1 << 50,
        "what all such files hold together");
    // Not /tmp, which is memory on many systems.
    SPILL_DIRECTORY = Setting::path("spill.directory", "/var/tmp",
        "where these files are made; they have no name there");
    POSTGRESQL_LIBRARY = Setting::path("postgresql.library", "",
        "a libpq to load instead of the one built in, for GSSAPI; \"\": the one built in");
}
