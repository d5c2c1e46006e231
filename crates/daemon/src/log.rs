//! The daemon's log: one line a record, in a file that is rotated by size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::config::{self, settings};
use crate::limits::MAX_OLD_LOGS;

/// Sets how much is logged: error, warn, info, debug or trace.
pub const LEVEL_VARIABLE: &str = "CPAN_BRIDGE_LOG";

/// A file that is renamed to `NAME.1`, `NAME.2` … when it is full.
#[derive(Debug)]
struct Rotated {
    path: PathBuf,
    file: File,
    written: u64,
    max_bytes: u64,
}

impl Rotated {
    fn open(path: &Path, max_bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.into(), file, written, max_bytes })
    }

    fn old(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..MAX_OLD_LOGS).rev() {
            // The older ones need not all be there.
            let _ = fs::rename(self.old(number), self.old(number + 1));
        }
        fs::rename(&self.path, self.old(1))?;
        *self = Self::open(&self.path, self.max_bytes)?;
        Ok(())
    }
}

impl Write for Rotated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written > 0 && self.written + bytes.len() as u64 > self.max_bytes {
            self.rotate()?;
        }
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// UTC as in 2025-03-01T12:34:56.789Z.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, millis) = (now.as_secs(), now.subsec_millis());
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(w, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of a day after 1970-01-01 (Howard Hinnant, "chrono-compatible
/// low-level date algorithms": `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Logs to `path` from now on, and panics go there, too.
pub fn start(path: &Path) -> io::Result<()> {
    install(Rotated::open(path, config::get().count(&settings::LOG_MAX_BYTES))?);
    Ok(())
}

/// Logs to standard error: for a daemon in the foreground that is asked to.
pub fn start_on_stderr() {
    install(io::stderr());
}

/// Logs a line about the daemon itself.
pub fn record(text: &str) {
    tracing::info!("{text}");
}

fn install(writer: impl Write + Send + 'static) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level())
        .with_target(false)
        .with_ansi(false)
        .with_timer(Utc)
        .with_writer(Mutex::new(writer))
        .finish();
    // A second logger in one process (tests) is not worth an error.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("?"), "panic: {info}");
    }));
}

fn level() -> Level {
    config::get().text(&settings::LOG_LEVEL).parse().unwrap_or(Level::INFO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_rotated_and_old_ones_are_dropped() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("daemon.log");
        let mut log = Rotated::open(&path, 20).unwrap();
        for number in 0..12 {
            log.write_all(format!("record {number:02}\n").as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "record 10\nrecord 11\n");
        assert_eq!(fs::read_to_string(log.old(1)).unwrap(), "record 08\nrecord 09\n");
        assert!(log.old(MAX_OLD_LOGS).exists());
        assert!(!log.old(MAX_OLD_LOGS + 1).exists());
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_454), (2026, 1, 1));
    }
}
