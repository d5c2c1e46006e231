//! The parameters of a connection: what the script gave, what its environment and its service file say.
//!
//! libpq would look into the daemon's environment. That one is empty of such variables; what the script's says becomes
//! explicit parameters here. The order is libpq's: given, service, environment, default.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use daemon::{Client, Secret};

use super::pq::Keyword;
use super::service;

/// Variables and the parameters that they stand for.
const VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLCOMPRESSION", "sslcompression"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLCERTMODE", "sslcertmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLSNI", "sslsni"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGMINPROTOCOLVERSION", "min_protocol_version"),
    ("PGMAXPROTOCOLVERSION", "max_protocol_version"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGKRBSRVNAME", "krbsrvname"),
    ("PGGSSLIB", "gsslib"),
    ("PGGSSDELEGATION", "gssdelegation"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGCLIENTENCODING", "client_encoding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
];

/// Variables that set something in the server, by the option that does so.
const SETTINGS: &[(&str, &str)] = &[("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")];

/// Parameters that are paths.
const PATHS: &[&str] = &["passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir", "sslkeylogfile"];

/// Where the system's certificates of authorities are: OpenSSL that was built elsewhere does not know.
const CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// Where servers have their sockets.
const SOCKET_FOLDERS: &[&str] = &["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// Parameters, each with its value, later ones of the same name not counting.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<Keyword>);

impl Params {
    /// Those that the script gave.
    pub fn new(given: Vec<Keyword>) -> Self {
        Self(given)
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|keyword| keyword.name == name).map(|keyword| keyword.value.expose())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }

    /// Sets a parameter that is not set, or is empty, which is the same to libpq.
    fn default(&mut self, name: &str, value: impl Into<String>) {
        if !self.has(name) {
            self.set(name, value);
        }
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|keyword| keyword.name != name);
        self.0.push(Keyword { name: name.to_owned(), value: Secret::new(value) });
    }

    /// All of them, for libpq.
    pub fn keywords(&self) -> &[Keyword] {
        &self.0
    }

    /// All of them as one string without secrets: for people, and to tell targets apart.
    pub fn target(&self) -> String {
        let shown = self
            .0
            .iter()
            .filter(|keyword| !is_secret(&keyword.name) && keyword.name != "passfile" && !keyword.value.is_empty());
        let mut words: Vec<_> =
            shown.map(|keyword| format!("{}={}", keyword.name, quoted(keyword.value.expose()))).collect();
        words.sort();
        words.join(" ")
    }

    /// What tells targets apart, and is not shown.
    pub fn secrets(&self) -> Vec<(&str, &str)> {
        let mut secrets: Vec<_> = (self.0.iter())
            .filter(|keyword| is_secret(&keyword.name))
            .map(|keyword| (keyword.name.as_str(), keyword.value.expose()))
            .collect();
        secrets.sort_unstable();
        secrets
    }

    /// Completes what the script gave by what it stands in: `env` is its environment, if that is not what it was when
    /// its session began.
    pub fn complete(&mut self, client: &Client, env: Option<&BTreeMap<String, String>>) -> Result<(), String> {
        let variable = |name: &str| match env {
            Some(env) => env.get(name).map(String::as_str),
            None => client.env_str(name),
        };
        let home =
            variable("HOME").or_else(|| client.env_str("HOME")).map(PathBuf::from).filter(|home| home.is_absolute());
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let service = self.get("service").filter(|name| !name.is_empty()).or_else(|| variable("PGSERVICE"));
        if let Some(name) = service.map(str::to_owned) {
            let file = self.get("servicefile").or_else(|| variable("PGSERVICEFILE"));
            let places = service::Places {
                file: file.map(|file| client.resolve_path(Path::new(file))),
                home: home.clone(),
                folder: variable("PGSYSCONFDIR").map(|folder| client.resolve_path(Path::new(folder))),
            };
            for (keyword, value) in places.find(&name)? {
                self.default(&keyword, value);
            }
        }
        self.0.retain(|keyword| !matches!(keyword.name.as_str(), "service" | "servicefile"));
        for (name, keyword) in VARIABLES {
            if let Some(value) = variable(name) {
                self.default(keyword, value);
            }
        }
        if !self.has("sslmode") && variable("PGREQUIRESSL") == Some("1") {
            self.set("sslmode", "require");
        }
        self.add_settings(&variable);
        self.find_socket();
        if let Some(home) = home {
            self.look_at_home(&home);
        }
        self.find_certificates(&variable);
        self.find_encoding(&variable);
        for name in PATHS {
            let Some(path) = self.get(name).filter(|path| !path.is_empty() && *path != "system") else { continue };
            let path = client.resolve_path(Path::new(path));
            self.set(name, path.to_string_lossy());
        }
        Ok(())
    }

    fn add_settings<'v>(&mut self, variable: &impl Fn(&str) -> Option<&'v str>) {
        let mut options = String::new();
        for (name, setting) in SETTINGS {
            if let Some(value) = variable(name).filter(|value| !value.eq_ignore_ascii_case("default")) {
                let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
                _ = write!(options, "-c {setting}={value} ");
            }
        }
        if !options.is_empty() {
            options.push_str(self.get("options").unwrap_or_default());
            self.set("options", options.trim_end());
        }
    }

    /// Without a host, libpq takes the folder that it was built for.
    fn find_socket(&mut self) {
        if self.has("host") || self.has("hostaddr") {
            return;
        }
        let port = self.get("port").filter(|port| !port.is_empty()).unwrap_or("5432").to_owned();
        let has_socket = |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
        let found = SOCKET_FOLDERS.iter().find(has_socket);
        let found = found.or_else(|| SOCKET_FOLDERS.iter().find(|folder| Path::new(folder).is_dir()));
        if let Some(folder) = found {
            self.set("host", *folder);
        }
    }

    /// Files in the home of the script's user, which may be another one than the daemon's.
    fn look_at_home(&mut self, home: &Path) {
        self.default("passfile", home.join(".pgpass").to_string_lossy());
        let names = [
            ("sslcert", "postgresql.crt"),
            ("sslkey", "postgresql.key"),
            ("sslrootcert", "root.crt"),
            ("sslcrl", "root.crl"),
        ];
        for (keyword, name) in names {
            let path = home.join(".postgresql").join(name);
            if path.exists() {
                self.default(keyword, path.to_string_lossy());
            }
        }
    }

    /// `sslrootcert=system`: where the system has its certificates. Their use calls for a full check.
    fn find_certificates<'v>(&mut self, variable: &impl Fn(&str) -> Option<&'v str>) {
        let is_checked = self.get("sslmode").is_none_or(|mode| mode.is_empty() || mode == "verify-full");
        if self.get("sslrootcert") != Some("system") || !is_checked {
            return; // libpq refuses a weaker mode itself
        }
        let given = variable("SSL_CERT_FILE");
        let found = given.or_else(|| CERTIFICATES.iter().copied().find(|path| Path::new(path).exists()));
        if let Some(path) = found {
            self.set("sslrootcert", path);
            self.set("sslmode", "verify-full");
        }
    }

    /// `client_encoding=auto` is the encoding of the script's locale.
    fn find_encoding<'v>(&mut self, variable: &impl Fn(&str) -> Option<&'v str>) {
        if self.get("client_encoding") != Some("auto") {
            return;
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name)).unwrap_or("C");
        let codeset = locale.split('.').nth(1).unwrap_or_default().split('@').next().unwrap_or_default();
        let codeset: String = codeset.chars().filter(char::is_ascii_alphanumeric).collect();
        let encoding = match codeset.to_ascii_uppercase().as_str() {
            "UTF8" => "UTF8",
            "ISO88591" => "LATIN1",
            "ISO885915" => "LATIN9",
            "EUCJP" => "EUC_JP",
            "KOI8R" => "KOI8R",
            _ => "SQL_ASCII",
        };
        self.set("client_encoding", encoding);
    }
}

