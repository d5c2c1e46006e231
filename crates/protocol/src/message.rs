//! What is in a frame of each kind.
//!
//! `decode_*` borrow from the payload; images are left as they are, because a
//! helper reads its parameters straight into its own type.

use serde::Serialize;
use storable::{Numbers, WriteOptions};

use crate::{Error, FrameError, Kind, begin, begin_seq};

/// A [`Kind::Call`].
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The client's number for it; 0 asks for no answer.
    pub seq: u32,
    /// `module.function`.
    pub name: &'a str,
    /// The image of the parameters.
    pub params: &'a [u8],
}

/// A [`Kind::Reply`], [`Kind::Error`] or [`Kind::Rows`].
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The number of the call.
    pub seq: u32,
    /// The image of the result or of the error.
    pub image: &'a [u8],
}

/// A [`Kind::Callback`].
#[derive(Debug, PartialEq, Eq)]
pub struct Callback<'a> {
    /// The number of the running call.
    pub seq: u32,
    /// The number the client gave its function; [`NOTICE`] for notices.
    pub id: u32,
    /// Whether the client must answer.
    pub answer: bool,
    /// The image of the array of arguments.
    pub args: &'a [u8],
}

/// A [`Kind::CallbackReply`].
#[derive(Debug, PartialEq, Eq)]
pub struct CallbackReply<'a> {
    /// The number of the running call.
    pub seq: u32,
    /// Whether the function returned; if not, it died.
    pub ok: bool,
    /// The image of the result, or of a hash with the `message` it died with.
    pub image: &'a [u8],
}

/// The callback id of notices: messages for the client that belong to no function of its own.
pub const NOTICE: u32 = 0;
/// Callback flag: no answer is wanted.
const FLAG_NO_ANSWER: u8 = 1;
/// Goodbye: this side is done.
pub const GOODBYE_DONE: u8 = 0;
/// Goodbye of a newer client: the daemon should let a new one take over.
pub const GOODBYE_DRAIN: u8 = 1;

/// Hellos and errors are written so that every perl reads them: a hello comes before
/// the peer's kind of numbers is known.
const PORTABLE: WriteOptions = WriteOptions { numbers: Numbers::Portable, flag_ascii: false };
const NATIVE: WriteOptions = WriteOptions { numbers: Numbers::Native, flag_ascii: false };

/// Reads the fields of a payload one after another.
struct Fields<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], FrameError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(FrameError::CutOff { kind: self.kind, field })?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, FrameError> {
        self.take(field).map(u32::from_be_bytes)
    }

    fn slice(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], FrameError> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(FrameError::CutOff { kind: self.kind, field })?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Reads a call.
pub fn decode_call(payload: &[u8]) -> Result<Call<'_>, FrameError> {
    let mut fields = Fields { kind: Kind::Call, rest: payload };
    let seq = fields.u32("seq")?;
    let len = u16::from_be_bytes(fields.take("the name's length")?);
    let name = fields.slice(len.into(), "the name")?;
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| name.is_ascii())
        .ok_or(FrameError::Malformed { kind: Kind::Call, what: "the name is not ASCII" })?;
    Ok(Call { seq, name, params: fields.rest })
}

/// Reads a reply, an error or rows.
pub fn decode_answer(kind: Kind, payload: &[u8]) -> Result<Answer<'_>, FrameError> {
    let mut fields = Fields { kind, rest: payload };
    Ok(Answer { seq: fields.u32("seq")?, image: fields.rest })
}

/// Reads a callback.
pub fn decode_callback(payload: &[u8]) -> Result<Callback<'_>, FrameError> {
    let mut fields = Fields { kind: Kind::Callback, rest: payload };
    let seq = fields.u32("seq")?;
    let id = fields.u32("the callback's number")?;
    let [flags] = fields.take("the flags")?;
    Ok(Callback { seq, id, answer: flags & FLAG_NO_ANSWER == 0, args: fields.rest })
}

