//! What an expression may look at.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bulkhead_core::{JsonText, State};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde::Deserialize;

/// What an expression may look at: the input, and how the steps ended on which the asking one depends.
///
/// Nothing is decoded before an expression asks for it, and then once.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    input: Option<Arc<Lazy>>,
    steps: Arc<Steps>,
}

/// How a step ended, as an expression sees it.
#[derive(Debug, Clone)]
pub enum StepView {
    /// An ordinary step: `steps.NAME.state`, `steps.NAME.result`.
    One(StepResult),
    /// A step that fans out: a list of the same, in the order of the instances.
    Each(Vec<StepResult>),
}

/// State and result of one task.
#[derive(Debug, Clone)]
pub struct StepResult {
    state: State,
    result: Option<Arc<Lazy>>,
}

impl Scope {
    /// A scope of this input, in which no step is seen yet.
    pub fn new(input: JsonText) -> Self {
        Self { input: Some(Arc::new(Lazy::new(input))), steps: Arc::default() }
    }

    /// Adds how a step ended.
    #[must_use]
    pub fn with(mut self, step: impl Into<String>, view: StepView) -> Self {
        Arc::make_mut(&mut self.steps).0.insert(step.into(), view);
        self
    }
}

impl StepResult {
    /// How a task stands, and what it gave.
    pub fn new(state: State, result: Option<JsonText>) -> Self {
        Self { state, result: result.map(|text| Arc::new(Lazy::new(text))) }
    }
}

/// A JSON text that is decoded when somebody looks.
#[derive(Debug)]
struct Lazy {
    text: JsonText,
    value: OnceLock<Value>,
}

impl Lazy {
    fn new(text: JsonText) -> Self {
        Self { text, value: OnceLock::new() }
    }

    fn value(&self) -> Value {
        self.value.get_or_init(|| decode(self.text.as_str())).clone()
    }
}

fn decode(text: &str) -> Value {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // The depth was bounded when the text came in.
    deserializer.disable_recursion_limit();
    Value::deserialize(&mut deserializer).unwrap_or_else(|error| {
        let what = format!("a value that cannot be read: {error}");
        Value::from(minijinja::Error::new(minijinja::ErrorKind::BadSerialization, what))
    })
}

/// The steps by name.
#[derive(Debug, Clone, Default)]
struct Steps(BTreeMap<String, StepView>);

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "input" => self.input.as_ref().map(|input| input.value()),
            "steps" => Some(Value::from_dyn_object(Arc::clone(&self.steps))),
            _ => None,
        }
    }
}

impl Object for Steps {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let one = |result: &StepResult| Value::from_object(result.clone());
        self.0.get(key.as_str()?).map(|view| match view {
            StepView::One(result) => one(result),
            StepView::Each(results) => results.iter().map(one).collect(),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|name| Value::from(name.as_str())).collect())
    }
}

impl Object for StepResult {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "state" => Some(Value::from(self.state.as_str())),
            "result" => self.result.as_ref().map(|result| result.value()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["state", "result"])
    }
}
