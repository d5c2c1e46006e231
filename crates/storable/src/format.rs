//! The bytes of a Storable image.
//!
//! An image is two header bytes and one value. A value is an opcode and its payload;
//! lengths and counts are 32 bits, big-endian. An array or hash inside another
//! value is preceded by `SX_REF`. In a hash the value comes before its key.

/// First header byte: major version 2, shifted left, and the network-order bit.
pub const HEADER: u8 = (MAJOR << 1) | NETORDER_BIT;
/// The major version of every Storable since 2001.
pub const MAJOR: u8 = 2;
/// The minor version written: 5 brought hashes with UTF-8 keys; 5.10.0 reads up to 7.
pub const WRITE_MINOR: u8 = 5;
/// Set in the first byte of an image that is in network order.
pub const NETORDER_BIT: u8 = 1;
/// Longest string or key, and largest count: Storable's lengths are signed 32-bit numbers.
pub const MAX_LEN: usize = i32::MAX as usize;
/// Longest string in the short forms with a one-byte length.
pub const MAX_SHORT_LEN: usize = 255;

pub const SX_OBJECT: u8 = 0;
pub const SX_LSCALAR: u8 = 1;
pub const SX_ARRAY: u8 = 2;
pub const SX_HASH: u8 = 3;
pub const SX_REF: u8 = 4;
pub const SX_UNDEF: u8 = 5;
pub const SX_INTEGER: u8 = 6;
pub const SX_DOUBLE: u8 = 7;
pub const SX_BYTE: u8 = 8;
pub const SX_NETINT: u8 = 9;
pub const SX_SCALAR: u8 = 10;
pub const SX_TIED_ARRAY: u8 = 11;
pub const SX_TIED_HASH: u8 = 12;
pub const SX_TIED_SCALAR: u8 = 13;
pub const SX_SV_UNDEF: u8 = 14;
pub const SX_SV_YES: u8 = 15;
pub const SX_SV_NO: u8 = 16;
pub const SX_BLESS: u8 = 17;
pub const SX_IX_BLESS: u8 = 18;
pub const SX_HOOK: u8 = 19;
pub const SX_OVERLOAD: u8 = 20;
pub const SX_TIED_KEY: u8 = 21;
pub const SX_TIED_IDX: u8 = 22;
pub const SX_UTF8STR: u8 = 23;
pub const SX_LUTF8STR: u8 = 24;
pub const SX_FLAG_HASH: u8 = 25;
pub const SX_CODE: u8 = 26;
pub const SX_WEAKREF: u8 = 27;
pub const SX_WEAKOVERLOAD: u8 = 28;
pub const SX_VSTRING: u8 = 29;
pub const SX_LVSTRING: u8 = 30;
pub const SX_SVUNDEF_ELEM: u8 = 31;
pub const SX_REGEXP: u8 = 32;
pub const SX_LOBJECT: u8 = 33;
pub const SX_BOOLEAN_TRUE: u8 = 34;
pub const SX_BOOLEAN_FALSE: u8 = 35;

/// Key flag: the key is UTF-8 text.
pub const KEY_UTF8: u8 = 1;
/// Key flag: the key is Latin-1 bytes of what was text.
pub const KEY_WAS_UTF8: u8 = 2;
/// Key flag: the value is read-only (restricted hashes).
pub const KEY_LOCKED: u8 = 4;
/// Key flag: the key is a scalar of its own; never in plain data.
pub const KEY_IS_SV: u8 = 8;
/// Key flag: a key that may be set, but is not there (restricted hashes).
pub const KEY_PLACEHOLDER: u8 = 16;

/// What a refused opcode stands for; `None` when it is not a known opcode.
pub(crate) fn refused(op: u8) -> Option<&'static str> {
    Some(match op {
        SX_TIED_ARRAY | SX_TIED_HASH | SX_TIED_SCALAR | SX_TIED_KEY | SX_TIED_IDX => "a tied variable",
        SX_BLESS | SX_IX_BLESS => "a blessed object",
        SX_HOOK => "a blessed object with STORABLE hooks",
        SX_OVERLOAD | SX_WEAKOVERLOAD => "a reference to an object with overloading",
        SX_CODE => "a code reference",
        SX_REGEXP => "a compiled regular expression",
        SX_LOBJECT => "a string, array or hash of more than 2 GB",
        _ => return None,
    })
}