/// Whether a parameter is never shown.
fn is_secret(name: &str) -> bool {
    matches!(name, "password" | "sslpassword" | "scram_client_key" | "scram_server_key" | "oauth_client_secret")
}

fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty() && !value.contains([' ', '\'', '\\']);
    if is_plain { value.to_owned() } else { format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(given: &[(&str, &str)]) -> Params {
        let keyword = |&(name, value): &(&str, &str)| Keyword { name: name.to_owned(), value: Secret::new(value) };
        Params::new(given.iter().map(keyword).collect())
    }

    #[test]
    fn secrets_are_not_shown() {
        let params = params(&[("user", "anna"), ("password", "hunter2"), ("host", "a b")]);
        assert_eq!(params.target(), "host='a b' user=anna");
        assert_eq!(params.secrets(), [("password", "hunter2")]);
        assert!(!format!("{params:?}").contains("hunter2"));
    }

    #[test]
    fn settings_of_the_environment_go_before_options() {
        let mut params = params(&[("options", "-c geqo=off")]);
        params.add_settings(&|name: &str| (name == "PGDATESTYLE").then_some("ISO, DMY"));
        assert_eq!(params.get("options"), Some("-c datestyle=ISO,\\ DMY -c geqo=off"));
    }

    #[test]
    fn a_weak_check_is_left_to_libpq() {
        let mut weak = params(&[("sslrootcert", "system"), ("sslmode", "require")]);
        weak.find_certificates(&|_: &str| Some("/file"));
        assert_eq!(weak.get("sslrootcert"), Some("system"));
        let mut full = params(&[("sslrootcert", "system")]);
        full.find_certificates(&|_: &str| Some("/file"));
        assert_eq!((full.get("sslrootcert"), full.get("sslmode")), (Some("/file"), Some("verify-full")));
    }
}
