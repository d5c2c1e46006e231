//! A statement that runs while the script does something else; and describing one without running it.

use super::connection::Connection;
use super::execute::Run;
use super::limits::CANCEL_PATIENCE;
use super::plans::{self, Described};
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::{Columns, LinkError};

impl Connection {
    /// Sends a run; its answer is taken later.
    pub fn start(&mut self, statement: &mut Statement, run: Run<'_, '_>) -> Result<()> {
        self.make_idle()?;
        let sent = self.send(statement, run)?;
        self.conn.link.flush()?;
        self.running = Some(statement.number);
        self.running_sent = sent;
        Ok(())
    }

    /// Whether the answer of what is running is here, as far as it has to be to go on with it.
    pub fn is_ready(&mut self) -> Result<bool> {
        if self.running.is_none() {
            return Err(Trouble::Usage("no asynchronous query is running".into()));
        }
        let has_begin = self.running_sent.begin;
        let link = &mut self.conn.link;
        if link.pending().len() <= self.settings.read_ahead {
            link.read_now()?;
        }
        let mut offset = 0;
        let mut begun = !has_begin;
        while let Some((kind, len)) = link.head(offset)? {
            let is_here = link.pending().len() >= offset + len;
            match kind {
                b'C' if !begun => begun = true,
                b'C' | b'E' | b'I' | b'G' | b'H' => return Ok(is_here),
                b'D' if offset > self.settings.read_ahead => return Ok(true),
                _ => {}
            }
            if !is_here {
                return Ok(false);
            }
            offset += len;
        }
        Ok(false)
    }

    /// Takes the answer of what is running, waiting for it. The statement is the caller's to put back.
    pub fn finish_running(&mut self) -> Result<(Statement, Result<()>)> {
        let number = self.running.take();
        let statement = number.and_then(|number| self.statements.remove(&number));
        let Some(mut statement) = statement else {
            return Err(Trouble::Usage("no asynchronous query is running".into()));
        };
        let sent = std::mem::take(&mut self.running_sent);
        let result = self.receive_head(&mut statement, sent, false);
        Ok((statement, result))
    }

    /// Cancels what is running; whether that was in time.
    pub fn cancel_running(&mut self) -> Result<bool> {
        if self.running.is_none() {
            return Err(Trouble::Usage("no asynchronous query is running".into()));
        }
        let canceller = self.conn.link.transport().canceller().clone();
        canceller.fire();
        let (mut statement, result) = self.finish_running()?;
        let thrown = self.throw_away(&mut statement);
        self.statements.insert(statement.number, statement);
        thrown?;
        if canceller.settle(CANCEL_PATIENCE).is_none() {
            self.conn.link.cut();
            return Err(LinkError::Cancelled.into());
        }
        self.echo()?;
        match result {
            Ok(()) => Ok(false),
            Err(trouble) if trouble.state() == "57014" => {
                self.note_error(&trouble);
                Ok(true)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Prepares a statement on the server; the types of its parameters. Its columns are known then.
    pub fn describe(&mut self, statement: &mut Statement) -> Result<Vec<u32>> {
        self.make_idle()?;
        let id = self.conn.plans.run(statement.plan, &statement.key());
        let known = self.conn.plans.get(id).and_then(|plan| plan.number());
        let number = known.unwrap_or_else(|| self.conn.plans.new_number());
        let name = plans::name(number);
        let out = &mut self.conn.link.out;
        let mark = out.mark();
        if known.is_none() {
            out.parse(&name, &statement.sql, &statement.types);
        }
        out.describe_statement(&name);
        out.sync();
        if out.take_bad() {
            out.take_back(mark);
            return Err(Trouble::nul());
        }
        let mut types = Vec::new();
        let mut failed = None;
        loop {
            let message = self.conn.link.receive()?;
            let body = self.conn.link.body(&message);
            match message.kind {
                b't' => {
                    let oids = body.get(2..).unwrap_or_default().as_chunks().0;
                    types = oids.iter().map(|oid| u32::from_be_bytes(*oid)).collect();
                }
                b'T' => statement.columns = Columns::parse(body).map(std::sync::Arc::new),
                b'n' => statement.columns = None,
                b'E' => {
                    failed.get_or_insert(Trouble::server(body, self.settings.level, Some(&statement.sql)));
                }
                b'Z' => break,
                _ => {}
            }
        }
        if let Some(trouble) = failed {
            return Err(trouble);
        }
        statement.plan = Some(id);
        if let Some(plan) = self.conn.plans.get(id) {
            plan.is_prepared(number);
            plan.columns = Described::As(statement.columns.clone());
        }
        Ok(types)
    }
}
