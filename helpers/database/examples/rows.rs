//! How long a row takes from SQLite's memory into an image: 100,000 rows of 5 columns, in batches as the driver sends
//! them; and how long a call for one row takes, without the socket. `cargo run --release -p cpan-bridge-database --example rows`

use std::time::{Duration, Instant};

use daemon::testing::TestSession;
use database::sqlite::{BatchLimits, Connection, DEFAULT_FLAGS, Error, RowShape, Statement, StringMode};
use storable::Writer;

const ROWS: u32 = 100_000;
const ROUNDS: usize = 15;
const CALLS: u32 = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Connection::open(b":memory:", DEFAULT_FLAGS, 0)?;
    for sql in [
        "create table t(id integer primary key, name text, price real, stock integer, note text)",
        "insert into t with recursive c(x) as (select 1 union all select x+1 from c where x<100000)
         select x, 'item number ' || x, x * 1.25, x % 1000, case x % 10 when 0 then null else 'some note about it' end from c",
    ] {
        let (mut statement, _) = Statement::prepare(&connection, sql.as_bytes())?;
        statement.start()?;
    }
    for (what, shape, mode) in [
        ("arrays, bytes", RowShape::Arrays, StringMode::Pv),
        ("arrays, unicode", RowShape::Arrays, StringMode::UnicodeStrict),
        ("hashes, bytes", RowShape::Hashes, StringMode::Pv),
    ] {
        connection.shared().string_mode.set(mode);
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS {
            let (took, written) = read(&connection, shape)?;
            times.push(took);
            bytes = written;
        }
        times.sort();
        let per_row = times[ROUNDS / 2].as_secs_f64() * 1e6 / f64::from(ROWS);
        println!("{what:16} {per_row:.3} µs a row, {bytes} bytes");
    }
    let mut times: Vec<_> = (0..ROUNDS).map(|_| step_only(&connection)).collect::<Result<_, _>>()?;
    times.sort();
    println!("stepping alone   {:.3} µs a row", times[ROUNDS / 2].as_secs_f64() * 1e6 / f64::from(ROWS));
    println!("one row, a call  {:.3} µs", calls()?.as_secs_f64() * 1e6 / f64::from(CALLS));
    Ok(())
}

/// Calls of `sqlite.execute` that answer with one row.
fn calls() -> Result<Duration, daemon::Error> {
    let mut session = TestSession::new(&database::modules())?;
    let _: storable::Value = session.call("sqlite.open", &(1, ":memory:"))?;
    for sql in ["create table t(id integer primary key, a, b)", "insert into t values(1, 'one', 1.5)"] {
        let _: storable::Value = session.call("sqlite.do", &(1, sql))?;
    }
    let _: storable::Value = session.call("sqlite.prepare", &(1, 1, "select * from t where id = ?"))?;
    let params = storable::to_vec(&(1, ["1"], "a"))?;
    let began = Instant::now();
    for _ in 0..CALLS {
        session.call_image("sqlite.execute", &params)?;
    }
    Ok(began.elapsed())
}

/// Reads the whole table; the time it took, and the bytes that were written.
fn read(connection: &std::rc::Rc<Connection>, shape: RowShape) -> Result<(Duration, usize), Error> {
    let began = Instant::now();
    let (mut statement, _) = Statement::prepare(connection, b"select id, name, price, stock, note from t")?;
    statement.start()?;
    let (mut out, mut bytes) = (Vec::new(), 0);
    while !statement.is_done() {
        out.clear();
        let mut writer = Writer::begin_image(&mut out);
        statement.write_rows(&mut writer, shape, BatchLimits::default())?;
        bytes += out.len();
    }
    Ok((began.elapsed(), bytes))
}

/// What SQLite takes without any of ours.
fn step_only(connection: &std::rc::Rc<Connection>) -> Result<Duration, Error> {
    let began = Instant::now();
    let (mut statement, _) = Statement::prepare(connection, b"select id, name, price, stock, note from t")?;
    statement.start()?;
    statement.run_out()?;
    Ok(began.elapsed())
}
