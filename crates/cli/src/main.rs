//! The binary `cpan-bridge`: runs Perl scripts without their CPAN modules.
//!
//! # Map
//!
//! | file            | what lives there                                                      |
//! |-----------------|-----------------------------------------------------------------------|
//! | `modules.rs`    | the helpers that are part of this binary, one line each               |
//! | `usage.rs`      | the texts of `--help`                                                  |
//! | `perl_files.rs` | the Perl files: packed by `build.rs`, unpacked once a build           |
//! | `run.rs`        | `run`, `env`, `perl-lib`                                              |
//! | `serve.rs`      | `daemon`, `stdio`                                                     |
//! | `control.rs`    | `start`, `stop`, `restart`, `ping`                                    |
//! | `status.rs`     | `status`; `table.rs` prints it                                        |
//! | `request.rs`    | `call`                                                                |
//! | `config.rs`     | `config check`, `config show`                                         |
//! | `manual.rs`     | `help MODULE FUNCTION`                                                |
//! | `client.rs`     | the connection to the daemon that these use; `starter.rs` starts one  |

mod client;
mod config;
mod control;
mod manual;
mod modules;
mod perl_files;
mod request;
mod run;
mod serve;
mod starter;
mod status;
mod table;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use daemon::Identity;
use lexopt::prelude::*;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cpan-bridge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Which program this is.
pub fn identity() -> Identity {
    // The build's number is made by build.rs; one that is no number is an unknown one.
    let build = env!("CPAN_BRIDGE_BUILD").parse().unwrap_or(0);
    Identity { version: env!("CARGO_PKG_VERSION").into(), build }
}

fn dispatch() -> Result<ExitCode> {
    let mut args = lexopt::Parser::from_env();
    match args.next()? {
        None => {
            eprint!("{}", usage::GENERAL);
            Ok(ExitCode::from(2))
        }
        Some(Short('h') | Long("help")) => usage::print(usage::GENERAL),
        Some(Short('V') | Long("version")) => {
            let identity = identity();
            println!("cpan-bridge {} (build {})", identity.version, identity.build);
            Ok(ExitCode::SUCCESS)
        }
        Some(Value(command)) => command_named(&command.string().context("the command's name is not text")?, args),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn command_named(name: &str, mut args: lexopt::Parser) -> Result<ExitCode> {
    let Some(text) = usage::of(name) else {
        bail!("there is no command {name:?}; `cpan-bridge --help` lists them");
    };
    if name == "run" {
        return run::run(args);
    }
    let mut rest: Vec<OsString> = args.raw_args()?.collect();
    if rest.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--help" || arg == "-h") {
        return usage::print(text);
    }
    rest.insert(0, name.into());
    let args = lexopt::Parser::from_iter(rest);
    match name {
        "env" => run::env(args),
        "perl-lib" => run::perl_lib(args),
        "daemon" => serve::daemon(args),
        "stdio" => serve::stdio(args),
        "start" => control::start(args),
        "stop" => control::stop(args),
        "restart" => control::restart(args),
        "ping" => control::ping(args),
        "status" => status::status(args),
        "call" => request::call(args),
        "config" => config::config(args),
        _ => manual::help(args),
    }
}

/// For commands without options and arguments.
pub fn no_more(mut args: lexopt::Parser) -> Result<()> {
    match args.next()? {
        None => Ok(()),
        Some(other) => Err(other.unexpected().into()),
    }
}
