//! Statements that a connection has prepared on the server, or has seen once and may prepare the next time.

use std::collections::HashMap;
use std::sync::Arc;

use super::limits::{MAX_PLAN_BYTES, MAX_PLANS};
use super::wire::Columns;

/// SQL and the types of its parameters.
pub type Key = (Arc<[u8]>, Arc<[u32]>);

/// What is known of a statement's columns.
#[derive(Debug, Clone, Default)]
pub enum Described {
    /// Nothing.
    #[default]
    Unknown,
    /// These; `None`: it has no columns.
    As(Option<Arc<Columns>>),
}

/// What is known of a statement.
#[derive(Debug)]
pub struct Plan {
    key: Key,
    /// The number in its name on the server; `None` if it is not prepared.
    number: Option<u64>,
    used: u64,
    runs: u64,
    /// Used since the connection was reset.
    is_trusted: bool,
    /// Its columns.
    pub columns: Described,
}

/// Statements of a connection.
#[derive(Debug, Default)]
pub struct Plans {
    by_key: HashMap<Key, u32>,
    by_id: HashMap<u32, Plan>,
    next: u32,
    clock: u64,
    names: u64,
    /// Names to be forgotten by the server.
    stale: Vec<u64>,
}

/// A statement's name on the server.
pub fn name(number: u64) -> String {
    format!("dbdpg_p{}_{number}", std::process::id())
}

impl Plans {
    /// The number of a plan for this statement; it counts as run once more.
    pub fn run(&mut self, known: Option<u32>, key: &Key) -> u32 {
        self.clock += 1;
        let id = match known.filter(|id| self.by_id.contains_key(id)) {
            Some(id) => id,
            None => match self.by_key.get(key) {
                Some(&id) => id,
                None => self.add(key),
            },
        };
        if let Some(plan) = self.by_id.get_mut(&id) {
            plan.used = self.clock;
            plan.runs += 1;
        }
        id
    }

    fn add(&mut self, key: &Key) -> u32 {
        if self.by_id.len() >= MAX_PLANS {
            let oldest = self.by_id.iter().min_by_key(|(_, plan)| plan.used).map(|(&id, _)| id);
            if let Some(id) = oldest {
                self.forget(id);
            }
        }
        self.next = self.next.wrapping_add(1);
        let plan = Plan {
            key: key.clone(),
            number: None,
            used: self.clock,
            runs: 0,
            is_trusted: false,
            columns: Described::Unknown,
        };
        self.by_key.insert(key.clone(), self.next);
        self.by_id.insert(self.next, plan);
        self.next
    }

    /// A plan.
    pub fn get(&mut self, id: u32) -> Option<&mut Plan> {
        self.by_id.get_mut(&id)
    }

    /// What is known of a statement.
    pub fn find(&self, key: &Key) -> Option<&Plan> {
        self.by_id.get(self.by_key.get(key)?)
    }

    /// A new number for a name on the server.
    pub fn new_number(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    /// Whether such SQL is worth remembering.
    pub fn takes(sql: &[u8]) -> bool {
        sql.len() <= MAX_PLAN_BYTES
    }

    /// Forgets a plan; the server is told later.
    pub fn forget(&mut self, id: u32) {
        if let Some(plan) = self.by_id.remove(&id) {
            self.by_key.remove(&plan.key);
            self.stale.extend(plan.number);
        }
    }

    /// Forgets all; `on_server` says that the server has them still.
    pub fn forget_all(&mut self, on_server: bool) {
        let numbers = self.by_id.drain().filter_map(|(_, plan)| plan.number);
        if on_server {
            self.stale.extend(numbers);
        } else {
            numbers.for_each(drop);
            self.stale.clear();
        }
        self.by_key.clear();
    }

    /// The connection has been reset: what the statements mean may be something else.
    pub fn distrust(&mut self) {
        for plan in self.by_id.values_mut() {
            plan.is_trusted = false;
        }
    }

    /// Names that the server has to forget, once.
    pub fn take_stale(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.stale)
    }
}

impl Plan {
    /// The number of its name, if it is prepared.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// How often it was run.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Whether it was used since the connection was reset.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// It was used.
    pub fn trust(&mut self) {
        self.is_trusted = true;
    }

    /// It is prepared now.
    pub fn is_prepared(&mut self, number: u64) {
        self.number = Some(number);
        self.is_trusted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sql: &str) -> Key {
        (sql.as_bytes().into(), Arc::from([]))
    }

    #[test]
    fn the_same_sql_is_the_same_plan() {
        let mut plans = Plans::default();
        let first = plans.run(None, &key("a"));
        assert_eq!(plans.run(None, &key("a")), first);
        assert_eq!(plans.run(Some(first), &key("a")), first);
        assert_eq!(plans.get(first).map(|plan| plan.runs()), Some(3));
        assert_ne!(plans.run(None, &(b"a"[..].into(), Arc::from([23]))), first);
    }

    #[test]
    fn the_oldest_is_forgotten_and_the_server_told() {
        let mut plans = Plans::default();
        let oldest = plans.run(None, &key("oldest"));
        plans.get(oldest).unwrap().is_prepared(7);
        for index in 0..MAX_PLANS {
            plans.run(None, &key(&index.to_string()));
        }
        assert!(plans.get(oldest).is_none());
        assert_eq!(plans.take_stale(), [7]);
        assert!(plans.take_stale().is_empty());
        assert_ne!(plans.run(Some(oldest), &key("oldest")), oldest);
    }
}
