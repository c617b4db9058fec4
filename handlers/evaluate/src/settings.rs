//! Pools as the operator writes them; `pool` is what becomes of them.

use std::collections::BTreeMap;

use bulkhead_sdk::Failure;
use serde::Deserialize;
use serde_json::Value;

use crate::pool::Pool;

/// The table `[handler.evaluate.settings]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Each pool as it is written: a mistake in one must not stand in the way of another.
    pools: BTreeMap<String, Value>,
}

/// The table `[handler.evaluate.settings.pools.NAME]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenPool {
    /// At least one.
    pub(crate) evaluators: Vec<WrittenEvaluator>,
    /// What a value that is missing is, where the evaluator does not say it.
    #[serde(default)]
    pub(crate) missing: Missing,
    /// The workflow step whose result is the run, where the payload has none.
    #[serde(default)]
    pub(crate) step: Option<String>,
}

/// An entry of `evaluators`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenEvaluator {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default = "one")]
    pub(crate) weight: f64,
    /// A file of the workspace, to read the value from.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// A field of the run, to read the value from.
    #[serde(default)]
    pub(crate) run: Option<String>,
    /// Of `regex`.
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    /// Of `json_pointer`.
    #[serde(default)]
    pub(crate) pointer: Option<String>,
    /// Of `exit_code`.
    #[serde(default)]
    pub(crate) expected: Option<Vec<i64>>,
    #[serde(default)]
    pub(crate) direction: Option<Direction>,
    /// The value that is worth 0.
    #[serde(default)]
    pub(crate) worst: Option<f64>,
    /// The value that is worth 1.
    #[serde(default)]
    pub(crate) best: Option<f64>,
    #[serde(default)]
    pub(crate) missing: Option<Missing>,
}

/// What an evaluator reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Metric,
    ExitCode,
    Regex,
    JsonPointer,
}

/// What is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Maximize,
    Minimize,
}

/// What a value that is missing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Missing {
    /// Worth 0.
    #[default]
    Zero,
    /// A failure of the task.
    Fail,
}

impl Settings {
    /// The pool of this name.
    pub(crate) fn pool(mut self, name: &str) -> Result<Pool, Failure> {
        let Some(written) = self.pools.remove(name) else {
            let names: Vec<String> = self.pools.keys().map(|name| format!("`{name}`")).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!(
                "the settings have no pool `{name}`, but {there}; add it: \
                                   [handler.evaluate.settings.pools.{name}]"
            );
            return Err(Failure::validation("no_pool", message));
        };
        let pool = serde_json::from_value::<WrittenPool>(written).map_err(|error| error.to_string());
        pool.and_then(Pool::new).map_err(|why| {
            Failure::permanent("bad_settings", format!("[handler.evaluate.settings.pools.{name}]: {why}"))
        })
    }
}

fn one() -> f64 {
    1.0
}
