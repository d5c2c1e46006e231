//! A connection of a session: what it is doing, and making it ready for the next thing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::{CancelSlot, HandlePermit};
use storable::RowWriter;

use super::backlog::{Backlog, Reader};
use super::error::{Error, Result};
use super::kill::Killer;
use super::link::Link;
use super::queue::{Pending, Queue};
use super::rows::{self, Limits, Reading, Stop};
use super::settings::Settings;
use super::sql::Style;
use super::statement::{Source, Statement};
use super::target::Target;
use super::wire::constants::{capability, command, status};
use super::wire::{Column, End, OkReply, Reply, Wire};
use crate::pool::Lease;

/// A result whose rest is no longer than this is read before its first rows are answered; a longer one by a thread of its
/// own, meanwhile.
const READ_AHEAD_BYTES: usize = 128 * 1024;
/// What the definitions of a result's columns may take together.
const MAX_COLUMNS_BYTES: usize = 64 << 20;
/// How long the end of a connection waits for each answer to what was queued.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
/// `ER_QUERY_INTERRUPTED`
const ER_QUERY_INTERRUPTED: u32 = 1317;

/// The statements of a session, by number.
pub type Statements = HashMap<u32, Statement>;

/// What a command was answered with.
#[derive(Debug)]
pub enum Outcome {
    /// It is done.
    Done(OkReply),
    /// It returns rows; the statement has their columns. Whether they are others than before.
    Rows { new_columns: bool },
}

/// A connection of a session.
pub struct Connection {
    /// The connection proper.
    pub link: Lease<Link>,
    /// Where it leads.
    pub target: Arc<Target>,
    /// The driver's settings.
    pub settings: Settings,
    /// What ends its running query.
    pub killer: Arc<Killer>,
    /// Where calls are cancelled.
    slot: Arc<CancelSlot>,
    /// A thread that reads the rows of a statement.
    reader: Option<(u32, Reader)>,
    /// The statement whose rows come next from the server.
    streaming: Option<u32>,
    /// The statement that has further results.
    more: Option<u32>,
    /// The state the client knows.
    told: Option<u16>,
    /// Its query was, perhaps, ended from another thread.
    pub is_killed: bool,
    /// The number of the connection that took the place of a lost one, until the client knows.
    pub reconnected: Option<u32>,
    /// Prepared statements that nobody needs any more.
    closing: Vec<u32>,
    /// Statements that are on their way.
    pub queued: Queue,
    /// An asynchronous statement.
    pub pending: Option<Pending>,
    /// An answer comes that nobody wants any more.
    pub has_orphan: bool,
    /// The insert id of results that nobody asked for.
    passed_insert_id: u64,
    _permit: HandlePermit,
}

impl Connection {
    /// A connection that was just made.
    pub fn new(
        link: Lease<Link>,
        target: Arc<Target>,
        settings: Settings,
        slot: Arc<CancelSlot>,
        permit: HandlePermit,
    ) -> Self {
        let killer = Arc::new(Killer::new(&target));
        killer.follow(link.thread_id, link.wire.socket());
        Self {
            link,
            target,
            settings,
            killer,
            slot,
            reader: None,
            streaming: None,
            more: None,
            told: None,
            is_killed: false,
            reconnected: None,
            closing: Vec::new(),
            queued: Queue::default(),
            pending: None,
            has_orphan: false,
            passed_insert_id: 0,
            _permit: permit,
        }
    }

    /// How values are written.
    pub fn style(&self) -> Style {
        let escapes = self.link.status & status::NO_BACKSLASH_ESCAPES != 0;
        self.settings.style(escapes, self.target.charset.as_deref())
    }

    /// The server's state, if the client does not know it yet.
    pub fn status_news(&mut self) -> Option<u16> {
        let now = self.link.status & status::TOLD;
        (self.told.replace(now) != Some(now)).then_some(now)
    }

    /// Runs what may end the connection; if it did, closes it.
    pub fn guarded<R>(&mut self, run: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        run(self).inspect_err(|error| {
            if error.lost {
                self.link.wire.close();
                (self.streaming, self.more) = (None, None);
            }
        })
    }

    // Getting ready.

