//! Which steps an expression speaks of.

use std::collections::BTreeSet;

use super::tokens::Token::{Sign, Text, Word};
use super::{bare, engine::engine, tokens::tokens};

/// The steps that an expression certainly speaks of: as `steps.NAME` or `steps["NAME"]`.
pub(crate) fn step_names(text: &str) -> BTreeSet<String> {
    let Ok(text) = bare(text) else { return BTreeSet::new() };
    let Ok(expression) = engine().compile_expression_owned(text.to_owned()) else { return BTreeSet::new() };
    let dotted = expression.undeclared_variables(true).into_iter().filter_map(|path| {
        let step = path.strip_prefix("steps.")?;
        Some(step.split('.').next().unwrap_or(step).to_owned())
    });
    dotted.chain(subscripts(text)).collect()
}

/// What stands in `steps["…"]`, outside of texts.
fn subscripts(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let starts = (0..tokens.len()).filter(|at| *at == 0 || tokens[at - 1] != Sign("."));
    let named = starts.filter_map(|at| match tokens[at..] {
        [Word("steps"), Sign("["), Text(name), Sign("]"), ..] if !name.contains('\\') => Some(name.to_owned()),
        _ => None,
    });
    named.collect()
}
