//! Sessions of JSON clients.
//!
//! A JSON connection carries one request. When that request opened a handle (a
//! database connection), its session is parked here under the handle's id, and
//! later requests that name the id run in it, one at a time. It ends when its last
//! handle is closed, or when it was not used for `daemon.parked_idle_seconds`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::Error;

use crate::Session;
use crate::config::{self, settings};
use crate::limits::MAX_PARKED_SESSIONS;

/// A parked session; locked while a request runs in it.
pub(crate) struct Place {
    uid: u32,
    session: Mutex<Option<Session>>,
    used: Mutex<Instant>,
}

impl Place {
    /// The session; `None` when it ended in the meantime.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// All parked sessions, by the ids of their handles.
#[derive(Default)]
pub(crate) struct Parked(Mutex<HashMap<String, Arc<Place>>>);

impl Parked {
    fn places(&self) -> MutexGuard<'_, HashMap<String, Arc<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that holds the handle `id` and belongs to `uid`.
    pub(crate) fn find(&self, id: &str, uid: u32) -> Option<Arc<Place>> {
        let place = self.places().get(id).filter(|place| place.uid == uid).cloned()?;
        place.touch();
        Some(place)
    }

    /// Parks a session that has published handles; drops one that has not.
    pub(crate) fn park(&self, session: Session) -> Result<(), Error> {
        let ids = session.published().to_vec();
        if ids.is_empty() {
            return Ok(());
        }
        let mut places = self.places();
        if count(&places) >= MAX_PARKED_SESSIONS {
            drop(places);
            let what = "cannot keep another handle for JSON clients; close some first";
            return Err(Error::limit(what, "MAX_PARKED_SESSIONS", MAX_PARKED_SESSIONS));
        }
        let place =
            Place { uid: session.client().uid, session: Mutex::new(Some(session)), used: Mutex::new(Instant::now()) };
        let place = Arc::new(place);
        places.extend(ids.into_iter().map(|id| (id, Arc::clone(&place))));
        Ok(())
    }

    /// After a request in a parked session: its handles may be others now.
    pub(crate) fn update(&self, place: &Arc<Place>, session: &mut Option<Session>) {
        let ids = session.as_ref().map(|session| session.published().to_vec()).unwrap_or_default();
        {
            let mut places = self.places();
            places.retain(|id, known| !Arc::ptr_eq(known, place) || ids.contains(id));
            places.extend(ids.iter().map(|id| (id.clone(), Arc::clone(place))));
        }
        place.touch();
        if ids.is_empty() {
            *session = None;
        }
    }

    /// Ends the sessions that were not used for `idle` (those in use are used).
    pub(crate) fn expire(&self, idle: Duration) {
        let mut ended: Vec<Arc<Place>> = Vec::new();
        self.places().retain(|_, place| {
            let expired = place.idle() >= idle && place.session.try_lock().is_ok();
            if expired {
                ended.push(Arc::clone(place));
            }
            !expired
        });
        // Dropping a session runs its helpers' cleanup: not while the table is locked.
        for place in ended {
            place.lock().take();
        }
    }

    /// Ends the sessions that are idle for too long.
    pub(crate) fn expire_idle(&self) {
        self.expire(config::get().time(&settings::DAEMON_PARKED_IDLE));
    }

    /// How many sessions are parked.
    pub(crate) fn count(&self) -> usize {
        count(&self.places())
    }
}

fn count(places: &HashMap<String, Arc<Place>>) -> usize {
    let mut all: Vec<_> = places.values().map(Arc::as_ptr).collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}
