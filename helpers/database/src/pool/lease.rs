//! A connection while a session has it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use super::asker::{Asker, Held};
use super::group::Member;
use super::shared::Shared;
use super::{Key, Pooled};

/// A connection on loan. Dropping it gives it back: it is reset on a thread of the pool and kept for the next script.
pub struct Lease<T: Pooled> {
    member: Option<Member<T>>,
    home: Option<Home<T>>,
    was_pooled: bool,
    spoiled: bool,
}

struct Home<T: Pooled> {
    shared: Arc<Shared<T>>,
    key: Key,
    _held: Held,
}

impl<T: Pooled> Lease<T> {
    pub(super) fn of(shared: &Arc<Shared<T>>, key: &Key, member: Member<T>, asker: &Asker, was_pooled: bool) -> Self {
        let home = Home { shared: Arc::clone(shared), key: key.clone(), _held: asker.hold() };
        Self { member: Some(member), home: Some(home), was_pooled, spoiled: false }
    }

    /// A connection that belongs to no pool (`bridge_pool=0`): dropping it closes it.
    pub fn unpooled(connection: T) -> Self {
        let member = Member { connection, opened: Instant::now() };
        Self { member: Some(member), home: None, was_pooled: false, spoiled: false }
    }

    /// Whether it was there already when it was asked for.
    pub fn was_pooled(&self) -> bool {
        self.was_pooled
    }

    /// It will be closed instead of kept: after an error that leaves its state unknown, or when it was changed in a way
    /// that no reset undoes.
    pub fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// Gives it back to be closed.
    pub fn discard(mut self) {
        self.spoil();
    }
}

impl<T: Pooled> Deref for Lease<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.member {
            Some(member) => &member.connection,
            None => unreachable!("only drop takes the connection out"),
        }
    }
}

impl<T: Pooled> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.member {
            Some(member) => &mut member.connection,
            None => unreachable!("only drop takes the connection out"),
        }
    }
}

impl<T: Pooled> Drop for Lease<T> {
    fn drop(&mut self) {
        if let (Some(member), Some(home)) = (self.member.take(), self.home.take()) {
            // In a panic nobody knows what the server is about to answer.
            let spoiled = self.spoiled || std::thread::panicking();
            Shared::give_back(&home.shared, &home.key, member, spoiled);
        }
    }
}
