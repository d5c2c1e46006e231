//! The low-level writer and the row writer.
#![allow(clippy::unwrap_used)] // helpers of tests

use storable::{Cell, Error, RowKeys, Value, ValueRef, Writer, from_slice};

#[test]
fn counts_can_be_patched_in() {
    let mut image = b"frame".to_vec();
    let mut writer = Writer::begin_image(&mut image);
    let outer = writer.reserve_array();
    let mut hash = writer.begin_hash(0);
    let inner = writer.reserve_array();
    writer.text("\u{e9}");
    writer.undef();
    writer.patch(inner, 2);
    writer.key(&mut hash, "list");
    writer.value(&("serde", 1.5)).unwrap();
    writer.key(&mut hash, "k\u{e9}y");
    writer.bool(true);
    writer.key_bytes(&mut hash, b"\xff");
    writer.end_hash(hash);
    writer.uint(u64::MAX);
    writer.patch(outer, 2);
    writer.finish().unwrap();
    assert!(image.starts_with(b"frame\x05\x05\x02"));
    let value: Value = from_slice(&image[5..]).unwrap();
    let hash = value.at(0).unwrap();
    assert_eq!(hash.get("list").unwrap().at(0), Some(&"\u{e9}".into()));
    assert_eq!(hash.get("k\u{e9}y").unwrap().at(1), Some(&Value::Double(1.5)));
    assert_eq!(hash.as_hash().unwrap()[2], (vec![0xff].into(), Value::Bool(true)));
    assert_eq!(value.at(1).unwrap().as_u64(), Some(u64::MAX));
}

#[test]
fn an_image_needs_a_value() {
    let mut image = Vec::new();
    let error = Writer::begin_image(&mut image).finish().unwrap_err().to_string();
    assert_eq!(error, "a Storable image needs a value, none was written");
}

#[test]
fn rows_can_be_the_root() {
    let mut image = Vec::new();
    let mut writer = Writer::begin_image(&mut image);
    let mut rows = writer.array_rows(2);
    rows.row([Cell::Int(1), Cell::Text("\u{e9}")]);
    rows.row([Cell::Null, Cell::Bytes(&[b'x'; 300])]);
    assert_eq!((rows.len(), rows.bytes()), (2, 6 + 2 + 4 + 6 + 1 + 305));
    rows.finish();
    writer.finish().unwrap();
    let rows: Vec<(Option<i32>, String)> = from_slice(&image).unwrap();
    assert_eq!(rows[0], (Some(1), "\u{e9}".into()));
    assert_eq!(rows[1], (None, "x".repeat(300)));
}

#[test]
fn flat_rows_are_one_array() {
    let mut image = Vec::new();
    let mut writer = Writer::begin_image(&mut image);
    writer.begin_array(2);
    let mut rows = writer.flat_rows(2);
    rows.row([Cell::Int(1), Cell::Null]);
    rows.row([Cell::Text("\u{e9}"), Cell::Bytes(b"x")]);
    rows.begin_row();
    rows.cell(Cell::Int(9));
    rows.abort_row();
    rows.begin_row(); // nothing of it was written yet
    rows.abort_row();
    assert_eq!(rows.finish(), 2);
    assert_eq!(writer.flat_rows(0).finish(), 0);
    writer.finish().unwrap();
    let value: Value = from_slice(&image).unwrap();
    let cells = Value::array([Value::Int(1), Value::Undef, "\u{e9}".into(), Value::Bytes(b"x".to_vec())]);
    assert_eq!(value, Value::array([cells, Value::Array(vec![])]));
}

#[test]
fn no_rows_and_no_columns_are_fine() {
    let mut image = Vec::new();
    let mut writer = Writer::begin_image(&mut image);
    writer.begin_array(2);
    let keys = RowKeys::new::<&str>(&[]);
    assert!(keys.is_empty());
    assert!(writer.hash_rows(&keys).is_empty());
    let mut rows = writer.array_rows(0);
    rows.row([]);
    assert_eq!(rows.finish(), 1);
    writer.finish().unwrap();
    let value: ValueRef<'_> = from_slice(&image).unwrap();
    assert_eq!(value.to_value(), Value::array([Value::Array(vec![]), Value::array([Value::Array(vec![])])]));
}

#[test]
fn the_later_of_two_columns_of_a_name_wins() {
    let mut image = Vec::new();
    let mut writer = Writer::begin_image(&mut image);
    let keys = RowKeys::from_bytes(&["a", "a"]);
    let mut rows = writer.hash_rows(&keys);
    rows.row([Cell::Int(1), Cell::Int(2)]);
    rows.finish();
    let value: Value = from_slice(&image).unwrap();
    assert_eq!(value.at(0).unwrap().get("a"), Some(&Value::Int(2)));
}

#[test]
fn a_row_of_another_length_is_an_error() {
    let keys = RowKeys::new(&["a", "b"]);
    for cells in [1, 3] {
        for shape in ["arrays", "hashes", "flat"] {
            let mut image = Vec::new();
            let mut writer = Writer::begin_image(&mut image);
            let mut rows = match shape {
                "hashes" => writer.hash_rows(&keys),
                "flat" => writer.flat_rows(2),
                _ => writer.array_rows(2),
            };
            rows.row((0..cells).map(Cell::Int));
            rows.finish();
            let error = writer.finish().unwrap_err();
            assert_eq!(error, Error::Data(format!("a row of {cells} cells in a result of 2 columns")));
        }
    }
}
