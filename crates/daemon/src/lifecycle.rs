//! Listening, idle exit, draining.
//!
//! One thread waits for connections, for signals and for being woken by sessions; all
//! decisions about living on or ending are made here. `lifecycle/bind.rs` takes and gives up
//! the socket, `lifecycle/drain.rs` ends the sessions.

mod bind;
mod drain;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use protocol::{Error, code};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SocketFlags, accept_with};

pub use bind::{BindError, Listener};

use crate::config::{self, settings};
use crate::control::Phase;
use crate::limits::SESSION_STACK_BYTES;
use crate::server::Server;
use crate::session::serve_connection;
use crate::sys::peer_of;

/// Refusals that are told at the same time; beyond this a connection is just closed.
const MAX_REFUSALS: usize = 64;
/// How often parked sessions are looked through.
const EXPIRE_EVERY: Duration = Duration::from_secs(20);
/// After the last session, free memory is given back when the daemon was quiet for so long.
const TRIM_AFTER: Duration = Duration::from_secs(2);

/// Between the socket's removal and the end of listening.
const LAST_MOMENT: Duration = Duration::from_millis(2);

/// How a daemon runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Leaves when it had no session for so long; `None` stays for ever.
    pub idle_exit: Option<Duration>,
}

/// The signals that end the daemon, as bytes in a socket.
pub struct Signals(UnixStream);

impl Signals {
    /// Catches SIGTERM, SIGINT and SIGHUP from now on.
    pub fn catch() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Self(read))
    }

    /// How many came since the last time.
    fn count(&self) -> usize {
        let mut bytes = [0; 16];
        rustix::io::read(&self.0, &mut bytes).unwrap_or(0)
    }
}

/// Serves until it is told to end, or idle for too long.
pub fn serve(server: &Arc<Server>, listener: Listener, signals: &Signals, options: &Options) -> io::Result<()> {
    Lifecycle { server, signals, options, busy: false, idle_since: Instant::now(), trimmed: true }.run(listener)
}

struct Lifecycle<'a> {
    server: &'a Arc<Server>,
    signals: &'a Signals,
    options: &'a Options,
    /// There were sessions when this was last looked at, or since.
    busy: bool,
    idle_since: Instant,
    trimmed: bool,
}

