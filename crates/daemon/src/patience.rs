//! Waiting for somebody else's answer: a server's, say, while a client waits for ours.
//!
//! The same as in `spin.rs`, for helpers: an answer that comes within a few tens of microseconds is polled for, if a
//! core is free for that and answers have been coming as fast.

use std::sync::Arc;
use std::time::Instant;

use crate::Session;
use crate::load::Load;
use crate::spin::Spinner;

/// How one conversation's answers are waited for.
#[derive(Debug)]
pub struct Patience {
    spinner: Spinner,
    load: Arc<Load>,
    since: Instant,
}

impl Patience {
    /// For a conversation of this session's.
    pub fn of(session: &Session) -> Self {
        Self { spinner: Spinner::default(), load: Arc::clone(&session.server().load), since: Instant::now() }
    }

    /// Polls until `is_there`, or until polling is not worth it (any more). Whether it is there; if not, sleep, and say
    /// [`Patience::slept`] afterwards.
    pub fn poll(&mut self, mut is_there: impl FnMut() -> bool) -> bool {
        self.since = Instant::now();
        self.spinner.poll(&self.load, self.since, || is_there().then_some(())).is_some()
    }

    /// The answer came while its reader slept.
    pub fn slept(&mut self) {
        self.spinner.slept(self.since.elapsed());
    }
}
