//! Errors and notices of the server, put into words as libpq does.

use std::fmt::Write as _;

use crate::postgres::pq;

/// How much of an error is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Severity, text and position.
    Terse,
    /// Detail, hint and context, too.
    #[default]
    Default,
    /// Everything.
    Verbose,
}

impl Level {
    /// As in `pg_errorlevel`; any other number is the default.
    pub fn of(number: i64) -> Self {
        match number {
            0 => Self::Terse,
            2 => Self::Verbose,
            _ => Self::Default,
        }
    }
}

/// The fields of an error or a notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice(Vec<(u8, String)>);

/// Names of fields as `pg_error_field` knows them.
pub const FIELD_NAMES: &[(u8, &str)] = &[
    (b'S', "severity"),
    (b'V', "severity_nonlocal"),
    (b'C', "state"),
    (b'M', "primary"),
    (b'D', "detail"),
    (b'H', "hint"),
    (b'P', "statement_position"),
    (b'p', "internal_position"),
    (b'q', "internal_query"),
    (b'W', "context"),
    (b's', "schema"),
    (b't', "table"),
    (b'c', "column"),
    (b'd', "type"),
    (b'n', "constraint"),
    (b'F', "source_file"),
    (b'L', "source_line"),
    (b'R', "source_function"),
];

impl Notice {
    /// Reads the body of a message.
    pub fn parse(body: &[u8]) -> Self {
        let mut fields = Vec::new();
        let mut rest = body;
        while let Some((&kind @ 1.., text)) = rest.split_first() {
            let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
            fields.push((kind, String::from_utf8_lossy(&text[..end]).into_owned()));
            rest = text.get(end + 1..).unwrap_or_default();
        }
        Self(fields)
    }

    /// A field.
    pub fn field(&self, kind: u8) -> Option<&str> {
        self.0.iter().find(|field| field.0 == kind).map(|field| field.1.as_str())
    }

    /// SQLSTATE.
    pub fn state(&self) -> &str {
        self.field(b'C').unwrap_or_default()
    }

    /// Whether the server ends the connection with it.
    pub fn is_fatal(&self) -> bool {
        matches!(self.field(b'V').or_else(|| self.field(b'S')), Some("FATAL" | "PANIC"))
    }

    /// Fields with the names of `pg_error_field`.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        FIELD_NAMES.iter().filter_map(|&(kind, name)| Some((name, self.field(kind)?)))
    }

    /// In words, each line with its end. `sql` is what it is about; notices leave out the context.
    pub fn words(&self, level: Level, sql: Option<&[u8]>, is_error: bool) -> String {
        let mut words = String::new();
        self.head(&mut words, level);
        let mut shown: Option<(Vec<u8>, usize)> = None;
        let position = |kind| self.field(kind).and_then(|text| text.parse::<usize>().ok());
        if let Some(at) = position(b'P') {
            match sql.filter(|_| level != Level::Terse) {
                Some(sql) => shown = Some((sql.to_vec(), at)),
                None => _ = write!(words, " at character {at}"),
            }
        } else if let Some(at) = position(b'p') {
            match self.field(b'q').filter(|_| level != Level::Terse) {
                Some(sql) => shown = Some((sql.as_bytes().to_vec(), at)),
                None => _ = write!(words, " at character {at}"),
            }
        }
        words.push('\n');
        if level != Level::Terse {
            if let Some((sql, at)) = shown {
                point_out(&mut words, &String::from_utf8_lossy(&sql), at);
            }
            self.lines(&mut words, &[(b'D', "DETAIL"), (b'H', "HINT"), (b'q', "QUERY")]);
            if is_error {
                self.lines(&mut words, &[(b'W', "CONTEXT")]);
            }
        }
        if level == Level::Verbose {
            let names = [
                (b's', "SCHEMA NAME"),
                (b't', "TABLE NAME"),
                (b'c', "COLUMN NAME"),
                (b'd', "DATATYPE NAME"),
                (b'n', "CONSTRAINT NAME"),
            ];
            self.lines(&mut words, &names);
            self.location(&mut words);
        }
        words
    }

    fn head(&self, words: &mut String, level: Level) {
        if let Some(severity) = self.field(b'S') {
            _ = write!(words, "{severity}:  ");
        }
        if level == Level::Verbose
            && let Some(state) = self.field(b'C')
        {
            _ = write!(words, "{state}: ");
        }
        words.push_str(self.field(b'M').unwrap_or_default());
    }

    fn lines(&self, words: &mut String, fields: &[(u8, &str)]) {
        for (kind, title) in fields {
            if let Some(text) = self.field(*kind) {
                _ = writeln!(words, "{title}:  {text}");
            }
        }
    }

    fn location(&self, words: &mut String) {
        let (file, line, function) = (self.field(b'F'), self.field(b'L'), self.field(b'R'));
        if file.is_none() && line.is_none() && function.is_none() {
            return;
        }
        words.push_str("LOCATION:  ");
        if let Some(function) = function {
            _ = write!(words, "{function}, ");
        }
        if let Some((file, line)) = file.zip(line) {
            _ = write!(words, "{file}:{line}");
        }
        words.push('\n');
    }
}

