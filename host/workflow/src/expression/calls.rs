//! Which filters and tests an expression asks for.

use minijinja::{Environment, Value};

use super::ExpressionError;
use super::tokens::Token::{self, Sign, Text, Word};

/// Refuses filters and tests that there are not, without evaluating anything.
pub(super) fn check(tokens: &[Token<'_>], engine: &Environment<'_>) -> Result<(), ExpressionError> {
    let known = |test: &str, name: &str| engine.empty_state().perform_test(test, &[Value::from(name)]).unwrap_or(false);
    for at in 0..tokens.len() {
        let (filter, test) = match tokens[at..] {
            [Sign("|"), Word(name), ref more @ ..] => {
                let (filter, test) = by_name(name, more);
                if !known("filter", name) { (Some(name), None) } else { (filter, test) }
            }
            [Word("is"), Word("not"), Word(name), ..] | [Word("is"), Word(name), ..] => (None, Some(name)),
            _ => (None, None),
        };
        if let Some(name) = filter.filter(|name| !known("filter", name)) {
            return Err(ExpressionError::UnknownFilter(crate::shown(name)));
        }
        if let Some(name) = test.filter(|name| !known("test", name)) {
            return Err(ExpressionError::UnknownTest(crate::shown(name)));
        }
    }
    Ok(())
}

/// The filter and the test that a filter asks for by its arguments.
fn by_name<'a>(filter: &str, arguments: &[Token<'a>]) -> (Option<&'a str>, Option<&'a str>) {
    match (filter, arguments) {
        ("map", [Sign("("), Text(name), ..]) => (Some(name), None),
        ("select" | "reject", [Sign("("), Text(name), ..])
        | ("selectattr" | "rejectattr", [Sign("("), Text(_), Sign(","), Text(name), ..]) => (None, Some(name)),
        _ => (None, None),
    }
}
