//! Module `mysql` against servers that do what real ones hardly ever do.

mod fake_mysql;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use serde_json::json;
use storable::Value;

use fake_mysql::{Server, execute, session, values};

const QUERY: u8 = 3;

#[test]
fn rows_come_and_end() {
    let server = Server::answering(|peer, command, _| {
        assert_eq!(command[0], QUERY);
        peer.column();
        for value in ["one", "two"] {
            peer.row(value);
        }
        peer.end();
    });
    let mut session = server.connect();
    let reply = execute(&mut session, "select c from t").unwrap();
    assert_eq!(values(&reply, 2), ["one", "two"]);
    assert_eq!((reply.at(0).unwrap().as_i64(), reply.at(1).unwrap().as_i64()), (Some(2), Some(1)));
}

#[test]
fn what_is_no_answer_is_an_error_and_never_a_panic() {
    let answers: [&[u8]; 12] = [
        b"",                                                     // nothing
        b"\x00\x00\x00\x01",                                     // an empty packet
        b"\x01\x00\x00\x01\xfe",                                 // an end of what never began
        b"\x01\x00\x00\x01\x00",                                 // done, cut off
        b"\x02\x00\x00\x01\xff\x01",                             // an error, cut off
        b"\x09\x00\x00\x01\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", // columns without number
        b"\x04\x00\x00\x01\xfd\xff\xff\xff",                     // sixteen million columns
        b"\x01\x00\x00\x01\x01\x02\x00\x00\x02\x03d",            // a column, cut off
        b"\x01\x00\x00\x01\x02\x03\x00\x00\x02\xfe\x00\x00",     // a column that is none
        b"\xff\xff\xff\x01\x00\x00\x00",                         // sixteen megabytes that do not come
        b"\x05\x00\x00\x01abc",                                  // a packet, cut off
        b"\x01\x00\x00\x01\xfb",                                 // a file without a name
    ];
    for answer in answers {
        let server = Server::answering(move |peer, _, _| {
            peer.send_raw(answer);
            peer.hang_up();
        });
        let mut session = server.connect();
        let error = execute(&mut session, "select 1").unwrap_err();
        assert_eq!(error.code, "database", "{answer:?}: {error}");
        let next = execute(&mut session, "select 1").unwrap_err();
        assert_eq!(next.err, Some(2006), "{answer:?}: {next}");
    }
}

#[test]
fn malformed_rows_end_the_connection() {
    let rows: [&[u8]; 5] = [b"\x05ab", b"\x01a\x01b", b"\xfc\xff", b"\xfd\xff\xff\xff", b"\xff"];
    for row in rows {
        let server = Server::answering(move |peer, _, _| {
            peer.column();
            peer.row("good");
            peer.send(row);
            peer.end();
        });
        let mut session = server.connect();
        let first = execute(&mut session, "select 1");
        // The row before it is given, then comes the error.
        let error = first.and_then(|_| session.call::<Value>("mysql.fetch", &(1, None::<u8>, "f"))).unwrap_err();
        assert_eq!(error.err, Some(2027), "{row:?}: {error}");
        assert_eq!(execute(&mut session, "select 1").unwrap_err().err, Some(2006));
    }
}

#[test]
fn a_server_gets_no_file_that_was_not_named() {
    for (allowed, sql, is_given) in [
        (false, "load data local infile '{}' into table t", false),
        (true, "select 1", false),
        (true, "load data local infile '/another' into table t", false),
        (true, "select 'local infile \"{}\"'", false),
        (true, "load data local infile '{}' into table t", true),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "its contents").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let asked = path.clone();
        let server = Server::answering(move |peer, _, seen| {
            peer.send(&[b"\xfb", asked.as_bytes()].concat());
            while let Some(piece) = peer.read() {
                let is_last = piece.is_empty();
                seen.send(piece).unwrap();
                if is_last {
                    break;
                }
            }
            peer.ok();
        });
        let mut session = session();
        server.try_connect(&mut session, json!({ "local_infile": allowed }), json!({})).unwrap();
        let result = session.call::<Value>("mysql.do", &(1, sql.replace("{}", &path)));
        if is_given {
            result.unwrap();
            assert_eq!(server.seen(), b"its contents");
        } else {
            assert_eq!(result.unwrap_err().err, Some(2068), "{sql}");
        }
        assert_eq!(server.seen(), b"");
        assert!(server.has_seen_nothing());
    }
}

