//! Leaving the starter: process group, terminal, descriptors, working directory.
//!
//! A daemon must not keep anything of the script that happened to start it: not its
//! standard output (`$(perl script)` would wait for it), not a file it has locked.
//!
//! Everything here must be done before the program has started any thread or opened
//! anything it keeps; the calls themselves are in `sys.rs`.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::fs::Mode;

use crate::sys;

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
    if sys::fork()? {
        return Ok(Side::Starter);
    }
    rustix::process::setsid()?;
    // Not being the session's leader, the daemon can never get a terminal again.
    match sys::fork() {
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
            sys::close_range(3, fd - 1);
            sys::close_range(fd + 1, u32::MAX);
        }
        None => sys::close_range(3, u32::MAX),
    }
}

/// A descriptor that was named on the command line. `None` if it is not open.
pub fn inherited(fd: RawFd) -> Option<OwnedFd> {
    sys::inherited(fd)
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
            sys::remove_variable(&name);
        }
    }
}

/// Two allocation arenas are enough for sessions that mostly wait; the default of eight a
/// core costs memory that never comes back.
pub fn few_arenas() {
    sys::set_arenas(2);
}

/// The raw number of a descriptor that a child shall inherit, made inheritable.
pub fn make_inheritable(fd: &OwnedFd) -> io::Result<RawFd> {
    rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
    Ok(fd.as_raw_fd())
}
