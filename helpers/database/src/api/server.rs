//! Servers, for this module: PostgreSQL, MySQL and MariaDB, through the functions that their drivers offer to scripts.
//!
//! So whatever a driver does for a script is done here, too: pools, cancelling, limits, the texts of errors. A driver's
//! functions are asked within the running call ([`Session::delegate`]), under numbers of connections and statements that
//! scripts do not come to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use daemon::{Call, Session};
use protocol::Error;
use serde::{Deserialize, Serialize};
use storable::Value;

use super::binds::{self, Bind, Class};
use super::database::{Database, Executed, Format, Prepared, by_name};
use super::dsn::{Driver, ServerSource};
use super::placeholders;

/// Numbers from here on are this module's; scripts count from 1.
const FIRST_NUMBER: u32 = 1 << 31;

/// PostgreSQL's type of bytes.
const BYTEA: i64 = 17;

fn next_number() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    FIRST_NUMBER | COUNT.fetch_add(1, Relaxed)
}

/// A connection.
#[derive(Clone)]
struct Server {
    driver: Driver,
    /// Its number.
    d: u32,
}

/// A statement.
struct ServerStatement {
    server: Server,
    /// Its number.
    s: u32,
    sql: String,
    rows: RefCell<Rows>,
}

/// Where a statement is.
#[derive(Default)]
struct Rows {
    /// The driver knows its SQL.
    is_made: bool,
    /// The driver has rows left.
    has_more: bool,
    here: VecDeque<Vec<Value>>,
    names: Vec<String>,
    types: Vec<Option<String>>,
}

/// What else a driver may say.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Extra {
    columns: Option<Vec<String>>,
    types: Option<Vec<Value>>,
}

/// The answer to `execute`.
#[derive(Deserialize)]
struct Ran {
    count: Option<i64>,
    done: Value,
    #[serde(default)]
    rows: Option<Vec<Vec<Value>>>,
    #[serde(default)]
    extra: Option<Extra>,
    #[serde(default)]
    _rowid: Option<Value>,
}

/// The answer to `fetch`.
#[derive(Deserialize)]
struct Fetched {
    done: Value,
    #[serde(default)]
    rows: Option<Vec<Vec<Value>>>,
    #[serde(default)]
    _extra: Option<Value>,
}

/// Opens a connection.
pub fn open(
    session: &mut Session,
    source: &ServerSource,
    user: Option<&str>,
    password: Option<&str>,
) -> Result<Rc<dyn Database>, Error> {
    let server = Server { driver: source.driver, d: next_number() };
    let mut params = source.params.clone();
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            params.retain(|(known, _)| known != name);
            params.push((name.to_owned(), value.into()));
        }
    };
    add("user", user);
    add("password", password);
    let settings = Value::hash(source.settings.iter().cloned());
    let _: Value = server.ask(session, "connect", &(server.d, Value::hash(params), settings))?;
    if !source.autocommit && source.driver == Driver::Pg {
        let begin = Value::hash([("begin", 1)]);
        let told: Result<Value, Error> = server.ask(session, "config", &(server.d, begin));
        if let Err(error) = told {
            server.close(session);
            return Err(error);
        }
    }
    Ok(Rc::new(server))
}

impl Server {
    /// Asks the driver.
    fn ask<T: serde::de::DeserializeOwned>(
        &self,
        session: &mut Session,
        function: &str,
        params: &impl Serialize,
    ) -> Result<T, Error> {
        session.delegate(&format!("{}.{function}", self.driver.module()), params)
    }

    /// SQL as the driver takes it.
    fn sql(&self, sql: &str) -> Result<String, Error> {
        if self.driver != Driver::Pg {
            return Ok(sql.to_owned());
        }
        let mixed = || Error::bad_params("Cannot mix placeholder styles \"?\" and \"$1\"");
        placeholders::numbered(sql).ok_or_else(mixed)
    }

    /// A value as the driver takes it.
    fn bound(&self, bind: &Bind) -> Value {
        let value = match &bind.value {
            Value::Bool(yes) => Value::from(i64::from(*yes)),
            value => value.clone(),
        };
        let number = match (self.driver, bind.class) {
            (Driver::Pg, Some(Class::Blob)) => BYTEA,
            (Driver::Pg, _) | (_, None | Some(Class::Text)) => return value,
            (_, Some(Class::Integer)) => 1,
            (_, Some(Class::Real)) => 2,
            (_, Some(Class::Blob)) => 4,
        };
        Value::array([value, number.into()])
    }

    fn all_bound(&self, binds: &[Bind]) -> Option<Vec<Value>> {
        (!binds.is_empty()).then(|| binds.iter().map(|bind| self.bound(bind)).collect())
    }
}

impl Database for Server {
    fn prepare(&self, _session: &mut Session, sql: &str) -> Result<Rc<dyn Prepared>, Error> {
        let rows = RefCell::default();
        Ok(Rc::new(ServerStatement { server: self.clone(), s: next_number(), sql: self.sql(sql)?, rows }))
    }

