//! What a plain word of YAML means: the core schema of YAML 1.2.

use serde_json::Number;

use super::Content;

/// What a word without quotes stands for; an error for a number that JSON has none for.
pub(super) fn plain(text: &str) -> Result<Content, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Flag(true),
        "false" | "False" | "FALSE" => Content::Flag(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN" => {
            return Err(format!("JSON has no such number: `{text}`"));
        }
        _ if json_number(text).is_some() => Content::Number(text.into()),
        _ => Content::Text(text.into()),
    })
}

/// The number that a word stands for, if it is one.
pub(super) fn json_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let first = digits.as_bytes().first()?;
    if !first.is_ascii_digit() && *first != b'.' {
        return None;
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return u64::from_str_radix(hexadecimal, 16).ok().map(Number::from);
    }
    // Rust's own parsers take what YAML does not: an underscore, `infinity`, `1e`.
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !digits.bytes().all(is_number) || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(Number::from(number));
    }
    if let Ok(number) = text.parse::<u64>() {
        return Some(Number::from(number));
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

/// The digits of a number as JSON writes it: those of the file, where they will do.
pub(super) fn json_digits(text: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => text.to_owned(),
        Err(_) => json_number(text).map_or_else(|| "null".to_owned(), |number| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_core_schema_says() {
        for (text, json) in [
            ("12", "12"),
            ("+5", "5"),
            ("007", "7"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("1e3", "1e3"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert!(matches!(plain(text), Ok(Content::Number(_))), "{text}");
            assert_eq!(json_digits(text), json);
        }
        for text in ["1.0.0", "1_000", "1e", "-", ".", "e5", "0x", "12:30", "yes", "infinity", "+", "1-2"] {
            assert!(matches!(plain(text), Ok(Content::Text(_))), "{text}");
        }
        assert!(plain(".inf").is_err());
    }
}
