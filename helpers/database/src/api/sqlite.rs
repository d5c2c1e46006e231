//! SQLite, for this module.

use std::cell::RefCell;
use std::rc::Rc;

use daemon::{Call, Session};
use protocol::Error;
use storable::{Value, ValueRef};

use super::binds::{self, Bind, Class};
use super::database::{Database, Executed, Format, Prepared, by_name};
use super::dsn::SqliteSource;
use crate::desk::{self, begin_before, work};
use crate::sqlite::{self, AutoBegin, BatchLimits, Connection, RowShape, Statement};

/// A connection.
struct Sqlite(Rc<Connection>);

/// A statement; borrowed while a call works on it.
struct SqliteStatement {
    statement: RefCell<Statement>,
    connection: Rc<Connection>,
}

/// Opens a database.
pub fn open(session: &mut Session, source: &SqliteSource) -> Result<Rc<dyn Database>, Error> {
    let connection = work(session, None, || {
        let connection = Connection::open(source.filename.as_bytes(), source.flags, source.busy_timeout_ms)?;
        connection.shared().string_mode.set(source.string_mode);
        connection.set_auto_begin(source.begin);
        Ok(connection)
    })?;
    Ok(Rc::new(Sqlite(connection)))
}

impl Sqlite {
    fn end(&self, session: &mut Session, sql: &str) -> Result<(), Error> {
        if self.0.autocommit() {
            return Ok(());
        }
        work(session, Some(&self.0), || desk::run(&self.0, sql))
    }
}

impl Database for Sqlite {
    fn prepare(&self, session: &mut Session, sql: &str) -> Result<Rc<dyn Prepared>, Error> {
        let statement = work(session, Some(&self.0), || Ok(Statement::prepare(&self.0, sql.as_bytes())?.0))?;
        Ok(Rc::new(SqliteStatement { statement: RefCell::new(statement), connection: Rc::clone(&self.0) }))
    }

    fn run(&self, session: &mut Session, sql: &str, values: &[Value]) -> Result<i64, Error> {
        work(session, Some(&self.0), || {
            let (mut statement, _) = Statement::prepare(&self.0, sql.as_bytes())?;
            let binds: Vec<_> = values.iter().map(Bind::new).collect();
            let before = self.0.total_changes();
            run(&mut statement, &binds)?;
            statement.run_out()?;
            Ok(affected(&statement, &self.0, before))
        })
    }

    fn begin(&self, session: &mut Session) -> Result<(), Error> {
        let sql = AutoBegin::Immediate.sql().unwrap_or("BEGIN");
        work(session, Some(&self.0), || desk::run(&self.0, sql))
    }

    fn commit(&self, session: &mut Session) -> Result<(), Error> {
        self.end(session, "COMMIT")
    }

    fn rollback(&self, session: &mut Session) -> Result<(), Error> {
        self.end(session, "ROLLBACK")
    }

    fn last_insert_id(&self, _session: &mut Session) -> Result<i64, Error> {
        Ok(self.0.last_insert_rowid())
    }

    fn close(&self, _session: &mut Session) {}
}

impl SqliteStatement {
    fn work<R>(
        &self,
        session: &mut Session,
        task: impl FnOnce(&mut Statement) -> sqlite::Result<R>,
    ) -> Result<R, Error> {
        let mut statement =
            self.statement.try_borrow_mut().map_err(|_| Error::bad_params("the statement is in use"))?;
        work(session, Some(&self.connection), || task(&mut statement))
    }
}

impl Prepared for SqliteStatement {
    fn execute(&self, session: &mut Session, values: &[Value], params: Option<&Value>) -> Result<Executed, Error> {
        self.work(session, |statement| {
            let binds = binds::all(values, params, |key| placeholder(statement, key))?;
            let rows_affected = run(statement, &binds)?;
            statement.refresh_names();
            let columns = statement.names().len();
            Ok(Executed {
                success: 1,
                rows_affected,
                column_names: statement.names().iter().map(|name| text(name)).collect(),
                column_types: (0..columns).map(|column| statement.column_origin(column).decltype).collect(),
            })
        })
    }

    fn next_row(&self, session: &mut Session, format: Format) -> Result<Value, Error> {
        self.work(session, |statement| {
            Ok(match statement.next_row()? {
                None => Value::Undef,
                Some(row) if format == Format::Array => Value::Array(row),
                Some(row) => by_name(statement.names().iter().map(|name| text(name)), row),
            })
        })
    }

    fn all_rows(&self, session: &mut Session, format: Format, mut call: Call<'_>) -> Result<(), Error> {
        let shape = if format == Format::Hash { RowShape::Hashes } else { RowShape::Arrays };
        let everything = BatchLimits { rows: usize::MAX, bytes: daemon::limits::MAX_FRAME_BYTES };
        let mut writer = call.writer();
        self.work(session, |statement| {
            let mut result = writer.begin_hash(2);
            writer.int(1);
            writer.key(&mut result, "success");
            statement.write_rows(&mut writer, shape, everything)?;
            writer.key(&mut result, "rows");
            statement.deferred_error()
        })?;
        writer.finish().map_err(Error::internal)?;
        call.finish()
    }

    fn finish(&self, _session: &mut Session) {}
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A value as the statement takes it: with the number of its class, where it has one.
fn bound(bind: &Bind) -> Value {
    let number: i64 = match bind.class {
        Some(Class::Integer) => 1,
        Some(Class::Real) => 2,
        Some(Class::Text) => 3,
        Some(Class::Blob) => 4,
        None => return bind.value.clone(),
    };
    Value::array([bind.value.clone(), number.into()])
}

/// Begins a statement; the number of rows it changed, -1 if it returns rows.
fn run(statement: &mut Statement, binds: &[Bind]) -> sqlite::Result<i64> {
    let connection = Rc::clone(statement.connection());
    let binds: Vec<_> = binds.iter().map(bound).collect();
    let binds: Vec<_> = binds.iter().map(ValueRef::from).collect();
    statement.bind(&binds)?;
    begin_before(&connection, desk::opens_transaction(&statement.sql()))?;
    let before = connection.total_changes();
    statement.start()?;
    Ok(affected(statement, &connection, before))
}

fn affected(statement: &Statement, connection: &Connection, before: i64) -> i64 {
    if statement.has_columns() && statement.is_readonly() {
        -1
    } else if connection.total_changes() == before {
        0
    } else {
        connection.changes()
    }
}

/// A placeholder by number (from 1), or by name with or without its sign.
fn placeholder(statement: &Statement, key: &str) -> sqlite::Result<usize> {
    let count = statement.parameters();
    let number = key.parse::<usize>().ok().filter(|number| (1..=count).contains(number));
    let named = || {
        (0..count).find(|&index| {
            let name = statement.parameter_name(index).unwrap_or_default();
            !name.is_empty() && (name == key.as_bytes() || &name[1..] == key.as_bytes())
        })
    };
    number
        .map(|number| number - 1)
        .or_else(named)
        .ok_or_else(|| sqlite::Error::misuse(format!("the statement has no placeholder {key:?}")))
}
