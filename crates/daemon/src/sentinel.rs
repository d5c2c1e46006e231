//! The thread that watches the clients.
//!
//! A session that runs a call does not read its socket, so it would not notice that
//! its client is gone or has sent a cancel. The sentinel looks, every [`SENTINEL`], at the
//! sessions that have been in the same call since its last look. When no call was made
//! for a while it sleeps; the next call wakes it. A short call costs one load of an atomic.
//!
//! What it sleeps in also tells it the end of a client whose socket lives on in a child
//! (`watch.rs`). It shuts that socket down; the rest is as if the client had closed it.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use protocol::{Kind, MAX_FRAME_BYTES, Parsed, message};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, Shutdown};
use rustix::process::Pid;

use crate::limits::{SENTINEL, SENTINEL_PEEK_BYTES};
use crate::server::Server;
use crate::shared::{CANNOT_PEEK, Shared};
use crate::watch::{Watch, Watched};

/// Looks without a running call before the sentinel goes to sleep.
const QUIET_LOOKS: u32 = 100;
/// Sleeping, it still looks whether the server is gone.
const SLEEP: Duration = Duration::from_secs(3600);
const STACK_BYTES: usize = 128 * 1024;

/// The sentinel, as sessions see it.
#[derive(Debug)]
pub(crate) struct Sentinel {
    asleep: AtomicBool,
    watch: Arc<Watch>,
}

impl Sentinel {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { asleep: AtomicBool::new(false), watch: Arc::new(Watch::new()?) })
    }

    /// A call begins.
    pub(crate) fn call_begins(&self) {
        if self.asleep.load(Ordering::Acquire) && self.asleep.swap(false, Ordering::AcqRel) {
            self.watch.wake();
        }
    }

    /// Ends the session when this process has ended. `ESRCH`: it has.
    pub(crate) fn watch_process(&self, pid: Pid, session: u64) -> rustix::io::Result<Watched> {
        self.watch.add(pid, session)
    }
}

/// Starts the thread; it ends with the server.
pub(crate) fn start(server: &Arc<Server>) -> std::io::Result<()> {
    let (weak, clients) = (Arc::downgrade(server), Arc::clone(&server.sentinel.watch));
    thread::Builder::new().name("sentinel".into()).stack_size(STACK_BYTES).spawn(move || watch(&weak, &clients))?;
    Ok(())
}

fn watch(weak: &Weak<Server>, clients: &Watch) {
    let mut quiet = 0;
    let mut peeked = Vec::new();
    loop {
        let Some(server) = weak.upgrade() else { return };
        quiet = if look(&server, &mut peeked) { 0 } else { quiet + 1 };
        if quiet < QUIET_LOOKS {
            drop(server);
            end_sessions(weak, &clients.wait(SENTINEL));
            continue;
        }
        quiet = 0;
        server.sentinel.asleep.store(true, Ordering::SeqCst);
        // A call that began in between did not see `asleep`: look once more.
        if look(&server, &mut peeked) {
            server.sentinel.asleep.store(false, Ordering::Release);
            continue;
        }
        drop(server);
        end_sessions(weak, &clients.wait(SLEEP));
    }
}

/// Ends the sessions whose clients have ended, whoever else holds their sockets.
fn end_sessions(server: &Weak<Server>, ended: &[u64]) {
    if ended.is_empty() {
        return;
    }
    let Some(server) = server.upgrade() else { return };
    for id in ended {
        let shared = server.sessions().get(id).map(Arc::clone);
        if let Some(peer) = shared.and_then(|shared| shared.peer()) {
            tracing::debug!(session = id, "the client's process has ended");
            // Fails only when it was shut down before.
            let _ = rustix::net::shutdown(&peer, Shutdown::Both);
        }
    }
}

