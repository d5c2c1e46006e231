//! Sessions over the real socket: calls, callbacks, cancelling, and bad input.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod common;

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use common::{Bridge, Client, Frame, wait_until};
use protocol::{Bytes, ClientHello, Kind, code, message};
use serde::Deserialize;

#[test]
fn payloads_of_every_size_come_back_unaltered() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    for size in [0, 1, 4096, 32 * 1024 - 30, 32 * 1024, 200_000, 4 << 20, 20 << 20] {
        let sent: Vec<u8> = (0..size).map(|at: usize| (at % 251) as u8).collect();
        let (back,): (Bytes,) = client.call(1, "test.echo", &(Bytes(sent.clone()),));
        assert!(back.0 == sent, "{size} bytes");
    }
}

#[test]
fn pipelined_calls_are_answered_in_order_and_one_way_calls_not_at_all() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let mut out = Vec::new();
    for seq in 1..=500 {
        message::encode_call(&mut out, seq, "test.echo", &(seq,)).unwrap();
        message::encode_call(&mut out, 0, "test.echo", &("nobody hears of this",)).unwrap();
        message::encode_call(&mut out, 0, "test.nope", &("nor of this",)).unwrap();
    }
    let mut writer = client.stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || writer.write_all(&out).unwrap());
    for seq in 1..=500 {
        let frame = client.receive();
        assert_eq!((frame.seq(), frame.result::<(u32,)>()), (seq, (seq,)));
    }
    writing.join().unwrap();
    client.ping();
}

#[test]
fn frames_that_arrive_byte_by_byte_are_understood() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let mut out = Vec::new();
    message::encode_call(&mut out, 5, "test.echo", &("slowly",)).unwrap();
    for byte in out {
        client.send(&[byte]);
    }
    assert_eq!(client.receive().result::<(String,)>().0, "slowly");
}

#[test]
fn answers_in_parts_are_rows_frames_and_then_a_reply() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(7, "test.rows", &(3, 100_000));
    for _ in 0..3 {
        let frame = client.receive();
        assert_eq!((frame.kind, frame.seq()), (Kind::Rows, 7));
        let part: Bytes = storable::from_slice(&frame.payload[4..]).unwrap();
        assert_eq!(part.0.len(), 100_000);
    }
    assert_eq!(client.receive().result::<u32>(), 3);
}

#[test]
fn bad_input_is_told_and_touches_nobody_else() {
    let bridge = Bridge::started();
    let mut other = bridge.client();
    let too_long = (protocol::MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
    for (bytes, code, part) in [
        (&[0, 0, 0, 0][..], code::BAD_FRAME, "its length is 0"),
        (&[0, 0, 0, 1, 77], code::BAD_FRAME, "77 is not a kind"),
        (&too_long, code::LIMIT, "MAX_FRAME_BYTES (1073741824)"),
        (&[0, 0, 0, 3, 2, 0, 0], code::BAD_FRAME, "cut off in seq"),
        (&[0, 0, 0, 9, 2, 0, 0, 0, 1, 0, 9, b'x', b'y'], code::BAD_FRAME, "cut off in the name"),
        (&[0, 0, 0, 1, 3], code::BAD_FRAME, "does not send Reply"),
        (&[0, 0, 0, 1, 1], code::BAD_FRAME, "does not send Hello"),
    ] {
        let mut client = bridge.client();
        client.send(bytes);
        let frame = client.receive();
        let error = frame.error();
        assert_eq!((frame.seq(), &*error.code), (0, code), "{bytes:?}: {error}");
        assert!(error.message.contains(part), "{bytes:?}: {error}");
        assert!(client.try_receive().is_none());
    }
    other.ping();
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn random_damage_to_frames_never_harms_the_daemon() {
    let bridge = Bridge::started();
    let mut other = bridge.client();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut frames = Vec::new();
    message::encode_hello(&mut frames, &ClientHello { protocol: 1, ..ClientHello::default() }).unwrap();
    message::encode_call(&mut frames, 1, "test.echo", &(vec!["some", "values"], 7, 1.5)).unwrap();
    message::encode_call(&mut frames, 2, "test.fail", &("message",)).unwrap();
    message::encode_callback_reply(&mut frames, 1, true, &(1,)).unwrap();
    message::encode_cancel(&mut frames, 2).unwrap();
    for _ in 0..400 {
        let mut damaged = frames.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(damaged.len());
            damaged[at] = random.below(256) as u8;
        }
        damaged.truncate(damaged.len() - random.below(damaged.len() / 2));
        let mut stream = UnixStream::connect(bridge.socket()).unwrap();
        // The daemon may have closed it at the first bad byte.
        let _ = stream.write_all(&damaged);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        stream.set_read_timeout(Some(common::DEADLINE)).unwrap();
        let mut answers = Vec::new();
        if let Err(error) = std::io::Read::read_to_end(&mut stream, &mut answers) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{damaged:?}");
        }
    }
    other.ping();
    assert!(!bridge.log().contains("panic"), "{}", bridge.log());
}

