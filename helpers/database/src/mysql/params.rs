//! What a client says about a connection, and what becomes of it with option files and defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::Session;
use serde::Deserialize;
use storable::ValueRef;

use super::error::{CR_CANT_READ_CHARSET, Error, Result};
use super::option_file::Options as OptionFile;
use super::sql::{self, Rules};
use super::target::{Address, Target};
use super::wire::constants::{capability, collation, named_collation};
use super::wire::{Login, Tls, secret};

/// Where a server's socket is looked for when nobody says.
const SOCKETS: [&str; 4] =
    ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock", "/var/run/mysqld/mysqld.sock"];
/// The port when nobody says.
const PORT: u16 = 3306;

/// Parameters of `connect`, all of them optional.
#[derive(Deserialize, Default)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // the drivers' switches, one each
pub struct Params<'a> {
    #[serde(borrow)]
    host: Option<ValueRef<'a>>,
    port: Option<ValueRef<'a>>,
    socket: Option<ValueRef<'a>>,
    user: Option<ValueRef<'a>>,
    os_user: Option<ValueRef<'a>>,
    password: Option<ValueRef<'a>>,
    database: Option<ValueRef<'a>>,
    default_file: Option<ValueRef<'a>>,
    default_group: Option<ValueRef<'a>>,
    /// Values of option files win over those given here.
    file_wins: bool,
    connect_timeout: Option<ValueRef<'a>>,
    read_timeout: Option<ValueRef<'a>>,
    write_timeout: Option<ValueRef<'a>>,
    compression: bool,
    init_command: Option<ValueRef<'a>>,
    local_infile: bool,
    multi_statements: bool,
    found_rows: Option<bool>,
    interactive: bool,
    ssl: Option<bool>,
    ssl_optional: bool,
    ssl_verify: Option<bool>,
    ssl_ca: Option<ValueRef<'a>>,
    ssl_capath: Option<ValueRef<'a>>,
    ssl_cert: Option<ValueRef<'a>>,
    ssl_key: Option<ValueRef<'a>>,
    ssl_crl: Option<ValueRef<'a>>,
    cleartext: bool,
    charset: Option<ValueRef<'a>>,
    collation: Option<ValueRef<'a>>,
    conn_attrs: Option<BTreeMap<String, String>>,
    pub autocommit: Option<bool>,
    pub pool: Option<bool>,
}

fn bytes(value: Option<&ValueRef<'_>>) -> Result<Option<Vec<u8>>> {
    match value {
        None | Some(ValueRef::Undef) => Ok(None),
        Some(value) => Ok(Some(sql::bytes(value, false, false)?.into_owned())),
    }
}

fn text(value: Option<&ValueRef<'_>>) -> Result<Option<String>> {
    Ok(bytes(value)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.is_empty()))
}

fn number(value: Option<&ValueRef<'_>>) -> Result<Option<u64>> {
    Ok(text(value)?.and_then(|text| {
        let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
        text.trim()[..digits].parse().ok()
    }))
}

fn seconds(value: Option<u64>) -> Option<Duration> {
    value.filter(|&seconds| seconds > 0).map(Duration::from_secs)
}

/// A given value and that of the file, in the order in which they count.
struct Choice {
    file: OptionFile,
    file_wins: bool,
}

impl Choice {
    fn bytes(&self, given: Option<&ValueRef<'_>>, name: &str) -> Result<Option<Vec<u8>>> {
        let (given, file) = (bytes(given)?, self.file.get(name).map(<[u8]>::to_vec));
        Ok(if self.file_wins { file.or(given) } else { given.or(file) })
    }

    fn text(&self, given: Option<&ValueRef<'_>>, name: &str) -> Result<Option<String>> {
        let text = self.bytes(given, name)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn number(&self, given: Option<&ValueRef<'_>>, name: &str) -> Result<Option<u64>> {
        let (given, file) = (number(given)?, self.file.text(name).and_then(|text| text.trim().parse().ok()));
        Ok(if self.file_wins { file.or(given) } else { given.or(file) })
    }

    fn path(&self, session: &Session, given: Option<&ValueRef<'_>>, name: &str) -> Result<Option<PathBuf>> {
        Ok(self.text(given, name)?.map(|path| session.resolve_path(Path::new(&path))))
    }
}

impl Params<'_> {
    /// Where and how to connect.
    pub fn target(&self, session: &Session, rules: Rules) -> Result<Target> {
        let choice = Choice { file: self.option_file(session)?, file_wins: self.file_wins };
        let user = choice.bytes(self.user.as_ref(), "user")?.filter(|user| !user.is_empty());
        let user = user.map_or_else(|| bytes(self.os_user.as_ref()), |user| Ok(Some(user)))?;
        let connect_timeout = choice.number(self.connect_timeout.as_ref(), "connect_timeout")?;
        let charset = choice.text(self.charset.as_ref(), "default_character_set")?;
        let (collation, names) = names(charset.as_deref(), text(self.collation.as_ref())?.as_deref())?;
        let login = Login {
            user: user.unwrap_or_default(),
            password: secret(&choice.bytes(self.password.as_ref(), "password")?.unwrap_or_default()),
            database: choice.bytes(self.database.as_ref(), "database")?.filter(|name| !name.is_empty()),
            collation,
            capabilities: self.capabilities(&choice),
            tls: self.tls(session, &choice, rules)?,
            // What only an option file asks for is had where the server has it.
            tls_optional: self.ssl_optional || self.ssl.is_none(),
            cleartext: self.cleartext,
            attributes: self.attributes(),
        };
        Ok(Target {
            address: self.address(session, &choice)?,
            login,
            names,
            charset,
            connect_timeout: seconds(connect_timeout),
            read_timeout: seconds(number(self.read_timeout.as_ref())?),
            write_timeout: seconds(number(self.write_timeout.as_ref())?),
            init_commands: self.init_commands(&choice)?,
        })
    }

