//! Module `sqlite`: what the driver (our `DBD::SQLite`) calls.
//!
//! Handles are numbers chosen by the client: `d` a connection, `s` a statement. Parameters are positional, results are
//! arrays. Where a result has a place called *extra*, it is undef or a hash: `ac`, SQLite's autocommit state when it
//! changed; `warn`, texts to warn about; `columns`, the names of the columns when a change of the schema changed them.
//!
//! | file           | functions                                                               |
//! |----------------|-------------------------------------------------------------------------|
//! | `open.rs`      | open, close, config, backup                                             |
//! | `run.rs`       | prepare, execute, fetch, reset, finalize, columns                       |
//! | `shortcut.rs`  | do, select, `execute_many`: several of those in one trip                |
//! | `info.rs`      | counters, limits, switches, metadata, status                            |
//! | `callbacks.rs` | functions, aggregates, collations, hooks                                |
//! | `reply.rs`     | the parts of results                                                    |

mod callbacks;
mod info;
mod open;
mod reply;
mod run;
mod shortcut;

pub(crate) use run::{limit, shape};

use daemon::{Function, Module, Param, Run};
use storable::ValueRef;

use crate::sqlite::{self, StringMode};

/// The module's table.
pub static MODULE: Module = Module {
    name: "sqlite",
    summary: "SQLite for the driver DBD::SQLite: connections, statements, rows in batches, callbacks",
    functions: FUNCTIONS,
};

const D: Param = Param::required("d", "integer", "number of the connection");
const S: Param = Param::required("s", "integer", "number of the statement");
const SQL: Param = Param::required("sql", "string", "SQL text");
const BINDS: Param = Param::optional("binds", "array", "values: scalars, or [value, class]; undef keeps the last ones");
const MODE: Param =
    Param::optional("mode", "string", "rows as arrays (a), hashes (h), one list of all values (f), or none (0)");
const MAX_ROWS: Param = Param::optional("max_rows", "integer", "at most so many rows");
const AHEAD: Param =
    Param::optional("ahead", "array", "[[s, mode]…]: selects gone back (rewind) whose next row is wanted");
const CALLBACK: Param = Param::optional("callback", "integer", "the client's function; 0 for none");
const NAME: Param = Param::required("name", "string", "its name in SQL");
const RESET: Param = Param::optional("reset", "boolean", "begin to count anew");

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

