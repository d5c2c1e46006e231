//! The functions of module `pg`.

mod many;
mod open;
mod reply;
mod run;
mod transfer;

use daemon::{Function, Module, Param, Run};

/// The module's table.
pub static MODULE: Module = Module {
    name: "pg",
    summary: "PostgreSQL for the driver DBD::Pg: connections, statements, rows in batches, COPY",
    functions: FUNCTIONS,
};

const D: Param = Param::required("d", "integer", "number of the connection");
const S: Param = Param::required("s", "integer", "number of the statement");
const SQL: Param = Param::required("sql", "string", "SQL text, with $1, $2 … for parameters");
const SQL_ONCE: Param = Param::optional("sql", "string", "SQL text; left out: that of the first run");
const BINDS: Param = Param::optional("binds", "array", "values: scalars, or [value, OID of its type]");
const MODE: Param =
    Param::optional("mode", "string", "rows as arrays (a), hashes (h), one list of all values (f), or none (0)");
const MAX_ROWS: Param = Param::optional("max_rows", "integer", "at most so many rows");
const OPTS: Param = Param::optional("opts", "hash", "types, how, name, async");
const FD: Param = Param::required("fd", "integer", "number of the open large object");
const OID: Param = Param::required("oid", "integer", "number of the large object");
const PATH: Param = Param::required("path", "string", "a file, as the script names it");

/// A function only for the driver.
const fn driver(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    result: &'static str,
    run: Run,
) -> Function {
    Function { name, summary, params, result, idempotent: false, json: false, run }
}

const EXECUTED: &str = "[count or -1, done, rows, extra, undef]";

