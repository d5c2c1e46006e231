//! Running a statement: what is sent, and the head of what comes back.

use std::sync::Arc;

use storable::ValueRef;

use super::bind;
use super::connection::Connection;
use super::copy::{Copy, Direction};
use super::plans::{self, Described, Plans};
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::{Columns, Link, Tag, Transaction};

/// How a statement is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum How {
    /// Unnamed the first time, prepared on the server from the second.
    #[default]
    Auto,
    /// Never prepared.
    Unnamed,
    /// Prepared at once.
    Named,
    /// By the simple protocol: any number of statements, no parameters.
    Simple,
}

/// A run that is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run<'r, 'a> {
    /// Values of the parameters.
    pub binds: &'r [ValueRef<'a>],
    /// How.
    pub how: How,
    /// A statement that the script has prepared by SQL.
    pub name: Option<&'r str>,
}

/// What was sent, and so will be answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    /// A BEGIN went before it.
    pub begin: bool,
    /// The plan and its number on the server, which the second (or only) `ParseComplete` is about.
    pub prepares: Option<(u32, u64)>,
    /// `ReadyForQuery` so often.
    pub ready: usize,
    /// By the simple protocol.
    pub is_simple: bool,
    /// The plan whose statement on the server is used.
    pub uses: Option<u32>,
}

impl Connection {
    /// Runs a statement, whose rows of an earlier run are gone. Returns with its first rows here, or at its end.
    pub fn run(&mut self, statement: &mut Statement, run: Run<'_, '_>) -> Result<()> {
        self.make_ready()?;
        let transaction = self.conn.link.transaction;
        let sent = self.send(statement, run)?;
        let result = self.receive_head(statement, sent, false);
        let Err(trouble) = result else { return result };
        // What the server refused before it ran anything is prepared anew, unless a transaction has failed by it.
        if let Some(plan) = sent.uses
            && transaction == Transaction::Idle
            && !sent.begin
            && !statement.is_bound
            && is_stale(&trouble)
        {
            self.conn.plans.forget(plan);
            let sent = self.send(statement, run)?;
            return self.receive_head(statement, sent, false);
        }
        Err(trouble)
    }

    /// Puts the messages of a run into the buffer; they are sent with the next thing that is received.
    pub fn send(&mut self, statement: &mut Statement, run: Run<'_, '_>) -> Result<Sent> {
        let mark = self.conn.link.out.mark();
        let sent = self.write_messages(statement, run);
        if self.conn.link.out.take_bad() {
            self.conn.link.out.take_back(mark);
            return Err(Trouble::nul());
        }
        Ok(sent)
    }

    fn write_messages(&mut self, statement: &mut Statement, run: Run<'_, '_>) -> Sent {
        statement.rewind();
        statement.is_bound = false;
        let begin = self.begin_due();
        let in_transaction = begin.is_some() || self.conn.link.transaction != Transaction::Idle;
        let utf8 = self.settings.decoding.utf8;
        let conn = &mut *self.conn;
        let out = &mut conn.link.out;
        if let Some(sql) = begin {
            out.parse("", sql, &[]);
            out.bind("", 0, |_| false, |_, _| false);
            out.execute();
        }
        let begin = begin.is_some();
        if run.how == How::Simple {
            statement.columns = None;
            out.query(&statement.sql);
            if begin {
                // Should the BEGIN fail, the server skips everything up to this.
                out.sync();
            }
            return Sent { begin, ready: 1 + usize::from(begin), is_simple: true, ..Sent::default() };
        }
        for number in conn.plans.take_stale() {
            out.close_statement(&plans::name(number));
        }
        let mut sent = Sent { begin, ready: 1, ..Sent::default() };
        let mut name = run.name.unwrap_or_default().to_owned();
        let mut columns = Described::Unknown;
        if run.name.is_none() {
            let id = (run.how != How::Unnamed && Plans::takes(&statement.sql))
                .then(|| conn.plans.run(statement.plan, &statement.key()));
            statement.plan = id;
            let number = id.and_then(|id| {
                let new = conn.plans.new_number();
                let plan = conn.plans.get(id)?;
                match plan.number() {
                    Some(number) if plan.is_trusted() || !in_transaction => {
                        plan.trust();
                        columns.clone_from(&plan.columns);
                        sent.uses = Some(id);
                        Some(number)
                    }
                    Some(number) => {
                        out.close_statement(&plans::name(number));
                        Some(new)
                    }
                    None if run.how == How::Named || plan.runs() > 1 => Some(new),
                    None => None,
                }
            });
            if let Some(number) = number {
                name = plans::name(number);
            }
            if sent.uses.is_none() {
                out.parse(&name, &statement.sql, &statement.types);
                sent.prepares = id.zip(number);
            }
        }
        bind::write_all(out, &name, run.binds, &statement.types, utf8);
        if let Described::As(columns) = columns {
            statement.columns = columns;
        } else {
            out.describe_portal();
        }
        out.execute();
        out.sync();
        sent
    }

