//! Module `system`: looking at the daemon, and ending it.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::{Error, PROTOCOL};
use serde::Serialize;

use crate::control::Phase;
use crate::status::{self, FunctionStats, Info, SessionStatus, Stats};
use crate::{Call, Entry, Function, Module, Param, Session};

/// The module's table.
pub static MODULE: Module = Module {
    name: "system",
    summary: "look at the daemon, and end it",
    functions: &[
        Function {
            name: "info",
            summary: "which program the daemon is, and for how long it has been running",
            params: &[],
            result: "hash: name, version, build, protocol, pid, uid, started_at, uptime_seconds, modules",
            idempotent: true,
            json: true,
            run: info,
        },
        Function {
            name: "stats",
            summary: "counters since the daemon was started",
            params: &[],
            result: "hash: uptime_seconds, sessions, sessions_total, parked_sessions, calls, errors, json_requests, \
                     memory_bytes, peak_memory_bytes, threads, functions {name => {calls, errors, seconds}}",
            idempotent: true,
            json: true,
            run: stats,
        },
        Function {
            name: "sessions",
            summary: "who is connected, and what they do",
            params: &[],
            result: "array of hashes: session, client, pid, script, seconds, calls, errors, handles, running, \
                     quiet_seconds, received_bytes, sent_bytes",
            idempotent: true,
            json: true,
            run: sessions,
        },
        Function {
            name: "pools",
            summary: "connections that are kept for the next script",
            params: &[],
            result: "array of hashes: driver, target, user, uid, size, open, idle, in_use, resetting, waiting, created, \
                     reused, resets, reset_failures, dead, expired, beyond, refused",
            idempotent: true,
            json: true,
            run: pools,
        },
        Function {
            name: "modules",
            summary: "the modules of this daemon and their functions",
            params: &[Param::optional("module", "string", "only this one")],
            result: "array of hashes: name, summary, functions [{name, summary, params, result}]",
            idempotent: true,
            json: true,
            run: modules,
        },
        Function {
            name: "shutdown",
            summary: "ends the daemon: calls are finished first, for a bounded time",
            params: &[],
            result: "integer 1",
            idempotent: true,
            json: true,
            run: shutdown,
        },
    ],
};

fn info(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let server = session.server();
    call.reply(&Info {
        name: "cpan-bridge".into(),
        version: server.identity.version.clone(),
        build: server.identity.build,
        protocol: PROTOCOL,
        pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        started_at: unix_seconds(server.started_at),
        uptime_seconds: server.started.elapsed().as_secs_f64(),
        modules: server.registry.modules().iter().map(|module| module.name.into()).collect(),
    })
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn stats(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let server = session.server();
    let entries = server.registry.entries().iter().filter(|entry| entry.calls() > 0);
    let functions = entries.map(|entry| {
        let name = format!("{}.{}", entry.module.name, entry.function.name);
        let stats = FunctionStats { calls: entry.calls(), errors: entry.errors(), seconds: entry.time().as_secs_f64() };
        (name, stats)
    });
    let process = ProcStatus::read();
    let unknown = server.unknown_calls.load(Relaxed);
    call.reply(&Stats {
        uptime_seconds: server.started.elapsed().as_secs_f64(),
        sessions: server.session_count() as u64,
        sessions_total: server.sessions_total(),
        parked_sessions: server.parked.count() as u64,
        calls: unknown + server.registry.entries().iter().map(Entry::calls).sum::<u64>(),
        errors: unknown + server.registry.entries().iter().map(Entry::errors).sum::<u64>(),
        json_requests: server.json_requests.load(Relaxed),
        memory_bytes: process.kilobytes("VmRSS:") * 1024,
        peak_memory_bytes: process.kilobytes("VmHWM:") * 1024,
        threads: process.kilobytes("Threads:"),
        functions: functions.collect(),
    })
}

/// The kernel's figures about this process.
struct ProcStatus(String);

impl ProcStatus {
    fn read() -> Self {
        Self(std::fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    /// The number behind `field`, 0 where the kernel does not say.
    fn kilobytes(&self, field: &str) -> u64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

fn sessions(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let server = session.server();
    let listed: Vec<_> = server.sessions().values().cloned().collect();
    let rows = listed.iter().map(|shared| {
        let client = shared.client();
        let running = shared.running.seq().and_then(|_| server.registry.entries().get(shared.function.load(Relaxed)));
        SessionStatus {
            session: shared.id,
            client: client.kind.clone(),
            pid: client.pid,
            script: client.script.clone(),
            seconds: shared.started.elapsed().as_secs_f64(),
            calls: shared.calls.load(Relaxed),
            errors: shared.errors.load(Relaxed),
            handles: shared.handles.get() as u64,
            running: running.map(|entry| format!("{}.{}", entry.module.name, entry.function.name)),
            quiet_seconds: shared.quiet().as_secs_f64(),
            received_bytes: shared.received_bytes.load(Relaxed),
            sent_bytes: shared.sent_bytes.load(Relaxed),
        }
    });
    call.reply(&rows.collect::<Vec<_>>())
}

fn pools(_session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    call.reply(&status::pools())
}

#[derive(serde::Deserialize)]
struct Modules {
    #[serde(default)]
    module: Option<String>,
}

#[derive(Serialize)]
struct ModuleHelp {
    name: &'static str,
    summary: &'static str,
    functions: Vec<FunctionHelp>,
}

#[derive(Serialize)]
struct FunctionHelp {
    name: &'static str,
    summary: &'static str,
    params: Vec<ParamHelp>,
    result: &'static str,
}

#[derive(Serialize)]
struct ParamHelp {
    name: &'static str,
    kind: &'static str,
    summary: &'static str,
    required: bool,
}

fn modules(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    let Modules { module: wanted } = call.params()?;
    let listed = session.server().registry.modules().iter();
    let listed = listed.filter(|module| wanted.as_deref().is_none_or(|name| name == module.name));
    call.reply(&listed.map(|module| module_help(module)).collect::<Vec<_>>())
}

fn module_help(module: &'static Module) -> ModuleHelp {
    let offered = module.functions.iter().filter(|function| function.json);
    let functions = offered.map(|function| FunctionHelp {
        name: function.name,
        summary: function.summary,
        params: function.params.iter().map(param_help).collect(),
        result: function.result,
    });
    ModuleHelp { name: module.name, summary: module.summary, functions: functions.collect() }
}

fn param_help(param: &'static Param) -> ParamHelp {
    ParamHelp { name: param.name, kind: param.kind, summary: param.summary, required: param.required }
}

fn shutdown(session: &mut Session, call: Call<'_>) -> Result<(), Error> {
    tracing::info!(session = session.id(), pid = session.client().pid, "a client asks the daemon to end");
    session.server().control.ask(Phase::Stopping);
    call.reply(&1)
}
