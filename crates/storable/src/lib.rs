//! Perl's Storable images as a serde format.
//!
//! What `Storable::nfreeze` writes and `thaw` of every perl from 5.10 reads,
//! restricted to plain data. No I/O, no `unsafe`.
//!
//! # Map
//!
//! | file          | what lives there                                                       |
//! |---------------|------------------------------------------------------------------------|
//! | `format.rs`   | the opcodes and the two header bytes                                   |
//! | `writer.rs`   | [`Writer`]: appends an image to a `Vec<u8>`, one value at a time       |
//! | `hash.rs`     | hashes of a `Writer`: [`HashMark`], keys, counts                       |
//! | `rows.rs`     | [`RowWriter`]: result rows straight into an image, the hot path        |
//! | `ser.rs`      | serde `Serializer` on top of `Writer`                                  |
//! | `scan.rs`     | one pass that checks a whole image before anything is made of it       |
//! | `token.rs`    | one value head → `Token`, used after the scan                          |
//! | `de.rs`       | serde `Deserializer` over a scanned image                              |
//! | `access.rs`   | its arrays, hashes and enums                                           |
//! | `number.rs`   | numbers given as strings, and numbers printed as Perl prints them      |
//! | `key.rs`      | [`Key`]: hash keys, text or bytes                                      |
//! | `value.rs`    | [`Value`]: any plain data, owned; `value_serde.rs` its serde half      |
//! | `value_ref.rs`| [`ValueRef`]: the same, borrowed from the image                        |
//! | `json.rs`     | image ↔ JSON                                                           |
//! | `limits.rs`   | what an image may ask for                                              |
//!
//! A value goes `T → Serializer → Writer → bytes` on the way out, and
//! `bytes → scan → Deserializer → T` on the way in. A new opcode is added in
//! `format.rs`, then in `scan.rs` (is it allowed, how long is it) and in
//! `token.rs` (what is it).
//!
//! # How Rust values look to Perl
//!
//! | Rust                               | in the image                     | thaws to                |
//! |------------------------------------|----------------------------------|-------------------------|
//! | `None`, `()`                       | `SX_UNDEF`                       | undef                   |
//! | `bool`                             | `SX_NETINT` 1 or 0 (see below)   | the integer 1 or 0      |
//! | integers from -128 to 127          | `SX_BYTE`                        | integer (IV)            |
//! | integers of 32 bits                | `SX_NETINT`                      | integer (IV)            |
//! | other `i64`                        | `SX_INTEGER`, or decimal string  | IV, or a string         |
//! | `u64` above `i64::MAX`             | decimal string                   | a string that numifies  |
//! | `f64`                              | `SX_DOUBLE`, or decimal string   | NV, or a string         |
//! | `&[u8]` (serde "bytes")            | `SX_SCALAR` / `SX_LSCALAR`       | byte string             |
//! | `str`, only ASCII                  | the same                         | byte string             |
//! | `str`, otherwise                   | `SX_UTF8STR` / `SX_LUTF8STR`     | character string        |
//! | sequence, tuple, tuple struct      | `SX_ARRAY`                       | array reference         |
//! | map, struct                        | `SX_HASH`, `SX_FLAG_HASH`        | hash reference          |
//! | newtype struct                     | its content                      |                         |
//! | unit variant                       | its name                         | string                  |
//! | other variants                     | hash of one key, the name        | hash reference          |
//!
//! * **Text and bytes.** An ASCII string is the same string to Perl with and
//!   without the UTF-8 flag, and faster without, so ASCII text comes back from
//!   an image as bytes. [`Value::as_str`] and `String` fields take both.
//! * **Big integers and doubles.** `nfreeze` itself writes them as decimal
//!   strings (doubles with 15 digits only), because an image in network order
//!   has no field for the sizes of the native forms. [`Numbers::Native`], the
//!   default, writes the native eight-byte forms, which `thaw` reads in any
//!   image: right on the machine that wrote the image and with a perl whose
//!   `ivsize` and `nvsize` are 8. For other perls (`length pack "F", 0` and
//!   `length pack "j", 0` tell) use [`Numbers::Portable`].
//! * **Booleans.** Older perls can only thaw read-only booleans, and assigning to
//!   such a hash value dies. So `true` is the integer 1 to Perl, in the long
//!   form that `nfreeze` never uses for it, by which this crate knows it again.
//! * **Headers.** Written as format 2.5, the oldest that has everything above;
//!   any 2.x is read (newer opcodes are known, or refused, one by one).
//! * **The root.** `thaw` returns a reference to the root of an image: an array
//!   at the root is its array reference; a scalar at the root, `\ $scalar`.
//!
//! # What is read
//!
//! Plain data only: blessed, tied or hooked things, code, regular expressions,
//! references to scalars, and *back references* (the same variable met twice in
//! one structure) are refused with an error that says which. Version strings are
//! read as plain strings. See [`Limits`] for the limits.
//!
//! Types are lenient where Perl is: `"42"` is an integer, 42 a string, `""`, `"0"`
//! and undef are false; a struct is read from a hash (named) or from an
//! array (positional, in field order).
//!
//! ```
//! #[derive(serde::Deserialize, serde::Serialize, Debug, PartialEq)]
//! struct Params { sql: String, rows: u32 }
//!
//! let image = storable::to_vec(&("select 1", "20"))?;
//! let params: Params = storable::from_slice(&image)?;
//! assert_eq!(params, Params { sql: "select 1".into(), rows: 20 });
//! # Ok::<(), storable::Error>(())
//! ```
#![forbid(unsafe_code)]

mod access;
mod de;
mod error;
pub mod format;
mod hash;
#[cfg(feature = "json")]
pub mod json;
mod key;
mod limits;
mod number;
mod rows;
mod scan;
mod ser;
mod token;
mod value;
mod value_ref;
mod value_serde;
mod writer;

pub use de::{from_slice, from_slice_with};
pub use error::{Error, Result};
pub use hash::HashMark;
pub use key::Key;
pub use limits::{Limits, MAX_DEPTH_LEVELS, MAX_IMAGE_BYTES, MAX_VALUES_COUNT};
pub use number::perl_number;
pub use rows::{Cell, RowKeys, RowWriter};
pub use ser::{append, append_with, to_vec, to_vec_with};
pub use value::Value;
pub use value_ref::ValueRef;
pub use writer::{ArraySlot, IntSlot, Numbers, WriteOptions, Writer};

/// Checks that `image` is a well-formed image of plain data within `limits`,
/// without making anything of it.
pub fn check(image: &[u8], limits: &Limits) -> Result<()> {
    scan::scan(image, limits).map(drop)
}
