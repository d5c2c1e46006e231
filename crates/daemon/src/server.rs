//! What all sessions of a daemon share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use crate::control::Control;
use crate::load::Load;
use crate::parked::Parked;
use crate::registry::Module;
use crate::registry::Registry;
use crate::sentinel::Sentinel;
use crate::shared::Shared;

/// Which program this is; sent in every hello.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// As in "0.1.0".
    pub version: String,
    /// Larger is newer; 0 is unknown.
    pub build: u64,
}

/// What all sessions share.
pub struct Server {
    /// The router's table.
    pub registry: &'static Registry,
    /// Which program this is.
    pub identity: Identity,
    pub(crate) load: Arc<Load>,
    pub(crate) control: Control,
    pub(crate) parked: Parked,
    pub(crate) sentinel: Sentinel,
    pub(crate) started: Instant,
    pub(crate) started_at: SystemTime,
    sessions: Mutex<BTreeMap<u64, Arc<Shared>>>,
    next_session: AtomicU64,
    /// Calls of what is not there.
    pub(crate) unknown_calls: AtomicU64,
    pub(crate) json_requests: AtomicU64,
}

impl Server {
    /// A server for these modules, with its sentinel running.
    pub fn new(modules: Vec<&'static Module>, identity: Identity) -> std::io::Result<Arc<Self>> {
        let server = Arc::new(Self {
            // One a process, for as long as it lives: so a running call borrows nothing of its session.
            registry: Box::leak(Box::new(Registry::new(modules))),
            identity,
            load: Arc::new(Load::new()),
            control: Control::new()?,
            parked: Parked::default(),
            sentinel: Sentinel::new()?,
            started: Instant::now(),
            started_at: SystemTime::now(),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1),
            unknown_calls: AtomicU64::new(0),
            json_requests: AtomicU64::new(0),
        });
        crate::sentinel::start(&server)?;
        Ok(server)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Shared>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions().len()
    }

    /// How many sessions there were, in all.
    pub(crate) fn sessions_total(&self) -> u64 {
        self.next_session.load(Relaxed) - 1
    }

    /// Makes a session's outside and lists it.
    pub(crate) fn enlist(&self) -> Arc<Shared> {
        let id = self.next_session.fetch_add(1, Relaxed);
        let shared = Arc::new(Shared::new(id));
        self.sessions().insert(id, Arc::clone(&shared));
        shared
    }

    /// Takes a session off the list and tells the lifecycle.
    pub(crate) fn delist(&self, id: u64) {
        self.sessions().remove(&id);
        self.control.wake();
    }
}
