//! `config check`, `config show`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use daemon::config::{Config, FILE_VARIABLE};
use lexopt::prelude::*;

/// `cpan-bridge config`.
pub fn config(mut args: lexopt::Parser) -> Result<ExitCode> {
    let what = match args.next()? {
        Some(Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
        None => bail!("say what: config check [FILE], or config show"),
    };
    match what.as_str() {
        "check" => check(args),
        "show" => show(args),
        other => bail!("config {other} is no command; there are config check [FILE] and config show"),
    }
}

fn check(mut args: lexopt::Parser) -> Result<ExitCode> {
    let file = match args.next()? {
        Some(Value(path)) => Some(PathBuf::from(path)),
        Some(other) => return Err(other.unexpected().into()),
        None => None,
    };
    crate::no_more(args)?;
    let checked = match &file {
        Some(path) => Config::of_file(path),
        None => Config::load(),
    };
    let config = match checked {
        Ok(config) => config,
        Err(error) => {
            for problem in error.0 {
                eprintln!("{problem}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    for path in config.files() {
        println!("{}: ok", path.display());
    }
    if config.files().is_empty() {
        println!("there is no configuration file, and none is needed; looked for {}", shown(&Config::places()));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(places: &[PathBuf]) -> String {
    if places.is_empty() {
        return format!("none, as {FILE_VARIABLE} says");
    }
    let names: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
    names.join(" and ")
}

fn show(args: lexopt::Parser) -> Result<ExitCode> {
    crate::no_more(args)?;
    let config = Config::load().context("cannot show the configuration")?;
    print!("{}", config.to_toml());
    Ok(ExitCode::SUCCESS)
}
