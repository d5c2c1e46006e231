//! Images as JSON and back.
#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::json;
use storable::json::{image_to_json, json_to_image};
use storable::{Value, from_slice, to_vec};

#[test]
fn json_comes_back_from_an_image() {
    let json = json!({
        "null": null, "yes": true, "no": false, "int": -7, "big": 1_i64 << 60, "double": 0.1, "exp": 1e300,
        "text": "caf\u{e9} \u{263a}", "ascii": "x", "empty": "",
        "list": [1, [2.5, []], {}], "k\u{e9}y": {"\u{263a}": 1},
        "base64": {"base64": "/wA="}, "two": {"base64": "x", "more": 1}, "not text": {"base64": 5},
    });
    assert_eq!(image_to_json(&json_to_image(&json).unwrap()).unwrap(), json);
    assert_eq!(Value::from_json(&json).unwrap().to_json(), json);
}

#[test]
fn bytes_are_strings_when_they_are_utf8_and_base64_otherwise() {
    let value = Value::array([Value::from("\u{e9}".as_bytes()), Value::from(&b"\xe9"[..]), Value::from(&b"abc"[..])]);
    assert_eq!(image_to_json(&to_vec(&value).unwrap()).unwrap(), json!(["\u{e9}", {"base64": "6Q=="}, "abc"]));
    let image = json_to_image(&json!([{"base64": "6Q=="}])).unwrap();
    assert_eq!(from_slice::<Value>(&image).unwrap(), Value::array([&b"\xe9"[..]]));
    let error = json_to_image(&json!([1, {"base64": "?"}])).unwrap_err().to_string();
    assert!(error.starts_with("the value of {\"base64\": …} is not base64"), "{error}");
}

#[test]
fn numbers_json_has_not_are_strings_as_perl_prints_them() {
    let value = Value::array([f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    assert_eq!(value.to_json(), json!(["NaN", "Inf", "-Inf"]));
    let image = json_to_image(&json!([u64::MAX])).unwrap();
    assert_eq!(from_slice::<Vec<u64>>(&image).unwrap(), [u64::MAX]);
    assert_eq!(image_to_json(&image).unwrap(), json!(["18446744073709551615"]));
}

#[test]
fn keys_that_are_not_utf8_are_latin1() {
    let value = Value::hash([(storable::Key::from(&b"caf\xe9"[..]), 1)]);
    assert_eq!(image_to_json(&to_vec(&value).unwrap()).unwrap(), json!({"caf\u{e9}": 1}));
}
