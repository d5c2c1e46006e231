//! JSON clients over a socketpair, with a module that opens handles.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::*;
use crate::{Call, Identity, Module, Param};

static COUNTER: Module = Module {
    name: "counter",
    summary: "counts",
    functions: &[
        function("open", &[], open),
        function("add", &[Param::handle("id", "the counter"), Param::optional("step", "integer", "how much")], add),
        function("close", &[Param::handle("id", "the counter")], close),
    ],
};

const fn function(name: &'static str, params: &'static [Param], run: crate::Run) -> Function {
    Function { name, summary: "", params, result: "", idempotent: false, json: true, run }
}

#[derive(Default)]
struct Counter(i64);

#[derive(Deserialize)]
struct Params {
    id: String,
    #[serde(default)]
    step: i64,
}

fn open(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let id = session.publish_new_handle()?;
    call.reply(&id)
}

fn add(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Params { step, .. } = call.params()?;
    let counter = session.state::<Counter>();
    counter.0 += step;
    call.reply(&counter.0)
}

fn close(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Params { id, .. } = call.params()?;
    session.withdraw_handle(&id);
    call.reply(&1)
}

fn server() -> Arc<Server> {
    Server::new(vec![&COUNTER, &crate::modules::test::MODULE], Identity::default()).unwrap()
}

/// Sends `text` and reads the reply; `uid` is who the kernel says is asking.
fn exchange(server: &Arc<Server>, text: &[u8], shut: bool, uid: u32) -> Json {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let server = Arc::clone(server);
    let serving = std::thread::spawn(move || {
        crate::session::serve_connection(&server, theirs.into(), uid, None);
    });
    ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may answer before it has read everything.
    let _ = ours.write_all(text);
    if shut {
        let _ = ours.shutdown(Shutdown::Write);
    }
    let mut reply = Vec::new();
    ours.read_to_end(&mut reply).unwrap();
    serving.join().unwrap();
    assert_eq!(reply.last(), Some(&b'\n'));
    serde_json::from_slice(&reply).unwrap()
}

fn ask(server: &Arc<Server>, function: &str, params: &Json) -> Json {
    let request = json!({ "module": "counter", "function": function, "params": params });
    exchange(server, request.to_string().as_bytes(), true, 7)
}

#[test]
fn params_are_an_object_an_array_or_a_scalar() {
    let server = server();
    for (params, result) in [
        (json!({"a": [null, 1.5]}), json!({"a": [null, 1.5]})),
        (json!([1, "é"]), json!([1, "é"])),
        (json!("x"), json!(["x"])),
    ] {
        let request = json!({ "module": "test", "function": "echo", "params": params });
        let reply = exchange(&server, request.to_string().as_bytes(), true, 7);
        assert_eq!(reply, json!({"success": true, "result": result, "module": "test", "function": "echo"}));
    }
}

