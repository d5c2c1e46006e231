//! Rows that have to be put aside: in memory, and what is too much for that in a file without a name.
//!
//! A statement whose rows are still coming blocks its connection. When the connection is wanted for another statement,
//! the driver reads the rest of the rows into a [`Spill`] and serves the first statement from there.
//!
//! ```
//! use database::spill::{Spill, SpillLimits};
//!
//! let mut rows = Spill::new(&SpillLimits::configured());
//! rows.push_row([Some(&b"1"[..]), None])?;   // columns of a row, or any bytes: rows.push(|to| to.extend(packet))
//! rows.push_row([Some(&b"2"[..]), Some(b"two")])?;
//! assert_eq!(rows.len(), 2);
//! while let Some(row) = rows.next_row()? {
//!     let columns: Vec<Option<&[u8]>> = row.collect();
//!     assert_eq!(columns.len(), 2);
//! }
//! # Ok::<(), daemon::Error>(())
//! ```
//!
//! Records come out in the order in which they went in, also when that is done by turns. The file is made with mode 0600
//! and has no name from the beginning, so nobody can open it and nothing is left behind, whatever happens.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use daemon::config::{self, Config, settings};
use protocol::{Error, code};
use rustix::fs::{CWD, Mode, OFlags, openat, unlinkat};

/// Records are moved between memory and the file in pieces of about this size.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The length of a column that is NULL.
const NULL: u32 = u32::MAX;

/// How much is put aside, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpillLimits {
    /// What one statement keeps in memory; what is beyond goes to the file.
    pub memory_bytes: usize,
    /// What all files of the daemon hold together.
    pub max_bytes: u64,
    /// Where the files are made.
    pub directory: PathBuf,
}

impl SpillLimits {
    /// What the configuration says.
    pub fn configured() -> Self {
        Self::of(config::get())
    }

    fn of(config: &Config) -> Self {
        let directory = config.path(&settings::SPILL_DIRECTORY);
        // Containers may lack the default one; one that somebody has named has to be there.
        let is_default = settings::SPILL_DIRECTORY.default.text() == config.text(&settings::SPILL_DIRECTORY);
        let directory = directory.filter(|directory| !is_default || directory.is_dir());
        Self {
            memory_bytes: usize::try_from(config.count(&settings::SPILL_MEMORY)).unwrap_or(usize::MAX),
            max_bytes: config.count(&settings::SPILL_MAX),
            directory: directory.unwrap_or_else(std::env::temp_dir),
        }
    }
}

impl Default for SpillLimits {
    fn default() -> Self {
        Self::of(&Config::default())
    }
}

/// What all files hold.
static SPILLED_BYTES: AtomicU64 = AtomicU64::new(0);

/// How many bytes are in files now.
pub fn spilled_bytes() -> u64 {
    SPILLED_BYTES.load(Relaxed)
}

/// A queue of records. The oldest are in `reading`, then come `front`, the file, and `tail`.
#[derive(Debug)]
pub struct Spill {
    limits: SpillLimits,
    reading: Vec<u8>,
    /// How far `reading` has been read.
    at: usize,
    front: VecDeque<Vec<u8>>,
    front_bytes: usize,
    file: Option<Spool>,
    tail: Vec<u8>,
    records: u64,
}

impl Spill {
    /// An empty one; it takes no memory until something is put in.
    pub fn new(limits: &SpillLimits) -> Self {
        Self {
            limits: limits.clone(),
            reading: Vec::new(),
            at: 0,
            front: VecDeque::new(),
            front_bytes: 0,
            file: None,
            tail: Vec::new(),
            records: 0,
        }
    }

    /// How many records are in it.
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether no record is in it.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Appends the record that `write` appends to the vector it is given. After an error the record is not there, and
    /// those before it are.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        let start = self.tail.len();
        self.tail.extend_from_slice(&[0; 4]);
        write(&mut self.tail);
        let Ok(length) = u32::try_from(self.tail.len() - start - 4) else {
            self.tail.truncate(start);
            return Err(Error::limit("a row to be put aside is too long", "4 GiB a row", u32::MAX));
        };
        self.tail[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        self.records += 1;
        if self.tail.len() < CHUNK_BYTES {
            return Ok(());
        }
        self.put_away().inspect_err(|_| {
            self.tail.truncate(start);
            self.records -= 1;
        })
    }

