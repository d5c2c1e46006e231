//! `run`, `env`, `perl-lib`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::perl_files::{self, PerlLib};
use crate::{no_more, usage};

/// Which perl runs scripts.
const PERL_VARIABLE: &str = "CPAN_BRIDGE_PERL";
/// Longest first line of a script that is looked at.
const FIRST_LINE_BYTES: u64 = 1024;

/// `cpan-bridge run`: becomes perl, so that everything about the process is the script's own.
pub fn run(mut args: lexopt::Parser) -> Result<ExitCode> {
    let mut words: Vec<OsString> = args.raw_args()?.collect();
    match words.first().and_then(|word| word.to_str()) {
        Some("--help" | "-h") => return usage::print(usage::of("run").unwrap_or_default()),
        None if words.is_empty() => bail!("run needs a script; see: cpan-bridge run --help"),
        _ => {}
    }
    let perl = take_perl(&mut words)?;
    let lib = perl_files::unpacked()?;
    let mut command = Command::new(&perl);
    if script_of(&words).is_some_and(wants_taint) {
        command.arg("-T");
    }
    command.arg(include(&lib.cpan)).arg(include(&lib.lib)).args(words);
    command.env("CPAN_BRIDGE_BIN", &lib.program).env("PERL5LIB", for_children(&lib));
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {}; is perl installed?", perl.display()))
}

/// `--perl PERL`, else the environment's, else the first in PATH.
fn take_perl(words: &mut Vec<OsString>) -> Result<OsString> {
    let first = words[0].as_bytes();
    if first == b"--perl" {
        if words.len() < 3 {
            bail!("--perl needs a perl, and run a script after it");
        }
        return Ok(words.drain(..2).nth(1).unwrap_or_default());
    }
    if let Some(perl) = first.strip_prefix(b"--perl=") {
        let perl = OsStr::from_bytes(perl).to_owned();
        words.remove(0);
        return Ok(perl);
    }
    Ok(std::env::var_os(PERL_VARIABLE).filter(|perl| !perl.is_empty()).unwrap_or_else(|| "perl".into()))
}

fn include(directory: &Path) -> OsString {
    let mut switch = OsString::from("-I");
    switch.push(directory);
    switch
}

/// PERL5LIB for the perls that the script itself starts.
fn for_children(lib: &PerlLib) -> OsString {
    let mut joined = lib.joined();
    if let Some(before) = std::env::var_os("PERL5LIB").filter(|before| !before.is_empty()) {
        joined.push(":");
        joined.push(before);
    }
    joined
}

/// The script, where it is the first word; with switches before it, perl finds it itself.
fn script_of(words: &[OsString]) -> Option<&Path> {
    words.first().filter(|word| !word.as_bytes().starts_with(b"-")).map(Path::new)
}

/// Whether the script's first line asks for taint mode: perl insists on having that
/// on its command line, too.
fn wants_taint(script: &Path) -> bool {
    // Reading a FIFO, as in run <(…), would take the script away from perl.
    if !std::fs::metadata(script).is_ok_and(|meta| meta.is_file()) {
        return false;
    }
    let Ok(file) = File::open(script) else { return false };
    let mut line = Vec::new();
    let read = BufReader::new(file.take(FIRST_LINE_BYTES)).read_until(b'\n', &mut line);
    read.is_ok() && first_line_wants_taint(&String::from_utf8_lossy(&line))
}

fn first_line_wants_taint(line: &str) -> bool {
    let Some((_, switches)) = line.strip_prefix("#!").and_then(|rest| rest.split_once("perl")) else {
        return false;
    };
    // Letters before a T that take the rest of the word as their argument.
    let taint = |word: &str| {
        word.strip_prefix('-').is_some_and(|letters| {
            letters.chars().take_while(|letter| !"CdDFiIMmVxe".contains(*letter)).any(|letter| letter == 'T')
        })
    };
    switches.split_whitespace().take_while(|word| *word != "--").any(taint)
}

/// `cpan-bridge env`.
pub fn env(args: lexopt::Parser) -> Result<ExitCode> {
    no_more(args)?;
    let lib = perl_files::unpacked()?;
    let mut out = b"PERL5LIB=".to_vec();
    out.extend(quoted(&lib.joined()));
    out.extend(b"${PERL5LIB:+:$PERL5LIB}; export PERL5LIB\nCPAN_BRIDGE_BIN=");
    out.extend(quoted(lib.program.as_os_str()));
    out.extend(b"; export CPAN_BRIDGE_BIN\n");
    std::io::stdout().write_all(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// In single quotes for a POSIX shell.
fn quoted(text: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in text.as_bytes() {
        if byte == b'\'' {
            quoted.extend(b"'\\''");
        } else {
            quoted.push(byte);
        }
    }
    quoted.push(b'\'');
    quoted
}

/// `cpan-bridge perl-lib`.
pub fn perl_lib(args: lexopt::Parser) -> Result<ExitCode> {
    no_more(args)?;
    let mut out = perl_files::unpacked()?.joined().into_encoded_bytes();
    out.push(b'\n');
    std::io::stdout().write_all(&out)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taint_mode_is_read_from_the_first_line() {
        for line in ["#!/usr/bin/perl -T", "#!/usr/bin/perl -wT\n", "#! /usr/bin/env perl -w -T", "#!perl -Tw"] {
            assert!(first_line_wants_taint(line), "{line}");
        }
        for line in ["#!/usr/bin/perl -w", "#!/bin/sh -T", "print 'perl -T'", "#!/usr/bin/perl -ITools", "#!perl -- -T"]
        {
            assert!(!first_line_wants_taint(line), "{line}");
        }
    }

    #[test]
    fn quotes_survive_the_shell() {
        assert_eq!(quoted(OsStr::new("it's")), b"'it'\\''s'");
    }
}
