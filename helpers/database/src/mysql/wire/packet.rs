//! Packets: a length of three bytes, a number, the payload; long payloads in several.

use std::io;
use std::ops::Range;

use daemon::Patience;

use super::stream::{Socket, Stream};
use crate::mysql::error::{self, CR_NET_PACKET_TOO_LARGE, Error, Result};

/// Length and number.
pub const HEAD_BYTES: usize = 4;
/// A payload of this length goes on in the next packet.
pub const MAX_PART_BYTES: usize = 0xff_ffff;
/// The longest payload that is sent or read, over all its parts: what a server can be made to take at most
/// (`max_allowed_packet`).
pub const MAX_PAYLOAD_BYTES: usize = 1 << 30;
/// The longest packet before a client is let in.
pub const MAX_HANDSHAKE_BYTES: usize = 1 << 20;
/// The buffer of a connection that reads little.
const MIN_BUFFER_BYTES: usize = 16 * 1024;
/// The buffer of a connection that reads much.
const MAX_BUFFER_BYTES: usize = 256 * 1024;

/// The packets of a connection.
#[derive(Debug)]
pub struct Wire {
    stream: Option<Stream>,
    /// What was read; `start..end` of it is still to be used.
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// A payload of several parts, put together.
    large: Vec<u8>,
    /// The number of the next packet to send.
    seq: u8,
    /// What is to be sent.
    out: Vec<u8>,
    /// Where the command that is being written begins in `out`.
    command: usize,
    /// Why nothing more came.
    cause: Option<io::Error>,
    /// The longest payload that is read.
    limit: usize,
    /// How answers are waited for.
    patience: Option<Patience>,
    /// The other side takes nothing more.
    cannot_send: bool,
    /// Nothing was received since the last command was sent.
    is_asking: bool,
}

