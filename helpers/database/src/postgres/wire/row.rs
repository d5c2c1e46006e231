//! Columns, and rows on their way into a reply.

use std::sync::OnceLock;

use storable::{Cell, RowKeys, RowWriter, Writer};

use super::array;

/// How values are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// Text gets the UTF-8 flag.
    pub utf8: bool,
    /// Booleans are `t` and `f`.
    pub bool_tf: bool,
    /// Arrays are arrays.
    pub expand_array: bool,
}

/// What a value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Float,
    Bool,
    Bytea,
    Array { element: Element, separator: u8 },
}

/// What an element of an array becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Text,
    Int,
    Float,
    Bool,
    Bytes,
}

/// The columns of a result.
#[derive(Debug, Default)]
pub struct Columns {
    /// Names, in the client's encoding.
    pub names: Vec<Vec<u8>>,
    /// Types, by their OID.
    pub types: Vec<u32>,
    /// Sizes of the types, -1 where they vary.
    pub sizes: Vec<i16>,
    /// Modifiers of the types, -1 for none.
    pub mods: Vec<i32>,
    /// Where they come from: table and number of the column, 0 for none.
    pub origins: Vec<(u32, i16)>,
    kinds: Vec<Kind>,
    text_keys: OnceLock<RowKeys>,
    byte_keys: OnceLock<RowKeys>,
}

/// Types that are arrays of other types than text, or have another separator; all others in this range with an
/// element type are arrays of text.
const fn kind(oid: u32) -> Kind {
    const fn array(element: Element) -> Kind {
        Kind::Array { element, separator: b',' }
    }
    match oid {
        16 => Kind::Bool,
        17 => Kind::Bytea,
        20 | 21 | 23 => Kind::Int,
        700 | 701 => Kind::Float,
        1000 => array(Element::Bool),
        1001 => array(Element::Bytes),
        1005 | 1007 | 1016 | 1028 => array(Element::Int),
        1021 | 1022 | 1231 => array(Element::Float),
        1020 => Kind::Array { element: Element::Text, separator: b';' },
        143
        | 199
        | 210
        | 270..=273
        | 629
        | 651
        | 719
        | 775
        | 791
        | 1002
        | 1003
        | 1006
        | 1008..=1015
        | 1017..=1019
        | 1027
        | 1034
        | 1040
        | 1041
        | 1115
        | 1182
        | 1183
        | 1185
        | 1187
        | 1263
        | 1270
        | 1561
        | 1563
        | 2201
        | 2207..=2211
        | 2287
        | 2949
        | 2951
        | 3221
        | 3643..=3645
        | 3735
        | 3770
        | 3807
        | 3905
        | 3907
        | 3909
        | 3911
        | 3913
        | 3927
        | 4073
        | 4090
        | 4097
        | 4192
        | 5039
        | 6150..=6153
        | 6155
        | 6157 => array(Element::Text),
        _ => Kind::Text,
    }
}

/// A part of a message, read from the front.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    fn i16(&mut self) -> Option<i16> {
        self.chunk().map(i16::from_be_bytes)
    }

    fn string(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(text)
    }
}

impl Columns {
    /// Reads `RowDescription`; `None` if it is malformed.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let mut columns = Self::default();
        for _ in 0..reader.i16()? {
            columns.names.push(reader.string()?.to_vec());
            columns.origins.push((reader.u32()?, reader.i16()?));
            let oid = reader.u32()?;
            columns.types.push(oid);
            columns.kinds.push(kind(oid));
            columns.sizes.push(reader.i16()?);
            columns.mods.push(reader.u32()?.cast_signed());
            reader.i16()?;
        }
        Some(columns)
    }

    /// Whether they are the same in all that a client sees.
    pub fn is_same(&self, other: &Self) -> bool {
        self.names == other.names
            && self.types == other.types
            && self.sizes == other.sizes
            && self.mods == other.mods
            && self.origins == other.origins
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Keys for rows that are hashes.
    pub fn keys(&self, utf8: bool) -> &RowKeys {
        let of_bytes = || RowKeys::from_bytes(&self.names);
        if !utf8 {
            return self.byte_keys.get_or_init(of_bytes);
        }
        self.text_keys.get_or_init(|| {
            let names: Option<Vec<_>> = self.names.iter().map(|name| std::str::from_utf8(name).ok()).collect();
            names.map_or_else(of_bytes, |names| RowKeys::new(&names))
        })
    }
}