#[test]
fn a_request_is_answered_before_the_write_side_is_closed() {
    let reply = exchange(&server(), br#"{"module":"test","function":"ping"}"#, false, 7);
    assert_eq!(reply["result"], "pong");
}

#[test]
fn every_failure_has_a_reply() {
    let server = server();
    for (text, code) in [
        (r#"{"module":"nope","function":"x"}"#, code::UNKNOWN_MODULE),
        (r#"{"module":"test","function":"x"}"#, code::UNKNOWN_FUNCTION),
        (r#"{"module":"test","function":"callback","params":[1]}"#, code::UNKNOWN_FUNCTION),
        (r#"{"module":"test","function":"fail","params":["no"]}"#, code::HELPER_FAILED),
        (r#"{"module":"test","function":"panic","params":["oops"]}"#, code::INTERNAL),
        (r#"{"module":"test","function":"sleep","params":[1e9]}"#, code::LIMIT),
        (r#"{"module":"test","function":"#, code::BAD_JSON),
        (r#"{"module":"test" "function"}"#, code::BAD_JSON),
    ] {
        let reply = exchange(&server, text.as_bytes(), true, 7);
        assert_eq!((&reply["success"], &reply["code"]), (&json!(false), &json!(code)), "{text}: {reply}");
        assert!(reply["error"].as_str().is_some_and(|text| !text.is_empty()), "{text}: {reply}");
    }
    assert_eq!(server.session_count(), 0);
}

#[test]
fn a_request_that_is_too_long_is_refused_by_name() {
    let mut text = br#"{"module":"test","function":"echo","params":""#.to_vec();
    text.resize(MAX_JSON_REQUEST_BYTES + 1024 * 1024, b'x');
    let reply = exchange(&server(), &text, true, 7);
    assert!(reply["error"].as_str().unwrap().contains("MAX_JSON_REQUEST_BYTES (67108864)"), "{reply}");
}

#[test]
fn a_handle_keeps_its_session_until_it_is_closed() {
    let server = server();
    let id = ask(&server, "open", &json!([]))["result"].clone();
    assert_eq!(id.as_str().unwrap().len(), 32);
    assert_eq!(ask(&server, "add", &json!([id, 2]))["result"], 2);
    assert_eq!(ask(&server, "add", &json!({"id": id, "step": 3}))["result"], 5);
    assert_eq!(server.parked.count(), 1);
    assert_eq!(ask(&server, "close", &id)["result"], 1);
    assert_eq!((server.parked.count(), server.session_count()), (0, 0));
    assert_eq!(ask(&server, "add", &json!([id, 2]))["code"], code::UNKNOWN_HANDLE);
}

#[test]
fn a_handle_of_another_user_is_none() {
    let server = server();
    let id = ask(&server, "open", &json!([]))["result"].clone();
    let request = json!({ "module": "counter", "function": "add", "params": [id, 1] });
    let reply = exchange(&server, request.to_string().as_bytes(), true, 8);
    assert_eq!(reply["code"], code::UNKNOWN_HANDLE);
    assert_eq!(ask(&server, "add", &json!([id, 2]))["result"], 2);
}

#[test]
fn handles_that_are_not_used_expire() {
    let server = server();
    let id = ask(&server, "open", &json!([]))["result"].clone();
    server.parked.expire(Duration::from_secs(60));
    assert_eq!(server.parked.count(), 1);
    server.parked.expire(Duration::ZERO);
    assert_eq!((server.parked.count(), server.session_count()), (0, 0));
    assert_eq!(ask(&server, "add", &json!([id, 2]))["code"], code::UNKNOWN_HANDLE);
}

#[test]
fn no_more_sessions_are_parked_than_the_limit_says() {
    let server = server();
    for _ in 0..crate::limits::MAX_PARKED_SESSIONS {
        assert_eq!(ask(&server, "open", &json!([]))["success"], true);
    }
    let reply = ask(&server, "open", &json!([]));
    assert!(reply["error"].as_str().unwrap().contains("MAX_PARKED_SESSIONS (256)"), "{reply}");
    assert_eq!(server.session_count(), 256);
}

#[test]
fn a_client_that_vanishes_cancels_its_call() {
    let server = server();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let began = std::time::Instant::now();
    let serving = std::thread::spawn({
        let server = Arc::clone(&server);
        move || crate::session::serve_connection(&server, theirs.into(), 7, None)
    });
    ours.write_all(br#"{"module":"test","function":"sleep","params":[20]}"#).unwrap();
    while server.sessions().values().all(|shared| shared.running.seq().is_none()) {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(ours);
    serving.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn requests_that_are_none_are_told_why() {
    for (text, part) in [
        ("{", "malformed JSON"),
        ("[1]", "not an object"),
        (r#"{"function":"ping"}"#, "\"module\" is missing"),
        (r#"{"module":"test","function":7}"#, "\"function\" is not a name"),
        (r#"{"module":"test","function":"ping"} x"#, "malformed JSON"),
        (r#"{"module":"test","function":"ping","cwd":"x"}"#, "\"cwd\" is not an absolute path"),
    ] {
        let error = parse(text.as_bytes()).map(|_| ()).unwrap_err();
        assert!(error.message.contains(part), "{text}: {error}");
        assert_eq!(error.code, code::BAD_JSON);
    }
}

#[test]
fn params_of_every_form_become_a_list_or_a_hash() {
    assert_eq!(positional(&json!(null)), json!([]));
    assert_eq!(positional(&json!("x")), json!(["x"]));
    assert_eq!(positional(&json!(["x"])), json!(["x"]));
    assert_eq!(positional(&json!({"a": 1})), json!({"a": 1}));
}
