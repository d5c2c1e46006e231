//! Rows on their way from packets into a reply: the hot path.
//!
//! A row of the text protocol is a string for each column. What becomes of it (an integer, a double, bytes, characters)
//! is decided once per column, as the real drivers do: integers and floating point numbers are numbers in Perl, exact
//! ones (DECIMAL) and those with zeros in front are strings.

use storable::{Cell, RowKeys, RowWriter};

use super::binary;
use super::error::{Error, Result};
use super::sql::Rules;
use super::wire::constants::{BINARY_CHARSET, NULL, flag, kind};
use super::wire::packet;
use super::wire::{Bytes, Column, End, reply};

/// What texts become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextMode {
    /// Bytes.
    #[default]
    Bytes,
    /// Characters, where the column has some and they are valid.
    Characters,
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// What texts become.
    pub text: TextMode,
    /// Whose rules for numbers hold.
    pub rules: Rules,
}

/// What a column's values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    UInt,
    Double,
    Bytes,
    Text,
}

impl Kind {
    fn of(column: &Column, reading: Reading) -> Self {
        let is_plain = column.flags & flag::ZEROFILL == 0;
        match column.kind {
            kind::TINY | kind::SHORT | kind::LONG | kind::LONGLONG | kind::INT24 if is_plain => {
                if column.flags & flag::UNSIGNED == 0 { Self::Int } else { Self::UInt }
            }
            // With a fixed number of digits, as in FLOAT(5,2), they are text to one of the drivers.
            kind::FLOAT | kind::DOUBLE
                if is_plain && (reading.rules == Rules::Mysql || column.decimals >= NOT_FIXED_DECIMALS) =>
            {
                Self::Double
            }
            _ if reading.text == TextMode::Characters && column.charset != BINARY_CHARSET => Self::Text,
            _ => Self::Bytes,
        }
    }
}

/// How rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// As text.
    #[default]
    Text,
    /// In binary, from a statement the server has prepared.
    Binary,
}

/// The columns of a result, and how their values are read.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Them.
    pub list: Vec<Column>,
    pub(super) kinds: Vec<Kind>,
    keys: Option<RowKeys>,
    reading: Reading,
    pub(super) protocol: Protocol,
    /// Their definitions, as they came: the same ones need not be read again.
    raw: Vec<u8>,
}

impl Columns {
    /// From their packets, one after the other with a length before each.
    pub fn new(raw: Vec<u8>, list: Vec<Column>, reading: Reading, protocol: Protocol) -> Self {
        let kinds = list.iter().map(|column| Kind::of(column, reading)).collect();
        Self { list, kinds, keys: None, reading, protocol, raw }
    }

    /// Whether these are the columns of the same definitions.
    pub fn are(&self, raw: &[u8], reading: Reading, protocol: Protocol) -> bool {
        self.raw == raw && self.reading == reading && self.protocol == protocol
    }

    /// The names as keys of hashes.
    pub fn take_keys(&mut self) -> RowKeys {
        if let Some(keys) = self.keys.take() {
            return keys;
        }
        let texts: Option<Vec<&str>> = self.list.iter().map(|column| std::str::from_utf8(&column.name).ok()).collect();
        match texts {
            Some(texts) if self.reading.text == TextMode::Characters => RowKeys::new(&texts),
            _ => RowKeys::from_bytes(&self.list.iter().map(|column| &column.name[..]).collect::<Vec<_>>()),
        }
    }

    /// Gives the keys back.
    pub fn keep_keys(&mut self, keys: Option<RowKeys>) {
        self.keys = keys.or(self.keys.take());
    }

    /// What texts become.
    pub fn mode(&self) -> TextMode {
        self.reading.text
    }
}

/// Decimals of a column that has no fixed number of them.
pub const NOT_FIXED_DECIMALS: u8 = 31;

/// How much of a batch there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub rows: usize,
    pub bytes: usize,
}

/// Why no more rows were written.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The batch is full.
    Full,
    /// The next packet is not there completely.
    Starved,
    /// The rows are over: all of them, or because of an error.
    End(Result<End>),
}

/// Rows that were stepped over.
#[derive(Debug, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub rows_bytes: usize,
    /// Their bytes, and those of the packet that ends the result.
    pub used: usize,
    /// Why no more.
    pub stop: Stop,
}

/// What a packet after the rows says, if it is that.
#[inline]
fn end_in(packet: &[u8], capabilities: u32) -> Option<Result<End>> {
    if End::is_in(packet) {
        Some(End::parse(packet, capabilities))
    } else if reply::is_failure(packet) {
        Some(Err(reply::failure(packet)))
    } else {
        None
    }
}

/// Writes the rows that `bytes` begins with; how many bytes they took, and why it stopped.
pub fn write(
    rows: &mut RowWriter<'_, '_, '_>,
    bytes: &[u8],
    columns: &Columns,
    limits: Limits,
    capabilities: u32,
    large: &mut Vec<u8>,
) -> Result<(usize, Stop)> {
    let mut used = 0;
    loop {
        if rows.len() >= limits.rows || rows.bytes() >= limits.bytes {
            return Ok((used, Stop::Full));
        }
        let Some((row, len)) = packet::payload(&bytes[used..], large)? else {
            return Ok((used, Stop::Starved));
        };
        if let Some(end) = end_in(row, capabilities) {
            return Ok((used + len, Stop::End(end)));
        }
        rows.begin_row();
        let written = match columns.protocol {
            Protocol::Text => text_row(rows, row, &columns.kinds),
            Protocol::Binary => binary::write_row(rows, row, columns),
        };
        if let Err(error) = written {
            rows.abort_row();
            return Err(error);
        }
        used += len;
    }
}

