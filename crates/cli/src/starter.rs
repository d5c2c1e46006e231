//! Starting the daemon: lock, connect again under the lock, spawn, wait until it is ready.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use daemon::detach::make_inheritable;
use daemon::limits::{LOCK_SECONDS, READY_SECONDS};
use daemon::place::Place;
use protocol::is_newer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::client::Client;
use crate::identity;

/// What `start` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It was running.
    Before,
    /// It was started.
    Now,
}

/// A connection to the daemon, which is started if it is not running. An older
/// daemon makes room for a new one first.
pub fn connect_or_start(place: &Place) -> Result<(Client, Started)> {
    place.prepare()?;
    if let Some(client) = connect_current(place)? {
        return Ok((client, Started::Before));
    }
    let lock = place.lock(Duration::from_secs(LOCK_SECONDS))?;
    if let Some(client) = connect_current(place)? {
        return Ok((client, Started::Before));
    }
    spawn(place)?;
    drop(lock);
    let client = Client::connect(place)?.context("the daemon was started, but is gone again; see its log")?;
    Ok((client, Started::Now))
}

/// Connects, unless the daemon is older than this program: that one is asked to make room.
fn connect_current(place: &Place) -> Result<Option<Client>> {
    let Some(client) = Client::connect(place)? else { return Ok(None) };
    let (ours, theirs) = (identity(), &client.daemon);
    if is_newer((&ours.version, ours.build), (&theirs.version, theirs.build)) {
        client.ask_to_drain()?;
        return Ok(None);
    }
    Ok(Some(client))
}

/// Spawns the daemon and waits until it listens.
fn spawn(place: &Place) -> Result<()> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let program = std::env::current_exe().context("where is this program?")?;
    let mut command = Command::new(&program);
    command.args(["daemon", "--detach", "--ready-fd"]).arg(make_inheritable(&write)?.to_string());
    command.arg("--socket").arg(&place.socket);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    drop(write);
    let ready = wait_until_ready(File::from(read), Duration::from_secs(READY_SECONDS));
    // It has forked and ended, or failed.
    child.wait()?;
    ready
}

/// Reads what a daemon says about its start: `+`, or what is wrong.
pub fn wait_until_ready(mut pipe: File, at_most: Duration) -> Result<()> {
    let until = Instant::now() + at_most;
    let mut said = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left)?;
        let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout))? == 0 {
            bail!("the daemon is not ready after READY_SECONDS ({READY_SECONDS}); see its log");
        }
        let mut chunk = [0; 1024];
        let count = pipe.read(&mut chunk)?;
        said.extend_from_slice(&chunk[..count]);
        if said.starts_with(b"+") {
            return Ok(());
        }
        if count == 0 {
            let why = String::from_utf8_lossy(&said);
            bail!("the daemon could not be started: {}", if why.is_empty() { "it ended without a word" } else { &why });
        }
    }
}
