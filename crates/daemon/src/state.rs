//! What helpers keep in a session: one value a type, made on first use, dropped with the session.

use std::any::{Any, TypeId};

/// The values, by type. A session has a handful, so a list is the fastest map.
#[derive(Default)]
pub struct States(Vec<(TypeId, Box<dyn Any + Send>)>);

impl States {
    /// The value of type `T`.
    pub fn get<T: Any + Send + Default>(&mut self) -> &mut T {
        let wanted = TypeId::of::<T>();
        let at = self.0.iter().position(|(id, _)| *id == wanted).unwrap_or_else(|| {
            self.0.push((wanted, Box::new(T::default())));
            self.0.len() - 1
        });
        match self.0[at].1.downcast_mut() {
            Some(value) => value,
            None => unreachable!("a value is filed under its own type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_own_value_and_keeps_it() {
        let mut states = States::default();
        *states.get::<u32>() += 2;
        states.get::<String>().push('x');
        *states.get::<u32>() += 3;
        assert_eq!(*states.get::<u32>(), 5);
        assert_eq!(states.get::<String>(), "x");
    }
}
