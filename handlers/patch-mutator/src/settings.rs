//! How the model is asked.

use bulkhead_sdk::Failure;
use serde::Deserialize;

use crate::prompt;

/// The most answers of one question (`interface llm`).
const MAX_CANDIDATES: u32 = 64;

/// The table `[handler.patch-mutator.settings]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The model; the ensemble chooses where absent.
    pub(crate) model: Option<String>,
    /// 0 to 2; the backend's own where absent.
    pub(crate) temperature: Option<f64>,
    /// The longest answer; what the grant leaves where absent.
    pub(crate) max_tokens: Option<u32>,
    /// How many answers, of which the first that applies is taken.
    pub(crate) candidates: u32,
    /// How many parents the model is shown.
    pub(crate) parents: usize,
    /// How often a parent is chosen whatever its score: 0 to 1.
    pub(crate) exploration: f64,
    /// What sets the scene.
    pub(crate) system: String,
    /// What is asked, with `{{source}}`, `{{parents}}` and `{{prompt}}` for what the payload has.
    pub(crate) template: String,
    /// What `{{prompt}}` is where the payload has none.
    pub(crate) prompt: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            temperature: None,
            max_tokens: None,
            candidates: 3,
            parents: 3,
            exploration: 0.2,
            system: prompt::SYSTEM.to_owned(),
            template: prompt::TEMPLATE.to_owned(),
            prompt: prompt::PROMPT.to_owned(),
        }
    }
}

impl Settings {
    /// The same, or what makes no sense.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        let bad =
            |why: String| Err(Failure::permanent("bad_settings", format!("[handler.patch-mutator.settings]: {why}")));
        if !(1..=MAX_CANDIDATES).contains(&self.candidates) {
            return bad(format!("`candidates` must be 1 to {MAX_CANDIDATES}, not {}", self.candidates));
        }
        if !(0.0..=1.0).contains(&self.exploration) {
            return bad(format!("`exploration` must be 0 to 1, not {}", self.exploration));
        }
        if let Some(temperature) = self.temperature.filter(|temperature| !(0.0..=2.0).contains(temperature)) {
            return bad(format!("`temperature` must be 0 to 2, not {temperature}"));
        }
        match prompt::check(&self.template) {
            Ok(()) => Ok(self),
            Err(why) => bad(why),
        }
    }
}
