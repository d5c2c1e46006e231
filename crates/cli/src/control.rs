//! `start`, `stop`, `restart`, `ping`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use daemon::config::{Config, settings};
use daemon::limits::CANCEL_GRACE_SECONDS;
use daemon::place::Place;
use lexopt::prelude::*;

use crate::client::Client;
use crate::no_more;
use crate::starter::{Started, connect_or_start};

/// How many calls `ping` makes.
const PINGS: usize = 1000;

/// What is said when there is nothing to talk to.
pub fn no_daemon(place: &Place) -> ExitCode {
    eprintln!("cpan-bridge: no daemon is running on {}", place.socket.display());
    ExitCode::FAILURE
}

/// `cpan-bridge start`.
pub fn start(args: lexopt::Parser) -> Result<ExitCode> {
    no_more(args)?;
    let place = Place::from_env()?;
    let (client, started) = connect_or_start(&place)?;
    let what = if started == Started::Now { "started" } else { "already running" };
    println!("daemon {what}: pid {}, {}", client.daemon.pid, place.socket.display());
    Ok(ExitCode::SUCCESS)
}

/// `cpan-bridge stop`.
pub fn stop(args: lexopt::Parser) -> Result<ExitCode> {
    no_more(args)?;
    let place = Place::from_env()?;
    match stop_daemon(&place)? {
        Some(pid) => println!("daemon ended: pid {pid}"),
        None => println!("no daemon is running on {}", place.socket.display()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends the daemon and waits until it is gone; its process id.
fn stop_daemon(place: &Place) -> Result<Option<u32>> {
    let Some(mut client) = Client::connect(place)? else { return Ok(None) };
    let pid = client.daemon.pid;
    client.call::<storable::Value>("system.shutdown", &[(); 0])?;
    // It waits for sessions that were busy a moment ago; this need not be one of them.
    drop(client);
    // With a mistake in the configuration it runs on what was there before; the default is as good a guess as any.
    let drain = Config::load().unwrap_or_default().time(&settings::DAEMON_DRAIN);
    let bound = drain + Duration::from_secs(CANCEL_GRACE_SECONDS + 2);
    let until = Instant::now() + bound;
    while is_alive(pid) {
        ensure!(Instant::now() < until, "the daemon (pid {pid}) does not end; kill it with: kill -9 {pid}");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(Some(pid))
}

/// Whether a process with this id runs (a zombie does not).
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// `cpan-bridge restart`.
pub fn restart(args: lexopt::Parser) -> Result<ExitCode> {
    no_more(args)?;
    let place = Place::from_env()?;
    stop_daemon(&place)?;
    let (client, _) = connect_or_start(&place)?;
    println!("daemon started: pid {}, {}", client.daemon.pid, place.socket.display());
    Ok(ExitCode::SUCCESS)
}

/// `cpan-bridge ping`.
pub fn ping(mut args: lexopt::Parser) -> Result<ExitCode> {
    let mut count = PINGS;
    while let Some(arg) = args.next()? {
        match arg {
            Long("count") => count = args.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(count > 0, "--count must be at least 1");
    let place = Place::from_env()?;
    let Some(mut client) = Client::connect(&place)? else { return Ok(no_daemon(&place)) };
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        let answer: String = client.call("test.ping", &[(); 0])?;
        ensure!(answer == "pong", "the daemon answers {answer:?}");
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let daemon = &client.daemon;
    println!(
        "pong from pid {} ({} build {}): {:.1} µs (median of {count})",
        daemon.pid,
        daemon.version,
        daemon.build,
        times[count / 2].as_secs_f64() * 1e6
    );
    Ok(ExitCode::SUCCESS)
}
