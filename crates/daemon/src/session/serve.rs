//! Reading a client's frames and answering them.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use protocol::{ClientHello, DaemonHello, Error, FIRST_JSON_BYTE, Kind, PROTOCOL, code, message};
use rustix::io::Errno;

use super::Session;
use crate::client::Client;
use crate::control::Phase;
use crate::json;
use crate::limits::{HELLO_SECONDS, KEEP_BUFFER_BYTES, MAX_FRAME_BYTES};
use crate::server::Server;
use crate::shared::bump;
use crate::sys::peer_of;
use crate::wire::{Frame, Wire, WireError};

/// How long a handover waits until the socket is withdrawn.
const WITHDRAW: Duration = Duration::from_secs(3);

/// Serves an accepted connection from its first byte to its end.
pub(crate) fn serve_connection(server: &Arc<Server>, socket: OwnedFd, uid: u32, refused: Option<&Error>) {
    let wire = Wire::socket(socket, Arc::clone(&server.load));
    serve_wire(server, wire, uid, refused);
}

/// Serves a connection of any kind.
pub(crate) fn serve_wire(server: &Arc<Server>, mut wire: Wire, uid: u32, refused: Option<&Error>) {
    let bounded = wire.set_timeout(Some(Duration::from_secs(HELLO_SECONDS))).map_err(WireError::from);
    let first = bounded.and_then(|()| wire.first_byte());
    match (first, refused) {
        (Ok(FIRST_JSON_BYTE), Some(error)) => json::refuse(&wire, error),
        (Ok(FIRST_JSON_BYTE), None) => json::serve(server, wire, uid),
        (Ok(_), Some(error)) => complain(&wire, error),
        (Ok(_), None) => serve_frames(server, wire, uid),
        (Err(WireError::TimedOut(_)), _) => complain(&wire, &no_hello()),
        (Err(error), _) => tracing::debug!("a connection ended before its first byte: {error}"),
    }
}

fn no_hello() -> Error {
    Error::new(code::BAD_FRAME, format!("no hello was received within HELLO_SECONDS ({HELLO_SECONDS})"))
}

/// Sends an error about the connection.
fn complain(wire: &Wire, error: &Error) {
    tracing::info!(code = %error.code, "connection refused: {error}");
    let mut out = Vec::new();
    if message::encode_error(&mut out, 0, error).is_ok() {
        let _ = wire.write(&out);
    }
}

fn serve_frames(server: &Arc<Server>, mut wire: Wire, uid: u32) {
    let hello = match read_hello(&mut wire) {
        Ok(hello) => hello,
        Err(error) => return complain(&wire, &error),
    };
    let mut session = Session::new(Arc::clone(server), Client::new(hello, uid), Some(wire));
    let client = session.client();
    tracing::debug!(
        session = session.id(),
        pid = client.pid,
        client = client.kind,
        script = client.script,
        "session begins"
    );
    if let Err(error) = session.greet() {
        tracing::debug!(session = session.id(), "session ends in its hello: {error}");
        return;
    }
    if !session.watch_client() {
        tracing::debug!(session = session.id(), "session ends: the client's process has ended already");
        return;
    }
    match session.serve() {
        Ok(()) => {}
        Err(WireError::Frame(error)) => session.complain(&error.into()),
        Err(error) => tracing::debug!(session = session.id(), "session is cut off: {error}"),
    }
    tracing::debug!(session = session.id(), calls = session.shared.calls.load(Relaxed), "session ends");
}

fn read_hello(wire: &mut Wire) -> Result<ClientHello, Error> {
    let frame = match wire.next_frame() {
        Ok(frame) => frame,
        Err(WireError::TimedOut(_)) => return Err(no_hello()),
        Err(WireError::Frame(error)) => return Err(error.into()),
        Err(error) => return Err(Error::new(code::IO, error)),
    };
    if frame.kind != Kind::Hello {
        let text = format!("the first frame must be a hello, not {:?}", frame.kind);
        return Err(Error::new(code::BAD_FRAME, text));
    }
    let hello: ClientHello = storable::from_slice(frame.payload())
        .map_err(|error| Error::new(code::BAD_FRAME, format!("bad hello: {error}")))?;
    wire.give_back(frame);
    if hello.protocol != PROTOCOL {
        let text = format!("this daemon speaks protocol {PROTOCOL}, not {}", hello.protocol);
        return Err(Error::new(code::VERSION, text));
    }
    Ok(hello)
}

/// Whether a session goes on after a frame.
enum Next {
    Frame,
    End,
}

