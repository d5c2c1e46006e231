//! One pass over a whole image before anything is made of it.
//!
//! It checks every opcode, length and limit, so that nothing of a bad image
//! reaches its reader, and notes where each array and hash ends. The latter is
//! what makes reading hashes linear: a key follows its value, so the
//! reader has to jump over the value first.

use crate::error::{Error, Result};
use crate::format as f;
use crate::limits::Limits;

/// Where an array or hash ends; spans are in the order in which the containers begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Offset of the first byte after it.
    pub end: u32,
    /// Number of the first container that begins after it.
    pub next: u32,
}

/// A container that is being scanned.
struct Open {
    span: usize,
    remaining: u32,
    kind: Kind,
}

/// How much of a value has been scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// All of it: a scalar.
    Whole,
    /// The head of an array or hash.
    Begun,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Hash,
    FlagHash,
}

impl Kind {
    /// The fewest bytes an element takes.
    const fn least(self) -> usize {
        match self {
            Self::Array => 1,
            Self::Hash => 5,
            Self::FlagHash => 6,
        }
    }
}

/// Checks the two header bytes.
fn header(image: &[u8]) -> Result<()> {
    let (&first, rest) = image.split_first().ok_or(Error::Header("it is empty"))?;
    if image.starts_with(b"pst0") {
        return Err(Error::Header("it begins like a Storable file"));
    }
    if first & f::NETORDER_BIT == 0 {
        return Err(Error::Header("its first byte is not that of nfreeze"));
    }
    // Any minor version, as thaw does by default: what it may have brought is known by its opcode.
    rest.first().ok_or(Error::Truncated { len: image.len() })?;
    if first != f::HEADER {
        return Err(Error::Version { major: first >> 1 });
    }
    Ok(())
}

/// Checks a whole image; the spans of its arrays and hashes.
pub(crate) fn scan(image: &[u8], limits: &Limits) -> Result<Vec<Span>> {
    let limit = limits.max_image_bytes.min(u32::MAX as usize);
    if image.len() > limit {
        return Err(Error::TooLarge { limit, len: image.len() });
    }
    header(image)?;
    let mut scanner = Scanner { image, at: 2, values: 0, limits, open: Vec::new(), spans: Vec::new() };
    scanner.run()?;
    match image.len() - scanner.at {
        0 => Ok(scanner.spans),
        extra => Err(Error::Trailing { at: scanner.at, extra }),
    }
}