impl Lifecycle<'_> {
    fn run(mut self, listener: Listener) -> io::Result<()> {
        while self.server.control.phase() == Phase::Serving && !self.is_idle_for_too_long() {
            let ready = self.wait(Some(&listener), self.next_look())?;
            if ready.connection {
                self.accept(&listener);
            }
            if ready.signals > 0 {
                tracing::info!("told to end by a signal");
                self.server.control.ask(Phase::Stopping);
            }
            self.look_around();
        }
        self.withdraw(listener);
        self.drain()
    }

    /// Gives the socket up. Whoever has connected in the last moment is served.
    fn withdraw(&mut self, listener: Listener) {
        listener.unlink();
        self.accept(&listener);
        // Whoever was just looking the name up has connected by now.
        thread::sleep(LAST_MOMENT);
        self.accept(&listener);
        self.server.control.set_withdrawn();
        drop(listener);
    }

    /// Waits for a connection, a signal or a session's end.
    fn wait(&self, listener: Option<&Listener>, timeout: Option<Duration>) -> io::Result<Ready> {
        let control = &self.server.control;
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.signals.0.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(control.descriptor(), PollFlags::IN),
        ];
        fds.extend(listener.map(|listener| PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (signalled, connection) = (ready(0), ready(2));
        if ready(1) {
            control.drain();
        }
        Ok(Ready { signals: if signalled { self.signals.count() } else { 0 }, connection })
    }

    /// Serves every connection that waits.
    fn accept(&mut self, listener: &Listener) {
        loop {
            match accept_with(listener.as_fd(), SocketFlags::CLOEXEC) {
                Ok(socket) => {
                    self.busy = true;
                    self.start_session(socket);
                }
                Err(rustix::io::Errno::AGAIN) => return,
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
                Err(error) => {
                    tracing::error!("cannot accept a connection: {error}");
                    // Out of descriptors or memory: the connection waits until something is free.
                    thread::sleep(Duration::from_millis(20));
                    return;
                }
            }
        }
    }

    fn start_session(&self, socket: OwnedFd) {
        let server = Arc::clone(self.server);
        let connections = server.control.connections();
        let stopping = server.control.phase() == Phase::Stopping;
        let (uid, refused) = admit(&socket, connections, stopping);
        if refused.is_some() && connections > max_sessions() + MAX_REFUSALS {
            return;
        }
        let connection = Connection::begin(server);
        let session = move || serve_connection(&connection.0, socket, uid, refused.as_ref());
        let started = thread::Builder::new().name("session".into()).stack_size(SESSION_STACK_BYTES).spawn(session);
        if let Err(error) = started {
            tracing::error!("cannot start a thread for a session: {error}");
        }
    }

    /// Connections, and what JSON clients have left open.
    fn sessions(&self) -> usize {
        self.server.control.connections() + self.server.parked.count()
    }

    /// Housekeeping, whenever the thread is awake.
    fn look_around(&mut self) {
        self.server.parked.expire_idle();
        if self.sessions() > 0 {
            self.busy = true;
        } else if std::mem::take(&mut self.busy) {
            self.idle_since = Instant::now();
            self.trimmed = false;
        } else if !self.trimmed && self.idle_since.elapsed() >= TRIM_AFTER {
            crate::sys::trim_memory();
            self.trimmed = true;
        }
    }

    fn is_idle_for_too_long(&self) -> bool {
        let idle = self.options.idle_exit.is_some_and(|limit| self.idle_since.elapsed() >= limit);
        if idle && !self.busy && self.sessions() == 0 {
            tracing::info!("no session for {:?}; leaving", self.options.idle_exit.unwrap_or_default());
            return true;
        }
        false
    }

    /// How long to sleep at most.
    fn next_look(&self) -> Option<Duration> {
        let mut wait = None;
        let mut at_most = |time: Duration| wait = Some(wait.map_or(time, |wait: Duration| wait.min(time)));
        if self.server.parked.count() > 0 {
            at_most(EXPIRE_EVERY);
        }
        if self.sessions() == 0 {
            let idle = self.idle_since.elapsed();
            if let Some(limit) = self.options.idle_exit {
                at_most(limit.saturating_sub(idle));
            }
            if !self.trimmed {
                at_most(TRIM_AFTER.saturating_sub(idle));
            }
        }
        wait.map(|wait| wait.max(Duration::from_millis(1)))
    }
}

/// A connection that is served, counted from being accepted to its session's end.
struct Connection(Arc<Server>);

impl Connection {
    fn begin(server: Arc<Server>) -> Self {
        server.control.connection_begins();
        Self(server)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.control.connection_ends();
    }
}

/// What woke the thread.
struct Ready {
    signals: usize,
    connection: bool,
}

fn max_sessions() -> usize {
    usize::try_from(config::get().count(&settings::DAEMON_MAX_SESSIONS)).unwrap_or(usize::MAX)
}

/// Who the peer is, and why it may not come in.
fn admit(socket: &OwnedFd, connections: usize, stopping: bool) -> (u32, Option<Error>) {
    let own = rustix::process::geteuid().as_raw();
    let uid = match peer_of(socket) {
        Ok(peer) => peer.uid,
        Err(error) => {
            let text = format!("the system does not say who you are: {error}");
            return (u32::MAX, Some(Error::new(code::REFUSED, text)));
        }
    };
    let refused = if uid != own {
        let text = format!("this daemon serves user {own} only, and you are user {uid}; start one of your own");
        Some(Error::new(code::REFUSED, text))
    } else if stopping {
        Some(Error::new(code::DRAINING, "the daemon was told to end; connect again to have a new one").retryable())
    } else if connections >= max_sessions() {
        Some(Error::limit("too many sessions at the same time", "daemon.max_sessions", max_sessions()))
    } else {
        None
    };
    (uid, refused)
}
