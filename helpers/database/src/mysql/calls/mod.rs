//! The functions of module `mysql`.
//!
//! Handles are numbers chosen by the client: `d` a connection, `s` a statement. Parameters are positional, results are
//! arrays. Where a result has a place called *extra*, it is undef or a hash; what is not in it is as before, or none:
//!
//! | key                      | what it says                                                                     |
//! |--------------------------|----------------------------------------------------------------------------------|
//! | `columns`, `types`, `flags`, `lengths`, `decimals`, `charsets`, `tables` | of the columns, when they are others than at the last execution |
//! | `warnings`, `info`       | how many warnings; the server's text (`Records: 3 …`)                            |
//! | `more`                   | further results follow                                                           |
//! | `count`                  | rows in all, with the last ones                                                  |
//! | `status`                 | bits of the server's status that changed: 1 in a transaction, 2 autocommit, 512 `NO_BACKSLASH_ESCAPES` |
//! | `fallback`               | why the server did not prepare the statement                                     |
//! | `async`                  | the outcome is to be asked for                                                   |
//! | `reconnected`, `thread_id` | another connection has taken the place of a lost one                           |
//!
//! | file          | functions                                                         |
//! |---------------|-------------------------------------------------------------------|
//! | `connect.rs`  | connections, settings, transactions                               |
//! | `run.rs`      | prepare, execute, fetch, rows, further results                    |
//! | `shortcut.rs` | do, select                                                        |
//! | `later.rs`    | `execute_many`, queue, sync, asynchronous statements              |
//! | `info.rs`     | facts about columns                                               |
//! | `desk.rs`     | a session's tables; working so that a call can be cancelled       |
//! | `reply.rs`    | the parts of results                                              |

mod connect;
mod desk;
mod info;
mod later;
mod reply;
mod run;
mod shortcut;

use daemon::{Function, Module, Param, Run};

/// The module's table.
pub static MODULE: Module = Module {
    name: "mysql",
    summary: "MySQL and MariaDB for the drivers DBD::mysql and DBD::MariaDB",
    functions: FUNCTIONS,
};

const D: Param = Param::required("d", "integer", "number of the connection");
const S: Param = Param::required("s", "integer", "number of the statement");
const SQL: Param = Param::required("sql", "string", "SQL text");
const NEW_SQL: Param = Param::optional("sql", "string", "SQL text of a new statement");
const BINDS: Param = Param::optional("binds", "array", "values: scalars, or [value, class]; undef keeps the last ones");
const MODE: Param =
    Param::optional("mode", "string", "rows as arrays (a), hashes (h), one list of all values (f), or none (0)");
const MAX_ROWS: Param = Param::optional("max_rows", "integer", "at most so many rows");
const OPTIONS: Param = Param::optional("options", "hash", "server_prepare, use_result, async");
const NAME: Param = Param::required("name", "string", "its name");

/// A function only for the drivers.
const fn driver(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    result: &'static str,
    run: Run,
) -> Function {
    Function { name, summary, params, result, idempotent: false, json: false, run }
}

const FUNCTIONS: &[Function] = &[
    driver(
        "connect",
        "connects, or takes a connection of the pool, under the number d",
        &[
            D,
            Param::optional("params", "hash", "host, port, socket, user, password, database, ssl_ca …"),
            Param::optional("options", "hash", "those of config"),
        ],
        "[facts]",
        connect::connect,
    ),
    driver("close", "rolls back and gives the connection back", &[D], "[1]", connect::close),
    driver(
        "config",
        "changes settings of the driver",
        &[D, Param::required("options", "hash", "those to change")],
        "[1]",
        connect::config,
    ),
    driver("ping", "whether the server answers", &[D], "[1 or 0]", connect::ping),
    driver("begin", "begins a transaction", &[D], "[extra]", connect::begin_transaction),
    driver("commit", "commits", &[D], "[extra]", connect::commit),
    driver("rollback", "rolls back", &[D], "[extra]", connect::rollback),
    driver(
        "autocommit",
        "switches autocommit, if it is not so already",
        &[D, Param::required("on", "boolean", "on")],
        "[extra]",
        connect::autocommit,
    ),
    driver("select_db", "changes the database", &[D, NAME], "[extra]", connect::select_db),
    driver("set_charset", "changes the character set", &[D, NAME], "[extra]", connect::set_charset),
    driver("stat", "the server's figures", &[D], "[text]", connect::stat),
    driver(
        "execute",
        "runs a statement and gives its first batch of rows",
        &[D, S, NEW_SQL, BINDS, MODE, MAX_ROWS, OPTIONS],
        "[count, done, rows, extra, insert id]",
        run::execute,
    ),
    driver("fetch", "the next batch of rows", &[S, MAX_ROWS, MODE], "[done, rows, extra]", run::fetch),
    driver("rows", "how many rows the result has; waits for the server", &[S], "[count]", run::rows),
    driver(
        "more_results",
        "the next result of a statement",
        &[S, MODE, MAX_ROWS],
        "[has, count, done, rows, extra, insert id]",
        run::more_results,
    ),
    driver("reset", "ends the run of a statement", &[S], "[1]", run::reset),
    driver("finalize", "frees a statement", &[S], "[1]", run::finalize),
    driver("prepare", "prepares a statement at the server", &[D, S, SQL, OPTIONS], "[parameters, extra]", run::prepare),
    driver("do", "runs SQL", &[D, SQL, BINDS, OPTIONS], "[count, columns, extra, insert id]", shortcut::do_sql),
    driver(
        "select",
        "runs SQL and fetches in one trip; the statement s stays while there is more",
        &[
            D,
            S,
            SQL,
            BINDS,
            MODE,
            Param::optional("max_rows", "integer", "at most so many rows a batch; negative: in all"),
            OPTIONS,
        ],
        "[names of columns, done, rows, extra, count, insert id]",
        shortcut::select,
    ),
    driver(
        "execute_many",
        "runs a statement once for each list of binds",
        &[
            D,
            S,
            NEW_SQL,
            Param::required("tuples", "array", "lists of binds"),
            Param::optional("stop_on_error", "boolean", "end at the first failure"),
            OPTIONS,
        ],
        "[[count or [err, errstr, state]…], extra, insert id]",
        later::execute_many,
    ),
    driver(
        "queue",
        "sends a statement without rows; its outcome is collected by sync, or by the next other call",
        &[D, Param::optional("s", "integer", "number of a statement"), NEW_SQL, BINDS, OPTIONS],
        "[1]",
        later::queue,
    ),
    driver(
        "sync",
        "collects the outcomes of what was queued",
        &[D],
        "[[[number, err, errstr, state]…], extra, insert id]",
        later::sync,
    ),
    driver("async_ready", "whether an asynchronous statement is done", &[D], "[1 or 0]", later::async_ready),
    driver(
        "async_result",
        "the outcome of an asynchronous statement",
        &[D, Param::optional("s", "integer", "number of the statement; none: of a do"), MODE, MAX_ROWS],
        "[count, done, rows, extra, insert id]",
        later::async_result,
    ),
    driver(
        "max_lengths",
        "the longest value of each column, if all rows came in the first batch",
        &[S],
        "[[length…] or undef]",
        info::max_lengths,
    ),
    driver(
        "columns",
        "facts about the columns of a result",
        &[S],
        "[[name, original name, table, original table, database, charset, length, undef, type, flags, decimals]…]",
        info::columns,
    ),
];
