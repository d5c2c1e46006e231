//! Where to connect to, and connecting.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::CancelSlot;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use super::error::{CR_CONNECTION_ERROR, CR_SERVER_LOST, CR_UNKNOWN_HOST, Error, Result, is_timeout};
use super::link::Link;
use super::wire::constants::capability;
use super::wire::{Channel, Greeting, Login, Socket, Stream, Wire};

/// How long a second connection, made to end a query of the first, may take for each step.
const KILL_SECONDS: u64 = 5;
/// How often a connect that takes long looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(100);
/// The step of the handshake that is named in errors.
const GREETING_STEP: &str = "handshake: reading initial communication packet";
const AUTH_STEP: &str = "reading authorization packet";

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// Host and port.
    Tcp(String, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

/// Everything needed to connect.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where.
    pub address: Address,
    /// As whom.
    pub login: Login,
    /// The character set.
    pub charset: Option<String>,
    /// SQL that sets it.
    pub names: Option<String>,
    /// How long each step of connecting may take.
    pub connect_timeout: Option<Duration>,
    /// How long an answer may take.
    pub read_timeout: Option<Duration>,
    /// How long sending may take.
    pub write_timeout: Option<Duration>,
    /// SQL to begin with.
    pub init_commands: Vec<Vec<u8>>,
}

impl Target {
    /// A connection that is ready for commands. Its `init_commands` have not been run.
    ///
    /// A cancelled call ends it.
    pub fn connect(&self, slot: Option<&Arc<CancelSlot>>) -> Result<Link> {
        let socket = self.socket(slot)?;
        let _guard = match (slot, socket.try_clone()) {
            (Some(slot), Ok(socket)) => Some(slot.guard(Box::new(move || socket.shutdown()))),
            _ => None,
        };
        socket.set_timeouts(self.connect_timeout, self.connect_timeout).map_err(|error| self.unreachable(&error))?;
        let mut wire = Wire::new(Stream::Direct(Channel::Plain(socket)));
        let greeting = Greeting::read(&mut wire).map_err(|error| at_step(GREETING_STEP, error, &wire))?;
        let host = match &self.address {
            Address::Tcp(host, _) => host.as_str(),
            Address::Unix(_) => "localhost",
        };
        let session =
            self.login.perform(&mut wire, &greeting, host).map_err(|error| at_step(AUTH_STEP, error, &wire))?;
        let timeouts = wire.stream()?.channel().socket().set_timeouts(self.read_timeout, self.write_timeout);
        timeouts.map_err(|error| self.unreachable(&error))?;
        let mut link = Link::new(wire, greeting, &session, self.login.database.clone());
        if let (None, Some(sql)) = (self.login.collation, &self.names) {
            link.simple_query(sql.as_bytes())?;
        }
        Ok(link)
    }

    /// Ends the running query of the connection `thread_id`.
    pub fn kill_query(&self, thread_id: u32) -> Result<()> {
        let patience = Some(Duration::from_secs(KILL_SECONDS));
        let mut quick = self.clone();
        (quick.connect_timeout, quick.read_timeout, quick.write_timeout) = (patience, patience, patience);
        quick.login.database = None;
        quick.login.capabilities &= !capability::COMPRESS;
        quick.names = None;
        quick.connect(None)?.simple_query(format!("KILL QUERY {thread_id}").as_bytes())
    }

    fn socket(&self, slot: Option<&Arc<CancelSlot>>) -> Result<Socket> {
        match &self.address {
            Address::Unix(path) => {
                UnixStream::connect(path).map(Socket::Unix).map_err(|error| self.unreachable(&error))
            }
            Address::Tcp(host, port) => {
                let addresses = (host.as_str(), *port).to_socket_addrs().map_err(|error| unknown_host(host, &error))?;
                let mut last = io::Error::from_raw_os_error(Errno::ADDRNOTAVAIL.raw_os_error());
                for address in addresses {
                    match self.tcp(&address, slot) {
                        Ok(socket) => return Ok(Socket::Tcp(socket)),
                        Err(error) => last = error,
                    }
                }
                Err(self.unreachable(&last))
            }
        }
    }

    fn tcp(&self, address: &SocketAddr, slot: Option<&Arc<CancelSlot>>) -> io::Result<TcpStream> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
        match net::connect(&socket, address) {
            Ok(()) => {}
            Err(Errno::INPROGRESS) => self.await_connection(&socket, slot)?,
            Err(error) => return Err(error.into()),
        }
        rustix::io::ioctl_fionbio(&socket, false)?;
        net::sockopt::set_socket_keepalive(&socket, true)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Waits until a connection is made, the patience is over, or nobody waits for it any more.
    fn await_connection(&self, socket: &OwnedFd, slot: Option<&Arc<CancelSlot>>) -> io::Result<()> {
        let deadline = self.connect_timeout.map(|patience| Instant::now() + patience);
        loop {
            let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()).min(LOOK));
            if left.is_zero() || slot.is_some_and(|slot| slot.is_cancelled()) {
                return Err(Errno::TIMEDOUT.into());
            }
            let wait = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&wait)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(net::sockopt::socket_error(socket)??),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn unreachable(&self, error: &io::Error) -> Error {
        if is_timeout(error) {
            return Error::lost_at(GREETING_STEP, error);
        }
        let number = error.raw_os_error().unwrap_or(0);
        let text = match &self.address {
            Address::Unix(path) => {
                format!("Can't connect to local server through socket '{}' ({number})", path.display())
            }
            Address::Tcp(host, _) => format!("Can't connect to server on '{host}' ({number})"),
        };
        Error::fatal(CR_CONNECTION_ERROR, text)
    }

    /// How the connection is made, in words.
    pub fn host_info(&self) -> String {
        match &self.address {
            Address::Tcp(host, _) => format!("{host} via TCP/IP"),
            Address::Unix(_) => "Localhost via UNIX socket".to_owned(),
        }
    }
}

fn at_step(step: &str, error: Error, wire: &Wire) -> Error {
    if error.number == CR_SERVER_LOST { Error::lost_at(step, &wire.cause()) } else { Error { lost: true, ..error } }
}

fn unknown_host(host: &str, error: &io::Error) -> Error {
    // The numbers of getaddrinfo: try again, no such name.
    let number = if error.to_string().contains("Temporary failure") { -3 } else { -2 };
    Error::fatal(CR_UNKNOWN_HOST, format!("Unknown server host '{host}' ({number})"))
}