    /// Receives the head of an answer: up to the first row, the beginning of a COPY, or the end.
    pub fn receive_head(&mut self, statement: &mut Statement, sent: Sent, keep_no_rows: bool) -> Result<()> {
        let mut head = Head { sent, is_begun: !sent.begin, ready: sent.ready, failed: None, has_columns: false };
        let is_script = sent.is_simple && is_several(&statement.sql);
        loop {
            let (kind, len) = self.conn.link.peek()?;
            if kind == b'D' && head.failed.is_none() {
                if statement.columns.is_none() {
                    self.conn.link.cut();
                    return Err(Trouble::Usage(
                        "server sent data (\"D\" message) without prior row description".into(),
                    ));
                }
                if !is_script && !keep_no_rows {
                    statement.is_live = true;
                    statement.ready = head.ready;
                    self.live = Some(statement.number);
                    return self.read_ahead(statement);
                }
                if !keep_no_rows {
                    let row = &self.conn.link.pending()[5..len];
                    if let Err(error) = statement.store.push(|to| to.extend_from_slice(row)) {
                        self.conn.link.cut(); // the rest of the answer would be taken for the next one
                        return Err(error.into());
                    }
                }
                self.conn.link.take(len);
                continue;
            }
            let message = self.conn.link.take_message(len);
            if matches!(message.kind, b'G' | b'H' | b'W') && head.failed.is_none() {
                let is_binary = self.conn.link.body(&message).first() == Some(&1);
                self.begin_copy(message.kind, is_binary, &head);
                return Ok(());
            }
            if self.take_head(statement, &message, &mut head) {
                break;
            }
        }
        if let Some(trouble) = head.failed {
            return Err(trouble);
        }
        if statement.columns.is_some() {
            statement.total = statement.total.or(Some(statement.store.len()));
        }
        Ok(())
    }

    /// Takes a message of the head that is neither a row nor of a COPY; whether it was the last one.
    fn take_head(&mut self, statement: &mut Statement, message: &super::wire::Message, head: &mut Head) -> bool {
        match message.kind {
            b'1' if head.is_begun => {
                if let Some((id, number)) = head.sent.prepares.take()
                    && let Some(plan) = self.conn.plans.get(id)
                {
                    plan.is_prepared(number);
                    plan.columns = Described::Unknown;
                }
            }
            b'T' => {
                let columns = Columns::parse(self.conn.link.body(message)).map(Arc::new);
                self.described(statement, columns);
                statement.rewind();
                head.has_columns = true;
            }
            b'2' if head.is_begun => statement.is_bound = true,
            b'n' if head.is_begun => self.described(statement, None),
            b'C' if !head.is_begun => {
                head.is_begun = true;
                // It is so at once; the server says so only after the statement's last row.
                self.conn.link.transaction = Transaction::Open;
            }
            b'C' => {
                statement.tag = Tag::parse(self.conn.link.body(message));
                self.conn.note(&statement.tag);
                if head.sent.is_simple && !head.has_columns {
                    statement.columns = None;
                }
                head.has_columns = false;
            }
            b'I' => {
                statement.is_empty = true;
                statement.columns = None;
            }
            b'E' => {
                let trouble = Trouble::server(self.conn.link.body(message), self.settings.level, Some(&statement.sql));
                head.failed.get_or_insert(trouble);
                if !head.is_begun && head.sent.is_simple {
                    head.ready = 1; // the statement was skipped
                }
            }
            b'Z' => {
                head.ready -= 1;
                return head.ready == 0;
            }
            _ => {}
        }
        false
    }

