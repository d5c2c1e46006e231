//! Many runs in one trip: `execute_many`, and runs that are not waited for.

use std::collections::VecDeque;
use std::time::Instant;

use storable::ValueRef;

use super::bind;
use super::connection::Connection;
use super::execute::{How, Run, Sent};
use super::limits::{MAX_QUEUE, QUEUE_PATIENCE};
use super::plans::{self, Described};
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::{Tag, Transaction};

/// What came of a run.
pub type Status = std::result::Result<Option<u64>, Trouble>;

/// Runs that were sent and not answered yet.
#[derive(Debug, Default)]
pub struct Queue {
    pending: VecDeque<Pending>,
    /// The first error among those that were answered.
    failed: Option<Trouble>,
}

#[derive(Debug)]
struct Pending {
    sent: Sent,
    sql: std::sync::Arc<[u8]>,
}

impl Queue {
    /// Something could not even be sent, and nobody waits to be told.
    pub fn fail(&mut self, trouble: Trouble) {
        self.failed.get_or_insert(trouble);
    }
}

impl Drop for Connection {
    /// What was queued is run, though nobody asks what came of it.
    fn drop(&mut self) {
        self.conn.link.attend(None);
        self.conn.link.give_up = Some(Instant::now() + QUEUE_PATIENCE);
        if let Err(trouble) = self.drain_queue() {
            tracing::debug!("a statement that was not waited for has failed: {trouble}");
        }
        self.conn.link.give_up = None;
        if self.live.is_some() || self.copy.is_some() || self.running.is_some() || self.conn.link.is_lost() {
            // Reading what is left may take for ever.
            crate::pool::Lease::spoil(&mut self.conn);
        }
    }
}

/// How far the answers of a group are.
#[derive(Debug)]
struct Group {
    told: usize,
    has_failed: bool,
    is_over: bool,
}

/// After so many bytes the messages of a batch are sent, while more are written.
const SEND_BYTES: usize = 32 * 1024;

