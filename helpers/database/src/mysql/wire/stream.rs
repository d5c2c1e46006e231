//! The byte stream to a server: a socket, with TLS or compression or both on it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::{ClientConnection, StreamOwned};

use super::compress::Compressed;

/// A socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// Unix.
    Unix(UnixStream),
}

impl Socket {
    /// How long reads and writes may wait.
    pub fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => {
                socket.set_read_timeout(read)?;
                socket.set_write_timeout(write)
            }
            Self::Unix(socket) => {
                socket.set_read_timeout(read)?;
                socket.set_write_timeout(write)
            }
        }
    }

    /// Another descriptor of the same socket.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(socket) => Self::Tcp(socket.try_clone()?),
            Self::Unix(socket) => Self::Unix(socket.try_clone()?),
        })
    }

    /// Ends both directions, for every descriptor of it.
    pub fn shutdown(&self) {
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buf),
            Self::Unix(socket) => socket.read(buf),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(buf),
            Self::Unix(socket) => socket.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket, perhaps encrypted.
#[derive(Debug)]
pub enum Channel {
    /// As it is.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Channel {
    /// The socket underneath.
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Channel {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// A channel, perhaps compressed.
#[derive(Debug)]
pub enum Stream {
    /// As it is.
    Direct(Channel),
    /// Compressed.
    Compressed(Box<Compressed>),
}

impl Stream {
    /// The channel underneath.
    pub fn channel(&self) -> &Channel {
        match self {
            Self::Direct(channel) => channel,
            Self::Compressed(compressed) => compressed.channel(),
        }
    }

    /// Whether nobody on the way can read along.
    pub fn is_private(&self) -> bool {
        matches!(self.channel(), Channel::Tls(_) | Channel::Plain(Socket::Unix(_)))
    }

    /// The name of the cipher.
    pub fn cipher(&self) -> Option<String> {
        match self.channel() {
            Channel::Tls(tls) => {
                tls.conn.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_"))
            }
            Channel::Plain(_) => None,
        }
    }

    /// Whether something can be read at once, or the other side is gone: without waiting.
    pub fn is_readable(&self) -> bool {
        if let Self::Compressed(compressed) = self
            && compressed.has_data()
        {
            return true;
        }
        let mut fds = [PollFd::new(self.channel().socket(), PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// A command is about to be written: compression numbers its packets anew.
    pub fn begin_command(&mut self) {
        if let Self::Compressed(compressed) = self {
            compressed.begin_command();
        }
    }

    /// Writes it all.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Direct(channel) => {
                channel.write_all(bytes)?;
                channel.flush()
            }
            Self::Compressed(compressed) => compressed.send(bytes),
        }
    }

    /// Reads what is there, waiting for the first byte; 0 at the end.
    pub fn receive(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Self::Direct(channel) => channel.read(buf),
                Self::Compressed(compressed) => compressed.read(buf),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A TLS peer that closes without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
        }
    }
}
