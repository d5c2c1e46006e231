//! The golden corpus: images that perl wrote, and images written here that
//! `perl/t/storable-corpus.t` thaws.
//!
//! `CORPUS_UPDATE=1 cargo test -p cpan-bridge-storable --test corpus` writes corpus/rust anew;
//! `perl crates/storable/corpus/make.pl`, corpus/perl.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use storable::{Cell, Key, Numbers, RowKeys, Value, WriteOptions, Writer, from_slice, to_vec, to_vec_with};

fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(part)
}

/// The images of a part of the corpus, by name, with what is said of them.
fn images(part: &str) -> BTreeMap<String, (Vec<u8>, String)> {
    let mut images = BTreeMap::new();
    for entry in std::fs::read_dir(corpus(part)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "img") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let said = std::fs::read_to_string(path.with_extension("txt")).unwrap();
            images.insert(name, (std::fs::read(&path).unwrap(), said.trim_end().to_owned()));
        }
    }
    images
}

/// Whose eyes a value is described with: the two differ where perl has no type of its own.
#[derive(Clone, Copy, PartialEq)]
enum Eyes {
    Rust,
    Perl,
}

/// The description that corpus/Describe.pm prints.
fn describe(value: &Value, eyes: Eyes) -> String {
    match value {
        Value::Undef => "undef".into(),
        Value::Bool(v) if eyes == Eyes::Perl => u8::from(*v).to_string(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::UInt(v) => string(v.to_string().as_bytes()),
        Value::Double(v) => format!("d{:016x}", v.to_bits()),
        Value::Bytes(v) => string(v),
        Value::Text(v) => text(v, eyes),
        Value::Array(v) => {
            let elements: Vec<_> = v.iter().map(|element| describe(element, eyes)).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Hash(v) => {
            let mut entries: Vec<_> = v.iter().map(|(key, value)| (describe_key(key), describe(value, eyes))).collect();
            entries.sort();
            let entries: Vec<_> = entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn describe_key(key: &Key) -> String {
    match key {
        Key::Text(key) => text(key, Eyes::Perl),
        Key::Bytes(key) => string(key),
    }
}

fn string(bytes: &[u8]) -> String {
    let mut said = String::from("b\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | ..0x20 | 0x7f.. => write!(said, "\\x{byte:02x}").unwrap(),
            _ => said.push(byte.into()),
        }
    }
    said + "\""
}

/// Text; to perl (and when empty) ASCII is bytes, since that is how it is written.
fn text(text: &str, eyes: Eyes) -> String {
    if text.is_empty() || eyes == Eyes::Perl && text.is_ascii() {
        return string(text.as_bytes());
    }
    let mut said = String::from("t\"");
    for char in text.chars() {
        match char {
            '"' | '\\' | ..'\x20' | '\x7f'.. => {
                write!(said, "\\x{{{:x}}}", u32::from(char)).unwrap();
            }
            _ => said.push(char),
        }
    }
    said + "\""
}

#[test]
fn reads_what_perl_wrote() {
    let images = images("perl");
    assert!(images.len() > 60, "only {} images found", images.len());
    for (name, (image, said)) in &images {
        let read = from_slice::<Value>(image);
        if let Some(why) = said.strip_prefix("refused: ") {
            let error = read.expect_err(name).to_string();
            assert!(error.contains(why), "{name}: {error:?} does not say {why:?}");
            continue;
        }
        let value = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&describe(&value, Eyes::Rust), said, "{name}");
        // A NaN apart (there is none in the corpus), what is read can be written and read again.
        let again: Value = from_slice(&to_vec(&value).unwrap()).unwrap();
        assert_eq!(describe(&again, Eyes::Perl), describe(&value, Eyes::Perl), "{name}, again");
    }
}

/// Where perl has one way to write something it is the way used here, byte for byte.
#[test]
fn writes_what_perl_writes() {
    let images = images("perl");
    for name in [
        "root-int",
        "root-string",
        "root-empty-array",
        "root-empty-hash",
        "undef",
        "bytes-1",
        "ints-32",
        "ints-64",
        "doubles",
        "booleans",
        "strings",
        "strings-long",
        "text-long",
        "array-nested",
        "hash",
        "hash-nested",
        "hash-latin1-key",
        "hash-long-key",
        "params",
        "rows",
    ] {
        let image = &images[name].0;
        let value: Value = from_slice(image).unwrap();
        let written = to_vec(&value).unwrap();
        assert_eq!(written[0], image[0], "{name}");
        assert!(written[1] <= image[1], "{name}: a newer format than perl's");
        assert!(written[2..] == image[2..], "{name} differs");
    }
}

#[test]
fn every_cut_is_refused() {
    for (name, (image, said)) in images("perl") {
        if said.starts_with("refused") || image.len() > 2000 {
            continue;
        }
        for len in 0..image.len() {
            assert!(from_slice::<Value>(&image[..len]).is_err(), "{name} cut to {len} bytes");
        }
    }
}

/// Values and what they are to perl, to be thawed by `perl/t/storable-corpus.t`.
fn values() -> Vec<(&'static str, Value)> {
    let bytes = |bytes: &[u8]| Value::from(bytes);
    vec![
        ("undef", Value::array([Value::Undef, Value::Undef])),
        ("root-int", Value::Int(-5)),
        ("root-text", "s\u{fc}\u{df}".into()),
        ("root-hash", Value::hash([("a", 1)])),
        ("booleans", Value::array([true, false])),
        ("ints", Value::array([0, 1, -1, 127, -128, 128, -129, 65536, i64::from(i32::MAX), i64::from(i32::MIN)])),
        ("ints-64", Value::array([1 << 31, -(1 << 31) - 1, 1 << 53, i64::MAX, i64::MIN])),
        ("uints", Value::array([u64::MAX, 1 << 63, 7])),
        (
            "doubles",
            Value::array([0.0, 1.5, -0.1, 0.1 + 0.2, 3.0, 1e300, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY]),
        ),
        (
            "strings",
            Value::array([bytes(b""), bytes(b"abc"), bytes(b"\0\xe9\xff"), bytes(&[b'x'; 255]), bytes(&[b'y'; 256])]),
        ),
        (
            "text",
            Value::array([
                "".into(),
                "ascii".into(),
                "caf\u{e9}".into(),
                "\u{263a}\u{10ffff}".into(),
                Value::Text("\u{e4}".repeat(127)),
                Value::Text("\u{e4}".repeat(128)),
            ]),
        ),
        (
            "nested",
            Value::array([
                Value::array([Value::array::<i32>([])]),
                Value::hash([("x", Value::hash([("y", Value::array([1]))]))]),
            ]),
        ),
        (
            "hash-keys",
            Value::Hash(vec![
                ("plain".into(), 1.into()),
                (Key::Bytes(b"caf\xe9".to_vec()), 2.into()),
                ("\u{263a}".into(), Value::hash([("\u{3b1}", Value::array([1])), ("b", Value::Undef)])),
                ("".into(), 3.into()),
                ("k".repeat(300).into(), 4.into()),
            ]),
        ),
    ]
}

const CELLS: [[Cell<'static>; 7]; 3] = [
    [
        Cell::Int(1),
        Cell::Text("Gauss"),
        Cell::TextBytes("G\u{f6}ttingen".as_bytes()),
        Cell::Bytes(b"\x00\xff"),
        Cell::Double(17.75),
        Cell::Null,
        Cell::Text(""),
    ],
    [Cell::Null; 7],
    [
        Cell::Int(1 << 40),
        Cell::TextBytes(b"ascii"),
        Cell::Text("\u{263a}"),
        Cell::Bytes(b""),
        Cell::Double(-0.5),
        Cell::Int(300),
        Cell::Int(-3),
    ],
];

const COLUMNS: [&str; 7] = ["id", "name", "city", "raw", "amount", "note", "more"];

fn cell(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Undef,
        Cell::Int(v) => v.into(),
        Cell::Double(v) => v.into(),
        Cell::Bytes(v) => v.into(),
        Cell::Text(v) => v.into(),
        Cell::TextBytes(v) => std::str::from_utf8(v).unwrap().into(),
    }
}

/// `[ rows, 2 ]` through the row writer.
fn rows(keys: Option<&RowKeys>) -> Vec<u8> {
    let mut image = Vec::new();
    let mut writer = Writer::begin_image(&mut image);
    writer.begin_array(2);
    let mut rows = match keys {
        Some(keys) => writer.hash_rows(keys),
        None => writer.array_rows(COLUMNS.len()),
    };
    for cells in CELLS {
        rows.row(cells);
    }
    rows.begin_row();
    rows.cell(Cell::Int(9));
    rows.abort_row();
    assert_eq!(rows.finish(), 3);
    writer.int(2);
    writer.finish().unwrap();
    image
}

/// Every image written here, with its description.
fn written() -> Vec<(String, Vec<u8>, String)> {
    let mut written = Vec::new();
    for (name, value) in values() {
        written.push((name.to_owned(), to_vec(&value).unwrap(), describe(&value, Eyes::Perl)));
    }
    let portable = WriteOptions { numbers: Numbers::Portable, ..WriteOptions::default() };
    let numbers = Value::array([Value::Int(1 << 40), Value::Double(0.1 + 0.2), Value::Double(1e300), Value::Int(5)]);
    let said = r#"[b"1099511627776",b"0.30000000000000004",b"1e+300",5]"#;
    written.push(("portable".into(), to_vec_with(&numbers, portable).unwrap(), said.into()));
    let flagged = WriteOptions { flag_ascii: true, ..WriteOptions::default() };
    let said = r#"[t"ascii",b"bytes"]"#;
    let text = Value::array([Value::from("ascii"), Value::from(&b"bytes"[..])]);
    written.push(("flag-ascii".into(), to_vec_with(&text, flagged).unwrap(), said.into()));

    let arrays = Value::array(CELLS.map(|row| Value::array(row.map(cell))));
    let said = describe(&Value::array([arrays, 2.into()]), Eyes::Perl);
    written.push(("rows-arrays".into(), rows(None), said));
    let hashes = |names: [&str; 7]| {
        let hashes = CELLS.map(|row| Value::hash(names.into_iter().zip(row.map(cell))));
        describe(&Value::array([Value::array(hashes), 2.into()]), Eyes::Perl)
    };
    written.push(("rows-hashes".into(), rows(Some(&RowKeys::new(&COLUMNS))), hashes(COLUMNS)));
    let names = ["id", "name", "city", "raw", "amount", "note", "gr\u{f6}\u{df}e"];
    written.push(("rows-hashes-utf8".into(), rows(Some(&RowKeys::new(&names))), hashes(names)));
    written
}

/// The stored files are what is written today: what perl's test has seen.
#[test]
fn writes_what_was_stored() {
    let update = std::env::var_os("CORPUS_UPDATE").is_some();
    let written = written();
    for (name, image, said) in &written {
        let file = corpus("rust").join(name);
        if update {
            std::fs::write(file.with_extension("img"), image).unwrap();
            std::fs::write(file.with_extension("txt"), format!("{said}\n")).unwrap();
        }
        let stored = std::fs::read(file.with_extension("img")).unwrap();
        let stored_said = std::fs::read_to_string(file.with_extension("txt")).unwrap();
        assert_eq!(&stored_said.trim_end(), said, "{name}");
        // The native forms of numbers differ where bytes go the other way round.
        assert!(cfg!(target_endian = "big") || &stored == image, "{name} is written otherwise than stored");
        let read: Value = from_slice(image).unwrap();
        let eyes = if name == "flag-ascii" { Eyes::Rust } else { Eyes::Perl };
        assert_eq!(describe(&read, eyes), *said, "{name}, read back");
    }
    assert_eq!(images("rust").len(), written.len());
}
