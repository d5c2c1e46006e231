//! Why an image could not be read or written.

use std::fmt::Display;

/// The result of every fallible function here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an image could not be read or written. Positions are byte offsets in the image.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The image ends in the middle of a value.
    #[error("Storable image is cut off: it ends after {len} bytes, inside a value")]
    Truncated { len: usize },
    /// Bytes follow the value.
    #[error("Storable image has {extra} bytes after its end, at byte {at}")]
    Trailing { at: usize, extra: usize },
    /// The header is that of `freeze` or of a file, or no Storable header at all.
    #[error("not a Storable image in network order: {0} (write it with Storable::nfreeze)")]
    Header(&'static str),
    /// A major version of the format that this crate does not know.
    #[error("Storable format {major} is not supported, only format 2 is")]
    Version { major: u8 },
    /// Something that is not plain data.
    #[error(
        "Storable image holds {what} at byte {at}: only plain data is accepted (undef, numbers, strings, arrays, hashes)"
    )]
    Refused { what: &'static str, at: usize },
    /// The same variable twice in one structure.
    #[error(
        "Storable image holds a back reference (SX_OBJECT) at byte {at}: the same variable or reference \
         occurs twice in the structure; pass a copy of it, as in [@$list], {{%$hash}} or \"$scalar\""
    )]
    BackReference { at: usize },
    /// Bytes that no Storable writes.
    #[error("Storable image is malformed at byte {at}: {what}")]
    Malformed { what: &'static str, at: usize },
    /// A string or hash key flagged as UTF-8 is not.
    #[error(
        "Storable image holds text that is not valid UTF-8 at byte {at} (a surrogate, or a character above U+10FFFF)"
    )]
    Utf8 { at: usize },
    /// More than `Limits::max_depth_levels` arrays and hashes inside each other.
    #[error("Storable image is nested deeper than max_depth_levels ({limit}) at byte {at}")]
    TooDeep { limit: usize, at: usize },
    /// More than `Limits::max_values_count` values.
    #[error("Storable image holds more values than max_values_count ({limit})")]
    TooManyValues { limit: usize },
    /// More than `Limits::max_image_bytes` bytes.
    #[error("Storable image of {len} bytes is larger than max_image_bytes ({limit})")]
    TooLarge { limit: usize, len: usize },
    /// A string, key, array or hash beyond the 31 bits Storable has for its length.
    #[error("{what} of {len} bytes or elements is longer than a Storable image can hold (2147483647)")]
    TooLong { what: &'static str, len: usize },
    /// A value of another type than the one wanted; also what serde reports.
    #[error("{0}")]
    Data(String),
}

impl Error {
    pub(crate) fn data(message: impl Display) -> Self {
        Self::Data(message.to_string())
    }
}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::data(message)
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::data(message)
    }
}
