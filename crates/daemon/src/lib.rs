//! The daemon, and the framework that helpers are written with.
//!
//! # Map
//!
//! | file                 | what lives there                                                     |
//! |----------------------|----------------------------------------------------------------------|
//! | `registry.rs`        | [`Module`], [`Function`], [`Param`]: the tables; [`Registry`]: the router |
//! | `call.rs`            | [`Call`]: parameters in, answer out                                  |
//! | `session.rs`         | [`Session`]: what helpers use; how a call is run                     |
//! | `session/serve.rs`   | hello, the loop over a client's frames                               |
//! | `session/callback.rs`| calling back into the client                                         |
//! | `current.rs`         | the session, for code that a C library calls                         |
//! | `state.rs`           | a helper's own value in a session                                    |
//! | `client.rs`          | [`Client`]: cwd, umask, environment of the script                    |
//! | `cancel.rs`          | [`CancelSlot`]: ending a call from outside                           |
//! | `sentinel.rs`        | the thread that watches the clients; `watch.rs`: their processes     |
//! | `handles.rs`         | counting handles, unguessable ids                                    |
//! | `json.rs`            | JSON one-shot clients; `parked.rs`: their sessions between requests  |
//! | `wire.rs`, `spin.rs` | frames over a socket; polling before sleeping (`load.rs`: when)       |
//! | `patience.rs`        | the same for helpers that wait for a server                          |
//! | `server.rs`          | what all sessions share; `shared.rs`: a session seen from outside    |
//! | `place.rs`           | the socket's directory and its checks; the lock                      |
//! | `lifecycle.rs`       | listening, idle exit, draining; `control.rs`: how to ask for it      |
//! | `stdio.rs`           | one session on inherited descriptors: the process mode                |
//! | `detach.rs`          | leaving the starter's process group, terminal and descriptors        |
//! | `sys.rs`             | the system calls that have no safe form                              |
//! | `log.rs`, `secret.rs`| the rotated log; text that cannot print itself                       |
//! | `config/`            | the configuration file: settings, reading, checking                  |
//! | `status.rs`          | the shapes of what `system` tells; how helpers take part             |
//! | `limits.rs`          | every limit and time-out                                             |
//! | `modules/`           | the modules `test` and `system`                                      |
//!
//! Unsafe code is in `sys.rs` and `current.rs` only; both say at their top why it has to be.
//!
//! A request goes `Wire::next_frame → Session::serve_call → Registry::find → Function::run`,
//! and its answer is written by the function straight into the frame that is sent.
//!
//! # Writing a helper
//!
//! A helper is a crate with one `pub static MODULE: Module`; the binary lists it in its
//! `modules.rs`. Each function is a struct of its parameters, which serde reads from a hash
//! (named) and from an array (positional, in field order) alike, and a `fn`:
//!
//! ```
//! use daemon::{Call, Error, Function, Module, Param, Session};
//! use serde::Deserialize;
//!
//! pub static MODULE: Module = Module {
//!     name: "counter",
//!     summary: "counts, one counter a session",
//!     functions: &[Function {
//!         name: "add",
//!         summary: "adds to the counter",
//!         params: &[
//!             Param::required("step", "integer", "how much to add"),
//!             Param::optional("times", "integer", "how often; 1 if left out"),
//!         ],
//!         result: "integer: the counter",
//!         idempotent: false, // a retry would add twice
//!         json: true,        // JSON clients may call it, and `help` shows it
//!         run: add,
//!     }],
//! };
//!
//! /// This helper's own value in each session; dropped with it.
//! #[derive(Default)]
//! struct Counter(i64);
//!
//! #[derive(Deserialize)]
//! struct Add {
//!     step: i64,
//!     #[serde(default)] // so that it may be left out at the end
//!     times: Option<i64>,
//! }
//!
//! fn add(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
//!     let Add { step, times } = call.params()?;
//!     let counter = session.state::<Counter>();
//!     counter.0 += step * times.unwrap_or(1);
//!     call.reply(&counter.0)
//! }
//!
//! # // As a client would call it:
//! # let mut tried = daemon::testing::TestSession::new(&[&MODULE])?;
//! # let sum: i64 = tried.call("counter.add", &(3, 2))?;
//! # assert_eq!(sum, 6);
//! # Ok::<(), daemon::Error>(())
//! ```
//!
//! More that a function can do:
//!
//! * **Answer without a value tree**: `let mut writer = call.writer();`, append to it,
//!   `writer.finish()?`, then `call.finish()`. It writes into the very buffer that is sent.
//!   [`Call::send_part`] sends what is there as a part and goes on.
//! * **Read parameters without copying**: [`Call::params`] borrows (`&'a str`,
//!   `storable::ValueRef<'a>`); [`Call::raw_image`] is the image itself.
//! * **Hold handles**: take a [`Session::handle_permit`] for each and keep it with the handle;
//!   [`Session::publish_new_handle`] makes an id for JSON clients, [`Session::withdraw_handle`]
//!   takes it back.
//! * **Use another helper**: [`Session::delegate`] calls a function of any module, within the call.
//! * **Be cancelled**: leave an action with [`CancelSlot::set`] (or, scoped, [`CancelSlot::guard`])
//!   before blocking; loops ask [`CancelSlot::is_cancelled`].
//! * **Call back**: [`Session::callback`]; from inside a C library, wrap the library's call in
//!   [`Session::enter`] and use [`with_current`] in its callback. Do not hold a lock or borrow of
//!   one's own state meanwhile: the client's function may make calls of its own.
//! * **Fail**: return an [`Error`]: `Error::new(code::DATABASE, text).err(19).errstr(text).state("23000")`.
//!   A panic becomes an `internal` error of the one call.
//! * **Log**: `tracing::info!(…)`; passwords are kept in a [`Secret`].
//! * **Be tested**: [`testing::TestSession`] runs calls without a socket.

mod call;
mod cancel;
mod client;
pub mod config;
mod control;
mod current;
pub mod detach;
mod handles;
mod json;
pub mod lifecycle;
pub mod limits;
mod load;
pub mod log;
pub mod modules;
mod parked;
mod patience;
pub mod place;
mod registry;
mod secret;
mod sentinel;
mod server;
mod session;
mod shared;
mod spin;
mod state;
pub mod status;
pub mod stdio;
mod sys;
pub mod testing;
mod watch;
mod wire;

pub use call::Call;
pub use cancel::{CancelAction, CancelGuard, CancelSlot};
pub use client::Client;
pub use current::with_current;
pub use handles::{HandleCount, HandlePermit, unguessable_id};
pub use patience::Patience;
pub use protocol::{Error, code};
pub use registry::{Entry, Function, Module, Param, Registry, Run};
pub use secret::Secret;
pub use server::{Identity, Server};
pub use session::Session;
