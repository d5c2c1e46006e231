//! COPY in both directions.

use super::connection::Connection;
use super::trouble::{Result, Trouble};
use super::wire::Tag;

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    In,
    /// From the server.
    Out,
}

/// A COPY that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// Which way.
    pub direction: Direction,
    /// Its data is binary.
    pub is_binary: bool,
    /// After its end, `ReadyForQuery` comes so often.
    pub ready: usize,
    /// It was begun by the extended protocol, which wants a Sync after its end.
    pub needs_sync: bool,
}

/// Data to be sent is sent when there is so much of it.
const SEND_BYTES: usize = 64 * 1024;

impl Connection {
    fn copying(&self, direction: Direction) -> Result<Copy> {
        self.conn.link.check()?;
        match self.copy {
            Some(copy) if copy.direction == direction => Ok(copy),
            _ => Err(Trouble::Usage("no COPY in progress\n".into())),
        }
    }

    /// Data for the server.
    pub fn copy_put(&mut self, data: &[u8]) -> Result<()> {
        self.copying(Direction::In)?;
        let link = self.link();
        link.out.copy_data(data);
        if link.out.pending().len() >= SEND_BYTES {
            link.flush()?;
        }
        Ok(())
    }

    /// The end of the data, or why there is none; what was done.
    pub fn copy_end(&mut self, reason: Option<&[u8]>) -> Result<Tag> {
        let copy = self.copying(Direction::In)?;
        let link = self.link();
        match reason {
            Some(reason) => link.out.copy_fail(reason),
            None => link.out.copy_done(),
        }
        if copy.needs_sync {
            link.out.sync();
        }
        self.copy = None;
        let level = self.settings.level;
        self.conn.run_out(copy.ready, level, None)
    }

    /// The next rows from the server, each given to `told`, until `bytes` are reached; whether that was all.
    pub fn copy_get(&mut self, bytes: usize, wait: bool, mut told: impl FnMut(&[u8])) -> Result<bool> {
        let copy = self.copying(Direction::Out)?;
        let mut given = 0;
        loop {
            let link = self.link();
            link.flush()?;
            let Some((kind, len)) = link.peek_here()? else {
                if given > 0 || !wait {
                    if link.read_now()? {
                        continue;
                    }
                    return Ok(false);
                }
                link.read_more(None)?;
                continue;
            };
            if kind != b'd' {
                if given > 0 {
                    return Ok(false); // an error is told after the data before it
                }
                self.copy = None;
                let level = self.settings.level;
                return self.conn.run_out(copy.ready, level, None).map(|_| true);
            }
            if given >= bytes {
                return Ok(false);
            }
            told(&link.pending()[5..len]);
            given += len;
            link.take(len);
        }
    }

    /// Ends a COPY that nobody goes on with, as libpq does when another statement is run.
    pub fn abandon_copy(&mut self) -> Result<()> {
        let Some(copy) = self.copy.take() else { return Ok(()) };
        let link = self.link();
        if copy.direction == Direction::In {
            link.out.copy_fail(b"COPY terminated by new PQexec");
            if copy.needs_sync {
                link.out.sync();
            }
        }
        let level = self.settings.level;
        match self.conn.run_out(copy.ready, level, None) {
            Err(trouble @ Trouble::Link(_)) => Err(trouble),
            _ => Ok(()),
        }
    }
}
