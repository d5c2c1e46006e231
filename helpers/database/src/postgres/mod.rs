//! PostgreSQL: module `pg`, what the driver (our `DBD::Pg`) calls.
//!
//! | file              | what lives there                                                                 |
//! |-------------------|----------------------------------------------------------------------------------|
//! | `pq/`             | libpq and OpenSSL, wrapped: connecting, the bytes of a connection, cancelling    |
//! | `wire/`           | the protocol's messages; errors in libpq's words; rows into replies              |
//! | `params.rs`       | connection parameters from the script, its environment and `service.rs`          |
//! | `conn.rs`         | [`conn::Conn`]: a connection as the pool keeps it; `plans.rs`: its statements    |
//! | `connection.rs`   | a connection in a session: settings, and whose turn it is on the link            |
//! | `statement.rs`    | a statement, and its rows on their way into a reply; `bind.rs`: its parameters   |
//! | `execute.rs`      | running one: what is sent, the head of what comes back                           |
//! | `batch.rs`        | many runs in one trip, and runs that are not waited for                          |
//! | `asynchronous.rs` | runs beside the script; describing                                               |
//! | `copy.rs`         | COPY; `large.rs`: large objects                                                  |
//! | `desk.rs`         | a session's tables, cancelling; `trouble.rs`: errors; `limits.rs`                |
//! | `calls/`          | the functions of the module                                                      |
//!
//! Handles are numbers chosen by the client: `d` a connection, `s` a statement. Parameters are positional, results are
//! arrays; the table below has them. *extra* in a result is undef or a hash of what the client does not know yet:
//!
//! | key | what |
//! |-----|------|
//! | `columns`, `types`, `sizes`, `mods`, `tables` | of a result: names, OIDs, sizes and modifiers of types, `[table, column]` |
//! | `cmd` | the command: `SELECT`, `CREATE TABLE` |
//! | `tx` | the transaction: 0 none, 1 a command runs, 2 open, 3 failed, 4 the connection is lost (then also `lost`) |
//! | `warn` | notices, in words |
//! | `params` | settings of the server that changed |
//! | `copy` | `in` or `out`: a COPY is going on |
//!
//! *opts* is a hash: `types`, OIDs of the parameters; `how`, `p` never prepared, `n` prepared at once, `s` by the simple
//! protocol; `name`, a statement that the script has prepared by SQL; `async`.

mod asynchronous;
mod batch;
mod bind;
mod calls;
mod conn;
mod connection;
mod copy;
mod desk;
mod execute;
mod large;
mod limits;
mod params;
mod plans;
mod pq;
mod service;
mod statement;
mod trouble;
mod wire;

pub use calls::MODULE;
