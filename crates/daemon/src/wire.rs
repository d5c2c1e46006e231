//! Frames over a socket (or a pair of pipes), blocking.
//!
//! Bytes are received straight into the buffer that the helper then reads its
//! parameters from: a frame is handed out with its buffer, and the buffer comes back
//! with [`Wire::give_back`].

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{FrameError, Kind, Parsed};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, sockopt};

use crate::limits::{KEEP_BUFFER_BYTES, MAX_FRAME_BYTES, SOCKET_BUFFER_BYTES};
use crate::load::Load;
use crate::sentinel::find_cancel;
use crate::spin::Spinner;

/// Room for small requests.
const BUFFER_BYTES: usize = 32 * 1024;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The peer closed the connection, between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The peer closed the connection in mid-frame.
    #[error("the connection was closed in the middle of a frame")]
    CutOff,
    /// Nothing came in time.
    #[error("nothing was received for {0:?}")]
    TimedOut(Duration),
    /// What came is not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A received frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    buffer: Vec<u8>,
    payload: Range<usize>,
}

impl Frame {
    pub(crate) fn payload(&self) -> &[u8] {
        &self.buffer[self.payload.clone()]
    }
}

/// One side of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    input: Arc<OwnedFd>,
    /// Where to write when that is another descriptor (pipes).
    output: Option<OwnedFd>,
    is_socket: bool,
    timeout: Option<Duration>,
    /// Received and not yet handed out, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    spinner: Spinner,
    load: Arc<Load>,
    /// Bytes received so far.
    received: u64,
    /// `received`, and the bytes missing of the last frame, when no cancel was found in the buffer.
    no_cancel: (u64, usize),
    /// When the last answer was ready.
    answered: Option<Instant>,
    /// When the beginning of the last request came.
    arrived: Option<Instant>,
}

impl Wire {
    /// A connected socket.
    pub(crate) fn socket(fd: OwnedFd, load: Arc<Load>) -> Self {
        // What the kernel does not allow it cuts down silently; both are only about speed.
        let _ = sockopt::set_socket_send_buffer_size(&fd, SOCKET_BUFFER_BYTES);
        let _ = sockopt::set_socket_recv_buffer_size(&fd, SOCKET_BUFFER_BYTES);
        Self::new(fd, None, true, load)
    }

    /// A pipe to read from and one to write to.
    pub(crate) fn pipes(input: OwnedFd, output: OwnedFd, load: Arc<Load>) -> Self {
        Self::new(input, Some(output), false, load)
    }

    fn new(input: OwnedFd, output: Option<OwnedFd>, is_socket: bool, load: Arc<Load>) -> Self {
        load.wake();
        Self {
            input: Arc::new(input),
            output,
            is_socket,
            timeout: None,
            buffer: Vec::new(),
            start: 0,
            spinner: Spinner::default(),
            load,
            received: 0,
            no_cancel: (0, 0),
            answered: None,
            arrived: None,
        }
    }

    /// Takes the time at which the request that is being served came; none if it was
    /// buffered before, or that time was taken.
    pub(crate) fn arrived(&mut self) -> Option<Instant> {
        self.arrived.take()
    }

    /// Notes the time at which an answer was ready. Saves looking at the clock again.
    pub(crate) fn answered(&mut self, at: Instant) {
        self.answered = Some(at);
    }

