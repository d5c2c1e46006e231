//! JSON clients: one request and one reply a connection.
//!
//! `{"module":…,"function":…,"params":…}` becomes the call that a frame client would have
//! made, and the image of its result becomes JSON again, so that a function is written
//! once. `json/scan.rs` finds the end of a request.

mod scan;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use protocol::{Bytes, ClientHello, Error, code};
use serde_json::{Map, Value as Json, json};
use storable::json::{image_to_json, json_to_image};

use crate::Session;
use crate::call::HEAD_BYTES;
use crate::client::Client;
use crate::config::{self, settings};
use crate::limits::{JSON_REQUEST_SECONDS, MAX_JSON_REQUEST_BYTES};
use crate::registry::Function;
use crate::server::Server;
use crate::wire::{Wire, WireError};

/// What is asked.
struct Request {
    module: String,
    function: String,
    params: Json,
    /// Where relative paths begin.
    cwd: Bytes,
}

/// Serves the one request of a connection.
pub(crate) fn serve(server: &Arc<Server>, mut wire: Wire, uid: u32) {
    server.json_requests.fetch_add(1, Relaxed);
    let (module, function, result) = match read(&mut wire).and_then(|text| parse(&text)) {
        Ok(request) => {
            let result = run(server, &wire, uid, &request);
            (request.module, request.function, result)
        }
        Err(error) => (String::new(), String::new(), Err(error)),
    };
    let reply = match result {
        Ok(result) => json!({ "success": true, "result": result, "module": module, "function": function }),
        Err(error) => failure(&error, &module, &function),
    };
    send(&wire, &reply);
}

/// Tells a JSON client why it is not served.
pub(crate) fn refuse(wire: &Wire, error: &Error) {
    send(wire, &failure(error, "", ""));
}

fn send(wire: &Wire, reply: &Json) {
    let mut text = reply.to_string();
    text.push('\n');
    if let Err(error) = wire.write(text.as_bytes()) {
        tracing::debug!("a JSON client did not take its reply: {error}");
    }
}

fn failure(error: &Error, module: &str, function: &str) -> Json {
    let mut reply = Map::new();
    reply.insert("success".into(), false.into());
    reply.insert("error".into(), error.message.clone().into());
    reply.insert("code".into(), error.code.clone().into());
    for (name, value) in [("module", module), ("function", function)] {
        if !value.is_empty() {
            reply.insert(name.into(), value.into());
        }
    }
    if let Some(err) = error.err {
        reply.insert("err".into(), err.into());
    }
    for (name, value) in [("errstr", &error.errstr), ("state", &error.state), ("unknown", &error.unknown)] {
        if let Some(value) = value {
            reply.insert(name.into(), value.clone().into());
        }
    }
    if error.retryable {
        reply.insert("retryable".into(), true.into());
    }
    reply.into()
}

/// Receives until the request is complete, or its sender has shut down its side.
fn read(wire: &mut Wire) -> Result<Vec<u8>, Error> {
    let seconds = Duration::from_secs(JSON_REQUEST_SECONDS);
    wire.set_timeout(Some(seconds))?;
    let mut scan = scan::Scan::default();
    loop {
        let (whole, size) = (scan.advance(wire.buffered()), wire.buffered().len());
        if size > MAX_JSON_REQUEST_BYTES {
            let what = "the JSON request is too long";
            return Err(Error::limit(what, "MAX_JSON_REQUEST_BYTES", MAX_JSON_REQUEST_BYTES));
        }
        if whole {
            return Ok(wire.take_buffered());
        }
        match wire.receive_more() {
            Ok(()) => {}
            Err(WireError::Closed | WireError::CutOff) => return Ok(wire.take_buffered()),
            Err(WireError::TimedOut(_)) => {
                let what = "the JSON request did not come to its end";
                return Err(Error::limit(what, "JSON_REQUEST_SECONDS", JSON_REQUEST_SECONDS));
            }
            Err(error) => return Err(Error::new(code::IO, error)),
        }
    }
}

