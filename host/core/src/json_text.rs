//! JSON that is checked once and then kept and passed on byte for byte.

use serde::de::{Deserializer as _, Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How deep arrays and objects may nest.
pub const MAX_JSON_DEPTH: usize = 128;

/// A JSON text (RFC 8259): well-formed, nested at most [`MAX_JSON_DEPTH`] deep, without lone surrogates.
///
/// The text is kept as it came, so numbers keep their digits and objects their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonText(Box<str>);

/// Why a text is not accepted as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not well-formed, or with a lone surrogate.
    #[error("not valid JSON: {0}")]
    Malformed(String),
    /// Nested deeper than [`MAX_JSON_DEPTH`].
    #[error("nested deeper than {MAX_JSON_DEPTH} levels")]
    TooDeep,
    /// Longer than allowed here.
    #[error("{size} bytes long; the limit is {limit}")]
    TooLarge {
        /// The length in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl JsonText {
    /// Checks the text, which may be at most `limit` bytes long.
    pub fn parse(text: impl Into<String>, limit: usize) -> Result<Self, JsonError> {
        let text = text.into();
        if text.len() > limit {
            return Err(JsonError::TooLarge { size: text.len(), limit });
        }
        check(&text)?;
        Ok(Self(text.into_boxed_str()))
    }

    /// Takes a text that was checked before it was stored.
    pub fn from_trusted(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Writes a value as JSON.
    pub fn from_value<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(text.into_boxed_str()))
    }

    /// The text `null`.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// The text `{}`.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// No text: the payload of a step, for which the workflow's input stands.
    pub fn absent() -> Self {
        Self("".into())
    }

    /// Whether there is no text.
    pub fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: even the shortest JSON text has one byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, owned.
    pub fn into_boxed_str(self) -> Box<str> {
        self.0
    }
}

/// Depth is counted outside strings, then the syntax is left to `serde_json`, which decodes nothing here and so has no say
/// about surrogates.
fn check(text: &str) -> Result<(), JsonError> {
    if json_depth(text) > MAX_JSON_DEPTH {
        return Err(JsonError::TooDeep);
    }
    let malformed = |error: serde_json::Error| JsonError::Malformed(error.to_string());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // The depth was bounded above, and serde_json's own bound is one level short of ours.
    deserializer.disable_recursion_limit();
    deserializer.deserialize_ignored_any(IgnoredAny).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    if has_lone_surrogate(text.as_bytes()) {
        return Err(JsonError::Malformed("lone surrogate in hex escape".to_owned()));
    }
    Ok(())
}

/// The deepest nesting of arrays and objects, whatever else is wrong with the text.
pub fn json_depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for &byte in text.as_bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b'[' | b'{' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    deepest
}

/// Whether a well-formed text has one half of a surrogate pair (`\uD8…` to `\uDF…`) without the other.
fn has_lone_surrogate(text: &[u8]) -> bool {
    let mut at = 0;
    // Where the second half of a pair must stand.
    let mut second = None;
    while let Some(found) = text[at..].iter().position(|byte| *byte == b'\\') {
        let escape = at + found;
        if second.is_some_and(|second| second != escape) {
            return true;
        }
        let digits = text.get(escape + 2..escape + 6).filter(|_| text[escape + 1] == b'u');
        let unit = digits.and_then(|digits| u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        second = match (second, unit) {
            (None, Some(0xd800..=0xdbff)) => Some(escape + 6),
            (Some(_), Some(0xdc00..=0xdfff)) => None,
            (Some(_), _) | (None, Some(0xdc00..=0xdfff)) => return true,
            (None, _) => None,
        };
        at = escape + if unit.is_some() { 6 } else { 2 };
    }
    second.is_some()
}

impl Serialize for JsonText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    /// Takes the value's text as it stands; only the caller knows a bound for its length.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Box<str> = raw.into();
        check(&text).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

impl std::fmt::Display for JsonText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JsonText, JsonError> {
        JsonText::parse(text, 1 << 20)
    }

    #[test]
    fn text_is_kept_byte_for_byte() {
        let text = r#" {"b": 1.00, "a":[1e2] , "b":2} "#;
        assert_eq!(parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn nesting_of_128_is_accepted_and_of_129_refused() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(128)).is_ok());
        assert_eq!(parse(&nested(129)), Err(JsonError::TooDeep));
        assert_eq!(parse(&nested(100_000)), Err(JsonError::TooDeep));
        assert!(parse(&format!("{:?}", "[".repeat(1000))).is_ok());
    }

    #[test]
    fn lone_surrogates_are_refused_and_pairs_accepted() {
        assert!(matches!(parse(r#"{"a":"\ud800"}"#), Err(JsonError::Malformed(_))));
        assert!(matches!(parse(r#"["\uDC00x"]"#), Err(JsonError::Malformed(_))));
        assert!(parse(r#""\uD83D\uDE00""#).is_ok());
    }

    #[test]
    fn a_number_beyond_a_double_is_accepted_whatever_stands_beside_it() {
        for text in ["1e999", r#"["\ud83d\ude00",1e999]"#] {
            assert_eq!(parse(text).map(|text| text.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn every_way_to_lose_half_of_a_pair_is_refused() {
        for text in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d \ude00""#,
            r#""\ud83d\ud83d\ude00""#,
            r#""\ud83d\n""#,
            r#""\ud83d\u0041""#,
            r#"["\ud83d","\ude00"]"#,
            r#""\ud83d\ude00\ude00""#,
        ] {
            assert!(matches!(parse(text), Err(JsonError::Malformed(_))), "{text}");
        }
        for text in [r#""\\ud83d""#, r#""\\\ud83d\ude00\\""#, r#"{"\uD83D\uDE00":"\u0041"}"#] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn malformed_texts_are_refused() {
        for text in ["", " ", "{", "[1,]", "nul", "1 2", "{'a':1}", "\u{feff}1", "[1]]", "\"a\nb\""] {
            assert!(matches!(parse(text), Err(JsonError::Malformed(_))), "{text:?}");
        }
    }

    #[test]
    fn length_is_bounded_before_the_text_is_read() {
        assert_eq!(JsonText::parse("[1,2]", 4), Err(JsonError::TooLarge { size: 5, limit: 4 }));
    }

    proptest::proptest! {
        #[test]
        fn whatever_serde_json_accepts_is_accepted(text in r#"[\[\]{}",:0-9a-z\\ ]{0,24}"#) {
            proptest::prop_assert_eq!(parse(&text).is_ok(), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