/// Steps over the rows that `bytes` begins with, at most so many.
pub fn skip(bytes: &[u8], capabilities: u32, most: u64) -> Result<Skipped> {
    let (mut count, mut at) = (0, 0);
    loop {
        let rest = &bytes[at..];
        let (Some(part), Some(len)) = (packet::whole(rest), packet::extent(rest)?) else {
            return Ok(Skipped { count, rows_bytes: at, used: at, stop: Stop::Starved });
        };
        if let Some(end) = end_in(&rest[part.payload], capabilities) {
            return Ok(Skipped { count, rows_bytes: at, used: at + len, stop: Stop::End(end) });
        }
        if count == most {
            return Ok(Skipped { count, rows_bytes: at, used: at, stop: Stop::Full });
        }
        count += 1;
        at += len;
    }
}

/// Notes how long the values are in the rows of the text protocol that `bytes` begins with; how many rows there are.
pub fn measure(bytes: &[u8], lengths: &mut [u64]) -> u64 {
    let (mut count, mut at) = (0, 0);
    while let Some(part) = packet::whole(&bytes[at..]) {
        let row = &bytes[at + part.payload.start..at + part.payload.end];
        at += part.payload.end;
        if !part.is_last || end_in(row, 0).is_some() {
            break;
        }
        let mut values = Bytes::new(row);
        for length in &mut *lengths {
            if values.rest().first() == Some(&NULL) {
                let _ = values.u8();
            } else {
                *length = values.string().map_or(*length, |value| (*length).max(value.len() as u64));
            }
        }
        count += 1;
    }
    count
}

#[inline]
fn text_row(rows: &mut RowWriter<'_, '_, '_>, row: &[u8], kinds: &[Kind]) -> Result<()> {
    let mut rest = row;
    for &kind in kinds {
        let (value, after) = match rest.split_first() {
            Some((&len @ 0..=0xfa, after)) => after.split_at_checked(len.into()).ok_or_else(short)?,
            Some((&NULL, after)) => {
                rest = after;
                rows.cell(Cell::Null);
                continue;
            }
            _ => long_string(rest)?,
        };
        rest = after;
        rows.cell(cell(value, kind));
    }
    if rest.is_empty() { Ok(()) } else { Err(Error::malformed("a row with more values than columns")) }
}

#[cold]
fn long_string(rest: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut bytes = Bytes::new(rest);
    let string = bytes.string()?;
    Ok((string, bytes.rest()))
}

#[cold]
fn short() -> Error {
    Error::malformed("a row is shorter than its values")
}

/// A value that came as text.
#[inline]
pub fn cell(value: &[u8], kind: Kind) -> Cell<'_> {
    match kind {
        Kind::Int | Kind::UInt => integer(value).map_or(Cell::Bytes(value), Cell::Int),
        Kind::Double => double(value).map_or(Cell::Bytes(value), Cell::Double),
        Kind::Bytes => Cell::Bytes(value),
        Kind::Text => text(value),
    }
}

/// Text as characters, if that is what it is.
#[inline]
pub fn text(value: &[u8]) -> Cell<'_> {
    match std::str::from_utf8(value) {
        Ok(_) => Cell::TextBytes(value),
        Err(_) => Cell::Bytes(value),
    }
}

/// An integer in its decimal form; `None` beyond 63 bits, which are passed as they are.
#[inline]
fn integer(value: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Up to 18 digits always fit.
    if digits.is_empty() || digits.len() > 18 {
        return std::str::from_utf8(value).ok()?.parse().ok();
    }
    let mut int = 0_i64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        int = int * 10 + i64::from(digit);
    }
    Some(if is_negative { -int } else { int })
}

fn double(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_the_rest_is_kept() {
        for (text, int) in [
            ("0", Some(0)),
            ("-5", Some(-5)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775807", Some(i64::MAX)),
            ("18446744073709551615", None),
            ("", None),
            ("-", None),
            ("1a", None),
        ] {
            assert_eq!(integer(text.as_bytes()), int, "{text}");
        }
        assert_eq!(cell(b"1.1e10", Kind::Double), Cell::Double(1.1e10));
        assert_eq!(cell(b"18446744073709551615", Kind::UInt), Cell::Bytes(b"18446744073709551615"));
        assert_eq!(cell(b"\xff", Kind::Text), Cell::Bytes(b"\xff"));
    }

    #[test]
    fn malformed_rows_are_errors() {
        let kinds = [Kind::Int, Kind::Bytes];
        let rows: [&[u8]; 6] = [b"", b"\x01", b"\x011", b"\x011\x05ab", b"\x011\x01a\x01b", b"\x011\xff"];
        for row in rows {
            let mut image = Vec::new();
            let mut writer = storable::Writer::begin_image(&mut image);
            let mut rows = writer.array_rows(2);
            rows.begin_row();
            assert!(text_row(&mut rows, row, &kinds).is_err(), "{row:?}");
            rows.abort_row();
            assert_eq!(rows.finish(), 0);
        }
    }
}
