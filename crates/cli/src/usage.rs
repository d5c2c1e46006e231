//! The texts of `--help`.

use std::process::ExitCode;

use anyhow::Result;

/// The text of `cpan-bridge --help`.
pub const GENERAL: &str = "\
cpan-bridge runs Perl scripts without their CPAN modules.

  cpan-bridge run report.pl --month 3     use DBI, DBD::SQLite … with nothing installed
  eval \"$(cpan-bridge env)\"               the same for every perl started from this shell

Running scripts
  run SCRIPT [ARGS…]     run a Perl script
  env                    print the variables that make any perl find the modules
  perl-lib               print the directories with the Perl modules

The daemon (started by the first script that needs it; leaves when idle)
  start, stop, restart   start or end it by hand
  status [--json]        what it does, and for whom
  ping                   see that it answers, and how fast
  daemon                 run it in the foreground
  config check, show     look at its configuration

Calling it without Perl
  call MODULE FUNCTION [JSON]     call a function, print its result as JSON
  help [MODULE [FUNCTION]]        what there is to call
  stdio                           one session on standard input and output

  cpan-bridge COMMAND --help      more about a command
  cpan-bridge --version

Environment
  CPAN_BRIDGE_SOCKET     the daemon's socket (default: in $XDG_RUNTIME_DIR/cpan-bridge)
  CPAN_BRIDGE_MODE       auto, daemon, or process (a private child instead of the daemon)
  CPAN_BRIDGE_BIN        the binary that scripts start
  CPAN_BRIDGE_LOG        how much is logged: error, warn, info (default), debug, trace
  CPAN_BRIDGE_CONFIG     the configuration file, instead of those that are read else
  CPAN_BRIDGE_IDLE_EXIT  seconds without a session after which the daemon leaves; 0: never
";

const RUN: &str = "\
cpan-bridge run [--perl PERL] SCRIPT [ARGS…]

Runs a Perl script that finds DBI and the other modules in this binary. The script is
run by `perl` itself: exit status, standard input, signals and $0 are the script's own.
What stands before SCRIPT is passed to perl, so -w, -T, -MModule and -e work, too.

  cpan-bridge run report.pl --month 3
  cpan-bridge run -T secure.pl            (also added when the script's first line asks for it)
  cpan-bridge run -MDBI -e 'print DBI->VERSION'

  --perl PERL     which perl (default: $CPAN_BRIDGE_PERL, else the first in PATH)
";

const ENV: &str = "\
cpan-bridge env

Prints shell commands that set PERL5LIB and CPAN_BRIDGE_BIN, for scripts that are started by
others (cron, a web server, a build):

  eval \"$(cpan-bridge env)\"
  perl report.pl
";

const PERL_LIB: &str = "\
cpan-bridge perl-lib

Prints the directories with the Perl modules, separated by a colon, as PERL5LIB wants them:

  PERL5LIB=$(cpan-bridge perl-lib) perl report.pl
";

const DAEMON: &str = "\
cpan-bridge daemon [OPTIONS]

Runs the daemon in the foreground, for service managers and for looking at it. Scripts
start one of their own accord; `cpan-bridge start` starts one by hand.

  --idle-exit SECONDS   leave when there was no session for so long (default 900; 0: never)
  --socket PATH         listen there (default: $CPAN_BRIDGE_SOCKET or the user's run-time directory)
  --log FILE            log there; - is standard error (default: daemon.log beside the socket,
                        or in $XDG_STATE_HOME/cpan-bridge)
  --detach              go to the background, away from terminal and descriptors
  --ready-fd N          write + to this descriptor when ready, else the reason why not;
                        whoever gives it holds the lock beside the socket

SIGTERM and SIGINT end it: running calls are finished first, for at most 10 seconds; a second
signal ends it at once.
";

const STDIO: &str = "\
cpan-bridge stdio

Serves one session on standard input and output, which may be one socket or two pipes, and ends with
it. This is what a script with CPAN_BRIDGE_MODE=process starts. docs/protocol.md has the frames.
";

const START: &str = "\
cpan-bridge start

Starts the daemon unless it is running. Does nothing, successfully, when it is.
";

const STOP: &str = "\
cpan-bridge stop

Ends the daemon: running calls are finished first, for at most 10 seconds; open transactions of
sessions that are idle are rolled back. Waits until it is gone.
";

const RESTART: &str = "\
cpan-bridge restart

Like `stop` and `start`.
";

const STATUS: &str = "\
cpan-bridge status [--json]

Shows what the daemon does and for whom: sessions, uptime, memory, calls, and the connections to
servers that it keeps. Exit status 1 when there is no daemon.

  --json     for programs
";

const PING: &str = "\
cpan-bridge ping [--count N]

Calls the daemon and shows how long the answer took. Does not start one: exit status 1 when
there is none.

  --count N  so many calls, and the median of their times (default 1000)
";

const CALL: &str = "\
cpan-bridge call MODULE FUNCTION [JSON]

Calls a function of the daemon and prints its result as JSON; starts the daemon if needed. JSON is an
object of named parameters, an array of positional ones, or a single value; - reads it from
standard input. Exit status 1 when the call fails; the error goes to standard error.

  cpan-bridge call test ping
  cpan-bridge call test echo '[1, \"two\"]'
  cpan-bridge call database connect '{\"dsn\":\"dbi:SQLite:dbname=sales.db\"}'

Passwords belong on standard input, where ps does not show them:

  cpan-bridge call database connect - <login.json

Handles (connection_id …) can be used in later calls; they are closed when not used for 30 minutes.
`cpan-bridge help` lists what can be called.
";

const CONFIG: &str = "\
cpan-bridge config check [FILE]
cpan-bridge config show

`check` reads the configuration files, or only FILE, and tells every mistake with its file, line and
key; exit status 1 if there is one. `show` prints all settings in effect, as a file, and where each
comes from. docs/configuration.md describes them.

  /etc/cpan-bridge/config.toml            is read first
  ~/.config/cpan-bridge/config.toml       counts before it, key by key ($XDG_CONFIG_HOME is heeded)
  $CPAN_BRIDGE_CONFIG                     if set, is read instead of both

The daemon reads them when it starts: after a change, `cpan-bridge restart`.
";

const HELP: &str = "\
cpan-bridge help [MODULE [FUNCTION]]

Shows the modules that can be called, the functions of one, or the parameters of a function.

  cpan-bridge help
  cpan-bridge help database
  cpan-bridge help database execute_statement
";

/// The text about a command; `None` if there is no such command.
pub fn of(command: &str) -> Option<&'static str> {
    Some(match command {
        "run" => RUN,
        "env" => ENV,
        "perl-lib" => PERL_LIB,
        "daemon" => DAEMON,
        "stdio" => STDIO,
        "start" => START,
        "stop" => STOP,
        "restart" => RESTART,
        "status" => STATUS,
        "ping" => PING,
        "call" => CALL,
        "config" => CONFIG,
        "help" => HELP,
        _ => return None,
    })
}

/// Prints a text.
#[allow(clippy::unnecessary_wraps, reason = "every command has this result")]
pub fn print(text: &str) -> Result<ExitCode> {
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}
