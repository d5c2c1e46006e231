//! A session: everything one client has opened, and the calls it makes.
//!
//! `session/serve.rs` reads its frames, `session/callback.rs` calls back into the client;
//! here is what helpers use, and how one call is run.

mod callback;
mod serve;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use protocol::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use storable::WriteOptions;

use crate::Call;
use crate::call::{Answer, HEAD_BYTES};
use crate::cancel::CancelSlot;
use crate::client::Client;
use crate::handles::{HandlePermit, unguessable_id};
use crate::registry::Entry;
use crate::server::Server;
use crate::shared::{CANNOT_PEEK, Shared, bump};
use crate::state::States;
use crate::watch::Watched;
use crate::wire::Wire;

pub(crate) use serve::{serve_connection, serve_wire};

/// One client's session. It lives in one thread and drops everything with the connection.
pub struct Session {
    // Helpers' values are dropped first, while the session is still listed.
    states: States,
    published: Vec<String>,
    server: Arc<Server>,
    shared: Arc<Shared>,
    client: Arc<Client>,
    wire: Option<Wire>,
    /// The watch over the client's process.
    watched: Option<Watched>,
    /// The answer's buffer between two calls.
    out: Vec<u8>,
    /// The number of the running call.
    seq: u32,
    callback_depth: usize,
}

impl Session {
    pub(crate) fn new(server: Arc<Server>, client: Client, wire: Option<Wire>) -> Self {
        let shared = server.enlist();
        shared.set_peer(wire.as_ref().map(Wire::peer));
        let client = Arc::new(client);
        shared.set_client(Arc::clone(&client));
        Self {
            states: States::default(),
            published: Vec::new(),
            server,
            shared,
            client,
            wire,
            watched: None,
            out: Vec::new(),
            seq: 0,
            callback_depth: 0,
        }
    }

    /// The session's number in this daemon, from 1.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// The helper's own value in this session, made on first use, dropped with the session.
    pub fn state<T: Any + Send + Default>(&mut self) -> &mut T {
        self.states.get()
    }

    /// Who the client is and where it runs.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// What all sessions of the daemon share.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// `path` as the client means it: relative paths begin at its working directory.
    pub fn resolve_path(&self, path: &Path) -> PathBuf {
        self.client.resolve_path(path)
    }

    /// Whether the client has sent another frame already, so that what this call does for its own sake (sending on
    /// something that nobody waits for) may wait for the next one.
    pub fn has_more_frames(&self) -> bool {
        self.wire.as_ref().is_some_and(Wire::has_frame)
    }

    /// Where to leave the action that ends what the helper is about to block in.
    pub fn cancel_slot(&self) -> Arc<CancelSlot> {
        Arc::clone(&self.shared.slot)
    }

    /// Takes the right to hold one more handle; `what` is for the error, as in "statement".
    /// Keep it with the handle.
    pub fn handle_permit(&self, what: &str) -> Result<HandlePermit, Error> {
        self.shared.handles.take(what)
    }

    /// Makes an unguessable id for a handle and publishes it: JSON requests that
    /// name it in a [`Param`](crate::Param) with `handle: true` will run in this session.
    pub fn publish_new_handle(&mut self) -> Result<String, Error> {
        let id = unguessable_id()?;
        self.publish_handle(id.clone());
        Ok(id)
    }

    /// Publishes an id; see [`Session::publish_new_handle`].
    pub fn publish_handle(&mut self, id: String) {
        self.published.push(id);
    }

    /// The handle of this id is closed. A session of JSON requests ends with its last handle.
    pub fn withdraw_handle(&mut self, id: &str) {
        self.published.retain(|known| known != id);
    }

    /// Whether a session of the same user's JSON requests still holds the handle `id`; asking
    /// counts as using it.
    pub fn is_parked(&self, id: &str) -> bool {
        self.server.parked.find(id, self.client.uid).is_some()
    }

