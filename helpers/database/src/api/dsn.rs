//! What a data source name and the attributes of connect say.

mod servers;

use std::collections::BTreeMap;

use protocol::Error;
use storable::Value;

use servers::{mysql, pg};

use crate::sqlite::{AutoBegin, DEFAULT_FLAGS, StringMode};

/// `SQLITE_OPEN_READONLY`.
const READONLY: i32 = 1;
/// `SQLITE_OPEN_URI`.
const URI: i32 = 0x40;
/// How long a connection waits for locks unless told otherwise.
const BUSY_TIMEOUT_MILLISECONDS: i32 = 30_000;

/// The attributes of connect.
pub type Attributes = BTreeMap<String, Value>;

/// What to connect to.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// A file, read by SQLite in the daemon.
    Sqlite(SqliteSource),
    /// A server.
    Server(ServerSource),
}

/// How to open a database of SQLite's.
#[derive(Debug, PartialEq, Eq)]
pub struct SqliteSource {
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

/// A driver for servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Pg,
    Mysql,
    MariaDb,
}

/// How to connect to a server.
#[derive(Debug, PartialEq)]
pub struct ServerSource {
    pub driver: Driver,
    /// Parameters of the driver's `connect`.
    pub params: Vec<(String, Value)>,
    /// Settings of the connection, likewise.
    pub settings: Vec<(String, Value)>,
    pub autocommit: bool,
}

impl Driver {
    /// The module whose functions are asked.
    pub fn module(self) -> &'static str {
        match self {
            Self::Pg => "pg",
            Self::Mysql | Self::MariaDb => "mysql",
        }
    }
}

impl Source {
    /// Reads `dbi:DRIVER:…` (the `dbi:` may be missing) and the attributes.
    pub fn parse(dsn: &str, attributes: &Attributes) -> Result<Self, Error> {
        let rest = strip_prefix_ignoring_case(dsn, "dbi:").unwrap_or(dsn);
        let (driver, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let driver = driver.split('(').next().unwrap_or(driver);
        let autocommit = attributes.get("AutoCommit").is_none_or(Value::is_true);
        match driver.to_ascii_lowercase().as_str() {
            "sqlite" => SqliteSource::parse(rest, attributes, autocommit).map(Self::Sqlite),
            "pg" => Ok(Self::Server(pg(rest, attributes, autocommit))),
            "mysql" => Ok(Self::Server(mysql(Driver::Mysql, rest, attributes, autocommit))),
            "mariadb" => Ok(Self::Server(mysql(Driver::MariaDb, rest, attributes, autocommit))),
            _ => Err(Error::bad_params(format!(
                "no driver {driver:?} in this daemon (there are: SQLite, Pg, mysql, MariaDB); a data source name looks \
                 like dbi:SQLite:dbname=FILE or dbi:Pg:dbname=NAME;host=HOST"
            ))),
        }
    }
}

impl SqliteSource {
    fn parse(rest: &str, attributes: &Attributes, autocommit: bool) -> Result<Self, Error> {
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

    fn sqlite(dsn: &str, attributes: &Attributes) -> SqliteSource {
        match Source::parse(dsn, attributes).unwrap() {
            Source::Sqlite(source) => source,
            Source::Server(server) => panic!("{server:?}"),
        }
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
            assert_eq!(sqlite(dsn, &Attributes::new()).filename, file, "{dsn}");
        }
        assert_eq!(sqlite("dbi:SQLite:uri=file:a.db?mode=ro", &Attributes::new()).flags & URI, URI);
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
        let source = sqlite("dbi:SQLite:a", &attributes);
        assert_eq!((source.begin, source.flags), (AutoBegin::Immediate, READONLY));
    }
}
