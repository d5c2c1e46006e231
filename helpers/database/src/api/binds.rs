//! Values for placeholders, as callers give them: plain, `[value, type]`, or `{value, type}`.

use storable::Value;

/// What a value is bound as. The numbers are those of the drivers' binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Integer,
    Real,
    Text,
    Blob,
}

/// A value and what it is bound as; `None` leaves that to the driver.
#[derive(Debug, Clone, PartialEq)]
pub struct Bind {
    pub value: Value,
    pub class: Option<Class>,
}

impl Bind {
    /// With the class that the caller names, or else the one that its own type asks for.
    pub fn new(given: &Value) -> Self {
        let (value, kind) = match given {
            Value::Array(pair) => (pair.first().unwrap_or(&Value::Undef), pair.get(1)),
            Value::Hash(_) => (given.get("value").unwrap_or(&Value::Undef), given.get("type")),
            value => (value, None),
        };
        let natural = || match value {
            Value::Int(_) | Value::Bool(_) => Some(Class::Integer),
            Value::Double(_) => Some(Class::Real),
            _ => None,
        };
        Self { value: value.clone(), class: kind.and_then(Class::of).or_else(natural) }
    }
}

impl Class {
    /// The class of an SQL type, by DBI's number or by name.
    fn of(kind: &Value) -> Option<Self> {
        if let Some(number) = kind.as_i64() {
            return Some(match number {
                4 | 5 | 16 | -5 | -6 => Self::Integer,
                6..=8 => Self::Real,
                30 | -2 | -3 | -4 | -7 => Self::Blob,
                _ => Self::Text,
            });
        }
        let name = kind.as_str()?.to_ascii_uppercase();
        Some(match name.trim_start_matches("SQL_") {
            "INTEGER" | "INT" | "BIGINT" | "SMALLINT" | "TINYINT" | "BOOLEAN" => Self::Integer,
            "REAL" | "FLOAT" | "DOUBLE" => Self::Real,
            "BLOB" | "BINARY" | "VARBINARY" | "LONGVARBINARY" | "BIT" | "BYTEA" => Self::Blob,
            _ => Self::Text,
        })
    }
}

/// The values by position, then those by the number that `place` finds for a key.
pub fn all<E>(
    values: &[Value],
    params: Option<&Value>,
    place: impl Fn(&str) -> Result<usize, E>,
) -> Result<Vec<Bind>, E> {
    let mut binds: Vec<Bind> = values.iter().map(Bind::new).collect();
    for (key, value) in params.and_then(Value::as_hash).unwrap_or_default() {
        let index = place(&key.to_text())?;
        if binds.len() <= index {
            binds.resize(index + 1, Bind { value: Value::Undef, class: None });
        }
        binds[index] = Bind::new(value);
    }
    Ok(binds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_may_come_with_the_value_in_three_ways() {
        let pair = |kind: Value| Value::array([Value::from("7"), kind]);
        for (given, class) in [
            (Value::Int(7), Some(Class::Integer)),
            (Value::Double(0.5), Some(Class::Real)),
            (Value::from("7"), None),
            (Value::Undef, None),
            (pair(Value::from("INTEGER")), Some(Class::Integer)),
            (pair(Value::from("sql_varchar")), Some(Class::Text)),
            (pair(Value::Int(-2)), Some(Class::Blob)),
            (Value::hash([("value", "7"), ("type", "REAL")]), Some(Class::Real)),
            (Value::hash([("value", "7")]), None),
        ] {
            assert_eq!(Bind::new(&given).class, class, "{given:?}");
        }
    }

    #[test]
    fn gaps_between_numbers_are_null() {
        let params = Value::hash([("3", "c")]);
        let place = |key: &str| key.parse::<usize>().map(|number| number - 1);
        let binds = all(&[Value::from("a")], Some(&params), place).unwrap();
        let values: Vec<_> = binds.into_iter().map(|bind| bind.value).collect();
        assert_eq!(values, [Value::from("a"), Value::Undef, Value::from("c")]);
    }
}
