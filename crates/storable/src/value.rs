//! Any plain data, owned.

use crate::key::Key;
use crate::number::{integral, parse_double, parse_integer};
use crate::value_ref::ValueRef;

/// Any plain data.
///
/// Read from an image, ASCII strings are `Bytes` (see the crate's head), `UInt`
/// does not occur (Storable writes such integers as strings), and hashes have the image's
/// order.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// undef.
    #[default]
    Undef,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A double.
    Double(f64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A character string.
    Text(String),
    /// An array reference.
    Array(Vec<Value>),
    /// A hash reference: its entries, each key once.
    Hash(Vec<(Key, Value)>),
}

impl Value {
    /// A hash of these entries.
    pub fn hash<K: Into<Key>, V: Into<Self>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Hash(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// An array of these elements.
    pub fn array<V: Into<Self>>(elements: impl IntoIterator<Item = V>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }

    /// Whether it is undef.
    pub fn is_undef(&self) -> bool {
        matches!(self, Self::Undef)
    }

    /// A string as text: text, or bytes that are valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// A string as bytes; text as UTF-8.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A number, or a string that is one, as an integer.
    pub fn as_i64(&self) -> Option<i64> {
        self.integer()?.try_into().ok()
    }

    /// A number, or a string that is one, as an integer that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        self.integer()?.try_into().ok()
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Self::Bool(bool) => Some((*bool).into()),
            Self::Int(int) => Some((*int).into()),
            Self::UInt(int) => Some((*int).into()),
            Self::Double(double) => integral(*double),
            _ => parse_integer(self.as_str()?),
        }
    }

    /// A number, or a string that is one, as a double.
    #[allow(clippy::cast_precision_loss)] // as Perl does
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Bool(bool) => Some((*bool).into()),
            Self::Int(int) => Some(*int as f64),
            Self::UInt(int) => Some(*int as f64),
            Self::Double(double) => Some(*double),
            _ => parse_double(self.as_str()?),
        }
    }

    /// Whether Perl takes it for true. Arrays and hashes are references, and so true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Undef => false,
            Self::Bool(bool) => *bool,
            Self::Int(int) => *int != 0,
            Self::UInt(int) => *int != 0,
            Self::Double(double) => *double != 0.0,
            Self::Bytes(bytes) => !matches!(bytes.as_slice(), b"" | b"0"),
            Self::Text(text) => !matches!(text.as_str(), "" | "0"),
            Self::Array(_) | Self::Hash(_) => true,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entries of a hash.
    pub fn as_hash(&self) -> Option<&[(Key, Value)]> {
        match self {
            Self::Hash(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a hash's key; the last one, if a hash was made with the same key twice.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entry = self.as_hash()?.iter().rfind(|(name, _)| name == key)?;
        Some(&entry.1)
    }

    /// An element of an array.
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.as_array()?.get(index)
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> ValueRef<'_> {
        ValueRef::from(self)
    }
}

macro_rules! from {
    ($($type:ty => |$v:ident| $value:expr,)*) => {
        $(impl From<$type> for Value {
            fn from($v: $type) -> Self {
                $value
            }
        })*
    };
}

from! {
    () => |_v| Self::Undef,
    bool => |v| Self::Bool(v),
    i8 => |v| Self::Int(v.into()),
    i16 => |v| Self::Int(v.into()),
    i32 => |v| Self::Int(v.into()),
    i64 => |v| Self::Int(v),
    u8 => |v| Self::Int(v.into()),
    u16 => |v| Self::Int(v.into()),
    u32 => |v| Self::Int(v.into()),
    u64 => |v| i64::try_from(v).map_or(Self::UInt(v), Self::Int),
    f64 => |v| Self::Double(v),
    &str => |v| Self::Text(v.into()),
    String => |v| Self::Text(v),
    &[u8] => |v| Self::Bytes(v.into()),
    Vec<u8> => |v| Self::Bytes(v),
    Vec<Value> => |v| Self::Array(v),
    Vec<(Key, Value)> => |v| Self::Hash(v),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Undef, Into::into)
    }
}
