//! Arrays, hashes and enums of the deserializer.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::de::{Deserializer, Place};
use crate::error::{Error, Result};
use crate::format as f;
use crate::key::latin1;
use crate::number::{parse_double, parse_integer};

/// The elements of an array.
pub(crate) struct Arrays<'x, 'de, 's> {
    de: &'x mut Deserializer<'de, 's>,
    left: u32,
}

impl<'x, 'de, 's> Arrays<'x, 'de, 's> {
    pub fn new(de: &'x mut Deserializer<'de, 's>, len: u32) -> Self {
        Self { de, left: len }
    }
}

impl<'de> de::SeqAccess<'de> for Arrays<'_, 'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.de).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

/// The elements of an array as the fields of a struct, by number. So a field that is not
/// there any more is missing as from a hash: `None`, its default, or an error that names it.
pub(crate) struct Positional<'x, 'de, 's> {
    de: &'x mut Deserializer<'de, 's>,
    field: u32,
    len: u32,
}

impl<'x, 'de, 's> Positional<'x, 'de, 's> {
    pub fn new(de: &'x mut Deserializer<'de, 's>, len: u32) -> Self {
        Self { de, field: 0, len }
    }
}

impl<'de> de::MapAccess<'de> for Positional<'_, 'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.field == self.len {
            return Ok(None);
        }
        let field = u64::from(self.field);
        self.field += 1;
        seed.deserialize(field.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.de)
    }

    fn size_hint(&self) -> Option<usize> {
        Some((self.len - self.field) as usize)
    }
}

/// The entries of a hash: each a value and then its key, which serde wants first.
pub(crate) struct Hashes<'x, 'de, 's> {
    de: &'x mut Deserializer<'de, 's>,
    left: u32,
    flagged: bool,
    /// Where the value is whose key has been read, and where the next entry begins.
    value: Option<(Place, Place)>,
}

impl<'x, 'de, 's> Hashes<'x, 'de, 's> {
    pub fn new(de: &'x mut Deserializer<'de, 's>, len: u32, flagged: bool) -> Self {
        Self { de, left: len, flagged, value: None }
    }

    /// Reads the key of the next entry; `None` for a placeholder.
    fn key(&mut self) -> Result<Option<KeyDeserializer<'de>>> {
        let value = self.de.place();
        self.de.skip()?;
        let flags = if self.flagged { self.de.cursor.byte()? } else { 0 };
        let len = self.de.cursor.len()?;
        let bytes = self.de.cursor.bytes(len as usize)?;
        self.value = Some((value, self.de.place()));
        if flags & f::KEY_PLACEHOLDER != 0 {
            return Ok(None);
        }
        Ok(Some(KeyDeserializer(if flags & f::KEY_UTF8 != 0 {
            KeyText::Text(Cow::Borrowed(self.de.cursor.text(bytes)?))
        } else if flags & f::KEY_WAS_UTF8 != 0 {
            KeyText::Text(Cow::Owned(latin1(bytes)))
        } else {
            KeyText::Bytes(bytes)
        })))
    }
}

impl<'de> de::MapAccess<'de> for Hashes<'_, 'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while self.left > 0 {
            self.left -= 1;
            if let Some((_, next)) = self.value.take() {
                self.de.go(next); // the value was not asked for
            }
            if let Some(key) = self.key()? {
                return seed.deserialize(key).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let (value, next) =
            self.value.take().ok_or_else(|| Error::data("a hash value was asked for before its key"))?;
        self.de.go(value);
        let value = seed.deserialize(&mut *self.de)?;
        self.de.go(next);
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

/// A hash key.
struct KeyDeserializer<'de>(KeyText<'de>);

enum KeyText<'de> {
    Bytes(&'de [u8]),
    Text(Cow<'de, str>),
}

impl KeyText<'_> {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Text(text) => Some(text),
        }
    }
}

macro_rules! number_keys {
    ($($method:ident: $parse:ident => $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.0.as_str().and_then($parse) {
                Some(number) => visitor.$visit(number),
                None => self.deserialize_any(visitor),
            }
        })*
    };
}

fn parse_i64(text: &str) -> Option<i64> {
    parse_integer(text).and_then(|int| int.try_into().ok())
}

fn parse_u64(text: &str) -> Option<u64> {
    parse_integer(text).and_then(|int| int.try_into().ok())
}

impl<'de> de::Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            KeyText::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            KeyText::Text(Cow::Owned(text)) => visitor.visit_string(text),
            KeyText::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let KeyText::Bytes(bytes) = self.0
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            return visitor.visit_borrowed_str(text);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(!matches!(self.0.as_str(), Some("" | "0")))
    }

    number_keys! {
        deserialize_i8: parse_i64 => visit_i64, deserialize_i16: parse_i64 => visit_i64,
        deserialize_i32: parse_i64 => visit_i64, deserialize_i64: parse_i64 => visit_i64,
        deserialize_i128: parse_integer => visit_i128,
        deserialize_u8: parse_u64 => visit_u64, deserialize_u16: parse_u64 => visit_u64,
        deserialize_u32: parse_u64 => visit_u64, deserialize_u64: parse_u64 => visit_u64,
        deserialize_f32: parse_double => visit_f64, deserialize_f64: parse_double => visit_f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0.as_str() {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        u128 bytes byte_buf unit unit_struct seq tuple tuple_struct map struct ignored_any
    }
}

/// A variant with content: a hash of one entry.
pub(crate) struct Variant<'x, 'de, 's> {
    entries: Hashes<'x, 'de, 's>,
}

impl<'x, 'de, 's> Variant<'x, 'de, 's> {
    pub fn new(de: &'x mut Deserializer<'de, 's>, flagged: bool) -> Self {
        Self { entries: Hashes::new(de, 1, flagged) }
    }

    /// The deserializer, at the content.
    fn content(self) -> Result<&'x mut Deserializer<'de, 's>> {
        let (value, _) = self.entries.value.ok_or_else(|| Error::data("a variant without content"))?;
        self.entries.de.go(value);
        Ok(self.entries.de)
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self)> {
        let key = self.entries.key()?.ok_or_else(|| Error::data("a hash without the name of a variant"))?;
        Ok((seed.deserialize(key)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        let content = self.content()?;
        de::Deserialize::deserialize(content)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        de::Deserializer::deserialize_tuple(self.content()?, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        de::Deserializer::deserialize_struct(self.content()?, "", fields, visitor)
    }
}
