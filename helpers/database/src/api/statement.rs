//! Statements and rows.

use std::rc::Rc;

use daemon::{Call, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};
use storable::Value;

use super::connect::SUCCESS;
use super::database::Format;
use super::names::Named;
use crate::desk::{tables, work};

#[derive(Deserialize)]
struct Prepare {
    connection_id: String,
    sql: String,
}

#[derive(Serialize)]
struct Prepared {
    success: u8,
    statement_id: String,
}

pub fn prepare(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Prepare { connection_id, sql } = call.params()?;
    let database = tables(session).api.connection(&connection_id)?;
    let permit = Rc::new(session.handle_permit("statement")?);
    let statement = database.prepare(session, &sql)?;
    let statement_id = daemon::unguessable_id()?;
    let named = Named { statement, _permit: permit };
    tables(session).api.insert_statement(&connection_id, statement_id.clone(), named)?;
    call.reply(&Prepared { success: 1, statement_id })
}

#[derive(Deserialize)]
struct Execute {
    connection_id: String,
    statement_id: String,
    #[serde(default)]
    bind_values: Option<Vec<Value>>,
    #[serde(default)]
    bind_params: Option<Value>,
}

pub fn execute_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Execute { connection_id, statement_id, bind_values, bind_params } = call.params()?;
    let named = tables(session).api.statement(&connection_id, &statement_id)?;
    let values = bind_values.unwrap_or_default();
    let executed = named.statement.execute(session, &values, bind_params.as_ref())?;
    call.reply(&executed)
}

#[derive(Deserialize)]
struct Fetch {
    connection_id: String,
    statement_id: String,
    #[serde(default)]
    format: Option<String>,
}

impl Fetch {
    fn format(&self) -> Result<Format, Error> {
        match self.format.as_deref() {
            None | Some("" | "array" | "arrayref") => Ok(Format::Array),
            Some("hash" | "hashref") => Ok(Format::Hash),
            Some(other) => Err(Error::bad_params(format!("format is \"array\" or \"hash\", not {other:?}"))),
        }
    }
}

#[derive(Serialize)]
struct Row {
    success: u8,
    row: Value,
}

pub fn fetch_row(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let fetch: Fetch = call.params()?;
    let format = fetch.format()?;
    let named = tables(session).api.statement(&fetch.connection_id, &fetch.statement_id)?;
    let row = named.statement.next_row(session, format)?;
    call.reply(&Row { success: 1, row })
}

pub fn fetch_all(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let fetch: Fetch = call.params()?;
    let format = fetch.format()?;
    let named = tables(session).api.statement(&fetch.connection_id, &fetch.statement_id)?;
    named.statement.all_rows(session, format, call)
}

#[derive(Deserialize)]
struct Finish {
    connection_id: String,
    statement_id: String,
}

pub fn finish_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Finish { connection_id, statement_id } = call.params()?;
    let named = tables(session).api.statement(&connection_id, &statement_id)?;
    drop(tables(session).api.remove_statement(&connection_id, &statement_id));
    named.statement.finish(session);
    // SQLite may call back when a statement goes.
    work(session, None, || {
        drop(named);
        Ok(())
    })?;
    call.reply(&SUCCESS)
}

#[derive(Deserialize)]
struct Do {
    connection_id: String,
    sql: String,
    #[serde(default)]
    bind_values: Option<Vec<Value>>,
}

#[derive(Serialize)]
struct Done {
    success: u8,
    rows_affected: i64,
}

pub fn do_statement(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Do { connection_id, sql, bind_values } = call.params()?;
    let database = tables(session).api.connection(&connection_id)?;
    let rows_affected = database.run(session, &sql, &bind_values.unwrap_or_default())?;
    call.reply(&Done { success: 1, rows_affected })
}