#[test]
fn a_cut_off_frame_ends_its_session_only() {
    let bridge = Bridge::started();
    let mut other = bridge.client();
    let mut client = bridge.client();
    client.send(&[0, 0, 1, 0, 2, 0, 0]);
    client.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(client.try_receive().is_none());
    other.ping();
}

#[test]
fn the_first_frame_must_be_a_hello_of_this_protocol() {
    let bridge = Bridge::started();
    let mut client = Client::raw(UnixStream::connect(bridge.socket()).unwrap());
    client.send_call(1, "test.ping", &[(); 0]);
    assert!(client.receive().error().message.contains("must be a hello"));

    let mut client = Client::raw(UnixStream::connect(bridge.socket()).unwrap());
    let mut out = Vec::new();
    message::encode_hello(&mut out, &ClientHello { protocol: 99, ..ClientHello::default() }).unwrap();
    client.send(&out);
    let error = client.receive().error();
    assert_eq!((&*error.code, &*error.message), (code::VERSION, "this daemon speaks protocol 1, not 99"));

    let mut client = Client::raw(UnixStream::connect(bridge.socket()).unwrap());
    client.send(&[0, 0, 0, 4, 1, b'a', b'b', b'c']);
    assert!(client.receive().error().message.contains("bad hello"));
}

#[test]
fn wrong_calls_and_params_fail_alone() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    for (name, params, code, part) in [
        ("nope.ping", "[]", code::UNKNOWN_MODULE, "there is no module \"nope\""),
        ("test.nope", "[]", code::UNKNOWN_FUNCTION, "no function \"nope\""),
        ("test.sleep", "[]", code::BAD_PARAMS, "it takes sleep(seconds)"),
        ("test.sleep", r#"["soon"]"#, code::BAD_PARAMS, "test.sleep"),
        ("test.sleep", "[1e6]", code::LIMIT, "MAX_SLEEP_SECONDS (3600)"),
    ] {
        client.send_call(3, name, &serde_json::from_str::<serde_json::Value>(params).unwrap());
        let error = client.receive().error();
        assert_eq!(error.code, code, "{name}{params}: {error}");
        assert!(error.message.contains(part), "{name}{params}: {error}");
        assert_eq!(error.function.as_deref(), name.split_once('.').map(|(_, function)| function));
    }
    client.ping();
}

#[test]
fn params_that_are_no_plain_data_are_refused() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    for (image, part) in [
        // bless [], "X"
        (&b"\x05\x05\x11\x01X\x02\0\0\0\0"[..], "blessed"),
        (b"\x05\x05\x02\0\0\0\x02\x05", "cut off"),
        (b"", "empty"),
    ] {
        let mut out = Vec::new();
        message::encode_call_image(&mut out, 4, "test.echo", image).unwrap();
        client.send(&out);
        let error = client.receive().error();
        assert_eq!(error.code, code::BAD_PARAMS);
        assert!(error.message.contains(part), "{error}");
    }
    client.ping();
}

#[test]
fn params_nested_too_deeply_are_refused_by_name() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let mut nested = storable::Value::Array(Vec::new());
    for _ in 0..300 {
        nested = storable::Value::Array(vec![nested]);
    }
    client.send_call(4, "test.notice", &nested);
    let error = client.receive().error();
    assert_eq!(error.code, code::LIMIT);
    assert!(error.message.contains("MAX_PARAMS_DEPTH (256)"), "{error}");
    client.ping();
}

#[test]
fn a_panic_is_an_error_of_one_call() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(1, "test.panic", &("oops",));
    let error = client.receive().error();
    assert_eq!(error.code, code::INTERNAL);
    assert!(error.message.contains("oops") && error.unknown.is_some(), "{error:?}");
    client.ping();
    wait_until("the panic in the log", || bridge.log().contains("panic"));
}

#[test]
fn errors_carry_what_dbi_wants() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(1, "test.fail", &("no such table: t", 1, "S1000"));
    let error = client.receive().error();
    assert_eq!((error.err, error.state.as_deref()), (Some(1), Some("S1000")));
    assert_eq!(error.message, "no such table: t");
}

/// Answers a callback with `value`.
fn answer(client: &mut Client, frame: &Frame, ok: bool, value: &(impl serde::Serialize + ?Sized)) {
    let mut out = Vec::new();
    message::encode_callback_reply(&mut out, frame.seq(), ok, value).unwrap();
    client.send(&out);
}

#[derive(serde::Serialize)]
struct Died<'a> {
    message: &'a str,
}

