//! Service files: connection parameters under a name.

use std::path::{Path, PathBuf};

/// Where else a service file may be: libpq's own place depends on who built it.
const SYSTEM_FOLDERS: &[&str] = &["/etc/postgresql-common", "/etc", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc"];
const NAME: &str = "pg_service.conf";

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The file that was named.
    pub file: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// The folder that was named for the system's file.
    pub folder: Option<PathBuf>,
}

impl Places {
    /// The parameters of a service; an error has libpq's words.
    pub fn find(&self, service: &str) -> Result<Vec<(String, String)>, String> {
        let own = match (&self.file, &self.home) {
            (Some(file), _) if !file.exists() => {
                return Err(format!("service file \"{}\" not found", file.display()));
            }
            (Some(file), _) => Some(file.clone()),
            (None, home) => home.as_ref().map(|home| home.join(".pg_service.conf")),
        };
        let system: Vec<_> = match &self.folder {
            Some(folder) => vec![folder.join(NAME)],
            None => SYSTEM_FOLDERS.iter().map(|folder| Path::new(folder).join(NAME)).collect(),
        };
        for path in own.into_iter().chain(system) {
            let Ok(text) = std::fs::read(&path) else { continue };
            if let Some(found) = parse(&String::from_utf8_lossy(&text), service, &path)? {
                return Ok(found);
            }
        }
        Err(format!("definition of service \"{service}\" not found"))
    }
}

/// The parameters of a service in a file, if it is there.
fn parse(text: &str, service: &str, path: &Path) -> Result<Option<Vec<(String, String)>>, String> {
    let mut found: Option<Vec<(String, String)>> = None;
    let mut is_ours = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            is_ours = name.strip_suffix(']') == Some(service);
            if is_ours {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(params) = found.as_mut().filter(|_| is_ours) else { continue };
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("syntax error in service file \"{}\", line {}", path.display(), index + 1));
        };
        if name == "service" {
            return Err(format!(
                "nested service specifications not supported in service file \"{}\", line {}",
                path.display(),
                index + 1
            ));
        }
        params.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# a comment\n[other]\nhost=x\n\n[zephyr]\ndbname=winds\nuser=wisp\npassword=a=b\n[zephyr]\nport=1\n";

    fn find(text: &str, service: &str) -> Result<Option<Vec<(String, String)>>, String> {
        parse(text, service, Path::new("/f"))
    }

    #[test]
    fn a_service_is_found() {
        let found = find(TEXT, "zephyr").unwrap().unwrap();
        let pairs: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("dbname", "winds"), ("user", "wisp"), ("password", "a=b")]);
        assert_eq!(find(TEXT, "none"), Ok(None));
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(find("[a]\nx\n", "a"), Err("syntax error in service file \"/f\", line 2".into()));
        assert!(find("[a]\nservice=b\n", "a").unwrap_err().starts_with("nested service"));
        assert_eq!(find("[b]\nx\n[a]\n", "a"), Ok(Some(vec![])));
        let places = Places { file: Some("/nowhere/f".into()), ..Places::default() };
        assert_eq!(places.find("a"), Err("service file \"/nowhere/f\" not found".into()));
    }
}
