//! What goes wrong, in the numbers and words of the C client library.

use std::borrow::Cow;

use protocol::code;

/// The result of anything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// SQLSTATE of errors of the client's side.
pub const GENERAL_STATE: &str = "HY000";

/// `CR_UNKNOWN_ERROR`
pub const CR_UNKNOWN_ERROR: u32 = 2000;
/// `CR_CONNECTION_ERROR`
pub const CR_CONNECTION_ERROR: u32 = 2002;
/// `CR_UNKNOWN_HOST`
pub const CR_UNKNOWN_HOST: u32 = 2005;
/// `CR_SERVER_GONE_ERROR`
pub const CR_SERVER_GONE_ERROR: u32 = 2006;
/// `CR_VERSION_ERROR`
pub const CR_VERSION_ERROR: u32 = 2007;
/// `CR_SERVER_LOST`
pub const CR_SERVER_LOST: u32 = 2013;
/// `CR_COMMANDS_OUT_OF_SYNC`
pub const CR_COMMANDS_OUT_OF_SYNC: u32 = 2014;
/// `CR_CANT_READ_CHARSET`
pub const CR_CANT_READ_CHARSET: u32 = 2019;
/// `CR_NET_PACKET_TOO_LARGE`
pub const CR_NET_PACKET_TOO_LARGE: u32 = 2020;
/// `CR_SSL_CONNECTION_ERROR`
pub const CR_SSL_CONNECTION_ERROR: u32 = 2026;
/// `CR_MALFORMED_PACKET`
pub const CR_MALFORMED_PACKET: u32 = 2027;
/// `CR_PARAMS_NOT_BOUND`
pub const CR_PARAMS_NOT_BOUND: u32 = 2031;
/// `CR_AUTH_PLUGIN_CANNOT_LOAD`
pub const CR_AUTH_PLUGIN_CANNOT_LOAD: u32 = 2059;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The server's number, or one of `CR_*`.
    pub number: u32,
    /// SQLSTATE.
    pub state: Cow<'static, str>,
    /// The text.
    pub message: String,
    /// Whether the connection is of no use any more.
    pub lost: bool,
}

impl Error {
    /// An error of the client's side; the connection lives on.
    pub fn client(number: u32, message: impl Into<String>) -> Self {
        Self { number, state: Cow::Borrowed(GENERAL_STATE), message: message.into(), lost: false }
    }

    /// An error after which the connection is of no use.
    pub fn fatal(number: u32, message: impl Into<String>) -> Self {
        Self { lost: true, ..Self::client(number, message) }
    }

    /// The connection was closed before this was asked for.
    pub fn gone() -> Self {
        Self::fatal(CR_SERVER_GONE_ERROR, "Server has gone away")
    }

    /// The connection broke while the answer was awaited.
    pub fn lost() -> Self {
        Self::fatal(CR_SERVER_LOST, "Lost connection to server during query")
    }

    /// The connection broke, or timed out, at a step of the handshake.
    pub fn lost_at(step: &str, cause: &std::io::Error) -> Self {
        let number = match cause.raw_os_error() {
            Some(number) => number,
            None if is_timeout(cause) => rustix::io::Errno::TIMEDOUT.raw_os_error(),
            None => 0,
        };
        Self::fatal(CR_SERVER_LOST, format!("Lost connection to server at '{step}', system error: {number}"))
    }

    /// The server sent what is not the protocol.
    pub fn malformed(what: &str) -> Self {
        Self::fatal(CR_MALFORMED_PACKET, format!("Malformed packet: {what}"))
    }

    /// TLS could not be had.
    pub fn tls(message: impl std::fmt::Display) -> Self {
        Self::fatal(CR_SSL_CONNECTION_ERROR, format!("TLS/SSL error: {message}"))
    }

    /// A connection has to be used for one thing at a time.
    pub fn out_of_sync() -> Self {
        Self::client(CR_COMMANDS_OUT_OF_SYNC, "Commands out of sync; you can't run this command now")
    }
}

/// Whether a time-out of the socket is what happened.
pub fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

impl From<Error> for protocol::Error {
    fn from(error: Error) -> Self {
        Self::new(code::DATABASE, error.message).err(i64::from(error.number)).state(error.state)
    }
}
