//! The handshake: the first frame each way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use storable::{Numbers, WriteOptions};

use crate::Bytes;

/// The version of the protocol; also in the socket's name.
pub const PROTOCOL: u32 = 1;

/// Who the client is and where it runs. Only `protocol` is required.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClientHello {
    /// Must be [`PROTOCOL`].
    pub protocol: u32,
    /// The client's version, as in "0.1.0".
    #[serde(default)]
    pub version: String,
    /// The client's build: larger is newer, 0 unknown.
    #[serde(default)]
    pub build: u64,
    /// What it is written in, as in "perl".
    #[serde(default)]
    pub client: String,
    /// Its process id.
    #[serde(default)]
    pub pid: u32,
    /// Its user id (the daemon believes the socket's credentials, not this).
    #[serde(default)]
    pub uid: u32,
    /// Its working directory: relative paths in calls begin there.
    #[serde(default)]
    pub cwd: Bytes,
    /// Its umask: files that are made for it get no more than this allows.
    #[serde(default)]
    pub umask: Option<u32>,
    /// The environment variables that drivers read.
    #[serde(default)]
    pub env: BTreeMap<String, Bytes>,
    /// Bytes of its integers (`length pack "j", 0`); 8 when it does not say.
    #[serde(default)]
    pub ivsize: Option<u32>,
    /// Bytes of its floating-point numbers (`length pack "F", 0`); 8 when it does not say.
    #[serde(default)]
    pub nvsize: Option<u32>,
    /// The script's name (`$0`), for `status` and the log.
    #[serde(default)]
    pub script: Bytes,
}

impl ClientHello {
    /// How images for this client are written: numbers in eight native bytes, unless its
    /// own are of another size.
    pub fn write_options(&self) -> WriteOptions {
        let native = self.ivsize.unwrap_or(8) == 8 && self.nvsize.unwrap_or(8) == 8;
        let numbers = if native { Numbers::Native } else { Numbers::Portable };
        WriteOptions { numbers, ..WriteOptions::default() }
    }
}

/// Who the daemon is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonHello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The daemon's version.
    pub version: String,
    /// The daemon's build.
    pub build: u64,
    /// Its process id.
    pub pid: u32,
    /// The number of this session in the daemon, from 1.
    pub session: u64,
    /// The longest frame it reads.
    pub max_frame_bytes: u64,
}

/// Whether `ours` is a newer program than `theirs`; an unknown build (0) is never newer or older.
pub fn is_newer(ours: (&str, u64), theirs: (&str, u64)) -> bool {
    ours.1 != 0 && theirs.1 != 0 && (numbers(ours.0), ours.1) > (numbers(theirs.0), theirs.1)
}

/// The numbers of a version, for comparing: 0.10.0 comes after 0.9.3.
fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_is_by_version_and_then_by_build() {
        assert!(is_newer(("0.10.0", 1), ("0.9.3", 2)));
        assert!(is_newer(("0.1.0", 2), ("0.1.0", 1)));
        assert!(!is_newer(("0.1.0", 1), ("0.1.0", 1)));
        assert!(!is_newer(("0.1.0", 1), ("0.1.0", 2)));
        assert!(!is_newer(("9.0.0", 0), ("0.1.0", 1)));
        assert!(!is_newer(("9.0.0", 1), ("0.1.0", 0)));
    }

    #[test]
    fn a_hello_needs_only_the_protocol() {
        let image = storable::to_vec(&BTreeMap::from([("protocol", 1)])).unwrap();
        let hello: ClientHello = storable::from_slice(&image).unwrap();
        assert_eq!(hello.protocol, PROTOCOL);
        assert_eq!(hello.umask, None);
    }

    #[test]
    fn a_perl_with_other_numbers_gets_them_as_strings() {
        let hello = ClientHello { ivsize: Some(4), nvsize: Some(8), ..Default::default() };
        assert_eq!(hello.write_options().numbers, Numbers::Portable);
        let hello = ClientHello { ivsize: Some(8), nvsize: Some(16), ..Default::default() };
        assert_eq!(hello.write_options().numbers, Numbers::Portable);
        assert_eq!(ClientHello::default().write_options().numbers, Numbers::Native);
    }

    #[test]
    fn values_that_are_not_text_survive() {
        let mut hello = ClientHello { protocol: PROTOCOL, cwd: Bytes(b"/tmp/\xff".to_vec()), ..Default::default() };
        hello.env.insert("LANG".into(), Bytes::from("C"));
        let image = storable::to_vec(&hello).unwrap();
        let back: ClientHello = storable::from_slice(&image).unwrap();
        assert_eq!(back.cwd, hello.cwd);
        assert_eq!(back.env, hello.env);
    }
}
