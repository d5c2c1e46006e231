//! Opening a connection. libpq's blocking form is run in a thread of its own: it keeps `connect_timeout` for each of
//! several hosts, looks names up, and must not hold up a client that is gone meanwhile.

use std::ffi::{CString, c_int};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use daemon::Secret;

use super::library::library;
use super::transport::Transport;

/// How often is looked whether the client still wants the connection.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A parameter of libpq and its value.
#[derive(Debug, Clone)]
pub struct Keyword {
    /// As in `host`.
    pub name: String,
    /// Any of them may be secret.
    pub value: Secret,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// libpq's text.
    #[error("{0}")]
    Failed(String),
    /// The client is gone, or called the call off.
    #[error("the call was cancelled")]
    Cancelled,
}

/// Connects; `is_cancelled` is asked now and then.
pub fn connect(keywords: &[Keyword], is_cancelled: &dyn Fn() -> bool) -> Result<Transport, ConnectError> {
    let mut strings = Vec::with_capacity(keywords.len() + 1);
    let without_gss = without_gss(keywords);
    for Keyword { name, value } in keywords.iter().chain(&without_gss) {
        let pair = (CString::new(name.as_str()), CString::new(value.expose()));
        let (Ok(name), Ok(value)) = pair else {
            return Err(ConnectError::Failed(format!("the value of the connection option \"{name}\" has a NUL in it")));
        };
        strings.push((name, value));
    }
    let (sender, receiver) = channel();
    let started = std::thread::Builder::new().name("pg-connect".into()).spawn(move || {
        // Whoever waited may be gone: then the connection is closed here.
        drop(sender.send(connect_now(&strings)));
    });
    started.map_err(|error| ConnectError::Failed(format!("cannot start a thread to connect: {error}")))?;
    loop {
        match receiver.recv_timeout(LOOK_AGAIN) {
            Ok(result) => return result.map_err(ConnectError::Failed),
            Err(RecvTimeoutError::Timeout) if is_cancelled() => return Err(ConnectError::Cancelled),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ConnectError::Failed("the thread that connects has panicked".into()));
            }
        }
    }
}

/// A libpq with GSSAPI would encrypt by it when it can, which only libpq itself can read.
fn without_gss(keywords: &[Keyword]) -> Option<Keyword> {
    let is_said = keywords.iter().any(|keyword| keyword.name == "gssencmode" && !keyword.value.is_empty());
    let is_foreign = library().is_ok_and(|library| library.is_foreign);
    (is_foreign && !is_said).then(|| Keyword { name: "gssencmode".to_owned(), value: Secret::new("disable") })
}

fn connect_now(strings: &[(CString, CString)]) -> Result<Transport, String> {
    let library = library()?;
    let null = std::iter::once(std::ptr::null());
    let names: Vec<_> = strings.iter().map(|pair| pair.0.as_ptr()).chain(null.clone()).collect();
    let values: Vec<_> = strings.iter().map(|pair| pair.1.as_ptr()).chain(null).collect();
    // SAFETY: two arrays of as many strings, ended by null, which live during the call.
    let raw = unsafe { (library.pq.PQconnectdbParams)(names.as_ptr(), values.as_ptr(), 0) };
    if raw.is_null() {
        return Err("out of memory".into());
    }
    // SAFETY: a connection of libpq's that nobody else has.
    unsafe {
        (library.pq.PQsetNoticeProcessor)(raw, Some(ignore), std::ptr::null_mut());
        if (library.pq.PQstatus)(raw) == pq_sys::ConnStatusType::CONNECTION_OK {
            return Transport::new(library, raw);
        }
        let message = super::text((library.pq.PQerrorMessage)(raw));
        (library.pq.PQfinish)(raw);
        Err(message)
    }
}

/// The parameters that a connection string (`host=… dbname=…`, or a URI) sets. An error has libpq's words.
pub fn parse_conninfo(conninfo: &str) -> Result<Vec<Keyword>, String> {
    let Ok(conninfo) = CString::new(conninfo) else { return Err("the connection string has a NUL in it".into()) };
    let library = library()?;
    let mut message = std::ptr::null_mut();
    // SAFETY: a string, and a place for the message; what is returned is read up to its last entry, which has no
    // keyword, copied, and given back.
    unsafe {
        let options = (library.pq.PQconninfoParse)(conninfo.as_ptr(), &raw mut message);
        if options.is_null() {
            let text = super::text(message);
            (library.pq.PQfreemem)(message.cast());
            return Err(if text.is_empty() { "out of memory".into() } else { text });
        }
        let mut keywords = Vec::new();
        let mut option = options;
        while !(*option).keyword.is_null() {
            if !(*option).val.is_null() {
                let value = Secret::new(super::text((*option).val));
                keywords.push(Keyword { name: super::text((*option).keyword), value });
            }
            option = option.add(1);
        }
        (library.pq.PQconninfoFree)(options);
        Ok(keywords)
    }
}

/// libpq would print to the daemon's standard error.
unsafe extern "C" fn ignore(_: *mut std::ffi::c_void, _: *const std::ffi::c_char) {}

/// libpq's version, as in 180006.
pub fn lib_version() -> c_int {
    // SAFETY: returns a constant.
    library().map_or(0, |library| unsafe { (library.pq.PQlibVersion)() })
}
