//! A connection in a session: settings, statements, and whose turn it is on the link.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Queue;
use super::conn::Conn;
use super::copy::Copy;
use super::execute::Sent;
use super::limits::READ_AHEAD_BYTES;
use super::statement::Statement;
use super::trouble::{Result, Trouble};
use super::wire::{Decoding, Level, Link, Notice, Transaction};
use crate::pool::Lease;

/// What scripts can set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `pg_enable_utf8`.
    pub utf8_wish: i64,
    /// How values look.
    pub decoding: Decoding,
    /// `pg_errorlevel`.
    pub level: Level,
    /// What is sent before a statement while no transaction is open.
    pub begin: Option<&'static [u8]>,
    /// So much of a result is read before `execute` answers.
    pub read_ahead: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            utf8_wish: -1,
            decoding: Decoding { utf8: true, bool_tf: false, expand_array: true },
            level: Level::Default,
            begin: None,
            read_ahead: READ_AHEAD_BYTES,
        }
    }
}

/// A connection of a session.
pub struct Connection {
    /// The connection itself.
    pub conn: Lease<Conn>,
    /// What the script has set.
    pub settings: Settings,
    /// Statements, by the client's number.
    pub statements: HashMap<u32, Statement>,
    /// The statement whose rows are on the link.
    pub live: Option<u32>,
    /// Statements that were sent and not waited for.
    pub queue: Queue,
    /// A COPY that is going on.
    pub copy: Option<Copy>,
    /// The statement that runs asynchronously.
    pub running: Option<u32>,
    /// What was sent of it.
    pub running_sent: Sent,
    /// The last error's fields.
    pub last_error: Option<Arc<Notice>>,
    /// The state of the transaction that the client knows of.
    pub told: Transaction,
}

impl Connection {
    /// With settings of their own.
    pub fn new(conn: Lease<Conn>, settings: Settings) -> Self {
        Self {
            conn,
            settings,
            statements: HashMap::new(),
            live: None,
            queue: Queue::default(),
            copy: None,
            running: None,
            running_sent: Sent::default(),
            last_error: None,
            told: Transaction::Idle,
        }
    }

    /// The link.
    pub fn link(&mut self) -> &mut Link {
        &mut self.conn.link
    }

    /// Sets whether text gets the UTF-8 flag: as wished, or as the encoding is.
    pub fn set_utf8(&mut self, wish: i64) {
        self.settings.utf8_wish = wish;
        self.settings.decoding.utf8 = match wish {
            0 => false,
            -1 => self.conn.link.parameters.get("client_encoding").is_some_and(|encoding| encoding == "UTF8"),
            _ => true,
        };
    }

    /// Makes the link free for a new statement: what was queued is waited for, rows that are on their way are put
    /// aside, a COPY is ended.
    pub fn make_ready(&mut self) -> Result<()> {
        self.conn.link.check()?;
        self.drain_queue()?;
        self.settle()?;
        if self.copy.is_some() {
            self.abandon_copy()?;
        }
        Ok(())
    }

    /// The same for what cannot wait for an asynchronous statement.
    pub fn make_idle(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Err(Trouble::Usage("another command is already in progress\n".into()));
        }
        self.make_ready()
    }

    /// Puts aside the rows of a statement that are on their way.
    pub fn settle(&mut self) -> Result<()> {
        if let Some(s) = self.live
            && let Some(mut statement) = self.statements.remove(&s)
        {
            let result = self.put_aside(&mut statement);
            self.statements.insert(s, statement);
            return result;
        }
        Ok(())
    }

    /// Reads the rest of a live statement into its store.
    pub fn put_aside(&mut self, statement: &mut Statement) -> Result<()> {
        loop {
            let (kind, len) = self.conn.link.peek()?;
            if kind == b'D' {
                // Taken when it is safe: if there is no room for it, it can still be had later.
                let row = &self.conn.link.pending()[5..len];
                statement.store.push(|to| to.extend_from_slice(row))?;
                self.conn.link.take(len);
                continue;
            }
            let message = self.conn.link.take_message(len);
            if self.ends_rows(statement, &message) {
                statement.is_live = false;
                return Ok(());
            }
        }
    }

    /// Throws away the rest of a live statement.
    pub fn throw_away(&mut self, statement: &mut Statement) -> Result<()> {
        while statement.is_live {
            let message = self.conn.link.receive()?;
            if self.ends_rows(statement, &message) {
                statement.is_live = false;
            }
        }
        Ok(())
    }

    /// Whether a message that is no row was the last one of a live statement.
    pub fn ends_rows(&mut self, statement: &mut Statement, message: &super::wire::Message) -> bool {
        match message.kind {
            b'C' => {
                statement.tag = super::wire::Tag::parse(self.conn.link.body(message));
                self.conn.note(&statement.tag);
            }
            b'E' => {
                let body = self.conn.link.body(message);
                statement.deferred = Some(Trouble::server(body, self.settings.level, Some(&statement.sql)));
            }
            b'Z' => {
                statement.ready = statement.ready.saturating_sub(1);
                if statement.ready == 0 {
                    self.live = None;
                    return true;
                }
            }
            _ => {}
        }
        false
    }

    /// Whether a BEGIN is due; its SQL.
    pub fn begin_due(&self) -> Option<&'static [u8]> {
        self.settings.begin.filter(|_| self.conn.link.transaction == Transaction::Idle)
    }

    /// A command of ours, which is not the script's.
    pub fn command(&mut self, sql: &str) -> Result<()> {
        self.make_idle()?;
        self.conn.command(sql.as_bytes(), self.settings.level).map(drop)
    }
}
