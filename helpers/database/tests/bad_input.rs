//! Every function with parameters it was not made for: an error of the call, never a fault of the daemon.
#![allow(clippy::unwrap_used)]

mod common;

use common::{D, call, open, rows, run};
use storable::Value;

/// Rounds of all functions.
const ROUNDS: usize = 60;

/// A small generator, so that every run is the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 9 } else { 11 }) {
            0 => Value::Undef,
            1 => Value::Int(1),
            2 => Value::Int(0),
            3 => Value::Int(-1),
            4 => [i64::MAX, i64::MIN, 1 << 31, -7][self.below(4)].into(),
            5 => [0.5, f64::NAN, f64::INFINITY, -1e300][self.below(4)].into(),
            6 => Value::Bytes(b"\xff\x00\xfe".to_vec()),
            7 => Value::from(["", "t", "a", "\u{263a}", "main", "h"][self.below(6)]),
            8 => Value::from(["select * from t", "insert into t values(?)", "nonsense", "begin"][self.below(4)]),
            9 => Value::Array((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::hash([("flags", self.value(depth - 1)), ("begin", self.value(depth - 1))]),
        }
    }
}

#[test]
fn no_parameters_are_a_fault() {
    let mut chance = Chance(7);
    for round in 0..ROUNDS {
        let mut session = open();
        run(&mut session, "create table t(a)");
        call(&mut session, "sqlite.prepare", &(D, 1, "select a, ? from t"));
        // These would leave files behind.
        let functions =
            database::SQLITE.functions.iter().filter(|function| !["open", "backup"].contains(&function.name));
        for function in functions {
            let count = chance.below(7);
            let mut params: Vec<Value> = (0..count).map(|_| chance.value(2)).collect();
            // Half of the calls are about what is there.
            if let Some(first) = params.first_mut().filter(|_| round % 2 == 0) {
                *first = Value::Int(1);
            }
            let params = Value::Array(params);
            let name = format!("sqlite.{}", function.name);
            if let Err(error) = session.call::<Value>(&name, &params) {
                assert_ne!(error.code, "internal", "{name} {params:?}: {error}");
            }
        }
        // Whatever happened to this connection, the next one works.
        drop(session);
        let mut session = open();
        assert_eq!(rows(&mut session, "select 1").len(), 1);
    }
}

#[test]
fn the_public_functions_neither() {
    let mut chance = Chance(11);
    let mut session = common::session();
    for _ in 0..ROUNDS {
        for function in database::DATABASE.functions.iter().filter(|function| !function.name.starts_with("connect")) {
            let count = chance.below(5);
            let params = Value::Array((0..count).map(|_| chance.value(2)).collect());
            let error = session.call::<Value>(&format!("database.{}", function.name), &params).unwrap_err();
            assert_ne!(error.code, "internal", "{} {params:?}: {error}", function.name);
        }
    }
}