#[test]
fn the_full_proof_of_sha2_goes_over_private_channels_only() {
    let server = Server::new(|mut peer, seen| {
        peer.greet("caching_sha2_password");
        peer.send(b"\x01\x04");
        seen.send(peer.read().unwrap()).unwrap();
        peer.ok();
        while peer.read().is_some() {
            peer.ok();
        }
    });
    let mut session = session();
    server.try_connect(&mut session, json!({ "password": "p\u{e9}" }), json!({})).unwrap();
    // A Unix socket is private.
    assert_eq!(server.seen(), "p\u{e9}\0".as_bytes());
}

#[test]
fn a_greeting_is_short() {
    let server = Server::new(|mut peer, _| {
        peer.send_raw(b"\x00\x00\x20\x00\x0a");
        while peer.send_raw(&[b'8'; 4096]) {}
    });
    let error = server.try_connect(&mut session(), json!({}), json!({})).unwrap_err();
    assert_eq!(error.err, Some(2020));
    assert!(error.message.contains("MAX_HANDSHAKE_BYTES"));
}

#[test]
fn a_server_that_keeps_asking_is_left() {
    let server = Server::new(|mut peer, _| {
        peer.greet("mysql_native_password");
        while peer.send(b"\xfemysql_native_password\0aaaaaaaaaaaaaaaaaaaa\0") && peer.read().is_some() {}
    });
    let error = server.try_connect(&mut session(), json!({ "password": "secret" }), json!({})).unwrap_err();
    assert_eq!(error.err, Some(2027));
    assert!(!error.message.contains("secret"));
}

#[test]
fn rows_before_a_loss_are_given() {
    let server = Server::answering(|peer, _, _| {
        peer.column();
        for _ in 0..1000 {
            peer.row("value");
        }
        peer.hang_up();
    });
    let mut session = server.connect();
    session.call::<Value>("mysql.config", &(1, json!({ "use_result": true }))).unwrap();
    let mut got = values(&execute(&mut session, "select c from t").unwrap(), 2).len();
    let error = loop {
        match session.call::<Value>("mysql.fetch", &(1, None::<u8>, "f")) {
            Ok(reply) => got += values(&reply, 1).len(),
            Err(error) => break error,
        }
    };
    assert_eq!((got, error.err), (1000, Some(2013)));
}

#[test]
fn a_lost_query_is_not_sent_again() {
    let queries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&queries);
    let server = Server::answering(move |peer, command, _| {
        if command.ends_with(b"update t set a=a+1") {
            counted.fetch_add(1, Ordering::Relaxed);
            peer.hang_up();
        } else {
            peer.ok();
        }
    });
    let mut session = session();
    server.try_connect(&mut session, json!({}), json!({ "auto_reconnect": true })).unwrap();
    let error = session.call::<Value>("mysql.do", &(1, "update t set a=a+1")).unwrap_err();
    assert_eq!(error.err, Some(2013));
    // What comes next goes over a new connection.
    session.call::<Value>("mysql.do", &(1, "select 1")).unwrap();
    assert_eq!(queries.load(Ordering::Relaxed), 1);
}

#[test]
fn a_transaction_is_not_lost_silently() {
    let server = Server::answering(|peer, command, _| {
        if command.ends_with(b"last") {
            peer.hang_up();
        } else {
            // Autocommit is off.
            peer.send(b"\0\0\0\x01\0\0\0");
        }
    });
    let mut session = session();
    server.try_connect(&mut session, json!({}), json!({ "auto_reconnect": true })).unwrap();
    session.call::<Value>("mysql.do", &(1, "set autocommit=0")).unwrap();
    session.call::<Value>("mysql.do", &(1, "last")).unwrap_err();
    let error = session.call::<Value>("mysql.do", &(1, "insert")).unwrap_err();
    assert_eq!(error.err, Some(2006));
}

