//! Data source names of servers: what becomes parameters of their drivers' `connect`.

use storable::Value;

use super::{Attributes, Driver, ServerSource};

/// The pool is the connection's own affair, by attribute or in the name.
fn pool(attributes: &Attributes, said: Option<&str>) -> Option<bool> {
    let in_name = said.map(|value| Value::from(value).is_true());
    attributes.get("bridge_pool").map(Value::is_true).or(in_name)
}

/// PostgreSQL: libpq reads it, with its own names, and blanks in place of semicolons.
pub fn pg(rest: &str, attributes: &Attributes, autocommit: bool) -> ServerSource {
    let mut settings = vec![("utf8".to_owned(), Value::from(1))];
    let is_uri = ["postgres://", "postgresql://"].iter().any(|scheme| rest.starts_with(scheme));
    let mut conninfo = rest.to_owned();
    let mut said = None;
    if !is_uri {
        let words: Vec<_> = split_outside_quotes(rest)
            .into_iter()
            .filter_map(|word| {
                let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                match name.trim() {
                    "bridge_pool" => {
                        said = Some(value.trim().to_owned());
                        None
                    }
                    "db" | "database" => Some(format!("dbname={value}")),
                    _ => Some(word),
                }
            })
            .collect();
        conninfo = words.join(" ").replace('"', "'");
    }
    if let Some(pool) = pool(attributes, said.as_deref()) {
        settings.push(("pool".to_owned(), Value::from(i64::from(pool))));
    }
    let params = vec![("conninfo".to_owned(), conninfo.into())];
    ServerSource { driver: Driver::Pg, params, settings, autocommit }
}

/// What stands between semicolons that are not in quotes.
fn split_outside_quotes(text: &str) -> Vec<String> {
    let (mut words, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in text.chars() {
        if letter == ';' && !quoted && !escaped {
            words.push(String::new());
            continue;
        }
        quoted ^= letter == '\'' && !escaped;
        escaped = letter == '\\' && !escaped;
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    words.retain(|word| !word.trim().is_empty());
    words
}

/// Names in the data source and what the driver's `connect` calls them, without their prefix.
const MYSQL_PARAMS: &[(&str, &str)] = &[
    ("socket", "socket"),
    ("compression", "compression"),
    ("connect_timeout", "connect_timeout"),
    ("read_timeout", "read_timeout"),
    ("write_timeout", "write_timeout"),
    ("init_command", "init_command"),
    ("local_infile", "local_infile"),
    ("multi_statements", "multi_statements"),
    ("client_found_rows", "found_rows"),
    ("read_default_file", "default_file"),
    ("read_default_group", "default_group"),
    ("ssl", "ssl"),
    ("ssl_optional", "ssl_optional"),
    ("ssl_verify_server_cert", "ssl_verify"),
    ("ssl_ca_file", "ssl_ca"),
    ("ssl_ca_path", "ssl_capath"),
    ("ssl_client_key", "ssl_key"),
    ("ssl_client_cert", "ssl_cert"),
    ("ssl_cipher", "ssl_cipher"),
];
/// Those that are switches.
const MYSQL_SWITCHES: &[&str] =
    &["compression", "local_infile", "multi_statements", "found_rows", "ssl", "ssl_optional", "ssl_verify"];

/// MySQL and MariaDB: `name=value;…`, or `database:host:port`.
pub fn mysql(driver: Driver, rest: &str, attributes: &Attributes, autocommit: bool) -> ServerSource {
    let mut params: Vec<(String, Value)> = vec![("autocommit".to_owned(), Value::Bool(autocommit))];
    let mut said = None;
    for (place, part) in rest.split(';').flat_map(parts).enumerate() {
        let Some((name, value)) = part.split_once('=') else {
            let name = ["database", "host", "port"].get(place);
            params.extend(name.filter(|_| !part.is_empty()).map(|name| ((*name).to_owned(), part.into())));
            continue;
        };
        match name {
            "database" | "db" | "dbname" => params.push(("database".into(), value.into())),
            "host" | "hostname" => params.extend(host(value)),
            "port" | "user" | "password" => params.push((name.into(), value.into())),
            "bridge_pool" => said = Some(value),
            _ => params.extend(mysql_param(name, &value.into())),
        }
    }
    params.extend(attributes.iter().filter_map(|(name, value)| mysql_param(name, value)));
    if let Some(pool) = pool(attributes, said) {
        params.push(("pool".into(), Value::Bool(pool)));
    }
    let rules = if driver == Driver::Mysql { "mysql" } else { "mariadb" };
    let settings = [("text", "chars"), ("rules", rules)].map(|(name, value)| (name.to_owned(), value.into()));
    ServerSource { driver, params, settings: settings.into(), autocommit }
}

/// A part without names is places, between colons.
fn parts(part: &str) -> Vec<&str> {
    if part.contains('=') { vec![part] } else { part.split(':').collect() }
}

/// `host:port`, or an address of IPv6 in brackets.
fn host(value: &str) -> Vec<(String, Value)> {
    let (host, port) = match value.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match value.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (value, None),
        },
    };
    let mut found = vec![("host".to_owned(), host.into())];
    found.extend(port.map(|port| ("port".to_owned(), port.into())));
    found
}

