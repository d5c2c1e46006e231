//! SQL with `?` in it, and values in their place: what the drivers call emulated or client-side prepare.
//!
//! Where a `?` counts, and what is written for a value, was measured at the real drivers (the server's general log),
//! with their differences in [`Rules`]: a text of one byte more or less is another query.

use std::borrow::Cow;

use storable::ValueRef;

use super::error::{Error, Result};

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// Those of `DBD::mysql`.
    #[default]
    Mysql,
    /// Those of `DBD::MariaDB`.
    Mariadb,
}

/// How values are written.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools)] // independent of each other
pub struct Style {
    /// Whose rules hold.
    pub rules: Rules,
    /// The server takes a backslash as an ordinary character.
    pub no_backslash_escapes: bool,
    /// Strings are characters: bytes are upgraded from Latin-1.
    pub characters: bool,
    /// Values that look like numbers are written as such.
    pub guess: bool,
    /// Second bytes of characters may look like a backslash.
    pub multibyte: Option<Multibyte>,
}

/// Character sets in which the second byte of a character may look like a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multibyte {
    /// `big5`
    Big5,
    /// `gbk`, `gb18030`
    Gbk,
    /// `sjis`, `cp932`
    Sjis,
}

impl Multibyte {
    /// That of a character set, if it is one of these.
    pub fn of(charset: &str) -> Option<Self> {
        Some(match charset.to_ascii_lowercase().as_str() {
            "big5" => Self::Big5,
            "gbk" | "gb18030" => Self::Gbk,
            "sjis" | "cp932" => Self::Sjis,
            _ => return None,
        })
    }

    /// Whether a byte begins a character of two. Where the server sees one byte and this two, or the other way round, a
    /// backslash is taken for what it is not, and a value gets out of its quotes.
    fn is_first(self, byte: u8) -> bool {
        match self {
            Self::Big5 => matches!(byte, 0xa1..=0xf9),
            Self::Gbk => matches!(byte, 0x81..=0xfe),
            Self::Sjis => matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
        }
    }

    fn is_second(self, byte: u8) -> bool {
        match self {
            Self::Big5 => matches!(byte, 0x40..=0x7e | 0xa1..=0xfe),
            Self::Gbk => matches!(byte, 0x40..=0x7e | 0x80..=0xfe),
            Self::Sjis => matches!(byte, 0x40..=0x7e | 0x80..=0xfc),
        }
    }
}

/// What a value is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// A string.
    #[default]
    Text,
    /// An integer.
    Integer,
    /// A floating point number.
    Float,
    /// A number with all its digits.
    Decimal,
    /// Bytes.
    Binary,
}

impl Class {
    fn from_number(number: Option<i64>) -> Self {
        match number {
            Some(1) => Self::Integer,
            Some(2) => Self::Float,
            Some(3) => Self::Decimal,
            Some(4) => Self::Binary,
            _ => Self::Text,
        }
    }

    /// Whether it is a number's.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Float | Self::Decimal)
    }
}

/// A value to be sent; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bind<'v> {
    /// The bytes.
    pub value: Option<Cow<'v, [u8]>>,
    /// As what.
    pub class: Class,
}

impl<'v> Bind<'v> {
    /// From a scalar, or `[scalar, class]`.
    pub fn new(value: &ValueRef<'v>, style: Style) -> Result<Self> {
        let (value, class) = match value {
            ValueRef::Array(pair) => {
                let class = pair.get(1).map(ValueRef::to_value).and_then(|class| class.as_i64());
                (pair.first().unwrap_or(&ValueRef::Undef), Class::from_number(class))
            }
            value => (value, Class::Text),
        };
        let value = match value {
            ValueRef::Undef => None,
            value => Some(bytes(value, style.characters, class == Class::Binary)?),
        };
        Ok(Self { value, class })
    }

    /// The same, for keeping.
    pub fn into_owned(self) -> Bind<'static> {
        Bind { value: self.value.map(|value| Cow::Owned(value.into_owned())), class: self.class }
    }
}

