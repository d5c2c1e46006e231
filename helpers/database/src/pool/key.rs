//! What makes two connections the same.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, OnceLock};

/// Whose connection to what. Cheap to clone.
///
/// The password and whatever else tells connections apart is in it as a digest of 128 bits under two keys that are
/// random and never leave this process: without them the digest says nothing, and with `SipHash` nobody finds another text
/// of the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Arc<Body>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Body {
    driver: &'static str,
    uid: u32,
    target: String,
    user: String,
    digest: [u64; 2],
}

impl Key {
    /// The key of `user` at `target`, both of which `status` shows. `hidden` is what it does not show: the password,
    /// connect attributes, the environment and files that matter.
    pub fn new(driver: &'static str, uid: u32, target: &str, user: &str, hidden: &(impl Hash + ?Sized)) -> Self {
        static STATES: OnceLock<[RandomState; 2]> = OnceLock::new();
        let states = STATES.get_or_init(|| [RandomState::new(), RandomState::new()]);
        let digest = states.each_ref().map(|state| state.hash_one(hidden));
        Self(Arc::new(Body { driver, uid, target: target.into(), user: user.into(), digest }))
    }

    /// The driver.
    pub fn driver(&self) -> &'static str {
        self.0.driver
    }

    /// The user of this machine whose connections these are.
    pub fn uid(&self) -> u32 {
        self.0.uid
    }

    /// What is connected to.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// The user of the database.
    pub fn user(&self) -> &str {
        &self.0.user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_makes_another_key() {
        let key = |driver, uid, target, user, hidden: &(&str, &str)| Key::new(driver, uid, target, user, hidden);
        let one = key("Pg", 1, "host=a", "u", &("pw", "x"));
        assert_eq!(one, key("Pg", 1, "host=a", "u", &("pw", "x")));
        for other in [
            key("mysql", 1, "host=a", "u", &("pw", "x")),
            key("Pg", 2, "host=a", "u", &("pw", "x")),
            key("Pg", 1, "host=b", "u", &("pw", "x")),
            key("Pg", 1, "host=a", "v", &("pw", "x")),
            key("Pg", 1, "host=a", "u", &("pW", "x")),
            key("Pg", 1, "host=a", "u", &("pwx", "")),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn the_password_is_not_in_it() {
        let shown = format!("{:?}", Key::new("Pg", 1, "host=a", "u", "hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
