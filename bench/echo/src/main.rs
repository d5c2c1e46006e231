//! The yardstick of `bench/run`: a plain blocking echo server on a Unix socket.
//!
//! One thread per connection, one `read`, one `write`, no spinning: what a round
//! trip costs when both sides do nothing else. Usage: `echo SOCKET`; it answers
//! until its parent ends it.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;
use std::thread;

/// Larger than any request the benchmark sends here, so that one read takes it whole.
const BUFFER_BYTES: usize = 65_536;

fn echo(mut stream: UnixStream) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length])?;
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: echo SOCKET");
        return ExitCode::from(2);
    };
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
        // A client that goes away ends its own thread only.
        thread::spawn(move || echo(stream));
    }
    ExitCode::SUCCESS
}
