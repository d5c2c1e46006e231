//! TOML into values, by the table of settings. All that is wrong is told at once.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::Found;
use super::{ALL, Config, Given, Origin, Problem, Setting, Special};

/// Tables of patterns are in this one.
const POOL: &str = "pool";
/// What patterns begin with.
const DSN: &str = "dbi:";

/// Reads a file into `config`.
pub(super) fn read(path: &Path, text: &str, config: &mut Config, problems: &mut Vec<Problem>) {
    let mut reader = Reader { path: path.into(), text, config, problems };
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        reader.document(document.get_ref());
    }
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.complain(at, error.message().to_owned());
    }
}

struct Reader<'r> {
    path: Arc<Path>,
    text: &'r str,
    config: &'r mut Config,
    problems: &'r mut Vec<Problem>,
}

/// The entries of a table in the order of the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t str, usize, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value)).collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

impl Reader<'_> {
    fn origin(&self, at: usize) -> Origin {
        let line = self.text.as_bytes()[..at.min(self.text.len())].split(|&byte| byte == b'\n').count();
        Origin::File(Arc::clone(&self.path), line)
    }

    fn complain(&mut self, at: usize, text: String) {
        let origin = Some(self.origin(at));
        self.problems.push(Problem { origin, text });
    }

    fn document(&mut self, document: &DeTable<'_>) {
        for (section, at, value) in in_order(document) {
            let is_known = ALL.iter().any(|setting| setting.section() == section);
            match value.get_ref() {
                DeValue::Table(table) if is_known => self.section(section, table),
                _ if is_known => self.complain(at, format!("{section} must be a table: [{section}]")),
                _ => self.complain(at, unknown(section, section)),
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, at, value) in in_order(table) {
            match value.get_ref() {
                DeValue::Table(table) if section == POOL && key.starts_with(DSN) => self.special(key, table),
                value => {
                    if let Some(given) = self.given(&format!("{section}.{key}"), key, at, value) {
                        self.config.give(given);
                    }
                }
            }
        }
    }

    fn special(&mut self, pattern: &str, table: &DeTable<'_>) {
        let mut given = Vec::new();
        for (key, at, value) in in_order(table) {
            given.extend(self.given(&format!("{POOL}.{key}"), key, at, value.get_ref()));
        }
        // One that a later file repeats is merged key by key, too, and counts as the later one.
        let before = self.config.special.iter().position(|special| special.pattern == pattern);
        let mut special = before.map_or_else(
            || Special { pattern: pattern.into(), given: Vec::new() },
            |place| self.config.special.remove(place),
        );
        special.given.retain(|known| given.iter().all(|new| new.setting != known.setting));
        special.given.extend(given);
        self.config.special.push(special);
    }

    fn given(&mut self, name: &str, key: &str, at: usize, value: &DeValue<'_>) -> Option<Given> {
        let Some(setting) = ALL.iter().copied().find(|setting| setting.name == name) else {
            self.complain(at, unknown(name, key));
            return None;
        };
        match setting.accept(&found(value)) {
            Ok(value) => Some(Given { setting, value, origin: self.origin(at) }),
            Err(text) => {
                self.complain(at, text);
                None
            }
        }
    }
}

fn found<'v>(value: &'v DeValue<'_>) -> Found<'v> {
    match value {
        DeValue::String(text) => Found::Text(text),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Found::Other("a number that is too large"), Found::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Found::Other("a number"), Found::Float),
        DeValue::Boolean(flag) => Found::Flag(*flag),
        DeValue::Datetime(_) => Found::Other("a date"),
        DeValue::Array(_) => Found::Other("an array"),
        DeValue::Table(_) => Found::Other("a table"),
    }
}

/// What is said about a name that is not there.
fn unknown(name: &str, key: &str) -> String {
    let what = if name.contains('.') { "setting" } else { "table" };
    match nearest(name, key) {
        Some(near) => format!("there is no {what} {name}; did you mean {near}?"),
        None if name.starts_with("pool.") => {
            format!("there is no setting {name}; a table for certain databases is [pool.\"dbi:Pg:*dbname=sales*\"]")
        }
        None => format!("there is no {what} {name}; `cpan-bridge config show` lists what there is"),
    }
}

/// The name that was probably meant.
fn nearest(name: &str, key: &str) -> Option<&'static str> {
    let bound = |text: &str| 2.max(text.len() / 3);
    if !name.contains('.') {
        let sections = ALL.iter().map(|setting| (distance(setting.section(), name), setting.section()));
        let section = sections.min().filter(|(distance, _)| *distance <= bound(name)).map(|(_, section)| section);
        return section.or_else(|| same_key(key).map(|setting| setting.name));
    }
    let near = ALL.iter().map(|setting| (distance(setting.name, name), setting.name)).min();
    let near = near.filter(|(distance, _)| *distance <= bound(key)).map(|(_, name)| name);
    near.or_else(|| same_key(key).map(|setting| setting.name))
}

/// The setting of this key in another table, if it is the only one.
fn same_key(key: &str) -> Option<&'static Setting> {
    ALL.iter().copied().find(|setting| setting.key() == key || setting.key().starts_with(&format!("{key}_")))
}

/// How many letters have to be changed, added or taken away (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], line + 1);
        for (place, &theirs) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != theirs);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Whether a pattern, in which `*` stands for anything, fits a text.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
