//! Module `test`: for trying the bridge, and for clients' own tests.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::Error;
use serde::Deserialize;

use crate::limits::MAX_SLEEP_SECONDS;
use crate::{Call, Function, Module, Param, Session};

/// The module's table.
pub static MODULE: Module = Module {
    name: "test",
    summary: "try the bridge: ping, echo, sleep, callbacks",
    functions: &[
        Function {
            name: "ping",
            summary: "answers, to see that the daemon is there",
            params: &[],
            result: "string \"pong\"",
            idempotent: true,
            json: true,
            run: ping,
        },
        Function {
            name: "echo",
            summary: "gives its parameters back as they came",
            params: &[Param::optional("…", "any", "whatever is to come back")],
            result: "the parameters",
            idempotent: true,
            json: true,
            run: echo,
        },
        Function {
            name: "sleep",
            summary: "answers after a while; can be cancelled",
            params: &[Param::required("seconds", "number", "how long, at most MAX_SLEEP_SECONDS")],
            result: "number of seconds slept",
            idempotent: false,
            json: true,
            run: sleep,
        },
        Function {
            name: "callback",
            summary: "calls a function of the client and gives its result back",
            params: &[
                Param::required("id", "integer", "the client's number for the function"),
                Param::optional("args", "array", "what to call it with"),
                Param::optional("times", "integer", "how often to call it; 1 if left out"),
            ],
            result: "what the function returned the last time",
            idempotent: false,
            json: false,
            run: callback,
        },
        Function {
            name: "notice",
            summary: "sends a notice in mid-call",
            params: &[Param::required("text", "any", "what to send")],
            result: "integer 1",
            idempotent: false,
            json: true,
            run: notice,
        },
        Function {
            name: "fail",
            summary: "fails with the error described",
            params: &[
                Param::required("message", "string", "the message"),
                Param::optional("err", "integer", "DBI's err"),
                Param::optional("state", "string", "SQLSTATE"),
            ],
            result: "never anything",
            idempotent: false,
            json: true,
            run: fail,
        },
        Function {
            name: "panic",
            summary: "fails the way a faulty helper does",
            params: &[Param::optional("message", "string", "the panic's message")],
            result: "never anything",
            idempotent: false,
            json: true,
            run: panic,
        },
        Function {
            name: "rows",
            summary: "answers in parts",
            params: &[
                Param::required("parts", "integer", "how many parts"),
                Param::optional("bytes", "integer", "how long each of them is"),
            ],
            result: "parts: strings; at the end the number of parts",
            idempotent: true,
            json: false,
            run: rows,
        },
    ],
};

fn ping(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    call.reply("pong")
}

fn echo(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let image = call.raw_image();
    storable::check(image, &crate::limits::params())?;
    call.reply_image(image)
}

#[derive(Deserialize)]
struct Sleep {
    seconds: f64,
}

fn sleep(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Sleep { seconds } = call.params()?;
    let time = Duration::try_from_secs_f64(seconds).ok();
    let Some(time) = time.filter(|time| *time <= Duration::from_secs(MAX_SLEEP_SECONDS)) else {
        let what = format!("cannot sleep for {seconds} seconds");
        return Err(Error::limit(what, "MAX_SLEEP_SECONDS", MAX_SLEEP_SECONDS));
    };
    let bell = Arc::new((Mutex::new(false), Condvar::new()));
    let ringer = Arc::clone(&bell);
    let slot = session.cancel_slot();
    let _guard = slot.guard(Box::new(move || {
        *ringer.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        ringer.1.notify_all();
    }));
    let began = Instant::now();
    let cancelled = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
    let (cancelled, _) =
        bell.1.wait_timeout_while(cancelled, time, |cancelled| !*cancelled).unwrap_or_else(PoisonError::into_inner);
    if *cancelled {
        return Err(Error::cancelled());
    }
    call.reply(&began.elapsed().as_secs_f64())
}

#[derive(Deserialize)]
struct Callback {
    id: u32,
    #[serde(default)]
    args: Vec<storable::Value>,
    #[serde(default)]
    times: Option<u32>,
}

fn callback(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Callback { id, args, times } = call.params()?;
    for _ in 1..times.unwrap_or(1) {
        session.callback(id, &args)?;
    }
    let result = session.callback(id, &args)?;
    call.reply(&result)
}

#[derive(Deserialize)]
struct Notice {
    text: storable::Value,
}

fn notice(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Notice { text } = call.params()?;
    session.notice(&text)?;
    call.reply(&1)
}

#[derive(Deserialize)]
struct Fail {
    message: String,
    #[serde(default)]
    err: Option<i64>,
    #[serde(default)]
    state: Option<String>,
}

#[allow(clippy::needless_pass_by_value, reason = "every function has this signature")]
fn fail(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Fail { message, err, state } = call.params()?;
    let mut error = Error::new(protocol::code::HELPER_FAILED, message);
    if let Some(err) = err {
        error = error.err(err);
    }
    if let Some(state) = state {
        error = error.state(state);
    }
    Err(error)
}

#[derive(Deserialize)]
struct Panic {
    #[serde(default)]
    message: Option<String>,
}

#[allow(clippy::needless_pass_by_value, reason = "every function has this signature")]
fn panic(_: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Panic { message } = call.params()?;
    std::panic::panic_any(message.unwrap_or_else(|| "asked for".into()))
}

#[derive(Deserialize)]
struct Rows {
    parts: u32,
    #[serde(default)]
    bytes: usize,
}

/// Longest part that `test.rows` sends.
const MAX_PART_BYTES: usize = 16 * 1024 * 1024;

fn rows(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let Rows { parts, bytes } = call.params()?;
    if bytes > MAX_PART_BYTES {
        return Err(Error::limit("the parts are too long", "MAX_PART_BYTES", MAX_PART_BYTES));
    }
    for _ in 0..parts {
        let mut writer = call.writer();
        writer.bytes(&vec![b'x'; bytes]);
        writer.finish().map_err(Error::internal)?;
        call.send_part(session)?;
    }
    call.reply(&parts)
}
