//! The commands that have no need of a daemon, and `call`.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod common;

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use common::{Bridge, finish, text};

#[test]
fn every_command_explains_itself() {
    let bridge = Bridge::new();
    let general = bridge.ok(&["--help"]);
    for command in [
        "run", "env", "perl-lib", "daemon", "start", "stop", "restart", "status", "ping", "call", "stdio", "help",
        "config",
    ] {
        assert!(general.contains(command), "{command} is not in the general help");
        let help = bridge.ok(&[command, "--help"]);
        assert!(help.starts_with(&format!("cpan-bridge {command}")), "{command}: {help}");
    }
    assert!(bridge.fails(&["nope"]).contains("there is no command \"nope\""));
    assert!(bridge.fails(&["start", "now"]).contains("unexpected argument"));
    assert!(bridge.ok(&["--version"]).starts_with("cpan-bridge 0.1.0 (build "));
}

#[test]
fn a_script_runs_as_if_perl_had_been_called() {
    let bridge = Bridge::new();
    let script = bridge.path().join("t.pl");
    fs::write(&script, "print \"$0|@ARGV|\", scalar <STDIN>, '|', $ENV{CPAN_BRIDGE_BIN}; exit 7;").unwrap();
    let mut command = bridge.command(&["run"]);
    command.arg(&script).args(["a", "--help"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"input").unwrap();
    let output = finish(child);
    assert_eq!(output.status.code(), Some(7));
    let wanted = format!("{}|a --help|input|{}", script.display(), common::BINARY);
    assert_eq!(text(&output.stdout), wanted);
}

#[test]
fn signals_reach_the_script_itself() {
    let bridge = Bridge::new();
    let script = bridge.path().join("t.pl");
    fs::write(&script, "$| = 1; $SIG{TERM} = sub { exit 9 }; print 'x'; sleep 15;").unwrap();
    let mut command = bridge.command(&["run"]);
    let mut child = command.arg(&script).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    common::signal(child.id(), rustix::process::Signal::TERM);
    assert_eq!(finish(child).status.code(), Some(9));
}

#[test]
fn a_script_finds_the_modules_also_under_taint() {
    let bridge = Bridge::new();
    let script = bridge.path().join("t.pl");
    fs::write(&script, "#!/usr/bin/perl -T\nuse CPANBridge::Build; print ${^TAINT}, $CPANBridge::Build::BIN;").unwrap();
    let printed = bridge.ok(&["run".as_ref(), script.as_os_str()]);
    assert_eq!(printed, format!("1{}", common::BINARY));
    let version = bridge.ok(&["run", "-MCPANBridge::Build", "-e", "print $CPANBridge::Build::VERSION"]);
    assert_eq!(version, "0.1.0");
}

#[test]
fn env_and_perl_lib_make_any_perl_find_the_modules() {
    let bridge = Bridge::new();
    let script = "print $INC{'CPANBridge/Build.pm'}, ' ', $ENV{CPAN_BRIDGE_BIN}";
    let shell = format!("{}\nperl -MCPANBridge::Build -e \"{}\"", bridge.ok(&["env"]), script.replace('$', "\\$"));
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(shell).env("PERL5LIB", "/before").stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = finish(command.spawn().unwrap());
    let printed = text(&output.stdout);
    assert!(
        printed.ends_with(common::BINARY) && printed.contains("/cache/cpan-bridge/0.1.0-"),
        "{printed}{}",
        text(&output.stderr)
    );

    let mut command = std::process::Command::new("perl");
    command.env("PERL5LIB", bridge.ok(&["perl-lib"]).trim_end()).args(["-MCPANBridge::Build", "-e", "print 'found'"]);
    assert_eq!(text(&finish(command.stdout(Stdio::piped()).spawn().unwrap()).stdout), "found");
}

#[test]
fn what_cannot_be_run_says_so() {
    let bridge = Bridge::new();
    assert!(bridge.fails(&["run"]).contains("run needs a script"));
    assert!(bridge.fails(&["run", "--perl", "/no/such/perl", "x.pl"]).contains("cannot run /no/such/perl"));
    let output = bridge.output(&["run", "no-such-script.pl"]);
    assert!(text(&output.stderr).contains("Can't open perl script"), "{}", text(&output.stderr));
}

#[test]
fn call_starts_the_daemon_and_prints_json() {
    let bridge = Bridge::new();
    assert_eq!(bridge.ok(&["call", "test", "ping"]), "\"pong\"\n");
    let echoed = bridge.ok(&["call", "test", "echo", r#"{"a":[1,"é",null]}"#]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&echoed).unwrap(), serde_json::json!({"a": [1, "é", null]}));
    assert!(bridge.fails(&["call", "test", "nope"]).contains("[unknown_function]"));
    assert!(bridge.fails(&["call", "test", "echo", "{"]).contains("not JSON"));
    assert!(bridge.fails(&["call", "test"]).contains("call needs a module"));
}

#[test]
fn help_is_made_from_the_tables() {
    let bridge = Bridge::new();
    let modules = bridge.ok(&["help"]);
    assert!(modules.contains("test") && modules.contains("system"), "{modules}");
    assert!(bridge.ok(&["help", "test"]).contains("sleep(seconds)"));
    let sleep = bridge.ok(&["help", "test", "sleep"]);
    assert!(sleep.contains("required") && sleep.contains("MAX_SLEEP_SECONDS"), "{sleep}");
    assert!(bridge.fails(&["help", "nope"]).contains("there are: test"));
    assert!(bridge.fails(&["help", "test", "nope"]).contains("no function"));
}