#[test]
fn many_executions_are_sent_ahead_and_each_has_its_outcome() {
    let server = Server::new(|mut peer, seen| {
        peer.log_in();
        // Not before there are ten of them is one answered.
        for _ in 0..10 {
            seen.send(peer.read().unwrap()).unwrap();
        }
        for number in 0..10 {
            peer.restart_numbers();
            if number == 3 {
                peer.error(1062, "Duplicate entry");
            } else {
                peer.send(&[0, 1, 100 + number, 2, 0, 0, 0]);
            }
        }
        while peer.read().is_some() {
            peer.ok();
        }
    });
    let mut session = server.connect();
    let tuples: Vec<(i32,)> = (0..10).map(|number| (number,)).collect();
    let reply: Value = session.call("mysql.execute_many", &(1, 1, "insert into t values (?)", tuples)).unwrap();
    let statuses = reply.at(0).unwrap().as_array().unwrap();
    assert_eq!(statuses.len(), 10);
    assert_eq!(statuses[3].at(0).unwrap().as_i64(), Some(1062));
    assert!(statuses.iter().enumerate().all(|(at, status)| at == 3 || status.as_i64() == Some(1)));
    assert_eq!(reply.at(2).unwrap().as_i64(), Some(109));
    assert_eq!(server.seen(), b"\x03insert into t values ('0')");
}

#[test]
fn what_is_queued_after_a_loss_fails_too_and_in_order() {
    let server = Server::answering(|peer, command, _| {
        if command.ends_with(b"'2')") {
            peer.hang_up();
        } else {
            peer.ok();
        }
    });
    let mut session = server.connect();
    for number in 0..200 {
        let sql = (number == 0).then_some("insert into t values (?)");
        session.call::<Value>("mysql.queue", &(1, 1, sql, (number,))).unwrap();
    }
    let reply: Value = session.call("mysql.sync", &(1,)).unwrap();
    let failures = reply.at(0).unwrap().as_array().unwrap();
    let numbers: Vec<_> = failures.iter().map(|failure| failure.at(0).unwrap().as_i64().unwrap()).collect();
    assert_eq!(numbers, (2..200).collect::<Vec<_>>());
    let errors: Vec<_> = failures.iter().map(|failure| failure.at(1).unwrap().as_i64().unwrap()).collect();
    assert_eq!((errors[0], errors[197]), (2013, 2006));
}

#[test]
fn a_long_result_is_taken_off_the_server_at_once() {
    const ROWS: usize = 200_000;
    let server = Server::answering(|peer, _, seen| {
        peer.column();
        for _ in 0..ROWS {
            peer.row("a value of some length");
        }
        peer.end();
        seen.send(b"all sent".to_vec()).unwrap();
    });
    let mut session = server.connect();
    let reply = execute(&mut session, "select c from t").unwrap();
    // Nobody fetches, and the server is done all the same.
    assert_eq!(server.seen(), b"all sent");
    let count: Value = session.call("mysql.rows", &(1,)).unwrap();
    assert_eq!(count.at(0).unwrap().as_i64(), i64::try_from(ROWS).ok());
    let mut got = values(&reply, 2).len();
    while got < ROWS {
        let reply: Value = session.call("mysql.fetch", &(1, None::<u8>, "f")).unwrap();
        got += values(&reply, 1).len();
    }
    assert_eq!(got, ROWS);
}

