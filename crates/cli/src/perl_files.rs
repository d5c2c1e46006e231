//! The Perl files that are part of this binary.
//!
//! `build.rs` packs perl/cpan and perl/lib. They are unpacked once a build, to a private
//! directory of the user's cache: written beside it, then renamed into place, so that
//! nobody ever sees half of them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use daemon::place::check_directory;

use crate::identity;

include!(concat!(env!("OUT_DIR"), "/perl_files.rs"));

/// Written when the files are unpacked: tells Perl which binary they came from.
const BUILD_MODULE: &str = "lib/CPANBridge/Build.pm";

/// Where the Perl modules are.
#[derive(Debug)]
pub struct PerlLib {
    /// The stand-ins, under their CPAN names.
    pub cpan: PathBuf,
    /// The client.
    pub lib: PathBuf,
    /// This binary.
    pub program: PathBuf,
}

impl PerlLib {
    /// Both directories, as PERL5LIB wants them.
    pub fn joined(&self) -> std::ffi::OsString {
        let mut joined = self.cpan.clone().into_os_string();
        joined.push(":");
        joined.push(&self.lib);
        joined
    }
}

/// The directories with the Perl files of this binary, which are unpacked if need be.
pub fn unpacked() -> Result<PerlLib> {
    let program = std::env::current_exe().context("where is this program?")?;
    let root = cache_root()?;
    let home =
        unpack(&root, &program).with_context(|| format!("cannot unpack the Perl files to {}", root.display()))?;
    Ok(PerlLib { cpan: home.join("cpan"), lib: home.join("lib"), program })
}

/// `$XDG_CACHE_HOME/cpan-bridge`, else `~/.cache/cpan-bridge`, else a private directory in /tmp.
fn cache_root() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let usable = |cache: &PathBuf| DirBuilder::new().recursive(true).mode(0o700).create(cache).is_ok();
    let uid = rustix::process::geteuid().as_raw();
    let root = match cache.filter(usable) {
        Some(cache) => cache.join("cpan-bridge"),
        None => std::env::temp_dir().join(format!("cpan-bridge-cache-{uid}")),
    };
    private_directory(&root)?;
    Ok(root)
}

/// Makes a private directory, or sees that the one that is there is one.
fn private_directory(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", path.display()));
        }
        _ => {}
    }
    Ok(check_directory(path, rustix::process::geteuid().as_raw())?)
}

fn unpack(root: &Path, program: &Path) -> Result<PathBuf> {
    let identity = identity();
    let home = root.join(format!("{}-{}-{DIGEST}", identity.version, identity.build));
    if !home.exists() {
        let fresh = root.join(format!(".unpacking-{}", std::process::id()));
        // Left over from a process of the same id that was killed.
        let _ = fs::remove_dir_all(&fresh);
        let written = write_all(&fresh, program).and_then(|()| match fs::rename(&fresh, &home) {
            // Another process was faster; its files are the same.
            Err(_) if home.exists() => Ok(()),
            renamed => Ok(renamed?),
        });
        if !matches!(fs::exists(&fresh), Ok(false)) {
            let _ = fs::remove_dir_all(&fresh);
        }
        written?;
    }
    check_directory(&home, rustix::process::geteuid().as_raw())?;
    refresh_build_module(&home, program)?;
    Ok(home)
}

fn write_all(fresh: &Path, program: &Path) -> Result<()> {
    if FILES.is_empty() {
        bail!("this binary was built without its Perl files");
    }
    private_directory(fresh)?;
    for (name, text) in FILES.iter().filter(|(name, _)| *name != BUILD_MODULE) {
        write(&fresh.join(name), text)?;
    }
    write(&fresh.join(BUILD_MODULE), &build_module(program))
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text).with_context(|| format!("{}", path.display()))
}

/// The binary may have been moved since its files were unpacked.
fn refresh_build_module(home: &Path, program: &Path) -> Result<()> {
    let (path, wanted) = (home.join(BUILD_MODULE), build_module(program));
    if fs::read(&path).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let fresh = path.with_extension(format!("pm.{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    write(&fresh, &wanted)?;
    Ok(fs::rename(&fresh, &path)?)
}

fn build_module(program: &Path) -> Vec<u8> {
    let identity = identity();
    let mut text = format!(
        "package CPANBridge::Build;\n\
         # Written by cpan-bridge when it unpacked its Perl files.\n\
         use strict;\nuse warnings;\n\n\
         our $VERSION = '{}';\nour $BUILD   = {};\nour $BIN     = '",
        identity.version, identity.build
    )
    .into_bytes();
    for &byte in program.as_os_str().as_bytes() {
        if byte == b'\'' || byte == b'\\' {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.extend_from_slice(b"';\n\n1;\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_again_finds_what_is_there_and_a_moved_binary_is_noticed() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("cache");
        private_directory(&root).unwrap();
        let home = unpack(&root, Path::new("/opt/it's here/cpan-bridge")).unwrap();
        let text = fs::read_to_string(home.join(BUILD_MODULE)).unwrap();
        assert!(text.contains(r"'/opt/it\'s here/cpan-bridge'"), "{text}");
        let again = unpack(&root, Path::new("/usr/bin/cpan-bridge")).unwrap();
        assert_eq!(home, again);
        assert!(fs::read_to_string(home.join(BUILD_MODULE)).unwrap().contains("'/usr/bin/cpan-bridge'"));
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn every_file_arrives_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let home = unpack(temp.path(), Path::new("/usr/bin/cpan-bridge")).unwrap();
        for (name, text) in FILES.iter().filter(|(name, _)| *name != BUILD_MODULE) {
            assert!(fs::read(home.join(name)).unwrap() == *text, "{name}");
        }
    }
}