    fn option_file(&self, session: &Session) -> Result<OptionFile> {
        let (file, group) = (text(self.default_file.as_ref())?, text(self.default_group.as_ref())?);
        if file.is_none() && group.is_none() {
            return Ok(OptionFile::default());
        }
        let file = file.map(|file| session.resolve_path(Path::new(&file)));
        let home = session.client().env("HOME").map(PathBuf::from);
        Ok(OptionFile::read(file.as_deref(), group.as_deref(), home.as_deref()))
    }

    fn capabilities(&self, choice: &Choice) -> u32 {
        let compress = self.compression || choice.file.switch("compress").unwrap_or(false);
        let wanted = [
            (self.found_rows.unwrap_or(true), capability::FOUND_ROWS),
            (compress, capability::COMPRESS),
            (self.local_infile, capability::LOCAL_FILES),
            (self.multi_statements, capability::MULTI_STATEMENTS),
            (self.interactive, capability::INTERACTIVE),
        ];
        wanted.iter().filter(|(on, _)| *on).fold(0, |all, (_, one)| all | one)
    }

    fn tls(&self, session: &Session, choice: &Choice, rules: Rules) -> Result<Option<Tls>> {
        // To one of the drivers, TLS that has to be is TLS with the right server.
        let is_enforced = self.ssl == Some(true) && !self.ssl_optional && rules == Rules::Mariadb;
        let tls = Tls {
            ca: choice.path(session, self.ssl_ca.as_ref(), "ssl_ca")?,
            ca_path: choice.path(session, self.ssl_capath.as_ref(), "ssl_capath")?,
            cert: choice.path(session, self.ssl_cert.as_ref(), "ssl_cert")?,
            key: choice.path(session, self.ssl_key.as_ref(), "ssl_key")?,
            crl: choice.path(session, self.ssl_crl.as_ref(), "ssl_crl")?,
            verify_host: self
                .ssl_verify
                .or_else(|| choice.file.switch("ssl_verify_server_cert"))
                .unwrap_or(is_enforced),
        };
        let names = ["ssl_ca", "ssl_capath", "ssl_cert", "ssl_key"];
        let in_file =
            choice.file.switch("ssl").unwrap_or_else(|| names.iter().any(|name| choice.file.get(name).is_some()));
        Ok(self.ssl.unwrap_or(in_file).then_some(tls))
    }

