//! Rows that are read before anybody asks for them.
//!
//! The drivers read a whole result when a statement is executed (unless told `mysql_use_result`): the server is free at
//! once, its locks are gone, and it does not end a connection whose script takes a minute for a row. Here a thread does
//! that while the first rows are being worked on: it takes the connection, reads to the end of the result, and gives it
//! back. What is not wanted yet waits in memory, or, when it is much, in a file ([`crate::spill`]).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::error::{CR_UNKNOWN_ERROR, Error, Result};
use super::rows::{self, Stop};
use super::wire::stream::Socket;
use super::wire::{End, Wire};
use crate::spill::{Spill, SpillLimits};

/// Rows that wait, whole packets in pieces.
#[derive(Debug)]
pub struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pieces: Spill,
    count: u64,
    end: Option<Result<End>>,
    /// Nobody wants them any more.
    is_abandoned: bool,
}

/// What there is next.
#[derive(Debug)]
pub enum Next {
    /// Packets; they are in the buffer.
    Piece,
    /// Nothing yet.
    Nothing,
    /// No more.
    End(Result<End>),
}

impl Backlog {
    fn new(count: u64) -> Self {
        let pieces = Spill::new(&SpillLimits::configured());
        Self { state: Mutex::new(State { pieces, count, end: None, is_abandoned: false }), changed: Condvar::new() }
    }

    /// Rows that are all there, after `before` others.
    pub fn complete(packets: &[u8], before: u64, rows: u64, end: Result<End>) -> Result<Self> {
        let backlog = Self::new(before);
        backlog.push(packets, rows)?;
        backlog.lock().end = Some(end);
        Ok(backlog)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, packets: &[u8], rows: u64) -> Result<()> {
        let mut state = self.lock();
        state.count += rows;
        if !state.is_abandoned && !packets.is_empty() {
            let pushed = state.pieces.push(|to| to.extend_from_slice(packets));
            pushed.map_err(|error| Error::client(CR_UNKNOWN_ERROR, error.message.clone()))?;
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next piece into `buffer`. Waits for it, if asked to.
    pub fn next(&self, buffer: &mut Vec<u8>, wait: bool) -> Result<Next> {
        let mut state = self.lock();
        loop {
            let piece = state.pieces.next().map_err(|error| Error::client(CR_UNKNOWN_ERROR, error.message.clone()))?;
            if let Some(piece) = piece {
                buffer.clear();
                buffer.extend_from_slice(piece);
                return Ok(Next::Piece);
            }
            if let Some(end) = &state.end {
                return Ok(Next::End(end.clone()));
            }
            if !wait {
                return Ok(Next::Nothing);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether it is over and used up, without waiting.
    pub fn peek(&self) -> Next {
        let state = self.lock();
        match &state.end {
            Some(end) if state.pieces.is_empty() => Next::End(end.clone()),
            _ => Next::Nothing,
        }
    }

    /// All rows of the result, when the server has sent them.
    pub fn count(&self) -> Result<u64> {
        let mut state = self.lock();
        loop {
            match &state.end {
                Some(Ok(_)) => return Ok(state.count),
                Some(Err(error)) => return Err(error.clone()),
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Nobody wants the rows any more; those to come are thrown away.
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.is_abandoned = true;
        state.pieces = Spill::new(&SpillLimits::configured());
    }

    fn finish(&self, end: Result<End>) {
        self.lock().end = Some(end);
        self.changed.notify_all();
    }
}

/// A thread that reads a result.
#[derive(Debug)]
pub struct Reader {
    /// What it fills.
    pub backlog: Arc<Backlog>,
    thread: JoinHandle<Wire>,
    /// For ending it.
    socket: Option<Socket>,
}

impl Reader {
    /// Reads the rest of a result, of which `before` rows are gone.
    pub fn start(wire: Wire, capabilities: u32, before: u64) -> Result<Self, Box<(Wire, Error)>> {
        let backlog = Arc::new(Backlog::new(before));
        let socket = wire.socket().and_then(|socket| socket.try_clone().ok());
        let filled = Arc::clone(&backlog);
        // The wire comes back when there is no thread to be had.
        let held = Arc::new(Mutex::new(Some(wire)));
        let given = Arc::clone(&held);
        let take = move || given.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(Wire::closed);
        let started = std::thread::Builder::new().name("mysql-rows".into()).spawn(move || {
            let mut wire = take();
            // Whoever waits for rows must hear of the end in any case.
            let in_any_case = EndsWith(filled);
            let end = read(&mut wire, capabilities, &in_any_case.0);
            in_any_case.0.finish(end);
            wire
        });
        match started {
            Ok(thread) => Ok(Self { backlog, thread, socket }),
            Err(error) => {
                let wire = held.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(Wire::closed);
                Err(Box::new((wire, Error::client(CR_UNKNOWN_ERROR, format!("no thread for reading rows: {error}")))))
            }
        }
    }

    /// Waits for the end of the result.
    pub fn finish(self) -> (Wire, Result<End>) {
        let wire = self.thread.join().unwrap_or_else(|_| Wire::closed());
        let end = self.backlog.lock().end.clone().unwrap_or_else(|| Err(Error::lost()));
        (wire, end)
    }

    /// Ends it, and with it the connection.
    pub fn kill(self) {
        self.backlog.abandon();
        if let Some(socket) = &self.socket {
            socket.shutdown();
        }
    }
}

/// Ends a backlog as lost when it is dropped, if it has no end by then.
struct EndsWith(Arc<Backlog>);

impl Drop for EndsWith {
    fn drop(&mut self) {
        if self.0.lock().end.is_none() {
            self.0.finish(Err(Error::lost()));
        }
    }
}

fn read(wire: &mut Wire, capabilities: u32, backlog: &Backlog) -> Result<End> {
    let mut failed = Ok(());
    loop {
        let skipped = rows::skip(wire.buffered(), capabilities, u64::MAX)?;
        if failed.is_ok() {
            failed = backlog.push(&wire.buffered()[..skipped.rows_bytes], skipped.count);
            if failed.is_err() {
                backlog.abandon();
            }
        }
        wire.consume(skipped.used);
        match skipped.stop {
            Stop::End(end) => return failed.and(end),
            Stop::Full | Stop::Starved => wire.fill()?,
        }
    }
}
