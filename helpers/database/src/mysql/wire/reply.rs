//! What commands are answered with.

use super::bytes::Bytes;
use super::constants::capability;
use crate::mysql::error::{Error, Result};

/// A column of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    pub db: Vec<u8>,
    pub table: Vec<u8>,
    pub org_table: Vec<u8>,
    pub name: Vec<u8>,
    pub org_name: Vec<u8>,
    pub charset: u16,
    pub length: u32,
    pub kind: u8,
    pub flags: u16,
    pub decimals: u8,
}

impl Column {
    /// From a packet.
    pub fn parse(packet: &[u8]) -> Result<Self> {
        let mut bytes = Bytes::new(packet);
        bytes.string()?; // the catalogue, always "def"
        let mut name = || bytes.string().map(<[u8]>::to_vec);
        let (db, table, org_table, name, org_name) = (name()?, name()?, name()?, name()?, name()?);
        let mut fixed = Bytes::new(bytes.string()?);
        Ok(Self {
            db,
            table,
            org_table,
            name,
            org_name,
            charset: fixed.u16()?,
            length: fixed.u32()?,
            kind: fixed.u8()?,
            flags: fixed.u16()?,
            decimals: fixed.u8()?,
        })
    }
}

/// A statement that returned no rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ok {
    pub affected: u64,
    pub insert_id: u64,
    pub status: u16,
    pub warnings: u16,
    pub info: Vec<u8>,
}

impl Ok {
    fn parse(packet: &[u8]) -> Result<Self> {
        let mut bytes = Bytes::new(packet);
        bytes.u8()?;
        let (affected, insert_id) = (bytes.lenenc()?, bytes.lenenc()?);
        let (status, warnings) = (bytes.u16()?, bytes.u16()?);
        // MySQL writes a length before the text, MariaDB does as well; an old server just the text.
        let rest = bytes.rest();
        let info = match bytes.string() {
            Result::Ok(info) => info,
            Err(_) => rest,
        };
        Result::Ok(Self { affected, insert_id, status, warnings, info: info.to_vec() })
    }
}

/// The end of a result's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    pub status: u16,
    pub warnings: u16,
}

impl End {
    /// Whether further results follow.
    pub fn has_more(self) -> bool {
        self.status & super::constants::status::MORE_RESULTS != 0
    }

    /// Whether a packet is the end of rows, in the form that goes with `capabilities`.
    #[inline]
    pub fn is_in(packet: &[u8]) -> bool {
        // A row that begins with this byte has a string of 16 MB at least.
        packet.first() == Some(&0xfe) && packet.len() < super::packet::MAX_PART_BYTES
    }

    /// From a packet for which [`End::is_in`] is true.
    pub fn parse(packet: &[u8], capabilities: u32) -> Result<Self> {
        if capabilities & capability::DEPRECATE_EOF != 0 {
            let ok = Ok::parse(packet)?;
            return Result::Ok(Self { status: ok.status, warnings: ok.warnings });
        }
        let mut bytes = Bytes::new(packet);
        bytes.u8()?;
        let warnings = bytes.u16()?;
        Result::Ok(Self { status: bytes.u16()?, warnings })
    }
}

/// The first packet of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done, no rows.
    Ok(Ok),
    /// Rows of so many columns follow.
    Columns(usize),
    /// The server wants the contents of a file.
    LocalInfile(Vec<u8>),
}

impl Reply {
    /// From a packet; what it says is an error is one.
    pub fn parse(packet: &[u8]) -> Result<Self> {
        match packet {
            [] => Err(Error::malformed("an empty answer")),
            [0, ..] => Ok::parse(packet).map(Self::Ok),
            [0xff, ..] => Err(failure(packet)),
            [0xfb, name @ ..] => Result::Ok(Self::LocalInfile(name.to_vec())),
            _ => {
                let count = Bytes::new(packet).lenenc()?;
                match usize::try_from(count) {
                    Result::Ok(count) if count <= MAX_COLUMNS_COUNT => Result::Ok(Self::Columns(count)),
                    _ => Err(Error::malformed("a result of too many columns")),
                }
            }
        }
    }
}

