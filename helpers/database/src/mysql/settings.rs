//! Settings of a connection that are the driver's, not the server's.

use serde::Deserialize;

use super::rows::TextMode;
use super::sql::{Multibyte, Rules, Style};

/// What a client may set; what is left out stays as it is.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub struct Changes<'a> {
    #[serde(borrow)]
    text: Option<&'a str>,
    rules: Option<&'a str>,
    auto_reconnect: Option<bool>,
    guess: Option<bool>,
    use_result: Option<bool>,
    server_prepare: Option<bool>,
    server_prepare_disable_fallback: Option<bool>,
    comment_placeholders: Option<bool>,
    max_allowed_packet: Option<u64>,
    /// Where the client is now, if it has moved: files of LOAD DATA LOCAL INFILE begin there.
    pub cwd: Option<&'a str>,
}

/// Settings of a connection.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools)] // the drivers' switches, one each
pub struct Settings {
    /// What texts become.
    pub text: TextMode,
    /// Whether strings sent are characters.
    pub characters: bool,
    /// Whose rules for placeholders and numbers hold.
    pub rules: Rules,
    /// Whether a lost connection is replaced, outside of transactions.
    pub auto_reconnect: bool,
    /// Whether values that look like numbers are sent as such.
    pub guess: bool,
    /// Whether rows are left at the server until they are asked for.
    pub use_result: bool,
    /// Whether the server prepares statements.
    pub server_prepare: bool,
    /// Whether a statement the server cannot prepare is an error.
    pub no_fallback: bool,
    /// Whether placeholders count in comments.
    pub comment_placeholders: bool,
    /// Longer commands are not sent.
    pub max_allowed_packet: Option<u64>,
}

impl Settings {
    /// Takes over what was given.
    pub fn change(&mut self, changes: &Changes<'_>) {
        fn set(to: &mut bool, from: Option<bool>) {
            *to = from.unwrap_or(*to);
        }
        if let Some(text) = changes.text {
            self.characters = text == "chars";
            self.text = if text == "pv" { TextMode::Bytes } else { TextMode::Characters };
            if self.characters && changes.rules.is_none() {
                self.rules = Rules::Mariadb;
            }
        }
        if let Some(rules) = changes.rules {
            self.rules = if rules.eq_ignore_ascii_case("mariadb") { Rules::Mariadb } else { Rules::Mysql };
        }
        set(&mut self.auto_reconnect, changes.auto_reconnect);
        set(&mut self.guess, changes.guess);
        set(&mut self.use_result, changes.use_result);
        set(&mut self.server_prepare, changes.server_prepare);
        set(&mut self.no_fallback, changes.server_prepare_disable_fallback);
        set(&mut self.comment_placeholders, changes.comment_placeholders);
        self.max_allowed_packet = changes.max_allowed_packet.or(self.max_allowed_packet);
    }

    /// How values are written, for a connection in this state.
    pub fn style(&self, no_backslash_escapes: bool, charset: Option<&str>) -> Style {
        let multibyte = charset.and_then(Multibyte::of);
        Style { rules: self.rules, no_backslash_escapes, characters: self.characters, guess: self.guess, multibyte }
    }
}
