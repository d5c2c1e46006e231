//! Module `database`: for JSON clients, and for scripts that call the bridge by hand.
//!
//! Handles are ids that cannot be guessed; a JSON client may name them in later requests. Every result is a hash with
//! `success` in it. Text is characters, numbers are bound as numbers.
//!
//! | file            | functions                                                                      |
//! |-----------------|--------------------------------------------------------------------------------|
//! | `connect.rs`    | connect, `connect_cached`, disconnect, transactions                            |
//! | `statement.rs`  | prepare, execute, fetch, finish, do                                            |
//! | `database.rs`   | what a database can do for this module: two traits                             |
//! | `sqlite.rs`     | SQLite's side of them                                                          |
//! | `server.rs`     | PostgreSQL's, MySQL's and MariaDB's, by the functions of their drivers         |
//! | `binds.rs`      | values for placeholders; `placeholders.rs`: `?` for PostgreSQL                 |
//! | `cache.rs`      | what `connect_cached` has opened for JSON clients                              |
//! | `dsn.rs`, `dsn/`| what a data source name says                                                   |
//! | `types.rs`      | names of types                                                                 |
//! | `names.rs`      | the ids of a session's handles                                                 |

mod binds;
mod cache;
mod connect;
mod database;
mod dsn;
mod names;
mod placeholders;
mod server;
mod sqlite;
mod statement;
mod types;

use daemon::{Function, Module, Param, Run};

pub use names::Names;

/// The module's table.
pub static MODULE: Module = Module {
    name: "database",
    summary: "databases by DBI data source name: connect, prepare, execute, fetch, transactions",
    functions: FUNCTIONS,
};

const CONNECTION: Param = Param::handle("connection_id", "what connect gave");
const STATEMENT: Param = Param::required("statement_id", "string", "what prepare gave");
const SQL: Param = Param::required("sql", "string", "one SQL statement");
const BIND_VALUES: Param = Param::optional("bind_values", "array", "values of the placeholders, in order");
const FORMAT: Param = Param::optional("format", "string", "rows as \"array\" or \"hash\"; array if left out");
const CONNECT: &[Param] = &[
    Param::required(
        "dsn",
        "string",
        "as in DBI: dbi:SQLite:dbname=FILE, dbi:Pg:dbname=NAME;host=HOST, dbi:mysql:…, dbi:MariaDB:…",
    ),
    Param::optional("username", "string", "user name; not for SQLite"),
    Param::optional("password", "string", "password; not for SQLite"),
    Param::optional(
        "attributes",
        "hash",
        "AutoCommit, bridge_pool, ReadOnly, sqlite_busy_timeout, sqlite_open_flags, sqlite_string_mode, mysql_* and \
         mariadb_* as in their data source names",
    ),
];

const fn offered(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    result: &'static str,
    run: Run,
) -> Function {
    Function { name, summary, params, result, idempotent: false, json: true, run }
}

const FUNCTIONS: &[Function] = &[
    offered("connect", "opens a database", CONNECT, "{success, connection_id, connected}", connect::connect),
    offered(
        "connect_cached",
        "the connection that was opened by connect_cached with the same parameters, or a new one",
        CONNECT,
        "{success, connection_id, connected}",
        connect::connect_cached,
    ),
    offered(
        "disconnect",
        "closes a connection; an open transaction rolls back",
        &[CONNECTION],
        "{success}",
        connect::disconnect,
    ),
    offered("begin_transaction", "begins a transaction", &[CONNECTION], "{success}", connect::begin_transaction),
    offered("commit", "commits the transaction", &[CONNECTION], "{success}", connect::commit),
    offered("rollback", "rolls the transaction back", &[CONNECTION], "{success}", connect::rollback),
    offered(
        "last_insert_id",
        "number that the last INSERT has given its row",
        &[CONNECTION],
        "{success, last_insert_id}",
        connect::last_insert_id,
    ),
    offered("prepare", "prepares a statement", &[CONNECTION, SQL], "{success, statement_id}", statement::prepare),
    offered(
        "prepare_statement",
        "the same as prepare",
        &[CONNECTION, SQL],
        "{success, statement_id}",
        statement::prepare,
    ),
    offered(
        "execute_statement",
        "runs a prepared statement",
        &[
            CONNECTION,
            STATEMENT,
            BIND_VALUES,
            Param::optional("bind_params", "hash", "number or name of a placeholder => value, or {value, type}"),
        ],
        "{success, rows_affected, column_names, column_types}",
        statement::execute_statement,
    ),
    offered(
        "fetch_row",
        "the next row",
        &[CONNECTION, STATEMENT, FORMAT],
        "{success, row}; row is null at the end",
        statement::fetch_row,
    ),
    offered(
        "fetch_all",
        "all rows that are left",
        &[CONNECTION, STATEMENT, FORMAT],
        "{success, rows}",
        statement::fetch_all,
    ),
    offered(
        "finish_statement",
        "frees a statement",
        &[CONNECTION, STATEMENT],
        "{success}",
        statement::finish_statement,
    ),
    offered(
        "execute_immediate",
        "runs SQL once",
        &[CONNECTION, SQL, BIND_VALUES],
        "{success, rows_affected}",
        statement::do_statement,
    ),
    offered(
        "do_statement",
        "the same as execute_immediate",
        &[CONNECTION, SQL, BIND_VALUES],
        "{success, rows_affected}",
        statement::do_statement,
    ),
];
