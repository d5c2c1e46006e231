//! The configuration in effect, as a file that could be read again.

use std::fmt::Write as _;

use super::{ALL, Config, Given, Origin, Setting, Value};

impl Config {
    /// All settings as TOML, each with where it comes from.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for &setting in ALL {
            if section != setting.section() {
                self.end_section(&mut text, section);
                section = setting.section();
                let gap = if text.is_empty() { "" } else { "\n" };
                let _ = writeln!(text, "{gap}[{section}]");
            }
            let origin = self.given(setting).map_or(&Origin::Default, |given| &given.origin);
            line(&mut text, setting, self.value(setting), origin);
        }
        self.end_section(&mut text, section);
        text
    }

    /// The tables of certain databases belong to the pool.
    fn end_section(&self, text: &mut String, section: &str) {
        if section != "pool" {
            return;
        }
        for special in &self.special {
            let _ = writeln!(text, "\n[pool.{}]", quoted(&special.pattern));
            for Given { setting, value, origin } in &special.given {
                line(text, setting, value, origin);
            }
        }
    }
}

fn line(text: &mut String, setting: &Setting, value: &Value, origin: &Origin) {
    let left = format!("{} = {}", setting.key(), shown(value));
    let _ = writeln!(text, "{left:<40} # {origin}");
}

fn shown(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Count(count) => count.to_string(),
        Value::Seconds(seconds) => seconds.to_string(),
        Value::Text(text) => quoted(text),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
