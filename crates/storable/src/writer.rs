//! The image writer: appends one value at a time to a `Vec<u8>`.

use crate::error::{Error, Result};
use crate::format as f;
use crate::number::exact_number;

/// How integers beyond 32 bits and doubles are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// As eight native bytes: an IV, an NV, on this machine and with a perl whose `ivsize`
    /// and `nvsize` are 8.
    #[default]
    Native,
    /// As decimal strings, which every perl numifies: the shortest that is the same number.
    Portable,
}

/// What a [`Writer`] may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// How integers beyond 32 bits and doubles are written.
    pub numbers: Numbers,
    /// Writes ASCII text with the UTF-8 flag too. Off by default: to Perl it is the same string.
    pub flag_ascii: bool,
}

/// Appends one image to a `Vec<u8>`.
///
/// An array is begun with the number of its elements and followed by them. A hash is
/// begun likewise; each of its entries is the value **and then** its key:
///
/// ```
/// let mut image = Vec::new();
/// let mut w = storable::Writer::begin_image(&mut image);
/// w.begin_array(2); // [42, { name => "x" }]
/// w.int(42);
/// let mut hash = w.begin_hash(1);
/// w.bytes(b"x");
/// w.key(&mut hash, "name");
/// w.finish()?;
/// let read: (i32, std::collections::HashMap<String, String>) = storable::from_slice(&image)?;
/// assert_eq!(read.1["name"], "x");
/// # Ok::<(), storable::Error>(())
/// ```
///
/// Writing as many values as were announced is the caller's part. What cannot be
/// written (a string of 2 GB) is reported by [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) options: WriteOptions,
    root: bool,
    failed: Option<Error>,
}

/// Where an integer goes that is not known yet; see [`Writer::reserve_int`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the integer has to be patched in"]
pub struct IntSlot {
    at: usize,
}

/// Where the count of an array goes that is not known yet; see [`Writer::reserve_array`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the count has to be patched in"]
pub struct ArraySlot {
    at: usize,
}

impl<'a> Writer<'a> {
    /// Appends the header of an image; the next value is its root.
    pub fn begin_image(out: &'a mut Vec<u8>) -> Self {
        Self::begin_image_with(out, WriteOptions::default())
    }

    /// The same with options.
    pub fn begin_image_with(out: &'a mut Vec<u8>, options: WriteOptions) -> Self {
        out.extend_from_slice(&[f::HEADER, f::WRITE_MINOR]);
        Self { out, options, root: true, failed: None }
    }

    /// The end of the image; an error if something could not be written.
    pub fn finish(self) -> Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None if self.root => Err(Error::data("a Storable image needs a value, none was written")),
            None => Ok(()),
        }
    }

    /// The first error, if something could not be written.
    pub fn error(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// The options it was made with.
    pub fn options(&self) -> WriteOptions {
        self.options
    }

    /// Length of the buffer so far, in bytes, whatever was in it before included.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Makes room for so many more bytes.
    pub fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// undef.
    pub fn undef(&mut self) {
        self.root = false;
        self.out.push(f::SX_UNDEF);
    }

    /// A boolean: the integers 1 and 0 to Perl.
    pub fn bool(&mut self, bool: bool) {
        self.root = false;
        self.out.extend_from_slice(&[f::SX_NETINT, 0, 0, 0, bool.into()]);
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, int: i64) {
        self.root = false;
        put_int(self.out, int, self.options.numbers);
    }

    /// An integer of 32 bits that is not known yet (0 until then); [`Writer::patch_int`] it in afterwards.
    pub fn reserve_int(&mut self) -> IntSlot {
        self.root = false;
        let at = self.out.len() + 1;
        self.out.extend_from_slice(&[f::SX_NETINT, 0, 0, 0, 0]);
        IntSlot { at }
    }

    /// Sets an integer that was reserved.
    pub fn patch_int(&mut self, slot: IntSlot, int: i32) {
        self.out[slot.at..slot.at + 4].copy_from_slice(&int.to_be_bytes());
    }

    /// An integer; above `i64::MAX` a decimal string, as Storable writes it too.
    pub fn uint(&mut self, int: u64) {
        match i64::try_from(int) {
            Ok(int) => self.int(int),
            Err(_) => self.bytes(int.to_string().as_bytes()),
        }
    }

    /// A double.
    #[inline]
    pub fn double(&mut self, double: f64) {
        self.root = false;
        put_double(self.out, double, self.options.numbers);
    }

    /// A string of bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.root = false;
        if !put_string(self.out, bytes, f::SX_SCALAR, f::SX_LSCALAR) {
            self.too_long("a string", bytes.len());
        }
    }

    /// Whether ASCII text gets the UTF-8 flag from here on, see [`WriteOptions::flag_ascii`].
    pub fn flag_ascii(&mut self, flag: bool) {
        self.options.flag_ascii = flag;
    }

    /// A string of characters.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.text_bytes(text.as_bytes());
    }

    /// A string of characters that is known to be UTF-8. (Perl believes it: if it is not, the
    /// script gets a malformed string.)
    #[inline]
    pub fn text_bytes(&mut self, text: &[u8]) {
        self.root = false;
        if !put_text(self.out, text, self.options.flag_ascii) {
            self.too_long("a string", text.len());
        }
    }

    /// An array; its `len` elements follow.
    pub fn begin_array(&mut self, len: usize) {
        let slot = self.reserve_array();
        self.patch(slot, len);
    }

    /// An array of a number of elements not known yet; [`Writer::patch`] it in afterwards.
    pub fn reserve_array(&mut self) -> ArraySlot {
        self.reference();
        self.out.push(f::SX_ARRAY);
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        ArraySlot { at }
    }

    /// Sets the number of elements of an array.
    pub fn patch(&mut self, slot: ArraySlot, len: usize) {
        self.put_count(slot.at, len);
    }

    /// Any value that serde can serialize.
    pub fn value<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(crate::ser::Serializer::new(self))
    }

    /// An array or hash inside another value is preceded by a reference; the root is not.
    pub(crate) fn reference(&mut self) {
        if !self.root {
            self.out.push(f::SX_REF);
        }
        self.root = false;
    }

    pub(crate) fn put_count(&mut self, at: usize, len: usize) {
        if len > f::MAX_LEN {
            self.too_long("an array or hash", len);
        }
        let count = u32::try_from(len).unwrap_or(u32::MAX);
        self.out[at..at + 4].copy_from_slice(&count.to_be_bytes());
    }

    #[cold]
    pub(crate) fn too_long(&mut self, what: &'static str, len: usize) {
        self.fail(Error::TooLong { what, len });
    }

    #[cold]
    pub(crate) fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }
}

