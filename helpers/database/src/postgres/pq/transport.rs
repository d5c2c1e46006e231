//! The bytes of a connection that libpq has opened: read and written without blocking, in the clear or through TLS.

use std::ffi::{CString, c_int, c_long, c_void};
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use openssl_sys as ssl;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{RecvFlags, SendFlags};

use super::cancel::Canceller;
use super::library::{Library, OPENSSL, Tls};

/// How much OpenSSL may read from the socket at once.
const TLS_READ_BYTES: usize = 64 * 1024;
/// What sets modes of a connection.
const SSL_CTRL_MODE: c_int = 33;

/// What a connection can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Something can be read, or the end of it was reached.
    pub read: bool,
    /// Something can be written.
    pub write: bool,
}

/// What libpq knows of a connection.
#[derive(Debug, Clone)]
pub struct Facts {
    /// As in 150013.
    pub server_version: i32,
    /// The server's process.
    pub pid: i32,
    /// Database.
    pub db: String,
    /// User.
    pub user: String,
    /// Host, or directory of the socket.
    pub host: String,
    /// Port.
    pub port: String,
    /// The `options` parameter.
    pub options: String,
    /// Whether it goes through TLS.
    pub tls: bool,
    /// The socket's number.
    pub socket: i32,
}

/// An open connection.
#[derive(Debug)]
pub struct Transport {
    library: &'static Library,
    raw: *mut pq_sys::PGconn,
    /// Its TLS, and the functions for that.
    ssl: Option<(*mut ssl::SSL, &'static Tls)>,
    fd: c_int,
    /// TLS wants the socket to be writable before it can read on.
    read_wants_write: bool,
    canceller: Arc<Canceller>,
}

// SAFETY: libpq and OpenSSL let a connection be used by any thread, one at a time, which `&mut` sees to.
unsafe impl Send for Transport {}

impl Transport {
    /// Takes over a connection; one that cannot be used is closed.
    ///
    /// # Safety
    /// `raw` is an open connection of `library` that nobody else has.
    pub(super) unsafe fn new(library: &'static Library, raw: *mut pq_sys::PGconn) -> Result<Self, String> {
        // SAFETY: the caller's promise; OpenSSL's object is that of the connection, and its functions are those of the
        // OpenSSL that the connection's libpq uses.
        unsafe {
            let object: *mut ssl::SSL = (library.pq.PQsslStruct)(raw, OPENSSL.as_ptr()).cast();
            let tls = library.tls.as_ref().filter(|_| !object.is_null());
            if let Some(tls) = tls {
                (tls.SSL_set_default_read_buffer_len)(object, TLS_READ_BYTES);
                (tls.SSL_set_read_ahead)(object, 1);
                (tls.SSL_ctrl)(
                    object,
                    SSL_CTRL_MODE,
                    ssl::SSL_MODE_ENABLE_PARTIAL_WRITE as c_long,
                    std::ptr::null_mut(),
                );
            }
            if let Some(objection) = library.objection(raw, tls.is_some()) {
                (library.pq.PQfinish)(raw);
                return Err(objection.to_owned());
            }
            let fd = (library.pq.PQsocket)(raw);
            let canceller = Canceller::new(library, raw);
            Ok(Self { library, raw, ssl: tls.map(|tls| (object, tls)), fd, read_wants_write: false, canceller })
        }
    }

    /// What cancels the server's work.
    pub fn canceller(&self) -> &Arc<Canceller> {
        &self.canceller
    }

    /// What libpq knows of it.
    pub fn facts(&self) -> Facts {
        let pq = &self.library.pq;
        // SAFETY: an open connection of ours; strings are copied.
        unsafe {
            Facts {
                server_version: (pq.PQserverVersion)(self.raw),
                pid: (pq.PQbackendPID)(self.raw),
                db: super::text((pq.PQdb)(self.raw)),
                user: super::text((pq.PQuser)(self.raw)),
                host: super::text((pq.PQhost)(self.raw)),
                port: super::text((pq.PQport)(self.raw)),
                options: super::text((pq.PQoptions)(self.raw)),
                tls: self.ssl.is_some(),
                socket: self.fd,
            }
        }
    }

