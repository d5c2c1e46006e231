//! A connection as the server sees it: what a pool keeps.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use super::error::{Error, Result};
use super::infile::Permission;
use super::rows::{self, Stop};
use super::target::Target;
use super::wire::constants::{capability, command, status};
use super::wire::handshake::Session;
use super::wire::{End, Greeting, OkReply, Reply, Wire, reply};
use crate::pool::Pooled;

/// The first MySQL with roles.
const MYSQL_WITH_ROLES: u32 = 80_000;
/// The first MariaDB that tells which role is a user's default.
const MARIADB_WITH_DEFAULT_ROLES: u32 = 100_101;

/// What a statement did.
#[derive(Debug, Default)]
pub struct Summary {
    /// Columns of its result.
    pub columns: usize,
    /// Rows changed, or returned; and the rest.
    pub ok: OkReply,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Link {
    /// Its packets; closed while another thread reads them.
    pub wire: Wire,
    /// What both sides can do.
    pub capabilities: u32,
    /// The server's version.
    pub version: String,
    /// The same as a number.
    pub version_number: u32,
    /// Whether the server is MariaDB.
    pub is_mariadb: bool,
    /// The server's number for it.
    pub thread_id: u32,
    /// The server's last word on its state.
    pub status: u16,
    /// The database it began with.
    database: Option<Vec<u8>>,
    /// What a reset has to do beyond the protocol's own.
    target: Option<Arc<Target>>,
    /// The client's files it may give to the server.
    pub files: Permission,
}

impl Link {
    /// A connection whose handshake is over.
    pub fn new(wire: Wire, greeting: Greeting, session: &Session, database: Option<Vec<u8>>) -> Self {
        Self {
            wire,
            capabilities: session.capabilities,
            version_number: greeting.version_number(),
            version: greeting.version,
            is_mariadb: greeting.is_mariadb,
            thread_id: greeting.thread_id,
            status: session.ok.status,
            database,
            target: None,
            files: Permission::Nothing,
        }
    }

    /// Notes how to restore it when a pool takes it back.
    #[must_use]
    pub fn restored_by(mut self, target: &Arc<Target>) -> Self {
        self.target = Some(Arc::clone(target));
        self
    }

    /// Sends a command without parameters and reads its answer.
    pub fn command(&mut self, number: u8, parameters: &[u8]) -> Result<OkReply> {
        self.wire.begin_command(number).extend_from_slice(parameters);
        self.wire.end_packet()?;
        self.wire.flush()?;
        self.read_done()
    }

    /// Reads an answer without rows.
    fn read_done(&mut self) -> Result<OkReply> {
        let packet = self.wire.packet()?;
        let ok = if End::is_in(packet) {
            let end = End::parse(packet, self.capabilities)?;
            OkReply { status: end.status, warnings: end.warnings, ..OkReply::default() }
        } else {
            reply::ok(packet)?
        };
        self.status = ok.status;
        Ok(ok)
    }

    /// Runs SQL whose rows nobody wants.
    pub fn simple_query(&mut self, sql: &[u8]) -> Result<()> {
        self.wire.begin_command(command::QUERY).extend_from_slice(sql);
        self.wire.end_packet()?;
        self.wire.flush()?;
        self.read_results().map(drop)
    }

    /// Reads results to the last; what the first of them was: how many rows, or rows
    /// changed; with the last insert id.
    pub fn read_results(&mut self) -> Result<Summary> {
        let mut first = None;
        loop {
            let one = match Reply::parse(self.wire.packet()?)? {
                Reply::Ok(ok) => Summary { columns: 0, ok },
                Reply::Columns(columns) => {
                    self.skip_columns(columns)?;
                    let (affected, end) = self.skip_rows()?;
                    let ok = OkReply { affected, status: end.status, warnings: end.warnings, ..OkReply::default() };
                    Summary { columns, ok }
                }
                Reply::LocalInfile(name) => Summary { columns: 0, ok: self.send_file(&name)? },
            };
            self.status = one.ok.status;
            let id = one.ok.insert_id;
            let first = first.get_or_insert(one);
            if id > 0 {
                first.ok.insert_id = id;
            }
            if self.status & status::MORE_RESULTS == 0 {
                return Ok(std::mem::take(first));
            }
        }
    }

