//! `[llm]`

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use bulkhead_core::{BreakerRules, Size, Span};
use serde::{Deserialize, Serialize};

use crate::{BackendUrl, KeyPlace, LlmError};

/// The most backends; the weights of more than a few are nobody's intent.
const MAX_BACKENDS: usize = 64;

/// The longest name of a backend, in bytes (`interface llm`).
const MAX_NAME: usize = 128;

/// The longest name of a model, in bytes (`interface llm`).
pub(crate) const MAX_MODEL: usize = 256;

/// The longest answer, in bytes (`interface llm`).
const MAX_ANSWER: Size = Size::from_mib(1);

/// The most requests to one backend at once, each of which may hold an answer in memory.
const MAX_CONCURRENCY: u32 = 1_024;

/// The host's language models, `[llm]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlmSettings {
    /// The backends by name, none by default; at most 64.
    pub backends: BTreeMap<String, BackendSettings>,
    /// How many tries a candidate has in all, over all backends: 4.
    pub retries: NonZeroU32,
    /// After so many failures in a row a backend rests: 5.
    pub failures: NonZeroU32,
    /// How long it then rests: 30 s.
    pub rest: Span,
    /// The longest answer, at most 1 MiB, which is the default.
    pub max_answer: Size,
}

/// A backend, `[llm.backends.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackendSettings {
    /// The base of its addresses, such as `https://api.openai.com/v1`; must be given.
    pub url: BackendUrl,
    /// The model that it is asked for; must be given.
    pub model: String,
    /// How often it is chosen, in proportion to the others: 1. With 0 it is chosen where no other can be.
    pub weight: u32,
    /// Where its key is, `env:NAME` or `file:PATH`; none is sent by default. A file is read for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyPlace>,
    /// Authorities, a file in PEM, trusted beside those of the system; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The longest answer that its model gives, in tokens. Without it, which is the default, all that the grant leaves is
    /// asked for, which some backends refuse with 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<NonZeroU32>,
    /// The field that tells it the longest answer: `max_tokens`, or `max_completion_tokens` for those of OpenAI's models
    /// that know no other.
    pub limit_field: LimitField,
    /// Requests to it at once: 8.
    pub concurrency: NonZeroU32,
    /// How long one try may take: 120 s; while others can be asked in its place, it may say nothing for its share of the
    /// time that the run has left at most.
    pub timeout: Span,
}

/// The field of a request that bounds the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// `max_tokens`, which nearly all backends know.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which OpenAI put in its place.
    MaxCompletionTokens,
}

impl Default for LlmSettings {
    fn default() -> Self {
        Self {
            backends: BTreeMap::new(),
            retries: number(4),
            failures: number(5),
            rest: Span::from_secs(30),
            max_answer: MAX_ANSWER,
        }
    }
}

impl Default for BackendSettings {
    fn default() -> Self {
        Self {
            url: BackendUrl::default(),
            model: String::new(),
            weight: 1,
            key: None,
            ca: None,
            max_tokens: None,
            limit_field: LimitField::default(),
            concurrency: number(8),
            timeout: Span::from_secs(120),
        }
    }
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

impl LlmSettings {
    /// Checks what can be checked without reading a key or a file.
    pub(crate) fn check(&self) -> Result<(), LlmError> {
        if self.backends.len() > MAX_BACKENDS {
            return Err(refused("llm.backends", format!("may be {MAX_BACKENDS} at most: `{}`", self.backends.len())));
        }
        if self.max_answer > MAX_ANSWER || self.max_answer.bytes() == 0 {
            return Err(refused("llm.max_answer", format!("must be from 1 B to {MAX_ANSWER}: `{}`", self.max_answer)));
        }
        self.backends.iter().try_for_each(|(name, backend)| backend.check(name))
    }

    /// When a backend rests.
    pub(crate) fn rules(&self) -> BreakerRules {
        BreakerRules { failures: self.failures.get(), rest: self.rest.duration() }
    }

