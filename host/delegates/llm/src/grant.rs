//! `[handler.NAME.grants.llm]`

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::LlmSettings;

/// What a handler may ask of language models, `[handler.NAME.grants.llm]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlmGrant {
    /// Backends that it may use, by their names in `[llm.backends]`; there must be one.
    pub backends: Vec<String>,
    /// Models that it may ask for; where empty, which is the default, those of the backends.
    pub models: Vec<String>,
    /// Tokens of a task, questions and answers, over all its attempts: 100,000.
    pub tokens: u64,
    /// Candidates of one call: 8.
    pub candidates: NonZeroU32,
}

impl Default for LlmGrant {
    fn default() -> Self {
        Self {
            backends: Vec::new(),
            models: Vec::new(),
            tokens: 100_000,
            candidates: NonZeroU32::new(8).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl LlmGrant {
    /// Whether every backend of the grant is there, and what to do where not; for a host that starts.
    pub fn check(&self, settings: &LlmSettings) -> Result<(), String> {
        if self.backends.is_empty() {
            return Err("grants.llm.backends must name a backend of [llm.backends]".to_owned());
        }
        match self.backends.iter().find(|name| !settings.backends.contains_key(*name)) {
            Some(name) => {
                Err(format!("grants.llm.backends names `{name}`, which is not in [llm.backends]; add it there"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_names_backends_that_are_there() {
        let grant: LlmGrant = toml::from_str("backends = [\"a\"]").unwrap();
        assert_eq!((grant.tokens, grant.candidates.get(), grant.models.len()), (100_000, 8, 0));
        let mut settings = LlmSettings::default();
        assert!(grant.check(&settings).unwrap_err().contains("`a`"));
        settings.backends.insert("a".to_owned(), Default::default());
        assert_eq!(grant.check(&settings), Ok(()));
        assert!(LlmGrant::default().check(&settings).is_err());
        for text in ["candidates = 0", "backend = [\"a\"]", "tokens = -1"] {
            toml::from_str::<LlmGrant>(text).expect_err(text);
        }
    }
}