fn parse(text: &[u8]) -> Result<Request, Error> {
    let bad = |what: &dyn std::fmt::Display| {
        let form = r#"{"module":"…","function":"…","params":…}"#;
        Error::new(code::BAD_JSON, format!("{what}; a request is {form}"))
    };
    let json: Json = serde_json::from_slice(text).map_err(|error| bad(&format_args!("malformed JSON: {error}")))?;
    let Json::Object(mut fields) = json else { return Err(bad(&"the request is not an object")) };
    let mut name = |field: &str| match fields.remove(field) {
        Some(Json::String(name)) if !name.is_empty() => Ok(name),
        Some(_) => Err(bad(&format_args!("{field:?} is not a name"))),
        None => Err(bad(&format_args!("{field:?} is missing"))),
    };
    let (module, function) = (name("module")?, name("function")?);
    let cwd = match fields.remove("cwd") {
        None | Some(Json::Null) => Bytes::from("/"),
        Some(Json::String(cwd)) if cwd.starts_with('/') => Bytes::from(cwd.as_str()),
        Some(_) => return Err(bad(&"\"cwd\" is not an absolute path")),
    };
    Ok(Request { module, function, params: fields.remove("params").unwrap_or(Json::Null), cwd })
}

/// Runs the request in the session of the handle it names, or in a new one.
fn run(server: &Arc<Server>, wire: &Wire, uid: u32, request: &Request) -> Result<Json, Error> {
    let name = format!("{}.{}", request.module, request.function);
    let function = server.registry.find(&name)?.1.function;
    if !function.json {
        let text = format!("{name} is for clients that speak frames; JSON clients cannot call it");
        return Err(Error::new(code::UNKNOWN_FUNCTION, text).in_function(&request.module, &request.function));
    }
    let params = json_to_image(&positional(&request.params))?;
    let Some(id) = handle_id(function, &request.params) else {
        let client = ClientHello { client: "json".into(), cwd: request.cwd.clone(), ..ClientHello::default() };
        let mut session = Session::new(Arc::clone(server), Client::new(client, uid), None);
        let result = run_in(&mut session, wire, &name, &params);
        server.parked.park(session)?;
        return result;
    };
    let place = server.parked.find(id, uid).ok_or_else(|| unknown(id))?;
    let mut session = place.lock();
    let result = match session.as_mut() {
        Some(session) => run_in(session, wire, &name, &params),
        None => Err(unknown(id)),
    };
    server.parked.update(&place, &mut session);
    result
}

fn run_in(session: &mut Session, wire: &Wire, name: &str, params: &[u8]) -> Result<Json, Error> {
    session.shared().vanished.store(false, Relaxed);
    session.shared().set_peer(Some(wire.peer()));
    let (answer, result) = session.run(0, name, params, Vec::new());
    session.shared().set_peer(None);
    result?;
    let image = answer.get(HEAD_BYTES..).unwrap_or_default();
    image_to_json(image).map_err(Error::internal)
}

/// Parameters as an array or object: nothing is none, and one scalar is the first of them.
fn positional(params: &Json) -> Json {
    match params {
        Json::Null => Json::Array(Vec::new()),
        Json::Array(_) | Json::Object(_) => params.clone(),
        scalar => Json::Array(vec![scalar.clone()]),
    }
}

/// The id in the parameter that names a handle.
fn handle_id<'a>(function: &Function, params: &'a Json) -> Option<&'a str> {
    let (at, param) = function.params.iter().enumerate().find(|(_, param)| param.handle)?;
    match params {
        Json::Object(fields) => fields.get(param.name)?.as_str(),
        Json::Array(values) => values.get(at)?.as_str(),
        Json::String(id) if at == 0 => Some(id),
        _ => None,
    }
}

fn unknown(id: &str) -> Error {
    let seconds = config::get().time(&settings::DAEMON_PARKED_IDLE).as_secs_f64();
    let text = format!(
        "there is no handle {id:?}: it was closed, was not used for daemon.parked_idle_seconds ({seconds}), \
         belongs to another user, or the daemon was restarted"
    );
    Error::new(code::UNKNOWN_HANDLE, text)
}