    /// The longest answer, in bytes.
    pub(crate) fn max_answer(&self) -> usize {
        usize::try_from(self.max_answer.bytes()).unwrap_or(usize::MAX)
    }
}

impl BackendSettings {
    fn check(&self, name: &str) -> Result<(), LlmError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(known) {
            let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
            let rule = format!("names must be 1 to {MAX_NAME} of A–Z a–z 0–9 _ . -: `{shown}`");
            return Err(refused("llm.backends", rule));
        }
        let of = |setting: &str| format!("llm.backends.{name}.{setting}");
        if let Err(rule) = self.url.parse() {
            return Err(refused(of("url"), format!("cannot be used: {rule}")));
        }
        if !(1..=MAX_MODEL).contains(&self.model.len()) || self.model.chars().any(char::is_control) {
            return Err(refused(of("model"), format!("must be given, in 1 to {MAX_MODEL} bytes")));
        }
        if self.concurrency.get() > MAX_CONCURRENCY {
            return Err(refused(
                of("concurrency"),
                format!("may be {MAX_CONCURRENCY} at most: `{}`", self.concurrency),
            ));
        }
        if self.timeout.duration().is_zero() {
            return Err(refused(of("timeout"), "must be more than nothing"));
        }
        Ok(())
    }
}

fn refused(name: impl Into<String>, rule: impl Into<String>) -> LlmError {
    LlmError::Setting { name: name.into(), rule: rule.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LlmSettings, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_backend_needs_an_address_and_a_model_and_the_rest_has_defaults() {
        let settings = read("backends.a = { url = \"http://a.example/v1\", model = \"m\" }").unwrap();
        settings.check().unwrap();
        let backend = &settings.backends["a"];
        assert_eq!((backend.weight, backend.concurrency.get(), backend.timeout), (1, 8, Span::from_secs(120)));
        assert_eq!((settings.retries.get(), settings.max_answer), (4, Size::from_mib(1)));
        let again: LlmSettings = read(&toml::to_string(&settings).unwrap()).unwrap();
        assert_eq!(again, settings);
    }

    #[test]
    fn a_value_out_of_bounds_is_refused_by_its_name() {
        let long = "n".repeat(129);
        for (text, named) in [
            ("max_answer = \"2MiB\"", "llm.max_answer"),
            ("max_answer = 0", "llm.max_answer"),
            ("backends.a.url = \"http://a.example\"", "llm.backends.a.model"),
            ("backends.a.model = \"m\"", "llm.backends.a.url"),
            ("backends.a = { url = \"http://a.example\", model = \"m\", timeout = \"0s\" }", "llm.backends.a.timeout"),
            ("backends.a = { url = \"http://a.example\", model = \"m\", concurrency = 2000 }", "llm.backends.a.conc"),
            ("backends.\"a b\" = { url = \"http://a.example\", model = \"m\" }", "`a b`"),
            (&format!("backends.{long} = {{ url = \"http://a.example\", model = \"m\" }}"), "128"),
        ] {
            let error = read(text).unwrap().check().expect_err(text).to_string();
            assert!(error.contains(named), "{error}");
        }
        let many: String =
            (0..65).map(|n| format!("backends.b{n} = {{ url = \"http://a.example\", model = \"m\" }}\n")).collect();
        assert!(read(&many).unwrap().check().is_err());
        for text in ["retries = 0", "backends.a.concurrency = 0", "backends.a.price = 1", "proxy = 1"] {
            read(text).expect_err(text);
        }
    }

    #[test]
    fn a_key_given_itself_shows_in_no_error_and_in_no_debug() {
        for key in ["\"sk-sesame\"", "[\"sk-sesame\"]", "{ is = \"sk-sesame\" }"] {
            let text = format!("backends.a = {{ url = \"http://a.example\", model = \"m\", key = {key} }}");
            let settings = read(&text).unwrap();
            let error = crate::Llm::new(settings.clone()).expect_err(key);
            assert!(matches!(&error, LlmError::Key { backend, source: crate::KeyError::Given } if backend == "a"));
            let shown = format!("{error} {error:?} {settings:?} {}", toml::to_string(&settings).unwrap());
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}
