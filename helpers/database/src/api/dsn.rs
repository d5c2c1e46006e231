//! What a data source name and the attributes of connect say.

use std::collections::BTreeMap;

use protocol::Error;
use storable::Value;

use crate::sqlite::{AutoBegin, DEFAULT_FLAGS, StringMode};

/// `SQLITE_OPEN_READONLY`.
const READONLY: i32 = 1;
/// `SQLITE_OPEN_URI`.
const URI: i32 = 0x40;
/// How long a connection waits for locks unless told otherwise.
const BUSY_TIMEOUT_MILLISECONDS: i32 = 30_000;

/// The attributes of connect.
pub type Attributes = BTreeMap<String, Value>;

/// How to open a database.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path, `:memory:`, URI, or nothing.
    pub filename: String,
    /// `SQLITE_OPEN_*`.
    pub flags: i32,
    /// How long to wait for locks.
    pub busy_timeout_ms: i32,
    /// How text passes.
    pub string_mode: StringMode,
    /// Whether statements begin transactions.
    pub begin: AutoBegin,
}

impl Source {
    /// Reads `dbi:SQLite:dbname=…` (the `dbi:` may be missing) and the attributes.
    pub fn parse(dsn: &str, attributes: &Attributes) -> Result<Self, Error> {
        let rest = strip_prefix_ignoring_case(dsn, "dbi:").unwrap_or(dsn);
        let (driver, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let driver = driver.split('(').next().unwrap_or(driver);
        if !driver.eq_ignore_ascii_case("SQLite") {
            return Err(Error::bad_params(format!(
                "no driver {driver:?} in this daemon (there is: SQLite); a data source name looks like dbi:SQLite:dbname=FILE"
            )));
        }
        let (filename, is_uri) = filename(rest)?;
        let number = |name: &str| attributes.get(name).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
        let is_true = |name: &str| attributes.get(name).is_some_and(Value::is_true);
        let mut flags = number("sqlite_open_flags").unwrap_or(DEFAULT_FLAGS);
        if is_true("ReadOnly") {
            flags = READONLY;
        }
        if is_uri {
            flags |= URI;
        }
        let autocommit = attributes.get("AutoCommit").is_none_or(Value::is_true);
        Ok(Self {
            filename,
            flags,
            busy_timeout_ms: number("sqlite_busy_timeout").unwrap_or(BUSY_TIMEOUT_MILLISECONDS),
            string_mode: number("sqlite_string_mode")
                .map_or(StringMode::UnicodeFallback, |mode| StringMode::from_constant(mode.into())),
            begin: if autocommit { AutoBegin::None } else { AutoBegin::Immediate },
        })
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// The file in what follows the driver: itself, or the value of `dbname`, `db`, `database` or `uri`.
fn filename(rest: &str) -> Result<(String, bool), Error> {
    if !rest.contains('=') {
        return Ok((rest.to_owned(), false));
    }
    let mut found = None;
    for part in rest.split(';') {
        match part.split_once('=') {
            Some(("dbname" | "db" | "database", file)) => found = Some((file.to_owned(), false)),
            Some(("uri", uri)) => found = Some((uri.to_owned(), true)),
            _ => {}
        }
    }
    found.ok_or_else(|| Error::bad_params(format!("no dbname=FILE in the data source name's {rest:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(dsn: &str) -> Source {
        Source::parse(dsn, &Attributes::new()).unwrap()
    }

    #[test]
    fn names_of_files() {
        for (dsn, file) in [
            ("dbi:SQLite:dbname=a.db", "a.db"),
            ("DBI:SQLite:a.db", "a.db"),
            ("SQLite:db=/x/a.db", "/x/a.db"),
            ("dbi:sqlite:database=:memory:", ":memory:"),
            ("dbi:SQLite:", ""),
        ] {
            assert_eq!(parse(dsn).filename, file, "{dsn}");
        }
        assert_eq!(parse("dbi:SQLite:uri=file:a.db?mode=ro").flags & URI, URI);
    }

    #[test]
    fn other_drivers_are_named() {
        let error = Source::parse("dbi:Oracle:x", &Attributes::new()).unwrap_err();
        assert!(error.message.contains("Oracle"), "{error}");
        assert!(Source::parse("dbi:SQLite:nme=x", &Attributes::new()).is_err());
    }

    #[test]
    fn attributes_count() {
        let attributes = Attributes::from([("AutoCommit".into(), Value::Int(0)), ("ReadOnly".into(), Value::Int(1))]);
        let source = Source::parse("dbi:SQLite:a", &attributes).unwrap();
        assert_eq!((source.begin, source.flags), (AutoBegin::Immediate, READONLY));
    }
}
