//! Command tags: `INSERT 0 5`, `SELECT 3`, `CREATE TABLE`.

/// What a command did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tag {
    /// The words.
    pub command: String,
    /// To how many rows, where that is counted.
    pub rows: Option<u64>,
}

impl Tag {
    /// Reads the body of `CommandComplete`.
    pub fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(body));
        let numbers = text.find(|character: char| character.is_ascii_digit());
        let Some((command, numbers)) = numbers.map(|at| text.split_at(at)) else {
            return Self { command: text.into_owned(), rows: None };
        };
        Self {
            command: command.trim_end().to_owned(),
            rows: numbers.split(' ').next_back().and_then(|n| n.parse().ok()),
        }
    }

    /// Whether it may have changed what statements mean.
    pub fn changes_schema(&self) -> bool {
        const WORDS: [&str; 8] =
            ["CREATE", "ALTER", "DROP", "SELECT INTO", "REFRESH", "IMPORT", "REASSIGN", "SECURITY"];
        WORDS.iter().any(|word| self.command.starts_with(word))
    }

    /// Whether it took away prepared statements.
    pub fn forgets_statements(&self) -> bool {
        matches!(self.command.as_str(), "DISCARD ALL" | "DEALLOCATE ALL" | "DISCARD PLANS" | "DEALLOCATE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read() {
        let of = |text: &str| Tag::parse(format!("{text}\0").as_bytes());
        assert_eq!(of("INSERT 0 5"), Tag { command: "INSERT".into(), rows: Some(5) });
        assert_eq!(of("SELECT 3"), Tag { command: "SELECT".into(), rows: Some(3) });
        assert_eq!(of("CREATE TABLE"), Tag { command: "CREATE TABLE".into(), rows: None });
        assert_eq!(of(""), Tag::default());
        assert!(of("ALTER TABLE").changes_schema() && !of("UPDATE 1").changes_schema());
    }
}
