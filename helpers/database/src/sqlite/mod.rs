//! SQLite, wrapped as far as the driver needs it: the only place that calls its C API.
//!
//! | file            | what lives there                                                               |
//! |-----------------|--------------------------------------------------------------------------------|
//! | `connection.rs` | [`Connection`]: opening, closing, settings, counters; [`Interrupter`]          |
//! | `statement.rs`  | [`Statement`]: preparing, stepping, rows straight into a reply                 |
//! | `bind.rs`       | values from the client into parameters                                         |
//! | `value.rs`      | values between SQLite's functions and the client's                             |
//! | `number.rs`     | which strings are numbers                                                      |
//! | `text.rs`       | string modes                                                                   |
//! | `function.rs`   | functions and aggregates that the client computes                              |
//! | `collation.rs`  | collations                                                                     |
//! | `hooks.rs`      | commit, rollback, update, authorizer, progress, trace, profile                 |
//! | `tokenizer.rs`  | tokenizers of full-text tables                                                 |
//! | `vtab/`         | virtual tables that the client computes                                        |
//! | `metadata.rs`   | columns of tables, limits, switches, status counters, extensions               |
//! | `backup.rs`     | online backup                                                                  |
//! | `vfs.rs`        | the client's directory, umask and temporary folder                             |
//! | `host.rs`       | how callbacks find the client whose call the thread runs                       |
//! | `shared.rs`     | what a connection shares with its callbacks                                    |
//! | `confined.rs`   | moving connections and statements between threads                              |
//! | `error.rs`      | [`Error`]                                                                      |
//!
//! # Unsafe
//!
//! Every call of the C API is unsafe. The rules that make them sound: a handle is used by one thread at a time
//! (`confined.rs`); a [`Statement`] holds its [`Connection`], which is closed after the last of them; what SQLite
//! returns is copied, or used up, before the next call on the same handle; data given to SQLite for its callbacks is
//! boxed and freed by SQLite's destructors, or is the connection's `Shared`, which outlives the handle.
#![allow(unsafe_code)]

mod backup;
mod bind;
mod collation;
mod confined;
mod connection;
mod error;
mod function;
mod hooks;
pub mod host;
mod metadata;
mod number;
mod shared;
mod statement;
mod text;
mod tokenizer;
mod value;
mod vfs;
mod vtab;

pub use confined::Confined;
pub use connection::{AutoBegin, Connection, DEFAULT_FLAGS, Interrupter};
pub use error::{Error, Result};
pub use metadata::{ColumnMetadata, Counter, compile_options, complete, library_status, strglob, strlike, version};
pub use shared::{CallbackId, Shared};
pub use statement::{BatchLimits, RowShape, Statement};
pub use text::StringMode;