    /// Makes it ready for a command: whatever another statement has under way is read or given up.
    pub fn ready(&mut self, statements: &mut Statements) -> Result<()> {
        self.check_not_pending()?;
        self.synchronise()?;
        if let Some(s) = self.streaming {
            self.put_aside(s, statements.get_mut(&s))?;
        }
        self.finish_reading();
        if self.more.take().is_some() || std::mem::take(&mut self.has_orphan) {
            self.skip_results()?;
        }
        if std::mem::take(&mut self.is_killed) && self.link.wire.is_open() {
            self.absorb_kill()?;
        }
        if !self.is_usable() {
            self.reconnect()?;
        }
        self.close_statements()
    }

    /// Whether it leads somewhere, as far as is known.
    fn is_usable(&mut self) -> bool {
        let wire = &mut self.link.wire;
        // Asking the system is worth it only where the answer makes a difference.
        wire.is_open() && !(self.settings.auto_reconnect && wire.is_readable())
    }

    /// Replaces a lost connection, where that was asked for and no transaction was lost with it.
    fn reconnect(&mut self) -> Result<()> {
        let state = self.link.status & (status::AUTOCOMMIT | status::IN_TRANSACTION);
        if !self.settings.auto_reconnect || state != status::AUTOCOMMIT {
            self.link.wire.close();
            return Err(Error::gone());
        }
        let mut link = self.target.connect(Some(&self.slot))?;
        for command in &self.target.init_commands {
            link.simple_query(command)?;
        }
        self.killer.follow(link.thread_id, link.wire.socket());
        self.reconnected = Some(link.thread_id);
        self.told = None;
        self.closing.clear();
        self.link = Lease::unpooled(link);
        Ok(())
    }

    /// A request to end a query may arrive after its end; a statement that does nothing takes it.
    fn absorb_kill(&mut self) -> Result<()> {
        match self.link.simple_query(b"DO 0") {
            Err(error) if error.number == ER_QUERY_INTERRUPTED => Ok(()),
            done => done,
        }
    }

    fn close_statements(&mut self) -> Result<()> {
        for id in std::mem::take(&mut self.closing) {
            self.link.wire.begin_command(command::STMT_CLOSE).extend_from_slice(&id.to_le_bytes());
            self.link.wire.end_packet()?;
            if self.link.capabilities & capability::COMPRESS != 0 {
                // Compression numbers each command's packets anew.
                self.link.wire.flush()?;
            }
        }
        Ok(())
    }

    /// A prepared statement is not needed any more; the server hears it with the next command.
    pub fn close_later(&mut self, statement: &mut Statement) {
        if let Some(prepared) = statement.prepared.take()
            && prepared.thread_id == self.link.thread_id
        {
            self.closing.push(prepared.id);
        }
    }

    /// Whether a thread reads the rows of `s`, or they come next.
    fn is_busy_with(&self, s: u32) -> bool {
        self.streaming == Some(s) || self.reader.as_ref().is_some_and(|(of, _)| *of == s)
    }

    /// The statement's result is not wanted any more.
    pub fn give_up(&mut self, s: u32, statement: &mut Statement) -> Result<()> {
        if let Source::Backlog(backlog) = std::mem::take(&mut statement.source)
            && self.is_busy_with(s)
        {
            backlog.abandon();
        }
        if self.streaming == Some(s) {
            self.guarded(|this| this.skip_rows(s))?;
        }
        Ok(())
    }

    /// Reads on while the statement's rows wait: in a thread, into a backlog.
    fn put_aside(&mut self, s: u32, statement: Option<&mut Statement>) -> Result<()> {
        self.streaming = None;
        let wire = std::mem::replace(&mut self.link.wire, Wire::closed());
        let written = statement.as_ref().map_or(0, |statement| statement.written);
        match Reader::start(wire, self.link.capabilities, written) {
            Ok(reader) => {
                match statement {
                    Some(statement) => statement.source = Source::Backlog(Arc::clone(&reader.backlog)),
                    None => reader.backlog.abandon(),
                }
                self.reader = Some((s, reader));
                Ok(())
            }
            Err(failed) => {
                let (wire, error) = *failed;
                self.link.wire = wire;
                self.streaming = Some(s);
                Err(error)
            }
        }
    }

