//! Ending: the sessions that are there are finished first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Lifecycle;
use crate::config::{self, settings};
use crate::control::Phase;
use crate::limits::{CANCEL_GRACE_SECONDS, DRAIN_QUIET_MILLISECONDS};
use crate::shared::Shared;

/// How often the sessions are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The same, while only waiting for them to end by themselves (which wakes the thread).
const IDLE_LOOK: Duration = Duration::from_secs(20);

impl Lifecycle<'_> {
    /// Waits for the sessions: as long as they like when a newer daemon takes over, a
    /// bounded time when told to end.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let told_before = self.server.control.phase() == Phase::Stopping;
        let mut stopping = told_before.then(Instant::now);
        while self.sessions() > 0 {
            let pace = if self.server.control.phase() == Phase::Stopping { LOOK } else { IDLE_LOOK };
            let told = self.wait(None, Some(pace))?.signals;
            if told > 0 && stopping.is_some() {
                tracing::warn!("told to end again; ending at once");
                break;
            }
            if told > 0 {
                self.server.control.ask(Phase::Stopping);
            }
            if self.server.control.phase() != Phase::Stopping {
                self.server.parked.expire_idle();
                continue;
            }
            let since = *stopping.get_or_insert_with(Instant::now);
            if self.stop_sessions(since.elapsed()) {
                break;
            }
        }
        let left = self.sessions();
        tracing::info!(sessions_left = left, "the daemon ends");
        Ok(())
    }

    /// Closes what is quiet, after a while everything; whether there is nothing left to wait for.
    fn stop_sessions(&self, elapsed: Duration) -> bool {
        let (bound, grace) = (config::get().time(&settings::DAEMON_DRAIN), Duration::from_secs(CANCEL_GRACE_SECONDS));
        let quiet = Duration::from_millis(DRAIN_QUIET_MILLISECONDS);
        self.server.parked.expire(if elapsed >= bound { Duration::ZERO } else { quiet });
        let sessions: Vec<_> = self.server.sessions().values().cloned().collect();
        for shared in &sessions {
            if shared.quiet() >= quiet || elapsed >= bound {
                close(shared);
            }
            if elapsed >= bound {
                cancel(shared);
            }
        }
        elapsed >= bound + grace
    }
}

/// Ends a session after its running call: it reads the end of its client's requests.
fn close(shared: &Arc<Shared>) {
    if let Some(peer) = shared.peer() {
        let _ = rustix::net::shutdown(&peer, rustix::net::Shutdown::Read);
    }
}

/// Cancels a session's running call.
fn cancel(shared: &Arc<Shared>) {
    if let Some(seq) = shared.running.seq() {
        shared.vanished.store(true, Ordering::Release);
        shared.running.fire(seq, &shared.slot);
    }
}
