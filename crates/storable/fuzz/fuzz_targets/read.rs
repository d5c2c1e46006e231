//! Whatever the bytes are: no panic, no absurd allocation, and what is accepted can be written
//! and read again.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use storable::{Value, ValueRef, from_slice, to_vec};

#[derive(Deserialize)]
#[allow(dead_code)] // only read into
struct Params<'a> {
    #[serde(borrow)]
    a: Option<&'a str>,
    b: Option<Vec<Option<String>>>,
    c: Option<u32>,
    #[serde(borrow)]
    d: Option<ValueRef<'a>>,
    e: Option<Mode>,
}

#[derive(Deserialize)]
#[allow(dead_code)] // only read into
enum Mode {
    A,
    B(i32),
    C(i8, f32),
    D { x: Option<bool> },
}

fuzz_target!(|image: &[u8]| {
    let _ = from_slice::<Params<'_>>(image);
    let _ = from_slice::<Vec<Mode>>(image);
    let _ = from_slice::<BTreeMap<i64, f64>>(image);
    let borrowed = from_slice::<ValueRef<'_>>(image);
    let read = from_slice::<Value>(image);
    assert_eq!(borrowed.is_ok(), read.is_ok());
    if let Ok(value) = read {
        let written = to_vec(&value).expect("what was read can be written");
        let again: Value = from_slice(&written).expect("and read again");
        assert_eq!(to_vec(&again).expect("and written again"), written);
        let json = storable::json::image_to_json(image).expect("and be JSON");
        let _ = storable::json::json_to_image(&json);
    }
});