    /// Waits for the thread that reads rows, and takes the connection back.
    pub fn finish_reading(&mut self) {
        let Some((s, reader)) = self.reader.take() else { return };
        let (wire, end) = reader.finish();
        self.link.wire = wire;
        match end {
            Ok(end) => self.note_end(s, end),
            // It is the statement's to tell.
            Err(error) if error.lost => self.link.wire.close(),
            Err(_) => {}
        }
    }

    fn note_end(&mut self, s: u32, end: End) {
        self.streaming = None;
        self.link.status = end.status;
        self.more = (end.status & status::MORE_RESULTS != 0).then_some(s);
        self.link.wire.shrink();
    }

    /// Whether `s` has further results, as far as is known.
    pub fn has_more(&self, s: u32) -> bool {
        self.more == Some(s)
    }

    /// Reads further results of `s`, which are not wanted.
    pub fn drain_more(&mut self, s: u32) -> Result<()> {
        match self.more.take() {
            Some(of) if of == s => {
                let summary = self.link.read_results()?;
                self.note_insert_id(summary.ok.insert_id);
                Ok(())
            }
            other => {
                self.more = other;
                Ok(())
            }
        }
    }

    fn skip_results(&mut self) -> Result<()> {
        match self.guarded(|this| this.link.read_results()) {
            Err(error) if !error.lost => {
                tracing::debug!("an error of a result that nobody asked for: {error}");
                Ok(())
            }
            Err(error) => Err(error),
            Ok(summary) => {
                self.note_insert_id(summary.ok.insert_id);
                Ok(())
            }
        }
    }

    fn note_insert_id(&mut self, id: u64) {
        if id > 0 {
            self.passed_insert_id = id;
        }
    }

    /// The insert id of a reply: its own, or else that of results which were passed over before it.
    pub fn insert_id(&mut self, own: u64) -> u64 {
        let passed = std::mem::take(&mut self.passed_insert_id);
        if own > 0 { own } else { passed }
    }

    /// Reads the rest of the rows of `s`; how many there were.
    pub fn skip_rows(&mut self, s: u32) -> Result<u64> {
        let mut count = 0;
        loop {
            let skipped = rows::skip(self.link.wire.buffered(), self.link.capabilities, u64::MAX)?;
            count += skipped.count;
            self.link.wire.consume(skipped.used);
            match skipped.stop {
                Stop::End(end) => {
                    self.streaming = None;
                    self.note_end(s, end?);
                    return Ok(count);
                }
                Stop::Full | Stop::Starved => self.link.wire.fill()?,
            }
        }
    }

    // Running.

    /// Reads what the last command of `s` is answered with.
    pub fn outcome(&mut self, s: u32, statement: &mut Statement) -> Result<Outcome> {
        let reply = Reply::parse(self.link.wire.packet()?)?;
        match reply {
            Reply::Ok(ok) => {
                self.note_ok(s, &ok);
                Ok(Outcome::Done(ok))
            }
            Reply::Columns(count) => {
                let new_columns = self.read_columns(count, statement)?;
                self.streaming = Some(s);
                statement.source = Source::Connection;
                Ok(Outcome::Rows { new_columns })
            }
            Reply::LocalInfile(name) => {
                let ok = self.link.send_file(&name)?;
                self.note_ok(s, &ok);
                Ok(Outcome::Done(ok))
            }
        }
    }

    /// Notes the state after a command without rows.
    pub fn note_ok(&mut self, s: u32, ok: &OkReply) {
        self.link.status = ok.status;
        self.more = (ok.status & status::MORE_RESULTS != 0).then_some(s);
    }

