//! A connection: messages out and in; what the server says on the side is put aside.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::CancelSlot;

use super::notice::Notice;
use super::out::Out;
use crate::postgres::limits::{
    BUFFER_BYTES, CANCEL_PATIENCE, MAX_MESSAGE_BYTES, MAX_NOTICES, MAX_NOTIFICATIONS, MAX_PARAMETERS,
};
use crate::postgres::pq::Transport;

/// While waiting for the server, how often is looked whether the client still wants an answer.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Bytes of a message's kind and length.
const HEAD_BYTES: usize = 5;
/// The server fills its records up to twice as much while it has more to say.
const SHORT_BYTES: usize = 4096;
/// Room for reading, at least.
const ROOM_BYTES: usize = 16 * 1024;

/// Whether a transaction is open; the numbers are libpq's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transaction {
    /// None.
    #[default]
    Idle = 0,
    /// One is open.
    Open = 2,
    /// One has failed, and can only be rolled back.
    Failed = 3,
    /// There is no connection any more.
    Unknown = 4,
}

/// Why a connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It ended; what can be said about that.
    #[error("{0}")]
    Lost(String),
    /// It had ended before.
    #[error("no connection to the server\n")]
    Gone,
    /// The call was cancelled, and the server did not react.
    #[error("the call was cancelled, and the server did not answer in time")]
    Cancelled,
}

/// A message: its kind, and where its body is until more is read.
#[derive(Debug, Clone)]
pub struct Message {
    /// The protocol's letter.
    pub kind: u8,
    body: Range<usize>,
}

/// A message of NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The channel.
    pub name: String,
    /// The server's process that sent it.
    pub pid: i32,
    /// What it sent.
    pub payload: String,
}

/// A connection.
pub struct Link {
    transport: Transport,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// What is to be sent; [`Link::receive`] sends it.
    pub out: Out,
    /// Whether a transaction is open, as last heard.
    pub transaction: Transaction,
    /// What the server reported about its settings.
    pub parameters: BTreeMap<String, String>,
    /// Those that changed and were not told yet.
    pub changed: Vec<String>,
    /// Notices that were not told yet.
    pub notices: VecDeque<Notice>,
    /// Notifications that were not asked for yet.
    pub notifications: VecDeque<Notification>,
    /// The call that is running, to see whether it still is wanted.
    slot: Option<Arc<CancelSlot>>,
    /// Since when it is known that it is not.
    cancelled: Option<Instant>,
    /// When the server is not waited for any more.
    pub give_up: Option<Instant>,
    fatal: Option<Notice>,
    /// Something was sent, and nothing read since.
    has_asked: bool,
    is_lost: bool,
}

const CLOSED: &str = "server closed the connection unexpectedly\n\tThis probably means the server terminated \
                      abnormally\n\tbefore or while processing the request.\n";

