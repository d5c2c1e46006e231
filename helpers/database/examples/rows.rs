//! How long a row takes from SQLite's memory into an image: 100,000 rows of 5 columns, in batches as the driver sends
//! them. `cargo run --release -p cpan-bridge-database --example rows`

use std::time::{Duration, Instant};

use database::sqlite::{BatchLimits, Connection, DEFAULT_FLAGS, Error, RowShape, Statement, StringMode};
use storable::Writer;

const ROWS: u32 = 100_000;
const ROUNDS: usize = 15;

fn main() -> Result<(), Error> {
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
    Ok(())
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