    /// The server's figures, as text.
    pub fn statistics(&mut self) -> Result<String> {
        self.wire.begin_command(command::STATISTICS);
        self.wire.end_packet()?;
        self.wire.flush()?;
        let packet = self.wire.packet()?;
        if reply::is_failure(packet) {
            return Err(reply::failure(packet));
        }
        Ok(String::from_utf8_lossy(packet).into_owned())
    }

    /// Reads the definitions of columns.
    pub fn skip_columns(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.wire.packet()?;
        }
        self.end_of_columns()
    }

    /// Reads what follows the definitions of columns, where something does.
    pub fn end_of_columns(&mut self) -> Result<()> {
        if self.capabilities & capability::DEPRECATE_EOF == 0 && !End::is_in(self.wire.packet()?) {
            return Err(Error::malformed("the end of the columns was expected"));
        }
        Ok(())
    }

    /// Reads rows to their end.
    fn skip_rows(&mut self) -> Result<(u64, End)> {
        let mut count = 0;
        loop {
            let skipped = rows::skip(self.wire.buffered(), self.capabilities, u64::MAX)?;
            count += skipped.count;
            self.wire.consume(skipped.used);
            match skipped.stop {
                Stop::End(end) => return Ok((count, end?)),
                Stop::Full | Stop::Starved => self.wire.fill()?,
            }
        }
    }

    /// Makes it as new, in one round trip.
    fn restore(&mut self) -> Result<()> {
        let Some(target) = self.target.clone() else { return Err(Error::gone()) };
        // The reset puts the server's own character set in place, and leaves the database where it is.
        let names = target.names.as_ref().map(|names| (command::QUERY, names.as_bytes()));
        let database = self.database.clone();
        let database = database.as_ref().map(|name| (command::INIT_DB, &name[..]));
        let commands = [Some((command::RESET_CONNECTION, &[][..])), names, database];
        let is_compressed = self.capabilities & capability::COMPRESS != 0;
        for (number, parameters) in commands.iter().flatten() {
            self.wire.begin_command(*number).extend_from_slice(parameters);
            self.wire.end_packet()?;
            if is_compressed {
                // Compression numbers each command's packets anew.
                self.wire.flush()?;
                self.read_done()?;
            }
        }
        if !is_compressed {
            self.wire.flush()?;
            for _ in commands.iter().flatten() {
                self.read_done()?;
            }
        }
        self.check_restored()
    }

    /// What the protocol's reset leaves as it is, and no command takes back: another role than at the beginning, and a
    /// database where there was none. An error then.
    fn check_restored(&mut self) -> Result<()> {
        const ROLE_OF_OLD: &str = "CURRENT_ROLE() <=> (SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES \
                                   WHERE IS_DEFAULT = 'YES' LIMIT 1)";
        if !self.is_mariadb && self.version_number >= MYSQL_WITH_ROLES {
            self.simple_query(b"SET ROLE DEFAULT")?;
        }
        let mut conditions = Vec::new();
        if self.is_mariadb && self.version_number >= MARIADB_WITH_DEFAULT_ROLES {
            conditions.push(ROLE_OF_OLD);
        }
        if self.database.is_none() {
            conditions.push("DATABASE() IS NULL");
        }
        if conditions.is_empty() {
            return Ok(());
        }
        // A subquery of two rows is an error, where it is reached.
        let sql = format!("SELECT IF({}, 1, (SELECT 1 UNION SELECT 2))", conditions.join(" AND "));
        self.simple_query(sql.as_bytes())
    }
}

impl Pooled for Link {
    fn is_alive(&mut self) -> bool {
        self.wire.is_open() && !self.wire.is_readable()
    }

    fn reset(&mut self, _until: Instant) -> Result<(), protocol::Error> {
        if !self.wire.is_open() || self.wire.is_readable() {
            return Err(Error::gone().into());
        }
        Ok(self.restore()?)
    }

    fn socket(&self) -> Option<OwnedFd> {
        self.wire.socket().and_then(|socket| socket.as_fd().try_clone_to_owned().ok())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.wire.is_open() {
            // Said for the server's log; nobody waits for an answer.
            self.wire.begin_command(command::QUIT);
            let _ = self.wire.end_packet().and_then(|()| self.wire.flush());
        }
    }
}
