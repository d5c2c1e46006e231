//! A server that says what a test wants it to say, over a Unix socket.
#![allow(clippy::unwrap_used)] // only tests use this

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::testing::TestSession;
use protocol::Error;
use serde_json::json;
use storable::Value;

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client's connection, seen from the server.
pub struct Peer {
    stream: UnixStream,
    seq: u8,
    /// What the client was last told about itself.
    pub number: u32,
}

impl Peer {
    /// The next packet of the client's; `None` when it is gone.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).ok()?;
        let len = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        self.seq = head[3].wrapping_add(1);
        let mut payload = vec![0; len as usize];
        self.stream.read_exact(&mut payload).ok()?;
        Some(payload)
    }

    /// Sends a packet; whether that could be done.
    pub fn send(&mut self, payload: &[u8]) -> bool {
        let [a, b, c, _] = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let mut packet = vec![a, b, c, self.seq];
        packet.extend_from_slice(payload);
        self.seq = self.seq.wrapping_add(1);
        self.stream.write_all(&packet).is_ok()
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Closes the connection.
    pub fn hang_up(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// The next answer is another command's.
    pub fn restart_numbers(&mut self) {
        self.seq = 1;
    }

    /// "Done."
    pub fn ok(&mut self) -> bool {
        self.send(b"\0\0\0\x02\0\0\0")
    }

    /// An error.
    pub fn error(&mut self, number: u16, text: &str) -> bool {
        let mut packet = vec![0xff];
        packet.extend_from_slice(&number.to_le_bytes());
        packet.extend_from_slice(b"#HY000");
        packet.extend_from_slice(text.as_bytes());
        self.send(&packet)
    }

    /// The beginning of a result with one column of text.
    pub fn column(&mut self) -> bool {
        self.send(b"\x01") && self.send(b"\x03def\0\0\0\x01c\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0")
    }

    /// A row of it.
    pub fn row(&mut self, value: &str) -> bool {
        let mut row = vec![u8::try_from(value.len()).unwrap()];
        row.extend_from_slice(value.as_bytes());
        self.send(&row)
    }

    /// The end of its rows.
    pub fn end(&mut self) -> bool {
        self.send(b"\xfe\0\0\x02\0\0\0")
    }

    /// Greets the client with a method of authentication, and reads its answer.
    pub fn greet(&mut self, method: &str) -> Vec<u8> {
        let mut greeting = b"\x0a8.0.36-fake\0".to_vec();
        greeting.extend_from_slice(&self.number.to_le_bytes());
        greeting.extend_from_slice(b"abcdefgh\0\xff\xf7\x2d\x02\0\xff\xc1\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0");
        greeting.extend_from_slice(method.as_bytes());
        greeting.push(0);
        // Compression (bit 5) and TLS (bit 11) are not offered.
        let capabilities = greeting.iter().position(|&byte| byte == 0xf7).unwrap() - 1;
        greeting[capabilities] = 0xdf;
        self.send(&greeting);
        self.read().unwrap_or_default()
    }

    /// The whole handshake.
    pub fn log_in(&mut self) {
        self.greet("mysql_native_password");
        self.ok();
    }
}

/// A server. Its thread ends with the test.
pub struct Server {
    folder: tempfile::TempDir,
    seen: Receiver<Vec<u8>>,
    _thread: JoinHandle<()>,
}

impl Server {
    /// A server that serves each connection, in a thread of its own, with `serve`. What that sends is in [`Server::seen`].
    pub fn new(serve: impl Fn(Peer, Sender<Vec<u8>>) + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let (sender, seen) = channel();
        let serve = std::sync::Arc::new(serve);
        let thread = std::thread::spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                let (serve, sender) = (std::sync::Arc::clone(&serve), sender.clone());
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                std::thread::spawn(move || serve(Peer { stream, seq: 0, number }, sender));
            }
        });
        Self { folder, seen, _thread: thread }
    }

    /// A server that logs everybody in and answers each command with `answer`.
    pub fn answering(answer: impl Fn(&mut Peer, &[u8], &Sender<Vec<u8>>) + Send + Sync + 'static) -> Self {
        Self::new(move |mut peer, seen| {
            peer.log_in();
            while let Some(command) = peer.read() {
                answer(&mut peer, &command, &seen);
            }
        })
    }

    /// The next thing the server has noted.
    pub fn seen(&self) -> Vec<u8> {
        self.seen.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether the server has noted nothing more so far.
    pub fn has_seen_nothing(&self) -> bool {
        self.seen.try_recv().is_err()
    }

    /// Connects a session to it, as number 1.
    pub fn connect(&self) -> TestSession {
        let mut session = session();
        self.try_connect(&mut session, json!({}), json!({})).unwrap();
        session
    }

    /// Connects, with parameters and options.
    pub fn try_connect(
        &self,
        session: &mut TestSession,
        mut params: serde_json::Value,
        options: serde_json::Value,
    ) -> Result<Value, Error> {
        params["socket"] = self.folder.path().join("s").to_str().unwrap().into();
        params["user"] = "me".into();
        if params["pool"].is_null() {
            params["pool"] = false.into();
        }
        session.call("mysql.connect", &(1, params, options))
    }
}

/// A session with nothing open.
pub fn session() -> TestSession {
    TestSession::new(&database::modules()).unwrap()
}

/// Runs SQL as statement 1 of connection 1: `[count, done, rows, extra, insert id]`.
pub fn execute(session: &mut TestSession, sql: &str) -> Result<Value, Error> {
    session.call("mysql.execute", &(1, 1, sql, None::<u8>, "f"))
}

/// The first elements of the rows of a reply, whose rows are at `place`.
pub fn values(reply: &Value, place: usize) -> Vec<String> {
    let rows = reply.at(place).unwrap().as_array().unwrap();
    rows.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}