/// Reads the answer to a callback.
pub fn decode_callback_reply(payload: &[u8]) -> Result<CallbackReply<'_>, FrameError> {
    let mut fields = Fields { kind: Kind::CallbackReply, rest: payload };
    let seq = fields.u32("seq")?;
    let [ok] = fields.take("ok")?;
    Ok(CallbackReply { seq, ok: ok != 0, image: fields.rest })
}

/// Reads the number of the call to cancel.
pub fn decode_cancel(payload: &[u8]) -> Result<u32, FrameError> {
    Fields { kind: Kind::Cancel, rest: payload }.u32("seq")
}

/// Reads the reason and the text of a goodbye.
pub fn decode_goodbye(payload: &[u8]) -> Result<(u8, &[u8]), FrameError> {
    let mut fields = Fields { kind: Kind::Goodbye, rest: payload };
    let [reason] = fields.take("the reason")?;
    Ok((reason, fields.rest))
}

/// Appends a frame with an image of `value` after what `begun` has written.
fn finish<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    open: crate::Open,
    value: &T,
    options: WriteOptions,
) -> Result<(), Error> {
    match storable::append_with(out, value, options) {
        Ok(()) => Ok(open.end(out)?),
        Err(error) => {
            open.cancel(out);
            Err(Error::internal(error))
        }
    }
}

/// Appends a hello of either side.
pub fn encode_hello<T: Serialize>(out: &mut Vec<u8>, hello: &T) -> Result<(), Error> {
    let open = begin(out, Kind::Hello);
    finish(out, open, hello, PORTABLE)
}

/// Appends a call.
pub fn encode_call<T: Serialize + ?Sized>(out: &mut Vec<u8>, seq: u32, name: &str, params: &T) -> Result<(), Error> {
    let open = begin_call(out, seq, name)?;
    finish(out, open, params, NATIVE)
}

/// Appends a call whose parameters are an image already.
pub fn encode_call_image(out: &mut Vec<u8>, seq: u32, name: &str, params: &[u8]) -> Result<(), Error> {
    let open = begin_call(out, seq, name)?;
    out.extend_from_slice(params);
    Ok(open.end(out)?)
}

fn begin_call(out: &mut Vec<u8>, seq: u32, name: &str) -> Result<crate::Open, FrameError> {
    let len = u16::try_from(name.len())
        .map_err(|_| FrameError::Malformed { kind: Kind::Call, what: "the name is longer than 65535 bytes" })?;
    let open = begin_seq(out, Kind::Call, seq);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(name.as_bytes());
    Ok(open)
}

/// Appends a reply.
pub fn encode_reply<T: Serialize + ?Sized>(out: &mut Vec<u8>, seq: u32, result: &T) -> Result<(), Error> {
    let open = begin_seq(out, Kind::Reply, seq);
    finish(out, open, result, NATIVE)
}

/// Appends an error; `seq` 0 is about the connection.
pub fn encode_error(out: &mut Vec<u8>, seq: u32, error: &Error) -> Result<(), Error> {
    let open = begin_seq(out, Kind::Error, seq);
    finish(out, open, error, PORTABLE)
}

/// Appends a callback.
pub fn encode_callback<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    seq: u32,
    id: u32,
    answer: bool,
    args: &T,
    options: WriteOptions,
) -> Result<(), Error> {
    let open = begin_seq(out, Kind::Callback, seq);
    out.extend_from_slice(&id.to_be_bytes());
    out.push(if answer { 0 } else { FLAG_NO_ANSWER });
    finish(out, open, args, options)
}

/// Appends the answer to a callback.
pub fn encode_callback_reply<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    seq: u32,
    ok: bool,
    value: &T,
) -> Result<(), Error> {
    let open = begin_seq(out, Kind::CallbackReply, seq);
    out.push(ok.into());
    finish(out, open, value, NATIVE)
}

/// Appends a cancel.
pub fn encode_cancel(out: &mut Vec<u8>, seq: u32) -> Result<(), FrameError> {
    begin_seq(out, Kind::Cancel, seq).end(out)
}

