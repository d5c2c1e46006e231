//! Who a session's client is, and where its paths begin.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use protocol::{Bytes, ClientHello};
use storable::WriteOptions;

/// The facts of a session's client. Helpers use them in place of the daemon's own
/// working directory, umask and environment, which belong to nobody's script.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// What it is written in: "perl", "json", "cpan-bridge" …
    pub kind: String,
    /// Its process id, as it says.
    pub pid: u32,
    /// Its user id, as the kernel says.
    pub uid: u32,
    /// Its version, as in "0.1.0".
    pub version: String,
    /// Its build; 0 is unknown.
    pub build: u64,
    /// Its working directory; empty when it did not say.
    pub cwd: PathBuf,
    /// Its umask, 0o077 when it did not say.
    pub umask: u32,
    /// The script's name.
    pub script: String,
    /// How images for it are written.
    pub write_options: WriteOptions,
    env: BTreeMap<String, Bytes>,
}

impl Client {
    pub(crate) fn new(hello: ClientHello, uid: u32) -> Self {
        Self {
            write_options: hello.write_options(),
            kind: hello.client,
            pid: hello.pid,
            uid,
            version: hello.version,
            build: hello.build,
            cwd: path(&hello.cwd.0),
            umask: hello.umask.unwrap_or(0o077) & 0o777,
            script: hello.script.to_text().into_owned(),
            env: hello.env,
        }
    }

    /// The client's environment variable of this name (only those a driver reads are known).
    pub fn env(&self, name: &str) -> Option<&OsStr> {
        self.env.get(name).map(|value| OsStr::from_bytes(&value.0))
    }

    /// The same, when it is text.
    pub fn env_str(&self, name: &str) -> Option<&str> {
        self.env(name).and_then(OsStr::to_str)
    }

    /// `path` as the client means it: relative paths begin at its working directory.
    pub fn resolve_path(&self, path: &Path) -> PathBuf {
        if path.is_absolute() { path.to_owned() } else { self.cwd.join(path) }
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_where_the_client_is() {
        let hello = ClientHello { cwd: Bytes(b"/home/\xe9".to_vec()), ..Default::default() };
        let client = Client::new(hello, 7);
        assert_eq!(client.resolve_path(Path::new("a.db")), path(b"/home/\xe9/a.db"));
        assert_eq!(client.resolve_path(Path::new("/a.db")), Path::new("/a.db"));
        assert_eq!((client.uid, client.umask), (7, 0o077));
    }
}
