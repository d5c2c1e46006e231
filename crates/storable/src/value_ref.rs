//! Any plain data, its strings borrowed from the image.

use std::borrow::Cow;

use crate::key::Key;
use crate::value::Value;

/// Any plain data, its strings borrowed. What [`Value`] says of reading holds here too.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ValueRef<'a> {
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
    Bytes(&'a [u8]),
    /// A character string.
    Text(&'a str),
    /// An array reference.
    Array(Vec<ValueRef<'a>>),
    /// A hash reference: its entries.
    Hash(Vec<(Cow<'a, Key>, ValueRef<'a>)>),
}

impl ValueRef<'_> {
    /// An owned copy.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Undef => Value::Undef,
            Self::Bool(v) => Value::Bool(*v),
            Self::Int(v) => Value::Int(*v),
            Self::UInt(v) => Value::UInt(*v),
            Self::Double(v) => Value::Double(*v),
            Self::Bytes(v) => Value::Bytes((*v).into()),
            Self::Text(v) => Value::Text((*v).into()),
            Self::Array(v) => Value::Array(v.iter().map(ValueRef::to_value).collect()),
            Self::Hash(v) => {
                Value::Hash(v.iter().map(|(key, value)| (key.clone().into_owned(), value.to_value())).collect())
            }
        }
    }

    /// Whether it is undef.
    pub fn is_undef(&self) -> bool {
        matches!(self, Self::Undef)
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Undef => Self::Undef,
            Value::Bool(v) => Self::Bool(*v),
            Value::Int(v) => Self::Int(*v),
            Value::UInt(v) => Self::UInt(*v),
            Value::Double(v) => Self::Double(*v),
            Value::Bytes(v) => Self::Bytes(v),
            Value::Text(v) => Self::Text(v),
            Value::Array(v) => Self::Array(v.iter().map(Self::from).collect()),
            Value::Hash(v) => {
                Self::Hash(v.iter().map(|(key, value)| (Cow::Borrowed(key), Self::from(value))).collect())
            }
        }
    }
}
