//! What goes over the wire between a client and the daemon; no I/O.
//!
//! # Map
//!
//! | file         | what lives there                                                   |
//! |--------------|--------------------------------------------------------------------|
//! | `frame.rs`   | [`Kind`], the frame head, [`parse`], [`begin`]                      |
//! | `message.rs` | what is in a frame of each kind: `decode` and `encode`             |
//! | `hello.rs`   | [`ClientHello`], [`DaemonHello`], [`is_newer`]                     |
//! | `error.rs`   | [`Error`], the error that reaches a script, and its [`code`]s      |
//! | `bytes.rs`   | [`Bytes`]: file names and environment values, text or not          |
//!
//! A frame is read as `bytes → parse → Head → message::decode_*` and written as
//! `begin → image appended to the same buffer → end`; a payload is never copied
//! in between. A new kind of frame is added to [`Kind`], then to `message.rs`
//! and to docs/protocol.md.
#![forbid(unsafe_code)]

mod bytes;
mod error;
mod frame;
mod hello;
pub mod message;

pub use bytes::Bytes;
pub use error::{Body as ErrorBody, Error, Result, code};
pub use frame::{FIRST_JSON_BYTE, FrameError, Head, Kind, MAX_FRAME_BYTES, Open, Parsed, begin, begin_seq, parse};
pub use hello::{ClientHello, DaemonHello, PROTOCOL, is_newer};