/// A string as it is sent.
pub fn bytes<'v>(value: &ValueRef<'v>, characters: bool, binary: bool) -> Result<Cow<'v, [u8]>> {
    let printed = match value {
        ValueRef::Text(text) if binary && characters => {
            let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            return bytes.map(Cow::Owned).ok_or_else(|| Error::client(2000, "Wide character in a binary value"));
        }
        ValueRef::Text(text) => return Ok(Cow::Borrowed(text.as_bytes())),
        ValueRef::Bytes(bytes) if !characters || binary || bytes.is_ascii() => return Ok(Cow::Borrowed(bytes)),
        ValueRef::Bytes(bytes) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        ValueRef::Int(int) => int.to_string(),
        ValueRef::UInt(int) => int.to_string(),
        ValueRef::Double(double) => storable::perl_number(*double),
        ValueRef::Bool(bool) => String::from(if *bool { "1" } else { "" }),
        ValueRef::Undef => String::new(),
        ValueRef::Array(_) | ValueRef::Hash(_) => {
            return Err(Error::client(2000, "a value must be a string, a number or undef"));
        }
    };
    Ok(Cow::Owned(printed.into_bytes()))
}

/// SQL, cut at its placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    sql: Vec<u8>,
    /// Where each `?` is, and whether a number belongs there (after LIMIT).
    places: Vec<(usize, bool)>,
}

impl Template {
    /// Finds the placeholders of `sql`.
    pub fn new(sql: Vec<u8>, rules: Rules, comment_placeholders: bool) -> Self {
        let places = Scan { sql: &sql, at: 0, limit: false, rules, comment_placeholders }.places();
        Self { sql, places }
    }

    /// SQL that is sent as it is, whatever is in it.
    pub fn raw(sql: Vec<u8>) -> Self {
        Self { sql, places: Vec::new() }
    }

    /// The SQL as it came.
    pub fn sql(&self) -> &[u8] {
        &self.sql
    }

    /// The number of placeholders.
    pub fn parameters(&self) -> usize {
        self.places.len()
    }

    /// Appends the SQL with its values.
    pub fn write(&self, out: &mut Vec<u8>, binds: &[Bind<'_>], style: Style) -> Result<()> {
        if binds.len() != self.places.len() {
            return Err(Error::client(2031, wrong_count(binds.len(), self.places.len())));
        }
        let mut from = 0;
        for (&(at, limit), bind) in self.places.iter().zip(binds) {
            out.extend_from_slice(&self.sql[from..at]);
            from = at + 1;
            write_value(out, bind, limit, style)?;
        }
        out.extend_from_slice(&self.sql[from..]);
        Ok(())
    }
}

/// What DBI says of a wrong number of values.
pub fn wrong_count(got: usize, needed: usize) -> String {
    format!("called with {got} bind variables when {needed} are needed")
}

struct Scan<'s> {
    sql: &'s [u8],
    at: usize,
    limit: bool,
    rules: Rules,
    comment_placeholders: bool,
}

impl Scan<'_> {
    fn places(mut self) -> Vec<(usize, bool)> {
        let mut places = Vec::new();
        while let Some(&byte) = self.sql.get(self.at) {
            match byte {
                b'?' => places.push((self.at, self.limit)),
                b'\'' | b'"' | b'`' => self.skip_string(byte),
                b'-' if self.follows(b"--") && !self.comment_placeholders => self.skip_comment(b"\n"),
                b'/' if self.follows(b"/*") && !self.comment_placeholders => self.skip_comment(b"*/"),
                b')' => self.limit = false,
                b'l' | b'L' if self.is_limit() => self.limit = true,
                _ => {}
            }
            self.at += 1;
        }
        places
    }

    fn follows(&self, text: &[u8]) -> bool {
        self.sql[self.at..].starts_with(text)
    }

    fn is_limit(&self) -> bool {
        let Some(word) = self.sql[self.at..].get(..5) else { return false };
        match self.rules {
            Rules::Mariadb => word.eq_ignore_ascii_case(b"limit"),
            Rules::Mysql => {
                let before = self.at.checked_sub(1).map(|at| self.sql[at]);
                matches!(word, b"limit" | b"LIMIT") && matches!(before, Some(b' ' | b'\n' | b'\t'))
            }
        }
    }

    /// To the last byte of a comment. One that does not end is none.
    fn skip_comment(&mut self, end: &[u8]) {
        let begin = self.at + 2;
        let rest = self.sql.get(begin..).unwrap_or_default();
        if let Some(found) = rest.windows(end.len()).position(|here| here == end) {
            self.at = begin + found + end.len() - 1;
        }
    }

    /// To the quote that ends a string.
    fn skip_string(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.sql.get(self.at) {
            if byte == quote {
                return;
            }
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
    }
}

