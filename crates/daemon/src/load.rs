//! Whether a core is free for a session that polls.
//!
//! Two answers are put together: how many sessions are awake (known here, and exact), and how
//! many threads of the whole system want to run (the kernel's count, looked at now and then).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// How old the kernel's count may be. Reading it takes less than a microsecond.
const FRESH_MICROSECONDS: u64 = 500;
/// Its fourth field is the number of threads that run or want to, behind which there is a slash.
const LOADAVG: &str = "/proc/loadavg";
const ONLINE: &str = "/sys/devices/system/cpu/online";

/// How much the machine has to do.
#[derive(Debug)]
pub(crate) struct Load {
    /// Sessions that are awake.
    active: AtomicUsize,
    /// Cores this process may use, and cores there are.
    cores: usize,
    online: usize,
    loadavg: Option<File>,
    began: Instant,
    /// When the kernel was asked, in microseconds after `began`.
    asked: AtomicU64,
    /// More threads than cores then.
    crowded: AtomicBool,
}

impl Load {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let online = std::fs::read_to_string(ONLINE).ok().and_then(|list| count(list.trim()));
        // Without a count of the cores, that of the threads says nothing.
        let loadavg = online.and_then(|_| File::open(LOADAVG).ok());
        Self { loadavg, ..Self::of(cores, online.unwrap_or(cores)) }
    }

    /// So many cores, and a kernel that says nothing.
    pub(crate) fn of(cores: usize, online: usize) -> Self {
        Self {
            active: AtomicUsize::new(0),
            cores,
            online,
            loadavg: None,
            began: Instant::now(),
            asked: AtomicU64::new(0),
            crowded: AtomicBool::new(false),
        }
    }

    /// A session wakes up.
    pub(crate) fn wake(&self) {
        self.active.fetch_add(1, Relaxed);
    }

    /// A session goes to sleep.
    pub(crate) fn sleep(&self) {
        self.active.fetch_sub(1, Relaxed);
    }

    /// Whether a core is left for the client when the asking session keeps its own.
    pub(crate) fn core_free(&self, now: Instant) -> bool {
        self.active.load(Relaxed) < self.cores && !self.is_crowded(now)
    }

    fn is_crowded(&self, now: Instant) -> bool {
        let Some(loadavg) = &self.loadavg else { return false };
        let now = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
        if now.wrapping_sub(self.asked.load(Relaxed)) > FRESH_MICROSECONDS {
            self.asked.store(now, Relaxed);
            let mut text = [0; 64];
            let length = loadavg.read_at(&mut text, 0).unwrap_or(0);
            // The asking thread is one of them.
            self.crowded.store(runnable(&text[..length]).is_some_and(|threads| threads > self.online), Relaxed);
        }
        self.crowded.load(Relaxed)
    }
}

/// The threads that want to run, in a line as in `0.36 0.52 0.87 1/134 28832`.
fn runnable(line: &[u8]) -> Option<usize> {
    let field = line.split(|byte| *byte == b' ').nth(3)?;
    let number = field.split(|byte| *byte == b'/').next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// The cores in a list as in `0-3,8,10-11`.
fn count(list: &str) -> Option<usize> {
    let mut cores = 0;
    for part in list.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        cores += high.parse::<usize>().ok()?.checked_sub(low.parse().ok()?)? + 1;
    }
    Some(cores)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        assert_eq!(runnable(b"0.36 0.52 0.87 3/134 28832\n"), Some(3));
        assert_eq!(runnable(b"0.36 0.52"), None);
        assert_eq!(runnable(b""), None);
        assert_eq!(count("0-3,8,10-11"), Some(7));
        assert_eq!(count("0"), Some(1));
        assert_eq!(count("3-1"), None);
        assert_eq!(count(""), None);
    }

    #[test]
    fn no_core_is_free_when_each_has_its_session() {
        let load = Load::of(2, 2);
        load.wake();
        assert!(load.core_free(Instant::now()));
        load.wake();
        assert!(!load.core_free(Instant::now()));
    }

    #[test]
    fn no_core_is_free_when_more_threads_want_to_run_than_there_are_cores() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("loadavg");
        let asked = |line: &str| {
            std::fs::write(&path, line).unwrap();
            let load = Load { loadavg: Some(File::open(&path).unwrap()), ..Load::of(2, 2) };
            load.core_free(Instant::now() + Duration::from_micros(FRESH_MICROSECONDS * 2))
        };
        assert!(asked("0.00 0.00 0.00 2/100 1\n"));
        assert!(!asked("0.00 0.00 0.00 3/100 1\n"));
    }
}