    /// The columns of a statement are known.
    fn described(&mut self, statement: &mut Statement, columns: Option<Arc<Columns>>) {
        // The same columns once more are the same to whoever knows them.
        let columns = columns.map(|columns| match &statement.told_columns {
            Some(known) if columns.is_same(known) => Arc::clone(known),
            _ => columns,
        });
        statement.columns.clone_from(&columns);
        if let Some(plan) = statement.plan.and_then(|id| self.conn.plans.get(id))
            && plan.number().is_some()
        {
            plan.columns = Described::As(columns);
        }
    }

    fn begin_copy(&mut self, kind: u8, is_binary: bool, head: &Head) {
        let direction = if kind == b'G' { Direction::In } else { Direction::Out };
        let mut ready = head.ready;
        if direction == Direction::In && head.sent.is_simple && ready > 1 {
            ready -= 1; // the server has taken the Sync for a part of the data, and ignored it
        }
        let needs_sync = !head.sent.is_simple && direction == Direction::In;
        self.copy = Some(Copy { direction, is_binary, ready, needs_sync });
    }

    /// Reads rows ahead, so that their number is known if they are not too many. An error among them is told now.
    fn read_ahead(&mut self, statement: &mut Statement) -> Result<()> {
        let mut offset = 0;
        let mut rows = 0;
        let mut ready = statement.ready;
        loop {
            let link = &mut self.conn.link;
            match link.head(offset)? {
                Some((kind, len)) if link.pending().len() >= offset + len => {
                    match kind {
                        b'D' => rows += 1,
                        b'E' => {
                            self.throw_away(statement)?;
                            return statement.deferred.take().map_or(Ok(()), Err);
                        }
                        b'Z' if ready > 1 => ready -= 1,
                        b'Z' => {
                            statement.total = Some(rows);
                            link.transaction = Link::transaction_of(link.pending().get(offset + 5).copied());
                            return Ok(());
                        }
                        _ => {}
                    }
                    offset += len;
                }
                _ if offset >= self.settings.read_ahead => return Ok(()),
                _ => {
                    link.read_more(None)?;
                }
            }
        }
    }

    /// The number of rows of a result, however many there are.
    pub fn count_rows(&mut self, statement: &mut Statement) -> Result<u64> {
        if let Some(total) = statement.total {
            return Ok(total);
        }
        if statement.is_live {
            self.put_aside(statement)?;
        }
        let total = statement.given + statement.store.len();
        statement.total = Some(total);
        Ok(total)
    }

    /// Keeps what an error says for `pg_error_field`.
    pub fn note_error(&mut self, trouble: &Trouble) {
        if let Some(notice) = trouble.notice() {
            self.last_error = Some(Arc::new(notice.clone()));
        }
        if matches!(trouble, Trouble::Link(_)) {
            self.live = None;
            self.copy = None;
            self.running = None;
        }
    }
}

/// How far a head has been read.
#[derive(Debug)]
struct Head {
    sent: Sent,
    /// The BEGIN before it is done.
    is_begun: bool,
    /// `ReadyForQuery` comes so often still.
    ready: usize,
    failed: Option<Trouble>,
    /// Of the simple protocol: the statement that is being answered has columns.
    has_columns: bool,
}

/// Whether a prepared statement was refused before it ran, because it is not there, or means something else now.
fn is_stale(trouble: &Trouble) -> bool {
    match trouble.state() {
        "26000" => true,
        "0A000" => trouble.notice().and_then(|notice| notice.field(b'R')) == Some("RevalidateCachedQuery"),
        _ => false,
    }
}

/// Whether SQL may have several statements.
fn is_several(sql: &[u8]) -> bool {
    let end = sql.trim_ascii_end();
    let end = end.strip_suffix(b";").unwrap_or(end);
    end.contains(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_statements_are_seen() {
        for (sql, several) in [("select 1", false), ("select 1 ; ", false), ("a;b", true), ("", false)] {
            assert_eq!(is_several(sql.as_bytes()), several, "{sql}");
        }
    }

    #[test]
    fn only_refusals_before_the_run_are_tried_again() {
        let of = |body: &[u8]| is_stale(&Trouble::server(body, super::super::wire::Level::Terse, None));
        assert!(of(b"C0A000\0RRevalidateCachedQuery\0\0"));
        assert!(of(b"C26000\0\0"));
        assert!(!of(b"C0A000\0Rother\0\0"));
        assert!(!of(b"C23505\0\0"));
    }
}
