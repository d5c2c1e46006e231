//! The connection of this binary's own commands to the daemon: blocking, one call at a time.

use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use daemon::place::Place;
use protocol::{ClientHello, DaemonHello, Kind, MAX_FRAME_BYTES, PROTOCOL, Parsed, message};
use rustix::net::sockopt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::identity;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a daemon that is ending may be in the way, and how often it is looked at.
const ENDING: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_millis(5);

/// A connection with its hello done.
pub struct Client {
    stream: UnixStream,
    input: Vec<u8>,
    seq: u32,
    /// Who the daemon is.
    pub daemon: DaemonHello,
}

/// Connects; `None` when no daemon listens at `place`.
pub fn connect_socket(place: &Place) -> Result<Option<UnixStream>> {
    match place.check() {
        Err(daemon::place::PlaceError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        checked => checked?,
    }
    let stream = match UnixStream::connect(&place.socket) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot connect to {}", place.socket.display())),
    };
    let (peer, own) = (sockopt::socket_peercred(&stream)?.uid.as_raw(), rustix::process::geteuid().as_raw());
    if peer != own {
        bail!("{} is served by user {peer}, not by you (user {own}); not used", place.socket.display());
    }
    Ok(Some(stream))
}

impl Client {
    /// Connects; `None` when no daemon listens at `place`. A daemon that is just ending is not
    /// believed to be one: after a moment it is gone, or another has taken its place.
    pub fn connect(place: &Place) -> Result<Option<Self>> {
        let until = Instant::now() + ENDING;
        loop {
            let Some(stream) = connect_socket(place)? else { return Ok(None) };
            stream.set_read_timeout(Some(ANSWER))?;
            let mut client = Self { stream, input: Vec::new(), seq: 0, daemon: DaemonHello::default() };
            match client.greet() {
                Ok(()) => return Ok(Some(client)),
                Err(error) if is_ending(&error) && Instant::now() < until => std::thread::sleep(RETRY),
                Err(error) => return Err(error.context(format!("no hello from {}", place.socket.display()))),
            }
        }
    }

    fn greet(&mut self) -> Result<()> {
        let identity = identity();
        let hello = ClientHello {
            protocol: PROTOCOL,
            version: identity.version,
            build: identity.build,
            client: "cpan-bridge".into(),
            pid: std::process::id(),
            uid: rustix::process::geteuid().as_raw(),
            cwd: std::env::current_dir().unwrap_or_default().as_os_str().as_bytes().to_vec().into(),
            script: "cpan-bridge".into(),
            ..ClientHello::default()
        };
        let mut out = Vec::new();
        message::encode_hello(&mut out, &hello)?;
        self.stream.write_all(&out)?;
        let (kind, payload) = self.receive()?;
        match kind {
            Kind::Hello => self.daemon = storable::from_slice(&payload)?,
            Kind::Error => return Err(failure(&payload)?.into()),
            kind => bail!("the daemon's first frame is a {kind:?}"),
        }
        Ok(())
    }

    /// Calls a function.
    pub fn call<T: DeserializeOwned>(&mut self, name: &str, params: &(impl Serialize + ?Sized)) -> Result<T> {
        self.seq += 1;
        let mut out = Vec::new();
        message::encode_call(&mut out, self.seq, name, params)?;
        self.stream.write_all(&out)?;
        loop {
            let (kind, payload) = self.receive()?;
            match kind {
                Kind::Reply => return Ok(storable::from_slice(message::decode_answer(kind, &payload)?.image)?),
                Kind::Error => return Err(failure(&payload)?.into()),
                // A notice.
                Kind::Callback => {}
                kind => bail!("the daemon answers a call with a {kind:?} frame"),
            }
        }
    }

    /// Asks an older daemon to make room, and waits until it has.
    pub fn ask_to_drain(mut self) -> Result<()> {
        let mut out = Vec::new();
        message::encode_goodbye(&mut out, message::GOODBYE_DRAIN, "a newer cpan-bridge takes over")?;
        self.stream.write_all(&out)?;
        // Its goodbye or the end of the connection: both say that the socket is gone.
        let _ = self.receive();
        Ok(())
    }

    fn receive(&mut self) -> Result<(Kind, Vec<u8>)> {
        loop {
            match protocol::parse(&self.input, MAX_FRAME_BYTES)? {
                Parsed::Complete(head) => {
                    let payload = self.input[head.payload.clone()].to_vec();
                    self.input.drain(..head.end());
                    return Ok((head.kind, payload));
                }
                Parsed::Incomplete { .. } => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => {
                let error = io::Error::new(io::ErrorKind::ConnectionAborted, "the daemon closed the connection");
                return Err(error.into());
            }
            Ok(count) => self.input.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                bail!("the daemon does not answer for {ANSWER:?}")
            }
            Err(error) => return Err(error).context("the connection to the daemon broke"),
        }
        Ok(())
    }
}

/// Whether a hello failed because the daemon is ending, or was killed a moment ago.
fn is_ending(error: &anyhow::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let draining = |error: &protocol::Error| error.code == protocol::code::DRAINING;
    let closed = |error: &io::Error| matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
    error.downcast_ref().is_some_and(draining) || error.downcast_ref().is_some_and(closed)
}

fn failure(payload: &[u8]) -> Result<protocol::Error> {
    Ok(storable::from_slice(message::decode_answer(Kind::Error, payload)?.image)?)
}