    pub(crate) fn published(&self) -> &[String] {
        &self.published
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the client speaks frames, and so can be called back.
    pub fn has_callbacks(&self) -> bool {
        self.wire.is_some()
    }

    /// Finds the function `name` and runs it; the answer's frame is in the result, an
    /// error is not yet. Panics of the helper become errors.
    pub(crate) fn run(&mut self, seq: u32, name: &str, params: &[u8], out: Vec<u8>) -> (Vec<u8>, Result<(), Error>) {
        let mut answer = Answer::begin(out, seq);
        let result = match self.server.registry.find(name) {
            Ok((place, entry)) => self.run_entry(place, entry, seq, params, &mut answer),
            Err(error) => {
                self.server.unknown_calls.fetch_add(1, Relaxed);
                Err(error)
            }
        };
        if let Err(error) = &result {
            bump(&self.shared.errors, 1);
            tracing::debug!(session = self.id(), seq, name, code = %error.code, "{error}");
        }
        (answer.out, result)
    }

    /// Calls a function of another module (or of the same) within the running call, as part of it: one helper uses what
    /// another one offers. Callbacks and cancelling work as if the client had called it.
    pub fn delegate<T: DeserializeOwned>(&mut self, name: &str, params: &impl Serialize) -> Result<T, Error> {
        let (_, entry) = self.server.registry.find(name)?;
        let image = storable::to_vec(params).map_err(Error::internal)?;
        let mut answer = Answer::begin(Vec::new(), self.seq);
        let began = Instant::now();
        let result = (entry.function.run)(self, Call::new(self.seq, &image, &mut answer, WriteOptions::default()));
        entry.count(began.elapsed(), result.is_err());
        result.map_err(|error| entry.complete(error))?;
        if !answer.is_complete() {
            return Err(Error::internal(format!("{name} returned without an answer")));
        }
        Ok(storable::from_slice(&answer.out[HEAD_BYTES..])?)
    }

    fn run_entry(
        &mut self,
        place: usize,
        entry: &'static Entry,
        seq: u32,
        params: &[u8],
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.seq, seq);
        if self.callback_depth == 0 {
            self.shared.slot.reset();
        }
        self.shared.function.store(place, Relaxed);
        bump(&self.shared.calls, 1);
        let before = self.shared.running.begin(seq);
        self.server.sentinel.call_begins();
        let began = self.wire.as_mut().and_then(Wire::arrived).unwrap_or_else(Instant::now);
        let call = Call::new(seq, params, answer, self.client.write_options);
        let caught = catch_unwind(AssertUnwindSafe(|| (entry.function.run)(self, call)));
        self.shared.running.end(before);
        self.seq = outer;
        let result = match caught {
            Ok(Ok(())) if answer.is_complete() => Ok(()),
            Ok(Ok(())) => Err(Error::internal("the function returned without an answer")),
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(panicked(&*panic)),
        };
        let ended = Instant::now();
        self.shared.call_ended(ended);
        if let Some(wire) = &mut self.wire {
            wire.answered(ended);
        }
        entry.count(ended - began, result.is_err());
        result.map_err(|error| entry.complete(error))
    }

    /// Tells the sentinel where in the socket the next frame begins, and whether the
    /// call was cancelled by a frame that is here already.
    fn look_ahead(&mut self, seq: u32) -> bool {
        let (found, missing) = self.wire.as_mut().map_or((false, 0), |wire| wire.look_ahead(seq));
        self.shared.skip.store(missing, Relaxed);
        found && seq != 0
    }

    fn cannot_peek(&self) {
        self.shared.skip.store(CANNOT_PEEK, Relaxed);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A helper's cleanup (rollback, close) must be over before anybody hears that the session is.
        let states = std::mem::take(&mut self.states);
        if catch_unwind(AssertUnwindSafe(|| drop(states))).is_err() {
            tracing::error!(session = self.id(), "a helper panicked while its session was dropped");
        }
        self.shared.set_peer(None);
        self.watched = None;
        self.wire = None;
        self.server.delist(self.shared.id);
    }
}

/// A panic as the error of one call.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::internal(format!("internal error (panic): {text}"))
        .unknown("whether the call took effect, wholly or in part")
}
