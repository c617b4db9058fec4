//! Conditions and lists over a workflow's input and the results of its steps, in the language of Jinja expressions.
//!
//! An expression reads nothing but its [`Scope`], has a bound on its length, on its steps and on what it gives, and no
//! filter that could make much out of little.

mod calls;
mod engine;
mod error;
mod growth;
mod names;
mod scope;
mod tokens;

use bulkhead_core::{JsonText, MAX_STEPS};
use minijinja::Value;
use minijinja::value::ValueKind;

use engine::engine;
pub use error::ExpressionError;
pub(crate) use names::step_names;
pub use scope::{Scope, StepResult, StepView};
use tokens::{Token, tokens};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4096;
/// The most items of a list: each becomes a task.
const MAX_ITEMS: usize = MAX_STEPS;
/// The longest item, in bytes of JSON: the default bound of a payload.
const MAX_ITEM: usize = 1 << 20;
/// All items together, in bytes of JSON: they are held at once, and stored at once.
const MAX_LIST: usize = 64 << 20;
/// What an expression may name.
const ROOTS: [&str; 3] = ["input", "steps", "range"];

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
        // The engine would say so only of what it comes to evaluate, and nothing is evaluated before there is an input.
        calls::check(&tokens(text), engine())
    }

    /// What it says whatever the input: an expression of flags and numbers that are only compared.
    pub(crate) fn constant(text: &str) -> Option<bool> {
        let is_plain = |token: &Token<'_>| match token {
            Token::Word("true" | "True" | "false" | "False" | "none" | "None" | "and" | "or" | "not") => true,
            Token::Word(word) => word.starts_with(|first: char| first.is_ascii_digit()),
            Token::Text(_) => false,
            Token::Sign(sign) => matches!(*sign, "==" | "!=" | "<" | "<=" | ">" | ">=" | "(" | ")" | "-" | "."),
        };
        if !tokens(bare(text).ok()?).iter().all(is_plain) {
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
        let (mut items, mut bytes) = (Vec::new(), 0);
        for (index, item) in value.try_iter().map_err(ExpressionError::failed)?.enumerate() {
            if index == MAX_ITEMS {
                return Err(ExpressionError::TooManyItems(MAX_ITEMS));
            }
            let item = json(&item).map_err(|why| ExpressionError::Item { index, why })?;
            bytes += item.as_str().len();
            if bytes > MAX_LIST {
                return Err(ExpressionError::ListTooLong(MAX_LIST));
            }
            items.push(item);
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
    growth::check(&tokens(text)).map(|()| text)
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

#[cfg(test)]
mod tests;
