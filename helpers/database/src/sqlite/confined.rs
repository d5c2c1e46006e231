//! Letting a session's connections and statements move between threads, all together.

/// A value that is used by one thread at a time, though it has `Rc`s and pointers of SQLite in it.
///
/// SQLite's connections are opened without a mutex of their own, and statements share theirs through `Rc`. That is
/// sound when everything that shares moves to another thread at once. The only way to the inside is through
/// `&mut`; what is cloned out of it must not outlive the call that did it. The user is `desk::Tables`, which keeps to
/// that: clones live on the stack of a running function.
#[derive(Debug, Default)]
pub struct Confined<T>(T);

// SAFETY: see above; SQLite is compiled with SQLITE_THREADSAFE=1 and a connection may be used by any thread, one at a
// time.
unsafe impl<T> Send for Confined<T> {}

impl<T> Confined<T> {
    /// The value.
    pub fn get(&mut self) -> &mut T {
        &mut self.0
    }
}