const FUNCTIONS: &[Function] = &[
    driver(
        "open",
        "opens a database under the number d",
        &[
            D,
            Param::required("filename", "string", "path, :memory:, URI or nothing"),
            Param::optional(
                "options",
                "hash",
                "flags, busy_timeout, string_mode, extended, defensive, see_number, begin, cwd, umask",
            ),
        ],
        "[version, version number]",
        open::open,
    ),
    driver("close", "finalizes what is left, rolls back and closes", &[D], "[1]", open::close),
    driver(
        "config",
        "changes settings of open",
        &[D, Param::required("options", "hash", "those to change")],
        "[1]",
        open::config,
    ),
    driver(
        "prepare",
        "prepares the first statement of sql under the number s",
        &[D, S, SQL],
        "[parameters, names of parameters, names of columns, readonly, rest of sql]",
        run::prepare,
    ),
    driver(
        "columns",
        "where the columns of a statement come from",
        &[S],
        "[[decltype, database, table, origin, not null, autoincrement, primary key]…]",
        run::columns,
    ),
    driver(
        "execute",
        "runs a statement and gives its first batch of rows",
        &[S, BINDS, MODE, MAX_ROWS, Param::optional("max_bytes", "integer", "about so many bytes of rows"), AHEAD],
        "[changes, done, rows, extra, last rowid, [results of fetch, for ahead]]",
        run::execute,
    ),
    driver("fetch", "the next batch of rows", &[S, MAX_ROWS, MODE], "[done, rows, extra]", run::fetch),
    driver(
        "rewind",
        "takes a select back to its row number `seen` (from 0), before something is changed that it has read ahead of",
        &[S, Param::required("seen", "integer", "rows that the script has had")],
        "[1 if it could, done]",
        run::rewind,
    ),
    driver("reset", "ends the run of a statement", &[S], "[1]", run::reset),
    driver("finalize", "frees a statement", &[S], "[1]", run::finalize),
    driver(
        "do",
        "runs the first statement of sql, or all",
        &[D, SQL, BINDS, Param::optional("multi", "boolean", "all statements"), AHEAD],
        "[changes, rest of sql, extra, last rowid, columns, [results of fetch, for ahead]]",
        shortcut::do_sql,
    ),
    driver(
        "select",
        "prepares, runs and fetches in one trip; the statement s stays while there is more",
        &[
            D,
            S,
            SQL,
            BINDS,
            MODE,
            Param::optional("max_rows", "integer", "at most so many rows a batch; negative: in all"),
        ],
        "[names of columns, done, rows, extra, changes, last rowid]",
        shortcut::select,
    ),
    driver(
        "execute_many",
        "runs a statement once for each list of binds",
        &[
            S,
            Param::required("tuples", "array", "lists of binds"),
            Param::optional("stop_on_error", "boolean", "end at the first failure"),
            AHEAD,
        ],
        "[[changes or [err, errstr]…], extra, last rowid, total changes, [results of fetch, for ahead]]",
        shortcut::execute_many,
    ),
    driver("changes", "rows changed by the last statement", &[D], "[integer]", info::changes),
    driver("total_changes", "rows changed since open", &[D], "[integer]", info::total_changes),
    driver("last_insert_rowid", "rowid of the last INSERT", &[D], "[integer]", info::last_insert_rowid),
    driver("get_autocommit", "whether no transaction is open", &[D], "[0 or 1]", info::get_autocommit),
    driver("error_offset", "byte offset in the SQL of the last error", &[D], "[integer]", info::error_offset),
    driver(
        "txn_state",
        "SQLITE_TXN_* of a database",
        &[D, Param::optional("schema", "string", "its name")],
        "[integer]",
        info::txn_state,
    ),
    driver(
        "db_filename",
        "file of a database",
        &[D, Param::optional("schema", "string", "its name; main")],
        "[string or undef]",
        info::db_filename,
    ),
    driver(
        "busy_timeout",
        "sets or tells how long to wait for locks",
        &[D, Param::optional("ms", "integer", "milliseconds")],
        "[milliseconds]",
        info::busy_timeout,
    ),
    driver("interrupt", "ends what the connection is doing", &[D], "[1]", info::interrupt),
    driver(
        "limit",
        "sets or tells a run-time limit",
        &[
            D,
            Param::required("id", "integer", "SQLITE_LIMIT_*"),
            Param::optional("value", "integer", "negative: only tell"),
        ],
        "[value before]",
        info::limit,
    ),
    driver(
        "db_config",
        "sets or tells a switch",
        &[
            D,
            Param::required("id", "integer", "SQLITE_DBCONFIG_*"),
            Param::optional("value", "integer", "negative: only tell"),
        ],
        "[value]",
        info::db_config,
    ),
    driver(
        "table_column_metadata",
        "facts about a column of a table",
        &[
            D,
            Param::optional("schema", "string", "name of the database"),
            Param::required("table", "string", "table"),
            Param::required("column", "string", "column"),
        ],
        "[[data type, collation, not null, primary key, autoincrement]]",
        info::table_column_metadata,
    ),
    driver(
        "enable_load_extension",
        "allows or forbids extensions",
        &[D, Param::optional("on", "boolean", "allow")],
        "[1]",
        info::enable_load_extension,
    ),
    driver(
        "load_extension",
        "loads an extension",
        &[D, Param::required("file", "string", "shared library"), Param::optional("entry", "string", "entry point")],
        "[1]",
        info::load_extension,
    ),
    driver("db_status", "counters of a connection", &[D, RESET], "[{name => {current, highwater}}]", info::db_status),
    driver("st_status", "counters of a statement", &[S, RESET], "[{name => integer}]", info::st_status),
    driver("status", "counters of SQLite", &[RESET], "[{name => {current, highwater}}]", info::status),
    driver("compile_options", "options SQLite was compiled with", &[], "[option…]", info::compile_options),
    driver("libversion", "version of SQLite", &[], "[version, number]", info::libversion),
    driver("version", "the same as libversion", &[], "[version, number]", info::libversion),
    driver(
        "strlike",
        "compares as LIKE does",
        &[
            Param::required("pattern", "string", "LIKE pattern"),
            Param::required("text", "string", "text"),
            Param::optional("escape", "string", "escape character"),
        ],
        "[0 if it matches]",
        info::strlike,
    ),
    driver(
        "strglob",
        "compares as GLOB does",
        &[Param::required("pattern", "string", "GLOB pattern"), Param::required("text", "string", "text")],
        "[0 if it matches]",
        info::strglob,
    ),
    driver("complete", "whether SQL ends with a whole statement", &[SQL], "[0 or 1]", info::complete),
    driver(
        "backup",
        "copies the main database from or to a file",
        &[D, Param::required("direction", "string", "from or to"), Param::required("filename", "string", "the file")],
        "[1]",
        open::backup,
    ),
    driver(
        "backup_dbh",
        "copies the main database from or to another connection",
        &[
            D,
            Param::required("direction", "string", "from or to"),
            Param::required("other", "integer", "number of the other connection"),
        ],
        "[1]",
        open::backup_dbh,
    ),
    driver(
        "create_function",
        "registers a function of the client's",
        &[
            D,
            NAME,
            Param::required("args", "integer", "number of arguments; -1: any"),
            CALLBACK,
            Param::optional("flags", "integer", "SQLITE_DETERMINISTIC …"),
        ],
        "[1]",
        callbacks::create_function,
    ),
    driver(
        "create_aggregate",
        "registers an aggregate of the client's",
        &[
            D,
            NAME,
            Param::required("args", "integer", "number of arguments; -1: any"),
            CALLBACK,
            Param::optional("flags", "integer", "SQLITE_DETERMINISTIC …"),
        ],
        "[1]",
        callbacks::create_aggregate,
    ),
    driver(
        "create_collation",
        "registers a collation of the client's; without a callback, order of bytes",
        &[D, NAME, CALLBACK],
        "[1]",
        callbacks::create_collation,
    ),
    driver(
        "collation_needed",
        "what to call for an unknown collation",
        &[D, CALLBACK],
        "[1]",
        callbacks::collation_needed,
    ),
    driver(
        "register_fts3_perl_tokenizer",
        "registers the tokenizer perl for full-text tables",
        &[D, CALLBACK],
        "[1]",
        callbacks::register_fts3_perl_tokenizer,
    ),
    driver(
        "create_module",
        "registers a module of virtual tables of the client's",
        &[D, NAME, CALLBACK],
        "[1]",
        callbacks::create_module,
    ),
    driver("commit_hook", "what to ask before a commit", &[D, CALLBACK], "[1]", callbacks::commit_hook),
    driver("rollback_hook", "what to tell of a rollback", &[D, CALLBACK], "[1]", callbacks::rollback_hook),
    driver("update_hook", "what to tell of each changed row", &[D, CALLBACK], "[1]", callbacks::update_hook),
    driver(
        "set_authorizer",
        "what to ask while a statement is compiled",
        &[D, CALLBACK],
        "[1]",
        callbacks::set_authorizer,
    ),
    driver(
        "progress_handler",
        "what to ask every n instructions",
        &[D, Param::required("n", "integer", "instructions"), CALLBACK],
        "[1]",
        callbacks::progress_handler,
    ),
    driver("trace", "what to tell of each statement that begins", &[D, CALLBACK], "[1]", callbacks::trace),
    driver("profile", "what to tell of each statement that ends", &[D, CALLBACK], "[1]", callbacks::profile),
];

/// SQL, or another string that goes to SQLite as text, in the string mode of the connection.
fn encode<'v>(text: &'v ValueRef<'v>, mode: StringMode) -> sqlite::Result<std::borrow::Cow<'v, [u8]>> {
    match text {
        ValueRef::Bytes(bytes) => Ok(mode.encode_bytes(bytes)),
        ValueRef::Text(text) => mode.encode_text(text),
        ValueRef::Undef => Ok((&[][..]).into()),
        ValueRef::Int(int) => Ok(int.to_string().into_bytes().into()),
        ValueRef::Double(double) => Ok(storable::perl_number(*double).into_bytes().into()),
        _ => Err(sqlite::Error::Croak("a string was expected, not a reference".into())),
    }
}

/// A name, in UTF-8 if it is text.
fn name<'v>(name: &'v ValueRef<'v>) -> sqlite::Result<std::borrow::Cow<'v, [u8]>> {
    encode(name, StringMode::Pv)
}
