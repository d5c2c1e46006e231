//! System calls that have no safe form anywhere.
//!
//! Unsafe, because `fork` copies one thread only, closing descriptors pulls them from under
//! whoever holds them, changing the environment races with whoever reads it, and the
//! allocator's knobs are C functions. The first three are only sound in a process that has not begun its
//! work yet: see `detach.rs`, their only user. `SO_PEERCRED` is here because the safe form takes
//! every process id for a positive number, and that of a process in another namespace is 0.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;

/// Forks; whether this is the parent. Must be called before any thread is started.
pub(crate) fn fork() -> io::Result<bool> {
    // SAFETY: no thread was started yet, so the child is a whole process.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid != 0),
    }
}

/// Closes the descriptors from `first` to `last`. Must be called before anything that is
/// kept was opened.
pub(crate) fn close_range(first: u32, last: u32) {
    if first > last {
        return;
    }
    // SAFETY: nothing that is kept has been opened yet.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0 {
        close_one_by_one(first, last);
    }
}

/// For kernels before 5.9, which have no `close_range`.
fn close_one_by_one(first: u32, last: u32) {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<u32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: as above; closing a descriptor that is closed already (the directory's) does nothing.
        unsafe { libc::close(fd.cast_signed()) };
    }
}

/// A descriptor that was named on the command line. `None` if it is not open.
pub(crate) fn inherited(fd: RawFd) -> Option<OwnedFd> {
    if fd < 0 || !std::path::Path::new(&format!("/proc/self/fd/{fd}")).exists() {
        return None;
    }
    // SAFETY: it is open, and whoever started us says that it is ours.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Forgets a variable of the environment. Must be called before any thread is started.
pub(crate) fn remove_variable(name: &OsStr) {
    // SAFETY: there is no other thread yet that could read the environment.
    unsafe { std::env::remove_var(name) };
}

/// Who made a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// The process; none if it is not in this one's namespace, or the socket is not a local one.
    pub(crate) pid: Option<Pid>,
    pub(crate) uid: u32,
}

/// Who made the connection that this socket is an end of, as the kernel says.
pub(crate) fn peer_of(socket: impl AsFd) -> io::Result<Peer> {
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>()).map_err(io::Error::other)?;
    let (fd, value) = (socket.as_fd().as_raw_fd(), (&raw mut peer).cast());
    // SAFETY: `value` has room for `size` bytes, and any bytes are a `ucred`.
    if unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, value, &raw mut size) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Peer { pid: Pid::from_raw(peer.pid), uid: peer.uid })
}

/// Sets how many arenas the allocator may have.
pub(crate) fn set_arenas(count: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator; any value is allowed.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, count);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = count;
}

/// Gives memory that is not used any more back to the system.
pub(crate) fn trim_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: only asks the allocator to release what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}