/// Writes a row from the body of `DataRow`; `None` if it is malformed, the row is taken back then.
#[inline]
pub fn write_row(rows: &mut RowWriter<'_, '_, '_>, body: &[u8], columns: &Columns, decoding: Decoding) -> Option<()> {
    rows.begin_row();
    let written = write_cells(rows, body, &columns.kinds, decoding);
    if written.is_none() {
        rows.abort_row();
    }
    written
}

#[inline]
fn write_cells(rows: &mut RowWriter<'_, '_, '_>, body: &[u8], kinds: &[Kind], decoding: Decoding) -> Option<()> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    if usize::from(u16::from_be_bytes(*count)) != kinds.len() {
        return None;
    }
    for kind in kinds {
        let (len, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let Ok(len) = usize::try_from(i32::from_be_bytes(*len)) else {
            rows.cell(Cell::Null);
            continue;
        };
        let value = rest.get(..len)?;
        rest = &rest[len..];
        match kind {
            Kind::Int => rows.cell(int(value)),
            Kind::Float => rows.cell(float(value)),
            Kind::Bool => rows.cell(boolean(value, decoding)),
            Kind::Bytea => bytea(rows, value),
            Kind::Array { element, separator } if decoding.expand_array => {
                write_array(rows, value, *element, *separator, decoding);
            }
            Kind::Text | Kind::Array { .. } => rows.cell(text(value, decoding.utf8)),
        }
    }
    rest.is_empty().then_some(())
}

#[inline]
fn text(value: &[u8], utf8: bool) -> Cell<'_> {
    if utf8 && std::str::from_utf8(value).is_ok() { Cell::TextBytes(value) } else { Cell::Bytes(value) }
}

/// An integer as the server writes it: a sign perhaps, and digits.
#[inline]
fn int(value: &[u8]) -> Cell<'_> {
    let (is_negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return Cell::Bytes(value);
    }
    let mut sum: u64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return Cell::Bytes(value);
        }
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    // 19 digits fit into 64 bits, but perhaps not with a sign.
    let signed = if is_negative { 0_i64.checked_sub_unsigned(sum) } else { i64::try_from(sum).ok() };
    signed.map_or(Cell::Bytes(value), Cell::Int)
}

fn float(value: &[u8]) -> Cell<'_> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.map_or(Cell::Bytes(value), Cell::Double)
}

fn boolean(value: &[u8], decoding: Decoding) -> Cell<'_> {
    match value {
        _ if decoding.bool_tf => text(value, decoding.utf8),
        b"t" => Cell::Int(1),
        b"f" => Cell::Int(0),
        _ => Cell::Bytes(value),
    }
}

/// `\x` and hexadecimal digits, or the old form with octal escapes.
fn bytea(rows: &mut RowWriter<'_, '_, '_>, value: &[u8]) {
    match value.strip_prefix(b"\\x").and_then(from_hex) {
        Some(bytes) => rows.cell(Cell::Bytes(&bytes)),
        None => rows.cell(Cell::Bytes(&from_escapes(value))),
    }
}

/// Hexadecimal digits as bytes.
pub fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' => digit - b'A' + 10,
            _ => 0x80,
        }
    }
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut wrong = 0;
    let bytes = digits
        .as_chunks::<2>()
        .0
        .iter()
        .map(|&[high, low]| {
            let (high, low) = (value(high), value(low));
            wrong |= (high | low) & 0x80;
            high << 4 | low & 0xf
        })
        .collect();
    (wrong == 0).then_some(bytes)
}

fn from_escapes(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
        } else if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
            bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else if let Some((&byte, after)) = rest.split_first() {
            bytes.push(byte);
            rest = after;
        }
    }
    bytes
}

fn write_array(rows: &mut RowWriter<'_, '_, '_>, value: &[u8], element: Element, separator: u8, decoding: Decoding) {
    rows.nested(|writer| {
        let written = array::write(writer, value, separator, &mut |writer, value| match value {
            Some(value) => write_cell(writer, element_cell(value, element, decoding)),
            None => writer.undef(),
        });
        if !written {
            write_cell(writer, text(value, decoding.utf8));
        }
    });
}

fn element_cell(value: &[u8], element: Element, decoding: Decoding) -> Cell<'_> {
    match element {
        Element::Text => text(value, decoding.utf8),
        Element::Int => int(value),
        Element::Float => float(value),
        Element::Bool => boolean(value, decoding),
        Element::Bytes => Cell::Bytes(value),
    }
}

