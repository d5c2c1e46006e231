//! serde `Deserializer` over an image.
//!
//! The image is scanned first (`scan.rs`), so what is left to go wrong here is a value of
//! another type than the one wanted. Scalars are converted where Perl would convert them.

use serde::de::{self, Deserialize, Visitor};
use serde::forward_to_deserialize_any;

use crate::access::{Arrays, Hashes, Positional, Variant};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::number::{integral, parse_double, parse_integer, perl_number};
use crate::scan::{Span, scan};
use crate::token::{Cursor, Token};

/// Reads a `T` from a whole image; `&str`, `&[u8]` and `Cow` borrow from it.
///
/// For a string in the image that is wanted as `&str` or `String`: text, or bytes that
/// are valid UTF-8. A struct is read from a hash, or from an array of its fields in order, of
/// which the last may be missing if they are optional (not one with `#[serde(flatten)]`,
/// which has no order of fields).
pub fn from_slice<'de, T: Deserialize<'de>>(image: &'de [u8]) -> Result<T> {
    from_slice_with(image, &Limits::default())
}

/// The same within other limits.
pub fn from_slice_with<'de, T: Deserialize<'de>>(image: &'de [u8], limits: &Limits) -> Result<T> {
    let spans = scan(image, limits)?;
    let mut deserializer = Deserializer { cursor: Cursor { image, at: 2 }, spans: &spans, next_span: 0 };
    T::deserialize(&mut deserializer)
}

/// Reads one value after the other from a scanned image.
pub(crate) struct Deserializer<'de, 's> {
    pub cursor: Cursor<'de>,
    spans: &'s [Span],
    /// Number of the next array or hash.
    next_span: usize,
}

/// A position to go on from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    at: usize,
    next_span: usize,
}

impl<'de> Deserializer<'de, '_> {
    fn token(&mut self) -> Result<Token<'de>> {
        self.cursor.token()
    }

    /// After the head of an array or hash: where it ends.
    pub fn enter(&mut self) -> Result<Place> {
        let span = *self.spans.get(self.next_span).ok_or(Error::Truncated { len: self.cursor.image.len() })?;
        self.next_span += 1;
        Ok(Place { at: span.end as usize, next_span: span.next as usize })
    }

    pub fn place(&self) -> Place {
        Place { at: self.cursor.at, next_span: self.next_span }
    }

    pub fn go(&mut self, place: Place) {
        self.cursor.at = place.at;
        self.next_span = place.next_span;
    }

    /// Steps over a value.
    pub fn skip(&mut self) -> Result<()> {
        match self.token() {
            Ok(Token::Array(_) | Token::Hash { .. }) => {
                let end = self.enter()?;
                self.go(end);
            }
            Ok(_) | Err(Error::Utf8 { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn visit<V: Visitor<'de>>(&mut self, token: Token<'de>, visitor: V) -> Result<V::Value> {
        match token {
            Token::Undef => visitor.visit_unit(),
            Token::Bool(v) => visitor.visit_bool(v),
            Token::Int(v) => visitor.visit_i64(v),
            Token::Double(v) => visitor.visit_f64(v),
            Token::Bytes(v) => visitor.visit_borrowed_bytes(v),
            Token::Text(v) => visitor.visit_borrowed_str(v),
            Token::Array(len) => self.array(len, visitor),
            Token::Hash { len, flagged } => self.hash(len, flagged, visitor),
        }
    }

    fn array<V: Visitor<'de>>(&mut self, len: u32, visitor: V) -> Result<V::Value> {
        let end = self.enter()?;
        let value = visitor.visit_seq(Arrays::new(self, len))?;
        self.go(end);
        Ok(value)
    }

    fn hash<V: Visitor<'de>>(&mut self, len: u32, flagged: bool, visitor: V) -> Result<V::Value> {
        let end = self.enter()?;
        let value = visitor.visit_map(Hashes::new(self, len, flagged))?;
        self.go(end);
        Ok(value)
    }

    /// A struct from an array of its fields, in order.
    fn positional<V: Visitor<'de>>(&mut self, len: u32, fields: usize, visitor: V) -> Result<V::Value> {
        check_len(len, fields, "positional parameters")?;
        let end = self.enter()?;
        let value = visitor.visit_map(Positional::new(self, len))?;
        self.go(end);
        Ok(value)
    }

    fn integer(&mut self, wanted: &dyn de::Expected) -> Result<i128> {
        let token = self.token()?;
        let int = match token {
            Token::Int(v) => Some(v.into()),
            Token::Bool(v) => Some(v.into()),
            Token::Double(v) => integral(v),
            Token::Bytes(v) => std::str::from_utf8(v).ok().and_then(parse_integer),
            Token::Text(v) => parse_integer(v),
            _ => None,
        };
        int.ok_or_else(|| invalid(&token, wanted))
    }
}

