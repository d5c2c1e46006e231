//! Frames: `u32` big-endian length, `u8` kind, payload. The length counts the
//! kind and the payload.

use std::ops::Range;

/// Longest frame (kind and payload) that is read or written, in bytes.
pub const MAX_FRAME_BYTES: usize = 1 << 30;
/// A connection that begins with this byte speaks JSON. No frame begins with it,
/// because the first byte of a length up to [`MAX_FRAME_BYTES`] is at most 0x40.
pub const FIRST_JSON_BYTE: u8 = b'{';
/// Bytes before the payload.
const HEAD_BYTES: usize = 5;

/// What a frame is for; see docs/protocol.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The first frame each way.
    Hello = 1,
    /// A call of `module.function`.
    Call = 2,
    /// The result of a call.
    Reply = 3,
    /// The failure of a call, or (seq 0) of the connection.
    Error = 4,
    /// A part of a result; more frames with the same seq follow.
    Rows = 5,
    /// The daemon calls back into the client.
    Callback = 6,
    /// The client's answer to a callback.
    CallbackReply = 7,
    /// The client does not want the result of a call any more.
    Cancel = 8,
    /// The last frame of a side.
    Goodbye = 9,
}

impl Kind {
    /// The kind with this number.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Call,
            3 => Self::Reply,
            4 => Self::Error,
            5 => Self::Rows,
            6 => Self::Callback,
            7 => Self::CallbackReply,
            8 => Self::Cancel,
            9 => Self::Goodbye,
            _ => return None,
        })
    }
}

/// Why bytes are not a frame, or a frame not what it should be.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// The length is 0: not even a kind.
    #[error("malformed frame: its length is 0, so it has no kind")]
    Empty,
    /// Longer than the limit.
    #[error("frame of {len} bytes is longer than MAX_FRAME_BYTES ({limit})")]
    TooLong {
        /// The length it announces.
        len: usize,
        /// The limit it was held against.
        limit: usize,
    },
    /// No such kind.
    #[error("malformed frame: {0} is not a kind of frame")]
    UnknownKind(u8),
    /// The payload ends early.
    #[error("malformed {kind:?} frame: its payload is cut off in {field}")]
    CutOff {
        /// The frame's kind.
        kind: Kind,
        /// The field that is not all there.
        field: &'static str,
    },
    /// A field that cannot be.
    #[error("malformed {kind:?} frame: {what}")]
    Malformed {
        /// The frame's kind.
        kind: Kind,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A whole frame at the beginning of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it is for.
    pub kind: Kind,
    /// Where its payload is in the buffer.
    pub payload: Range<usize>,
}

impl Head {
    /// Bytes of the whole frame, head included: where the next one begins.
    pub fn end(&self) -> usize {
        self.payload.end
    }
}

/// What a buffer begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The first frame is all there.
    Complete(Head),
    /// At least this many bytes more are needed.
    Incomplete {
        /// How many bytes more, at least.
        missing: usize,
    },
}

/// Looks at the frame `buffer` begins with; `limit` is the longest that is accepted.
pub fn parse(buffer: &[u8], limit: usize) -> Result<Parsed, FrameError> {
    let Some((length, rest)) = buffer.split_first_chunk::<4>() else {
        return Ok(Parsed::Incomplete { missing: HEAD_BYTES - buffer.len() });
    };
    let len = u32::from_be_bytes(*length) as usize;
    if len == 0 {
        return Err(FrameError::Empty);
    }
    if len > limit {
        return Err(FrameError::TooLong { len, limit });
    }
    let Some(&kind) = rest.first() else {
        return Ok(Parsed::Incomplete { missing: len });
    };
    let kind = Kind::from_byte(kind).ok_or(FrameError::UnknownKind(kind))?;
    if rest.len() < len {
        return Ok(Parsed::Incomplete { missing: len - rest.len() });
    }
    Ok(Parsed::Complete(Head { kind, payload: HEAD_BYTES..4 + len }))
}

/// A frame that is being appended to a buffer; [`Open::end`] completes it.
#[derive(Debug)]
#[must_use = "a frame is not valid before `end`"]
pub struct Open {
    at: usize,
}

/// Begins a frame at the end of `out`; append the payload, then call [`Open::end`].
pub fn begin(out: &mut Vec<u8>, kind: Kind) -> Open {
    let at = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind as u8]);
    Open { at }
}

/// Begins a frame whose payload begins with the number of a call.
pub fn begin_seq(out: &mut Vec<u8>, kind: Kind, seq: u32) -> Open {
    let open = begin(out, kind);
    out.extend_from_slice(&seq.to_be_bytes());
    open
}

impl Open {
    /// Writes the length. A frame that is too long is taken off `out` again.
    pub fn end(self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let len = out.len() - self.at - 4;
        let encoded = match u32::try_from(len) {
            Ok(encoded) if len <= MAX_FRAME_BYTES => encoded.to_be_bytes(),
            _ => {
                out.truncate(self.at);
                return Err(FrameError::TooLong { len, limit: MAX_FRAME_BYTES });
            }
        };
        out[self.at..self.at + 4].copy_from_slice(&encoded);
        Ok(())
    }

    /// Takes the frame off `out` again.
    pub fn cancel(self, out: &mut Vec<u8>) {
        out.truncate(self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_written() {
        let mut out = b"before".to_vec();
        let open = begin_seq(&mut out, Kind::Reply, 7);
        out.extend_from_slice(b"payload");
        open.end(&mut out).unwrap();
        let frame = &out[6..];
        let Parsed::Complete(head) = parse(frame, 100).unwrap() else { panic!("incomplete") };
        assert_eq!(head.kind, Kind::Reply);
        assert_eq!(&frame[head.payload.clone()], b"\0\0\0\x07payload");
        assert_eq!(head.end(), frame.len());
    }

    #[test]
    fn every_cut_asks_for_more_and_never_for_too_much() {
        let mut out = Vec::new();
        let open = begin(&mut out, Kind::Goodbye);
        out.extend_from_slice(&[0; 20]);
        open.end(&mut out).unwrap();
        for cut in 0..out.len() {
            let Parsed::Incomplete { missing } = parse(&out[..cut], 100).unwrap() else {
                panic!("complete at {cut}");
            };
            assert!(missing > 0 && cut + missing <= out.len(), "at {cut}: {missing}");
        }
    }

    #[test]
    fn bad_heads_are_told_apart() {
        assert_eq!(parse(&[0, 0, 0, 0, 1], 10), Err(FrameError::Empty));
        assert_eq!(parse(&[0, 0, 0, 1, 99], 10), Err(FrameError::UnknownKind(99)));
        assert_eq!(parse(&[0, 0, 0, 11], 10), Err(FrameError::TooLong { len: 11, limit: 10 }));
        assert!(parse(b"{\"mo", MAX_FRAME_BYTES).is_err());
    }

    #[test]
    fn kinds_and_their_numbers_agree() {
        for byte in 0..=255 {
            if let Some(kind) = Kind::from_byte(byte) {
                assert_eq!(kind as u8, byte);
            }
        }
    }
}