/// Appends a goodbye with a text for people.
pub fn encode_goodbye(out: &mut Vec<u8>, reason: u8, text: &str) -> Result<(), FrameError> {
    let open = begin(out, Kind::Goodbye);
    out.push(reason);
    out.extend_from_slice(text.as_bytes());
    open.end(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_FRAME_BYTES, Parsed, parse};

    fn payload(frame: &[u8]) -> (Kind, &[u8]) {
        let Parsed::Complete(head) = parse(frame, MAX_FRAME_BYTES).unwrap() else { panic!("incomplete") };
        (head.kind, &frame[head.payload])
    }

    #[test]
    fn calls_round_trip() {
        let mut out = Vec::new();
        encode_call(&mut out, 9, "test.echo", &[1, 2]).unwrap();
        let (kind, body) = payload(&out);
        assert_eq!(kind, Kind::Call);
        let call = decode_call(body).unwrap();
        assert_eq!((call.seq, call.name), (9, "test.echo"));
        assert_eq!(storable::from_slice::<Vec<i32>>(call.params).unwrap(), [1, 2]);
    }

    #[test]
    fn every_cut_of_a_fixed_part_is_an_error_that_names_the_field() {
        let mut out = Vec::new();
        encode_call(&mut out, 9, "test.echo", &[1]).unwrap();
        let (_, body) = payload(&out);
        for cut in 0..4 + 2 + 9 {
            assert!(matches!(decode_call(&body[..cut]), Err(FrameError::CutOff { .. })), "at {cut}");
        }
        assert!(decode_callback(&[0; 8]).is_err());
        assert!(decode_callback_reply(&[0; 4]).is_err());
        assert!(decode_cancel(&[0; 3]).is_err());
        assert!(decode_goodbye(&[]).is_err());
    }

    /// The examples of docs/protocol.md.
    #[test]
    fn the_documented_bytes_are_the_real_ones() {
        assert_eq!(storable::to_vec(&(1, "a")).unwrap(), b"\x05\x05\x02\0\0\0\x02\x08\x81\x0a\x01a");
        let mut out = Vec::new();
        encode_hello(&mut out, &std::collections::BTreeMap::from([("protocol", 1)])).unwrap();
        assert_eq!(out, b"\0\0\0\x16\x01\x05\x05\x03\0\0\0\x01\x08\x81\0\0\0\x08protocol");
        out.clear();
        encode_call(&mut out, 1, "test.ping", &[(); 0]).unwrap();
        assert_eq!(out, b"\0\0\0\x17\x02\0\0\0\x01\0\x09test.ping\x05\x05\x02\0\0\0\0");
        out.clear();
        encode_reply(&mut out, 1, "pong").unwrap();
        assert_eq!(out, b"\0\0\0\x0d\x03\0\0\0\x01\x05\x05\x0a\x04pong");
    }

    #[test]
    fn names_that_are_not_ascii_are_refused() {
        assert!(matches!(decode_call(b"\0\0\0\x01\0\x02\xc3\xa9"), Err(FrameError::Malformed { .. })));
    }

    #[test]
    fn callbacks_round_trip() {
        let mut out = Vec::new();
        encode_callback(&mut out, 3, 77, true, &["a"], NATIVE).unwrap();
        let callback = decode_callback(payload(&out).1).unwrap();
        assert_eq!((callback.seq, callback.id, callback.answer), (3, 77, true));
        out.clear();
        encode_callback(&mut out, 3, NOTICE, false, &["a"], PORTABLE).unwrap();
        assert!(!decode_callback(payload(&out).1).unwrap().answer);
        out.clear();
        encode_callback_reply(&mut out, 3, true, &["b"]).unwrap();
        let reply = decode_callback_reply(payload(&out).1).unwrap();
        assert_eq!((reply.seq, reply.ok), (3, true));
    }

    #[test]
    fn goodbyes_and_cancels_round_trip() {
        let mut out = Vec::new();
        encode_goodbye(&mut out, GOODBYE_DRAIN, "newer").unwrap();
        assert_eq!(decode_goodbye(payload(&out).1).unwrap(), (GOODBYE_DRAIN, &b"newer"[..]));
        out.clear();
        encode_cancel(&mut out, 12).unwrap();
        assert_eq!(decode_cancel(payload(&out).1).unwrap(), 12);
    }
}
