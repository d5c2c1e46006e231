//! `call`: a JSON client, like any other.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use daemon::place::Place;
use lexopt::prelude::*;
use serde_json::{Value as Json, json};

use crate::client::connect_socket;
use crate::starter::connect_or_start;

/// `cpan-bridge call`.
pub fn call(mut args: lexopt::Parser) -> Result<ExitCode> {
    let mut words = Vec::new();
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let (module, function, params) = match &words[..] {
        [module, function] => (module, function, Json::Null),
        [module, function, params] => (module, function, read_params(params)?),
        _ => bail!("call needs a module, a function and, if it has some, its parameters; see: cpan-bridge call --help"),
    };
    let request = json!({
        "module": module,
        "function": function,
        "params": params,
        "cwd": std::env::current_dir().ok(),
    });
    print_reply(&exchange(&request)?)
}

fn read_params(text: &str) -> Result<Json> {
    if text != "-" {
        return serde_json::from_str(text).with_context(|| format!("the parameters are not JSON: {text}"));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    serde_json::from_str(&text).context("the parameters on standard input are not JSON")
}

/// Sends a request to the daemon, which is started if needed, and reads the reply.
fn exchange(request: &Json) -> Result<Json> {
    let place = Place::from_env()?;
    // This connection stays open for a moment, so that an idle daemon does not leave just now.
    let (_client, _) = connect_or_start(&place)?;
    let mut stream = connect_socket(&place)?.context("the daemon is gone again")?;
    stream.write_all(request.to_string().as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    serde_json::from_slice(&reply).context("the daemon's reply is cut off; did it end in mid-call?")
}

fn print_reply(reply: &Json) -> Result<ExitCode> {
    if reply["success"] == Json::Bool(true) {
        println!("{}", serde_json::to_string_pretty(&reply["result"])?);
        return Ok(ExitCode::SUCCESS);
    }
    let text = reply["error"].as_str().unwrap_or("the daemon's reply has no error text");
    let code = reply["code"].as_str().unwrap_or("?");
    eprintln!("cpan-bridge: {text} [{code}]");
    Ok(ExitCode::FAILURE)
}
