//! Taking the socket, and giving it up.
//!
//! Both are done under the lock of the place. A socket that is there is only removed when
//! connecting to it is refused, that is when nobody listens any more: removing it
//! unasked would take it away from a daemon that lives.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use crate::limits::LOCK_SECONDS;
use crate::place::{Lock, Place, PlaceError};

/// Connections that wait for being accepted; a hundred scripts may start at once.
const BACKLOG: i32 = 512;
/// A daemon that ends does not wait long for the lock: see [`Listener::unlink`].
const UNLINK_LOCK_WAIT: Duration = Duration::from_millis(200);

/// Why there is no socket to listen on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A daemon listens there; that may be what the starter wants.
    #[error("a daemon is already running on {0}")]
    AlreadyRunning(PathBuf),
    /// Something else is where the socket should be.
    #[error("{0} is there, but is not a socket; remove it, or set CPAN_BRIDGE_SOCKET to another path")]
    NotASocket(PathBuf),
    /// The directory or the lock cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The system said no.
    #[error("cannot listen on {path}: {error}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The daemon's socket.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    place: Place,
    /// Device and inode of the socket, to know it from one that took its place.
    identity: (u64, u64),
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Listener {
    /// Listens at `place`. The lock is taken for that time, unless the starter holds it.
    pub fn bind(place: &Place, locked_by_starter: bool) -> Result<Self, BindError> {
        place.prepare()?;
        let wait = if locked_by_starter { Duration::ZERO } else { Duration::from_secs(LOCK_SECONDS) };
        let _lock: Option<Lock> = match place.lock(wait) {
            Err(PlaceError::Locked { .. }) if locked_by_starter => None,
            lock => Some(lock?),
        };
        let failed = |error: io::Error| BindError::Io { path: place.socket.clone(), error };
        let address = SocketAddrUnix::new(&place.socket).map_err(|error| failed(error.into()))?;
        remove_stale(&place.socket, &address)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(|e| failed(e.into()))?;
        rustix::net::bind(&socket, &address).map_err(|error| failed(error.into()))?;
        rustix::net::listen(&socket, BACKLOG).map_err(|error| failed(error.into()))?;
        let identity = identity(&place.socket).map_err(failed)?;
        Ok(Self { socket, place: place.clone(), identity })
    }

    /// Removes the socket, if it is still this one.
    ///
    /// Under the lock where that can be had soon. Where it cannot (a starter holds it and may
    /// be waiting for just this), removing without is as safe: while this daemon still
    /// listens, connecting is not refused, so nobody else replaces the socket.
    pub(super) fn unlink(&self) {
        let _lock = self.place.lock(UNLINK_LOCK_WAIT).ok();
        match identity(&self.place.socket) {
            Ok(found) if found == self.identity => {
                if let Err(error) = fs::remove_file(&self.place.socket) {
                    tracing::error!("cannot remove {}: {error}", self.place.socket.display());
                }
            }
            _ => tracing::warn!("{} is not this daemon's any more; left alone", self.place.socket.display()),
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let meta = fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

/// Removes a socket that nobody listens on.
fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), BindError> {
    let failed = |error: io::Error| BindError::Io { path: path.into(), error };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        // Connecting to a file is refused as well.
        Ok(meta) if !meta.file_type().is_socket() => return Err(BindError::NotASocket(path.into())),
        Ok(_) => {}
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(|e| failed(e.into()))?;
    match rustix::net::connect(&probe, address) {
        Err(Errno::CONNREFUSED) => {
            tracing::info!("removing a socket that nobody listens on: {}", path.display());
            fs::remove_file(path).map_err(failed)
        }
        Err(Errno::NOENT) => Ok(()),
        // AGAIN: somebody listens, and has more connections waiting than he can take.
        Ok(()) | Err(Errno::AGAIN) => Err(BindError::AlreadyRunning(path.into())),
        Err(error) => Err(failed(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(temp: &tempfile::TempDir) -> Place {
        Place::of_socket(&temp.path().join("run/x.sock")).unwrap()
    }

    #[test]
    fn a_living_daemon_keeps_its_socket() {
        let temp = tempfile::tempdir().unwrap();
        let first = Listener::bind(&place(&temp), false).unwrap();
        assert!(matches!(Listener::bind(&place(&temp), false), Err(BindError::AlreadyRunning(_))));
        first.unlink();
        assert!(!place(&temp).socket.exists());
    }

    #[test]
    fn a_dead_daemon_s_socket_is_replaced_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        drop(Listener::bind(&place(&temp), false).unwrap());
        assert!(place(&temp).socket.exists());
        let second = Listener::bind(&place(&temp), false).unwrap();
        drop(second);
        fs::remove_file(place(&temp).socket).unwrap();
        fs::write(place(&temp).socket, "precious").unwrap();
        assert!(matches!(Listener::bind(&place(&temp), false), Err(BindError::NotASocket(_))));
        assert_eq!(fs::read_to_string(place(&temp).socket).unwrap(), "precious");
    }

    #[test]
    fn a_socket_that_took_the_place_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let first = Listener::bind(&place(&temp), false).unwrap();
        fs::remove_file(place(&temp).socket).unwrap();
        let _second = Listener::bind(&place(&temp), false).unwrap();
        first.unlink();
        assert!(place(&temp).socket.exists());
    }
}