    fn read_columns(&mut self, count: usize, statement: &mut Statement) -> Result<bool> {
        let mut raw = Vec::new();
        let mut ends = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            raw.extend_from_slice(self.link.wire.packet()?);
            ends.push(raw.len());
            if raw.len() > MAX_COLUMNS_BYTES {
                let limit = format!("the limit MAX_COLUMNS_BYTES ({MAX_COLUMNS_BYTES}) was reached");
                return Err(Error::malformed(&format!(
                    "the columns of the result are described at too great a length: {limit}"
                )));
            }
        }
        self.link.end_of_columns()?;
        let reading = Reading { text: self.settings.text, rules: self.settings.rules };
        let protocol = statement.protocol();
        if statement.columns.are(&raw, reading, protocol) {
            return Ok(false);
        }
        let mut list = Vec::with_capacity(ends.len());
        let mut from = 0;
        for end in ends {
            list.push(Column::parse(&raw[from..end])?);
            from = end;
        }
        statement.columns = rows::Columns::new(raw, list, reading, protocol);
        Ok(true)
    }

    /// Writes rows as they come from the server.
    pub fn fill(
        &mut self,
        s: u32,
        statement: &mut Statement,
        rows: &mut RowWriter<'_, '_, '_>,
        limits: Limits,
    ) -> Result<()> {
        loop {
            let link = &mut *self.link;
            let (used, stop) = statement.write_from(rows, link.wire.buffered(), limits, link.capabilities)?;
            if statement.written == 0 {
                statement.measure(&link.wire.buffered()[..used]);
            }
            link.wire.consume(used);
            match stop {
                Stop::Full => return Ok(()),
                Stop::Starved => link.wire.fill()?,
                Stop::End(end) => {
                    self.streaming = None;
                    let end = end?;
                    statement.ended(end);
                    self.note_end(s, end);
                    return Ok(());
                }
            }
        }
    }

    /// Takes the rest of a result off the server's hands: at once if it is short, in a thread if not.
    pub fn read_ahead(&mut self, s: u32, statement: &mut Statement) -> Result<()> {
        if self.streaming != Some(s) || statement.use_result {
            return Ok(());
        }
        let (mut at, mut count) = (0, 0);
        loop {
            let link = &mut *self.link;
            let skipped = rows::skip(&link.wire.buffered()[at..], link.capabilities, u64::MAX)?;
            count += skipped.count;
            let rows_bytes = at + skipped.rows_bytes;
            match skipped.stop {
                Stop::End(end) => {
                    let end = end.inspect_err(|_| self.streaming = None)?;
                    if count == 0 {
                        statement.ended(end);
                    } else {
                        let packets = &self.link.wire.buffered()[..rows_bytes];
                        let backlog = Backlog::complete(packets, statement.written, count, Ok(end))?;
                        statement.source = Source::Backlog(Arc::new(backlog));
                    }
                    statement.total = Some(statement.written + count);
                    self.link.wire.consume(at + skipped.used);
                    self.note_end(s, end);
                    return Ok(());
                }
                Stop::Full | Stop::Starved if link.wire.buffered().len() < READ_AHEAD_BYTES => {
                    at = rows_bytes;
                    link.wire.fill()?;
                }
                Stop::Full | Stop::Starved => return self.put_aside(s, Some(statement)),
            }
        }
    }

    /// Begins the next result of `s`; `None` when there is none.
    pub fn next_result(&mut self, s: u32, statement: &mut Statement) -> Result<Option<Outcome>> {
        self.give_up(s, statement)?;
        if self.reader.as_ref().is_some_and(|(of, _)| *of == s) {
            self.finish_reading();
        }
        if self.more != Some(s) {
            return Ok(None);
        }
        self.more = None;
        statement.begin();
        self.guarded(|this| this.outcome(s, statement)).map(Some)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.queued.is_waiting() {
            // A socket that is closed with answers unread may take along what the server has not read yet.
            let patience = Some(LAST_ANSWERS);
            let is_set = self.link.wire.socket().is_some_and(|socket| socket.set_timeouts(patience, patience).is_ok());
            if is_set {
                for (_, error) in self.collect().failures {
                    tracing::debug!("a statement that was not waited for has failed: {error}");
                }
            }
            self.link.wire.close();
        }
        // With rows under way it is of no use to anybody else.
        if let Some((_, reader)) = self.reader.take() {
            reader.kill();
        }
        let is_expected = self.pending.is_some() || self.has_orphan || self.queued.is_waiting();
        if self.streaming.is_some() || self.more.is_some() || self.is_killed || is_expected {
            self.link.wire.close();
        }
    }
}