impl Wire {
    /// Packets over `stream`.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream: Some(stream),
            buf: vec![0; MIN_BUFFER_BYTES],
            start: 0,
            end: 0,
            large: Vec::new(),
            seq: 0,
            out: Vec::new(),
            command: 0,
            cause: None,
            limit: MAX_HANDSHAKE_BYTES,
            patience: None,
            cannot_send: false,
            is_asking: false,
        }
    }

    /// The stream underneath; an error once it was given up.
    pub fn stream(&mut self) -> Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(Error::gone)
    }

    /// Changes the stream underneath: TLS or compression begins.
    pub fn map_stream(&mut self, change: impl FnOnce(Stream) -> Result<Stream>) -> Result<()> {
        if self.start != self.end {
            // Whoever is in between could have put it there, before encryption began.
            return Err(Error::malformed("the server speaks when it has to wait"));
        }
        self.stream = Some(change(self.stream.take().ok_or_else(Error::gone)?)?);
        Ok(())
    }

    /// A wire that leads nowhere.
    pub fn closed() -> Self {
        Self {
            stream: None,
            buf: Vec::new(),
            start: 0,
            end: 0,
            large: Vec::new(),
            seq: 0,
            out: Vec::new(),
            command: 0,
            cause: None,
            limit: MAX_HANDSHAKE_BYTES,
            patience: None,
            cannot_send: false,
            is_asking: false,
        }
    }

    /// Why nothing more came.
    pub fn cause(&self) -> io::Error {
        match &self.cause {
            Some(error) if error::is_timeout(error) => io::ErrorKind::TimedOut.into(),
            Some(error) => {
                error.raw_os_error().map_or_else(|| io::ErrorKind::Other.into(), io::Error::from_raw_os_error)
            }
            None => io::ErrorKind::UnexpectedEof.into(),
        }
    }

    /// The socket underneath.
    pub fn socket(&self) -> Option<&Socket> {
        self.stream.as_ref().map(|stream| stream.channel().socket())
    }

    /// The client was let in: packets may be long from now on.
    pub fn trust(&mut self) {
        self.limit = MAX_PAYLOAD_BYTES;
    }

    /// Answers are waited for by polling from now on, where that is worth it.
    pub fn wait_with(&mut self, patience: Patience) {
        self.patience = Some(patience);
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.stream = None;
        self.start = self.end;
    }

    /// Whether it can be used.
    pub fn is_open(&self) -> bool {
        self.stream.is_some() && !self.cannot_send
    }

    /// Whether there is something to read, or the end, without waiting.
    pub fn is_readable(&self) -> bool {
        self.start != self.end || self.stream.as_ref().is_none_or(Stream::is_readable)
    }

    // Sending.

    /// Begins a command, numbered from 0, behind what is to be sent already.
    pub fn begin_command(&mut self, command: u8) -> &mut Vec<u8> {
        self.seq = 0;
        if let Some(stream) = self.stream.as_mut().filter(|_| self.out.is_empty()) {
            stream.begin_command();
        }
        let out = self.begin_packet();
        out.push(command);
        out
    }

    /// Begins a packet of the conversation that goes on.
    pub fn begin_packet(&mut self) -> &mut Vec<u8> {
        self.command = self.out.len();
        self.out.extend_from_slice(&[0; HEAD_BYTES]);
        &mut self.out
    }

    /// Ends what was begun; it waits to be sent.
    pub fn end_packet(&mut self) -> Result<()> {
        let payload = self.out.len() - self.command - HEAD_BYTES;
        if payload > MAX_PAYLOAD_BYTES {
            self.out.truncate(self.command);
            let text = format!(
                "Packet too large: {payload} bytes; the limit MAX_PAYLOAD_BYTES ({MAX_PAYLOAD_BYTES}) was reached"
            );
            return Err(Error::client(CR_NET_PACKET_TOO_LARGE, text));
        }
        if payload < MAX_PART_BYTES {
            self.put_head(self.command, payload);
            return Ok(());
        }
        // A head goes before each part; a last part that is full is followed by an empty one.
        let whole = self.out.split_off(self.command + HEAD_BYTES);
        self.out.truncate(self.command);
        self.out.reserve(whole.len() + HEAD_BYTES * (whole.len() / MAX_PART_BYTES + 1));
        let mut parts = whole.chunks(MAX_PART_BYTES);
        loop {
            let part = parts.next().unwrap_or_default();
            let at = self.out.len();
            self.out.extend_from_slice(&[0; HEAD_BYTES]);
            self.out.extend_from_slice(part);
            self.put_head(at, part.len());
            if part.len() < MAX_PART_BYTES {
                return Ok(());
            }
        }
    }

    /// What was begun, without its first byte, which is the command.
    pub fn begun(&self) -> &[u8] {
        self.out.get(self.command + HEAD_BYTES + 1..).unwrap_or_default()
    }

    /// Takes back what was begun.
    pub fn abort_packet(&mut self) {
        self.out.truncate(self.command);
    }

    fn put_head(&mut self, at: usize, len: usize) {
        let [a, b, c, ..] = len.to_le_bytes();
        self.out[at..at + HEAD_BYTES].copy_from_slice(&[a, b, c, self.seq]);
        self.seq = self.seq.wrapping_add(1);
    }

    /// Bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Sends what waits.
    pub fn flush(&mut self) -> Result<()> {
        let out = std::mem::take(&mut self.out);
        let sent = match &mut self.stream {
            Some(stream) if !self.cannot_send => stream.send(&out).map_err(|error| {
                tracing::debug!("a command could not be sent: {error}");
                Error::gone()
            }),
            _ => Err(Error::gone()),
        };
        self.out = out;
        self.out.clear();
        self.out.shrink_to(MAX_BUFFER_BYTES);
        self.is_asking = true;
        // What was answered before can still be read.
        self.cannot_send |= sent.is_err();
        sent
    }

    // Receiving.

    /// What was received and not used yet.
    #[inline]
    pub fn buffered(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// The first so many bytes of it were used.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Receives more, at least one byte, behind what was not used yet.
    pub fn fill(&mut self) -> Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.end == self.buf.len() {
            self.buf.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buf.len() {
            let larger = (self.buf.len() * 2).min(self.buf.len() + MAX_PART_BYTES);
            self.buf.resize(larger, 0);
        }
        let stream = self.stream.as_mut().ok_or_else(Error::gone)?;
        let room = self.buf.len() - self.end;
        let mut patience = self.patience.as_mut().filter(|_| std::mem::take(&mut self.is_asking));
        if patience.as_mut().is_some_and(|patience| patience.poll(|| stream.is_readable())) {
            patience = None;
        }
        let received = stream.receive(&mut self.buf[self.end..]);
        if let Some(patience) = patience {
            patience.slept();
        }
        match received {
            Ok(0) => {
                self.close();
                Err(Error::lost())
            }
            Ok(read) => {
                self.end += read;
                if read == room && self.buf.len() < MAX_BUFFER_BYTES {
                    let larger = (self.buf.len() * 4).min(MAX_BUFFER_BYTES);
                    self.buf.resize(larger, 0);
                }
                Ok(())
            }
            Err(error) => {
                self.close();
                tracing::debug!("nothing more from the server: {error}");
                let is_socket = error::is_timeout(&error) || error.raw_os_error().is_some();
                let lost = if is_socket { Error::lost() } else { Error::tls(&error) };
                self.cause = Some(error);
                Err(lost)
            }
        }
    }

    /// Gives back the memory of a large result.
    pub fn shrink(&mut self) {
        if self.start == self.end && self.buf.len() > MAX_BUFFER_BYTES {
            (self.start, self.end) = (0, 0);
            self.buf.truncate(MIN_BUFFER_BYTES);
            self.buf.shrink_to_fit();
        }
        self.large = Vec::new();
    }

    /// The next payload.
    pub fn packet(&mut self) -> Result<&[u8]> {
        let range = loop {
            match whole(self.buffered()) {
                Some(head) if head.is_last => break head.payload,
                Some(_) => return self.long_packet(),
                None if announced(self.buffered()) > self.limit => {
                    self.close();
                    return Err(too_large(self.limit));
                }
                None => self.fill()?,
            }
        };
        let range = self.start + range.start..self.start + range.end;
        self.seq = self.buf[range.start - 1].wrapping_add(1);
        self.start = range.end;
        Ok(&self.buf[range])
    }

    /// A payload in several parts.
    fn long_packet(&mut self) -> Result<&[u8]> {
        self.large.clear();
        loop {
            match whole(self.buffered()) {
                Some(head) => {
                    let range = self.start + head.payload.start..self.start + head.payload.end;
                    if self.large.len() + range.len() > self.limit {
                        self.close();
                        return Err(too_large(self.limit));
                    }
                    self.seq = self.buf[range.start - 1].wrapping_add(1);
                    self.start = range.end;
                    self.large.extend_from_slice(&self.buf[range]);
                    if head.is_last {
                        return Ok(&self.large);
                    }
                }
                None => self.fill()?,
            }
        }
    }
}

