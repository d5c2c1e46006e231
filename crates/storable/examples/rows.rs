//! Nanoseconds per row of the row writer, for rows of five short columns.
//!
//! `cargo run --release --example rows -p cpan-bridge-storable`
//!
//! With an argument, writes the image of a thousand rows there, for `thaw` to be timed on:
//! `… -- arrays FILE` or `… -- hashes FILE`.

use std::hint::black_box;
use std::time::Instant;

use storable::{Cell, RowKeys, Value, Writer};

const ROWS: usize = 1000;
const ROUNDS: usize = 200;
const COLUMNS: [&str; 5] = ["id", "name", "city", "amount", "note"];

fn mixed(id: i64) -> [Cell<'static>; 5] {
    [Cell::Int(id), Cell::Text("Gauss"), Cell::TextBytes("G\u{f6}ttingen".as_bytes()), Cell::Double(17.77), Cell::Null]
}

fn strings(_: i64) -> [Cell<'static>; 5] {
    [Cell::TextBytes(b"abcdef"); 5]
}

fn write(image: &mut Vec<u8>, keys: Option<&RowKeys>, row: fn(i64) -> [Cell<'static>; 5]) {
    image.clear();
    let mut writer = Writer::begin_image(image);
    let mut rows = match keys {
        Some(keys) => writer.hash_rows(keys),
        None => writer.array_rows(COLUMNS.len()),
    };
    for id in 0..ROWS {
        rows.row(black_box(row(i64::try_from(id).unwrap_or(0))));
    }
    rows.finish();
}

/// The best of many rounds, in nanoseconds per row.
fn best(mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e9 / 1000.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = RowKeys::new(&COLUMNS);
    let mut image = Vec::new();
    if let [_, shape, file] = std::env::args().collect::<Vec<_>>().as_slice() {
        write(&mut image, (shape == "hashes").then_some(&keys), mixed);
        std::fs::write(file, &image)?;
        return Ok(());
    }
    for (name, row) in [("mixed", mixed as fn(i64) -> _), ("strings", strings)] {
        for (shape, keys) in [("arrays", None), ("hashes", Some(&keys))] {
            let nanos = best(|| write(&mut image, keys, row));
            println!("write {name:8} {shape}  {nanos:6.1} ns/row  {} bytes/row", image.len() / ROWS);
            let nanos = best(|| {
                black_box(storable::check(&image, &storable::Limits::default()).is_ok());
            });
            println!("check {name:8} {shape}  {nanos:6.1} ns/row");
            let nanos = best(|| {
                black_box(storable::from_slice::<Value>(&image).is_ok());
            });
            println!("read  {name:8} {shape}  {nanos:6.1} ns/row (as Value)");
        }
    }
    Ok(())
}
