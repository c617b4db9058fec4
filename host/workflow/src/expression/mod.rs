//! Conditions and lists over a workflow's input and the results of its steps, in the language of Jinja expressions.
//!
//! An expression reads nothing but its [`Scope`], has a bound on its length, on its steps and on what it gives, and no
//! filter that could make much out of little.

mod error;
mod growth;
mod names;
mod scope;

use std::sync::OnceLock;

use bulkhead_core::{JsonText, MAX_STEPS};
use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

pub use error::ExpressionError;
pub(crate) use names::step_names;
pub use scope::{Scope, StepResult, StepView};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4096;
/// The most instructions of one evaluation; no expression of that length comes near.
const FUEL: u64 = 100_000;
/// The most items of a list: each becomes a task.
const MAX_ITEMS: usize = MAX_STEPS;
/// The longest item, in bytes of JSON: the default bound of a payload.
const MAX_ITEM: usize = 1 << 20;
/// What an expression may name.
const ROOTS: [&str; 3] = ["input", "steps", "range"];
/// Filters that print or that can make a long text out of a short one.
const WITHOUT_FILTERS: [&str; 11] =
    ["batch", "e", "escape", "format", "indent", "join", "pprint", "replace", "safe", "slice", "title"];

/// An expression over `input` and `steps`.
#[derive(Debug)]
pub struct Expression;

impl Expression {
    /// Whether this is an expression at all, and names nothing but `input` and `steps`.
    pub fn check(text: &str) -> Result<(), ExpressionError> {
        let text = bare(text)?;
        let expression = engine().compile_expression_owned(text.to_owned()).map_err(ExpressionError::malformed)?;
        for name in expression.undeclared_variables(false) {
            if !ROOTS.contains(&name.as_str()) {
                return Err(ExpressionError::unknown_name(name, ROOTS));
            }
        }
        // Which filters and tests there are only shows when they are asked for.
        let unknown = [ErrorKind::UnknownFilter, ErrorKind::UnknownTest, ErrorKind::UnknownFunction];
        let blank = lenient_engine().compile_expression_owned(text.to_owned()).map_err(ExpressionError::malformed)?;
        match blank.eval(Value::from_object(Scope::default())) {
            Err(error) if unknown.contains(&error.kind()) => Err(ExpressionError::malformed(error)),
            _ => Ok(()),
        }
    }

    /// What it says whatever the input: an expression without names.
    pub(crate) fn constant(text: &str) -> Option<bool> {
        let bare = bare(text).ok()?;
        let expression = engine().compile_expression_owned(bare.to_owned()).ok()?;
        if !expression.undeclared_variables(false).is_empty() {
            return None;
        }
        Self::holds(text, &Scope::default()).ok()
    }

    /// Whether it holds; what is not there does not.
    pub fn holds(text: &str, scope: &Scope) -> Result<bool, ExpressionError> {
        Ok(evaluate(text, scope)?.is_true())
    }

    /// The items of the list that it gives, each as JSON.
    pub fn list(text: &str, scope: &Scope) -> Result<Vec<JsonText>, ExpressionError> {
        let value = evaluate(text, scope)?;
        if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return Err(ExpressionError::NotAList(value.kind().to_string()));
        }
        let mut items = Vec::new();
        for (index, item) in value.try_iter().map_err(ExpressionError::failed)?.enumerate() {
            if index == MAX_ITEMS {
                return Err(ExpressionError::TooManyItems(MAX_ITEMS));
            }
            items.push(json(&item).map_err(|why| ExpressionError::Item { index, why })?);
        }
        Ok(items)
    }
}

/// The expression without the `{{ }}` that some write around it; refused where it is too long or could grow without bound.
fn bare(text: &str) -> Result<&str, ExpressionError> {
    if text.len() > MAX_LENGTH {
        return Err(ExpressionError::TooLong { length: text.len(), limit: MAX_LENGTH });
    }
    let text = text.trim();
    let text = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")).map_or(text, str::trim);
    match growth::beside_multiplication(text) {
        Some(beside) => Err(ExpressionError::Grows(beside)),
        None => Ok(text),
    }
}

fn evaluate(text: &str, scope: &Scope) -> Result<Value, ExpressionError> {
    let expression = engine().compile_expression_owned(bare(text)?.to_owned()).map_err(ExpressionError::malformed)?;
    expression.eval(Value::from_object(scope.clone())).map_err(ExpressionError::failed)
}

/// The item as JSON, no longer than an item may be.
fn json(item: &Value) -> Result<JsonText, String> {
    if item.is_undefined() {
        return Err("there is no such value".to_owned());
    }
    let mut bounded = Bounded(Vec::new());
    serde_json::to_writer(&mut bounded, item).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bounded.0).map_err(|error| error.to_string())?;
    JsonText::parse(text, MAX_ITEM).map_err(|error| error.to_string())
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_ITEM {
            return Err(std::io::Error::other(format!("longer than {MAX_ITEM} bytes; the limit of an item")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A value that is not there is false, and may be asked whether it is `defined`; all else with it is an error: a condition
/// must not skip a step because of a slip of the pen.
fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| build(UndefinedBehavior::SemiStrict))
}

/// For a look without values: nothing fails only because it is not there.
fn lenient_engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| build(UndefinedBehavior::Chainable))
}

fn build(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(undefined);
    engine.set_fuel(Some(FUEL));
    for filter in WITHOUT_FILTERS {
        engine.remove_filter(filter);
    }
    let globals: Vec<String> = engine.globals().map(|(name, _)| name.to_owned()).collect();
    for name in globals.iter().filter(|name| !ROOTS.contains(&name.as_str())) {
        engine.remove_global(name);
    }
    engine
}

#[cfg(test)]
mod tests;