    /// A parameter that the server reported while it was connected to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        // SAFETY: an open connection of ours, and a string; the answer is copied.
        let value = unsafe { (self.library.pq.PQparameterStatus)(self.raw, name.as_ptr()) };
        // SAFETY: null, or a string.
        (!value.is_null()).then(|| unsafe { super::text(value) })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the socket of the connection, open as long as that.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }

    /// Whether it goes through TLS.
    pub fn is_tls(&self) -> bool {
        self.ssl.is_some()
    }

    /// A duplicate of the socket's descriptor.
    pub fn duplicate(&self) -> Option<std::os::fd::OwnedFd> {
        self.fd().try_clone_to_owned().ok()
    }

    /// Reads what is there; 0 at the end. `WouldBlock` if there is nothing yet.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some((object, tls)) = self.ssl else {
            let (_, read) = rustix::net::recv(self.fd(), into, RecvFlags::DONTWAIT)?;
            return Ok(read);
        };
        let len = c_int::try_from(into.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection's TLS; `into` is written within its length.
        let result = unsafe {
            (tls.ERR_clear_error)();
            (tls.SSL_read)(object, into.as_mut_ptr().cast::<c_void>(), len)
        };
        self.read_wants_write = false;
        self.tls_result((object, tls), result, true)
    }

    /// Writes what fits. `WouldBlock` if nothing does: then try again with the same bytes, more may follow them.
    pub fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let Some((object, tls)) = self.ssl else {
            return Ok(rustix::net::send(self.fd(), from, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?);
        };
        let len = c_int::try_from(from.len()).unwrap_or(c_int::MAX);
        // SAFETY: the connection's TLS; `from` is read within its length.
        let result = unsafe {
            (tls.ERR_clear_error)();
            (tls.SSL_write)(object, from.as_ptr().cast::<c_void>(), len)
        };
        self.tls_result((object, tls), result, false)
    }

    fn tls_result(
        &mut self,
        (object, tls): (*mut ssl::SSL, &'static Tls),
        result: c_int,
        is_read: bool,
    ) -> io::Result<usize> {
        if let Ok(len @ 1..) = usize::try_from(result) {
            return Ok(len);
        }
        let system = io::Error::last_os_error();
        // SAFETY: the connection's TLS, right after the call that had this result.
        match unsafe { (tls.SSL_get_error)(object, result) } {
            ssl::SSL_ERROR_WANT_READ => Err(ErrorKind::WouldBlock.into()),
            ssl::SSL_ERROR_WANT_WRITE => {
                self.read_wants_write |= is_read;
                Err(ErrorKind::WouldBlock.into())
            }
            ssl::SSL_ERROR_ZERO_RETURN => Ok(0),
            ssl::SSL_ERROR_SYSCALL if result == 0 || system.raw_os_error() == Some(0) => Ok(0),
            ssl::SSL_ERROR_SYSCALL => Err(system),
            // An end without a word of farewell, which servers that are killed do not say.
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Cuts the connection, so that closing it waits for nothing.
    pub fn cut(&mut self) {
        if let Err(error) = rustix::net::shutdown(self.fd(), rustix::net::Shutdown::Both) {
            tracing::debug!("a connection to be cut was cut already: {error}");
        }
    }

    /// Waits until something can be done; `None` without a limit. Nothing is ready after it.
    pub fn wait(&self, read: bool, write: bool, patience: Option<Duration>) -> io::Result<Ready> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, read);
        flags.set(PollFlags::OUT, write || self.read_wants_write);
        let mut polled = [PollFd::from_borrowed_fd(self.fd(), flags)];
        let limit = patience.and_then(|patience| Timespec::try_from(patience).ok());
        match rustix::event::poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let seen = polled[0].revents();
        let broken = seen.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        let could_write = seen.contains(PollFlags::OUT);
        Ok(Ready {
            read: read && (seen.contains(PollFlags::IN) || broken || (could_write && self.read_wants_write)),
            write: write && (could_write || broken),
        })
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        // SAFETY: a connection of ours, the last use of it. libpq says goodbye to the server.
        unsafe { (self.library.pq.PQfinish)(self.raw) };
    }
}
