//! A private place for a daemon, and a client that speaks frames byte by byte.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    reason = "tests"
)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use protocol::{ClientHello, DaemonHello, Kind, MAX_FRAME_BYTES, PROTOCOL, Parsed, message};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub const BINARY: &str = env!("CARGO_BIN_EXE_cpan-bridge");
/// No test waits longer for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A run-time directory of its own; whatever daemon runs there is ended with it.
pub struct Bridge {
    temp: tempfile::TempDir,
}

impl Bridge {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { temp }
    }

    /// With a daemon running.
    pub fn started() -> Self {
        let bridge = Self::new();
        bridge.ok(&["start"]);
        bridge
    }

    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    pub fn socket(&self) -> PathBuf {
        self.path().join("cpan-bridge/cpan-bridge-1.sock")
    }

    pub fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CPAN_BRIDGE_") {
                command.env_remove(name);
            }
        }
        command.env("XDG_RUNTIME_DIR", self.path()).env("XDG_CACHE_HOME", self.path().join("cache"));
        command.env_remove("XDG_STATE_HOME").env_remove("PERL5LIB").env("CPAN_BRIDGE_CONFIG", "/dev/null");
        command
    }

    pub fn output(&self, args: &[impl AsRef<OsStr>]) -> Output {
        finish(self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Runs a command that must succeed; its standard output.
    pub fn ok(&self, args: &[impl AsRef<OsStr>]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail; its standard error.
    pub fn fails(&self, args: &[impl AsRef<OsStr>]) -> String {
        let output = self.output(args);
        assert!(!output.status.success(), "succeeded: {}", text(&output.stdout));
        text(&output.stderr)
    }

    pub fn client(&self) -> Client {
        Client::greeted(UnixStream::connect(self.socket()).unwrap())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("cpan-bridge/daemon.log")).unwrap_or_default()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Ok(stream) = UnixStream::connect(self.socket()) {
            let pid = rustix::net::sockopt::socket_peercred(&stream).unwrap().pid;
            drop(stream);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits for a child, killing it at the deadline.
pub fn finish(mut child: Child) -> Output {
    let until = Instant::now() + DEADLINE;
    let readers = [
        child.stdout.take().map(|pipe| std::thread::spawn(move || read_all(pipe))),
        child.stderr.take().map(|pipe| std::thread::spawn(move || read_all(pipe))),
    ];
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("a child did not end in time");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let [stdout, stderr] = readers.map(|reader| reader.map(|reader| reader.join().unwrap()).unwrap_or_default());
    Output { status, stdout, stderr }
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Waits until `done`, failing at the deadline.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < until, "{what} did not happen in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// A received frame.
pub struct Frame {
    pub kind: Kind,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn error(&self) -> protocol::Error {
        assert_eq!(self.kind, Kind::Error);
        storable::from_slice(message::decode_answer(self.kind, &self.payload).unwrap().image).unwrap()
    }

    pub fn seq(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }

    pub fn result<T: DeserializeOwned>(&self) -> T {
        assert!(self.kind != Kind::Error, "error: {}", self.error());
        assert_eq!(self.kind, Kind::Reply);
        storable::from_slice(message::decode_answer(self.kind, &self.payload).unwrap().image).unwrap()
    }
}

/// A client whose every byte the test decides about.
pub struct Client {
    pub stream: UnixStream,
    input: Vec<u8>,
    pub daemon: DaemonHello,
}

impl Client {
    /// Without a hello.
    pub fn raw(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { stream, input: Vec::new(), daemon: DaemonHello::default() }
    }

    pub fn greeted(stream: UnixStream) -> Self {
        let mut client = Self::raw(stream);
        let hello = ClientHello {
            protocol: PROTOCOL,
            client: "test".into(),
            pid: std::process::id(),
            script: "t.pl".into(),
            ..ClientHello::default()
        };
        let mut out = Vec::new();
        message::encode_hello(&mut out, &hello).unwrap();
        client.send(&out);
        let frame = client.receive();
        assert_eq!(frame.kind, Kind::Hello);
        client.daemon = storable::from_slice(&frame.payload).unwrap();
        client
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send_call(&mut self, seq: u32, name: &str, params: &(impl Serialize + ?Sized)) {
        let mut out = Vec::new();
        message::encode_call(&mut out, seq, name, params).unwrap();
        self.send(&out);
    }

    /// Calls and takes the next frame for the answer.
    pub fn call<T: DeserializeOwned>(&mut self, seq: u32, name: &str, params: &(impl Serialize + ?Sized)) -> T {
        self.send_call(seq, name, params);
        let frame = self.receive();
        assert_eq!(frame.seq(), seq);
        frame.result()
    }

    pub fn ping(&mut self) {
        assert_eq!(self.call::<String>(99, "test.ping", &[(); 0]), "pong");
    }

    pub fn receive(&mut self) -> Frame {
        self.try_receive().expect("a frame, not the end of the connection")
    }

    /// The next frame; `None` at the end of the connection.
    pub fn try_receive(&mut self) -> Option<Frame> {
        loop {
            if let Parsed::Complete(head) = protocol::parse(&self.input, MAX_FRAME_BYTES).unwrap() {
                let payload = self.input[head.payload.clone()].to_vec();
                self.input.drain(..head.end());
                return Some(Frame { kind: head.kind, payload });
            }
            let mut chunk = vec![0; 1 << 20];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