fn write_cell(writer: &mut Writer<'_>, cell: Cell<'_>) {
    match cell {
        Cell::Null => writer.undef(),
        Cell::Int(int) => writer.int(int),
        Cell::Double(double) => writer.double(double),
        Cell::Bytes(bytes) => writer.bytes(bytes),
        Cell::Text(text) => writer.text(text),
        Cell::TextBytes(text) => writer.text_bytes(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storable::Value;

    const DECODING: Decoding = Decoding { utf8: true, bool_tf: false, expand_array: true };

    fn description(types: &[u32]) -> Columns {
        let mut body = u16::try_from(types.len()).unwrap().to_be_bytes().to_vec();
        for (index, oid) in types.iter().enumerate() {
            body.extend_from_slice(format!("c{index}\0").as_bytes());
            body.extend_from_slice(&[0, 0, 0, 9, 0, 3]);
            body.extend_from_slice(&oid.to_be_bytes());
            body.extend_from_slice(&[0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        }
        Columns::parse(&body).unwrap()
    }

    fn data(values: &[Option<&[u8]>]) -> Vec<u8> {
        let mut body = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
        for value in values {
            match value {
                Some(value) => {
                    body.extend_from_slice(&i32::try_from(value.len()).unwrap().to_be_bytes());
                    body.extend_from_slice(value);
                }
                None => body.extend_from_slice(&[0xff; 4]),
            }
        }
        body
    }

    fn read(columns: &Columns, body: &[u8]) -> Option<Value> {
        let mut image = Vec::new();
        let mut writer = Writer::begin_image(&mut image);
        let mut rows = writer.array_rows(columns.len());
        let written = write_row(&mut rows, body, columns, DECODING);
        rows.finish();
        writer.finish().unwrap();
        written.map(|()| storable::from_slice::<Vec<Value>>(&image).unwrap().remove(0))
    }

    #[test]
    fn values_get_their_types() {
        let columns = description(&[23, 20, 701, 16, 17, 25, 25, 1007, 1001]);
        assert_eq!((columns.sizes[0], columns.mods[0], columns.origins[0]), (4, -1, (9, 3)));
        let body = data(&[
            Some(b"-2147483648"),
            Some(b"9223372036854775807"),
            Some(b"1.5"),
            Some(b"t"),
            Some(b"\\x00fF"),
            Some("\u{e9}".as_bytes()),
            None,
            Some(b"{1,NULL}"),
            Some(b"{\"\\\\x41\"}"),
        ]);
        let expected = Value::array([
            Value::Int(-2_147_483_648),
            Value::Int(i64::MAX),
            Value::Double(1.5),
            Value::Int(1),
            Value::Bytes(vec![0, 255]),
            Value::from("\u{e9}"),
            Value::Undef,
            Value::array([Value::Int(1), Value::Undef]),
            Value::array([Value::Bytes(b"\\x41".to_vec())]),
        ]);
        assert_eq!(read(&columns, &body), Some(expected));
    }

    #[test]
    fn what_is_no_number_stays_text() {
        for text in ["", "-", "12x", "9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert_eq!(int(text.as_bytes()), Cell::Bytes(text.as_bytes()), "{text}");
        }
        assert_eq!(int(b"-9223372036854775808"), Cell::Int(i64::MIN));
        assert!(matches!(float(b"NaN"), Cell::Double(nan) if nan.is_nan()));
        assert_eq!(float(b"-Infinity"), Cell::Double(f64::NEG_INFINITY));
        assert_eq!(from_escapes(b"a\\\\b\\001\\377"), b"a\\b\x01\xff");
        assert_eq!((from_hex(b"abc"), from_hex(b"zz")), (None, None));
    }

    #[test]
    fn malformed_rows_are_refused() {
        let columns = description(&[25, 25]);
        let good = data(&[Some(b"ab"), None]);
        assert!(read(&columns, &good).is_some());
        for len in 0..good.len() {
            assert_eq!(read(&columns, &good[..len]), None, "{len}");
        }
        assert_eq!(read(&columns, &[&good[..], b"x"].concat()), None);
        assert_eq!(read(&columns, &data(&[Some(b"a")])), None);
        assert!(Columns::parse(b"\0\x01abc\0\0").is_none());
    }
}
