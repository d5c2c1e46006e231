//! PostgreSQL's arrays (`{1,2,{"a b",NULL}}`) as arrays of arrays.

use storable::Writer;

use crate::postgres::limits::MAX_ARRAY_DEPTH;

/// An element: none, or its text and whether that was quoted.
type Element<'t> = Option<std::borrow::Cow<'t, [u8]>>;

/// Writes the array `text`; `element` writes each of its elements. False, and nothing written, if it is not an array.
pub fn write(
    writer: &mut Writer<'_>,
    text: &[u8],
    separator: u8,
    element: &mut dyn FnMut(&mut Writer<'_>, Option<&[u8]>),
) -> bool {
    let text = without_bounds(text);
    let mut check = Parser { rest: text, separator };
    if !check.array(0, &mut |_| {}) || !check.rest.is_empty() {
        return false;
    }
    let mut open = Vec::new();
    Parser { rest: text, separator }.array(0, &mut |event| match event {
        Event::Begin => {
            if let Some((_, count)) = open.last_mut() {
                *count += 1;
            }
            open.push((writer.reserve_array(), 0));
        }
        Event::Element(value) => {
            element(writer, value.as_deref());
            if let Some((_, count)) = open.last_mut() {
                *count += 1;
            }
        }
        Event::End => {
            if let Some((slot, count)) = open.pop() {
                writer.patch(slot, count);
            }
        }
    });
    true
}

/// Without the bounds that arrays have which do not begin at 1: `[2:3]={…}`.
fn without_bounds(text: &[u8]) -> &[u8] {
    if text.first() != Some(&b'[') {
        return text;
    }
    text.iter().position(|&byte| byte == b'=').map_or(text, |at| &text[at + 1..])
}

enum Event<'t> {
    Begin,
    Element(Element<'t>),
    End,
}

struct Parser<'t> {
    rest: &'t [u8],
    separator: u8,
}

impl<'t> Parser<'t> {
    fn next(&mut self, wanted: u8) -> bool {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// An array; whether it is one.
    fn array(&mut self, depth: usize, told: &mut dyn FnMut(Event<'t>)) -> bool {
        if depth >= MAX_ARRAY_DEPTH || !self.next(b'{') {
            return false;
        }
        told(Event::Begin);
        if !self.next(b'}') {
            loop {
                let is_fine = match self.rest.first() {
                    Some(b'{') => self.array(depth + 1, told),
                    Some(b'"') => self.quoted().is_some_and(|text| {
                        told(Event::Element(Some(text)));
                        true
                    }),
                    _ => self.plain().is_some_and(|text| {
                        told(Event::Element((text != b"NULL").then_some(text.into())));
                        true
                    }),
                };
                if !is_fine {
                    return false;
                }
                if self.next(b'}') {
                    break;
                }
                if !self.next(self.separator) {
                    return false;
                }
            }
        }
        told(Event::End);
        true
    }

    fn plain(&mut self) -> Option<&'t [u8]> {
        let separator = self.separator;
        let end = self.rest.iter().position(|&byte| byte == separator || byte == b'}')?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!text.is_empty() && !text.contains(&b'{') && !text.contains(&b'"')).then_some(text)
    }

    fn quoted(&mut self) -> Option<std::borrow::Cow<'t, [u8]>> {
        let text = self.rest.get(1..)?;
        let end = text.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
        if text[end] == b'"' {
            self.rest = &text[end + 1..];
            return Some(text[..end].into());
        }
        let mut plain = text[..end].to_vec();
        let mut bytes = text[end..].iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'"' => {
                    self.rest = bytes.as_slice();
                    return Some(plain.into());
                }
                b'\\' => plain.push(*bytes.next()?),
                byte => plain.push(byte),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storable::Value;

    fn read(text: &str) -> Option<Value> {
        let mut image = Vec::new();
        let mut writer = Writer::begin_image(&mut image);
        let is_array = write(&mut writer, text.as_bytes(), b',', &mut |writer, element| match element {
            Some(text) => writer.bytes(text),
            None => writer.undef(),
        });
        if !is_array {
            return None;
        }
        writer.finish().unwrap();
        Some(storable::from_slice(&image).unwrap())
    }

    #[test]
    fn arrays_are_read() {
        let strings = |texts: &[&str]| Value::array(texts.iter().map(|text| Value::Bytes(text.as_bytes().to_vec())));
        assert_eq!(read("{}"), Some(Value::Array(vec![])));
        assert_eq!(read("{1,2}"), Some(strings(&["1", "2"])));
        assert_eq!(read("[2:3]={1,2}"), Some(strings(&["1", "2"])));
        assert_eq!(read(r#"{"a,}b","q\"\\x","","NULL"}"#), Some(strings(&["a,}b", "q\"\\x", "", "NULL"])));
        assert_eq!(read("{NULL,a}"), Some(Value::array([Value::Undef, Value::Bytes(b"a".to_vec())])));
        assert_eq!(read("{{1,2},{3,4}}"), Some(Value::array([strings(&["1", "2"]), strings(&["3", "4"])])));
    }

    #[test]
    fn what_is_no_array_is_left_alone() {
        let deep = "{".repeat(100_000);
        for text in ["", "{", "}", "{1", "{1,", "{1,}", "{,1}", "{1}x", "{\"a}", "{\"a\\", "{a{b}}", "[1:2", "x", &deep]
        {
            assert_eq!(read(text), None, "{text:.20}");
        }
    }
}