    /// Nothing of the one script: others will use the connection too.
    fn attributes(&self) -> Vec<(String, String)> {
        let mut attributes = vec![
            ("_client_name".to_owned(), "cpan-bridge".to_owned()),
            ("_client_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("_os".to_owned(), std::env::consts::OS.to_owned()),
            ("_platform".to_owned(), std::env::consts::ARCH.to_owned()),
        ];
        attributes.extend(self.conn_attrs.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        attributes
    }

    fn init_commands(&self, choice: &Choice) -> Result<Vec<Vec<u8>>> {
        let mut commands = Vec::new();
        commands.extend(choice.file.get("init_command").map(<[u8]>::to_vec));
        match &self.init_command {
            Some(ValueRef::Array(several)) => {
                for command in several {
                    commands.extend(bytes(Some(command))?);
                }
            }
            one => commands.extend(bytes(one.as_ref())?),
        }
        commands.retain(|command| !command.is_empty());
        Ok(commands)
    }

    fn address(&self, session: &Session, choice: &Choice) -> Result<Address> {
        let host = choice.text(self.host.as_ref(), "host")?;
        match host {
            Some(host) if host != "localhost" => {
                let env = session.client().env_str("MYSQL_TCP_PORT").and_then(|port| port.parse().ok());
                let port = choice.number(self.port.as_ref(), "port")?.filter(|&port| port != 0);
                let port = port.and_then(|port| u16::try_from(port).ok()).or(env).unwrap_or(PORT);
                Ok(Address::Tcp(host, port))
            }
            _ => {
                let env = session.client().env("MYSQL_UNIX_PORT").map(PathBuf::from);
                let given = choice.path(session, self.socket.as_ref(), "socket")?.or(env);
                let known = || SOCKETS.iter().map(PathBuf::from).find(|path| path.exists());
                Ok(Address::Unix(given.or_else(known).unwrap_or_else(|| PathBuf::from(SOCKETS[0]))))
            }
        }
    }
}

/// How the character set is named: in the handshake, where that can be, and in SQL.
fn names(charset: Option<&str>, wanted: Option<&str>) -> Result<(Option<u16>, Option<String>)> {
    let Some(charset) = charset else { return Ok((None, None)) };
    check_name(charset)?;
    let Some(wanted) = wanted else { return Ok((collation(charset), Some(format!("SET NAMES {charset}")))) };
    check_name(wanted)?;
    Ok((named_collation(wanted), Some(format!("SET NAMES {charset} COLLATE {wanted}"))))
}

/// Names of character sets and collations go into SQL as they are.
pub fn check_name(name: &str) -> Result<()> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        return Ok(());
    }
    let text = format!("Can't initialize character set {} (path: compiled_in)", name.escape_default());
    Err(Error::client(CR_CANT_READ_CHARSET, text))
}

#[cfg(test)]
mod tests {
    use daemon::testing::TestSession;

    use super::*;
    use crate::mysql::wire::auth::expose;

    fn target(entries: &[(&str, &str)], rules: Rules) -> Target {
        let map: std::collections::BTreeMap<_, _> = entries.iter().copied().collect();
        let image = storable::to_vec(&map).unwrap();
        let params: Params<'_> = storable::from_slice(&image).unwrap();
        params.target(TestSession::new(&[]).unwrap().session(), rules).unwrap()
    }

    fn mysql(entries: &[(&str, &str)]) -> Target {
        target(entries, Rules::Mysql)
    }

    #[test]
    fn without_a_host_it_is_the_socket() {
        for host in ["", "localhost"] {
            let target = mysql(&[("host", host), ("socket", "/run/x.sock"), ("port", "3307")]);
            assert_eq!(target.address, Address::Unix("/run/x.sock".into()));
        }
        assert_eq!(mysql(&[("host", "h")]).address, Address::Tcp("h".into(), 3306));
        assert_eq!(mysql(&[("host", "h"), ("port", "3307")]).address, Address::Tcp("h".into(), 3307));
    }

    #[test]
    fn who_wins_over_option_files_is_the_drivers_choice() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "[client]\nuser=theirs\npassword=secret\n").unwrap();
        let path = file.path().to_str().unwrap();
        let given = mysql(&[("default_file", path), ("user", "mine")]);
        assert_eq!((&*given.login.user, &*expose(&given.login.password)), (&b"mine"[..], &b"secret"[..]));
        let file = mysql(&[("default_file", path), ("user", "mine"), ("file_wins", "1")]);
        assert_eq!(file.login.user, b"theirs");
        assert_eq!(mysql(&[("os_user", "me")]).login.user, b"me");
    }

    #[test]
    fn tls_is_asked_for_and_verified_as_the_drivers_do() {
        let tls = |entries: &[(&str, &str)], rules| target(entries, rules).login.tls.map(|tls| tls.verify_host);
        for rules in [Rules::Mysql, Rules::Mariadb] {
            assert_eq!(tls(&[], rules), None);
            assert_eq!(tls(&[("ssl_ca", "/ca")], rules), None); // alone it asks for nothing
            assert_eq!(tls(&[("ssl", "1"), ("ssl_verify", "1")], rules), Some(true));
            assert_eq!(tls(&[("ssl", "1"), ("ssl_optional", "1")], rules), Some(false));
        }
        assert_eq!(tls(&[("ssl", "1")], Rules::Mysql), Some(false));
        assert_eq!(tls(&[("ssl", "1")], Rules::Mariadb), Some(true));
    }

    #[test]
    fn character_sets_go_into_the_handshake_where_they_can() {
        let target = mysql(&[("charset", "utf8mb4"), ("collation", "utf8mb4_unicode_ci")]);
        assert_eq!(target.login.collation, Some(224));
        assert_eq!(target.names.as_deref(), Some("SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci"));
        assert_eq!(mysql(&[("charset", "unheard_of")]).login.collation, None);
        assert!(names(Some("x; drop table t"), None).is_err());
        assert!(names(Some("utf8"), Some("'")).is_err());
    }
}
