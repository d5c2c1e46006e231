//! Databases for the bridge: SQLite, in the daemon, and connections to PostgreSQL, MySQL and MariaDB.
//!
//! `sqlite`, `pg` and `mysql` are the modules of our drivers (`DBD::SQLite` and its kin): handles
//! numbered by the client, rows in batches. `database` is for everybody else: JSON clients and scripts of the first
//! generation, handles named by ids that cannot be guessed.
//!
//! | folder    | what lives there                                                                        |
//! |-----------|-----------------------------------------------------------------------------------------|
//! | `sqlite/` | SQLite itself, wrapped: connections, statements, callbacks. All unsafe code but libpq's |
//! | `desk.rs` | working on SQLite for a session: cancelling, calling back, errors                       |
//! | `driver/` | module `sqlite`                                                                         |
//! | `postgres/` | module `pg`; its unsafe code is in `postgres/pq/`                                     |
//! | `api/`    | module `database`                                                                       |
//! | `mysql/`  | module `mysql`: MySQL and MariaDB                                                       |
//! | `pool/`   | connections to servers, kept for the next script; for all drivers                       |
//! | `spill.rs`| rows that are put aside when their connection is needed for another statement           |
//!
//! What a session has opened is in its state ([`desk::Tables`]), and gone with it: statements are finalized,
//! transactions rolled back, files closed. A row goes from SQLite's memory into the reply's frame, with no value in
//! between. A new function of the driver is a parameter struct and a `fn` in the file it belongs to, and a line in the
//! table of `driver/mod.rs`.

mod api;
mod desk;
mod driver;
mod mysql;
pub mod pool;
mod postgres;
pub mod spill;
pub mod sqlite;

pub use api::MODULE as DATABASE;
pub use driver::MODULE as SQLITE;
pub use mysql::MODULE as MYSQL;
pub use postgres::MODULE as PG;

/// How long the end of the daemon waits for connections of pools to be closed.
const END_SECONDS: u64 = 1;

/// What is to be done before the process ends: pooled connections take their leave of their servers.
pub fn end() {
    pool::close_all(std::time::Duration::from_secs(END_SECONDS));
}

/// The modules of this helper.
///
/// What its pools have is told by `system.pools` from then on.
pub fn modules() -> [&'static daemon::Module; 4] {
    daemon::status::offer_pools("database", pool::status);
    [&SQLITE, &PG, &MYSQL, &DATABASE]
}
