//! `status`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use daemon::place::Place;
use daemon::status::{FunctionStats, Info, PoolStatus, SessionStatus, Stats};
use lexopt::prelude::*;
use serde::Serialize;

use crate::client::Client;
use crate::{control, table};

/// Functions that are shown; the others are in the JSON.
const SHOWN_FUNCTIONS: usize = 10;

#[derive(Debug, Serialize)]
struct Status {
    running: bool,
    socket: String,
    info: Info,
    stats: Stats,
    sessions: Vec<SessionStatus>,
    pools: Vec<PoolStatus>,
}

/// `cpan-bridge status`.
pub fn status(mut args: lexopt::Parser) -> Result<ExitCode> {
    let mut json = false;
    while let Some(arg) = args.next()? {
        match arg {
            Long("json") => json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let place = Place::from_env()?;
    let Some(mut client) = Client::connect(&place)? else {
        if json {
            println!("{}", serde_json::json!({ "running": false, "socket": place.socket }));
            return Ok(ExitCode::FAILURE);
        }
        return Ok(control::no_daemon(&place));
    };
    let nothing = [(); 0];
    let own = client.daemon.session;
    let (info, stats) = (client.call("system.info", &nothing)?, client.call("system.stats", &nothing)?);
    let mut sessions: Vec<SessionStatus> = client.call("system.sessions", &nothing)?;
    sessions.retain(|session| session.session != own);
    let socket = place.socket.display().to_string();
    // A daemon of an older build has none.
    let pools = client.call("system.pools", &nothing).unwrap_or_default();
    let found = Status { running: true, socket, info, stats, sessions, pools };
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        show(&found);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(status: &Status) {
    let Status { info, stats, sessions, pools, socket, .. } = status;
    println!("{} {} (build {}), pid {}, on {socket}", info.name, info.version, info.build, info.pid);
    println!(
        "up {}, {} of memory (peak {}), {} threads",
        time(info.uptime_seconds),
        bytes(stats.memory_bytes),
        bytes(stats.peak_memory_bytes),
        stats.threads
    );
    println!(
        "{} calls, {} of them failed; {} sessions so far, {} now; {} JSON requests, {} parked",
        stats.calls,
        stats.errors,
        stats.sessions_total,
        sessions.len(),
        stats.json_requests,
        stats.parked_sessions
    );
    if !sessions.is_empty() {
        println!();
        show_sessions(sessions);
    }
    if !pools.is_empty() {
        println!();
        show_pools(pools);
    }
    if !stats.functions.is_empty() {
        println!();
        show_functions(&stats.functions);
    }
}

fn show_sessions(sessions: &[SessionStatus]) {
    let rows: Vec<Vec<String>> = sessions.iter().map(session_row).collect();
    table::print(&["session", "pid", "script", "since", "calls", "failed", "handles", "in", "out", "doing"], &rows);
}

fn session_row(session: &SessionStatus) -> Vec<String> {
    let doing = match &session.running {
        Some(function) => function.clone(),
        None => format!("nothing for {}", time(session.quiet_seconds)),
    };
    let script = if session.script.is_empty() { &session.client } else { &session.script };
    vec![
        session.session.to_string(),
        session.pid.to_string(),
        script.clone(),
        time(session.seconds),
        session.calls.to_string(),
        session.errors.to_string(),
        session.handles.to_string(),
        bytes(session.received_bytes),
        bytes(session.sent_bytes),
        doing,
    ]
}

fn show_pools(pools: &[PoolStatus]) {
    let rows: Vec<Vec<String>> = pools.iter().map(pool_row).collect();
    let head =
        ["pool", "user", "size", "idle", "in use", "waiting", "opened", "reused", "resets", "failed", "dead", "beyond"];
    table::print(&head, &rows);
}

fn pool_row(pool: &PoolStatus) -> Vec<String> {
    let mut row = vec![format!("{} {}", pool.driver, pool.target), pool.user.clone()];
    row.extend([pool.size, pool.idle, pool.in_use + pool.resetting, pool.waiting].map(|count| count.to_string()));
    let counts = [pool.created, pool.reused, pool.resets, pool.reset_failures, pool.dead, pool.beyond];
    row.extend(counts.map(|count| count.to_string()));
    row
}

fn show_functions(functions: &BTreeMap<String, FunctionStats>) {
    let mut sorted: Vec<_> = functions.iter().collect();
    sorted.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    let rows: Vec<Vec<String>> =
        sorted.into_iter().take(SHOWN_FUNCTIONS).map(|(name, stats)| function_row(name, stats)).collect();
    table::print(&["function", "calls", "failed", "time", "µs each"], &rows);
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn function_row(name: &str, stats: &FunctionStats) -> Vec<String> {
    let each = stats.seconds * 1e6 / stats.calls.max(1) as f64;
    vec![name.into(), stats.calls.to_string(), stats.errors.to_string(), time(stats.seconds), format!("{each:.1}")]
}

/// A span of time, for people.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn time(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min", whole / 60),
        7200..172_800 => format!("{} h", whole / 3600),
        _ => format!("{} d", whole / 86_400),
    }
}

/// A number of bytes, for people.
#[allow(clippy::cast_precision_loss, reason = "for people")]
fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.0} kB", count as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}