    fn run(&self, session: &mut Session, sql: &str, values: &[Value]) -> Result<i64, Error> {
        let binds: Vec<_> = values.iter().map(Bind::new).collect();
        let answer: Vec<Value> = self.ask(session, "do", &(self.d, self.sql(sql)?, self.all_bound(&binds)))?;
        Ok(answer.first().and_then(Value::as_i64).unwrap_or(-1))
    }

    fn begin(&self, session: &mut Session) -> Result<(), Error> {
        self.ask::<Value>(session, "begin", &(self.d,)).map(drop)
    }

    fn commit(&self, session: &mut Session) -> Result<(), Error> {
        self.ask::<Value>(session, "commit", &(self.d,)).map(drop)
    }

    fn rollback(&self, session: &mut Session) -> Result<(), Error> {
        self.ask::<Value>(session, "rollback", &(self.d,)).map(drop)
    }

    fn last_insert_id(&self, session: &mut Session) -> Result<i64, Error> {
        let sql = if self.driver == Driver::Pg { "SELECT lastval()" } else { "SELECT LAST_INSERT_ID()" };
        let statement = self.prepare(session, sql)?;
        let found = statement.execute(session, &[], None).and_then(|_| statement.next_row(session, Format::Array));
        statement.finish(session);
        Ok(found?.at(0).and_then(Value::as_i64).unwrap_or(0))
    }

    fn close(&self, session: &mut Session) {
        if let Err(error) = self.ask::<Value>(session, "close", &(self.d,)) {
            tracing::debug!("closing a connection: {error}");
        }
    }
}

impl ServerStatement {
    /// The rows that are here; if there are none, and there are some left, those that come next.
    fn refill(&self, session: &mut Session) -> Result<(), Error> {
        let mut rows = self.rows.try_borrow_mut().map_err(|_| in_use())?;
        while rows.here.is_empty() && rows.has_more {
            let fetched: Fetched = self.server.ask(session, "fetch", &(self.s, (), "a"))?;
            rows.has_more = !fetched.done.is_true();
            rows.here.extend(fetched.rows.unwrap_or_default());
        }
        Ok(())
    }

    /// Of one row, the form that was asked for.
    fn shown(&self, row: Vec<Value>, format: Format) -> Value {
        match format {
            Format::Array => Value::Array(row),
            Format::Hash => by_name(self.rows.borrow().names.iter().map(String::as_str), row),
        }
    }

    fn run(&self, session: &mut Session, binds: Option<&[Value]>) -> Result<i64, Error> {
        let mut rows = self.rows.try_borrow_mut().map_err(|_| in_use())?;
        rows.here.clear();
        rows.has_more = false;
        let sql = (!rows.is_made).then_some(&self.sql);
        // What the driver knows of a statement that failed is for it to say; so it is told the SQL again.
        rows.is_made = false;
        let ran: Ran = self.server.ask(session, "execute", &(self.server.d, self.s, sql, binds, "a"))?;
        rows.is_made = true;
        rows.has_more = !ran.done.is_true();
        rows.here.extend(ran.rows.unwrap_or_default());
        let extra = ran.extra.unwrap_or_default();
        if let Some(names) = extra.columns {
            rows.types = vec![None; names.len()];
            rows.names = names;
        }
        if let Some(types) = extra.types {
            rows.types = types.iter().map(|kind| self.server.driver.type_name(kind)).collect();
        }
        Ok(ran.count.unwrap_or(-1))
    }
}

fn in_use() -> Error {
    Error::bad_params("the statement is in use")
}

impl Prepared for ServerStatement {
    fn execute(&self, session: &mut Session, values: &[Value], params: Option<&Value>) -> Result<Executed, Error> {
        let place = |key: &str| {
            let number = key.trim_start_matches(['$', ':']).parse::<usize>().ok().filter(|number| *number > 0);
            number.map(|number| number - 1).ok_or_else(|| {
                Error::bad_params(format!("the statement has no placeholder {key:?}: they are numbered from 1"))
            })
        };
        let binds = binds::all(values, params, place)?;
        let binds = self.server.all_bound(&binds);
        let rows_affected = self.run(session, binds.as_deref())?;
        let rows = self.rows.borrow();
        Ok(Executed { success: 1, rows_affected, column_names: rows.names.clone(), column_types: rows.types.clone() })
    }

    fn next_row(&self, session: &mut Session, format: Format) -> Result<Value, Error> {
        self.refill(session)?;
        let row = self.rows.borrow_mut().here.pop_front();
        Ok(row.map_or(Value::Undef, |row| self.shown(row, format)))
    }

    fn all_rows(&self, session: &mut Session, format: Format, call: Call<'_>) -> Result<(), Error> {
        #[derive(Serialize)]
        struct All {
            success: u8,
            rows: Vec<Value>,
        }
        let mut all = All { success: 1, rows: Vec::new() };
        loop {
            self.refill(session)?;
            let here = std::mem::take(&mut self.rows.borrow_mut().here);
            if here.is_empty() {
                return call.reply(&all);
            }
            all.rows.extend(here.into_iter().map(|row| self.shown(row, format)));
        }
    }

    fn finish(&self, session: &mut Session) {
        if let Err(error) = self.server.ask::<Value>(session, "finalize", &(self.s,)) {
            tracing::debug!("freeing a statement: {error}");
        }
    }
}
