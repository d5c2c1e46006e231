//! The session of the running thread, for code that a C library calls.
//!
//! A helper is inside a C library (`sqlite3_step`) when that library calls one of its
//! functions back, and the session's `&mut` is further up the stack, where it cannot be
//! passed down from. [`Session::enter`] lends the session to the thread while the
//! library runs; [`with_current`] borrows it there.
//!
//! Unsafe, because no safe type lends a `&mut` through a thread-local. It is sound:
//! `enter` holds the session mutably borrowed as long as the pointer is there, and
//! `with_current` takes the pointer away while it uses it, so there is never a second
//! `&mut` in use.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr;

use crate::Session;

thread_local! {
    static CURRENT: Cell<*mut Session> = const { Cell::new(ptr::null_mut()) };
}

/// Puts a value of `CURRENT` back, also when a panic passes by.
struct Restore(*mut Session);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Session {
    /// Runs `f`; functions that it causes to be called back reach the session with
    /// [`with_current`]. `f` itself cannot use the session, nor what is borrowed from it.
    pub fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let _restore = Restore(CURRENT.replace(ptr::from_mut(self)));
        f()
    }
}

/// Runs `f` on the session that [`Session::enter`] lent to this thread.
/// `None` outside of `enter`, and inside of another `with_current`.
pub fn with_current<R>(f: impl FnOnce(&mut Session) -> R) -> Option<R> {
    let session = CURRENT.replace(ptr::null_mut());
    let _restore = Restore(session);
    // SAFETY: not null only inside `enter`, whose caller has lent the session mutably for
    // that time; null was left in its place, so nobody else can take it until we are done.
    unsafe { session.as_mut() }.map(f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSession;

    #[test]
    fn the_session_is_there_inside_of_enter_and_nowhere_else() {
        let mut tried = TestSession::new(&[&crate::modules::test::MODULE]).unwrap();
        let id = tried.session().id();
        assert!(with_current(|_| ()).is_none());
        let seen = tried.session().enter(|| {
            with_current(|session| {
                assert!(with_current(|_| ()).is_none(), "a second borrow at the same time");
                *session.state::<u32>() += 1;
                let nested = session.enter(|| with_current(|session| session.id()));
                (session.id(), nested)
            })
        });
        assert_eq!(seen, Some((id, Some(id))));
        assert_eq!(*tried.session().state::<u32>(), 1);
        assert!(with_current(|_| ()).is_none());
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let mut tried = TestSession::new(&[&crate::modules::test::MODULE]).unwrap();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            tried.session().enter(|| with_current(|_| panic!("in a callback")))
        }));
        assert!(caught.is_err());
        assert!(with_current(|_| ()).is_none());
    }
}
