use std::os::unix::fs::PermissionsExt;

use super::*;

fn read_text(text: &str) -> Result<Config, String> {
    read_two(&[("/c.toml", text)])
}

fn read_two(files: &[(&str, &str)]) -> Result<Config, String> {
    let (mut config, mut problems) = (Config::default(), Vec::new());
    for (path, text) in files {
        config.merge(Path::new(path), text, &mut problems);
    }
    config.checked(problems).map_err(|error| error.to_string())
}

#[test]
fn what_is_given_counts_and_the_rest_is_default() {
    let config = read_text("[pool]\nsize = 7\nidle_seconds = 0.5\nwhen_full = \"error\"\n").unwrap();
    assert_eq!(config.count(&settings::POOL_SIZE), 7);
    assert_eq!(config.time(&settings::POOL_IDLE), Duration::from_millis(500));
    assert_eq!(config.text(&settings::POOL_WHEN_FULL), "error");
    assert!(config.value(&settings::POOL_ENABLED).flag());
    assert_eq!(config.path(&settings::SPILL_DIRECTORY), Some("/var/tmp".into()));
    assert_eq!(config.path(&settings::LOG_FILE), None);
}

#[test]
fn later_files_count_key_by_key() {
    let config = read_two(&[
        ("/etc.toml", "[pool]\nsize = 7\nmin_idle = 2\n[pool.\"dbi:Pg:*\"]\nsize = 8\nmin_idle = 3\n"),
        ("/own.toml", "[pool]\nsize = 9\n[pool.\"dbi:Pg:*\"]\nsize = 10\n"),
    ])
    .unwrap();
    assert_eq!(config.count(&settings::POOL_SIZE), 9);
    assert_eq!(config.count(&settings::POOL_MIN_IDLE), 2);
    let of = |setting, dsn| config.value_for(setting, dsn).count();
    assert_eq!((of(&settings::POOL_SIZE, "dbi:Pg:x"), of(&settings::POOL_MIN_IDLE, "dbi:Pg:x")), (10, 3));
    assert_eq!(of(&settings::POOL_SIZE, "dbi:mysql:x"), 9);
}

#[test]
fn of_the_patterns_that_fit_the_last_counts() {
    let config = read_text(
        "[pool.\"dbi:Pg:*\"]\nsize = 1\nmin_idle = 1\n[pool.\"dbi:Pg:*host=db1*\"]\nsize = 2\n[pool.\"dbi:Pg:a\"]\nsize = 3\n",
    )
    .unwrap();
    for (dsn, size) in [("dbi:Pg:dbname=x;host=db1", 2), ("dbi:Pg:a", 3), ("dbi:Pg:", 1), ("dbi:Pg", 20)] {
        assert_eq!(config.value_for(&settings::POOL_SIZE, dsn).count(), size, "{dsn}");
    }
    assert_eq!(config.value_for(&settings::POOL_MIN_IDLE, "dbi:Pg:a").count(), 1);
}

