//! Puts the Perl files and the build's number into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs, io};

/// What is packed, and under which name.
const PACKED: [&str; 2] = ["cpan", "lib"];
/// What the build's number is taken from when nobody gives one.
const SOURCES: [&str; 4] = ["crates", "helpers", "perl", "Cargo.lock"];

fn main() -> io::Result<()> {
    // Asked when it runs, and relative below: checkouts at different places may share one target directory.
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no CARGO_MANIFEST_DIR"))?;
    let root = Path::new(&package).join("../..").canonicalize()?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed=../../{source}");
    }
    println!("cargo::rerun-if-env-changed=CPAN_BRIDGE_BUILD");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let mut files = Vec::new();
    for directory in PACKED {
        collect(&root.join("perl").join(directory), Path::new(directory), &mut files)?;
    }
    files.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?);
    fs::write(out.join("perl_files.rs"), table(&files)?)?;
    println!("cargo::rustc-env=CPAN_BRIDGE_BUILD={}", build_number(&root)?);
    Ok(())
}

/// A Perl file: its name in the binary and its path here.
type PerlFile = (PathBuf, PathBuf);

fn collect(directory: &Path, name: &Path, files: &mut Vec<PerlFile>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            collect(&path, &name, files)?;
        } else if path.extension().is_some_and(|end| end == "pm" || end == "pl" || end == "pod") {
            files.push((name, path));
        }
    }
    Ok(())
}

/// Rust source: the files, and a digest of them.
fn table(files: &[PerlFile]) -> io::Result<String> {
    let mut text =
        String::from("/// Every Perl file: its name and its text.\npub static FILES: &[(&str, &[u8])] = &[\n");
    let mut digest = Digest::new();
    for (name, path) in files {
        let content = fs::read(path)?;
        digest.add(name.as_os_str().as_encoded_bytes());
        digest.add(&content);
        let (name, path) = (name.to_string_lossy(), path.to_string_lossy());
        writeln!(text, "    ({name:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
    }
    writeln!(
        text,
        "];\n/// Tells apart builds with different Perl files.\npub const DIGEST: &str = \"{:08x}\";",
        digest.0 >> 32
    )
    .map_err(io::Error::other)?;
    Ok(text)
}

/// FNV-1a, 64 bits: enough to tell two builds apart.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().chain(b"\0") {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// A number that is larger for a newer build: given, or the time of the newest source.
fn build_number(root: &Path) -> io::Result<u64> {
    for variable in ["CPAN_BRIDGE_BUILD", "SOURCE_DATE_EPOCH"] {
        if let Some(number) = env::var(variable).ok().and_then(|value| value.parse().ok()) {
            return Ok(number);
        }
    }
    let mut newest = 0;
    for source in SOURCES {
        newest = newest.max(newest_time(&root.join(source))?);
    }
    Ok(newest)
}

fn newest_time(path: &Path) -> io::Result<u64> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        meta => meta?,
    };
    if !meta.is_dir() {
        let since = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        return Ok(since.as_secs());
    }
    let mut newest = 0;
    for entry in fs::read_dir(path)? {
        newest = newest.max(newest_time(&entry?.path())?);
    }
    Ok(newest)
}