fn too_large(limit: usize) -> Error {
    let name = if limit == MAX_PAYLOAD_BYTES { "MAX_PAYLOAD_BYTES" } else { "MAX_HANDSHAKE_BYTES" };
    let text = format!("Got packet bigger than the limit {name} ({limit})");
    Error::fatal(CR_NET_PACKET_TOO_LARGE, text)
}

/// The length that a packet says it has, if it is known already.
fn announced(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |&[a, b, c, _]| u32::from_le_bytes([a, b, c, 0]) as usize)
}

/// A part that is there completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where its payload is.
    pub payload: Range<usize>,
    /// Whether the payload ends with it.
    pub is_last: bool,
}

/// The first part in `bytes`, if it is there completely.
#[inline]
pub fn whole(bytes: &[u8]) -> Option<Part> {
    let &[a, b, c, _] = bytes.first_chunk()?;
    let len = u32::from_le_bytes([a, b, c, 0]) as usize;
    let payload = HEAD_BYTES..HEAD_BYTES + len;
    (payload.end <= bytes.len()).then_some(Part { payload, is_last: len < MAX_PART_BYTES })
}

/// The payload that begins `bytes`, put together in `large` if it is in parts; and how many bytes it takes there. `None`
/// when it is not there completely.
#[inline]
pub fn payload<'b>(bytes: &'b [u8], large: &'b mut Vec<u8>) -> Result<Option<(&'b [u8], usize)>> {
    match whole(bytes) {
        None => Ok(None),
        Some(part) if part.is_last => Ok(Some((&bytes[part.payload.clone()], part.payload.end))),
        Some(_) => join(bytes, large),
    }
}