/// Columns of a result; the protocol itself has no smaller bound. Servers allow 4096.
pub const MAX_COLUMNS_COUNT: usize = 65_535;

/// Whether a packet says that something went wrong.
#[inline]
pub fn is_failure(packet: &[u8]) -> bool {
    packet.first() == Some(&0xff)
}

/// The error in such a packet.
#[cold]
pub fn failure(packet: &[u8]) -> Error {
    let mut bytes = Bytes::new(packet);
    let (Result::Ok(_), Result::Ok(number)) = (bytes.u8(), bytes.u16()) else {
        return Error::malformed("an error without a number");
    };
    let mut error = Error::client(number.into(), "");
    if let Some((b"#", rest)) = bytes.rest().split_at_checked(1) {
        if let Some((state, text)) = rest.split_at_checked(5) {
            error.state = String::from_utf8_lossy(state).into_owned().into();
            error.message = String::from_utf8_lossy(text).into_owned();
        }
    } else {
        error.message = String::from_utf8_lossy(bytes.rest()).into_owned();
    }
    // The server ends the connection: it is shutting down, it was told to, or it waited too long.
    error.lost = matches!(number, 1053 | 1077 | 1080 | 1927 | 3168 | 4031);
    error
}

/// An answer that may only be "done".
pub fn ok(packet: &[u8]) -> Result<Ok> {
    match Reply::parse(packet)? {
        Reply::Ok(ok) => Result::Ok(ok),
        Reply::Columns(_) | Reply::LocalInfile(_) => Err(Error::malformed("rows, where none were asked for")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_number_state_and_text() {
        let error = failure(b"\xff\x15\x04#28000Access denied");
        assert_eq!((error.number, &*error.state, &*error.message), (1045, "28000", "Access denied"));
        let error = failure(b"\xff\x10\x04Too many connections");
        assert_eq!((error.number, &*error.state, &*error.message), (1040, "HY000", "Too many connections"));
        assert_eq!(failure(b"\xff\x10").number, 2027);
    }

    #[test]
    fn no_packet_makes_a_panic() {
        let packets: [&[u8]; 6] = [
            b"\x00\x01\x02\x02\x00\x03\x00\x04text",
            b"\xff\x15\x04#28000Access denied",
            b"\xfb/etc/passwd",
            b"\x05",
            b"\xfe\x00\x00\x02\x00\x00\x00",
            b"\x03def\x01a\x01b\x01c\x01d\x01e\x0c\x21\x00\x01\x00\x00\x00\xfd\x00\x00\x00\x00\x00",
        ];
        for packet in packets {
            for end in 0..=packet.len() {
                for flip in 0..=255 {
                    let mut cut = packet[..end].to_vec();
                    if let Some(byte) = cut.get_mut(flip as usize % 8) {
                        *byte ^= flip;
                    }
                    let _ = (Reply::parse(&cut), Column::parse(&cut), End::parse(&cut, 0), ok(&cut));
                    let _ = End::parse(&cut, capability::DEPRECATE_EOF);
                }
            }
        }
    }

    #[test]
    fn a_column_has_all_its_facts() {
        let packet = b"\x03def\x02db\x01t\x02ot\x01n\x02on\x0c\x2d\x00\x50\x00\x00\x00\xfd\x01\x10\x02\x00\x00";
        let column = Column::parse(packet).unwrap();
        assert_eq!((&*column.db, &*column.table, &*column.org_table), (&b"db"[..], &b"t"[..], &b"ot"[..]));
        assert_eq!((&*column.name, &*column.org_name), (&b"n"[..], &b"on"[..]));
        assert_eq!((column.charset, column.length, column.kind, column.flags), (45, 80, 253, 0x1001));
        assert_eq!(column.decimals, 2);
    }
}
