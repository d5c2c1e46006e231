//! `?` as PostgreSQL has it: `$1`, `$2` …
//!
//! Strings, names in quotes, comments and dollar quotes are left alone. A `\?` is a question mark (an operator of
//! PostgreSQL's), as in `DBD::Pg`.

/// SQL with its question marks numbered; `None` if it has numbered placeholders, too.
pub fn numbered(sql: &str) -> Option<String> {
    let bytes = sql.as_bytes();
    let mut out = Vec::with_capacity(sql.len() + 16);
    let (mut at, mut count, mut has_numbers) = (0, 0, false);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let whole = match rest[0] {
            b'?' => {
                count += 1;
                out.extend_from_slice(format!("${count}").as_bytes());
                at += 1;
                continue;
            }
            b'\\' if rest.get(1) == Some(&b'?') => {
                out.push(b'?');
                at += 2;
                continue;
            }
            b'\'' => quoted(rest, b'\'', is_escape_string(&bytes[..at])),
            b'"' => quoted(rest, b'"', false),
            b'-' if rest.starts_with(b"--") => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => comment(rest),
            b'$' if !continues_name(&bytes[..at]) => dollar_quoted(rest).unwrap_or_else(|| {
                has_numbers |= rest.get(1).is_some_and(u8::is_ascii_digit);
                1
            }),
            _ => 1,
        };
        out.extend_from_slice(&rest[..whole]);
        at += whole;
    }
    if has_numbers && count > 0 {
        return None;
    }
    // Only whole characters have been copied, and ASCII put between them.
    String::from_utf8(out).ok()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn continues_name(before: &[u8]) -> bool {
    before.last().is_some_and(|&byte| is_name_byte(byte))
}

/// Whether the string that begins here is an `E'…'`.
fn is_escape_string(before: &[u8]) -> bool {
    matches!(before.last(), Some(b'e' | b'E')) && !continues_name(&before[..before.len() - 1])
}

/// The length of what stands in quotes, with them. A quote that is doubled is two such texts, one after the other.
fn quoted(text: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' if escapes => at += 1,
            byte if byte == quote => {
                if text.get(at + 1) != Some(&quote) {
                    return at + 1;
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The length of a comment; comments may be inside each other.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < text.len() {
        match &text[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of `$tag$…$tag$`, if that is what begins here.
fn dollar_quoted(text: &[u8]) -> Option<usize> {
    let end = 1 + text[1..].iter().position(|&byte| byte == b'$')?;
    let (tag, name) = (&text[..=end], &text[1..end]);
    let is_name = name.iter().all(|&byte| is_name_byte(byte)) && !name.first().is_some_and(u8::is_ascii_digit);
    if !is_name {
        return None;
    }
    let body = &text[tag.len()..];
    let close = body.windows(tag.len()).position(|part| part == tag);
    Some(close.map_or(text.len(), |close| tag.len() + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_numbered_and_everything_else_stays() {
        for (sql, expected) in [
            ("select ?, ?", "select $1, $2"),
            ("select '?', \"?\", ?", "select '?', \"?\", $1"),
            ("select 'it''s ?', ?", "select 'it''s ?', $1"),
            ("select E'\\'?', ?", "select E'\\'?', $1"),
            ("select '\\', ?", "select '\\', $1"),
            ("select type'\\', ?", "select type'\\', $1"),
            ("select 1 -- ?\n, ?", "select 1 -- ?\n, $1"),
            ("select /* ? /* ? */ ? */ ?", "select /* ? /* ? */ ? */ $1"),
            ("select $$?$$, $a$?$b$?$a$, ?", "select $$?$$, $a$?$b$?$a$, $1"),
            ("select a$b$ ? c$b$", "select a$b$ $1 c$b$"),
            ("select $1, $2", "select $1, $2"),
            ("select j \\? 'k', ?", "select j ? 'k', $1"),
            ("select 'é?', ? -- é", "select 'é?', $1 -- é"),
            ("select '?", "select '?"),
            ("select /* ?", "select /* ?"),
            ("select $$ ?", "select $$ ?"),
            ("", ""),
        ] {
            assert_eq!(numbered(sql).as_deref(), Some(expected), "{sql}");
        }
        assert_eq!(numbered("select $1, ?"), None);
    }
}