const FUNCTIONS: &[Function] = &[
    driver(
        "connect",
        "takes a connection from the pool, or opens one, under the number d",
        &[
            D,
            Param::required("params", "hash", "libpq's parameters; conninfo: a string of them"),
            Param::optional("options", "hash", "begin, utf8, bool_tf, expand_array, errorlevel, readahead, pool"),
        ],
        "[facts]",
        open::connect,
    ),
    driver("close", "rolls back and gives the connection back", &[D], "[1]", open::close),
    driver(
        "config",
        "changes settings of connect",
        &[D, Param::required("options", "hash", "those to change")],
        "[{utf8}]",
        open::config,
    ),
    driver("ping", "asks the server whether it is there", &[D], "[1 to 4, or -1 to -4]", open::ping),
    driver("begin", "begins a transaction", &[D], "[extra]", open::begin),
    driver("commit", "commits, if a transaction is open", &[D], "[extra]", open::commit),
    driver("rollback", "rolls back, if a transaction is open", &[D], "[extra]", open::rollback),
    driver("sync", "waits for what was queued", &[D], "[extra]", open::sync),
    driver("error_fields", "the fields of the last error", &[D], "[hash or undef]", open::error_fields),
    driver("notifies", "notifications that have come", &[D], "[[name, pid, payload]…]", open::notifies),
    driver("status", "what is known of a connection", &[D], "[{tx, pid, utf8, async, lost, params}]", open::status),
    driver(
        "parameter",
        "a setting that the server reports",
        &[D, Param::required("name", "string", "its name")],
        "[value or undef]",
        open::parameter,
    ),
    driver(
        "execute",
        "runs a statement and gives its first batch of rows",
        &[D, S, SQL_ONCE, BINDS, MODE, MAX_ROWS, OPTS],
        EXECUTED,
        run::execute,
    ),
    driver("fetch", "the next batch of rows", &[S, MAX_ROWS, MODE], "[done, rows, extra]", run::fetch),
    driver("rows", "the number of rows of a result, taking in all of it", &[S], "[integer]", run::rows),
    driver("reset", "ends the run of a statement", &[S], "[1]", run::reset),
    driver("finalize", "forgets a statement", &[S], "[1]", run::finalize),
    driver("do", "runs SQL without giving rows", &[D, SQL, BINDS, OPTS], "[count, columns, extra, undef]", run::do_sql),
    driver(
        "select",
        "runs and fetches in one trip; the statement s stays while there is more",
        &[
            D,
            S,
            SQL,
            BINDS,
            MODE,
            Param::optional("max_rows", "integer", "at most so many rows a batch; negative: in all"),
            OPTS,
        ],
        "[names of columns, done, rows, extra, count, undef]",
        run::select,
    ),
    driver(
        "prepare",
        "prepares a statement on the server, and describes it",
        &[D, S, SQL_ONCE, OPTS],
        "[[OIDs of parameters], extra]",
        run::prepare,
    ),
    driver(
        "execute_many",
        "runs a statement once for each list of binds",
        &[
            D,
            S,
            SQL_ONCE,
            Param::required("tuples", "array", "lists of binds"),
            Param::optional("stop_on_error", "boolean", "end at the first failure"),
            OPTS,
        ],
        "[[count or [err, errstr, state]…], extra, undef]",
        many::execute_many,
    ),
    driver(
        "queue",
        "sends a run without waiting for it; a later call tells its error; with s 0 the statement is not kept",
        &[D, S, SQL_ONCE, BINDS, OPTS],
        "[1]",
        many::queue,
    ),
    driver("send", "begins an asynchronous run", &[D, S, SQL_ONCE, BINDS, MODE, MAX_ROWS, OPTS], "[1]", many::send),
    driver("ready", "whether the asynchronous run is over", &[D], "[0 or 1]", many::ready),
    driver("result", "waits for the asynchronous run", &[D, MODE, MAX_ROWS], EXECUTED, many::result),
    driver("cancel", "cancels the asynchronous run", &[D], "[1, or 0 if it was over]", many::cancel),
    driver(
        "copy_put",
        "data for a COPY FROM STDIN",
        &[D, Param::required("data", "string", "any piece of it")],
        "[1]",
        transfer::copy_put,
    ),
    driver(
        "copy_end",
        "the end of the data",
        &[D, Param::optional("reason", "string", "why the COPY is to fail")],
        "[count, extra]",
        transfer::copy_end,
    ),
    driver(
        "copy_get",
        "lines of a COPY TO STDOUT",
        &[
            D,
            Param::optional("max_bytes", "integer", "about so much at once"),
            Param::optional("wait", "boolean", "wait for a line; 1 if left out"),
        ],
        "[done, [lines], extra]",
        transfer::copy_get,
    ),
    driver(
        "lo_creat",
        "makes a large object",
        &[D, Param::required("mode", "integer", "means nothing")],
        "[oid]",
        transfer::lo_creat,
    ),
    driver("lo_create", "makes the large object oid, or any for 0", &[D, OID], "[oid]", transfer::lo_create),
    driver(
        "lo_open",
        "opens a large object",
        &[D, OID, Param::required("mode", "integer", "INV_READ, INV_WRITE")],
        "[fd]",
        transfer::lo_open,
    ),
    driver(
        "lo_write",
        "writes to a large object",
        &[D, FD, Param::required("data", "string", "bytes")],
        "[bytes written]",
        transfer::lo_write,
    ),
    driver(
        "lo_read",
        "reads from a large object",
        &[D, FD, Param::required("len", "integer", "at most so many bytes")],
        "[bytes]",
        transfer::lo_read,
    ),
    driver(
        "lo_lseek",
        "moves in a large object",
        &[
            D,
            FD,
            Param::required("offset", "integer", "so far"),
            Param::required("whence", "integer", "from: 0 the beginning, 1 here, 2 the end"),
        ],
        "[position]",
        transfer::lo_lseek,
    ),
    driver("lo_tell", "the place in a large object", &[D, FD], "[position]", transfer::lo_tell),
    driver(
        "lo_truncate",
        "sets the length of a large object",
        &[D, FD, Param::required("len", "integer", "its length")],
        "[0]",
        transfer::lo_truncate,
    ),
    driver("lo_close", "closes a large object", &[D, FD], "[0]", transfer::lo_close),
    driver("lo_unlink", "deletes a large object", &[D, OID], "[1]", transfer::lo_unlink),
    driver(
        "lo_import",
        "makes a large object of a file",
        &[D, PATH, Param::optional("oid", "integer", "its number, if it matters")],
        "[oid]",
        transfer::lo_import,
    ),
    driver("lo_export", "writes a large object to a file", &[D, OID, PATH], "[1]", transfer::lo_export),
];
