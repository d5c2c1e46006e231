//! Option files (`my.cnf`): groups of `name = value`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Longer files are not read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// How deep files may include others.
const MAX_INCLUDE_DEPTH: usize = 10;
/// Read in any case.
const GROUPS: [&str; 3] = ["client", "client-server", "client-mariadb"];
/// Read when only a group was named.
const STANDARD: [&str; 3] = ["/etc/my.cnf", "/etc/mysql/my.cnf", "~/.my.cnf"];

/// The options of the groups that were asked for. Dashes in names are underscores.
#[derive(Debug, Default)]
pub struct Options(HashMap<String, Vec<u8>>);

impl Options {
    /// Reads `file`, or the standard files in `home`'s terms, for the usual groups and `group`. A file that is not there is
    /// no error, as in the C client library.
    pub fn read(file: Option<&Path>, group: Option<&str>, home: Option<&Path>) -> Self {
        let mut options = Self::default();
        let files = match file {
            Some(file) => vec![file.to_owned()],
            None => STANDARD.iter().filter_map(|name| standard(name, home)).collect(),
        };
        for file in files {
            options.read_file(&file, group, 0);
        }
        options
    }

    /// An option's value.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// An option's value as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether a switch is on; one without a value is.
    pub fn switch(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| !matches!(value.to_ascii_lowercase().as_slice(), b"0" | b"off" | b"false"))
    }

    fn read_file(&mut self, file: &Path, group: Option<&str>, depth: usize) {
        let small = std::fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() <= MAX_FILE_BYTES);
        if !small || depth > MAX_INCLUDE_DEPTH {
            return;
        }
        let Ok(bytes) = std::fs::read(file) else { return };
        let mut is_wanted = false;
        for line in bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
            match line {
                [] | [b'#' | b';', ..] => {}
                [b'[', rest @ ..] => {
                    let name = rest.split(|&byte| byte == b']').next().unwrap_or_default().trim_ascii();
                    let named = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
                    is_wanted = GROUPS.iter().any(|wanted| named(wanted)) || group.is_some_and(named);
                }
                [b'!', rest @ ..] => self.include(rest, group, depth),
                line if is_wanted => self.set(line),
                _ => {}
            }
        }
    }

    fn include(&mut self, directive: &[u8], group: Option<&str>, depth: usize) {
        let Ok(directive) = std::str::from_utf8(directive) else { return };
        if let Some(folder) = directive.strip_prefix("includedir") {
            let Ok(entries) = std::fs::read_dir(folder.trim()) else { return };
            let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "cnf"));
            files.sort();
            for file in files {
                self.read_file(&file, group, depth + 1);
            }
        } else if let Some(file) = directive.strip_prefix("include") {
            self.read_file(Path::new(file.trim()), group, depth + 1);
        }
    }

    fn set(&mut self, line: &[u8]) {
        let (name, value) = match line.iter().position(|&byte| byte == b'=') {
            Some(at) => (line[..at].trim_ascii(), value(line[at + 1..].trim_ascii())),
            None => (line, Vec::new()),
        };
        let name = String::from_utf8_lossy(name).replace('-', "_").to_ascii_lowercase();
        self.0.insert(name.strip_prefix("loose_").map(str::to_owned).unwrap_or(name), value);
    }
}

fn standard(name: &str, home: Option<&Path>) -> Option<PathBuf> {
    match name.strip_prefix("~/") {
        Some(name) => home.map(|home| home.join(name)),
        None => Some(PathBuf::from(name)),
    }
}

/// A value without its quotes, or without the comment after it; with its escapes undone.
fn value(text: &[u8]) -> Vec<u8> {
    let inner = match text {
        [quote @ (b'\'' | b'"'), rest @ ..] => {
            let end = rest.iter().rposition(|byte| byte == quote).unwrap_or(rest.len());
            &rest[..end]
        }
        text => {
            let comment = text.windows(2).position(|here| here[0].is_ascii_whitespace() && here[1] == b'#');
            text[..comment.unwrap_or(text.len())].trim_ascii_end()
        }
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'b') => out.push(8),
            Some(b's') => out.push(b' '),
            Some(&other @ (b'"' | b'\'' | b'\\')) => out.push(other),
            Some(&other) => out.extend_from_slice(&[b'\\', other]),
            None => out.push(b'\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_values_are_read_as_the_client_library_does() {
        let folder = tempfile::tempdir().unwrap();
        let (main, more) = (folder.path().join("my.cnf"), folder.path().join("more.cnf"));
        std::fs::write(&more, "[mine]\nport = 3307 # not the usual\n").unwrap();
        let text = format!(
            "user=nobody\n[client]\nuser = 'anna maria'\npassword=\"a\\\"b#c\"\ncompress\n# x\n[mysqld]\nuser=mysql\n\
             [mine]\nssl-ca = /a\\sb\nhost=h\n!include {}\n[other]\nhost=no\n",
            more.display()
        );
        std::fs::write(&main, text).unwrap();
        let options = Options::read(Some(&main), Some("mine"), None);
        assert_eq!(options.text("user"), Some("anna maria"));
        assert_eq!(options.text("password"), Some("a\"b#c"));
        assert_eq!(options.text("ssl_ca"), Some("/a b"));
        assert_eq!((options.text("host"), options.text("port")), (Some("h"), Some("3307")));
        assert_eq!((options.switch("compress"), options.switch("ssl")), (Some(true), None));
        let options = Options::read(Some(&main), None, None);
        assert_eq!((options.text("host"), options.text("user")), (None, Some("anna maria")));
        assert!(Options::read(Some(Path::new("/does/not/exist")), None, None).0.is_empty());
    }
}
