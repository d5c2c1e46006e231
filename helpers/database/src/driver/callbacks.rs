//! Functions, aggregates, collations and hooks that the client computes. Callbacks get:
//!
//! | registered by          | called with                                    | answers                                  |
//! |------------------------|------------------------------------------------|------------------------------------------|
//! | `create_function`      | the arguments                                  | `[class, value]`, classes as in binds    |
//! | `create_aggregate`     | `step`, group, `[args]`…, now and then         | nothing                                  |
//! |                        | `final`, group, the rest of the `[args]`       | `[class, value]`                         |
//! |                        | `drop`, group, when the statement was ended    | nothing                                  |
//! | `create_collation`     | two strings                                    | negative, 0 or positive                  |
//! | `collation_needed`     | the name                                       | nothing; it registers the collation      |
//! | `commit_hook`          | nothing                                        | true to roll back                        |
//! | `rollback_hook`        | nothing                                        | nothing                                  |
//! | `update_hook`          | action, database, table, rowid                 | nothing                                  |
//! | `set_authorizer`       | action, two strings, database, trigger or view | `SQLITE_OK`, `SQLITE_DENY`, `SQLITE_IGNORE` |
//! | `progress_handler`     | nothing                                        | true to interrupt                        |
//! | `register_fts3_perl_tokenizer` | `create`, name; `tokenize`, name, text | nothing; `[term, start, end, position]`… |
//! | `create_module`        | see `sqlite/vtab/mod.rs`                       |                                          |
//! | `trace`, `profile`     | SQL; and the nanoseconds it took               | nothing                                  |

use daemon::{Call, Session};
use protocol::Error;
use serde::Deserialize;
use storable::ValueRef;

use super::name;
use crate::desk::{tables, work};
use crate::sqlite::{self, Connection};

#[derive(Deserialize)]
struct Create<'a> {
    d: u32,
    #[serde(borrow)]
    name: ValueRef<'a>,
    args: i32,
    #[serde(default)]
    callback: Option<u32>,
    #[serde(default)]
    flags: Option<i32>,
}

type Register = fn(&Connection, &[u8], i32, u32, i32) -> sqlite::Result<()>;

fn create(session: &mut Session, call: Call<'_>, register: Register) -> Result<(), Error> {
    let create: Create<'_> = call.params()?;
    let connection = tables(session).connection(create.d)?;
    let (id, flags) = (create.callback.unwrap_or(0), create.flags.unwrap_or(0));
    work(session, Some(&connection), || register(&connection, &name(&create.name)?, create.args, id, flags))?;
    call.reply(&(1,))
}

pub fn create_function(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    create(session, call, Connection::create_function)
}

pub fn create_aggregate(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    create(session, call, Connection::create_aggregate)
}

#[derive(Deserialize)]
struct CreateNamed<'a> {
    d: u32,
    #[serde(borrow)]
    name: ValueRef<'a>,
    #[serde(default)]
    callback: Option<u32>,
}

fn create_named(
    session: &mut Session,
    call: Call<'_>,
    register: fn(&Connection, &[u8], u32) -> sqlite::Result<()>,
) -> Result<(), Error> {
    let create: CreateNamed<'_> = call.params()?;
    let connection = tables(session).connection(create.d)?;
    let id = create.callback.unwrap_or(0);
    work(session, Some(&connection), || register(&connection, &name(&create.name)?, id))?;
    call.reply(&(1,))
}

pub fn create_collation(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    create_named(session, call, Connection::create_collation)
}

pub fn create_module(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    create_named(session, call, Connection::create_module)
}

#[derive(Deserialize)]
struct Hook {
    d: u32,
    #[serde(default)]
    callback: Option<u32>,
}

fn hook(session: &mut Session, call: Call<'_>, set: fn(&Connection, u32) -> sqlite::Result<()>) -> Result<(), Error> {
    let Hook { d, callback } = call.params()?;
    let connection = tables(session).connection(d)?;
    work(session, Some(&connection), || set(&connection, callback.unwrap_or(0)))?;
    call.reply(&(1,))
}

macro_rules! hooks {
    ($($name:ident => $set:expr,)*) => {
        $(pub fn $name(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
            hook(session, call, $set)
        })*
    };
}

hooks! {
    collation_needed => Connection::collation_needed,
    set_authorizer => Connection::set_authorizer,
    register_fts3_perl_tokenizer => Connection::register_tokenizer,
    commit_hook => |connection, id| { connection.commit_hook(id); Ok(()) },
    rollback_hook => |connection, id| { connection.rollback_hook(id); Ok(()) },
    update_hook => |connection, id| { connection.update_hook(id); Ok(()) },
    trace => |connection, id| { connection.trace(id); Ok(()) },
    profile => |connection, id| { connection.profile(id); Ok(()) },
}

#[derive(Deserialize)]
struct Progress {
    d: u32,
    #[serde(default)]
    n: Option<i32>,
    #[serde(default)]
    callback: Option<u32>,
}

pub fn progress_handler(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Progress { d, n, callback } = call.params()?;
    let connection = tables(session).connection(d)?;
    connection.progress_handler(n.unwrap_or(0), callback.unwrap_or(0));
    call.reply(&(1,))
}