/// Looks at every session; whether there was a call since the last look.
fn look(server: &Server, peeked: &mut Vec<u8>) -> bool {
    let mut active = false;
    let mut long = Vec::new();
    for shared in server.sessions().values() {
        let calls = shared.calls.load(Ordering::Acquire);
        let same = shared.seen.swap(calls, Ordering::AcqRel) == calls;
        let running = shared.running.seq().is_some();
        active |= running || !same;
        if running && same {
            long.push(Arc::clone(shared));
        }
    }
    for shared in long {
        check(&shared, peeked);
    }
    active
}

/// Cancels the running call of a session if its client is gone or asks for it.
fn check(shared: &Shared, peeked: &mut Vec<u8>) {
    let (Some(seq), Some(peer)) = (shared.running.seq(), shared.peer()) else { return };
    let mut fds = [PollFd::new(&peer, PollFlags::IN)];
    if poll(&mut fds, Some(&Timespec::default())).is_err() {
        return;
    }
    let events = fds[0].revents();
    if events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        if !shared.vanished.swap(true, Ordering::AcqRel) {
            tracing::info!(session = shared.id, seq, "the client vanished in mid-call; cancelling the call");
        }
        shared.running.fire(seq, &shared.slot);
    } else if shared.slot.is_cancelled()
        || (events.contains(PollFlags::IN) && peek(&peer, shared.skip.load(Ordering::Acquire), seq, peeked))
    {
        shared.running.fire(seq, &shared.slot);
    }
}

/// Whether a cancel of `seq` waits in the socket, behind `skip` bytes of another frame.
fn peek(peer: &impl AsFd, skip: usize, seq: u32, peeked: &mut Vec<u8>) -> bool {
    if skip >= SENTINEL_PEEK_BYTES || skip == CANNOT_PEEK {
        return false;
    }
    peeked.clear();
    peeked.reserve_exact(SENTINEL_PEEK_BYTES);
    let received = rustix::net::recv(peer, spare_capacity(peeked), RecvFlags::PEEK | RecvFlags::DONTWAIT);
    received.is_ok() && peeked.get(skip..).is_some_and(|bytes| find_cancel(bytes, seq).found)
}

/// What is in a buffer of frames.
pub(crate) struct Search {
    /// A cancel of the call.
    pub(crate) found: bool,
    /// A cancel of any call.
    pub(crate) any: bool,
    /// Bytes still to come of the last frame; [`CANNOT_PEEK`] when not even its length is there.
    pub(crate) missing: usize,
}

/// Looks for a cancel of the call `seq` in a buffer that begins with a frame.
pub(crate) fn find_cancel(mut bytes: &[u8], seq: u32) -> Search {
    let (mut found, mut any) = (false, false);
    loop {
        match protocol::parse(bytes, MAX_FRAME_BYTES) {
            Ok(Parsed::Complete(head)) => {
                if head.kind == Kind::Cancel {
                    any = true;
                    found |= message::decode_cancel(&bytes[head.payload.clone()]) == Ok(seq);
                }
                bytes = &bytes[head.end()..];
            }
            Ok(Parsed::Incomplete { .. }) if bytes.is_empty() => return Search { found, any, missing: 0 },
            Ok(Parsed::Incomplete { missing }) if bytes.len() >= 4 => return Search { found, any, missing },
            Ok(Parsed::Incomplete { .. }) | Err(_) => return Search { found, any, missing: CANNOT_PEEK },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_is_found_behind_other_frames_and_only_of_its_call() {
        let mut bytes = Vec::new();
        message::encode_call(&mut bytes, 8, "test.echo", &[1]).unwrap();
        message::encode_cancel(&mut bytes, 7).unwrap();
        assert!(find_cancel(&bytes, 7).found);
        assert!(!find_cancel(&bytes, 8).found);
        assert_eq!(find_cancel(&bytes, 7).missing, 0);
    }

    #[test]
    fn the_rest_of_a_frame_is_counted() {
        let mut bytes = Vec::new();
        message::encode_call(&mut bytes, 8, "test.echo", &[1]).unwrap();
        let whole = bytes.len();
        assert_eq!(find_cancel(&bytes[..whole - 3], 7).missing, 3);
        assert_eq!(find_cancel(&bytes[..2], 7).missing, CANNOT_PEEK);
    }
}