impl Session {
    fn greet(&mut self) -> Result<(), WireError> {
        let hello = DaemonHello {
            protocol: PROTOCOL,
            version: self.server.identity.version.clone(),
            build: self.server.identity.build,
            pid: std::process::id(),
            session: self.id(),
            max_frame_bytes: MAX_FRAME_BYTES as u64,
        };
        let mut out = Vec::new();
        message::encode_hello(&mut out, &hello).map_err(std::io::Error::other)?;
        if let Some(wire) = &mut self.wire {
            wire.set_timeout(None)?;
            wire.write(&out)?;
        }
        Ok(())
    }

    /// Has the session end with the process that made the connection. False: that has
    /// ended already. Where the system does not say which process it is, its socket has to do.
    fn watch_client(&mut self) -> bool {
        let Some(pid) = self.wire.as_ref().and_then(|wire| peer_of(wire).ok()?.pid) else { return true };
        match self.server.sentinel.watch_process(pid, self.id()) {
            Ok(watched) => self.watched = Some(watched),
            Err(Errno::SRCH) => return false,
            Err(error) => tracing::debug!(session = self.id(), "cannot watch process {pid}: {error}"),
        }
        true
    }

    fn serve(&mut self) -> Result<(), WireError> {
        loop {
            let frame = match self.wire_mut()?.next_frame() {
                Ok(frame) => frame,
                Err(WireError::Closed) => {
                    self.say_goodbye();
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if matches!(self.serve_frame(frame)?, Next::End) || self.shared.vanished.load(Relaxed) {
                return Ok(());
            }
        }
    }

    fn serve_frame(&mut self, frame: Frame) -> Result<Next, WireError> {
        match frame.kind {
            Kind::Call => self.serve_call(frame)?,
            Kind::Goodbye => {
                let reason = message::decode_goodbye(frame.payload())?.0;
                self.client_leaves(reason);
                return Ok(Next::End);
            }
            // The call is over already, or its function did not wait for the callback's end.
            Kind::Cancel | Kind::CallbackReply => self.wire_mut()?.give_back(frame),
            kind => {
                let text = format!("a client does not send {kind:?} frames here");
                self.complain(&Error::new(code::BAD_FRAME, text));
                return Ok(Next::End);
            }
        }
        Ok(Next::Frame)
    }

    /// Runs the call in `frame` and sends its answer.
    pub(super) fn serve_call(&mut self, frame: Frame) -> Result<(), WireError> {
        let call = message::decode_call(frame.payload())?;
        let seq = call.seq;
        bump(&self.shared.received_bytes, frame.payload().len() as u64);
        let out = std::mem::take(&mut self.out);
        let (mut out, result) = if self.look_ahead(seq) {
            (out, Err(Error::cancelled()))
        } else {
            self.run(seq, call.name, call.params, out)
        };
        if let Err(error) = result {
            out.clear();
            message::encode_error(&mut out, seq, &error).map_err(std::io::Error::other)?;
        }
        let wire = self.wire_mut()?;
        wire.give_back(frame);
        if seq != 0 {
            wire.write(&out)?;
            bump(&self.shared.sent_bytes, out.len() as u64);
        }
        if out.capacity() <= KEEP_BUFFER_BYTES {
            self.out = out;
        }
        Ok(())
    }

    /// Sends a part of an answer that is longer than one frame.
    pub(crate) fn send_part(&self, frame: &[u8]) -> Result<(), Error> {
        let wire = self.wire.as_ref().ok_or_else(|| Error::internal("only frame clients get an answer in parts"))?;
        bump(&self.shared.sent_bytes, frame.len() as u64);
        Ok(wire.write(frame)?)
    }

    pub(super) fn wire_mut(&mut self) -> Result<&mut Wire, WireError> {
        self.wire.as_mut().ok_or(WireError::Closed)
    }

    fn complain(&self, error: &Error) {
        if let Some(wire) = &self.wire {
            complain(wire, error);
        }
    }

    /// The client says goodbye: because it is done, or because it is newer than this daemon.
    fn client_leaves(&mut self, reason: u8) {
        if reason == message::GOODBYE_DRAIN {
            tracing::info!(session = self.id(), "a newer client asks this daemon to make room");
            self.server.control.ask(Phase::HandingOver);
            let until = Instant::now() + WITHDRAW;
            while !self.server.control.is_withdrawn() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.say_goodbye();
        }
    }

    /// Tells the client, if it still listens, that nothing more comes.
    fn say_goodbye(&self) {
        let phase = self.server.control.phase();
        if let Some(wire) = &self.wire
            && phase != Phase::Serving
        {
            let mut out = Vec::new();
            let text = if phase == Phase::Stopping { "the daemon ends" } else { "a newer daemon takes over" };
            if message::encode_goodbye(&mut out, message::GOODBYE_DONE, text).is_ok() {
                let _ = wire.write(&out);
            }
        }
    }
}