/// How many bytes the payload that begins `bytes` takes, over all its parts; `None` when it is not there completely.
pub fn extent(bytes: &[u8]) -> Result<Option<usize>> {
    let mut at = 0;
    while let Some(part) = whole(&bytes[at..]) {
        at += part.payload.end;
        if at > MAX_PAYLOAD_BYTES {
            return Err(too_large(MAX_PAYLOAD_BYTES));
        }
        if part.is_last {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

#[cold]
fn join<'b>(bytes: &'b [u8], large: &'b mut Vec<u8>) -> Result<Option<(&'b [u8], usize)>> {
    let Some(len) = extent(bytes)? else { return Ok(None) };
    large.clear();
    large.reserve(len);
    let mut at = 0;
    while let Some(part) = whole(&bytes[at..len]) {
        large.extend_from_slice(&bytes[at + part.payload.start..at + part.payload.end]);
        at += part.payload.end;
    }
    Ok(Some((large, len)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::mysql::wire::stream::Channel;

    fn pair() -> (Wire, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Wire::new(Stream::Direct(Channel::Plain(Socket::Unix(ours)))), theirs)
    }

    #[test]
    fn a_payload_in_parts_is_put_together() {
        for len in [0, 1, 70_000, MAX_PART_BYTES - 1, MAX_PART_BYTES, MAX_PART_BYTES + 5, 2 * MAX_PART_BYTES] {
            let (mut sender, mut receiver) = pair();
            let payload: Vec<u8> = (0..=250).cycle().take(len).collect();
            let reading = std::thread::spawn(move || {
                let (mut wire, mut to) = pair();
                wire.trust();
                let copying = std::thread::spawn(move || std::io::copy(&mut receiver, &mut to).unwrap());
                let packet = wire.packet().unwrap().to_vec();
                drop(wire);
                copying.join().ok();
                packet
            });
            sender.begin_packet().extend_from_slice(&payload);
            sender.end_packet().unwrap();
            sender.flush().unwrap();
            drop(sender);
            assert!(reading.join().unwrap() == payload, "{len}");
        }
    }

    #[test]
    fn what_is_cut_off_is_a_lost_connection() {
        let (mut wire, mut server) = pair();
        server.write_all(&[9, 0, 0, 0, 1, 2]).unwrap();
        drop(server);
        let error = wire.packet().unwrap_err();
        assert_eq!((error.number, error.lost), (2013, true));
        wire.begin_command(3);
        wire.end_packet().unwrap();
        assert_eq!(wire.flush().unwrap_err().number, 2006);
    }

    #[test]
    fn commands_wait_until_they_are_sent() {
        let (mut wire, mut server) = pair();
        for text in [b"one", b"two"] {
            wire.begin_command(3).extend_from_slice(text);
            wire.end_packet().unwrap();
        }
        wire.begin_command(3).extend_from_slice(b"taken back");
        wire.abort_packet();
        wire.flush().unwrap();
        drop(wire);
        let mut sent = Vec::new();
        server.read_to_end(&mut sent).unwrap();
        assert_eq!(sent, b"\x04\0\0\0\x03one\x04\0\0\0\x03two");
    }
}