fn write_value(out: &mut Vec<u8>, bind: &Bind<'_>, limit: bool, style: Style) -> Result<()> {
    let Some(value) = bind.value.as_deref() else {
        out.extend_from_slice(b"NULL");
        return Ok(());
    };
    let number = number_prefix(value);
    let is_number = !number.is_empty() && value[number.len()..].trim_ascii().is_empty();
    if bind.class.is_numeric() || limit {
        match style.rules {
            Rules::Mysql => {
                out.extend_from_slice(number);
                return Ok(());
            }
            Rules::Mariadb if is_number => {
                out.extend_from_slice(number);
                return Ok(());
            }
            Rules::Mariadb if bind.class.is_numeric() => {
                return Err(Error::client(1210, "Wrong number of bind parameters"));
            }
            Rules::Mariadb => {}
        }
    } else if style.guess && number.len() == value.len() && is_number {
        out.extend_from_slice(number);
        return Ok(());
    }
    write_string(out, value, style);
    Ok(())
}

/// The number that a text begins with, blanks before it included; empty if there is none.
fn number_prefix(value: &[u8]) -> &[u8] {
    let digits = |from: usize| value[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = |at: usize| usize::from(matches!(value.get(at), Some(b'+' | b'-')));
    let mut at = value.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    at += sign(at);
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    if value.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        if whole + fraction > 0 {
            at += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return &[];
    }
    if matches!(value.get(at), Some(b'e' | b'E')) {
        let begin = at + 1 + sign(at + 1);
        let exponent = if begin <= value.len() { digits(begin) } else { 0 };
        if exponent > 0 {
            at = begin + exponent;
        }
    }
    &value[..at]
}

/// A string literal.
pub fn write_string(out: &mut Vec<u8>, value: &[u8], style: Style) {
    out.reserve(value.len() + 2);
    out.push(b'\'');
    if style.no_backslash_escapes {
        for &byte in value {
            if byte == b'\'' {
                out.push(b'\'');
            }
            out.push(byte);
        }
    } else if let Some(multibyte) = style.multibyte {
        escape_multibyte(out, value, multibyte);
    } else {
        escape(out, value);
    }
    out.push(b'\'');
}

fn escape(out: &mut Vec<u8>, value: &[u8]) {
    let mut from = 0;
    for (at, &byte) in value.iter().enumerate() {
        if let Some(letter) = escaped(byte) {
            out.extend_from_slice(&value[from..at]);
            out.extend_from_slice(&[b'\\', letter]);
            from = at + 1;
        }
    }
    out.extend_from_slice(&value[from..]);
}

/// What comes after a backslash for a byte that needs one.
#[inline]
fn escaped(byte: u8) -> Option<u8> {
    Some(match byte {
        0 => b'0',
        b'\n' => b'n',
        b'\r' => b'r',
        0x1a => b'Z',
        b'\\' | b'\'' | b'"' => byte,
        _ => return None,
    })
}

/// The same where the second byte of a character is none of its own.
fn escape_multibyte(out: &mut Vec<u8>, value: &[u8], multibyte: Multibyte) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match value.get(at + 1) {
            Some(&second) if multibyte.is_first(byte) && multibyte.is_second(second) => {
                out.extend_from_slice(&[byte, second]);
                at += 1;
            }
            // A first byte alone would take the quote that ends the literal with it.
            _ if multibyte.is_first(byte) => out.extend_from_slice(&[b'\\', byte]),
            _ => match escaped(byte) {
                Some(letter) => out.extend_from_slice(&[b'\\', letter]),
                None => out.push(byte),
            },
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str, values: &[&str], style: Style) -> String {
        let template = Template::new(sql.into(), style.rules, false);
        let binds: Vec<_> =
            values.iter().map(|value| Bind { value: Some(value.as_bytes().into()), class: Class::Text }).collect();
        let mut out = Vec::new();
        template.write(&mut out, &binds, style).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn placeholders_are_those_of_the_drivers() {
        let both = [
            ("select ?, '?', \"?\", `?`, ? -- ? ' \n, ?", 3),
            ("select ? /* ? */ , 1 # ? \n", 2),
            ("select 'it\\'s ?', ?", 1),
            ("select 'a''?', ?", 1),
            ("select 1 --? \n, ?", 1),
            ("select `x?", 0),
            ("select 'x?\\", 0),
            ("select /* ?", 1),
            ("select ? -- ?", 2),
            ("select `\\`?`", 0),
            ("select 1 -?", 1),
            ("?--", 1),
            ("", 0),
        ];
        for (sql, count) in both {
            for rules in [Rules::Mysql, Rules::Mariadb] {
                assert_eq!(Template::new(sql.into(), rules, false).parameters(), count, "{sql}");
            }
        }
        assert_eq!(Template::new("select /* ? */ ? -- ?\n".into(), Rules::Mysql, true).parameters(), 3);
    }

    #[test]
    fn numbers_after_limit_are_not_quoted() {
        let mysql = Style::default();
        let mariadb = Style { rules: Rules::Mariadb, ..mysql };
        for (sql, value, as_mysql, as_mariadb) in [
            ("select 1 limit ?", "5", "select 1 limit 5", "select 1 limit 5"),
            ("select 1 limit ?", "abc", "select 1 limit ", "select 1 limit 'abc'"),
            ("select 1 limit ?", "1,2", "select 1 limit 1", "select 1 limit '1,2'"),
            ("select 1\nLimit\n?", "5", "select 1\nLimit\n'5'", "select 1\nLimit\n5"),
            ("limit ?", "1", "limit '1'", "limit 1"),
            ("select 1\n\tLIMIT\t?", "0", "select 1\n\tLIMIT\t0", "select 1\n\tLIMIT\t0"),
            ("select 1 /*x*/limit ?", "0", "select 1 /*x*/limit '0'", "select 1 /*x*/limit 0"),
            ("select 1 as limit1 , ?", "3", "select 1 as limit1 , 3", "select 1 as limit1 , 3"),
            ("select 'limit' , ?", "3", "select 'limit' , '3'", "select 'limit' , '3'"),
            (
                "(select 1 limit 1) union select ?",
                "2",
                "(select 1 limit 1) union select '2'",
                "(select 1 limit 1) union select '2'",
            ),
        ] {
            assert_eq!(written(sql, &[value], mysql), as_mysql);
            assert_eq!(written(sql, &[value], mariadb), as_mariadb);
        }
    }

    #[test]
    fn strings_are_escaped_as_the_server_reads_them() {
        let style = Style::default();
        assert_eq!(written("?", &["x'\"\\\0\n\r\x1ay"], style), "'x\\'\\\"\\\\\\0\\n\\r\\Zy'");
        let style = Style { no_backslash_escapes: true, ..style };
        assert_eq!(written("?", &["a'b\\c"], style), "'a''b\\c'");
        let mut out = Vec::new();
        write_string(&mut out, b"\xbf'\x95\\\xbf", Style { multibyte: Multibyte::of("GBK"), ..Style::default() });
        assert_eq!(out, b"'\\\xbf\\'\x95\\\\\xbf'");
        // A byte that is a character by itself there leaves the backslash behind it one.
        for (charset, value, written) in [
            ("sjis", &b"\xb1\\'"[..], &b"'\xb1\\\\\\''"[..]),
            ("cp932", b"\x81\\'", b"'\x81\\\\''"),
            ("big5", b"\x81\\'", b"'\x81\\\\\\''"),
            ("big5", b"\xa1\\'", b"'\xa1\\\\''"),
        ] {
            out.clear();
            write_string(&mut out, value, Style { multibyte: Multibyte::of(charset), ..Style::default() });
            assert_eq!(out, written, "{charset}");
        }
    }

    #[test]
    fn numbers_are_what_a_text_begins_with() {
        for (text, number) in [
            ("12abc", "12"),
            (" 12", " 12"),
            ("1e3", "1e3"),
            ("1e", "1"),
            ("1e+", "1"),
            ("0x10", "0"),
            ("-5.5", "-5.5"),
            ("+7", "+7"),
            (".5", ".5"),
            ("5.", "5."),
            (".", ""),
            ("-", ""),
            ("", ""),
            ("abc", ""),
        ] {
            assert_eq!(number_prefix(text.as_bytes()), number.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_wrong_number_of_values_is_an_error() {
        let template = Template::new("select ?".into(), Rules::Mysql, false);
        assert!(template.write(&mut Vec::new(), &[], Style::default()).is_err());
    }

    #[test]
    fn values_become_bytes_by_the_drivers_rules() {
        let latin1 = ValueRef::Bytes(b"\xe9");
        assert_eq!(&*bytes(&latin1, false, false).unwrap(), b"\xe9");
        assert_eq!(&*bytes(&latin1, true, false).unwrap(), b"\xc3\xa9");
        assert_eq!(&*bytes(&latin1, true, true).unwrap(), b"\xe9");
        assert_eq!(&*bytes(&ValueRef::Text("\u{e9}"), true, true).unwrap(), b"\xe9");
        assert!(bytes(&ValueRef::Text("\u{20ac}"), true, true).is_err());
        assert_eq!(&*bytes(&ValueRef::Double(1e20), false, false).unwrap(), b"1e+20");
    }
}
