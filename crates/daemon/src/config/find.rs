//! Which files are read, and from whom they are accepted.
//!
//! A file says what the daemon loads and where it writes, so it must not be another user's, nor one that others can
//! change: it belongs to the user or to root, as does the directory it is in, and nobody else may write there.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Origin, Problem};

/// Names the file that is read instead of the others.
pub const FILE_VARIABLE: &str = "CPAN_BRIDGE_CONFIG";
/// The longest file that is read.
pub const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// Of the machine's administrator.
const SYSTEM: &str = "/etc/cpan-bridge/config.toml";
/// Below the user's directory of configurations.
const OWN: &str = "cpan-bridge/config.toml";
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Where a file may be.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// It has to be there.
    pub(super) required: bool,
}

/// The files of this user, those that count more last.
pub(super) fn places() -> Vec<Place> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    places_of(variable(FILE_VARIABLE), variable("XDG_CONFIG_HOME"), variable("HOME"))
}

pub(super) fn places_of(named: Option<OsString>, config: Option<OsString>, home: Option<OsString>) -> Vec<Place> {
    if let Some(path) = named {
        // The usual way to say "none".
        let none = path == "/dev/null";
        return if none { Vec::new() } else { vec![Place { path: path.into(), required: true }] };
    }
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let own = config.and_then(absolute).or_else(|| home.and_then(absolute).map(|home| home.join(".config")));
    let mut places = vec![Place { path: SYSTEM.into(), required: false }];
    places.extend(own.map(|directory| Place { path: directory.join(OWN), required: false }));
    places
}

/// The text of a file, if it is there and may be trusted.
pub(super) fn read(place: &Place) -> Result<Option<String>, Problem> {
    let path = &place.path;
    let problem = |text: String| Problem { origin: None, text: format!("{}: {text}", path.display()) };
    // Without waiting for whoever has the other end of a pipe.
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC).bits().cast_signed();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !place.required => return Ok(None),
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    let meta = file.metadata().map_err(|error| problem(format!("cannot be read: {error}")))?;
    check(path, &meta, rustix::process::geteuid().as_raw()).map_err(problem)?;
    let mut bytes = Vec::new();
    file.take(MAX_CONFIG_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(problem(format!("is longer than MAX_CONFIG_BYTES ({MAX_CONFIG_BYTES})")));
    }
    let line = |valid: usize| bytes[..valid].split(|&byte| byte == b'\n').count();
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(error) => Err(Problem {
            origin: Some(Origin::File(path.as_path().into(), line(error.valid_up_to()))),
            text: "this is not UTF-8".into(),
        }),
    }
}

/// Why a file is not accepted.
fn check(path: &Path, meta: &Metadata, uid: u32) -> Result<(), String> {
    if !meta.is_file() {
        return Err("is not a file".into());
    }
    check_owner("it", meta, uid)?;
    if meta.mode() & (GROUP_WRITES | OTHERS_WRITE) != 0 {
        return Err(format!("others may write to it; run: chmod go-w {}", path.display()));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let meta = std::fs::metadata(directory).map_err(|error| format!("its directory cannot be looked at: {error}"))?;
    check_owner("its directory", &meta, uid)?;
    if meta.mode() & OTHERS_WRITE != 0 && meta.mode() & STICKY == 0 {
        return Err(format!("anybody may replace it; run: chmod o-w {}", directory.display()));
    }
    Ok(())
}

fn check_owner(what: &str, meta: &Metadata, uid: u32) -> Result<(), String> {
    if meta.uid() == uid || meta.uid() == 0 {
        return Ok(());
    }
    Err(format!("{what} belongs to user {}, who is neither you (user {uid}) nor root; it is not read", meta.uid()))
}
