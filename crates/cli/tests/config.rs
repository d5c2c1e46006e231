//! The configuration file: `config check`, `config show`, and what a mistake does to a start.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use common::{Bridge, text};

fn file(bridge: &Bridge, content: &str) -> PathBuf {
    let path = bridge.path().join("config.toml");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn mistakes_are_named_by_file_line_and_key() {
    let bridge = Bridge::new();
    let path = file(&bridge, "[pool]\n\nszie = 3\nsize = \"many\"\n");
    let told = bridge.fails(&["config", "check", path.to_str().unwrap()]);
    assert!(told.contains(&format!("{}:3: there is no setting pool.szie; did you mean pool.size?", path.display())));
    assert!(told.contains(&format!("{}:4: pool.size must be a whole number", path.display())), "{told}");
    fs::write(&path, "[pool]\nsize = 3\n").unwrap();
    assert_eq!(bridge.ok(&["config", "check", path.to_str().unwrap()]), format!("{}: ok\n", path.display()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(bridge.fails(&["config", "check", path.to_str().unwrap()]).contains("chmod go-w"));
    assert!(bridge.fails(&["config"]).contains("config check"));
    assert!(bridge.fails(&["config", "chekc"]).contains("config chekc is no command"));
}

#[test]
fn the_named_file_counts_instead_of_the_others_and_is_shown() {
    let bridge = Bridge::new();
    let path = file(&bridge, "[pool]\nsize = 3\n");
    let run = |args: &[&str], variable: &str| {
        let output = bridge.command(args).env("CPAN_BRIDGE_CONFIG", variable).output().unwrap();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (ok, shown, _) = run(&["config", "show"], path.to_str().unwrap());
    assert!(ok && shown.contains("size = 3 ") && shown.contains(&format!("# {}:2", path.display())), "{shown}");
    let own = bridge.path().join("cpan-bridge");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("config.toml"), "[pool]\nsize = 4\n").unwrap();
    let mut command = bridge.command(&["config", "show"]);
    command.env_remove("CPAN_BRIDGE_CONFIG").env("XDG_CONFIG_HOME", bridge.path());
    assert!(text(&command.output().unwrap().stdout).contains("size = 4 "));
    let (ok, said, _) = run(&["config", "check"], "/dev/null");
    assert!(ok && said.contains("there is no configuration file"), "{said}");
    let (ok, _, told) = run(&["config", "check"], "/nonexistent.toml");
    assert!(!ok && told.contains("/nonexistent.toml: cannot be read"), "{told}");
    let (ok, _, told) = run(&["config", "check"], "config.toml");
    assert!(!ok && told.contains("CPAN_BRIDGE_CONFIG must be an absolute path, not config.toml"), "{told}");
}

#[test]
fn with_a_mistake_nothing_starts_and_the_starter_is_told() {
    let bridge = Bridge::new();
    let path = file(&bridge, "[pool]\nsize = 0\n");
    for command in [&["start"][..], &["daemon"], &["daemon", "--detach"], &["call", "test", "ping"]] {
        let output = bridge.command(command).env("CPAN_BRIDGE_CONFIG", &path).output().unwrap();
        let told = text(&output.stderr);
        assert!(!output.status.success(), "{command:?}");
        assert!(told.contains(&format!("{}:2: pool.size must be", path.display())), "{command:?}: {told}");
    }
    let mut command = bridge.command(&["stdio"]);
    let output = command.env("CPAN_BRIDGE_CONFIG", &path).stdin(std::process::Stdio::null()).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("pool.size must be"));
}

#[test]
fn the_daemon_heeds_it() {
    let bridge = Bridge::new();
    let path = file(&bridge, "[daemon]\nmax_sessions = 1\n[log]\nlevel = \"error\"\n");
    let output = bridge.command(&["start"]).env("CPAN_BRIDGE_CONFIG", &path).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let first = bridge.client();
    let refused = bridge.fails(&["status"]);
    assert!(refused.contains("daemon.max_sessions (1)"), "{refused}");
    drop(first);
}

#[test]
fn the_status_has_the_pools_also_for_programs() {
    let bridge = Bridge::started();
    let status: serde_json::Value = serde_json::from_str(&bridge.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["pools"], serde_json::json!([]));
    assert_eq!(bridge.ok(&["call", "system", "pools"]).trim(), "[]");
}
