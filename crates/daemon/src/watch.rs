//! Which clients' processes have ended.
//!
//! The end of a connection tells the end of a client only while nobody else holds its
//! socket, and a child that it has forked does. So each session also watches the process
//! that made the connection, by a descriptor that becomes readable when it ends. They are all in
//! one epoll, which the sentinel sleeps in: no session and no call pays for it.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// What the descriptor that wakes the sentinel is called; sessions count from 1.
const WAKE: u64 = 0;
/// Ends that are reported at a time; others wait for the next.
const EVENTS: usize = 64;

/// The processes of all clients.
#[derive(Debug)]
pub(crate) struct Watch {
    epoll: OwnedFd,
    wake: OwnedFd,
}

/// A process that is watched, until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched(#[expect(dead_code, reason = "held open: closing it ends the watch")] OwnedFd);

impl Watch {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        Ok(Self { epoll, wake })
    }

    /// Watches the process of a session's client. `ESRCH`: it has ended.
    pub(crate) fn add(&self, pid: Pid, session: u64) -> rustix::io::Result<Watched> {
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        epoll::add(&self.epoll, &process, EventData::new_u64(session), EventFlags::IN | EventFlags::ONESHOT)?;
        Ok(Watched(process))
    }

    /// Ends a [`Watch::wait`].
    pub(crate) fn wake(&self) {
        // Fails only when the counter is full, and then it is being woken already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Waits for a wake or for clients to end; the sessions of those that did.
    pub(crate) fn wait(&self, at_most: Duration) -> Vec<u64> {
        let mut events = Vec::with_capacity(EVENTS);
        let timeout = Timespec::try_from(at_most).ok();
        if epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()).is_err() {
            return Vec::new();
        }
        let mut ended: Vec<u64> = events.iter().map(|event| event.data.u64()).collect();
        ended.retain(|&session| session != WAKE);
        if ended.len() < events.len() {
            let mut count = [0_u8; 8];
            let _ = rustix::io::read(&self.wake, &mut count);
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn the_end_of_a_process_is_told_once_and_before_it_is_waited_for() {
        let watch = Watch::new().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let watched = watch.add(pid, 7).unwrap();
        assert!(watch.wait(SHORT).is_empty(), "it runs");
        drop(child.stdin.take());
        assert_eq!(watch.wait(LONG), [7]);
        assert!(watch.wait(SHORT).is_empty(), "told once");
        drop(watched);
        child.wait().unwrap();
        assert_eq!(watch.add(pid, 8).unwrap_err(), rustix::io::Errno::SRCH);
    }

    #[test]
    fn a_dropped_watch_tells_nothing() {
        let watch = Watch::new().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop(watch.add(Pid::from_child(&child), 7).unwrap());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(watch.wait(SHORT).is_empty());
    }

    #[test]
    fn a_wake_ends_one_wait() {
        let watch = Watch::new().unwrap();
        watch.wake();
        watch.wake();
        let began = Instant::now();
        assert!(watch.wait(LONG).is_empty());
        assert!(began.elapsed() < LONG / 2);
        let began = Instant::now();
        assert!(watch.wait(SHORT).is_empty());
        assert!(began.elapsed() >= SHORT);
    }
}
