//! The error that reaches a script.
//!
//! A failed call is described once, here, for every client: a stable `code` for
//! programs, a `message` for people, the three values of DBI's error model, and
//! what is not known afterwards. Detail that only the log may see (peers, paths of
//! the daemon's own) is not put in here.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// The result of a helper's function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The values of [`ErrorBody`](Body)'s `code`.
pub mod code {
    /// No helper of that name.
    pub const UNKNOWN_MODULE: &str = "unknown_module";
    /// The helper has no function of that name.
    pub const UNKNOWN_FUNCTION: &str = "unknown_function";
    /// The parameters are not what the function takes.
    pub const BAD_PARAMS: &str = "bad_params";
    /// What was received is not a frame of the protocol, or not the one to come now.
    pub const BAD_FRAME: &str = "bad_frame";
    /// A JSON request that is not one.
    pub const BAD_JSON: &str = "bad_json";
    /// A limit of docs/limits.md was reached; the message names it.
    pub const LIMIT: &str = "limit";
    /// The peer is not who may use this daemon.
    pub const REFUSED: &str = "refused";
    /// The two sides do not speak the same version of the protocol.
    pub const VERSION: &str = "version";
    /// The daemon is about to end and takes nothing new.
    pub const DRAINING: &str = "draining";
    /// The client asked to cancel the call, or is gone.
    pub const CANCELLED: &str = "cancelled";
    /// A handle (connection, statement, document …) that is not, or no longer, there.
    pub const UNKNOWN_HANDLE: &str = "unknown_handle";
    /// A function of the client that was called back has died.
    pub const CALLBACK: &str = "callback";
    /// A helper could not do what was asked.
    pub const HELPER_FAILED: &str = "helper_failed";
    /// The database said no; `err`, `errstr` and `state` are the driver's.
    pub const DATABASE: &str = "database";
    /// Reading or writing something failed.
    pub const IO: &str = "io";
    /// A fault of the daemon itself.
    pub const INTERNAL: &str = "internal";
    /// The connection to the daemon broke in mid-call (made by clients).
    pub const DAEMON_LOST: &str = "daemon_lost";
}

/// What is known about a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Body {
    /// One of [`code`]; stable, for programs.
    pub code: Cow<'static, str>,
    /// For people: what happened, to what, and what to do.
    pub message: String,
    /// The driver's native error number (DBI's `err`).
    pub err: Option<i64>,
    /// The driver's text (DBI's `errstr`) where it differs from `message`.
    pub errstr: Option<String>,
    /// SQLSTATE (DBI's `state`).
    pub state: Option<String>,
    /// The module that was called.
    pub module: Option<String>,
    /// The function that was called.
    pub function: Option<String>,
    /// The same call may be sent again as it is.
    pub retryable: bool,
    /// What may or may not have happened.
    pub unknown: Option<String>,
}

/// A failed call. Small (one pointer), because every helper returns it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}", .0.message)]
#[serde(transparent)]
pub struct Error(Box<Body>);

impl Deref for Error {
    type Target = Body;
    fn deref(&self) -> &Body {
        &self.0
    }
}

impl Error {
    /// An error with one of the [`code`]s and a message for people.
    pub fn new(code: &'static str, message: impl Display) -> Self {
        Self(Box::new(Body { code: Cow::Borrowed(code), message: message.to_string(), ..Body::default() }))
    }

    /// The parameters are wrong.
    pub fn bad_params(message: impl Display) -> Self {
        Self::new(code::BAD_PARAMS, message)
    }

    /// A limit was reached: `what` says of what, `name` and `value` are those of the constant.
    pub fn limit(what: impl Display, name: &str, value: impl Display) -> Self {
        Self::new(code::LIMIT, format_args!("{what}: the limit {name} ({value}) was reached"))
    }

    /// A fault of the daemon itself.
    pub fn internal(message: impl Display) -> Self {
        Self::new(code::INTERNAL, message)
    }

    /// The call was cancelled.
    pub fn cancelled() -> Self {
        Self::new(code::CANCELLED, "the call was cancelled")
    }

    /// Sets the driver's error number.
    #[must_use]
    pub fn err(mut self, err: i64) -> Self {
        self.0.err = Some(err);
        self
    }

    /// Sets the driver's text.
    #[must_use]
    pub fn errstr(mut self, errstr: impl Into<String>) -> Self {
        self.0.errstr = Some(errstr.into());
        self
    }

    /// Sets the SQLSTATE.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.0.state = Some(state.into());
        self
    }

    /// Says that the same call may be sent again.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Says what may or may not have happened.
    #[must_use]
    pub fn unknown(mut self, what: impl Into<String>) -> Self {
        self.0.unknown = Some(what.into());
        self
    }

    /// Says which function failed, unless that is known already.
    #[must_use]
    pub fn in_function(mut self, module: &str, function: &str) -> Self {
        if self.0.module.is_none() {
            self.0.module = Some(module.to_owned());
            self.0.function = Some(function.to_owned());
        }
        self
    }
}

impl From<storable::Error> for Error {
    fn from(error: storable::Error) -> Self {
        Self::new(code::BAD_PARAMS, error)
    }
}

impl From<crate::FrameError> for Error {
    fn from(error: crate::FrameError) -> Self {
        let code = match error {
            crate::FrameError::TooLong { .. } => code::LIMIT,
            _ => code::BAD_FRAME,
        };
        Self::new(code, error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(code::IO, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn an_error_comes_back_as_it_was() {
        let error = Error::new(code::DATABASE, "no such table: t")
            .err(1)
            .errstr("no such table: t")
            .state("S1000")
            .unknown("nothing")
            .in_function("database", "execute")
            .in_function("not", "again");
        let image = storable::to_vec(&error).unwrap();
        let back: Error = storable::from_slice(&image).unwrap();
        assert_eq!(back, error);
        assert_eq!(back.module.as_deref(), Some("database"));
    }

    #[test]
    fn a_limit_names_its_constant() {
        let text = Error::limit("cannot open another handle", "MAX_X", 7).to_string();
        assert_eq!(text, "cannot open another handle: the limit MAX_X (7) was reached");
    }
}
