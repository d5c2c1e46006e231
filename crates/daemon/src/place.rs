//! Where the daemon's socket is, and whether that place is safe.
//!
//! The directory must be the user's own, closed to everybody else and not a symbolic
//! link: whoever could put a socket of their own there would be given passwords. The
//! lock file beside the socket serialises starting and ending.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use protocol::PROTOCOL;
use rustix::fs::{FlockOperation, flock};

use crate::limits::LOCK_SECONDS;

/// Names a socket; its directory takes the lock and the log, too.
pub const SOCKET_VARIABLE: &str = "CPAN_BRIDGE_SOCKET";
/// How often a lock that is taken is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The directory is a symbolic link, or no directory.
    #[error(
        "{path} is not a directory of its own but {what}; remove it, or set {SOCKET_VARIABLE} to a socket in a private directory"
    )]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another user owns it.
    #[error(
        "{path} belongs to user {owner}, not to user {uid}; set {SOCKET_VARIABLE} to a socket in a directory of your own"
    )]
    ForeignOwner {
        /// The path.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who wants to use it.
        uid: u32,
    },
    /// Group or others may do something with it.
    #[error("{path} is open to other users (mode {mode:04o}); close it with: chmod 700 {path}")]
    OpenToOthers {
        /// The path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Somebody holds the lock for too long.
    #[error(
        "{path} is locked by another process for more than LOCK_SECONDS ({LOCK_SECONDS}); is a daemon hanging in its start?"
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The value of [`SOCKET_VARIABLE`] is not usable.
    #[error("{SOCKET_VARIABLE} must be the absolute path of a socket, not {0:?}")]
    BadVariable(OsString),
    /// The system said no.
    #[error("{path}: {error}")]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A directory with the daemon's socket and lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The socket.
    pub socket: PathBuf,
    /// The lock file.
    pub lock: PathBuf,
}

impl Place {
    /// The place that the environment says: [`SOCKET_VARIABLE`], else the user's run-time directory.
    pub fn from_env() -> Result<Self, PlaceError> {
        let uid = rustix::process::geteuid().as_raw();
        match env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty()) {
            Some(socket) => Self::of_socket(Path::new(&socket)),
            None => Ok(Self::in_directory(&directory(env::var_os("XDG_RUNTIME_DIR"), uid))),
        }
    }

    /// The place of this socket.
    pub fn of_socket(socket: &Path) -> Result<Self, PlaceError> {
        if !socket.is_absolute() || socket.file_name().is_none() {
            return Err(PlaceError::BadVariable(socket.into()));
        }
        Ok(Self { lock: socket.with_extension("lock"), socket: socket.into() })
    }

    fn in_directory(directory: &Path) -> Self {
        let name = format!("cpan-bridge-{PROTOCOL}");
        Self { socket: directory.join(format!("{name}.sock")), lock: directory.join(format!("{name}.lock")) }
    }

    /// The directory of both.
    pub fn directory(&self) -> &Path {
        self.socket.parent().unwrap_or(Path::new("/"))
    }

    /// Makes the directory if it is not there, and checks it.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        match fs::DirBuilder::new().mode(0o700).create(self.directory()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(self.failed(error)),
            _ => self.check(),
        }
    }

    /// Checks that the directory is the user's own, private, and not a link.
    pub fn check(&self) -> Result<(), PlaceError> {
        let uid = rustix::process::geteuid().as_raw();
        check_directory(self.directory(), uid)
    }

    fn failed(&self, error: io::Error) -> PlaceError {
        PlaceError::Io { path: self.directory().into(), error }
    }

    /// Takes the lock, waiting for it at most `wait`.
    pub fn lock(&self, wait: Duration) -> Result<Lock, PlaceError> {
        let failed = |error| PlaceError::Io { path: self.lock.clone(), error };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&self.lock)
            .map_err(failed)?;
        let until = Instant::now() + wait;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock(file)),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) if Instant::now() < until => {
                    thread::sleep(LOCK_RETRY);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(PlaceError::Locked { path: self.lock.clone() }),
                Err(error) => return Err(failed(error.into())),
            }
        }
    }
}

/// The lock on a place; given back when dropped.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held, not read")] File);

fn directory(runtime: Option<OsString>, uid: u32) -> PathBuf {
    let own =
        |path: &Path| path.is_absolute() && fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
    let runtime = runtime.map(PathBuf::from).filter(|path| own(path));
    let standard = || Some(PathBuf::from(format!("/run/user/{uid}"))).filter(|path| own(path));
    match runtime.or_else(standard) {
        Some(directory) => directory.join("cpan-bridge"),
        None => PathBuf::from(format!("/tmp/cpan-bridge-{uid}")),
    }
}

/// Checks that `path` is a private directory of `uid`, itself and not through a link.
pub fn check_directory(path: &Path, uid: u32) -> Result<(), PlaceError> {
    let meta = fs::symlink_metadata(path).map_err(|error| PlaceError::Io { path: path.into(), error })?;
    let path = path.to_owned();
    if meta.is_symlink() {
        Err(PlaceError::NotADirectory { path, what: "a symbolic link" })
    } else if !meta.is_dir() {
        Err(PlaceError::NotADirectory { path, what: "a file" })
    } else if meta.uid() != uid {
        Err(PlaceError::ForeignOwner { path, owner: meta.uid(), uid })
    } else if meta.mode() & 0o077 != 0 {
        Err(PlaceError::OpenToOthers { path, mode: meta.mode() & 0o7777 })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn the_directory_is_made_private() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::in_directory(&temp.path().join("new"));
        place.prepare().unwrap();
        assert_eq!(fs::metadata(place.directory()).unwrap().mode() & 0o777, 0o700);
        place.prepare().unwrap();
    }

    #[test]
    fn unsafe_directories_are_refused_with_their_reason() {
        let temp = tempfile::tempdir().unwrap();
        let open = temp.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).unwrap();
        let link = temp.path().join("link");
        symlink(temp.path(), &link).unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, part) in [(&open, "chmod 700"), (&link, "a symbolic link"), (&file, "a file")] {
            let error = check_directory(path, uid()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
        check_directory(&open, uid()).unwrap();
        let error = check_directory(&open, uid() + 1).unwrap_err().to_string();
        assert!(error.contains("belongs to user"), "{error}");
    }

    #[test]
    fn the_run_time_directory_must_be_ones_own() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(directory(Some(temp.path().into()), uid()), temp.path().join("cpan-bridge"));
        assert_ne!(directory(Some("relative".into()), uid()), Path::new("relative/cpan-bridge"));
        assert_eq!(directory(Some(temp.path().into()), 4_000_000), Path::new("/tmp/cpan-bridge-4000000"));
    }

    #[test]
    fn a_lock_is_held_once() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::of_socket(&temp.path().join("a.sock")).unwrap();
        let held = place.lock(Duration::ZERO).unwrap();
        assert!(matches!(place.lock(Duration::from_millis(20)), Err(PlaceError::Locked { .. })));
        drop(held);
        place.lock(Duration::ZERO).unwrap();
    }

    #[test]
    fn a_relative_socket_is_refused() {
        assert!(Place::of_socket(Path::new("a.sock")).is_err());
    }
}
