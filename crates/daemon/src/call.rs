//! A call, as a helper's function gets it.

use protocol::{Error, Kind, Open, begin_seq, code};
use serde::{Deserialize, Serialize};
use storable::{WriteOptions, Writer};

use crate::Session;
use crate::limits::{self, MAX_PARAMS_DEPTH, MAX_PARAMS_VALUES};

/// Bytes of a reply's frame before the image: length, kind, seq.
pub(crate) const HEAD_BYTES: usize = 9;

/// The answer that is being written: a frame whose payload is appended in place.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) out: Vec<u8>,
    open: Option<Open>,
}

impl Answer {
    pub(crate) fn begin(mut out: Vec<u8>, seq: u32) -> Self {
        out.clear();
        let open = begin_seq(&mut out, Kind::Reply, seq);
        Self { out, open: Some(open) }
    }

    fn end(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some(open) => Ok(open.end(&mut self.out)?),
            None => Err(Error::internal("a call was answered twice")),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.open.is_none()
    }
}

/// A call: its parameters, and the place for its answer.
#[derive(Debug)]
pub struct Call<'a> {
    seq: u32,
    params: &'a [u8],
    answer: &'a mut Answer,
    options: WriteOptions,
}

impl<'a> Call<'a> {
    pub(crate) fn new(seq: u32, params: &'a [u8], answer: &'a mut Answer, options: WriteOptions) -> Self {
        Self { seq, params, answer, options }
    }

    /// The client's number for this call; 0 when it wants no answer.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// The parameters: named (a hash) or positional (an array), into the fields of a
    /// struct in their order. Fields with `#[serde(default)]` may be left out at the end.
    pub fn params<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        storable::from_slice_with(self.params, &limits::params()).map_err(|error| bad_params(&error))
    }

    /// The image of the parameters, for hot paths that read it themselves.
    pub fn raw_image(&self) -> &'a [u8] {
        self.params
    }

    /// Answers with `result`.
    pub fn reply<T: Serialize + ?Sized>(self, result: &T) -> Result<(), Error> {
        storable::append_with(&mut self.answer.out, result, self.options).map_err(Error::internal)?;
        self.answer.end()
    }

    /// Answers with an image that is there already.
    pub fn reply_image(self, image: &[u8]) -> Result<(), Error> {
        self.answer.out.extend_from_slice(image);
        self.answer.end()
    }

    /// A writer that appends the image of the result straight to the answer's frame.
    /// After its own `finish`, call [`Call::finish`].
    pub fn writer(&mut self) -> Writer<'_> {
        Writer::begin_image_with(&mut self.answer.out, self.options)
    }

    /// Completes an answer that was written with [`Call::writer`].
    pub fn finish(self) -> Result<(), Error> {
        self.answer.end()
    }

    /// Sends what was written with [`Call::writer`] as a part of the result (a `rows` frame);
    /// write the next part after it. Only for frame clients: others get one answer.
    pub fn send_part(&mut self, session: &mut Session) -> Result<(), Error> {
        self.answer.end()?;
        if let Some(kind) = self.answer.out.get_mut(4) {
            *kind = Kind::Rows as u8;
        }
        session.send_part(&self.answer.out)?;
        let out = std::mem::take(&mut self.answer.out);
        *self.answer = Answer::begin(out, self.seq);
        Ok(())
    }
}

fn bad_params(error: &storable::Error) -> Error {
    match error {
        storable::Error::TooDeep { .. } => {
            Error::limit("the parameters are nested too deeply", "MAX_PARAMS_DEPTH", MAX_PARAMS_DEPTH)
        }
        storable::Error::TooManyValues { .. } => {
            Error::limit("the parameters hold too many values", "MAX_PARAMS_VALUES", MAX_PARAMS_VALUES)
        }
        other => Error::new(code::BAD_PARAMS, other),
    }
}