    /// Appends a row of columns, `None` being NULL.
    pub fn push_row<'c>(&mut self, columns: impl IntoIterator<Item = Option<&'c [u8]>>) -> Result<(), Error> {
        let mut too_long = false;
        self.push(|record| {
            for column in columns {
                let length = column.map_or(Ok(NULL), |column| u32::try_from(column.len())).unwrap_or_else(|_| {
                    too_long = true;
                    NULL
                });
                record.extend_from_slice(&length.to_ne_bytes());
                record.extend_from_slice(column.unwrap_or_default());
            }
        })?;
        if too_long {
            return Err(Error::limit("a column to be put aside is too long", "4 GiB a row", u32::MAX));
        }
        Ok(())
    }

    /// Moves the tail, which is full, to where it belongs.
    fn put_away(&mut self) -> Result<(), Error> {
        let spooled = self.file.as_ref().is_some_and(|file| !file.chunks.is_empty());
        if !spooled && self.front_bytes + self.tail.len() <= self.limits.memory_bytes {
            self.front_bytes += self.tail.len();
            self.front.push_back(std::mem::replace(&mut self.tail, Vec::with_capacity(CHUNK_BYTES)));
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(Spool::create(&self.limits)?),
        };
        file.append(&self.tail, &self.limits)?;
        self.tail.clear();
        Ok(())
    }

    /// The next record; it is gone then.
    #[allow(clippy::should_implement_trait, reason = "it lends from itself, which no iterator can")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.at == self.reading.len() && !self.turn_page()? {
            return Ok(None);
        }
        let start = self.at + 4;
        let length = length_at(&self.reading, self.at);
        self.at = start + length as usize;
        self.records -= 1;
        Ok(Some(&self.reading[start..self.at]))
    }

    /// The next row that [`Spill::push_row`] has put in.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        Ok(self.next()?.map(Row))
    }

    /// Reads on with the next piece; whether there is one.
    fn turn_page(&mut self) -> Result<bool, Error> {
        self.at = 0;
        self.reading.clear();
        if let Some(chunk) = self.front.pop_front() {
            self.front_bytes -= chunk.len();
            self.reading = chunk;
        } else if let Some(file) = self.file.as_mut().filter(|file| !file.chunks.is_empty()) {
            file.read(&mut self.reading, &self.limits)?;
        } else {
            std::mem::swap(&mut self.reading, &mut self.tail);
        }
        Ok(!self.reading.is_empty())
    }
}

fn length_at(bytes: &[u8], at: usize) -> u32 {
    let mut length = [0; 4];
    length.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(length)
}

/// The columns of a row.
#[derive(Debug, Clone)]
pub struct Row<'r>(&'r [u8]);

impl<'r> Iterator for Row<'r> {
    type Item = Option<&'r [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (length, rest) = (length_at(self.0, 0), &self.0[4..]);
        let (column, rest) = rest.split_at(if length == NULL { 0 } else { length as usize });
        self.0 = rest;
        Some((length != NULL).then_some(column))
    }
}

/// The file.
#[derive(Debug)]
struct Spool {
    file: File,
    /// The lengths of what is in it and not yet read.
    chunks: VecDeque<usize>,
    read: u64,
    written: u64,
}

impl Spool {
    fn create(limits: &SpillLimits) -> Result<Self, Error> {
        let file = nameless(limits).map_err(|error| failed("make", &error, limits))?;
        Ok(Self { file, chunks: VecDeque::new(), read: 0, written: 0 })
    }

    fn append(&mut self, bytes: &[u8], limits: &SpillLimits) -> Result<(), Error> {
        let length = bytes.len() as u64;
        if SPILLED_BYTES.fetch_add(length, Relaxed) + length > limits.max_bytes {
            SPILLED_BYTES.fetch_sub(length, Relaxed);
            let what = "too many rows wait in temporary files, because their connections were needed for other statements; \
                        fetch or finish statements before others are run";
            return Err(Error::limit(what, "spill.max_bytes", limits.max_bytes));
        }
        if let Err(error) = self.file.write_all_at(bytes, self.written) {
            SPILLED_BYTES.fetch_sub(length, Relaxed);
            return Err(failed("write to", &error, limits));
        }
        self.written += length;
        self.chunks.push_back(bytes.len());
        Ok(())
    }

    fn read(&mut self, into: &mut Vec<u8>, limits: &SpillLimits) -> Result<(), Error> {
        let length = self.chunks.front().copied().unwrap_or_default();
        into.resize(length, 0);
        if let Err(error) = self.file.read_exact_at(into, self.read) {
            into.clear();
            return Err(failed("read from", &error, limits));
        }
        self.chunks.pop_front();
        self.read += length as u64;
        if self.chunks.is_empty() {
            self.empty();
        }
        Ok(())
    }

    /// Gives the room on the disk back.
    fn empty(&mut self) {
        // Failing to shorten it costs room until the file is closed.
        let _ = self.file.set_len(0);
        SPILLED_BYTES.fetch_sub(self.written, Relaxed);
        (self.read, self.written) = (0, 0);
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        SPILLED_BYTES.fetch_sub(self.written, Relaxed);
    }
}