impl Connection {
    /// Runs a statement once for each tuple; `told` gets what came of each.
    ///
    /// Outside a transaction each run is one of its own, as it would be in a loop; `stop` then costs a trip each. In a
    /// transaction what follows a failure is not run by the server, which says so of each.
    pub fn run_many(
        &mut self,
        statement: &mut Statement,
        how: How,
        tuples: &[Vec<ValueRef<'_>>],
        stop: bool,
        told: &mut dyn FnMut(Status),
    ) -> Result<()> {
        self.make_ready()?;
        let how = if how == How::Auto && tuples.len() > 1 { How::Named } else { how };
        let mut waiting: VecDeque<Sent> = VecDeque::new();
        let mut has_failed = false;
        for (index, tuple) in tuples.iter().enumerate() {
            if index > 0 && self.conn.link.transaction == Transaction::Open && self.can_group(statement) {
                return self.run_group(statement, &tuples[index..], stop, told);
            }
            let run = Run { binds: tuple, how, name: None };
            // The first one alone: it prepares the statement and begins the transaction.
            let alone = index == 0 || stop && self.conn.link.transaction == Transaction::Idle;
            match self.send(statement, run) {
                Ok(sent) => waiting.push_back(sent),
                Err(trouble @ Trouble::Server { .. }) => {
                    // It was not sent: those before it come first.
                    self.answers(statement, &mut waiting, &mut has_failed, told)?;
                    has_failed = true;
                    told(Err(trouble));
                }
                Err(trouble) => return Err(trouble),
            }
            if alone {
                self.answers(statement, &mut waiting, &mut has_failed, told)?;
            } else if self.conn.link.out.pending().len() >= SEND_BYTES {
                while self.conn.link.send_some()? {
                    if self.conn.link.out.is_empty() {
                        break;
                    }
                }
                self.conn.link.read_now()?;
                self.answers_here(statement, &mut waiting, &mut has_failed, told)?;
            }
            if stop && has_failed {
                break;
            }
        }
        self.answers(statement, &mut waiting, &mut has_failed, told)
    }

    /// Whether runs of a statement need nothing but values.
    fn can_group(&mut self, statement: &Statement) -> bool {
        let plan = statement.plan.and_then(|id| self.conn.plans.get(id));
        plan.is_some_and(|plan| plan.number().is_some() && !matches!(plan.columns, Described::Unknown))
    }

    /// Runs in a transaction: they have one end in common, so that the server need not say of each that it is ready.
    /// After a failure it skips the others, which it would have refused one by one.
    fn run_group(
        &mut self,
        statement: &mut Statement,
        tuples: &[Vec<ValueRef<'_>>],
        stop: bool,
        told: &mut dyn FnMut(Status),
    ) -> Result<()> {
        let Some(number) = statement.plan.and_then(|id| self.conn.plans.get(id)).and_then(|plan| plan.number()) else {
            return Ok(());
        };
        let name = plans::name(number);
        let utf8 = self.settings.decoding.utf8;
        let types = statement.types.clone();
        let mut group = Group { told: 0, has_failed: false, is_over: false };
        let mut is_bad = false;
        for tuple in tuples {
            let out = &mut self.conn.link.out;
            let mark = out.mark();
            bind::write_all(out, &name, tuple, &types, utf8);
            is_bad = out.take_bad();
            if is_bad {
                out.take_back(mark);
                break;
            }
            out.execute();
            if self.conn.link.out.pending().len() >= SEND_BYTES {
                self.conn.link.flush()?;
                self.conn.link.read_now()?;
                while !group.is_over && self.conn.link.peek_here()?.is_some() {
                    self.take_group(statement, &mut group, told)?;
                }
                if group.has_failed {
                    break;
                }
            }
        }
        self.conn.link.out.sync();
        while !group.is_over {
            self.take_group(statement, &mut group, told)?;
        }
        if is_bad {
            return Err(Trouble::nul());
        }
        if !stop {
            for _ in group.told..tuples.len() {
                told(Err(Trouble::aborted()));
            }
        }
        Ok(())
    }

    /// Takes one message of a group.
    fn take_group(&mut self, statement: &mut Statement, group: &mut Group, told: &mut dyn FnMut(Status)) -> Result<()> {
        let message = self.conn.link.receive()?;
        match message.kind {
            b'C' => {
                statement.tag = Tag::parse(self.conn.link.body(&message));
                group.told += 1;
                told(Ok(statement.tag.rows));
            }
            b'E' => {
                let body = self.conn.link.body(&message);
                let trouble = Trouble::server(body, self.settings.level, Some(&statement.sql));
                self.note_error(&trouble);
                if !group.has_failed {
                    group.told += 1;
                    told(Err(trouble));
                }
                group.has_failed = true;
            }
            b'Z' => group.is_over = true,
            _ => {}
        }
        Ok(())
    }

    /// Takes the answers of all runs that were sent.
    fn answers(
        &mut self,
        statement: &mut Statement,
        waiting: &mut VecDeque<Sent>,
        has_failed: &mut bool,
        told: &mut dyn FnMut(Status),
    ) -> Result<()> {
        while let Some(sent) = waiting.pop_front() {
            self.answer(statement, sent, has_failed, told)?;
        }
        Ok(())
    }

    /// Takes the answers that are here.
    fn answers_here(
        &mut self,
        statement: &mut Statement,
        waiting: &mut VecDeque<Sent>,
        has_failed: &mut bool,
        told: &mut dyn FnMut(Status),
    ) -> Result<()> {
        while self.conn.link.peek_here()?.is_some() {
            let Some(sent) = waiting.pop_front() else { break };
            self.answer(statement, sent, has_failed, told)?;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        statement: &mut Statement,
        sent: Sent,
        has_failed: &mut bool,
        told: &mut dyn FnMut(Status),
    ) -> Result<()> {
        match self.receive_head(statement, sent, true) {
            Ok(()) => {
                if self.copy.is_some() {
                    self.abandon_copy()?;
                }
                told(Ok(statement.tag.rows));
            }
            Err(trouble @ Trouble::Server { .. }) => {
                *has_failed = true;
                self.note_error(&trouble);
                told(Err(trouble));
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }

    /// Sends a run without waiting for its answer; if it is not the last one for now, it may go with the next.
    pub fn enqueue(&mut self, statement: &mut Statement, mut run: Run<'_, '_>, is_last: bool) -> Result<()> {
        self.conn.link.check()?;
        if self.queue.pending.is_empty() {
            self.settle()?;
            self.abandon_copy()?;
        }
        let is_prepared = run.how == How::Simple
            || self.conn.plans.find(&statement.key()).is_some_and(|plan| plan.number().is_some());
        let is_first = self.begin_due().is_some() || !is_prepared;
        if run.how == How::Auto {
            run.how = How::Named;
        }
        if is_first || self.queue.pending.len() >= MAX_QUEUE {
            self.take_answers()?;
        }
        let sent = self.send(statement, run)?;
        self.queue.pending.push_back(Pending { sent, sql: statement.sql.clone() });
        if is_first {
            // It begins the transaction, or prepares the statement: those after it build on that.
            return self.take_answers();
        }
        if self.conn.link.out.pending().len() >= SEND_BYTES {
            self.conn.link.flush()?;
            self.conn.link.read_now()?;
        } else if is_last {
            self.conn.link.send_some()?;
        }
        Ok(())
    }

    /// Waits for what was queued; the next one who asks is told the errors among it.
    pub fn await_queue(&mut self) -> Result<()> {
        let taken = self.take_answers();
        if let Err(trouble) = &taken {
            tracing::debug!("the connection was lost with statements in its queue: {trouble}");
        }
        taken
    }

    /// Waits for what was queued. Errors among it are of no interest, unless the connection is lost.
    pub fn forget_queue(&mut self) -> Result<()> {
        self.take_answers()?;
        if let Some(trouble) = self.queue.failed.take() {
            tracing::debug!("a queued statement had failed before the rollback: {trouble}");
        }
        Ok(())
    }

    /// Waits for what was queued. The first error among it is the result.
    pub fn drain_queue(&mut self) -> Result<()> {
        self.take_answers()?;
        match self.queue.failed.take() {
            Some(trouble) => Err(trouble),
            None => Ok(()),
        }
    }

    fn take_answers(&mut self) -> Result<()> {
        while let Some(Pending { sent, sql }) = self.queue.pending.pop_front() {
            if let Err(trouble) = self.take_answer(sent, &sql) {
                if matches!(trouble, Trouble::Link(_)) {
                    self.queue.pending.clear();
                    return Err(self.queue.failed.take().unwrap_or(trouble));
                }
                self.queue.failed.get_or_insert(trouble);
            }
        }
        Ok(())
    }

    fn take_answer(&mut self, mut sent: Sent, sql: &[u8]) -> Result<()> {
        let mut is_begun = !sent.begin;
        let mut failed = None;
        while sent.ready > 0 {
            let message = self.conn.link.receive()?;
            match message.kind {
                b'1' if is_begun => {
                    if let Some((id, number)) = sent.prepares.take()
                        && let Some(plan) = self.conn.plans.get(id)
                    {
                        plan.is_prepared(number);
                        plan.columns = Described::Unknown;
                    }
                }
                b'C' if is_begun => {
                    let tag = Tag::parse(self.conn.link.body(&message));
                    self.conn.note(&tag);
                }
                b'C' => is_begun = true,
                b'G' => self.conn.link.out.copy_fail(b"COPY is not possible in a pipeline"),
                b'E' => {
                    let trouble = Trouble::server(self.conn.link.body(&message), self.settings.level, Some(sql));
                    failed.get_or_insert(trouble);
                    if !is_begun && sent.is_simple {
                        sent.ready = 1;
                    }
                }
                b'Z' => sent.ready -= 1,
                _ => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