#[inline]
pub(crate) fn put_int(out: &mut Vec<u8>, int: i64, numbers: Numbers) {
    if let Ok(small) = i8::try_from(int) {
        // Stored plus 128, which is the sign bit turned over.
        out.extend_from_slice(&[f::SX_BYTE, small.cast_unsigned() ^ 0x80]);
    } else if let Ok(int) = i32::try_from(int) {
        let [a, b, c, d] = int.to_be_bytes();
        out.extend_from_slice(&[f::SX_NETINT, a, b, c, d]);
    } else if numbers == Numbers::Native {
        put_native(out, f::SX_INTEGER, int.to_ne_bytes());
    } else {
        put_string(out, int.to_string().as_bytes(), f::SX_SCALAR, f::SX_LSCALAR);
    }
}

#[inline]
pub(crate) fn put_double(out: &mut Vec<u8>, double: f64, numbers: Numbers) {
    if numbers == Numbers::Native {
        put_native(out, f::SX_DOUBLE, double.to_ne_bytes());
    } else {
        put_string(out, exact_number(double).as_bytes(), f::SX_SCALAR, f::SX_LSCALAR);
    }
}

#[inline]
fn put_native(out: &mut Vec<u8>, op: u8, bytes: [u8; 8]) {
    let mut value = [op; 9];
    value[1..].copy_from_slice(&bytes);
    out.extend_from_slice(&value);
}

#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8], flag_ascii: bool) -> bool {
    if !flag_ascii && text.is_ascii() {
        put_string(out, text, f::SX_SCALAR, f::SX_LSCALAR)
    } else {
        put_string(out, text, f::SX_UTF8STR, f::SX_LUTF8STR)
    }
}

/// A string; false, with undef in its place, when it is too long.
#[inline]
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8], short: u8, long: u8) -> bool {
    if let Ok(len) = u8::try_from(bytes.len()) {
        out.reserve(bytes.len() + 2);
        out.extend_from_slice(&[short, len]);
        out.extend_from_slice(bytes);
        return true;
    }
    put_long_string(out, bytes, long)
}

fn put_long_string(out: &mut Vec<u8>, bytes: &[u8], long: u8) -> bool {
    let Ok(len) = i32::try_from(bytes.len()) else {
        out.push(f::SX_UNDEF);
        return false;
    };
    let [a, b, c, d] = len.to_be_bytes();
    out.reserve(bytes.len() + 5);
    out.extend_from_slice(&[long, a, b, c, d]);
    out.extend_from_slice(bytes);
    true
}
