//! Calling back into the client in mid-call.

use protocol::{Error, Kind, code, message};
use serde::{Deserialize, Serialize};

use super::Session;
use crate::limits::MAX_CALLBACK_DEPTH;
use crate::wire::{Frame, WireError};

/// What a Perl function died with.
#[derive(Deserialize)]
struct Died {
    message: protocol::Bytes,
}

impl Session {
    /// Calls the client's function `id` and waits for its result: what it returned, as the
    /// image's root. While it waits, calls that the function makes are run.
    pub fn callback<T: Serialize + ?Sized>(&mut self, id: u32, args: &T) -> Result<storable::Value, Error> {
        self.callback_image(id, args, |image| Ok(storable::from_slice(image)?))
    }

    /// Like [`Session::callback`], with the result's image read by `read` (hot paths).
    pub fn callback_image<T: Serialize + ?Sized, R>(
        &mut self,
        id: u32,
        args: &T,
        read: impl FnOnce(&[u8]) -> Result<R, Error>,
    ) -> Result<R, Error> {
        if self.callback_depth >= MAX_CALLBACK_DEPTH {
            let what = "functions call back inside each other too deeply";
            return Err(Error::limit(what, "MAX_CALLBACK_DEPTH", MAX_CALLBACK_DEPTH));
        }
        self.send_callback(id, true, args)?;
        self.callback_depth += 1;
        self.cannot_peek();
        let answer = self.wait_for_callback();
        self.callback_depth -= 1;
        if self.look_ahead(self.seq) {
            self.shared.slot.fire();
        }
        let frame = answer?;
        let reply = message::decode_callback_reply(frame.payload())?;
        let result = if reply.ok { read(reply.image) } else { Err(died(reply.image)) };
        if let Some(wire) = &mut self.wire {
            wire.give_back(frame);
        }
        result
    }

    /// Sends a message that belongs to the running call and wants no answer: a warning, a
    /// notice. JSON clients do not get it.
    pub fn notice<T: Serialize + ?Sized>(&mut self, notice: &T) -> Result<(), Error> {
        self.inform(message::NOTICE, &(notice,))
    }

    /// Calls the client's function `id` without waiting for it: progress, traces.
    pub fn inform<T: Serialize + ?Sized>(&mut self, id: u32, args: &T) -> Result<(), Error> {
        if self.wire.is_none() {
            return Ok(());
        }
        self.send_callback(id, false, args)
    }

    fn send_callback<T: Serialize + ?Sized>(&mut self, id: u32, answer: bool, args: &T) -> Result<(), Error> {
        let wire = self
            .wire
            .as_ref()
            .ok_or_else(|| Error::new(code::CALLBACK, "a JSON client has no functions that can be called back"))?;
        let mut out = Vec::new();
        message::encode_callback(&mut out, self.seq, id, answer, args, self.client.write_options)?;
        Ok(wire.write(&out)?)
    }

    /// Reads frames until the callback's answer comes.
    fn wait_for_callback(&mut self) -> Result<Frame, Error> {
        loop {
            let frame = self.wire_mut().and_then(crate::wire::Wire::next_frame).map_err(lost)?;
            match frame.kind {
                Kind::CallbackReply if message::decode_callback_reply(frame.payload())?.seq == self.seq => {
                    return Ok(frame);
                }
                Kind::Cancel if message::decode_cancel(frame.payload())? == self.seq => {
                    return Err(Error::cancelled());
                }
                Kind::Cancel | Kind::CallbackReply => {}
                Kind::Call => self.serve_call(frame).map_err(lost)?,
                kind => {
                    let text = format!("a client that was called back does not send {kind:?} frames");
                    return Err(Error::new(code::BAD_FRAME, text));
                }
            }
        }
    }
}

/// The connection broke while the client was called back.
fn lost(error: WireError) -> Error {
    match error {
        WireError::Frame(error) => error.into(),
        error => Error::new(code::CANCELLED, format!("the client is gone: {error}")),
    }
}

/// The client's function died.
fn died(image: &[u8]) -> Error {
    let text = storable::from_slice::<Died>(image).map_or_else(
        |error| format!("unreadable error of a callback: {error}"),
        |died| died.message.to_text().into_owned(),
    );
    Error::new(code::CALLBACK, text)
}
