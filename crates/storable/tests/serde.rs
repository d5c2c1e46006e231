//! Rust values through an image and back, and the conversions on the way.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use storable::{Key, Numbers, Value, ValueRef, WriteOptions, from_slice, to_vec, to_vec_with};

fn back<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> T {
    from_slice(&to_vec(value).unwrap()).unwrap()
}

fn convert<T: for<'de> Deserialize<'de>>(value: impl Serialize) -> storable::Result<T> {
    from_slice(&to_vec(&value).unwrap())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Params {
    sql: String,
    rows: u32,
    #[serde(default)]
    binds: Vec<Value>,
    note: Option<String>,
}

fn params() -> Params {
    Params { sql: "select ?".into(), rows: 7, binds: vec![Value::Int(1), Value::Undef], note: None }
}

#[test]
fn numbers_keep_their_value() {
    for int in [0, 1, -1, 127, -128, 128, -129, i64::from(i32::MAX), i64::from(i32::MIN), 1 << 31, i64::MAX, i64::MIN] {
        assert_eq!(back(&int), int);
        assert_eq!(back(&Value::Int(int)), Value::Int(int));
        let portable = to_vec_with(&int, WriteOptions { numbers: Numbers::Portable, ..Default::default() }).unwrap();
        assert_eq!(from_slice::<i64>(&portable).unwrap(), int);
    }
    for double in [0.0, -0.0, 0.1, 1.0 / 3.0, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(back(&double).to_bits(), double.to_bits());
        let portable = to_vec_with(&double, WriteOptions { numbers: Numbers::Portable, ..Default::default() }).unwrap();
        assert_eq!(from_slice::<f64>(&portable).unwrap().to_bits(), double.to_bits());
    }
    assert!(back(&f64::NAN).is_nan());
    assert_eq!(back(&u64::MAX), u64::MAX);
    assert_eq!(back(&i128::MIN), i128::MIN);
    assert_eq!(back(&0.1_f32).to_bits(), 0.1_f32.to_bits());
}

#[test]
fn plain_data_comes_back() {
    assert_eq!(back(&params()), params());
    for value in [true, false] {
        assert_eq!(back(&Value::Bool(value)), Value::Bool(value));
    }
    let value = Value::hash([
        ("undef", Value::Undef),
        ("text", "s\u{fc}\u{df}".into()),
        ("bytes", Value::from(&b"\xff\x00"[..])),
        ("list", Value::array([Value::Int(1 << 40), Value::Double(2.5), Value::array::<Value>([])])),
        ("hash", Value::hash([("k", Value::hash::<&str, Value>([]))])),
    ]);
    assert_eq!(back(&value), value);
    let image = to_vec(&value).unwrap();
    assert_eq!(from_slice::<ValueRef<'_>>(&image).unwrap().to_value(), value);
    assert_eq!(to_vec(&value.as_ref()).unwrap(), image);
}

#[test]
fn keys_keep_their_kind() {
    let key = |key: &str| Key::from(key);
    let entries = vec![
        (key("plain"), Value::array([Value::Int(5), Value::hash([("deep", "\u{e9}")])])),
        (Key::from(vec![0xe9]), Value::Undef),
        (key("\u{e9}"), Value::hash([("\u{263a}", 1), ("a", 2)])),
        (key("after"), Value::Bytes(b"x".to_vec())),
        (key(""), Value::Int(0)),
    ];
    let value = Value::Hash(entries);
    assert_eq!(back(&value), value);
    assert_eq!(value.get("\u{e9}").unwrap().get("a"), Some(&Value::Int(2)));
    let map: BTreeMap<i32, &str> = [(-1, "a"), (2, "b")].into();
    assert_eq!(convert::<BTreeMap<i32, String>>(&map).unwrap()[&-1], "a");
}

#[test]
fn ascii_text_is_bytes_and_other_text_is_text() {
    assert_eq!(convert::<Value>("abc").unwrap(), Value::Bytes(b"abc".to_vec()));
    assert_eq!(convert::<Value>("\u{e4}").unwrap(), Value::Text("\u{e4}".into()));
    let options = WriteOptions { flag_ascii: true, ..Default::default() };
    let flagged = to_vec_with("abc", options).unwrap();
    assert_eq!(from_slice::<Value>(&flagged).unwrap(), Value::Text("abc".into()));
}

#[test]
fn strings_are_borrowed() {
    #[derive(Deserialize)]
    struct Borrowing<'a> {
        name: &'a str,
        #[serde(borrow)]
        cow: Cow<'a, str>,
    }
    let image = to_vec(&("name", "\u{e4}")).unwrap();
    let read: Borrowing<'_> = from_slice(&image).unwrap();
    assert_eq!(read.name, "name");
    assert!(matches!(read.cow, Cow::Borrowed("\u{e4}")));
}

#[test]
fn structs_are_read_by_name_and_by_position() {
    let named = Value::hash([
        ("rows", Value::from("7")),
        ("sql", "select ?".into()),
        ("unknown", Value::hash([("x", Value::array([1, 2]))])),
        ("binds", Value::array([Value::Int(1), Value::Undef])),
    ]);
    assert_eq!(convert::<Params>(&named).unwrap(), params());
    let positional = ("select ?", " 7 ", (1, ()), ());
    assert_eq!(convert::<Params>(positional).unwrap(), params());
    let short: Params = convert(("select ?", 7)).unwrap();
    assert_eq!(short, Params { binds: vec![], ..params() });
    let missing = convert::<Params>(("select ?",)).unwrap_err().to_string();
    assert_eq!(missing, "missing field `rows`");
    let long = convert::<Params>(("select ?", 7, (1,), (), 5)).unwrap_err().to_string();
    assert_eq!(long, "invalid length 5, expected at most 4 positional parameters");
}

#[test]
fn scalars_convert_as_perl_converts_them() {
    assert_eq!(convert::<i32>("42").unwrap(), 42);
    assert_eq!(convert::<i32>(42.0).unwrap(), 42);
    assert_eq!(convert::<f64>("4.5e1").unwrap().to_bits(), 45_f64.to_bits());
    assert_eq!(convert::<f64>(3).unwrap().to_bits(), 3_f64.to_bits());
    assert_eq!(convert::<u8>(true).unwrap(), 1);
    assert_eq!(convert::<String>(-42).unwrap(), "-42");
    assert_eq!(convert::<String>(0.1 + 0.2).unwrap(), "0.3");
    assert_eq!(convert::<Option<i32>>(()).unwrap(), None);
    assert_eq!(convert::<Option<i32>>("3").unwrap(), Some(3));
    assert_eq!(convert::<char>("\u{e4}").unwrap(), '\u{e4}');
    let truths: Vec<bool> = convert((0, "", "0", (), 0.0, false, 1, "yes", "00", 0.5, true)).unwrap();
    assert_eq!(truths, [false, false, false, false, false, false, true, true, true, true, true]);
}

#[test]
fn what_does_not_convert_is_named() {
    let error = |result: storable::Result<()>| result.unwrap_err().to_string();
    let as_i32 = |value: &Value| error(convert::<i32>(value).map(drop));
    assert_eq!(as_i32(&"x1".into()), "invalid type: string \"x1\", expected i32");
    assert_eq!(as_i32(&Value::Undef), "invalid type: undef, expected i32");
    assert_eq!(as_i32(&Value::Double(1.5)), "invalid type: number `1.5`, expected i32");
    assert_eq!(as_i32(&Value::Int(1 << 40)), "invalid value: integer `1099511627776` is out of range, expected i32");
    assert_eq!(as_i32(&Value::array([1])), "invalid type: an array of 1, expected i32");
    let text = error(convert::<String>(&Value::from(vec![0xe4])).map(drop));
    assert_eq!(text, "invalid value: a byte string of 1 bytes that is not UTF-8, expected a string");
    assert!(error(convert::<bool>(&Value::array([1])).map(drop)).contains("expected a boolean"));
    let key = to_vec(&BTreeMap::from([(vec![1], 1)])).unwrap_err().to_string();
    assert_eq!(key, "a hash key must be a string or a number, not an array");
}

#[test]
fn enums_are_names_or_hashes_of_one_entry() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Empty,
        Circle(f64),
        Line(i32, String),
        Rect { w: i32, h: i32 },
    }
    for shape in [Shape::Empty, Shape::Circle(1.5), Shape::Line(1, "x".into()), Shape::Rect { w: 1, h: 2 }] {
        assert_eq!(back(&shape), shape);
    }
    let list = vec![Shape::Rect { w: 1, h: 2 }, Shape::Empty, Shape::Circle(0.0)];
    assert_eq!(back(&list), list);
    assert_eq!(
        convert::<Value>(Shape::Line(1, "x".into())).unwrap(),
        Value::hash([("Line", Value::array([Value::Int(1), Value::from(&b"x"[..])]))])
    );
    assert_eq!(convert::<Shape>(Value::hash([("Rect", Value::array([3, 4]))])).unwrap(), Shape::Rect { w: 3, h: 4 });
    assert!(convert::<Shape>("Square").unwrap_err().to_string().contains("unknown variant `Square`"));
}

#[test]
fn what_is_not_asked_for_is_stepped_over() {
    #[derive(Deserialize)]
    struct Last {
        last: i32,
    }
    let value = Value::hash([
        ("a", Value::array([Value::hash([("x", Value::array([1, 2, 3]))]), "t\u{e4}".into()])),
        ("b", Value::hash([("last", 5)])),
        ("last", 9.into()),
        ("c", Value::array([Value::array([1])])),
    ]);
    let (last, after): (Last, i32) = convert((&value, 3)).unwrap();
    assert_eq!((last.last, after), (9, 3));
    #[allow(clippy::zero_sized_map_values)]
    let keys: BTreeMap<String, serde::de::IgnoredAny> = convert(&value).unwrap();
    assert_eq!(keys.into_keys().collect::<String>(), "abclast");
}

#[test]
fn errors_leave_the_buffer_alone() {
    let mut out = b"before".to_vec();
    storable::append(&mut out, &BTreeMap::from([(vec![1], 1)])).unwrap_err();
    assert_eq!(out, b"before");
    storable::append(&mut out, &1).unwrap();
    assert_eq!(out, b"before\x05\x05\x08\x81");
}