struct Scanner<'a> {
    image: &'a [u8],
    at: usize,
    values: usize,
    limits: &'a Limits,
    open: Vec<Open>,
    spans: Vec<Span>,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<()> {
        loop {
            let head = self.value()?;
            if self.close(head)? {
                return Ok(());
            }
        }
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.image.get(self.at).ok_or(Error::Truncated { len: self.image.len() })?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, len: usize) -> Result<()> {
        if self.image.len() - self.at < len {
            return Err(Error::Truncated { len: self.image.len() });
        }
        self.at += len;
        Ok(())
    }

    /// A length or count: 31 bits.
    fn len(&mut self) -> Result<u32> {
        let at = self.at;
        let bytes = self.image.get(at..).and_then(<[u8]>::first_chunk::<4>);
        let len = u32::from_be_bytes(*bytes.ok_or(Error::Truncated { len: self.image.len() })?);
        self.at += 4;
        if len as usize > f::MAX_LEN {
            return Err(Error::Malformed { what: "a negative length", at });
        }
        Ok(len)
    }

    fn skip_short(&mut self) -> Result<()> {
        let len = self.byte()?;
        self.skip(len.into())
    }

    fn skip_long(&mut self) -> Result<()> {
        let len = self.len()?;
        self.skip(len as usize)
    }

    /// One value: a whole scalar, or the head of an array or hash, which is then open.
    fn value(&mut self) -> Result<Head> {
        self.values += 1;
        if self.values > self.limits.max_values_count {
            return Err(Error::TooManyValues { limit: self.limits.max_values_count });
        }
        let at = self.at;
        let root = at == 2;
        match self.byte()? {
            f::SX_REF | f::SX_WEAKREF => self.referent(at),
            f::SX_ARRAY if root => self.begin(Kind::Array),
            f::SX_HASH if root => self.begin(Kind::Hash),
            f::SX_FLAG_HASH if root => self.begin(Kind::FlagHash),
            op => self.scalar(op, at).map(|()| Head::Whole),
        }
    }

    /// What a reference refers to: an array or a hash.
    fn referent(&mut self, reference_at: usize) -> Result<Head> {
        let at = self.at;
        match self.byte()? {
            f::SX_ARRAY => self.begin(Kind::Array),
            f::SX_HASH => self.begin(Kind::Hash),
            f::SX_FLAG_HASH => self.begin(Kind::FlagHash),
            f::SX_REF | f::SX_WEAKREF => Err(Error::Refused { what: "a reference to a reference", at: reference_at }),
            op => {
                self.scalar(op, at)?;
                Err(Error::Refused { what: "a reference to a scalar", at: reference_at })
            }
        }
    }

    fn scalar(&mut self, op: u8, at: usize) -> Result<()> {
        match op {
            f::SX_UNDEF
            | f::SX_SV_UNDEF
            | f::SX_SVUNDEF_ELEM
            | f::SX_SV_YES
            | f::SX_SV_NO
            | f::SX_BOOLEAN_TRUE
            | f::SX_BOOLEAN_FALSE => Ok(()),
            f::SX_BYTE => self.skip(1),
            f::SX_NETINT => self.skip(4),
            f::SX_INTEGER | f::SX_DOUBLE => self.skip(8),
            f::SX_SCALAR | f::SX_UTF8STR => self.skip_short(),
            f::SX_LSCALAR | f::SX_LUTF8STR => self.skip_long(),
            f::SX_VSTRING => {
                self.skip_short()?;
                self.version_string()
            }
            f::SX_LVSTRING => {
                self.skip_long()?;
                self.version_string()
            }
            f::SX_OBJECT => Err(Error::BackReference { at }),
            f::SX_ARRAY | f::SX_HASH | f::SX_FLAG_HASH => {
                Err(Error::Malformed { what: "an array or hash without a reference to it", at })
            }
            op => Err(match f::refused(op) {
                Some(what) => Error::Refused { what, at },
                None => Error::Malformed { what: "an unknown type of value", at },
            }),
        }
    }

    /// The string proper, which follows the literal of a version string.
    fn version_string(&mut self) -> Result<()> {
        let at = self.at;
        match self.byte()? {
            f::SX_SCALAR | f::SX_UTF8STR => self.skip_short(),
            f::SX_LSCALAR | f::SX_LUTF8STR => self.skip_long(),
            _ => Err(Error::Malformed { what: "a version string without its string", at }),
        }
    }

    fn begin(&mut self, kind: Kind) -> Result<Head> {
        let at = self.at;
        if self.open.len() >= self.limits.max_depth_levels {
            return Err(Error::TooDeep { limit: self.limits.max_depth_levels, at });
        }
        if kind == Kind::FlagHash {
            self.byte()?; // restricted or not: no matter to a reader
        }
        let remaining = self.len()?;
        if (remaining as usize).saturating_mul(kind.least()) > self.image.len() - self.at {
            return Err(Error::Truncated { len: self.image.len() });
        }
        self.open.push(Open { span: self.spans.len(), remaining, kind });
        self.spans.push(Span { end: 0, next: 0 });
        Ok(Head::Begun)
    }

    /// After a value: its key, and the end of every array or hash that is complete
    /// with it. True when the whole image is.
    fn close(&mut self, head: Head) -> Result<bool> {
        let mut element = head == Head::Whole;
        while let Some(top) = self.open.len().checked_sub(1) {
            if element {
                self.key(self.open[top].kind)?;
                self.open[top].remaining -= 1;
            }
            if self.open[top].remaining > 0 {
                return Ok(false);
            }
            let (end, next) = (to_u32(self.at), to_u32(self.spans.len()));
            self.spans[self.open[top].span] = Span { end, next };
            self.open.pop();
            element = true;
        }
        Ok(true)
    }

    fn key(&mut self, kind: Kind) -> Result<()> {
        if kind == Kind::Array {
            return Ok(());
        }
        if kind == Kind::FlagHash {
            let at = self.at;
            if self.byte()? & f::KEY_IS_SV != 0 {
                return Err(Error::Refused { what: "a hash key that is not a plain string", at });
            }
        }
        self.skip_long()
    }
}

/// Offsets fit: images are at most `u32::MAX` bytes.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
