//! serde for [`Value`], [`ValueRef`] and [`Key`].

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::key::Key;
use crate::value::Value;
use crate::value_ref::ValueRef;

/// Most elements room is made for at once, whatever a length says.
const MAX_RESERVE_ELEMENTS: usize = 4096;

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash key")
    }
    fn visit_str<E: de::Error>(self, v: &str) -> Result<Key, E> {
        Ok(Key::from(v))
    }
    fn visit_string<E: de::Error>(self, v: String) -> Result<Key, E> {
        Ok(Key::from(v))
    }
    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Key, E> {
        Ok(Key::from(v))
    }
    fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Key, E> {
        Ok(Key::from(v))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

macro_rules! serialize {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Undef => serializer.serialize_unit(),
                    Self::Bool(v) => serializer.serialize_bool(*v),
                    Self::Int(v) => serializer.serialize_i64(*v),
                    Self::UInt(v) => serializer.serialize_u64(*v),
                    Self::Double(v) => serializer.serialize_f64(*v),
                    Self::Bytes(v) => serializer.serialize_bytes(v),
                    Self::Text(v) => serializer.serialize_str(v),
                    Self::Array(v) => {
                        let mut seq = serializer.serialize_seq(Some(v.len()))?;
                        for element in v {
                            seq.serialize_element(element)?;
                        }
                        seq.end()
                    }
                    Self::Hash(v) => {
                        let mut map = serializer.serialize_map(Some(v.len()))?;
                        for (key, value) in v {
                            map.serialize_entry(key, value)?;
                        }
                        map.end()
                    }
                }
            }
        }
    };
}
serialize!(Value);
serialize!(ValueRef<'_>);

/// Makes values of either type.
struct ValueVisitor<T>(PhantomData<T>);

macro_rules! scalars {
    ($type:ident) => {
        type Value = $type<'de>;
        scalars!(@visits $type);
    };
    (@visits $type:ident) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("plain data")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok($type::Undef)
        }
        fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok($type::Undef)
        }
        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
        fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
        fn visit_bool<E: de::Error>(self, v: bool) -> Result<Self::Value, E> {
            Ok($type::Bool(v))
        }
        fn visit_i64<E: de::Error>(self, v: i64) -> Result<Self::Value, E> {
            Ok($type::Int(v))
        }
        fn visit_u64<E: de::Error>(self, v: u64) -> Result<Self::Value, E> {
            Ok(i64::try_from(v).map_or($type::UInt(v), $type::Int))
        }
        fn visit_f64<E: de::Error>(self, v: f64) -> Result<Self::Value, E> {
            Ok($type::Double(v))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let len = seq.size_hint().unwrap_or(0).min(MAX_RESERVE_ELEMENTS);
            let mut elements = Vec::with_capacity(len);
            while let Some(element) = seq.next_element()? {
                elements.push(element);
            }
            Ok($type::Array(elements))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let len = map.size_hint().unwrap_or(0).min(MAX_RESERVE_ELEMENTS);
            let mut entries = Vec::with_capacity(len);
            while let Some(key) = map.next_key::<Key>()? {
                entries.push((key.into(), map.next_value()?));
            }
            Ok($type::Hash(entries))
        }
    };
}

impl<'de> Visitor<'de> for ValueVisitor<Value> {
    type Value = Value;
    scalars!(@visits Value);

    fn visit_str<E: de::Error>(self, v: &str) -> Result<Value, E> {
        Ok(Value::Text(v.into()))
    }
    fn visit_string<E: de::Error>(self, v: String) -> Result<Value, E> {
        Ok(Value::Text(v))
    }
    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(v.into()))
    }
    fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(v))
    }
}

impl<'de> Visitor<'de> for ValueVisitor<ValueRef<'de>> {
    scalars!(ValueRef);

    fn visit_borrowed_str<E: de::Error>(self, v: &'de str) -> Result<ValueRef<'de>, E> {
        Ok(ValueRef::Text(v))
    }
    fn visit_borrowed_bytes<E: de::Error>(self, v: &'de [u8]) -> Result<ValueRef<'de>, E> {
        Ok(ValueRef::Bytes(v))
    }
}

impl From<Key> for Cow<'_, Key> {
    fn from(key: Key) -> Self {
        Cow::Owned(key)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(PhantomData::<Value>))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ValueRef<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(PhantomData::<ValueRef<'de>>))
    }
}
