//! Where a backend is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// What stands in place of what may not be shown.
const HIDDEN: &str = "***";

/// The base address of a backend, such as `https://api.openai.com/v1`; one that could carry a secret is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BackendUrl(String);

impl BackendUrl {
    /// The address as it was written; whether it is one is checked when [`crate::Llm`] is made.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The address itself, or the rule that it breaks. The rule is said without the address, which may hold a secret.
    pub(crate) fn parse(&self) -> Result<Url, &'static str> {
        let url = Url::parse(&self.0).map_err(|_| "it is no address; write one such as https://api.openai.com/v1")?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("it must begin with https:// or http:// and a host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must have no user name or password; give the key as `key`");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it must have no query and no fragment; give the base, such as https://api.openai.com/v1");
        }
        Ok(url)
    }

    fn shown(&self) -> &str {
        if self.parse().is_ok() { &self.0 } else { HIDDEN }
    }
}

/// The address of something under a base.
pub(crate) fn under(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl std::fmt::Debug for BackendUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.shown())
    }
}

impl Serialize for BackendUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

impl<'de> Deserialize<'de> for BackendUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_may_end_in_a_slash_or_not() {
        for base in ["http://a.example:81/v1", "http://a.example:81/v1/"] {
            let url = under(&BackendUrl::new(base).parse().unwrap(), &["chat", "completions"]);
            assert_eq!(url.as_str(), "http://a.example:81/v1/chat/completions");
        }
        let url = under(&BackendUrl::new("https://a.example").parse().unwrap(), &["models"]);
        assert_eq!(url.as_str(), "https://a.example/models");
    }

    #[test]
    fn an_address_that_could_hold_a_secret_is_refused_and_not_shown() {
        for text in ["https://me:sesame@a.example/v1", "https://sesame@a.example", "http://a.example/?key=sesame"] {
            let url = BackendUrl::new(text);
            let error = url.parse().expect_err(text);
            let written = serde_json::to_string(&url).unwrap();
            assert!(!format!("{error}{url:?}{written}").contains("sesame"), "{error}");
        }
        for text in ["", "a.example", "ftp://a.example", "file:///etc/passwd", "http://a.example/#x"] {
            BackendUrl::new(text).parse().expect_err(text);
        }
    }
}
