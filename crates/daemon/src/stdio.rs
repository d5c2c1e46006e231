//! One session on inherited descriptors: the private child of a script (process mode).

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::net::sockopt;

use crate::server::Server;
use crate::session::serve_wire;
use crate::wire::Wire;

/// Serves one session on standard input: a socket, or a pipe with standard output as its
/// counterpart. Returns when the client has closed it.
pub fn serve(server: &Arc<Server>) -> io::Result<()> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    // What a library might print must not get between the frames.
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    serve_wire(server, wire(server, input, output), rustix::process::getuid().as_raw(), None);
    Ok(())
}

fn wire(server: &Arc<Server>, input: OwnedFd, output: OwnedFd) -> Wire {
    let load = Arc::clone(&server.load);
    if sockopt::socket_type(&input).is_ok() {
        drop(output);
        Wire::socket(input, load)
    } else {
        Wire::pipes(input, output, load)
    }
}
