//! Ending a query from another thread.
//!
//! The server is asked over a second connection. When neither that nor anything else makes the first one answer in time,
//! its socket is shut down: a script that has given a query up is not held by a server that has gone silent.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::target::Target;
use super::wire::Socket;

/// How long a cancelled query may take to end.
const CANCEL_SECONDS: u64 = 5;

/// Ends the running query of one connection, over another.
#[derive(Debug)]
pub struct Killer {
    target: Arc<Target>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The server's number for the connection.
    thread_id: u32,
    /// Its socket.
    socket: Option<Socket>,
    /// The number of the call.
    call: u64,
    /// The call whose query the server is being asked to end.
    asking: Option<u64>,
    /// Until when the cancelled call is to be over.
    deadline: Option<Instant>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nobody wanted it ended.
    Quiet,
    /// The server was asked to end the query.
    Asked,
    /// The server is being asked, and may still be after this: the connection is not to be used any more.
    Late,
}

impl Killer {
    /// For a connection to `target`.
    pub fn new(target: &Arc<Target>) -> Self {
        Self { target: Arc::clone(target), state: Mutex::default(), changed: Condvar::new() }
    }

    /// It is about this connection from now on.
    pub fn follow(&self, thread_id: u32, socket: Option<&Socket>) {
        let mut state = self.lock();
        state.thread_id = thread_id;
        state.socket = socket.and_then(|socket| socket.try_clone().ok());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the server to end the query. Does not wait: connecting may take time, and the thread that cancels watches
    /// other sessions too.
    pub fn fire(self: &Arc<Self>) {
        let mut state = self.lock();
        let (call, thread_id) = (state.call, state.thread_id);
        if state.asking.is_none() && self.spawn("mysql-kill", move |killer| killer.ask(call, thread_id)) {
            state.asking = Some(call);
        }
        if state.deadline.is_none() {
            let deadline = Instant::now() + Duration::from_secs(CANCEL_SECONDS);
            state.deadline = Some(deadline);
            self.spawn("mysql-patience", move |killer| killer.shut_down_at(call, deadline));
        }
    }

    fn spawn(self: &Arc<Self>, name: &str, run: impl FnOnce(&Self) + Send + 'static) -> bool {
        let killer = Arc::clone(self);
        match std::thread::Builder::new().name(name.into()).spawn(move || run(&killer)) {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!("no thread for ending a query: {error}");
                false
            }
        }
    }

    fn ask(&self, call: u64, thread_id: u32) {
        if let Err(error) = self.target.kill_query(thread_id) {
            tracing::warn!("a query could not be ended: {error}");
        }
        let mut state = self.lock();
        if state.asking == Some(call) {
            state.asking = None;
        }
        self.changed.notify_all();
    }

    fn shut_down_at(&self, call: u64, deadline: Instant) {
        let mut state = self.lock();
        while state.call == call {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!("a server did not end a query within CANCEL_SECONDS; the connection is given up");
                if let Some(socket) = &state.socket {
                    socket.shutdown();
                }
                return;
            }
            state = self.wait(state, left);
        }
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, patience: Duration) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The call is over. Waits until no request is on its way, so that it cannot hit the next query.
    pub fn settle(&self) -> Settled {
        let mut state = self.lock();
        let Some(deadline) = state.deadline.take() else { return Settled::Quiet };
        state.call += 1;
        self.changed.notify_all();
        while state.asking.is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.asking = None;
                return Settled::Late;
            }
            state = self.wait(state, left);
        }
        Settled::Asked
    }
}
