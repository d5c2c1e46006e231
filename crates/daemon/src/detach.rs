//! Leaving the starter: process group, terminal, descriptors, working directory.
//!
//! A daemon must not keep anything of the script that happened to start it: not its
//! standard output (`$(perl script)` would wait for it), not a file it has locked.
//!
//! Unsafe, because `fork`, `close_range`, `mallopt` and changing the environment have no safe
//! form anywhere: a fork copies one thread only, closing descriptors pulls them from under
//! whoever holds them, and another thread might read the environment. All are done by [`detach`] before the program has started any thread
//! or opened anything it keeps.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::fs::Mode;

/// Which side of the fork this is.
#[derive(Debug)]
pub enum Side {
    /// The process that was started.
    Starter,
    /// The daemon: a new session, in `/`, umask 077, standard descriptors on /dev/null.
    Daemon,
}

/// Forks twice; the grandchild is the daemon, with no descriptor of its starter but `keep`.
/// Must be called before any thread is started.
pub fn detach(keep: Option<RawFd>) -> io::Result<Side> {
    if fork()? {
        return Ok(Side::Starter);
    }
    rustix::process::setsid()?;
    // Not being the session's leader, the daemon can never get a terminal again.
    match fork() {
        Ok(false) => {}
        _ => std::process::exit(0),
    }
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    drop(null);
    close_all(keep);
    settle()?;
    Ok(Side::Daemon)
}

/// What a daemon in the foreground does, too: cwd `/`, umask 077.
pub fn settle() -> io::Result<()> {
    rustix::process::chdir("/")?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}

/// Closes every descriptor from 3 on, except `keep`. Must be called before the program
/// has opened anything it keeps.
pub fn close_all(keep: Option<RawFd>) {
    match keep.and_then(|fd| u32::try_from(fd).ok()).filter(|fd| *fd >= 3) {
        Some(fd) => {
            close_range(3, fd - 1);
            close_range(fd + 1, u32::MAX);
        }
        None => close_range(3, u32::MAX),
    }
}

/// A descriptor that was named on the command line. `None` if it is not open.
pub fn inherited(fd: RawFd) -> Option<OwnedFd> {
    if fd < 0 || !std::path::Path::new(&format!("/proc/self/fd/{fd}")).exists() {
        return None;
    }
    // SAFETY: it is open, and whoever started us says that it is ours.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Variables that a daemon keeps. Everything else (passwords, hosts, proxies, locale of one
/// script) belongs to the script that happened to start it; each session brings its own.
const KEPT_VARIABLES: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "RUST_BACKTRACE"];
const KEPT_PREFIXES: &[&str] = &["XDG_", "CPAN_BRIDGE_"];

/// Forgets the starter's environment. Must be called before any thread is started.
pub fn forget_environment() {
    for (name, _) in std::env::vars_os() {
        let kept = name.to_str().is_some_and(|name| {
            KEPT_VARIABLES.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        if !kept {
            // SAFETY: there is no other thread yet that could read the environment.
            unsafe { std::env::remove_var(name) };
        }
    }
}

/// Two allocation arenas are enough for sessions that mostly wait; the default of eight a
/// core costs memory that never comes back.
pub fn few_arenas() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator; any value is allowed.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives memory that is not used any more back to the system.
pub fn trim_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: only asks the allocator to release what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Whether this is the parent.
fn fork() -> io::Result<bool> {
    // SAFETY: no thread was started yet (see `detach`), so the child is a whole process.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid != 0),
    }
}

fn close_range(first: u32, last: u32) {
    if first > last {
        return;
    }
    // SAFETY: nothing that is kept has been opened yet (see `close_all`).
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0 {
        close_one_by_one(first, last);
    }
}

/// For kernels before 5.9, which have no `close_range`.
fn close_one_by_one(first: u32, last: u32) {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: as above; closing a descriptor that is closed already (the directory's) does nothing.
        unsafe { libc::close(fd.cast_signed()) };
    }
}

/// The raw number of a descriptor that a child shall inherit, made inheritable.
pub fn make_inheritable(fd: &OwnedFd) -> io::Result<RawFd> {
    rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
    Ok(fd.as_raw_fd())
}