impl Link {
    /// Over an open connection.
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            out: Out::default(),
            transaction: Transaction::Idle,
            parameters: BTreeMap::new(),
            changed: Vec::new(),
            notices: VecDeque::new(),
            notifications: VecDeque::new(),
            slot: None,
            cancelled: None,
            give_up: None,
            fatal: None,
            has_asked: false,
            is_lost: false,
        }
    }

    /// The connection's bytes.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whether it can be used, as far as that is known without asking the server.
    pub fn is_alive(&mut self) -> bool {
        const LOOKS: usize = 8;
        for _ in 0..LOOKS {
            match self.read_now() {
                _ if self.is_lost => return false,
                // A change of the server's configuration may have been told; anything else is its farewell.
                Ok(true) if matches!(self.peek_here(), Ok(None)) && self.start == self.end && self.fatal.is_none() => {}
                Ok(false) => return self.start == self.end && self.fatal.is_none(),
                _ => return false,
            }
        }
        false
    }

    /// Whether it has ended.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Which call it works for, if any.
    pub fn attend(&mut self, slot: Option<Arc<CancelSlot>>) {
        self.slot = slot;
        self.cancelled = None;
    }

    /// A message's body.
    pub fn body(&self, message: &Message) -> &[u8] {
        &self.buffer[message.body.clone()]
    }

    /// What has come and was not taken yet.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes so many bytes of what is pending.
    pub fn take(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end);
    }

    /// The next message that is not about something on the side. Sends first what is to be sent.
    pub fn receive(&mut self) -> Result<Message, LinkError> {
        let (_, len) = self.peek()?;
        Ok(self.take_message(len))
    }

    /// Kind and whole length of the next message, waiting for it. Sends first what is to be sent.
    pub fn peek(&mut self) -> Result<(u8, usize), LinkError> {
        self.flush()?;
        loop {
            if let Some(found) = self.peek_here()? {
                return Ok(found);
            }
            self.read_more(None)?;
        }
    }

    /// Kind and whole length of the next message, if all of it is here already. What is about something on the side is
    /// put there.
    pub fn peek_here(&mut self) -> Result<Option<(u8, usize)>, LinkError> {
        loop {
            let Some((kind, len)) = self.head(0)? else { return Ok(None) };
            if self.end - self.start < len {
                return Ok(None);
            }
            let body = self.start + HEAD_BYTES..self.start + len;
            if Self::is_aside(kind) {
                self.put_aside(kind, body);
            } else if kind == b'E' && is_fatal(&self.buffer[body.clone()]) {
                self.fatal = Some(Notice::parse(&self.buffer[body])); // the end of the connection follows
            } else {
                return Ok(Some((kind, len)));
            }
            self.start += len;
        }
    }

    /// Takes the message that was peeked at.
    pub fn take_message(&mut self, len: usize) -> Message {
        let message = Message { kind: self.buffer[self.start], body: self.start + HEAD_BYTES..self.start + len };
        self.start += len;
        if message.kind == b'Z' {
            self.transaction = Self::transaction_of(self.buffer.get(message.body.start).copied());
        }
        message
    }

    /// The state that `ReadyForQuery` tells.
    pub fn transaction_of(letter: Option<u8>) -> Transaction {
        match letter {
            Some(b'I') => Transaction::Idle,
            Some(b'T') => Transaction::Open,
            _ => Transaction::Failed,
        }
    }

    /// Kind and whole length of the message at `offset` of what is pending, once its head is here.
    pub fn head(&mut self, offset: usize) -> Result<Option<(u8, usize)>, LinkError> {
        let head = self.buffer[..self.end].get(self.start + offset..);
        let Some(&[kind, a, b, c, d]) = head.and_then(|head| head.first_chunk()) else { return Ok(None) };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if len < 4 || !kind.is_ascii_alphanumeric() {
            return Err(
                self.lost("lost synchronization with server: got a message of a kind and length that do not exist\n")
            );
        }
        if len > MAX_MESSAGE_BYTES {
            let text = format!(
                "a message of the server has {len} bytes: the limit MAX_MESSAGE_BYTES ({MAX_MESSAGE_BYTES}) was reached\n"
            );
            return Err(self.lost(&text));
        }
        Ok(Some((kind, len + 1)))
    }

    /// Whether a kind of message is about something on the side.
    pub fn is_aside(kind: u8) -> bool {
        matches!(kind, b'N' | b'S' | b'A')
    }

    fn put_aside(&mut self, kind: u8, body: Range<usize>) {
        let body = &self.buffer[body];
        match kind {
            b'N' => {
                self.notices.push_back(Notice::parse(body));
                if self.notices.len() > MAX_NOTICES {
                    self.notices.pop_front();
                }
            }
            b'S' => {
                let mut strings = body.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
                if let (Some(name), Some(value)) = (strings.next(), strings.next())
                    && (self.parameters.len() < MAX_PARAMETERS || self.parameters.contains_key(&name))
                {
                    if !self.changed.contains(&name) {
                        self.changed.push(name.clone());
                    }
                    self.parameters.insert(name, value);
                }
            }
            _ => {
                let Some((pid, rest)) = body.split_first_chunk::<4>() else { return };
                let mut strings = rest.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
                self.notifications.push_back(Notification {
                    name: strings.next().unwrap_or_default(),
                    pid: i32::from_be_bytes(*pid),
                    payload: strings.next().unwrap_or_default(),
                });
                if self.notifications.len() > MAX_NOTIFICATIONS {
                    self.notifications.pop_front();
                }
            }
        }
    }

    /// Sends what is to be sent. Reads meanwhile, as the server may wait for that.
    pub fn flush(&mut self) -> Result<(), LinkError> {
        while !self.out.is_empty() {
            if !self.send_some()? {
                self.wait_until(true)?;
            }
        }
        Ok(())
    }

    /// Sends what can be sent without waiting; whether that was anything.
    pub fn send_some(&mut self) -> Result<bool, LinkError> {
        if self.is_lost {
            return Err(LinkError::Gone);
        }
        match self.transport.write(self.out.pending()) {
            Ok(sent) if sent > 0 => {
                self.out.advance(sent);
                self.has_asked = self.start == self.end;
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            result => {
                // The server may have said why before it closed the connection.
                while self.read_now().is_ok_and(|more| more) {}
                _ = self.peek_here();
                Err(self.broken(result.map(drop), "could not send data to server"))
            }
        }
    }

    /// Reads at least something more, waiting for it; false when `patience` ran out first.
    pub fn read_more(&mut self, patience: Option<Duration>) -> Result<bool, LinkError> {
        if self.is_lost {
            return Err(LinkError::Gone);
        }
        let deadline = patience.map(|patience| Instant::now() + patience);
        loop {
            // Also while there is something to read: a server that never stops is left, too.
            self.look_after_cancel()?;
            // Right after a request there is nothing yet, and asking costs a system call. (TLS may have something in store.)
            let may_have_some = !std::mem::take(&mut self.has_asked) || self.transport.is_tls();
            if may_have_some && self.read_now()? {
                return Ok(true);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(false);
            }
            self.wait_once(false, left)?;
        }
    }

    /// Waits until something can be sent; what comes meanwhile is read.
    fn wait_until(&mut self, write: bool) -> Result<(), LinkError> {
        loop {
            let ready = self.wait_once(write, None)?;
            if ready.1 {
                self.read_now()?;
            }
            if ready.0 {
                return Ok(());
            }
            self.look_after_cancel()?;
        }
    }

    /// Whether it is ready to (write, read).
    fn wait_once(&mut self, write: bool, patience: Option<Duration>) -> Result<(bool, bool), LinkError> {
        let patience = patience.map_or(LOOK_AGAIN, |patience| patience.min(LOOK_AGAIN));
        match self.transport.wait(true, write, Some(patience)) {
            Ok(ready) => Ok((ready.write, ready.read)),
            Err(error) => Err(self.broken(Err(error), "could not wait for the server")),
        }
    }

    /// A call that is cancelled waits for the server to end what it does, but not for ever.
    fn look_after_cancel(&mut self) -> Result<(), LinkError> {
        if self.give_up.is_some_and(|until| Instant::now() >= until) {
            self.cut();
            return Err(LinkError::Cancelled);
        }
        if self.slot.as_ref().is_none_or(|slot| !slot.is_cancelled()) {
            self.cancelled = None;
            return Ok(());
        }
        if self.cancelled.get_or_insert_with(Instant::now).elapsed() < CANCEL_PATIENCE {
            return Ok(());
        }
        self.cut();
        Err(LinkError::Cancelled)
    }

    /// Reads what is there, without waiting; whether that was anything.
    pub fn read_now(&mut self) -> Result<bool, LinkError> {
        self.make_room();
        let mut any = false;
        while self.end < self.buffer.len() {
            match self.transport.read(&mut self.buffer[self.end..]) {
                Ok(0) => return if any { Ok(true) } else { Err(self.broken(Ok(()), "")) },
                Ok(read) => {
                    self.end += read;
                    any = true;
                    // TLS gives one record at a time; a short one is the last for now. What follows it is found the next time.
                    if !self.transport.is_tls() || read < SHORT_BYTES {
                        break;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => break,
                Err(_) if any => break,
                Err(error) => return Err(self.broken(Err(error), "could not receive data from server")),
            }
        }
        Ok(any)
    }

    /// Makes room behind what is pending.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > BUFFER_BYTES {
                self.buffer.truncate(BUFFER_BYTES);
                self.buffer.shrink_to_fit();
            }
        }
        if self.buffer.len() - self.end >= ROOM_BYTES {
            return;
        }
        if self.start > self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < ROOM_BYTES {
            self.buffer.resize((self.buffer.len() * 2).max(BUFFER_BYTES), 0);
        }
    }

    /// The connection is of no use any more.
    fn broken(&mut self, result: io::Result<()>, doing: &str) -> LinkError {
        let mut text =
            self.fatal.take().map(|fatal| fatal.words(super::Level::Default, None, true)).unwrap_or_default();
        match result {
            Err(error) if !matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe) => {
                _ = writeln!(text, "{doing}: {}", plain(&error));
            }
            _ => text.push_str(CLOSED),
        }
        self.lost(&text)
    }

    fn lost(&mut self, text: &str) -> LinkError {
        self.cut();
        LinkError::Lost(text.to_owned())
    }

    /// Gives the connection up.
    pub fn cut(&mut self) {
        if !self.is_lost {
            self.is_lost = true;
            self.transaction = Transaction::Unknown;
            self.transport.cut();
        }
    }

    /// What there is to say when it is used though it is lost.
    pub fn check(&self) -> Result<(), LinkError> {
        if self.is_lost { Err(LinkError::Gone) } else { Ok(()) }
    }
}

fn is_fatal(body: &[u8]) -> bool {
    Notice::parse(body).is_fatal()
}

/// An error of the system without Rust's number behind it.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
