//! serde `Serializer` on top of [`Writer`].

use serde::ser::{self, Serialize};

use crate::error::{Error, Result};
use crate::hash::HashMark;
use crate::key::Key;
use crate::writer::{ArraySlot, WriteOptions, Writer};

/// A new image of `value`.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    to_vec_with(value, WriteOptions::default())
}

/// A new image of `value`, with options.
pub fn to_vec_with<T: Serialize + ?Sized>(value: &T, options: WriteOptions) -> Result<Vec<u8>> {
    let mut image = Vec::new();
    append_with(&mut image, value, options)?;
    Ok(image)
}

/// Appends an image of `value`. After an error `out` is as it was before.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<()> {
    append_with(out, value, WriteOptions::default())
}

/// Appends an image of `value`, with options. After an error `out` is as it was before.
pub fn append_with<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T, options: WriteOptions) -> Result<()> {
    let start = out.len();
    let mut writer = Writer::begin_image_with(out, options);
    let result = writer.value(value).and_then(|()| writer.finish());
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Serializes one value to a `Writer`.
pub(crate) struct Serializer<'w, 'a> {
    writer: &'w mut Writer<'a>,
}

impl<'w, 'a> Serializer<'w, 'a> {
    pub fn new(writer: &'w mut Writer<'a>) -> Self {
        Self { writer }
    }

    fn array(self, len: Option<usize>) -> Array<'w, 'a> {
        let slot = self.writer.reserve_array();
        if let Some(len) = len {
            self.writer.patch(slot, len);
        }
        Array { writer: self.writer, slot, len: 0, outer: None }
    }

    fn hash(self, len: usize) -> Hash<'w, 'a> {
        let mark = self.writer.begin_hash(len);
        Hash { writer: self.writer, mark, key: None, outer: None }
    }
}

/// The hash around a variant with content, and the variant's name.
type Outer = (HashMark, &'static str);

fn end_outer(writer: &mut Writer<'_>, outer: Option<Outer>) {
    if let Some((mut mark, variant)) = outer {
        writer.key(&mut mark, variant);
    }
}

pub(crate) struct Array<'w, 'a> {
    writer: &'w mut Writer<'a>,
    slot: ArraySlot,
    len: usize,
    outer: Option<Outer>,
}

pub(crate) struct Hash<'w, 'a> {
    writer: &'w mut Writer<'a>,
    mark: HashMark,
    /// A key whose value is still to come.
    key: Option<Key>,
    outer: Option<Outer>,
}

impl<'w, 'a> ser::Serializer for Serializer<'w, 'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Array<'w, 'a>;
    type SerializeTuple = Array<'w, 'a>;
    type SerializeTupleStruct = Array<'w, 'a>;
    type SerializeTupleVariant = Array<'w, 'a>;
    type SerializeMap = Hash<'w, 'a>;
    type SerializeStruct = Hash<'w, 'a>;
    type SerializeStructVariant = Hash<'w, 'a>;

    fn serialize_bool(self, v: bool) -> Result<()> {
        self.writer.bool(v);
        Ok(())
    }
    fn serialize_i8(self, v: i8) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<()> {
        self.writer.int(v);
        Ok(())
    }
    fn serialize_i128(self, v: i128) -> Result<()> {
        match i64::try_from(v) {
            Ok(v) => self.serialize_i64(v),
            Err(_) => self.serialize_str(&v.to_string()),
        }
    }
    fn serialize_u8(self, v: u8) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_u16(self, v: u16) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_u32(self, v: u32) -> Result<()> {
        self.serialize_i64(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<()> {
        self.writer.uint(v);
        Ok(())
    }
    fn serialize_u128(self, v: u128) -> Result<()> {
        match i64::try_from(v) {
            Ok(v) => self.serialize_i64(v),
            Err(_) => self.serialize_str(&v.to_string()),
        }
    }
    /// A double with the same decimal digits: 0.1, not `0.100000001490116`.
    fn serialize_f32(self, v: f32) -> Result<()> {
        self.serialize_f64(v.to_string().parse().unwrap_or_else(|_| v.into()))
    }
    fn serialize_f64(self, v: f64) -> Result<()> {
        self.writer.double(v);
        Ok(())
    }
    fn serialize_char(self, v: char) -> Result<()> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Result<()> {
        self.writer.text(v);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.writer.bytes(v);
        Ok(())
    }
    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<()> {
        self.writer.undef();
        Ok(())
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let mut mark = self.writer.begin_hash(1);
        self.writer.value(value)?;
        self.writer.key(&mut mark, variant);
        Ok(())
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Array<'w, 'a>> {
        Ok(self.array(len))
    }
    fn serialize_tuple(self, len: usize) -> Result<Array<'w, 'a>> {
        Ok(self.array(Some(len)))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Array<'w, 'a>> {
        Ok(self.array(Some(len)))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Array<'w, 'a>> {
        let outer = self.writer.begin_hash(1);
        Ok(Array { outer: Some((outer, variant)), ..self.array(Some(len)) })
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Hash<'w, 'a>> {
        Ok(self.hash(len.unwrap_or(0)))
    }
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Hash<'w, 'a>> {
        Ok(self.hash(len))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Hash<'w, 'a>> {
        let outer = self.writer.begin_hash(1);
        Ok(Hash { outer: Some((outer, variant)), ..self.hash(len) })
    }
}

impl Array<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.len += 1;
        self.writer.value(value)
    }

    fn finish(self) {
        self.writer.patch(self.slot, self.len);
        end_outer(self.writer, self.outer);
    }
}

macro_rules! array {
    ($trait:ident, $element:ident) => {
        impl ser::$trait for Array<'_, '_> {
            type Ok = ();
            type Error = Error;
            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.element(value)
            }
            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    };
}
array!(SerializeSeq, serialize_element);
array!(SerializeTuple, serialize_element);
array!(SerializeTupleStruct, serialize_field);
array!(SerializeTupleVariant, serialize_field);

impl Hash<'_, '_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.writer.value(value)?;
        self.writer.key(&mut self.mark, name);
        Ok(())
    }

    fn finish(self) {
        self.writer.end_hash(self.mark);
        end_outer(self.writer, self.outer);
    }
}

macro_rules! hash {
    ($trait:ident) => {
        impl ser::$trait for Hash<'_, '_> {
            type Ok = ();
            type Error = Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }
            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    };
}
hash!(SerializeStruct);
hash!(SerializeStructVariant);

impl ser::SerializeMap for Hash<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let pending = &mut self.key;
        key.serialize(KeySerializer(|bytes: &[u8], text| {
            *pending = Some(match std::str::from_utf8(bytes) {
                Ok(key) if text => Key::Text(key.into()),
                _ => Key::Bytes(bytes.into()),
            });
        }))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().ok_or_else(|| Error::data("a map's value was given before its key"))?;
        self.writer.value(value)?;
        self.writer.any_key(&mut self.mark, &key);
        Ok(())
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        self.writer.value(value)?;
        let (writer, mark) = (&mut *self.writer, &mut self.mark);
        key.serialize(KeySerializer(|bytes: &[u8], text| match std::str::from_utf8(bytes) {
            Ok(key) if text => writer.key(mark, key),
            _ => writer.key_bytes(mark, bytes),
        }))
    }

    fn end(self) -> Result<()> {
        self.finish();
        Ok(())
    }
}

/// Hands a key, as bytes and whether they are text, to a function.
struct KeySerializer<F: FnOnce(&[u8], bool)>(F);

fn not_a_key<T>(what: &str) -> Result<T> {
    Err(Error::data(format_args!("a hash key must be a string or a number, not {what}")))
}

macro_rules! number_key {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, v: $type) -> Result<()> {
            self.serialize_str(&v.to_string())
        })*
    };
}

impl<F: FnOnce(&[u8], bool)> ser::Serializer for KeySerializer<F> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = ser::Impossible<(), Error>;
    type SerializeTuple = ser::Impossible<(), Error>;
    type SerializeTupleStruct = ser::Impossible<(), Error>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = ser::Impossible<(), Error>;
    type SerializeStruct = ser::Impossible<(), Error>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    fn serialize_str(self, v: &str) -> Result<()> {
        self.0(v.as_bytes(), true);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.0(v, false);
        Ok(())
    }
    fn serialize_bool(self, v: bool) -> Result<()> {
        self.serialize_str(if v { "1" } else { "0" })
    }
    number_key! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_char: char,
    }
    fn serialize_f64(self, v: f64) -> Result<()> {
        self.serialize_str(&crate::number::exact_number(v))
    }
    fn serialize_none(self) -> Result<()> {
        not_a_key("undef")
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<()> {
        not_a_key("undef")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        not_a_key("undef")
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        not_a_key("a variant with content")
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        not_a_key("an array")
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        not_a_key("an array")
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        not_a_key("an array")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        not_a_key("an array")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        not_a_key("a hash")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        not_a_key("a hash")
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        not_a_key("a hash")
    }
}