fn mysql_param(name: &str, value: &Value) -> Option<(String, Value)> {
    let short = name.strip_prefix("mysql_").or_else(|| name.strip_prefix("mariadb_"))?;
    let (_, name) = MYSQL_PARAMS.iter().find(|(known, _)| *known == short)?;
    let value = if MYSQL_SWITCHES.contains(name) { Value::Bool(value.is_true()) } else { value.clone() };
    Some(((*name).to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn server(dsn: &str, attributes: &[(&str, Value)]) -> ServerSource {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        match Source::parse(dsn, &attributes).unwrap() {
            Source::Server(source) => source,
            Source::Sqlite(source) => panic!("{source:?}"),
        }
    }

    fn shown(params: &[(String, Value)]) -> String {
        let mut words: Vec<_> = params
            .iter()
            .map(|(name, value)| match value {
                Value::Bool(yes) => format!("{name}={yes}"),
                value => format!("{name}={}", value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned)),
            })
            .collect();
        words.sort();
        words.join(" ")
    }

    #[test]
    fn postgresql_gets_a_conninfo() {
        for (dsn, conninfo) in [
            ("dbi:Pg:dbname=a;host=b", "dbname=a host=b"),
            ("dbi:pg:db=a;port=1", "dbname=a port=1"),
            ("Pg:dbname='a;b' ;host=c", "dbname='a;b'  host=c"),
            ("dbi:Pg:dbname=\"a b\"", "dbname='a b'"),
            ("dbi:Pg:dbname=a;bridge_pool=0", "dbname=a"),
            ("dbi:Pg:postgresql://u@h/db?x=1;2", "postgresql://u@h/db?x=1;2"),
            ("dbi:Pg:", ""),
        ] {
            assert_eq!(shown(&server(dsn, &[]).params), format!("conninfo={conninfo}"), "{dsn}");
        }
        let off = server("dbi:Pg:dbname=a;bridge_pool=0", &[]);
        assert!(off.settings.contains(&("pool".into(), Value::Int(0))), "{off:?}");
        assert!(server("dbi:Pg:dbname=a", &[("bridge_pool", Value::Int(0))]).settings.len() == 2);
        assert!(!server("dbi:Pg:dbname=x", &[("AutoCommit", Value::Int(0))]).autocommit);
    }

    #[test]
    fn mysql_gets_parameters() {
        for (dsn, params) in [
            ("dbi:mysql:database=a;host=b;port=1", "autocommit=true database=a host=b port=1"),
            ("dbi:mysql:a:b:1", "autocommit=true database=a host=b port=1"),
            ("dbi:MariaDB:a", "autocommit=true database=a"),
            ("dbi:mysql:a;host=b:1", "autocommit=true database=a host=b port=1"),
            ("dbi:mysql:a;host=[::1]:1", "autocommit=true database=a host=::1 port=1"),
            ("dbi:mysql:a;host=::1", "autocommit=true database=a host=::1"),
            ("dbi:mysql:a;mysql_socket=/s;mysql_ssl=1", "autocommit=true database=a socket=/s ssl=true"),
            ("dbi:MariaDB:a;mariadb_ssl_ca_file=/c", "autocommit=true database=a ssl_ca=/c"),
            ("dbi:mysql:a;bridge_pool=0", "autocommit=true database=a pool=false"),
            ("dbi:mysql:", "autocommit=true"),
        ] {
            assert_eq!(shown(&server(dsn, &[]).params), params, "{dsn}");
        }
        let source = server("dbi:MariaDB:a", &[("mariadb_local_infile", Value::Int(1)), ("AutoCommit", Value::Int(0))]);
        assert_eq!(shown(&source.params), "autocommit=false database=a local_infile=true");
        assert_eq!(shown(&source.settings), "rules=mariadb text=chars");
    }
}
