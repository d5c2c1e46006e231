//! Image ↔ JSON, for clients that speak JSON.
//!
//! | image                                 | JSON                                              |
//! |---------------------------------------|---------------------------------------------------|
//! | undef, boolean, integer, double       | null, boolean, number                             |
//! | NaN, infinities                       | the strings `"NaN"`, `"Inf"`, `"-Inf"`            |
//! | text, bytes that are valid UTF-8      | string                                            |
//! | other bytes                           | `{"base64": "…"}`                                 |
//! | array, hash                           | array, object                                     |
//! | hash key of bytes that are not UTF-8  | the bytes as Latin-1, as Perl sees them           |
//!
//! The other way round the same, so that an object whose only key is `base64` and whose value is
//! a string is a byte string (and an error if it is not base64), and integers above
//! `i64::MAX` become decimal strings. `"NaN"` stays a string, which Perl numifies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json};

use crate::error::{Error, Result};
use crate::key::Key;
use crate::limits::Limits;
use crate::number::perl_number;
use crate::value_ref::ValueRef;
use crate::writer::{WriteOptions, Writer};

/// The only key of an object that stands for a byte string.
pub const BASE64_KEY: &str = "base64";

/// A new image of a JSON value.
pub fn json_to_image(json: &Json) -> Result<Vec<u8>> {
    let mut image = Vec::new();
    append_json(&mut image, json, WriteOptions::default())?;
    Ok(image)
}

/// Appends an image of a JSON value. After an error `out` is as it was before.
pub fn append_json(out: &mut Vec<u8>, json: &Json, options: WriteOptions) -> Result<()> {
    let start = out.len();
    let mut writer = Writer::begin_image_with(out, options);
    let result = write(&mut writer, json).and_then(|()| writer.finish());
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Writes a JSON value as one value of an image.
pub fn write(writer: &mut Writer<'_>, json: &Json) -> Result<()> {
    match json {
        Json::Null => writer.undef(),
        Json::Bool(v) => writer.bool(*v),
        Json::Number(v) => write_number(writer, v),
        Json::String(v) => writer.text(v),
        Json::Array(elements) => {
            writer.begin_array(elements.len());
            for element in elements {
                write(writer, element)?;
            }
        }
        Json::Object(entries) => {
            if let Some(bytes) = base64_of(entries)? {
                writer.bytes(&bytes);
                return Ok(());
            }
            let mut hash = writer.begin_hash(entries.len());
            for (key, value) in entries {
                write(writer, value)?;
                writer.key(&mut hash, key);
            }
        }
    }
    Ok(())
}

fn write_number(writer: &mut Writer<'_>, number: &Number) {
    if let Some(int) = number.as_i64() {
        writer.int(int);
    } else if let Some(int) = number.as_u64() {
        writer.uint(int);
    } else if let Some(double) = number.as_f64() {
        writer.double(double);
    } else {
        writer.text(&number.to_string());
    }
}

/// The bytes an object stands for.
fn base64_of(entries: &Map<String, Json>) -> Result<Option<Vec<u8>>> {
    let Some(Json::String(text)) = entries.get(BASE64_KEY).filter(|_| entries.len() == 1) else {
        return Ok(None);
    };
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => Err(Error::data(format_args!("the value of {{\"{BASE64_KEY}\": …}} is not base64: {error}"))),
    }
}

/// The JSON of an image.
pub fn image_to_json(image: &[u8]) -> Result<Json> {
    image_to_json_with(image, &Limits::default())
}

/// The same within other limits.
pub fn image_to_json_with(image: &[u8], limits: &Limits) -> Result<Json> {
    crate::from_slice_with::<ValueRef<'_>>(image, limits).map(|value| value.to_json())
}

impl ValueRef<'_> {
    /// As JSON, by the table at the head of the module [`json`](crate::json).
    pub fn to_json(&self) -> Json {
        match self {
            Self::Undef => Json::Null,
            Self::Bool(v) => Json::Bool(*v),
            Self::Int(v) => Json::Number((*v).into()),
            Self::UInt(v) => Json::Number((*v).into()),
            Self::Double(v) => double(*v),
            Self::Bytes(v) => bytes(v),
            Self::Text(v) => Json::String((*v).into()),
            Self::Array(v) => Json::Array(v.iter().map(ValueRef::to_json).collect()),
            Self::Hash(v) => Json::Object(v.iter().map(|(key, value)| (name(key), value.to_json())).collect()),
        }
    }
}

impl crate::Value {
    /// As JSON, by the table at the head of the module [`json`](crate::json).
    pub fn to_json(&self) -> Json {
        self.as_ref().to_json()
    }

    /// From JSON, by the same table.
    pub fn from_json(json: &Json) -> Result<Self> {
        crate::from_slice(&json_to_image(json)?)
    }
}

fn name(key: &Key) -> String {
    key.to_text().into_owned()
}

fn double(v: f64) -> Json {
    Number::from_f64(v).map_or_else(|| Json::String(perl_number(v)), Json::Number)
}

fn bytes(v: &[u8]) -> Json {
    match std::str::from_utf8(v) {
        Ok(text) => Json::String(text.into()),
        Err(_) => Json::Object([(BASE64_KEY.into(), Json::String(STANDARD.encode(v)))].into_iter().collect()),
    }
}