fn invalid(token: &Token<'_>, wanted: &dyn de::Expected) -> Error {
    Error::data(format_args!("invalid type: {}, expected {wanted}", token.what()))
}

fn check_len(len: u32, most: usize, what: &str) -> Result<()> {
    if len as usize > most {
        return Err(Error::data(format_args!("invalid length {len}, expected at most {most} {what}")));
    }
    Ok(())
}

/// Whether Perl takes it for true; `None` for arrays and hashes.
fn truth(token: &Token<'_>) -> Option<bool> {
    Some(match token {
        Token::Undef => false,
        Token::Bool(v) => *v,
        Token::Int(v) => *v != 0,
        Token::Double(v) => *v != 0.0,
        Token::Bytes(v) => !matches!(*v, b"" | b"0"),
        Token::Text(v) => !matches!(*v, "" | "0"),
        Token::Array(_) | Token::Hash { .. } => return None,
    })
}

macro_rules! integers {
    ($($method:ident: $type:ty => $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let int = self.integer(&visitor)?;
            match <$type>::try_from(int) {
                Ok(int) => visitor.$visit(int),
                Err(_) => Err(Error::data(format_args!(
                    "invalid value: integer `{int}` is out of range, expected {}",
                    &visitor as &dyn de::Expected
                ))),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let token = self.token()?;
        self.visit(token, visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let token = self.token()?;
        match truth(&token) {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(invalid(&token, &visitor)),
        }
    }

    integers! {
        deserialize_i8: i8 => visit_i8, deserialize_i16: i16 => visit_i16, deserialize_i32: i32 => visit_i32,
        deserialize_i64: i64 => visit_i64, deserialize_i128: i128 => visit_i128,
        deserialize_u8: u8 => visit_u8, deserialize_u16: u16 => visit_u16, deserialize_u32: u32 => visit_u32,
        deserialize_u64: u64 => visit_u64, deserialize_u128: u128 => visit_u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let token = self.token()?;
        let parsed = match token {
            #[allow(clippy::cast_precision_loss)] // as Perl does
            Token::Int(v) => Some(v as f64),
            Token::Bool(v) => Some(v.into()),
            Token::Double(v) => Some(v),
            Token::Bytes(v) => std::str::from_utf8(v).ok().and_then(parse_double),
            Token::Text(v) => parse_double(v),
            _ => None,
        };
        match parsed {
            Some(v) => visitor.visit_f64(v),
            None => Err(invalid(&token, &visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Text(v) => visitor.visit_borrowed_str(v),
            Token::Bytes(v) => match std::str::from_utf8(v) {
                Ok(v) => visitor.visit_borrowed_str(v),
                Err(_) => Err(Error::data(format_args!(
                    "invalid value: a byte string of {} bytes that is not UTF-8, expected {}",
                    v.len(),
                    &visitor as &dyn de::Expected
                ))),
            },
            Token::Int(v) => visitor.visit_string(v.to_string()),
            Token::Double(v) => visitor.visit_string(perl_number(v)),
            Token::Bool(v) => visitor.visit_borrowed_str(if v { "1" } else { "" }),
            token => Err(invalid(&token, &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Bytes(v) => visitor.visit_borrowed_bytes(v),
            Token::Text(v) => visitor.visit_borrowed_bytes(v.as_bytes()),
            Token::Int(v) => visitor.visit_byte_buf(v.to_string().into_bytes()),
            Token::Double(v) => visitor.visit_byte_buf(perl_number(v).into_bytes()),
            Token::Bool(v) => visitor.visit_borrowed_bytes(if v { b"1" } else { b"" }),
            // A `Vec<u8>` given element by element.
            Token::Array(len) => self.array(len, visitor),
            token => Err(invalid(&token, &visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let place = self.place();
        if let Ok(Token::Undef) = self.token() {
            return visitor.visit_none();
        }
        self.go(place);
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Array(given) => {
                check_len(given, len, "elements")?;
                self.array(given, visitor)
            }
            token => Err(invalid(&token, &visitor)),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.token()? {
            Token::Array(len) => self.positional(len, fields.len(), visitor),
            Token::Hash { len, flagged } => self.hash(len, flagged, visitor),
            token => Err(invalid(&token, &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let place = self.place();
        match self.token()? {
            Token::Hash { len: 1, flagged } => {
                let end = self.enter()?;
                let value = visitor.visit_enum(Variant::new(self, flagged))?;
                self.go(end);
                Ok(value)
            }
            Token::Bytes(_) | Token::Text(_) | Token::Int(_) => {
                self.go(place);
                visitor.visit_enum(de::value::StringDeserializer::new(String::deserialize(self)?))
            }
            token => Err(Error::data(format_args!(
                "invalid type: {}, expected {}: a name, or a hash of one name and its content",
                token.what(),
                &visitor as &dyn de::Expected
            ))),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit seq map }
}