/// A line of SQL is shown with so many columns, …
const SHOWN_COLUMNS: usize = 60;
/// … of which so many are right of the place pointed at.
const RIGHT_COLUMNS: usize = 10;

/// The line of `sql` that has the character `at` (from 1), and a pointer to it.
fn point_out(words: &mut String, sql: &str, at: usize) {
    let Some(at) = at.checked_sub(1) else { return };
    let characters: Vec<char> = sql.chars().collect();
    if at > characters.len() {
        return;
    }
    let (mut number, mut begin) = (1, 0);
    for (index, character) in characters[..at].iter().enumerate() {
        let goes_on = *character == '\n' && index > 0 && characters[index - 1] == '\r';
        if matches!(character, '\n' | '\r') {
            number += usize::from(!goes_on);
            begin = index + 1;
        }
    }
    let length = characters[at..].iter().position(|character| matches!(character, '\n' | '\r'));
    let mut end = length.map_or(characters.len(), |length| at + length);
    // Where each character stands on the screen.
    let mut columns = vec![0];
    for character in &characters[..end] {
        let mut buffer = [0; 4];
        let width = match character {
            ' '..='~' => 1,
            character => pq::display_width(character.encode_utf8(&mut buffer).as_bytes()).max(1),
        };
        columns.push(columns[columns.len() - 1] + width);
    }
    let (mut cut_left, mut cut_right) = (false, false);
    if columns[end] - columns[begin] > SHOWN_COLUMNS {
        if columns[begin] + SHOWN_COLUMNS >= columns[at] + RIGHT_COLUMNS {
            while columns[end] - columns[begin] > SHOWN_COLUMNS {
                end -= 1;
            }
            cut_right = true;
        } else {
            while columns[at] + RIGHT_COLUMNS < columns[end] {
                end -= 1;
                cut_right = true;
            }
            while columns[end] - columns[begin] > SHOWN_COLUMNS {
                begin += 1;
                cut_left = true;
            }
        }
    }
    let mut prefix = format!("LINE {number}: ");
    if cut_left {
        prefix.push_str("...");
    }
    words.push_str(&prefix);
    words.extend(characters[begin..end].iter().map(|&character| if character == '\t' { ' ' } else { character }));
    if cut_right {
        words.push_str("...");
    }
    let indent = prefix.len() + columns[at] - columns[begin];
    _ = writeln!(words, "\n{:indent$}^", "");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(fields: &[(u8, &str)]) -> Notice {
        let mut body = Vec::new();
        for (kind, text) in fields {
            body.push(*kind);
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        Notice::parse(&body)
    }

    #[test]
    fn the_place_is_pointed_out() {
        let error = notice(&[(b'S', "ERROR"), (b'C', "42703"), (b'M', "column \"fooo\" does not exist"), (b'P', "13")]);
        let sql = "select 1,\n\t fooo  from pg_class -- abc";
        assert_eq!(
            error.words(Level::Default, Some(sql.as_bytes()), true),
            "ERROR:  column \"fooo\" does not exist\nLINE 2:   fooo  from pg_class -- abc\n          ^\n"
        );
        assert_eq!(
            error.words(Level::Terse, Some(sql.as_bytes()), true),
            "ERROR:  column \"fooo\" does not exist at character 13\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let list = |text: &str| (1..=30).map(|n| format!("'{text}{n}'")).collect::<Vec<_>>().join(",");
        let sql = format!("select {}, foo, {}", list("aaaaaaaaaaa"), list("bbbbbbbb"));
        let at = sql.find(" foo").unwrap() + 2;
        let error = notice(&[(b'S', "ERROR"), (b'M', "x"), (b'P', &at.to_string())]);
        assert_eq!(
            error.words(Level::Default, Some(sql.as_bytes()), true),
            "ERROR:  x\n\
             LINE 1: ...,'aaaaaaaaaaa28','aaaaaaaaaaa29','aaaaaaaaaaa30', foo, 'bbbb...\n\
             \x20                                                            ^\n"
        );
    }

    #[test]
    fn everything_is_told_when_asked_for() {
        let error = notice(&[
            (b'S', "ERROR"),
            (b'V', "ERROR"),
            (b'C', "23505"),
            (b'M', "twice"),
            (b'D', "Key (a)=(1) already exists."),
            (b't', "t"),
            (b'n', "t_pkey"),
            (b'F', "nbtinsert.c"),
            (b'L', "664"),
            (b'R', "_bt_check_unique"),
        ]);
        assert_eq!(
            error.words(Level::Verbose, None, true),
            "ERROR:  23505: twice\nDETAIL:  Key (a)=(1) already exists.\nTABLE NAME:  t\nCONSTRAINT NAME:  t_pkey\n\
             LOCATION:  _bt_check_unique, nbtinsert.c:664\n"
        );
        assert!(!error.is_fatal());
        assert_eq!(error.named().find(|field| field.0 == "constraint"), Some(("constraint", "t_pkey")));
    }

    #[test]
    fn a_broken_message_is_read_as_far_as_it_goes() {
        assert_eq!(Notice::parse(b"Sabc").field(b'S'), Some("abc"));
        assert_eq!(Notice::parse(b"").words(Level::Default, None, true), "\n");
    }
}
