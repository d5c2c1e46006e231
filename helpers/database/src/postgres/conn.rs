//! A connection to a server, as a pool keeps it: the link, and what was prepared over it.
//!
//! Statements that the driver has prepared survive a reset: the next script likely runs the same SQL. They cannot do
//! harm, as they are chosen by their SQL; what they mean is looked up anew by the server when tables or the search path
//! have changed. Should their columns change by that, the server refuses them, which fails a transaction. So in one
//! they are only used when they have been used since the reset.

use std::time::Instant;

use daemon::Error;

use super::plans::Plans;
use super::trouble::{Result, Trouble};
use super::wire::{Level, Link, Tag, Transaction};
use crate::pool::Pooled;

/// What makes a connection as new, but for the statements of ours: `DISCARD ALL` without `DEALLOCATE ALL`.
const RESET: &[&str] = &[
    "CLOSE ALL",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET ROLE", // to the one that the connection's options or the user's settings begin with
    "RESET ALL",
    "UNLISTEN *",
    "SELECT pg_catalog.pg_advisory_unlock_all()",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
];

/// A connection.
pub struct Conn {
    /// Messages to and from the server.
    pub link: Link,
    /// Statements of this connection.
    pub plans: Plans,
    /// Somebody has prepared or forgotten statements by SQL.
    pub has_foreign_statements: bool,
}

impl Conn {
    /// A new one.
    pub fn new(link: Link) -> Self {
        Self { link, plans: Plans::default(), has_foreign_statements: false }
    }

    /// Runs SQL whose rows nobody wants.
    pub fn command(&mut self, sql: &[u8], level: Level) -> Result<Tag> {
        self.link.check()?;
        self.link.out.query(sql);
        self.run_out(1, level, Some(sql))
    }

    /// Receives up to the `ready`-th `ReadyForQuery`; rows and data are thrown away. The first error, or the last tag.
    pub fn run_out(&mut self, mut ready: usize, level: Level, sql: Option<&[u8]>) -> Result<Tag> {
        let mut tag = Tag::default();
        let mut failed = None;
        while ready > 0 {
            let message = self.link.receive()?;
            match message.kind {
                b'C' => {
                    tag = Tag::parse(self.link.body(&message));
                    self.note(&tag);
                }
                b'E' => {
                    let trouble = Trouble::server(self.link.body(&message), level, sql);
                    failed.get_or_insert(trouble);
                }
                b'G' => self.link.out.copy_fail(b"COPY terminated by new PQexec"),
                b'Z' => ready -= 1,
                _ => {}
            }
        }
        match failed {
            Some(trouble) => Err(trouble),
            None => Ok(tag),
        }
    }

    /// What a command means for the statements that were prepared.
    pub fn note(&mut self, tag: &Tag) {
        if tag.forgets_statements() {
            self.plans.forget_all(tag.command != "DEALLOCATE ALL" && tag.command != "DISCARD ALL");
            self.has_foreign_statements = true;
        } else if tag.command == "PREPARE" {
            self.has_foreign_statements = true;
        } else if tag.changes_schema() {
            self.plans.forget_all(true);
        }
    }
}

impl Pooled for Conn {
    fn is_alive(&mut self) -> bool {
        self.link.is_alive()
    }

    fn reset(&mut self, until: Instant) -> std::result::Result<(), Error> {
        self.link.give_up = Some(until);
        let result = self.clean().map_err(Trouble::into_error);
        self.link.give_up = None;
        result
    }

    fn socket(&self) -> Option<std::os::fd::OwnedFd> {
        self.link.transport().duplicate()
    }
}

impl Conn {
    fn clean(&mut self) -> Result<()> {
        self.link.attend(None);
        if self.link.transaction != Transaction::Idle {
            self.command(b"ROLLBACK", Level::Terse)?;
        }
        let mut ready = RESET.len();
        if self.has_foreign_statements {
            self.plans.forget_all(false);
            self.link.out.query(b"DEALLOCATE ALL");
            ready += 1;
        }
        for sql in RESET {
            self.link.out.query(sql.as_bytes());
        }
        self.run_out(ready, Level::Terse, None)?;
        self.plans.distrust();
        self.has_foreign_statements = false;
        self.link.changed.clear();
        self.link.notices.clear();
        self.link.notifications.clear();
        if self.link.transaction == Transaction::Idle && self.link.pending().is_empty() {
            Ok(())
        } else {
            Err(Trouble::Usage("the connection is not idle after its reset".into()))
        }
    }
}
