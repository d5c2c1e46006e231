//! Numbers given as strings, and numbers printed as Perl prints them.

use std::fmt::Write as _;

/// A double as Perl prints it: 15 significant digits, `Inf`, `-Inf`, `NaN`.
///
/// ```
/// assert_eq!(storable::perl_number(0.1 + 0.2), "0.3");
/// assert_eq!(storable::perl_number(1e21), "1e+21");
/// assert_eq!(storable::perl_number(-3.0), "-3");
/// ```
pub fn perl_number(number: f64) -> String {
    const DIGITS: i32 = 15;
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.into();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.into();
    }
    // C's %.15g, by way of d.dddddddddddddde[-]x.
    let scientific = format!("{number:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        let fixed = format!("{number:.decimals$}");
        return trim_zeros(&fixed).into();
    }
    let mut printed = String::from(trim_zeros(mantissa));
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(printed, "e{sign}{:02}", exponent.unsigned_abs());
    printed
}

fn trim_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

/// The shortest decimal that is exactly this double again, in a form that Perl numifies.
pub(crate) fn exact_number(number: f64) -> String {
    let printed = perl_number(number);
    match printed.parse::<f64>() {
        Ok(same) if same.to_bits() == number.to_bits() => printed,
        _ if !number.is_finite() => printed,
        _ if (1e-5..1e17).contains(&number.abs()) => number.to_string(),
        _ => format!("{number:e}"),
    }
}

/// A decimal integer, or a decimal number of integral value (`42`, ` +42 `, `42.0`, `1e3`).
pub(crate) fn parse_integer(text: &str) -> Option<i128> {
    let text = text.trim_ascii();
    if let Ok(int) = text.parse::<i128>() {
        return Some(int);
    }
    integral(parse_double(text)?)
}

/// An integral double as an integer, when it is small enough to be exact.
pub(crate) fn integral(number: f64) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)] // checked just before
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i128)
}

/// A decimal number as Perl reads one, without trailing garbage; `Inf` and `NaN` in any case.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    text.trim_ascii().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_like_perl() {
        for (number, printed) in [
            (1.5, "1.5"),
            (100.0, "100"),
            (1e15, "1e+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e300, "1e+300"),
            (1.0 / 3.0, "0.333333333333333"),
            (999_999_999_999_999.9, "1e+15"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(perl_number(number), printed);
        }
    }

    #[test]
    fn exact_numbers_are_exact() {
        for number in [0.1, 0.1 + 0.2, 1e300, 5e-324, f64::MAX, -1.0 / 3.0, 1e22] {
            assert_eq!(exact_number(number).parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
        assert_eq!(exact_number(0.1), "0.1");
    }

    #[test]
    fn parses_integers() {
        assert_eq!(parse_integer("42"), Some(42));
        assert_eq!(parse_integer(" +42\n"), Some(42));
        assert_eq!(parse_integer("1e3"), Some(1000));
        assert_eq!(parse_integer("-42.0"), Some(-42));
        for bad in ["", "4 2", "42x", "0x10", "1.5", "NaN", "Inf"] {
            assert_eq!(parse_integer(bad), None, "{bad}");
        }
    }
}
