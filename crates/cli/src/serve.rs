//! `daemon` and `stdio`.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use daemon::config::{self, Config, settings};
use daemon::detach::{self, Side};
use daemon::lifecycle::{self, BindError, Listener, Options, Signals};
use daemon::limits::READY_SECONDS;
use daemon::place::Place;
use daemon::{Server, log};
use lexopt::prelude::*;

use crate::{identity, modules, starter};

/// What `daemon` was asked for.
#[derive(Debug, Default)]
struct Asked {
    detach: bool,
    ready_fd: Option<RawFd>,
    idle_exit: Option<u64>,
    socket: Option<PathBuf>,
    log: Option<PathBuf>,
}

impl Asked {
    fn parse(mut args: lexopt::Parser) -> Result<Self> {
        let mut asked = Self::default();
        while let Some(arg) = args.next()? {
            match arg {
                Long("detach") => asked.detach = true,
                Long("ready-fd") => asked.ready_fd = Some(args.value()?.parse()?),
                Long("idle-exit") => asked.idle_exit = Some(args.value()?.parse()?),
                Long("socket") => asked.socket = Some(absolute(&PathBuf::from(args.value()?))?),
                Long("log") => asked.log = Some(PathBuf::from(args.value()?)),
                other => return Err(other.unexpected().into()),
            }
        }
        if let Some(log) = &mut asked.log
            && log != Path::new("-")
        {
            *log = absolute(log)?;
        }
        Ok(asked)
    }

    fn place(&self) -> Result<Place> {
        Ok(match &self.socket {
            Some(socket) => Place::of_socket(socket)?,
            None => Place::from_env()?,
        })
    }

    fn options(&self) -> Options {
        let configured = config::get().time(&settings::DAEMON_IDLE_EXIT);
        let time = self.idle_exit.map_or(configured, Duration::from_secs);
        Options { idle_exit: (!time.is_zero()).then_some(time) }
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{}", path.display()))
}

/// `cpan-bridge daemon`.
pub fn daemon(args: lexopt::Parser) -> Result<ExitCode> {
    let asked = Asked::parse(args)?;
    if asked.detach { in_background(&asked) } else { in_foreground(&asked) }
}

fn in_foreground(asked: &Asked) -> Result<ExitCode> {
    let ready = asked.ready_fd.map(ready_file).transpose()?;
    detach::settle()?;
    run(asked, ready, false)?;
    Ok(ExitCode::SUCCESS)
}

fn in_background(asked: &Asked) -> Result<ExitCode> {
    if let Some(fd) = asked.ready_fd {
        // Whoever started us reads the pipe, also when this fails.
        let ready = ready_file(fd)?;
        return match detach::detach(Some(fd))? {
            Side::Starter => Ok(ExitCode::SUCCESS),
            Side::Daemon => Ok(in_background_now(asked, ready)),
        };
    }
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    match detach::detach(Some(write.as_raw_fd()))? {
        Side::Starter => {
            drop(write);
            starter::wait_until_ready(File::from(read), Duration::from_secs(READY_SECONDS))?;
            Ok(ExitCode::SUCCESS)
        }
        Side::Daemon => {
            // `detach` has closed it.
            std::mem::forget(read);
            Ok(in_background_now(asked, File::from(write)))
        }
    }
}

fn in_background_now(asked: &Asked, ready: File) -> ExitCode {
    let ended = run(asked, Some(ready), true);
    if let Err(error) = &ended {
        // Nobody reads our standard error any more.
        record(&format!("{error:#}"));
    }
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ready_file(fd: RawFd) -> Result<File> {
    let fd: OwnedFd = detach::inherited(fd).with_context(|| format!("--ready-fd {fd} is not an open descriptor"))?;
    Ok(File::from(fd))
}

/// Runs the daemon, and tells `ready` when it listens or why it does not.
fn run(asked: &Asked, ready: Option<File>, background: bool) -> Result<()> {
    detach::forget_environment();
    detach::few_arenas();
    raise_descriptor_limit();
    let mut ready = Ready(ready);
    let listening = (|| {
        config::install(Config::load()?);
        let place = asked.place()?;
        place.prepare()?;
        start_log(asked, &place, background)?;
        // Signals are caught before anybody can know that there is somebody to send them to.
        let signals = Signals::catch()?;
        let listener = Listener::bind(&place, ready.0.is_some() && asked.ready_fd.is_some())?;
        Ok::<_, anyhow::Error>((place, signals, listener))
    })();
    let (place, signals, listener) = match listening {
        Ok(listening) => listening,
        Err(error) if matches!(error.downcast_ref(), Some(BindError::AlreadyRunning(_))) && background => {
            ready.tell("+");
            return Ok(());
        }
        Err(error) => {
            ready.tell(&format!("{error:#}"));
            return Err(error);
        }
    };
    let server = Server::new(modules::modules(), identity())?;
    let identity = &server.identity;
    record(&format!(
        "cpan-bridge {} (build {}) listens on {}, pid {}",
        identity.version,
        identity.build,
        place.socket.display(),
        std::process::id()
    ));
    if !background {
        eprintln!("cpan-bridge: listening on {}", place.socket.display());
    }
    let options = asked.options();
    ready.tell("+");
    lifecycle::serve(&server, listener, &signals, &options)?;
    modules::end();
    Ok(())
}

/// The pipe to whoever waits for the daemon to be ready.
struct Ready(Option<File>);

impl Ready {
    fn tell(&mut self, text: &str) {
        if let Some(mut pipe) = self.0.take() {
            // Nobody is left who could be told that nobody listens.
            let _ = pipe.write_all(text.as_bytes());
        }
    }
}

fn record(text: &str) {
    daemon::log::record(text);
}

fn start_log(asked: &Asked, place: &Place, background: bool) -> Result<()> {
    let path = match &asked.log {
        Some(path) if path == Path::new("-") && !background => {
            log::start_on_stderr();
            return Ok(());
        }
        Some(path) => path.clone(),
        None => config::get().path(&settings::LOG_FILE).unwrap_or_else(|| default_log(place)),
    };
    log::start(&path).with_context(|| format!("cannot log to {}", path.display()))
}

/// In the user's state directory, where there is one; else beside the socket.
fn default_log(place: &Place) -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.map(|path| path.join("cpan-bridge"));
    let usable = |path: &PathBuf| fs::DirBuilder::new().recursive(true).mode(0o700).create(path).is_ok();
    state.filter(usable).unwrap_or_else(|| place.directory().to_owned()).join("daemon.log")
}

/// A session takes a descriptor or more; as many as the administrator allows.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// `cpan-bridge stdio`.
pub fn stdio(args: lexopt::Parser) -> Result<ExitCode> {
    crate::no_more(args)?;
    detach::few_arenas();
    if rustix::termios::isatty(std::io::stdin()) {
        bail!("stdio speaks the frames of docs/protocol.md, and standard input is a terminal");
    }
    config::install(Config::load()?);
    if std::env::var_os(log::LEVEL_VARIABLE).is_some() {
        log::start_on_stderr();
    }
    let server = Server::new(modules::modules(), identity())?;
    daemon::stdio::serve(&server)?;
    modules::end();
    Ok(ExitCode::SUCCESS)
}