    /// The descriptor the client's requests come from.
    pub(crate) fn peer(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.input)
    }

    /// Gives up waiting for bytes after this time; `None` waits for ever.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.is_socket {
            sockopt::set_socket_timeout(&self.input, sockopt::Timeout::Recv, timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }

    /// What was received and not yet taken.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether the next frame is here already.
    pub(crate) fn has_frame(&self) -> bool {
        let buffered = self.buffered();
        buffered.split_first_chunk::<4>().is_some_and(|(len, rest)| rest.len() >= u32::from_be_bytes(*len) as usize)
    }

    /// Whether a cancel of the call `seq` is buffered, and how many bytes of the last
    /// buffered frame are still in the socket.
    pub(crate) fn look_ahead(&mut self, seq: u32) -> (bool, usize) {
        if self.buffered().is_empty() {
            return (false, 0);
        }
        if self.no_cancel.0 == self.received {
            return (false, self.no_cancel.1);
        }
        let search = find_cancel(self.buffered(), seq);
        if !search.any {
            self.no_cancel = (self.received, search.missing);
        }
        (search.found, search.missing)
    }

    /// Takes everything that was received.
    pub(crate) fn take_buffered(&mut self) -> Vec<u8> {
        let mut taken = std::mem::take(&mut self.buffer);
        taken.drain(..std::mem::take(&mut self.start));
        taken
    }

    /// Receives more into the buffer, whatever it is.
    pub(crate) fn receive_more(&mut self) -> Result<(), WireError> {
        let room = self.buffer.len().max(BUFFER_BYTES);
        self.fill(room)
    }

    /// Waits until at least one byte is buffered, and looks at it.
    pub(crate) fn first_byte(&mut self) -> Result<u8, WireError> {
        loop {
            if let Some(&byte) = self.buffered().first() {
                return Ok(byte);
            }
            self.fill(1)?;
        }
    }

    /// The next frame.
    pub(crate) fn next_frame(&mut self) -> Result<Frame, WireError> {
        loop {
            match protocol::parse(self.buffered(), MAX_FRAME_BYTES)? {
                Parsed::Complete(head) => return Ok(self.take(&head)),
                Parsed::Incomplete { missing } => self.fill(missing)?,
            }
        }
    }

    /// Hands the first frame out. What follows it (rare) must stay here: the smaller part is copied.
    fn take(&mut self, head: &protocol::Head) -> Frame {
        let payload = self.start + head.payload.start..self.start + head.payload.end;
        let rest = self.buffer.len() - payload.end;
        if rest > head.end() {
            let buffer = self.buffer[payload.clone()].to_vec();
            self.start = payload.end;
            return Frame { kind: head.kind, payload: 0..buffer.len(), buffer };
        }
        let next = if rest == 0 { Vec::new() } else { self.buffer[payload.end..].to_vec() };
        self.start = 0;
        Frame { kind: head.kind, buffer: std::mem::replace(&mut self.buffer, next), payload }
    }

    /// Takes a frame's buffer back for the next one.
    pub(crate) fn give_back(&mut self, frame: Frame) {
        if self.buffer.capacity() == 0 && frame.buffer.capacity() <= KEEP_BUFFER_BYTES {
            self.buffer = frame.buffer;
            self.buffer.clear();
        }
    }

    /// Receives at least one byte; `missing` are known to come.
    fn fill(&mut self, missing: usize) -> Result<(), WireError> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let fresh = self.buffer.is_empty();
        let room = missing.max(if fresh { BUFFER_BYTES } else { 1 });
        self.buffer.try_reserve_exact(room).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let received = if fresh { self.receive_first() } else { self.receive_blocking() };
        match received {
            Ok(0) | Err(Errno::CONNRESET) if fresh => Err(WireError::Closed),
            Ok(0) => Err(WireError::CutOff),
            Ok(count) => {
                self.received += count as u64;
                Ok(())
            }
            Err(Errno::AGAIN) => Err(WireError::TimedOut(self.timeout.unwrap_or_default())),
            Err(error) => Err(WireError::Io(error.into())),
        }
    }

    /// Receives the beginning of a request: polls for a while, then sleeps.
    fn receive_first(&mut self) -> Result<usize, Errno> {
        let since = self.answered.take().unwrap_or_else(Instant::now);
        if self.is_socket {
            let (buffer, input) = (&mut self.buffer, &self.input);
            let polled = self.spinner.poll(&self.load, since, || {
                match rustix::net::recv(input, spare_capacity(buffer), RecvFlags::DONTWAIT) {
                    Err(Errno::AGAIN | Errno::INTR) => None,
                    other => Some(other.map(|(count, _)| count)),
                }
            });
            if let Some((received, at)) = polled {
                self.arrived = Some(at);
                return received;
            }
        }
        self.load.sleep();
        let received = self.receive_blocking();
        self.load.wake();
        let now = Instant::now();
        self.arrived = Some(now);
        self.spinner.slept(now - since);
        received
    }

    fn receive_blocking(&mut self) -> Result<usize, Errno> {
        loop {
            let received = if self.is_socket {
                rustix::net::recv(&self.input, spare_capacity(&mut self.buffer), RecvFlags::empty())
                    .map(|(count, _)| count)
            } else {
                rustix::io::read(&self.input, spare_capacity(&mut self.buffer))
            };
            if received != Err(Errno::INTR) {
                return received;
            }
        }
    }

    /// Writes all of `bytes`.
    pub(crate) fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match &self.output {
                None => rustix::net::send(&self.input, bytes, SendFlags::NOSIGNAL),
                Some(output) => rustix::io::write(output, bytes),
            };
            match written {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends the connection for the peer, whoever else still holds the descriptor.
    fn close(&self) {
        if self.is_socket {
            let _ = rustix::net::shutdown(&self.input, rustix::net::Shutdown::Both);
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.load.sleep();
        self.close();
    }
}
