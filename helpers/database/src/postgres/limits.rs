//! Limits and sizes of the PostgreSQL driver.

use std::time::Duration;

/// A message of the server may have so many bytes; its own limit for a value is 1 GB.
pub const MAX_MESSAGE_BYTES: usize = 1 << 30;
/// The buffer for reading from the server; it is larger only while a message or the rows read ahead need it.
pub const BUFFER_BYTES: usize = 256 * 1024;
/// So much of a result is taken in before `execute` answers, so that it can say how many rows there are.
pub const READ_AHEAD_BYTES: usize = 1 << 20;
/// A call that is cancelled waits so long for the server to end its statement; then the connection is given up.
pub const CANCEL_PATIENCE: Duration = Duration::from_secs(10);
/// Notices that wait to be told; older ones are dropped.
pub const MAX_NOTICES: usize = 10_000;
/// Settings of the server that are kept; others are not.
pub const MAX_PARAMETERS: usize = 1000;
/// Notifications that wait to be asked for; older ones are dropped.
pub const MAX_NOTIFICATIONS: usize = 100_000;
/// Statements that a connection remembers, prepared on the server or seen once.
pub const MAX_PLANS: usize = 256;
/// SQL longer than this is not remembered.
pub const MAX_PLAN_BYTES: usize = 64 * 1024;
/// Arrays in arrays, in a value of the server.
pub const MAX_ARRAY_DEPTH: usize = 32;
/// When a session ends, so long is waited for the answers of what was queued; what the server has not run then may be lost.
pub const QUEUE_PATIENCE: Duration = Duration::from_secs(60);
/// A batch of rows that is not full yet waits so long for more of them.
pub const ROWS_PATIENCE: Duration = Duration::from_millis(10);
/// Statements sent by `queue` that were not answered yet.
pub const MAX_QUEUE: usize = 10_000;
/// The first batch of rows: small, most scripts look at the first row only.
pub const FIRST_BATCH_ROWS: usize = 64;
/// The first batch in bytes.
pub const FIRST_BATCH_BYTES: usize = 16 * 1024;
/// Each batch is so many times as large as the one before it, …
pub const BATCH_GROWTH: usize = 4;
/// … up to this many bytes.
pub const MAX_BATCH_BYTES: usize = 128 * 1024;