#[test]
fn whatever_is_wrong_is_told_with_file_line_and_key() {
    for (text, expected) in [
        ("[pool]\n\nszie = 3\n", "/c.toml:3: there is no setting pool.szie; did you mean pool.size?"),
        ("[pol]\n", "/c.toml:1: there is no table pol; did you mean pool?"),
        ("[daemon]\n[spill]\nsize = 3\n", "/c.toml:3: there is no setting spill.size; did you mean pool.size?"),
        ("[daemon]\nidle_exit = 3", "did you mean daemon.idle_exit_seconds?"),
        ("size = 3", "there is no table size; did you mean pool.size?"),
        ("\npool = 3", "/c.toml:2: pool must be a table: [pool]"),
        ("[pool]\nsize = 0", "/c.toml:2: pool.size must be a whole number from 1 to 100000, not 0"),
        ("[pool]\nsize = -1", "not -1"),
        ("[pool]\nsize = 99999999999999999999", "not a number that is too large"),
        ("[pool]\nsize = \"many\"", "not \"many\""),
        ("[pool]\nsize = 1.5", "not 1.5"),
        ("[pool]\nidle_seconds = -1", "must be a number of seconds from 0 to"),
        ("[pool]\nidle_seconds = inf", "must be a number of seconds from 0 to"),
        ("[pool]\nidle_seconds = nan", "must be a number of seconds from 0 to"),
        ("[pool]\nenabled = \"yes\"", "pool.enabled must be true or false, not \"yes\""),
        ("[pool]\nwhen_full = \"wait\"", "must be one of \"open\", \"error\", not \"wait\""),
        ("[spill]\ndirectory = \"tmp\"", "must be an absolute path, or \"\", not \"tmp\""),
        ("[pool.x]\nsize = 1", "/c.toml:1: there is no setting pool.x; a table for certain databases is [pool.\"dbi:"),
        ("[pool.\"dbi:Pg:*\"]\nsise = 1", "/c.toml:2: there is no setting pool.sise; did you mean pool.size?"),
        ("[pool]\nsize = 1\nsize = 2\n", "/c.toml:3: duplicate key"),
        ("[pool]\nsize = [1\n", "/c.toml:"),
        ("[pool]\nsize = 2021-01-01", "not a date"),
        ("[[pool]]\nsize = 1", "pool must be a table"),
    ] {
        let told = read_text(text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(told.contains(expected), "{text:?}\n  {told}\n  {expected}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let told = read_text("[pool]\nsize = 0\nx = 1\n[spill]\nmax_bytes = -1\n").unwrap_err();
    assert_eq!(told.lines().count(), 4, "{told}");
}

#[test]
fn patterns() {
    for (pattern, text, fitting) in [
        ("dbi:Pg:*", "dbi:Pg:", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "acb", false),
        ("a*a", "a", false),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("*", "", true),
        ("**", "x", true),
        ("*bc*bc", "abc", false),
    ] {
        assert_eq!(read::fits(pattern, text), fitting, "{pattern} {text}");
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let text = "[pool]\nsize = 7\n[pool.\"dbi:Pg:a\\\"b\\\\\"]\nmin_idle = 2\n[spill]\ndirectory = \"/a\\u0007b\"\n";
    let config = read_text(text).unwrap();
    let shown = config.to_toml();
    let again = read_text(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    for &setting in ALL {
        assert_eq!(config.value(setting), again.value(setting));
    }
    assert_eq!(again.value_for(&settings::POOL_MIN_IDLE, "dbi:Pg:a\"b\\").count(), 2);
    assert!(shown.lines().any(|line| line.starts_with("size = 7 ") && line.ends_with("# /c.toml:2")), "{shown}");
}

#[test]
fn files_that_others_can_write_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().join("d");
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("c.toml");
    std::fs::write(&path, "[pool]\nsize = 3\n").unwrap();
    let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let told = || Config::of_file(&path).err().map(|error| error.to_string()).unwrap_or_default();
    for (file, folder, expected) in [
        (0o600, 0o755, ""),
        (0o644, 0o700, ""),
        (0o664, 0o755, "chmod go-w"),
        (0o646, 0o755, "chmod go-w"),
        (0o600, 0o777, "anybody may replace it"),
        (0o600, 0o1777, ""),
    ] {
        chmod(&path, file);
        chmod(&directory, folder);
        assert!(
            if expected.is_empty() { told().is_empty() } else { told().contains(expected) },
            "{file:o}: {}",
            told()
        );
    }
    std::fs::remove_file(&path).unwrap();
    assert!(told().contains("cannot be read"), "{}", told());
    std::fs::create_dir(&path).unwrap();
    assert!(told().contains("is not a file"), "{}", told());
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, b"[pool]\n# \xff\n").unwrap();
    assert!(told().contains("c.toml:2: this is not UTF-8"), "{}", told());
    std::fs::write(&path, vec![b'#'; usize::try_from(MAX_CONFIG_BYTES).unwrap() + 1]).unwrap();
    assert!(told().contains("MAX_CONFIG_BYTES"), "{}", told());
}

#[test]
fn the_places_are_those_of_the_documentation() {
    let of = |named: Option<&str>, config: Option<&str>, home: Option<&str>| -> Vec<String> {
        let places = find::places_of(named.map(Into::into), config.map(Into::into), home.map(Into::into));
        places.into_iter().map(|place| place.path.to_string_lossy().into_owned()).collect()
    };
    let system = "/etc/cpan-bridge/config.toml";
    assert_eq!(of(None, None, Some("/h")), [system, "/h/.config/cpan-bridge/config.toml"]);
    assert_eq!(of(None, Some("/x"), Some("/h")), [system, "/x/cpan-bridge/config.toml"]);
    assert_eq!(of(None, Some("relative"), Some("/h")), [system, "/h/.config/cpan-bridge/config.toml"]);
    assert_eq!(of(None, None, None), [system]);
    assert_eq!(of(Some("/a.toml"), Some("/x"), Some("/h")), ["/a.toml"]);
    assert!(of(Some("/dev/null"), Some("/x"), Some("/h")).is_empty());
}

#[test]
fn variables_are_read_like_files() {
    assert_eq!(settings::DAEMON_IDLE_EXIT.parse("2.5").unwrap(), Value::Seconds(2.5));
    assert_eq!(settings::LOG_LEVEL.parse("DEBUG").unwrap().text(), "debug");
    let told = settings::LOG_LEVEL.parse("loud").unwrap_err();
    assert!(told.contains("log.level must be one of") && told.contains("loud"), "{told}");
    assert!(settings::POOL_SIZE.parse("0").is_err());
}

#[test]
fn the_document_lists_every_setting_with_its_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let config = Config::default();
    let shown = config.to_toml();
    let mut section = String::new();
    let mut expected = Vec::new();
    for line in shown.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, rest)) = line.split_once(" = ") {
            expected.push(format!("| `{section}.{key}` | `{}` |", rest.split(" #").next().unwrap().trim()));
        }
    }
    assert_eq!(expected.len(), ALL.len());
    for row in &expected {
        assert!(text.contains(row), "docs/configuration.md lacks {row}");
    }
    let rows =
        text.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `/") && !line.starts_with("| `$"));
    assert_eq!(rows.count(), ALL.len(), "docs/configuration.md lists what is not there");
}