/// A file without a name, or one that loses its name at once where the file system has no such files.
fn nameless(limits: &SpillLimits) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    match openat(CWD, &limits.directory, flags | OFlags::TMPFILE, mode) {
        Ok(file) => return Ok(file.into()),
        // The kernel or the file system does not know O_TMPFILE.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    let name = daemon::unguessable_id().map_err(io::Error::other)?;
    let path = limits.directory.join(format!("cpan-bridge-{name}"));
    let file = openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW, mode)?;
    unlinkat(CWD, &path, rustix::fs::AtFlags::empty())?;
    Ok(file.into())
}

fn failed(what: &str, error: &io::Error, limits: &SpillLimits) -> Error {
    let directory = limits.directory.display();
    let advice = "make room there, or name another directory as spill.directory in the configuration";
    Error::new(code::IO, format!("cannot {what} a temporary file for rows in {directory}: {error}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The count of bytes in files is one for all: tests that look at it come one after another.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(memory_bytes: usize) -> (tempfile::TempDir, SpillLimits) {
        let temp = tempfile::tempdir().unwrap();
        let directory = temp.path().into();
        (temp, SpillLimits { memory_bytes, max_bytes: 64 << 20, directory })
    }

    fn number(record: Option<&[u8]>) -> Option<u64> {
        Some(u64::from_ne_bytes(record?[..8].try_into().unwrap()))
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let _alone = alone();
        let (_temp, limits) = limits(0);
        let mut spill = Spill::new(&limits);
        let long = vec![b'x'; CHUNK_BYTES * 2];
        let rows: [&[Option<&[u8]>]; 5] =
            [&[Some(b"a"), None, Some(b"")], &[], &[None], &[Some(&long), Some(b"z")], &[Some(b"\0\xff\xff\xff\xff")]];
        for row in rows {
            spill.push_row(row.iter().copied()).unwrap();
        }
        assert_eq!(spill.len(), 5);
        for row in rows {
            assert_eq!(spill.next_row().unwrap().unwrap().collect::<Vec<_>>(), row);
        }
        assert!(spill.next_row().unwrap().is_none() && spill.is_empty());
    }

    #[test]
    fn order_is_kept_through_memory_file_and_turns() {
        let _alone = alone();
        let (temp, limits) = limits(CHUNK_BYTES * 2);
        let mut spill = Spill::new(&limits);
        let (mut put, mut got) = (0_u64, 0_u64);
        // More goes in than comes out, then the reverse, so that every way from one place to the next is gone.
        for (pushes, pulls) in [(3000, 0), (500, 900), (4000, 100), (0, 5000), (10, 10), (2000, 0), (0, 4000)] {
            for _ in 0..pushes {
                spill.push(|to| to.extend(put.to_ne_bytes().iter().cycle().take(1000))).unwrap();
                put += 1;
            }
            for _ in 0..pulls.min(put - got) {
                assert_eq!(number(spill.next().unwrap()), Some(got));
                got += 1;
            }
            assert_eq!(spill.len(), put - got);
            assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "the file has no name");
        }
        assert!(got > 7000 && spill.next().unwrap().is_none());
        assert_eq!(spilled_bytes(), 0);
    }

    #[test]
    fn a_little_makes_no_file() {
        let (_temp, mut limits) = limits(1 << 20);
        limits.directory = "/nonexistent".into();
        let mut spill = Spill::new(&limits);
        for _ in 0..900 {
            spill.push(|to| to.extend([7; 1000])).unwrap();
        }
        assert_eq!(spill.len(), 900);
    }

    #[test]
    fn limits_and_missing_directories_are_named_and_nothing_is_lost() {
        let _alone = alone();
        let (_temp, mut limits) = limits(0);
        limits.max_bytes = 3 * CHUNK_BYTES as u64;
        let mut spill = Spill::new(&limits);
        let mut put = 0_u64;
        let error = loop {
            match spill.push(|to| to.extend(put.to_ne_bytes().iter().cycle().take(10_000))) {
                Ok(()) => put += 1,
                Err(error) => break error,
            }
        };
        assert!(error.message.contains("spill.max_bytes (786432)"), "{error}");
        assert_eq!(spill.len(), put);
        for expected in 0..put {
            assert_eq!(number(spill.next().unwrap()), Some(expected));
        }
        assert!(spill.next().unwrap().is_none());
        limits.directory = "/nonexistent".into();
        let mut spill = Spill::new(&limits);
        let error = (0..100).find_map(|_| spill.push(|to| to.extend([7; 10_000])).err()).unwrap();
        assert!(error.message.contains("/nonexistent") && error.message.contains("spill.directory"), "{error}");
        assert_eq!(spilled_bytes(), 0);
    }

    #[test]
    fn dropping_it_gives_the_room_back() {
        let _alone = alone();
        let (_temp, limits) = limits(0);
        let mut spill = Spill::new(&limits);
        for _ in 0..100 {
            spill.push(|to| to.extend([7; 10_000])).unwrap();
        }
        assert!(spilled_bytes() > 500_000);
        drop(spill);
        assert_eq!(spilled_bytes(), 0);
    }
}
