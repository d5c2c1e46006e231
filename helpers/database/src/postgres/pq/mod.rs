//! libpq and OpenSSL, wrapped as far as the driver needs them: the only unsafe code of the PostgreSQL part.
//!
//! | file           | what lives there                                                               |
//! |----------------|--------------------------------------------------------------------------------|
//! | `connect.rs`   | opening a connection with libpq: hosts, TLS, authentication                    |
//! | `library.rs`   | which libpq: the one built in, or one that is loaded                            |
//! | `transport.rs` | [`Transport`]: the bytes of an open connection                                 |
//! | `cancel.rs`    | [`Canceller`]: cancel requests from other threads                              |
//!
//! libpq finds the server, negotiates TLS and authenticates: what every PostgreSQL user knows works as they know it.
//! After that the messages of the protocol are read and written by `wire/` straight from and to the connection:
//! libpq copies a row three times before it can be read, cannot put `BEGIN` in front of a statement without a trip of
//! its own, and cannot send COPY or several statements in its pipeline mode. libpq's own functions for queries are
//! never called on such a connection.
//!
//! # Unsafe
//!
//! Calls of C functions. What makes them sound: a `PGconn` has one owner, [`Transport`], which is used by one thread
//! at a time and frees it; its socket and its `SSL` are only used through it, while it lives; a `PGcancelConn` is a copy
//! of what is needed of the connection, made before the connection is used, and is behind a mutex; strings of libpq are
//! copied before the next call.
#![allow(unsafe_code)]

mod cancel;
mod connect;
mod library;
mod transport;

pub use connect::{ConnectError, Keyword, connect, lib_version, parse_conninfo};
pub use transport::Transport;

use std::ffi::{CStr, c_char};

/// A C string as text.
///
/// # Safety
/// `string` is null or a NUL-terminated string that lives during the call.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// `PQdsplen` for UTF-8: how many columns a character takes on a screen.
pub fn display_width(character: &[u8]) -> usize {
    const UTF8: std::ffi::c_int = 6; // PG_UTF8
    let mut terminated = [0_u8; 8];
    let len = character.len().min(4);
    terminated[..len].copy_from_slice(&character[..len]);
    // SAFETY: a NUL-terminated string.
    let width = unsafe { pq_sys::PQdsplen(terminated.as_ptr().cast(), UTF8) };
    usize::try_from(width).unwrap_or(0)
}
