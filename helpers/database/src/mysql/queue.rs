//! Statements whose outcome is not waited for (`bridge_pipeline`), and those that are asked for later (asynchronous).

use super::connection::{Connection, Statements};
use super::error::{CR_UNKNOWN_ERROR, Error, Result};
use super::link::Summary;
use super::many::AHEAD_COUNT;
use super::statement::Statement;

/// Statements that were sent and not answered yet.
#[derive(Debug, Default)]
pub struct Queue {
    /// How many are on their way.
    waiting: usize,
    /// The number of the next one to be answered, from 0 at the last synchronisation.
    next: u64,
    /// What went wrong, with the numbers.
    failures: Vec<(u64, Error)>,
    insert_id: u64,
}

impl Queue {
    /// Whether answers are to come.
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Outcomes that were collected, and are to be told by the next collection after all.
    pub fn tell_later(&mut self, outcomes: Outcomes) {
        self.failures.splice(..0, outcomes.failures);
        if self.insert_id == 0 {
            self.insert_id = outcomes.insert_id;
        }
    }
}

/// What all queued statements came to.
#[derive(Debug, Default)]
pub struct Outcomes {
    pub failures: Vec<(u64, Error)>,
    pub insert_id: u64,
}

/// A statement that was sent, whose outcome will be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Of the statement with this number.
    Statement(u32),
    /// Of a `do`.
    Do,
}

impl Connection {
    /// Sends a statement; its outcome is collected later.
    ///
    /// Whatever goes wrong is collected too: nobody waits for the answer of this call.
    pub fn queue(&mut self, statement: &mut Statement, statements: &mut Statements) {
        let sent = self.ready_to_queue(statements).and_then(|()| self.send_queued(statement));
        if let Err(error) = sent {
            // Its place in the order is behind those on their way.
            self.collect_down_to(0);
            self.queued.failures.push((self.queued.next, error));
            self.queued.next += 1;
        }
    }

    /// Makes the connection ready for the first statement of a queue, without asking what earlier ones came to.
    fn ready_to_queue(&mut self, statements: &mut Statements) -> Result<()> {
        if self.queued.waiting > 0 {
            return Ok(());
        }
        let earlier = std::mem::take(&mut self.queued);
        let ready = self.ready(statements);
        self.queued = earlier;
        ready
    }

    fn send_queued(&mut self, statement: &mut Statement) -> Result<()> {
        if statement.wants_server && statement.prepared.is_none() {
            self.collect_down_to(0);
            self.prepare(statement)?;
        }
        let ahead = if self.may_send_ahead(statement) { AHEAD_COUNT } else { 1 };
        self.collect_down_to(ahead - 1);
        self.write_execution(statement)?;
        self.link.wire.flush()?;
        self.queued.waiting += 1;
        if ahead == 1 {
            self.collect_down_to(0);
        }
        Ok(())
    }

    /// Reads answers until no more than so many are waited for.
    fn collect_down_to(&mut self, most: usize) {
        while self.queued.waiting > most {
            self.queued.waiting -= 1;
            match self.guarded(|this| this.link.read_results()) {
                Ok(summary) if summary.ok.insert_id > 0 => self.queued.insert_id = summary.ok.insert_id,
                Ok(_) => {}
                Err(error) => self.queued.failures.push((self.queued.next, error)),
            }
            self.queued.next += 1;
        }
    }

    /// Collects what was queued.
    pub fn collect(&mut self) -> Outcomes {
        self.collect_down_to(0);
        let queued = std::mem::take(&mut self.queued);
        Outcomes { failures: queued.failures, insert_id: queued.insert_id }
    }

    /// Collects what was queued; its first failure is the failure of what comes now.
    pub fn synchronise(&mut self) -> Result<()> {
        match self.collect().failures.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    // Asynchronous statements.

    /// A statement was sent; its outcome will be asked for.
    pub fn expect(&mut self, pending: Pending) {
        self.pending = Some(pending);
    }

    /// An error while an outcome is to be asked for.
    pub fn check_not_pending(&self) -> Result<()> {
        match self.pending {
            Some(_) => Err(Error::client(CR_UNKNOWN_ERROR, "Calling a synchronous function on an asynchronous handle")),
            None => Ok(()),
        }
    }

    /// Whether the outcome can be asked for without waiting.
    pub fn is_pending_ready(&self) -> Option<bool> {
        self.pending.map(|_| self.link.wire.is_readable())
    }

    /// The outcome of `pending` is about to be read.
    pub fn take_pending(&mut self, pending: Pending) -> Result<()> {
        if self.pending != Some(pending) {
            return Err(Error::client(CR_UNKNOWN_ERROR, "Gathering async_result for the wrong statement handle"));
        }
        self.pending = None;
        Ok(())
    }

    /// The outcome of an asynchronous `do`.
    pub fn pending_summary(&mut self) -> Result<Summary> {
        self.take_pending(Pending::Do)?;
        self.guarded(|this| this.link.read_results())
    }

    /// The statement `s` goes away before its outcome was asked for.
    pub fn forget_pending(&mut self, s: u32) {
        if self.pending == Some(Pending::Statement(s)) {
            self.pending = None;
            self.has_orphan = true;
        }
    }
}
