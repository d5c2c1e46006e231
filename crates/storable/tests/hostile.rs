//! Images made to do harm: limits, and tens of thousands of random mutations.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::Path;

use serde::Deserialize;
use storable::{Error, Limits, MAX_DEPTH_LEVELS, Value, ValueRef, from_slice, from_slice_with, to_vec};

/// Mutations tried on the whole corpus.
const MUTATIONS: usize = 40_000;

/// An array of one, `levels` deep.
fn nested(levels: usize) -> Vec<u8> {
    let mut image = b"\x05\x05\x02\0\0\0\x01".to_vec();
    for _ in 1..levels {
        image.extend_from_slice(b"\x04\x02\0\0\0\x01");
    }
    image.push(5);
    image
}

/// Hashes in hashes, `levels` deep.
fn nested_hashes(levels: usize) -> Vec<u8> {
    let mut image = b"\x05\x05\x03\0\0\0\x01".to_vec();
    for _ in 1..levels {
        image.extend_from_slice(b"\x04\x03\0\0\0\x01");
    }
    image.push(5);
    for _ in 0..levels {
        image.extend_from_slice(b"\0\0\0\x01k");
    }
    image
}

#[test]
fn the_deepest_nesting_is_read_on_a_small_stack() {
    let read = || {
        for image in [nested(MAX_DEPTH_LEVELS), nested_hashes(MAX_DEPTH_LEVELS)] {
            let value: Value = from_slice(&image).unwrap();
            assert_eq!(to_vec(&value).unwrap(), image);
            #[cfg(feature = "json")]
            storable::json::image_to_json(&image).unwrap();
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap();
    for image in [nested(MAX_DEPTH_LEVELS + 1), nested_hashes(1_000_000)] {
        let error = from_slice::<Value>(&image).unwrap_err();
        assert!(matches!(error, Error::TooDeep { limit: MAX_DEPTH_LEVELS, .. }), "{error}");
    }
}

#[test]
fn each_limit_is_named_when_it_is_passed() {
    let image = to_vec(&vec![vec![1, 2], vec![3]]).unwrap();
    let with = |limits: Limits| from_slice_with::<Value>(&image, &limits).map_err(|error| error.to_string());
    let limits = Limits { max_image_bytes: image.len(), max_depth_levels: 2, max_values_count: 6 };
    assert!(with(limits).is_ok());
    let error = with(Limits { max_image_bytes: image.len() - 1, ..limits }).unwrap_err();
    assert_eq!(
        error,
        format!("Storable image of {0} bytes is larger than max_image_bytes ({1})", image.len(), image.len() - 1)
    );
    let error = with(Limits { max_depth_levels: 1, ..limits }).unwrap_err();
    assert_eq!(error, "Storable image is nested deeper than max_depth_levels (1) at byte 9");
    let error = with(Limits { max_values_count: 5, ..limits }).unwrap_err();
    assert_eq!(error, "Storable image holds more values than max_values_count (5)");
}

#[test]
fn a_lying_length_reserves_nothing() {
    // Four billion elements announced, none there: would be gigabytes if it were believed.
    for head in
        [&b"\x02\x7f\xff\xff\xff"[..], b"\x03\x7f\xff\xff\xff", b"\x19\0\x7f\xff\xff\xff", b"\x01\x7f\xff\xff\xff"]
    {
        let image = [b"\x05\x05", head, &[5; 1000]].concat();
        assert_eq!(from_slice::<Value>(&image).unwrap_err(), Error::Truncated { len: image.len() });
    }
}

/// A small generator, so that a failure can be had again (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(random).unwrap() % bound
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn mutate(&mut self, image: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = 2 + self.below(image.len().saturating_sub(2).max(1));
            let at = at.min(image.len());
            match self.below(6) {
                0 if at < image.len() => image[at] = self.byte(),
                1 if at < image.len() => image[at] ^= 1 << self.below(8),
                2 => image.insert(at, u8::try_from(self.below(36)).unwrap()),
                3 if at < image.len() => drop(image.remove(at)),
                4 if at < image.len() => image[at] = u8::try_from(self.below(36)).unwrap(),
                _ => {
                    let from = self.below(image.len());
                    let to = from + self.below((image.len() - from).min(20));
                    let piece = image[from..to].to_vec();
                    image.splice(at..at, piece);
                }
            }
        }
    }
}

#[derive(Deserialize)]
#[allow(dead_code)] // only read into
struct Params<'a> {
    #[serde(borrow)]
    sql: Option<&'a str>,
    binds: Option<Vec<Option<String>>>,
    rows: Option<u32>,
    #[serde(borrow)]
    rest: Option<ValueRef<'a>>,
    mode: Option<Mode>,
}

#[derive(Deserialize)]
#[allow(dead_code)] // only read into
enum Mode {
    A,
    B(i32),
    C(i8, f32),
    D { x: Option<bool> },
}

/// Whatever the bytes are: no panic, and what is accepted can be written and read again.
fn read_all_ways(image: &[u8]) -> bool {
    let _ = from_slice::<Params<'_>>(image);
    let _ = from_slice::<Vec<Mode>>(image);
    let _ = from_slice::<Vec<std::collections::BTreeMap<i64, f64>>>(image);
    let _ = from_slice::<(bool, String, i64)>(image);
    let borrowed = from_slice::<ValueRef<'_>>(image);
    let read = from_slice::<Value>(image);
    // Only text is looked at when it is read, not when the image is checked.
    let checked = storable::check(image, &Limits::default());
    assert!(checked.is_ok() || read.is_err());
    assert_eq!(borrowed.is_ok(), read.is_ok());
    let Ok(value) = read else { return false };
    let written = to_vec(&value).unwrap();
    let again: Value = from_slice(&written).unwrap();
    assert_eq!(to_vec(&again).unwrap(), written);
    #[cfg(feature = "json")]
    if let Ok(json) = storable::json::image_to_json(image) {
        let _ = storable::json::json_to_image(&json);
    }
    true
}

#[test]
fn mutated_images_do_no_harm() {
    let mut corpus = Vec::new();
    for part in ["perl", "rust"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(part);
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "img") {
                let image = std::fs::read(path).unwrap();
                if (3..3000).contains(&image.len()) {
                    corpus.push(image);
                }
            }
        }
    }
    corpus.sort();
    assert!(corpus.len() > 50);
    let mut random = Random(0x5704_ab1e);
    let mut accepted = 0;
    for _ in 0..MUTATIONS {
        let mut image = corpus[random.below(corpus.len())].clone();
        random.mutate(&mut image);
        accepted += usize::from(read_all_ways(&image));
    }
    // The mutations reach both sides of the reader.
    assert!((MUTATIONS / 100..MUTATIONS * 9 / 10).contains(&accepted), "{accepted} of {MUTATIONS} accepted");
}
