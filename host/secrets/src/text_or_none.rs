//! A field of the settings that may hold a secret by mistake.

use std::fmt;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Takes a text, and nothing of anything else. It never fails: whoever prints a failure of the settings file prints the line
/// at which it happened, and here that line could be the secret.
pub fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TextOrNone)
}

struct TextOrNone;

impl<'de> Visitor<'de> for TextOrNone {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<String>, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<String>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<String>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_text_is_taken_and_nothing_of_anything_else() {
        let take = |json: &str| super::text_or_none(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!(take("\"env:TOKEN\""), Some("env:TOKEN".to_owned()));
        for json in ["31337", "-31337", "0.31337", "[\"sesame\"]", "{\"sesame\":\"sesame\"}", "true", "null"] {
            assert_eq!(take(json), None, "{json}");
        }
    }
}
