//! Values from the client as parameters.

use storable::ValueRef;

use super::wire::Out;

/// The type whose values go as they are.
pub const BYTEA: u32 = 17;

/// A value and the type it was bound with; 0 is left to the server.
pub fn typed<'v, 'a>(value: &'v ValueRef<'a>) -> (&'v ValueRef<'a>, u32) {
    match value {
        ValueRef::Array(pair) => {
            let oid = pair.get(1).map_or(0, |oid| match oid {
                ValueRef::Int(oid) => u32::try_from(*oid).unwrap_or(0),
                _ => 0,
            });
            (pair.first().unwrap_or(&ValueRef::Undef), oid)
        }
        value => (value, 0),
    }
}

/// Appends a value; false, and nothing appended, for NULL.
pub fn write(value: &ValueRef<'_>, oid: u32, utf8: bool, to: &mut Vec<u8>) -> bool {
    match value {
        ValueRef::Undef | ValueRef::Array(_) | ValueRef::Hash(_) => return false,
        ValueRef::Bytes(bytes) if utf8 && oid != BYTEA => write_text(bytes, to),
        ValueRef::Bytes(bytes) => to.extend_from_slice(bytes),
        ValueRef::Text(text) if oid == BYTEA => match latin1(text) {
            Some(bytes) => to.extend_from_slice(&bytes),
            None => to.extend_from_slice(text.as_bytes()),
        },
        ValueRef::Text(text) => to.extend_from_slice(text.as_bytes()),
        ValueRef::Int(int) => to.extend_from_slice(int.to_string().as_bytes()),
        ValueRef::UInt(int) => to.extend_from_slice(int.to_string().as_bytes()),
        ValueRef::Bool(yes) => to.extend_from_slice(if *yes { b"1" } else { b"" }),
        ValueRef::Double(double) => to.extend_from_slice(storable::perl_number(*double).as_bytes()),
    }
    true
}

/// Writes the message that binds `binds` to the statement `name`.
pub fn write_all(out: &mut Out, name: &str, binds: &[ValueRef<'_>], types: &[u32], utf8: bool) {
    let oid = |index: usize| match typed(&binds[index]) {
        (_, 0) => types.get(index).copied().unwrap_or(0),
        (_, oid) => oid,
    };
    out.bind(
        name,
        binds.len(),
        |index| oid(index) == BYTEA,
        |index, to| write(typed(&binds[index]).0, oid(index), utf8, to),
    );
}

/// A string of the client's as bytes for the server: SQL, a name, data of COPY.
pub fn string(value: &ValueRef<'_>, utf8: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, 0, utf8, &mut bytes);
    bytes
}

/// Characters of Latin-1 as UTF-8.
fn write_text(bytes: &[u8], to: &mut Vec<u8>) {
    if bytes.is_ascii() {
        to.extend_from_slice(bytes);
    } else {
        let mut buffer = [0; 4];
        for &byte in bytes {
            to.extend_from_slice(char::from(byte).encode_utf8(&mut buffer).as_bytes());
        }
    }
}

/// Characters as bytes, if all of them are some.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &ValueRef<'_>, oid: u32, utf8: bool) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write(value, oid, utf8, &mut bytes).then_some(bytes)
    }

    #[test]
    fn strings_go_in_the_encoding_of_the_client() {
        assert_eq!(written(&ValueRef::Bytes(b"\xe9"), 0, true), Some("\u{e9}".into()));
        assert_eq!(written(&ValueRef::Bytes(b"\xe9"), 0, false), Some(b"\xe9".to_vec()));
        assert_eq!(written(&ValueRef::Bytes(b"\xe9"), BYTEA, true), Some(b"\xe9".to_vec()));
        assert_eq!(written(&ValueRef::Text("\u{e9}"), BYTEA, true), Some(b"\xe9".to_vec()));
        assert_eq!(written(&ValueRef::Text("\u{20ac}"), BYTEA, true), Some("\u{20ac}".into()));
        assert_eq!(written(&ValueRef::Undef, 0, true), None);
        assert_eq!(written(&ValueRef::Bool(false), 0, true), Some(vec![]));
        assert_eq!(written(&ValueRef::Double(1e20), 0, true), Some(b"1e+20".to_vec()));
    }

    #[test]
    fn a_pair_is_a_value_and_its_type() {
        let pair = ValueRef::Array(vec![ValueRef::Bytes(b"x"), ValueRef::Int(25)]);
        assert_eq!(typed(&pair), (&ValueRef::Bytes(b"x"), 25));
        assert_eq!(typed(&ValueRef::Int(1)), (&ValueRef::Int(1), 0));
    }
}
