//! Reading the protocol's integers and strings, never past the end.

use crate::mysql::error::{Error, Result};

/// What is left of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'p>(&'p [u8]);

impl<'p> Bytes<'p> {
    /// A packet from its first byte on.
    pub fn new(packet: &'p [u8]) -> Self {
        Self(packet)
    }

    /// What is left.
    pub fn rest(&self) -> &'p [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'p [u8]> {
        match self.0.split_at_checked(len) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => Err(short()),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.0.split_first_chunk() {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(*taken)
            }
            None => Err(short()),
        }
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// An integer of one to nine bytes.
    #[inline]
    pub fn lenenc(&mut self) -> Result<u64> {
        match self.u8()? {
            0xfc => Ok(self.u16()?.into()),
            0xfd => {
                let [a, b, c] = self.array()?;
                Ok(u32::from_le_bytes([a, b, c, 0]).into())
            }
            0xfe => self.u64(),
            small @ 0..=0xfa => Ok(small.into()),
            _ => Err(Error::malformed("no length where one has to be")),
        }
    }

    /// A string with its length before it.
    #[inline]
    pub fn string(&mut self) -> Result<&'p [u8]> {
        let len = self.lenenc()?;
        self.take(usize::try_from(len).map_err(|_| short())?)
    }

    /// A string that ends with a NUL, or with the packet.
    pub fn until_nul(&mut self) -> &'p [u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        let (string, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        string
    }
}

#[cold]
fn short() -> Error {
    Error::malformed("it is shorter than it says")
}

/// Appends an integer of one to nine bytes.
pub fn put_lenenc(out: &mut Vec<u8>, int: u64) {
    let [a, b, c, ..] = int.to_le_bytes();
    match int {
        0..=0xfa => out.push(a),
        0xfb..=0xffff => out.extend_from_slice(&[0xfc, a, b]),
        0x1_0000..=0xff_ffff => out.extend_from_slice(&[0xfd, a, b, c]),
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&int.to_le_bytes());
        }
    }
}

/// Appends a string with its length before it.
pub fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    put_lenenc(out, string.len() as u64);
    out.extend_from_slice(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length_come_back() {
        for int in [0, 250, 251, 65_535, 65_536, 0xff_ffff, 0x100_0000, u64::MAX] {
            let mut out = Vec::new();
            put_lenenc(&mut out, int);
            let mut bytes = Bytes::new(&out);
            assert_eq!(bytes.lenenc(), Ok(int));
            assert!(bytes.is_empty());
            for end in 0..out.len() {
                assert!(Bytes::new(&out[..end]).lenenc().is_err(), "{int} cut at {end}");
            }
        }
    }

    #[test]
    fn a_length_beyond_the_packet_is_an_error() {
        assert!(Bytes::new(&[0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1]).string().is_err());
        assert!(Bytes::new(&[3, 1, 2]).string().is_err());
        assert!(Bytes::new(&[0xfb]).lenenc().is_err());
        assert!(Bytes::new(&[0xff]).lenenc().is_err());
    }

    #[test]
    fn a_string_may_end_with_its_packet() {
        let mut bytes = Bytes::new(b"ab\0c");
        assert_eq!((bytes.until_nul(), bytes.until_nul(), bytes.until_nul()), (&b"ab"[..], &b"c"[..], &b""[..]));
    }
}
