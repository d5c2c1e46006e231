//! Every limit and time-out of the daemon, with its unit in its name.
//!
//! docs/limits.md lists them; a test compares the document with [`ALL`].

use std::time::Duration;

/// Longest frame that is read or written.
pub const MAX_FRAME_BYTES: usize = protocol::MAX_FRAME_BYTES;
/// Connections that are served at the same time.
pub const MAX_SESSIONS: usize = 1024;
/// Sessions that JSON clients have left open with a handle in them.
pub const MAX_PARKED_SESSIONS: usize = 256;
/// Handles (connections, statements, documents …) that a session holds at the same time.
pub const MAX_HANDLES_PER_SESSION: usize = 65_536;
/// Arrays and hashes inside each other in the parameters of a call.
pub const MAX_PARAMS_DEPTH: usize = 256;
/// Values (scalars, arrays and hashes together) in the parameters of a call.
pub const MAX_PARAMS_VALUES: usize = 16 * 1024 * 1024;
/// Longest request of a JSON client.
pub const MAX_JSON_REQUEST_BYTES: usize = 64 * 1024 * 1024;
/// Callbacks that run inside each other (a function called back makes a call that calls back …).
pub const MAX_CALLBACK_DEPTH: usize = 16;
/// A handle of a JSON client that was not used for so long is closed.
pub const PARKED_IDLE_SECONDS: u64 = 30 * 60;
/// A JSON client must have sent its request after so long.
pub const JSON_REQUEST_SECONDS: u64 = 30;
/// A client must have sent its hello after so long.
pub const HELLO_SECONDS: u64 = 10;
/// A daemon without sessions leaves after so long, unless told otherwise.
pub const IDLE_EXIT_SECONDS: u64 = 15 * 60;
/// A daemon told to end (SIGTERM, `stop`) gives its sessions so long to finish.
pub const DRAIN_SECONDS: u64 = 10;
/// Calls that are still running then are cancelled and get so long again.
pub const CANCEL_GRACE_SECONDS: u64 = 2;
/// A session that made no call for so long is closed when the daemon was told to end.
pub const DRAIN_QUIET_MILLISECONDS: u64 = 300;
/// How long to wait for the lock that serialises starting and ending.
pub const LOCK_SECONDS: u64 = 10;
/// How long the starter of a daemon waits for it to be ready.
pub const READY_SECONDS: u64 = 10;
/// How often the sentinel looks at the clients of running calls.
pub const SENTINEL_MILLISECONDS: u64 = 10;
/// How much of a client's pipelined frames the sentinel searches for a cancel.
pub const SENTINEL_PEEK_BYTES: usize = 64 * 1024;
/// Longest sleep that `test.sleep` accepts.
pub const MAX_SLEEP_SECONDS: u64 = 3600;
/// How long a session polls its socket after a reply before it sleeps.
pub const SPIN_MICROSECONDS: u64 = 50;
/// The daemon's log is rotated at this size.
pub const MAX_LOG_BYTES: u64 = 4 * 1024 * 1024;
/// Rotated logs that are kept.
pub const MAX_OLD_LOGS: usize = 3;
/// Buffers of a session that grew beyond this are given back after the call.
pub const KEEP_BUFFER_BYTES: usize = 512 * 1024;
/// Send and receive buffers asked of the kernel for each connection.
pub const SOCKET_BUFFER_BYTES: usize = 1024 * 1024;
/// Stack of a session's thread (address space; only what is used becomes memory).
pub const SESSION_STACK_BYTES: usize = 2 * 1024 * 1024;

/// A limit as docs/limits.md shows it.
#[derive(Debug)]
pub struct Limit {
    /// The constant's name.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

macro_rules! all {
    ($($name:ident),* $(,)?) => {
        /// All of the above.
        pub const ALL: &[Limit] = &[$(Limit { name: stringify!($name), value: $name as u64 }),*];
    };
}

all![
    MAX_FRAME_BYTES,
    MAX_SESSIONS,
    MAX_PARKED_SESSIONS,
    MAX_HANDLES_PER_SESSION,
    MAX_PARAMS_DEPTH,
    MAX_PARAMS_VALUES,
    MAX_JSON_REQUEST_BYTES,
    MAX_CALLBACK_DEPTH,
    PARKED_IDLE_SECONDS,
    JSON_REQUEST_SECONDS,
    HELLO_SECONDS,
    IDLE_EXIT_SECONDS,
    DRAIN_SECONDS,
    CANCEL_GRACE_SECONDS,
    DRAIN_QUIET_MILLISECONDS,
    LOCK_SECONDS,
    READY_SECONDS,
    SENTINEL_MILLISECONDS,
    SENTINEL_PEEK_BYTES,
    MAX_SLEEP_SECONDS,
    SPIN_MICROSECONDS,
    MAX_LOG_BYTES,
    MAX_OLD_LOGS,
    KEEP_BUFFER_BYTES,
    SOCKET_BUFFER_BYTES,
    SESSION_STACK_BYTES,
];

/// The limits of the image of a call's parameters.
pub fn params() -> storable::Limits {
    storable::Limits {
        max_image_bytes: MAX_FRAME_BYTES,
        max_depth_levels: MAX_PARAMS_DEPTH,
        max_values_count: MAX_PARAMS_VALUES,
    }
}

/// [`SPIN_MICROSECONDS`] as a duration.
pub(crate) const SPIN: Duration = Duration::from_micros(SPIN_MICROSECONDS);
/// [`SENTINEL_MILLISECONDS`] as a duration.
pub(crate) const SENTINEL: Duration = Duration::from_millis(SENTINEL_MILLISECONDS);

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a section of the document: name and value.
    fn documented(section: &str) -> Vec<(String, u64)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.split(&format!("\n## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        let cells = rows.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        cells.map(|(name, rest)| (name.into(), rest.split(" |").next().unwrap().parse().unwrap())).collect()
    }

    #[test]
    fn the_document_lists_every_limit_with_its_value() {
        let (mut documented, mut real) = (
            documented("The daemon"),
            ALL.iter().map(|limit| (limit.name.to_owned(), limit.value)).collect::<Vec<_>>(),
        );
        documented.sort();
        real.sort();
        assert_eq!(documented, real);
    }

    #[test]
    fn the_document_lists_the_limits_of_images() {
        let real = [
            ("MAX_IMAGE_BYTES", storable::MAX_IMAGE_BYTES),
            ("MAX_DEPTH_LEVELS", storable::MAX_DEPTH_LEVELS),
            ("MAX_VALUES_COUNT", storable::MAX_VALUES_COUNT),
        ];
        assert_eq!(documented("Storable images"), real.map(|(name, value)| (name.to_owned(), value as u64)));
    }

    #[test]
    fn every_constant_of_this_file_is_in_the_list() {
        let source = include_str!("limits.rs");
        for line in source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
            let name = line.split(':').next().unwrap();
            assert!(name == "ALL" || ALL.iter().any(|limit| limit.name == name), "{name}");
        }
    }
}
