//! Which strings are numbers, as `DBD::SQLite` sees it: whole integers that fit 64 bits, and plain decimals. No
//! exponents, nothing behind, blanks only in front and only where a type was given.

/// A string that is a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `42`, `+42`, `-007`.
    Int(i64),
    /// `1.5`, or an integer beyond 64 bits.
    Real(f64),
}

/// Reads a string as a number; `blanks`: whether it may begin with spaces.
pub fn parse(text: &[u8], blanks: bool) -> Option<Number> {
    let text = if blanks { trim_start(text) } else { text };
    let digits = match text.first() {
        Some(b'+' | b'-') => &text[1..],
        _ => text,
    };
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole == 0 {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    match &digits[whole..] {
        [] => match text.parse() {
            Ok(int) => Some(Number::Int(int)),
            Err(_) => text.parse().ok().map(Number::Real),
        },
        [b'.', fraction @ ..] if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => {
            text.parse().ok().map(Number::Real)
        }
        _ => None,
    }
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|&&byte| byte == b' ').count();
    &text[blanks..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_text() {
        for (text, number) in [
            ("5", Some(Number::Int(5))),
            ("+7", Some(Number::Int(7))),
            ("-0", Some(Number::Int(0))),
            ("007", Some(Number::Int(7))),
            ("1.230", Some(Number::Real(1.23))),
            ("9223372036854775807", Some(Number::Int(i64::MAX))),
            ("9223372036854775808", Some(Number::Real(9_223_372_036_854_775_808.0))),
            (" 7", None),
            ("7 ", None),
            ("1.", None),
            (".5", None),
            ("1e3", None),
            ("5e-1", None),
            ("0x1F", None),
            ("inf", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(parse(text.as_bytes(), false), number, "{text:?}");
        }
        assert_eq!(parse(b" 7", true), Some(Number::Int(7)));
    }
}