#[test]
fn the_client_is_called_back_and_may_call_meanwhile() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(1, "test.callback", &(42, ("a", 7), 3));
    for _ in 0..3 {
        let frame = client.receive();
        let callback = message::decode_callback(&frame.payload).unwrap();
        assert_eq!((frame.kind, callback.seq, callback.id, callback.answer), (Kind::Callback, 1, 42, true));
        assert_eq!(storable::from_slice::<(String, u32)>(callback.args).unwrap(), ("a".into(), 7));
        // One-way frames ride in front; a nested call is answered before the callback is.
        client.send_call(0, "test.echo", &(1,));
        assert_eq!(client.call::<(u32,)>(2, "test.echo", &(5,)), (5,));
        answer(&mut client, &frame, true, &["result"]);
    }
    let frame = client.receive();
    assert_eq!((frame.seq(), frame.result::<Vec<String>>()), (1, vec!["result".into()]));

    client.send_call(3, "test.callback", &(42,));
    let frame = client.receive();
    answer(&mut client, &frame, false, &Died { message: "died at t.pl line 1.\n" });
    let error = client.receive().error();
    assert_eq!((&*error.code, &*error.message), (code::CALLBACK, "died at t.pl line 1.\n"));
    client.ping();
}

#[test]
fn callbacks_inside_callbacks_end_at_the_limit() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let mut frames = Vec::new();
    let error = loop {
        let seq = frames.len() as u32 + 1;
        client.send_call(seq, "test.callback", &(1,));
        let frame = client.receive();
        if frame.kind == Kind::Error {
            break frame.error();
        }
        frames.push(frame);
    };
    assert_eq!(frames.len(), 16);
    assert!(error.message.contains("MAX_CALLBACK_DEPTH (16)"), "{error}");
    for frame in frames.iter().rev() {
        answer(&mut client, frame, true, &("done",));
        assert_eq!(client.receive().seq(), frame.seq());
    }
    client.ping();
}

#[test]
fn notices_come_before_the_reply() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(1, "test.notice", &("look out",));
    let frame = client.receive();
    let notice = message::decode_callback(&frame.payload).unwrap();
    assert_eq!((notice.id, notice.answer), (message::NOTICE, false));
    assert_eq!(storable::from_slice::<(String,)>(notice.args).unwrap().0, "look out");
    assert_eq!(client.receive().result::<u32>(), 1);
}

fn cancel(client: &mut Client, seq: u32) {
    let mut out = Vec::new();
    message::encode_cancel(&mut out, seq).unwrap();
    client.send(&out);
}

#[test]
fn a_running_call_is_cancelled_and_only_that() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let began = Instant::now();
    client.send_call(1, "test.sleep", &(60,));
    std::thread::sleep(Duration::from_millis(50));
    client.send_call(2, "test.echo", &("after",));
    cancel(&mut client, 9);
    cancel(&mut client, 1);
    assert_eq!(client.receive().error().code, code::CANCELLED);
    assert_eq!(client.receive().result::<(String,)>().0, "after");
    client.ping();
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_call_that_is_cancelled_before_it_runs_does_not_run() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let mut out = Vec::new();
    message::encode_call(&mut out, 1, "test.sleep", &(0.01,)).unwrap();
    message::encode_call(&mut out, 2, "test.sleep", &(60,)).unwrap();
    message::encode_cancel(&mut out, 2).unwrap();
    client.send(&out);
    assert!(client.receive().result::<f64>() >= 0.01);
    assert_eq!(client.receive().error().code, code::CANCELLED);
    client.ping();
}

#[test]
fn cancelling_what_is_over_does_nothing() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.ping();
    cancel(&mut client, 99);
    assert!(client.call::<f64>(100, "test.sleep", &(0.05,)) >= 0.05);
}

#[derive(Deserialize)]
struct Listed {
    session: u64,
    running: Option<String>,
}

#[test]
fn a_client_that_vanishes_in_mid_call_is_noticed() {
    let bridge = Bridge::started();
    let mut watcher = bridge.client();
    let mut sessions = || watcher.call::<Vec<Listed>>(1, "system.sessions", &[(); 0]);
    let mut client = bridge.client();
    let session = client.daemon.session;
    client.send_call(1, "test.sleep", &(60,));
    wait_until("the call's being listed", || {
        sessions().iter().any(|listed| listed.session == session && listed.running.as_deref() == Some("test.sleep"))
    });
    drop(client);
    let gone = Instant::now();
    wait_until("the session's end", || sessions().iter().all(|listed| listed.session != session));
    assert!(gone.elapsed() < Duration::from_millis(500), "{:?}", gone.elapsed());
}

#[test]
fn more_sessions_than_the_limit_are_refused_by_name() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let bridge = Bridge::started();
    let mut first = bridge.client();
    let others: Vec<Client> = (1..1024).map(|_| bridge.client()).collect();
    let mut refused = Client::raw(UnixStream::connect(bridge.socket()).unwrap());
    refused.send(&[0]);
    let error = refused.receive().error();
    assert!(error.message.contains("daemon.max_sessions (1024)"), "{error}");
    drop(others);
    wait_until("room for another", || {
        let mut client = Client::raw(UnixStream::connect(bridge.socket()).unwrap());
        client.send(br#"{"module":"test","function":"ping"}"#);
        let mut reply = String::new();
        std::io::Read::read_to_string(&mut client.stream, &mut reply).unwrap();
        reply.contains("pong")
    });
    first.ping();
}
