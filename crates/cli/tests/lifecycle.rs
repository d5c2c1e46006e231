//! Starting, living, stopping.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod common;

use std::fs;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{BINARY, Bridge, Client, finish, is_alive, signal, text, wait_until};
use protocol::{Kind, message};
use rustix::process::Signal;

#[test]
fn start_stop_and_restart_do_what_they_say() {
    let bridge = Bridge::new();
    assert!(bridge.fails(&["status"]).contains("no daemon is running"));
    assert!(bridge.ok(&["start"]).starts_with("daemon started"));
    assert!(bridge.ok(&["start"]).starts_with("daemon already running"));
    assert!(bridge.ok(&["ping"]).contains("pong"));
    let before = bridge.client().daemon.pid;
    bridge.ok(&["restart"]);
    let after = bridge.client().daemon.pid;
    assert!(before != after && !is_alive(before));
    assert!(bridge.ok(&["stop"]).starts_with("daemon ended"));
    assert!(!is_alive(after) && !bridge.socket().exists());
    assert!(bridge.ok(&["stop"]).starts_with("no daemon is running"));
}

#[test]
fn many_simultaneous_starts_make_one_daemon() {
    let bridge = Bridge::new();
    let starts: Vec<_> = (0..40)
        .map(|_| bridge.command(&["start"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let outputs: Vec<_> = starts.into_iter().map(finish).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let started = outputs.iter().filter(|output| text(&output.stdout).starts_with("daemon started")).count();
    assert_eq!(started, 1);
    assert_eq!(bridge.log().matches("listens on").count(), 1, "{}", bridge.log());
}

#[test]
fn an_idle_daemon_leaves_and_a_session_keeps_it() {
    let bridge = Bridge::new();
    let start = bridge.command(&["daemon", "--detach", "--idle-exit", "1"]).spawn().unwrap();
    assert!(finish(start).status.success());
    let mut client = bridge.client();
    std::thread::sleep(Duration::from_millis(1500));
    client.ping();
    let pid = client.daemon.pid;
    drop(client);
    let idle_since = Instant::now();
    wait_until("the idle daemon's end", || !is_alive(pid));
    assert!(idle_since.elapsed() >= Duration::from_millis(950), "its session was longer, but it was not idle");
    assert!(!bridge.socket().exists());
    assert!(bridge.log().contains("no session for 1s"), "{}", bridge.log());
}

#[test]
fn sigterm_lets_calls_finish_and_takes_no_new_session() {
    let bridge = Bridge::started();
    let mut busy = bridge.client();
    let mut idle = bridge.client();
    let pid = busy.daemon.pid;
    busy.send_call(1, "test.sleep", &(1.0,));
    std::thread::sleep(Duration::from_millis(100));
    signal(pid, Signal::TERM);
    wait_until("the socket's removal", || !bridge.socket().exists());
    assert!(UnixStream::connect(bridge.socket()).is_err());
    let goodbye = idle.receive();
    assert_eq!((goodbye.kind, goodbye.payload[0]), (Kind::Goodbye, message::GOODBYE_DONE));
    assert!(busy.receive().result::<f64>() >= 1.0);
    wait_until("the daemon's end", || !is_alive(pid));
}

#[test]
fn a_call_that_does_not_end_is_cancelled_after_the_bound() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.send_call(1, "test.sleep", &(60,));
    std::thread::sleep(Duration::from_millis(50));
    let told = Instant::now();
    signal(client.daemon.pid, Signal::TERM);
    assert_eq!(client.receive().error().code, protocol::code::CANCELLED);
    let bound = Duration::from_secs(daemon::limits::DRAIN_SECONDS);
    assert!(told.elapsed() >= bound && told.elapsed() < bound + Duration::from_secs(4), "{:?}", told.elapsed());
    wait_until("the daemon's end", || !is_alive(client.daemon.pid));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    let pid = client.daemon.pid;
    client.send_call(1, "test.sleep", &(60,));
    std::thread::sleep(Duration::from_millis(50));
    signal(pid, Signal::INT);
    wait_until("the socket's removal", || !bridge.socket().exists());
    assert!(is_alive(pid));
    let began = Instant::now();
    signal(pid, Signal::INT);
    wait_until("the daemon's end", || !is_alive(pid));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_newer_client_makes_an_older_daemon_hand_over() {
    let bridge = Bridge::started();
    let mut old_session = bridge.client();
    let old = old_session.daemon.pid;
    let mut newer = bridge.client();
    let mut out = Vec::new();
    message::encode_goodbye(&mut out, message::GOODBYE_DRAIN, "newer").unwrap();
    newer.send(&out);
    assert_eq!(newer.receive().kind, Kind::Goodbye);
    assert!(newer.try_receive().is_none());
    assert!(!bridge.socket().exists(), "the socket must be gone before the answer");
    bridge.ok(&["start"]);
    assert_ne!(bridge.client().daemon.pid, old);
    old_session.ping();
    drop(old_session);
    wait_until("the old daemon's end", || !is_alive(old));
    bridge.client().ping();
}

#[test]
fn a_daemon_that_ends_in_the_hello_is_waited_out() {
    let bridge = Bridge::new();
    let directory = bridge.path().join("cpan-bridge");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(bridge.socket()).unwrap();
    let start = bridge.command(&["start"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = Client::raw(listener.accept().unwrap().0);
    assert_eq!(first.receive().kind, Kind::Hello);
    drop(first);
    let mut second = Client::raw(listener.accept().unwrap().0);
    let mut out = Vec::new();
    let draining = protocol::Error::new(protocol::code::DRAINING, "about to end");
    message::encode_error(&mut out, 0, &draining).unwrap();
    second.send(&out);
    drop((second, listener));
    let output = finish(start);
    assert!(text(&output.stdout).starts_with("daemon started"), "{}", text(&output.stderr));
}

/// What a daemon of an older build says and does.
fn older_daemon(listener: &UnixListener, bridge: &Bridge) {
    let mut client = Client::raw(listener.accept().unwrap().0);
    assert_eq!(client.receive().kind, Kind::Hello);
    let hello = protocol::DaemonHello { protocol: 1, version: "0.0.9".into(), build: 1, ..Default::default() };
    let mut out = Vec::new();
    message::encode_hello(&mut out, &hello).unwrap();
    client.send(&out);
    let goodbye = client.receive();
    assert_eq!((goodbye.kind, goodbye.payload[0]), (Kind::Goodbye, message::GOODBYE_DRAIN));
    fs::remove_file(bridge.socket()).unwrap();
}

#[test]
fn start_replaces_an_older_daemon() {
    let bridge = Bridge::new();
    let directory = bridge.path().join("cpan-bridge");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(bridge.socket()).unwrap();
    let start = bridge.command(&["start"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    older_daemon(&listener, &bridge);
    let output = finish(start);
    assert!(text(&output.stdout).starts_with("daemon started"), "{}", text(&output.stderr));
    assert_ne!(bridge.client().daemon.pid, std::process::id());
}

#[test]
fn a_socket_left_by_a_killed_daemon_is_replaced() {
    let bridge = Bridge::started();
    let pid = bridge.client().daemon.pid;
    signal(pid, Signal::KILL);
    wait_until("the kill", || !is_alive(pid));
    assert!(bridge.socket().exists());
    bridge.ok(&["start"]);
    bridge.client().ping();
}

#[test]
fn a_living_server_is_never_displaced() {
    let bridge = Bridge::started();
    let pid = bridge.client().daemon.pid;
    assert!(bridge.fails(&["daemon"]).contains("already running"));
    assert_eq!(bridge.client().daemon.pid, pid);
}

#[test]
fn what_is_no_socket_is_not_removed() {
    let bridge = Bridge::new();
    fs::DirBuilder::new().create(bridge.path().join("cpan-bridge")).unwrap();
    fs::set_permissions(bridge.path().join("cpan-bridge"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(bridge.socket(), "precious").unwrap();
    assert!(bridge.fails(&["daemon"]).contains("is not a socket"));
    assert_eq!(fs::read_to_string(bridge.socket()).unwrap(), "precious");
}

#[test]
fn unsafe_directories_are_refused_by_daemon_and_client() {
    for (mode, part) in [(0o770, "open to other users"), (0o701, "open to other users"), (0, "a symbolic link")] {
        let bridge = Bridge::new();
        let directory = bridge.path().join("cpan-bridge");
        if mode == 0 {
            let elsewhere = bridge.path().join("elsewhere");
            fs::create_dir(&elsewhere).unwrap();
            symlink(elsewhere, &directory).unwrap();
        } else {
            fs::create_dir(&directory).unwrap();
            fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
        }
        for command in ["daemon", "start", "ping", "status"] {
            let error = bridge.fails(&[command]);
            assert!(error.contains(part), "{command}, mode {mode:o}: {error}");
        }
    }
}

#[test]
fn a_start_that_fails_says_why() {
    let bridge = Bridge::new();
    let directory = bridge.path().join("cpan-bridge");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(directory.join("daemon.log")).unwrap();
    for args in [&["start"][..], &["daemon", "--detach"]] {
        let error = bridge.fails(args);
        assert!(error.contains("cannot log to") && error.contains("daemon.log"), "{error}");
    }
}

#[test]
fn the_daemon_keeps_nothing_of_its_starter() {
    let bridge = Bridge::new();
    // A descriptor that is inherited, and a lock that is held through it.
    let path = bridge.path().join("held");
    let held = fs::File::create(&path).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    rustix::io::fcntl_setfd(&held, rustix::io::FdFlags::empty()).unwrap();
    let mut starting = bridge.command(&["start"]);
    starting.env("PGPASSWORD", "hunter2").stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(bridge.path());
    let began = Instant::now();
    // Reads to the end of both pipes: a daemon that held one would block this.
    assert!(finish(starting.spawn().unwrap()).status.success());
    assert!(began.elapsed() < Duration::from_secs(10));
    let pid = bridge.client().daemon.pid;
    drop(held);
    let again = fs::File::open(&path).unwrap();
    rustix::fs::flock(&again, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let (parent, session, terminal) = (fields[1], fields[3], fields[4]);
    assert_ne!(parent, std::process::id().to_string());
    assert_ne!(session, pid.to_string(), "a session's leader could get a terminal again");
    assert_eq!(terminal, "0");
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let target = fs::read_link(entry.unwrap().path()).unwrap();
        assert!(!target.starts_with(&path), "{}", target.display());
    }
}

#[test]
fn the_socket_and_its_directory_are_private() {
    let bridge = Bridge::started();
    for (path, mode) in [(bridge.socket(), 0o700), (bridge.path().join("cpan-bridge"), 0o700)] {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode, "{}", path.display());
    }
    let log = bridge.path().join("cpan-bridge/daemon.log");
    assert_eq!(fs::metadata(log).unwrap().mode() & 0o777, 0o600);
}

/// A uid that is not ours; only root can become it.
const NOBODY: u32 = 65_534;

#[test]
fn another_user_is_refused_even_when_the_directory_is_open() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can try this");
        return;
    }
    let bridge = Bridge::started();
    let directory = bridge.path().join("cpan-bridge");
    let open = |mode| {
        for path in [bridge.path(), &directory] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    open(0o755);
    fs::set_permissions(bridge.socket(), fs::Permissions::from_mode(0o777)).unwrap();
    let script = "use Socket; socket my $s, AF_UNIX, SOCK_STREAM, 0; \
                  connect $s, sockaddr_un($ARGV[0]) or die $!; \
                  syswrite $s, '{\"module\":\"test\",\"function\":\"ping\"}'; sysread $s, my $b, 4096; print $b";
    let mut perl = Command::new("perl");
    perl.arg("-e").arg(script).arg(bridge.socket()).uid(NOBODY).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = finish(perl.spawn().unwrap());
    let reply = text(&output.stdout);
    assert!(
        reply.contains("\"success\":false") && reply.contains("you are user 65534"),
        "{reply}{}",
        text(&output.stderr)
    );
    // The place it was built in may be closed to other users. Copied by another process: a program
    // cannot be run while a descriptor to write it is open, and other tests start children meanwhile.
    let binary = bridge.path().join("cpan-bridge-copy");
    assert!(Command::new("cp").arg(BINARY).arg(&binary).status().unwrap().success());
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let mut pinger = Command::new(binary);
    pinger.arg("ping").env("CPAN_BRIDGE_SOCKET", bridge.socket()).uid(NOBODY);
    let output = finish(pinger.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert!(text(&output.stderr).contains("belongs to user 0"), "{}", text(&output.stderr));
    open(0o700);
    bridge.client().ping();
}

#[test]
fn a_server_of_another_user_is_not_believed() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can try this");
        return;
    }
    let bridge = Bridge::new();
    let directory = bridge.path().join("cpan-bridge");
    fs::create_dir(&directory).unwrap();
    for path in [bridge.path(), &directory] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let script = "use Socket; socket my $s, AF_UNIX, SOCK_STREAM, 0; bind $s, sockaddr_un($ARGV[0]) or die $!; \
                  listen $s, 5; $| = 1; print 'ready'; alarm 20; accept my $c, $s; sysread $c, my $b, 1; ";
    let mut perl = Command::new("perl");
    perl.arg("-e").arg(script).arg(bridge.socket()).uid(NOBODY).stdout(Stdio::piped());
    let mut server = perl.spawn().unwrap();
    let mut ready = [0; 5];
    server.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    for path in [bridge.path(), &directory] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let error = bridge.fails(&["ping"]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(error.contains("served by user 65534"), "{error}");
}

#[test]
fn a_client_that_says_nothing_does_not_keep_others_waiting() {
    let bridge = Bridge::started();
    let _silent: Vec<_> = (0..10).map(|_| UnixStream::connect(bridge.socket()).unwrap()).collect();
    bridge.client().ping();
}

#[test]
fn status_shows_sessions_for_people_and_programs() {
    let bridge = Bridge::started();
    let mut client = bridge.client();
    client.ping();
    let shown = bridge.ok(&["status"]);
    assert!(shown.contains("t.pl") && shown.contains("test.ping"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&bridge.ok(&["status", "--json"])).unwrap();
    assert_eq!(json["running"], true);
    assert_eq!(json["info"]["pid"], client.daemon.pid);
    assert_eq!(json["sessions"][0]["script"], "t.pl");
    assert_eq!(json["sessions"][0]["calls"], 1);
}

#[test]
fn stdio_serves_one_session_on_a_socket_and_on_pipes() {
    let bridge = Bridge::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = bridge.command(&["stdio"]);
    command.stdin(std::os::fd::OwnedFd::from(theirs.try_clone().unwrap())).stdout(std::os::fd::OwnedFd::from(theirs));
    let child = command.spawn().unwrap();
    // The command holds the other end, too.
    drop(command);
    let mut client = Client::greeted(ours);
    client.ping();
    drop(client);
    assert!(finish(child).status.success());

    let mut child = bridge.command(&["stdio"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = Vec::new();
    message::encode_hello(&mut out, &protocol::ClientHello { protocol: 1, ..Default::default() }).unwrap();
    message::encode_call(&mut out, 1, "test.ping", &[(); 0]).unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &out).unwrap();
    drop(child.stdin.take());
    let output = finish(child);
    assert!(output.status.success() && text(&output.stdout).contains("pong"));
}

#[test]
fn a_socket_path_that_is_too_long_is_told() {
    let bridge = Bridge::new();
    let socket = bridge.path().join("x".repeat(120));
    let mut command = bridge.command(&["daemon"]);
    let output = finish(command.env("CPAN_BRIDGE_SOCKET", &socket).stderr(Stdio::piped()).spawn().unwrap());
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("cannot listen on"), "{}", text(&output.stderr));
    let _unused = UnixListener::bind(bridge.path().join("y")).unwrap().as_raw_fd();
}