#[test]
fn rows_that_were_left_at_the_server_make_way_for_another_statement() {
    let server = Server::answering(|peer, command, _| {
        let count = if command.ends_with(b"many") { 50_000 } else { 1 };
        peer.column();
        for number in 0..count {
            peer.row(&number.to_string());
        }
        peer.end();
    });
    let mut session = server.connect();
    session.call::<Value>("mysql.config", &(1, json!({ "use_result": true }))).unwrap();
    let mut got = values(&execute(&mut session, "many").unwrap(), 2);
    let other: Value = session.call("mysql.select", &(1, 2, "one", None::<u8>, "f", i64::MIN)).unwrap();
    assert_eq!(values(&other, 2), ["0"]);
    while got.len() < 50_000 {
        let reply: Value = session.call("mysql.fetch", &(1, None::<u8>, "f")).unwrap();
        got.extend(values(&reply, 1));
    }
    assert!(got.iter().enumerate().all(|(at, value)| *value == at.to_string()));
}

#[test]
fn a_cancelled_call_asks_the_server_to_end_the_query() {
    let barrier = Arc::new(Barrier::new(2));
    let (at_query, killed) = (Arc::clone(&barrier), Arc::clone(&barrier));
    let server = Server::answering(move |peer, command, seen| {
        if command.ends_with(b"slow") {
            at_query.wait();
            at_query.wait();
            peer.error(1317, "Query execution was interrupted");
        } else if command[0] == QUERY {
            seen.send(command[1..].to_vec()).unwrap();
            peer.ok();
            if command[1..].starts_with(b"KILL") {
                killed.wait();
            }
        }
    });
    let mut session = server.connect();
    let slot = session.session().cancel_slot();
    let canceller = std::thread::spawn({
        let barrier = Arc::clone(&barrier);
        move || {
            barrier.wait();
            daemon::testing::cancel(&slot);
        }
    });
    let error = execute(&mut session, "slow").unwrap_err();
    canceller.join().unwrap();
    assert_eq!(error.err, Some(1317));
    assert_eq!(server.seen(), b"KILL QUERY 1");
    // The next statement is not the one that is hit, if the request came late.
    session.call::<Value>("mysql.do", &(1, "next")).unwrap();
    assert_eq!(server.seen(), b"DO 0");
    assert_eq!(server.seen(), b"next");
}

#[test]
fn a_silent_server_does_not_hold_a_cancelled_call() {
    let barrier = Arc::new(Barrier::new(2));
    let at_query = Arc::clone(&barrier);
    let server = Server::new(move |mut peer, _| {
        if peer.number == 1 {
            peer.log_in();
            peer.read();
            at_query.wait();
        }
        // Neither this connection nor another is told anything any more.
        while peer.read().is_some() {}
    });
    let mut session = server.connect();
    let slot = session.session().cancel_slot();
    let canceller = std::thread::spawn(move || {
        barrier.wait();
        daemon::testing::cancel(&slot);
    });
    let error = execute(&mut session, "slow").unwrap_err();
    canceller.join().unwrap();
    assert_eq!(error.err, Some(2013));
    assert_eq!(execute(&mut session, "next").unwrap_err().err, Some(2006));
}

#[test]
fn a_connect_to_a_silent_server_can_be_cancelled() {
    let server = Server::new(|mut peer, _| while peer.read().is_some() {});
    let mut session = session();
    let slot = session.session().cancel_slot();
    let is_over = AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Again and again, as the sentinel does.
            while !is_over.load(Ordering::Acquire) {
                daemon::testing::cancel(&slot);
                std::thread::yield_now();
            }
        });
        let result = server.try_connect(&mut session, json!({}), json!({}));
        is_over.store(true, Ordering::Release);
        result.unwrap_err()
    });
    assert_eq!(error.err, Some(2013));
}

#[test]
fn a_password_shows_nowhere() {
    let server = Server::new(|mut peer, _| {
        peer.greet("mysql_native_password");
        peer.error(1045, "Access denied for user 'me'@'localhost' (using password: YES)");
    });
    let error = server.try_connect(&mut session(), json!({ "password": "hunter2" }), json!({})).unwrap_err();
    assert_eq!((error.err, error.state.as_deref()), (Some(1045), Some("HY000")));
    assert!(!format!("{error:?}").contains("hunter2"));
}
