//! Counting the handles of a session, and naming those that JSON clients can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use protocol::Error;

use crate::limits::MAX_HANDLES_PER_SESSION;

/// Random bits of a published id.
const ID_BYTES: usize = 16;

/// How many handles a session holds.
#[derive(Debug, Clone, Default)]
pub struct HandleCount(Arc<AtomicUsize>);

/// The right to hold one handle; keep it with the handle, dropping it gives it back.
#[derive(Debug)]
pub struct HandlePermit(Arc<AtomicUsize>);

impl HandleCount {
    /// Takes one of [`MAX_HANDLES_PER_SESSION`]; `what` is for the error, as in "statement".
    pub fn take(&self, what: &str) -> Result<HandlePermit, Error> {
        let taken = self.0.fetch_add(1, Relaxed);
        let permit = HandlePermit(Arc::clone(&self.0));
        if taken < MAX_HANDLES_PER_SESSION {
            return Ok(permit);
        }
        let what = format!("cannot open another {what} in this session; close some first");
        Err(Error::limit(what, "MAX_HANDLES_PER_SESSION", MAX_HANDLES_PER_SESSION))
    }

    /// How many are held.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Drop for HandlePermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// An id that nobody can guess: 128 random bits in hexadecimal.
pub fn unguessable_id() -> Result<String, Error> {
    let mut bytes = [0_u8; ID_BYTES];
    let mut filled = 0;
    while filled < ID_BYTES {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())
            .map_err(|error| Error::internal(format!("no random numbers from the system: {error}")))?;
    }
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_and_come_back() {
        let count = HandleCount::default();
        let permits: Vec<_> = (0..MAX_HANDLES_PER_SESSION).map(|_| count.take("statement").unwrap()).collect();
        let error = count.take("statement").unwrap_err();
        assert!(error.message.contains("MAX_HANDLES_PER_SESSION (65536)"), "{error}");
        drop(permits);
        assert_eq!(count.get(), 0);
        assert!(count.take("statement").is_ok());
    }

    #[test]
    fn ids_are_long_and_never_the_same() {
        let (one, two) = (unguessable_id().unwrap(), unguessable_id().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, two);
    }
}
