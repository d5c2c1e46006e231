//! MySQL and MariaDB: module `mysql`, for the drivers `DBD::mysql` and `DBD::MariaDB`.
//!
//! | file             | what lives there                                                                  |
//! |------------------|-----------------------------------------------------------------------------------|
//! | `wire/`          | the protocol: packets, TLS, handshake, replies                                    |
//! | `params.rs`, `option_file.rs` | what a client and `my.cnf` say about a connection                    |
//! | `target.rs`, `link.rs` | connecting; a connection as the server sees it, which a pool keeps          |
//! | `connection.rs`  | a session's connection: what it is doing, getting it ready for the next thing     |
//! | `statement.rs`   | a session's statement: SQL, values, where its rows are                            |
//! | `prepare.rs`     | statements the server prepares; sending either kind                               |
//! | `sql.rs`         | `?` and the values in their place                                                 |
//! | `rows.rs`, `binary.rs` | rows from packets into a reply                                              |
//! | `backlog.rs`     | rows that are read before they are asked for                                      |
//! | `many.rs`, `queue.rs` | many executions at once; statements whose outcome is asked for later           |
//! | `infile.rs`      | files for LOAD DATA LOCAL INFILE                                                  |
//! | `kill.rs`        | ending a query from another thread                                                |
//! | `settings.rs`    | settings of the driver                                                            |
//! | `error.rs`       | errors in the numbers and words of the C client library                           |
//! | `calls/`         | the functions of the module; its table is in `calls/mod.rs`                       |
//!
//! A SELECT goes `calls::run::execute → Connection::send → Connection::outcome` (columns) `→ Statement::write` (the first
//! batch, from the socket's buffer into the reply) `→ Connection::read_ahead` (the rest: into memory if it is short, to a
//! thread if not). The next batches come from the [`backlog`].

mod backlog;
mod binary;
mod calls;
mod connection;
mod error;
mod infile;
mod kill;
mod link;
mod many;
mod option_file;
mod params;
mod prepare;
mod queue;
mod rows;
mod settings;
mod sql;
mod statement;
mod target;
mod wire;

pub use calls::MODULE;
